# SPDX-License-Identifier: GPL-2.0-only
"""Read one C file whole: its functions that access user memory, their clusters, and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tree_sitter import Node

from uaccel.model.source import Function, NotUnderstood, Reading, Source, Span
from uaccel.read.accesses import CANDIDATE, Scope, scope_of
from uaccel.read.csource import (
    function_name,
    functions,
    parse,
    span,
    text_of,
    walk,
    without_comments,
)
from uaccel.read.forms import clusters
from uaccel.read.macros import DEFINE, Macro, calling, wrappers
from uaccel.read.variables import struct_locals

IN_MACRO = "the access stands in a macro definition"
NO_FUNCTION = "no function that could be parsed holds this access"
CLEARS = "clear_user() is not read as an access yet"
BROKEN = "the statement around the access could not be parsed"

_STRUCT_POINTER = re.compile(r"\bstruct\s+(\w+)\s+__user\s*\*\s*(?:const\s+)?(\w+)")
_VOLATILE = re.compile(rb"\bvolatile\b([^;{}()=]*[;=])")
_DECLARED = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*[;,=]")
_SYSCALL = re.compile(r"(?:COMPAT_)?SYSCALL(?:32)?_DEFINE")


def read_source(source: Source, includers: tuple[Source, ...] = ()) -> Reading:
    """Return what `source` defines and accesses; every candidate is in a cluster or listed.

    `includers` are files whose macros `source` may use because they include it.
    """
    macros = tuple(macro for file in (*includers, source) for macro in wrappers(file.text))
    root = parse(source.text)
    read = []
    names = []
    plain_names = tuple(name for file in (*includers, source) for name in calling(file.text))
    outside = (*plain_names, *_volatile_outside(source.text, root))
    odd: list[NotUnderstood] = []
    for node in functions(root):
        name = function_name(node)
        body = node.child_by_field_name("body")
        if name is None or body is None or body.type != "compound_statement":
            continue
        names.append(name)
        if not _may_access(source.text[body.start_byte : body.end_byte], macros):
            continue
        function, left = _function(source, node, body, scope_of(node, outside), macros)
        odd += left
        if function.clusters or left:
            read.append(function)
    odd += _missed(source, tuple(read), tuple(odd))
    listed = tuple(sorted(odd, key=lambda one: one.line))
    return Reading(source, tuple(read), tuple(names), listed, _broken(root))


def _may_access(body: bytes, macros: tuple[Macro, ...]) -> bool:
    # Most functions of a file access nothing: they are not walked at all.
    wrapped = any(macro.name.encode() in body for macro in macros)
    return wrapped or CANDIDATE.search(body) is not None


def _volatile_outside(text: bytes, root: Node) -> tuple[str, ...]:
    # Members of structs, and variables of the file.
    if b"volatile" not in text:
        return ()
    rest = bytearray(without_comments(text))
    for node in functions(root):
        rest[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
    declared = b" ".join(found[1] for found in _VOLATILE.finditer(rest))
    return tuple(name.decode() for name in _DECLARED.findall(declared))


def _broken(root: Node) -> tuple[tuple[int, str], ...]:
    odd = (node for node in _erroneous(root) if node.type == "ERROR" or node.is_missing)
    return tuple((node.start_point[0] + 1, _complaint(node)) for node in odd)


def _erroneous(root: Node) -> Iterator[Node]:
    # In the order of the text; what holds no error is not entered.
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(child for child in reversed(node.children) if child.has_error)


def _complaint(node: Node) -> str:
    if node.is_missing:
        return f"`{node.type}` is missing"
    text = " ".join(text_of(node).split())
    return f"`{text[:40]}` is not expected" if text else "something is missing"


def _function(
    source: Source, node: Node, body: Node, scope: Scope, macros: tuple[Macro, ...]
) -> tuple[Function, tuple[NotUnderstood, ...]]:
    found = clusters(source, body, scope, macros)
    quoted = source.quote(span(node))
    returns = [child for child in body.named_children if child.type != "comment"]
    last = returns[-1] if returns and returns[-1].type == "return_statement" else None
    function = Function(
        source=source,
        name=function_name(node) or "",
        span=span(node),
        body=span(body),
        noinline=_noinline(source, node),
        clusters=found.clusters,
        pointers=_pointers(quoted),
        names=tuple(sorted({text_of(n) for n in walk(node) if n.type.endswith("identifier")})),
        locals=struct_locals(body) if found.clusters else (),
        returns_last=span(last) if last is not None else None,
    )
    return function, found.not_understood


def _pointers(function: str) -> tuple[tuple[str, str], ...]:
    head, brace, body = function.partition("{")
    if _SYSCALL.match(head):  # there a comma stands between a type and its name
        head = re.sub(r"\*\s*,", "*", head)
    return tuple((name, tag) for tag, name in _STRUCT_POINTER.findall(head + brace + body))


def _noinline(source: Source, node: Node) -> int | None:
    type_ = node.child_by_field_name("type")
    if type_ is None:
        return None
    head = source.quote(Span(node.start_byte, type_.end_byte))
    if "inline" in head or _SYSCALL.match(source.quote(span(node))):
        return None
    return type_.start_byte


def _missed(
    source: Source, read: tuple[Function, ...], odd: tuple[NotUnderstood, ...]
) -> list[NotUnderstood]:
    text = without_comments(source.text)
    placed = {a.call.start for f in read for cluster in f.clusters for a in cluster.accesses}
    listed = Counter((known.line, known.accessor) for known in odd)
    macros = [Span(*found.span()) for found in DEFINE.finditer(text)]
    missed = []
    for found in CANDIDATE.finditer(text):
        here = (source.line(found.start()), found[0].decode())
        if found.start() in placed:
            continue
        if listed[here]:
            listed[here] -= 1
            continue
        why = CLEARS if b"clear" in found[0] else _why(Span(*found.span()), macros, read)
        missed.append(NotUnderstood(*here, why))
    return missed


def _why(found: Span, macros: list[Span], read: tuple[Function, ...]) -> str:
    if any(macro.covers(found) for macro in macros):
        return IN_MACRO
    if any(function.span.covers(found) for function in read):
        return BROKEN
    return NO_FUNCTION
