# SPDX-License-Identifier: GPL-2.0-only
"""Recognise one user access in the syntax tree: `get_user(x, &p->field)` and its kin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.source import Access, Direction
from uaccel.read.csource import plain, span, text_of, walk

READ, WRITE = Direction.READ, Direction.WRITE

# include/linux/uaccess.h: the order of the arguments.  A scalar accessor takes (x, pointer).
SCALARS = {
    "get_user": READ,
    "__get_user": READ,
    "unsafe_get_user": READ,
    "put_user": WRITE,
    "__put_user": WRITE,
    "unsafe_put_user": WRITE,
}
# A copy takes (to, from, n).
COPIES = {
    "copy_from_user": READ,
    "__copy_from_user": READ,
    "_copy_from_user": READ,
    "__copy_from_user_inatomic": READ,
    "unsafe_copy_from_user": READ,
    "copy_to_user": WRITE,
    "__copy_to_user": WRITE,
    "_copy_to_user": WRITE,
    "__copy_to_user_inatomic": WRITE,
    "unsafe_copy_to_user": WRITE,
}
_COPY = re.compile(r"_*copy_(from|to)_user(?:_inatomic)?")
_CLEARS = ("clear_user", "__clear_user")
# What may do more than hand a value on; a statement expression is a `compound_statement`.
_CHANGES = (
    "assignment_expression",
    "update_expression",
    "gnu_asm_expression",
    "compound_statement",
)
# `(u32)(x)` is a cast, but the parser knows no types and takes it for a call.
_TYPE = re.compile(r"(?:__)?[a-z]?[usbl]e?(?:8|16|32|64)|\w+_t|u?(?:char|short|int|long)")
# include/linux/jiffies.h declares them volatile.
_VOLATILE = ("jiffies", "jiffies_64")


@dataclass(frozen=True, slots=True)
class Scope:
    """What an access must know of its function and its file."""

    names: tuple[str, ...]  # variables that are declared volatile, or macros that call
    members: tuple[str, ...]  # of structs that the file declares: those that are volatile


def access(call: Node, scope: Scope) -> Access | None:
    """Return the access that a call expression makes, or None when it makes none."""
    name = call.child_by_field_name("function")
    arguments = call.child_by_field_name("arguments")
    if name is None or name.type != "identifier" or arguments is None:
        return None
    accessor = text_of(name)
    given = [node for node in arguments.named_children if node.type != "comment"]
    direction = direction_of(accessor)
    copies = "copy" in accessor
    if direction is None or accessor in _CLEARS:  # clear_user() moves no value of the kernel's
        return None
    if len(given) not in ((3, 4) if copies else (2, 3)):
        return None
    kernel, user = given[0], given[1]
    if copies and direction is WRITE:
        kernel, user = user, kernel
    base, path = _place(user)
    return Access(
        accessor=accessor,
        direction=direction,
        call=span(call),
        value=span(kernel),
        pointer=span(user),
        size=span(given[2]) if copies else None,
        base=base,
        path=path,
        # The members that a pointer names are not loaded: only their address is taken.
        impure=any(_is_impure(node, scope) for node in given[: 3 if copies else 2])
        or (not copies and _loads(kernel, scope)),
    )


def direction_of(name: str) -> Direction | None:
    """Return which way the accessor called `name` moves bytes, None when it is no accessor."""
    known = SCALARS.get(name) or COPIES.get(name)
    if known is not None:
        return known
    if name in _CLEARS:
        return WRITE
    copy = _COPY.fullmatch(name)
    return None if copy is None else READ if copy[1] == "from" else WRITE


def user_base(call: Node) -> str | None:
    """Return the name of the user object that an accessor's call goes to, None when not plain."""
    made = access(call, Scope((), ()))
    return made.base if made is not None else None


def reached(call: Node) -> str | None:
    """Return the one name that an accessor's user pointer is worked out from, None for several."""
    made = access(call, Scope((), ()))
    if made is None or made.base is not None:
        return made.base if made is not None else None
    user = call.descendant_for_byte_range(made.pointer.start, made.pointer.end)
    found = walk(user) if user is not None else ()
    names = {text_of(one) for one in found if one.type == "identifier" and not _is_called(one)}
    return names.pop() if len(names) == 1 else None


