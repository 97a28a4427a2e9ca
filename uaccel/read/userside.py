# SPDX-License-Identifier: GPL-2.0-only
"""Take pointers, numbers and arguments of expressions apart, for what follows windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zlib import crc32

from tree_sitter import Node

from uaccel.model.flowgraph import Pointer
from uaccel.read.accesses import is_cast
from uaccel.read.calls import is_pure
from uaccel.read.csource import plain, text_of, walk
from uaccel.read.opening import is_quiet

_BLANK = re.compile(r"\s+")
_BLANKS = re.compile(r"(?<!\w)\s+|\s+(?!\w)")
_ERROR = re.compile(r"-\(?(E[A-Z0-9]+)\)?")
_NUMBER = re.compile(r"-?\(?(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*\)?")
_CONSTANTS = {"true": 1, "false": 0, "NULL": 0, "TRUE": 1, "FALSE": 0}
_COMPUTES = ("sizeof_expression", "offsetof_expression", "alignof_expression")


def bare(node: Node) -> str:
    """Return the text of `node` without blanks, but where they part two words."""
    return _BLANKS.sub("", _BLANK.sub(" ", text_of(node)).strip())


def number(node: Node) -> int | None:
    """Return the value of a constant; errors as numbers below 0; None when it is not known."""
    text = bare(plain(node))
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    error = _ERROR.fullmatch(text)
    if error is not None:
        return -1000 - crc32(error[1].encode()) % 100_000_000
    if _NUMBER.fullmatch(text) is None:
        return None
    sign = -1 if text.startswith("-") else 1
    return sign * int(text.strip("-()uUlL"), 0) if not _is_octal(text) else None


def _is_octal(text: str) -> bool:
    digits = text.strip("-()uUlL")
    return len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"


def inner(node: Node) -> Node:
    """Return what is inside parentheses and casts."""
    node = plain(node)
    while node.type == "cast_expression":
        value = node.child_by_field_name("value")
        if value is None:
            return node
        node = plain(value)
    if node.type == "call_expression" and is_cast(node):
        arguments = node.child_by_field_name("arguments")
        if arguments is not None and arguments.named_child_count == 1:
            return inner(arguments.named_children[0])
    return node


def pointer(node: Node) -> Pointer:
    """Return the address that an expression is, taken apart as far as that goes."""
    node = inner(node)
    text = bare(node)
    if node.type == "pointer_expression" and text.startswith("&"):
        argument = node.child_by_field_name("argument")
        base, path = _place(inner(argument)) if argument is not None else (text, "")
        return Pointer(text, base, path, plain="*)" not in text)  # a cast: of another type
    if node.type == "binary_expression" and (side := _pointing(node)) is not None:
        made = pointer(side)
        return Pointer(text, made.base, made.path, plain=False)
    if node.type in ("update_expression", "assignment_expression"):
        target = node.child_by_field_name("argument") or node.child_by_field_name("left")
        if target is not None:
            return Pointer(text, bare(inner(target)), "", plain=False)
    if node.type == "call_expression" and (is_pure(called(node)) or called(node).isupper()):
        given = arguments(node)
        if given:  # PAGE_ALIGN(p), compat_ptr(address)
            made = pointer(given[0])
            return Pointer(text, made.base, made.path, plain=False)
    if node.type == "comma_expression" and node.named_child_count:
        return pointer(node.named_children[-1])
    return Pointer(text, text, "", plain=node.type in ("identifier", "field_expression"))


def _pointing(node: Node) -> Node | None:
    # Of `p + i` the pointer; of `i + p` it is not known which.
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None or operator is None or text_of(operator) not in ("+", "-", "&", "|"):
        return None
    return left if inner(left).type != "number_literal" else node.child_by_field_name("right")


def _place(node: Node) -> tuple[str, str]:
    # (`c->ptr`, `field[i].x`) of `c->ptr->field[i].x`: the pointer it goes through last.
    path = ""
    while True:
        if node.type == "field_expression":
            argument, field = (
                node.child_by_field_name("argument"),
                node.child_by_field_name("field"),
            )
            operator = node.child_by_field_name("operator")
            if argument is None or field is None or operator is None:
                return bare(node), path
            name = text_of(field)
            path = f"{name}.{path}" if path and path[0] != "[" else name + path
            node = inner(argument)
            if text_of(operator) == "->":
                made = pointer(node)
                return made.base, f"{made.path}.{path}" if made.path else path
        elif node.type == "subscript_expression":
            argument, index = (
                node.child_by_field_name("argument"),
                node.child_by_field_name("index"),
            )
            if argument is None:
                return bare(node), path
            place = f"[{bare(index)}]" if index is not None else "[]"
            path = f"{place}.{path}" if path and path[0] != "[" else place + path
            node = inner(argument)
        elif node.type == "pointer_expression" and bare(node).startswith("*"):
            argument = node.child_by_field_name("argument")
            return (pointer(argument).base, path) if argument is not None else (bare(node), path)
        else:
            return bare(node), path


def called(call: Node) -> str:
    """Return the name that a call expression calls, "" through a pointer."""
    function = call.child_by_field_name("function")
    field = function.child_by_field_name("field") if function is not None else None
    if field is not None and text_of(field).isupper():  # thread.TS_FPR(i): a macro names it
        return text_of(field)
    return text_of(function) if function is not None and function.type == "identifier" else ""


def _names_member(call: Node) -> bool:
    function = call.child_by_field_name("function")
    return function is not None and function.type == "field_expression" and called(call) != ""


def arguments(call: Node) -> tuple[Node, ...]:
    """Return the arguments of a call expression."""
    given = call.child_by_field_name("arguments")
    return tuple(given.named_children) if given is not None else ()


def calls_in(node: Node) -> Iterator[str]:
    """Yield what an expression calls, without what compiles to no call."""
    for found in _evaluated(node):
        if found.type == "call_expression" and not is_cast(found):
            name = called(found)
            if not (is_pure(name) or is_quiet(name) or _names_member(found)):
                yield name


def changes_in(node: Node) -> Iterator[str]:
    """Yield the variables and members that an expression changes."""
    for found in _evaluated(node):
        if found.type in ("update_expression", "assignment_expression"):
            target = found.child_by_field_name("argument") or found.child_by_field_name("left")
            yield bare(inner(target)) if target is not None else ""


def _evaluated(node: Node) -> Iterator[Node]:
    if node.type in _COMPUTES:
        return
    yield node
    for child in node.named_children:
        yield from _evaluated(child)


def names_in(node: Node) -> frozenset[str]:
    """Return the variables that an expression names."""
    return frozenset(text_of(one) for one in walk(node) if one.type == "identifier")


def is_local(node: Node) -> bool:
    """Return whether an expression holds nothing but variables, members, numbers and operators.

    A member may change behind our back; who asks for it twice does not expect that.
    """
    kinds = ("call_expression", "subscript_expression", "pointer_expression")
    changing = ("assignment_expression", "update_expression", "compound_statement")
    return not any(one.type in kinds or one.type in changing for one in walk(node))
