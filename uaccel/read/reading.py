# SPDX-License-Identifier: GPL-2.0-only
"""Read one C file whole: its functions that access user memory, their clusters, and the rest."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tree_sitter import Node

from uaccel.candidates import calls
from uaccel.model.source import (
    Cluster,
    Direction,
    Function,
    Held,
    NotUnderstood,
    Reading,
    Source,
    Span,
)
from uaccel.read.accesses import Scope, scope_of
from uaccel.read.callers import callers
from uaccel.read.classes import classes, why_odd
from uaccel.read.companions import Part, accompanied, included_at
from uaccel.read.csource import cleaned, parse, text_of
from uaccel.read.endings import ending, entries
from uaccel.read.forms import Shapes, end_before_return, zeroed
from uaccel.read.functions import Functions, Opened, open_functions
from uaccel.read.macros import Macro, calling, wrapper_at, wrappers
from uaccel.read.pieces import Piece, directive_at, piece_at
from uaccel.read.places import begins
from uaccel.read.variables import struct_locals

_STRUCT_POINTER = re.compile(
    r"\bstruct\s+(\w+)\s+__user\s*\*\s*(?:const\s+)?(\w+)((?:\s*,\s*\*\s*\w+)*)"
)
_VOLATILE = re.compile(rb"\bvolatile\b([^;{}()=]*+[;=])")
_VOLATILE_PARAMETER = re.compile(
    rb"\bvolatile\b[^;{}(),=]{0,200}?(\w++)\s*+(?:\[[^\]]*+\])?\s*+[,)]"
)
_DECLARED = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*[;,=]")
_NAMED = re.compile(r"\w+")
_SYSCALL = re.compile(r"(?:COMPAT_)?SYSCALL(?:32)?_DEFINE")
_TYPE = re.compile(r"(?:(?:static|extern|const|__\w+)\s+)*(?=\w[\w\s*]*\()")
_BODY = re.compile(rb"^\{", re.MULTILINE)
_BODIES = re.compile(rb"^\{.*?^\}(?!\s*\w*\s*;)", re.MULTILINE | re.DOTALL)
_NAME = re.compile(rb"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class _File:
    source: Source
    clean: bytes  # its text without comments
    outside: tuple[str, ...]  # names that call, or are volatile, whoever uses them
    every: bool  # all that a style may ask, not only what a scan shows
    held: tuple[Held, ...] = ()  # windows that were unmade


def read_source(
    source: Source,
    includers: tuple[Source, ...] = (),
    included: tuple[Source, ...] = (),
    held: tuple[Held, ...] = (),
) -> Reading:
    """Return what `source` defines and accesses; every candidate line has its class.

    `includers` are files whose macros `source` may use because they include it; `included` are
    other files of C that are compiled with it because one of them is.  `held` are the windows that
    stood in it before they were unmade.
    """
    reading = _read(source, includers, included, held)
    functions = accompanied(source.path, _parts(reading, includers, included))
    return replace(reading, functions=functions)


def _parts(
    reading: Reading, includers: tuple[Source, ...], included: tuple[Source, ...]
) -> tuple[Part, ...]:
    own = reading.source
    whole = includers[0] if includers else own
    at = included_at(whole, own.path.name) if includers else None
    parts = [Part(own, at, reading.functions)]
    if includers and at is None:  # in a way of its own: nothing is known of what stands beside it
        return tuple(parts)
    if includers:
        parts.append(Part(whole, None, _beside(whole, (), (own, *included))))
    for one in included:
        there = included_at(whole, one.path.name)
        if there is not None:
            rest = tuple(other for other in (own, *included) if other not in (one, whole))
            parts.append(Part(one, there, _beside(one, (whole,), rest)))
    return tuple(parts)


@lru_cache(maxsize=8)
def _beside(
    source: Source, includers: tuple[Source, ...], included: tuple[Source, ...]
) -> tuple[Function, ...]:
    return _read(source, includers, included).functions


def _read(
    source: Source,
    includers: tuple[Source, ...],
    included: tuple[Source, ...],
    held: tuple[Held, ...] = (),
) -> Reading:
    clean = cleaned(source.text)
    above = (*_known(includers), *_included(source, includers, included))
    found = _opened(clean, above, every=True, held=held)
    file = _File(source, clean, _outside(clean, includers), every=True, held=held)
    read = (_function(file, one) for one in found.opened)
    odd = [
        NotUnderstood(source.line(place.at), place.name, why_odd(one))
        for one in found.opened
        for place in one.odd
    ]
    root = parse(source.text)
    return Reading(
        source=source,
        functions=tuple(function for function in read if function is not None),
        names=_names(clean),
        candidates=classes(source, clean, found),
        not_understood=tuple(sorted(odd, key=lambda one: one.line)),
        broken=_broken(root),
    )


def read_clusters(source: Source) -> Reading:
    """Return the same without what a scan does not ask for.

    There are only the functions that hold a cluster or a window, without their locals; whether
    the C of the others parses is not looked at.
    """
    clean = cleaned(source.text)
    found = _opened(clean, (), every=False)
    worth = [one for one in found.opened if one.text.regions or any(g.shares for g in one.groups)]
    outside = _outside(clean, ()) if worth else ()
    file = _File(source, clean, outside, every=False)
    read = (_function(file, one) for one in worth)
    functions = tuple(function for function in read if function is not None)
    return Reading(source, functions, (), classes(source, clean, found), (), ())


def _known(files: tuple[Source, ...]) -> tuple[Macro, ...]:
    return tuple(macro for file in files for macro in wrappers(cleaned(file.text)))


def _included(
    source: Source, includers: tuple[Source, ...], included: tuple[Source, ...]
) -> Iterator[Macro]:
    # What is included further up; in force from there on.
    whole = includers[0] if includers else source
    here = included_at(whole, source.path.name) if includers else None
    for file in included:
        at = included_at(whole, file.path.name)
        if at is not None and (here is None or at < here):
            start = at if here is None else 0
            yield from (replace(macro, start=start) for macro in _known((file,)))


def _opened(
    clean: bytes, above: tuple[Macro, ...], every: bool, held: tuple[Held, ...] = ()
) -> Functions:
    offsets = sorted((*(at for at, _ in calls(clean)), *begins(clean)))
    directives = {at: directive_at(clean, at) for at in offsets}
    defining = sorted({start for start in directives.values() if start is not None})
    macros = [*above]
    macros += [macro for start in defining if (macro := wrapper_at(clean, start)) is not None]
    called = tuple(at for at in offsets if directives[at] is None)
    return open_functions(clean, called, tuple(macros), every, held)


def _function(file: _File, one: Opened) -> Function | None:
    source, clean = file.source, file.clean
    whole = Span(one.piece.header.start, one.piece.body.end)
    scope = _scope(clean, one, file.outside)
    held = tuple(window for window in file.held if whole.covers(window.span))
    clusters: list[Cluster] = []
    for number, part in enumerate(one.parts):
        root = part.root
        end = end_before_return(root)
        shapes = Shapes(source, root, scope, one.wrappers, zeroed(root), end, held)
        made = (shapes.cluster(group) for group in part.groups)
        clusters += [cluster for cluster in made if cluster is not None]
        if not number:
            clusters += shapes.windows(one.text.regions)
    if not clusters and not one.odd:
        return None
    root = one.parts[0].root
    return Function(
        source=source,
        name=one.piece.name,
        span=whole,
        body=one.piece.body,
        noinline=_noinline(source, one.piece),
        clusters=_paired(tuple(sorted(clusters, key=lambda cluster: cluster.extent))),
        pointers=_pointers(source.quote(whole)),
        names=_identifiers(clean, whole),
        locals=struct_locals(root) if file.every else (),
        callers=callers(clean, one.piece) if clusters else (),
        held=held,
        ending=ending(root),
        entries=entries(source, root),
    )


def _paired(clusters: tuple[Cluster, ...]) -> tuple[Cluster, ...]:
    # Reads and writes of one object are two halves of one thing.
    starts: dict[tuple[Direction, str | None], list[int]] = {}
    for one in clusters:
        for base in _bases(one) if one.shares else ():
            starts.setdefault((one.direction, base), []).append(one.start)

    def partner(one: Cluster) -> int | None:
        other = Direction.WRITE if one.direction is Direction.READ else Direction.READ
        found = (starts.get((other, base), ()) for base in _bases(one))
        near = (at for every in found for at in _nearest(every, one.start))
        return min(near, key=lambda at: abs(at - one.start), default=None)

    return tuple(replace(cluster, pair=partner(cluster)) for cluster in clusters)


def _bases(cluster: Cluster) -> set[str | None]:
    return {access.base for access in cluster.accesses} - {None}


def _nearest(ordered: Sequence[int], at: int) -> Sequence[int]:
    place = bisect_left(ordered, at)
    return ordered[max(place - 1, 0) : place + 1]


def _scope(clean: bytes, one: Opened, outside: tuple[str, ...]) -> Scope:
    header, body = one.piece.header, one.piece.body
    if clean.find(b"volatile", header.start, body.end) < 0:
        return Scope((*scope_of(None).names, *outside), outside)
    scope = scope_of(one.parts[0].root, outside)
    parameters = _VOLATILE_PARAMETER.finditer(clean, header.start, header.end)
    named = tuple(found[1].decode() for found in parameters)
    return Scope((*scope.names, *named), scope.members)


def _outside(clean: bytes, includers: tuple[Source, ...]) -> tuple[str, ...]:
    # Macros that call, and what the file declares volatile outside of its functions.
    texts = (*(cleaned(file.text) for file in includers), clean)
    return (*(name for text in texts for name in calling(text)), *_volatile_outside(clean))


def _volatile_outside(clean: bytes) -> tuple[str, ...]:
    # Members of structs, and variables of the file.
    if b"volatile" not in clean:
        return ()
    rest = _BODIES.sub(b" ", clean)
    declared = b" ".join(found[1] for found in _VOLATILE.finditer(rest))
    return tuple(name.decode() for name in _DECLARED.findall(declared))


def _identifiers(clean: bytes, span: Span) -> tuple[str, ...]:
    found = set(_NAME.findall(clean, span.start, span.end))
    return tuple(sorted(name.decode() for name in found))


def _names(clean: bytes) -> tuple[str, ...]:
    found = (piece_at(clean, match.end()) for match in _BODY.finditer(clean))
    return tuple(piece.name for piece in found if piece is not None)


def _pointers(function: str) -> tuple[tuple[str, str], ...]:
    head, brace, body = function.partition("{")
    if _SYSCALL.match(head):  # there a comma stands between a type and its name
        head = re.sub(r"\*\s*,", "*", head)
    found = _STRUCT_POINTER.findall(head + brace + body)
    return tuple((n, tag) for tag, name, more in found for n in (name, *_NAMED.findall(more)))


def _noinline(source: Source, piece: Piece) -> int | None:
    head = source.quote(piece.header)
    if re.search(r"\b_*(?:always_)?inline|#", head) or _SYSCALL.match(head):
        return None
    found = _TYPE.match(head)
    return piece.header.start + found.end() if found is not None else None


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