def _is_called(name: Node) -> bool:
    call = name.parent
    return call is not None and call.type == "call_expression" and call.named_children[0] == name


def accesses(node: Node, scope: Scope) -> Iterator[tuple[Node, Access]]:
    """Yield every access at or below `node` with its call expression."""
    for found in walk(node):
        if found.type == "call_expression" and (made := access(found, scope)):
            yield found, made


def scope_of(function: Node | None, outside: tuple[str, ...] = ()) -> Scope:
    """Return the names that `function` declares volatile, and those of the file `outside` of it."""
    names: list[str] = []
    for node in walk(function) if function is not None else ():
        if node.type in ("declaration", "parameter_declaration") and any(
            map(is_volatile, node.named_children)
        ):
            names += [_declared(found) for found in node.children_by_field_name("declarator")]
    return Scope((*_VOLATILE, *outside, *names), outside)


def _declared(declarator: Node) -> str:
    # The first name in it: what an initialiser or a size names comes later.
    return next((text_of(found) for found in walk(declarator) if found.type == "identifier"), "")


def is_volatile(node: Node) -> bool:
    """Return whether `node` is the word `volatile`."""
    return node.type == "type_qualifier" and text_of(node) == "volatile"


def member_path(node: Node) -> tuple[str, str] | None:
    """Return (`src`, `c.control.appl_ptr`) of `src->c.control.appl_ptr`, None when not plain."""
    fields: list[str] = []
    node = plain(node)
    while node.type == "field_expression":
        argument, field = node.child_by_field_name("argument"), node.child_by_field_name("field")
        if argument is None or field is None:
            return None
        fields.append(text_of(field))
        node = plain(argument)
    if node.type != "identifier":
        return None
    return text_of(node), ".".join(reversed(fields))


def _place(pointer: Node) -> tuple[str | None, str | None]:
    node = plain(pointer)
    while node.type == "cast_expression":
        value = node.child_by_field_name("value")
        if value is None:
            return None, None
        node = plain(value)
    if node.type == "identifier":
        return text_of(node), ""
    if not _is_address(node):
        return None, None
    argument = node.child_by_field_name("argument")
    found = member_path(argument) if argument is not None else None
    # `&src` itself is a pointer to the pointer, and `&src.field` no user memory at all.
    if found is None or not found[1] or not _goes_through_pointer(plain(argument)):  # type: ignore[arg-type]
        return None, None
    return found


def _is_address(node: Node) -> bool:
    operator = node.child_by_field_name("operator")
    return node.type == "pointer_expression" and operator is not None and text_of(operator) == "&"


def _goes_through_pointer(node: Node) -> bool:
    arrows = 0
    while node.type == "field_expression":
        operator = node.child_by_field_name("operator")
        argument = node.child_by_field_name("argument")
        if operator is None or argument is None:
            return False
        arrows += text_of(operator) == "->"
        node = plain(argument)
        last = text_of(operator)
    return arrows == 1 and last == "->"


def _is_impure(node: Node, scope: Scope) -> bool:
    for found in walk(node):
        if found.type in _CHANGES or is_volatile(found):
            return True
        if found.type == "call_expression" and not is_cast(found):
            return True
        if found.type == "identifier" and text_of(found) in scope.names:
            return True
    return False


def _loads(value: Node, scope: Scope) -> bool:
    for found in walk(value):
        if found.type == "field_identifier" and text_of(found) in scope.members:
            return True
        if found.type == "subscript_expression" and not is_constant(found):
            return True
    return False


def is_cast(call: Node) -> bool:
    """Return whether what the parser took for a call is a cast: `(u32)(x)`."""
    function = call.child_by_field_name("function")
    parentheses = function is not None and function.type == "parenthesized_expression"
    return parentheses and _TYPE.fullmatch(text_of(plain(function))) is not None  # type: ignore[arg-type]


def is_constant(element: Node) -> bool:
    """Return whether the index of an array's element is a constant."""
    # With CONFIG_UBSAN_BOUNDS a call may check any other index; objtool wants none in a window.
    index = element.child_by_field_name("index")
    text = text_of(plain(index)) if index is not None else ""
    return text[:1].isdigit() or (text.isidentifier() and text.isupper())
