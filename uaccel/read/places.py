# SPDX-License-Identifier: GPL-2.0-only
"""Find, by the text alone, what a function calls: accessors, their wrappers, and the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from uaccel.model.source import Held, Span
from uaccel.read.accesses import direction_of
from uaccel.read.calls import CALL, is_pure
from uaccel.read.csource import closing
from uaccel.read.macros import Macro
from uaccel.read.pieces import directive_at
from uaccel.read.ways import Place

_SIZEOF = rb"(?:sizeof|offsetof\w*+)\s*+(?:\((?:[^()]++|\([^()]*+\))*+\)|\w++)"
# ETH_ALEN, IFNAMSIZ, TASK_COMM_LEN; PAGE_SIZE, PATH_MAX and their like are no handful of fields.
_NAMED = rb"\b(?!\w*(?:PAGE|PATH|MAX|BUF|BLOCK|SECTOR|CHUNK|SZ_))_*+[A-Z][A-Z0-9_]*+\b"
_CONSTANT = re.compile(
    rb"(?:\s++|" + _SIZEOF + rb"|" + _NAMED + rb"|\d[0-9a-fA-FxXuUlL]*+|[-+*()])++"
)
_NUMBER = re.compile(rb"\b(?:0[xX][0-9a-fA-F]{1,16}|0|[1-9]\d{0,16})(?=[uUlL]*\b)")
_SIZE = 400  # bytes of text: no size is written longer
_SMALL = 64  # bytes: a copy of more is no handful of fields
_BEGIN = re.compile(rb"\b(?:masked_)?user_(?:read_|write_|rw_)?access_begin\s*\(")
_END = re.compile(rb"\buser_(?:read_|write_|rw_)?access_(?:end|restore)\s*\(")
_SCOPED = re.compile(rb"\bscoped_user_(?:read|write|rw)_access(?:_size)?\s*(?=\()")


@dataclass(frozen=True, slots=True)
class Region:
    """A window that stands in a body: from its first begin to its last end."""

    span: Span
    held: Span  # to its first end: what stands behind that is in it only by its accessor's name
    begin: str  # "user_write_access_begin", "scoped_user_rw_access", ...
    masked: bool


def begins(clean: bytes) -> tuple[int, ...]:
    """Return the offsets where `clean` opens a window, or defines what does."""
    found: list[re.Match[bytes]] = []
    if b"_access_begin" in clean:
        found += _BEGIN.finditer(clean)
    if b"scoped_user_" in clean:
        found += _SCOPED.finditer(clean)
    return tuple(match.start() for match in found)


@dataclass(frozen=True, slots=True)
class Text:
    """What the text of a body names."""

    places: tuple[Place, ...]
    foreign: tuple[int, ...]  # offsets of calls that no window may hold
    regions: tuple[Region, ...]
    held: tuple[Held, ...] = ()  # windows that were unmade


def calls_of(
    clean: bytes, body: Span, wrappers: Mapping[str, Macro], held: tuple[Held, ...] = ()
) -> Text:
    """Return the calls and windows of a `body`; `clean` has no comments and empty strings.

    What stood in a window that the tree has may stand in one again, a call too.
    """
    places: list[Place] = []
    foreign: list[int] = []
    defines = clean.find(b"#", body.start, body.end) >= 0
    for match in CALL.finditer(clean, body.start, body.end):
        if defines and directive_at(clean, match.start()) is not None:
            continue
        name = (match[1] or b"").decode()
        # A member may be called like an accessor; what it does nobody knows.
        member = clean[match.start() - 1 : match.start()] in (b".", b">")
        direction = None if member else direction_of(name)
        if direction is not None:
            end = closing(clean, match.end() - 1)
            vouched = any(one.open.start <= match.start() < one.open.end for one in held)
            joins = vouched or _joins(name, clean[match.end() : end])
            index, at = len(places), match.start()
            tail = "copy_to" in name and not _joins(name, clean[match.end() : end])
            places.append(Place(index, at, name, direction, joins, 1, end + 1, tail=tail))
            if not joins:
                foreign.append(match.start())
        elif name in wrappers and not member:
            macro = wrappers[name]
            joins, helper = macro.joins, macro.kind == "function"
            end = closing(clean, match.end() - 1) + 1
            at, way = match.start(), macro.direction
            place = Place(
                len(places), at, name, way, joins, macro.longest, end, helper, macro.looped
            )
            places.append(place)
            if not joins:
                foreign.append(match.start())
        elif (member or not is_pure(name)) and not any(
            one.open.start <= match.start() < one.open.end for one in held
        ):
            foreign.append(match.start())
    return Text(tuple(places), tuple(foreign), _regions(clean, body), held)


def lone(clean: bytes, body: Span, at: int) -> Text | None:
    """Return what the text of a `body` names whose only accessor stands at `at`.

    None when that takes a closer look: a window stands there, or nothing else is called, so that
    the function may be one that others use as a wrapper.
    """
    named = CALL.match(clean, at)
    name = (named[1] or b"").decode() if named is not None else ""
    direction = direction_of(name)
    if direction is None or name.startswith("unsafe_"):
        return None
    if clean[at - 1 : at] in (b".", b">") or clean.find(b"_access", body.start, body.end) >= 0:
        return None
    for match in CALL.finditer(clean, body.start, body.end):
        if match[1] is None or not (match.start() == at or is_pure(match[1].decode())):
            return Text((Place(0, at, name, direction, False, 1, at),), (match.start(),), ())
    return None


def _joins(name: str, arguments: bytes) -> bool:
    if "copy" not in name:
        return "clear" not in name
    size = arguments[_last_comma(arguments) + 1 :]
    if any(int(number, 0) > _SMALL for number in _NUMBER.findall(size)):
        return False
    return b"," in arguments and len(size) < _SIZE and _CONSTANT.fullmatch(size) is not None


def _last_comma(arguments: bytes) -> int:
    depth = 0
    last = -1
    for found in re.finditer(rb"[(),]", arguments):
        depth += (found[0] == b"(") - (found[0] == b")")
        if found[0] == b"," and depth == 0:
            last = found.start()
    return last


def _regions(clean: bytes, body: Span) -> tuple[Region, ...]:
    if clean.find(b"_access", body.start, body.end) < 0:
        return ()
    found = [_scope(clean, match) for match in _SCOPED.finditer(clean, body.start, body.end)]
    begins = list(_BEGIN.finditer(clean, body.start, body.end))
    for number, begin in enumerate(begins):
        last = begins[number + 1].start() if number + 1 < len(begins) else body.end
        ends = [end.end() for end in _END.finditer(clean, begin.end(), last)]
        name = begin[0].rstrip(b"( \t\n").decode()
        at = Span(begin.start(), max(ends, default=last))
        held = Span(begin.start(), min(ends, default=last))
        found.append(Region(at, held, name, name.startswith("masked")))
    return _joined(sorted(found, key=lambda region: region.span))


def _joined(regions: list[Region]) -> tuple[Region, ...]:
    # `if (masked) p = masked_user_access_begin(p); else if (!user_access_begin(...))`: one window
    joined: list[Region] = []
    for region in regions:
        before = joined[-1] if joined else None
        if before is not None and before.masked and before.span.end == region.span.start:
            span = Span(before.span.start, region.span.end)
            held = Span(before.span.start, region.held.end)
            joined[-1] = Region(span, held, region.begin, masked=True)
            continue
        joined.append(region)
    return tuple(joined)


def _scope(clean: bytes, begin: re.Match[bytes]) -> Region:
    end = closing(clean, begin.end()) + 1
    rest = clean[end : end + 200]
    at = end + len(rest) - len(rest.lstrip())
    if clean[at : at + 1] == b"{":
        depth = 0
        for brace in re.compile(rb"[{}]").finditer(clean, at):
            depth += 1 if brace[0] == b"{" else -1
            if depth == 0:
                at = brace.end()
                break
    else:
        at = clean.find(b";", at) + 1 or len(clean)
    span = Span(begin.start(), at)
    return Region(span, span, begin[0].strip().decode(), masked=False)
