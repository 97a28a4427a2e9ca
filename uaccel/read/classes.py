# SPDX-License-Identifier: GPL-2.0-only
"""Class every candidate line of a file: nothing is dropped, and nothing counted twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.candidates import candidates
from uaccel.model.source import Candidate, Kind, Source
from uaccel.read.functions import Functions, Opened
from uaccel.read.pieces import declares, directive_at
from uaccel.read.ways import Group

BROKEN = "the statement around the access could not be parsed"
DEEP = "the access stands in blocks that are nested too deeply"
NO_FUNCTION = "no function that could be parsed holds this access"
IN_DIRECTIVE = "the access stands in a preprocessor line that defines nothing"

# What a line is when it holds several: the first of these.
_ORDER = (
    *(Kind.NOT_UNDERSTOOD, Kind.CLUSTER, Kind.WINDOW, Kind.SINGLE, Kind.MACRO, Kind.OTHER),
    Kind.COMMENT,
)
_DEFINE = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(\w+)")


def classes(source: Source, clean: bytes, found: Functions) -> tuple[Candidate, ...]:
    """Return the candidate lines of a file with the class of each, in the order of the lines.

    `clean` is its text without comments, `found` what its accesses stand in.
    """
    kinds = dict(_kinds(found))
    lines: dict[int, Candidate] = {}
    line, counted = 1, 0
    for at, name in candidates(source.text):
        kind, why = kinds.get(at) or _outside_kind(clean, at, name)
        line, counted = line + source.text.count(b"\n", counted, at), at
        column = at - source.text.rfind(b"\n", 0, at)
        before = lines.get(line)
        if before is None or _ORDER.index(kind) < _ORDER.index(before.kind):
            lines[line] = Candidate(line, column, name, kind, why)
    return tuple(lines.values())


def _kinds(found: Functions) -> Iterator[tuple[int, tuple[Kind, str]]]:
    shared = {site.place.name for group in _sharing(found) for site in group.sites}
    for one in found.opened:
        helps = one.piece.name in shared  # what it accesses is part of its caller's cluster
        for place in one.text.places:
            yield place.at, (Kind.WINDOW, "")  # those of no group stand in a window
        if one.alone is not None:
            yield one.alone.at, (Kind.SINGLE, "")
        for group in one.groups:
            kind = Kind.CLUSTER if helps or group.shares else Kind.SINGLE
            yield from ((site.place.at, (kind, "")) for site in group.sites)
        yield from ((place.at, (Kind.NOT_UNDERSTOOD, why_odd(one))) for place in one.odd)


def why_odd(one: Opened) -> str:
    """Return why accesses of a function could not be placed."""
    return DEEP if one.deep else BROKEN


def _sharing(found: Functions) -> Iterator[Group]:
    return (group for one in found.opened for group in one.groups if group.shares)


def _outside_kind(clean: bytes, at: int, name: str) -> tuple[Kind, str]:
    if not clean.startswith(name.encode(), at):
        return Kind.COMMENT, ""
    start = directive_at(clean, at)
    if start is not None:
        defined = _DEFINE.match(clean, start)
        if defined is None:
            return Kind.NOT_UNDERSTOOD, IN_DIRECTIVE
        return (Kind.OTHER if defined.start(1) == at else Kind.MACRO), ""
    member = clean[at - 1 : at] in (b".", b">")  # of a struct: x->copy_to_user(...)
    if member or declares(clean, at):
        return Kind.OTHER, ""
    return Kind.NOT_UNDERSTOOD, NO_FUNCTION
