# SPDX-License-Identifier: GPL-2.0-only
"""Read one C file whole: its functions that access user memory, their clusters, and the rest."""

from __future__ import annotations

import re

from tree_sitter import Node

from uaccel.model.source import Function, NotUnderstood, Reading, Source, Span
from uaccel.read.accesses import CANDIDATE, scope_of
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
from uaccel.read.variables import struct_locals

IN_MACRO = "the access stands in a macro definition"
NO_FUNCTION = "no function that could be parsed holds this access"
CLEARS = "clear_user() is not read as an access yet"
BROKEN = "the statement around the access could not be parsed"

_STRUCT_POINTER = re.compile(r"\bstruct\s+(\w+)\s+__user\s*\*\s*(?:const\s+)?(\w+)")
_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\\n|\\[^\n])*", re.MULTILINE)


def read_source(source: Source) -> Reading:
    """Return what `source` defines and accesses; every candidate is in a cluster or listed."""
    read = []
    names = []
    odd: list[NotUnderstood] = []
    for node in functions(parse(source.text)):
        name = function_name(node)
        body = node.child_by_field_name("body")
        if name is None or body is None or body.type != "compound_statement":
            continue
        names.append(name)
        function, left = _function(source, node, body, name)
        odd += left
        if function.clusters or left:
            read.append(function)
    odd += _missed(source, tuple(read), tuple(odd))
    return Reading(source, tuple(read), tuple(names), tuple(sorted(odd, key=lambda o: o.line)))


def _function(
    source: Source, node: Node, body: Node, name: str
) -> tuple[Function, tuple[NotUnderstood, ...]]:
    found = clusters(source, body, scope_of(body))
    quoted = source.quote(span(node))
    returns = [child for child in body.named_children if child.type != "comment"]
    last = returns[-1] if returns and returns[-1].type == "return_statement" else None
    function = Function(
        source=source,
        name=name,
        span=span(node),
        body=span(body),
        noinline=_noinline(source, node),
        clusters=found.clusters,
        pointers=tuple((n, tag) for tag, n in _STRUCT_POINTER.findall(quoted)),
        names=tuple(sorted({text_of(n) for n in walk(node) if n.type.endswith("identifier")})),
        locals=struct_locals(body) if found.clusters else (),
        returns_last=span(last) if last is not None else None,
    )
    return function, found.not_understood


def _noinline(source: Source, node: Node) -> int | None:
    type_ = node.child_by_field_name("type")
    if type_ is None:
        return None
    head = source.quote(Span(node.start_byte, type_.end_byte))
    if "inline" in head or "SYSCALL" in head:
        return None
    return type_.start_byte


def _missed(
    source: Source, read: tuple[Function, ...], odd: tuple[NotUnderstood, ...]
) -> list[NotUnderstood]:
    text = without_comments(source.text)
    seen = {
        source.line(a.call.start) for f in read for cluster in f.clusters for a in cluster.accesses
    }
    seen |= {known.line for known in odd}
    macros = [Span(*found.span()) for found in _DIRECTIVE.finditer(text)]
    missed = []
    for found in CANDIDATE.finditer(text):
        line = source.line(found.start())
        if line not in seen:
            why = CLEARS if b"clear" in found[0] else _why(Span(*found.span()), macros, read)
            missed.append(NotUnderstood(line, found[0].decode(), why))
    return missed


def _why(found: Span, macros: list[Span], read: tuple[Function, ...]) -> str:
    if any(macro.covers(found) for macro in macros):
        return IN_MACRO
    if any(function.span.covers(found) for function in read):
        return BROKEN
    return NO_FUNCTION
