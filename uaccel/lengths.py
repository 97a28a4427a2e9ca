# SPDX-License-Identifier: GPL-2.0-only
"""Look after the copies whose length is only known when they are made.

`copy_to_user()` looks at the kernel's side of them by check_object_size() (thread_info.h, later
ucopysize.h, in include/linux/), an unsafe copy does not; within a window it must not be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from uaccel.ctext import call, one_line, wrap
from uaccel.model.access import Access, Direction, Span
from uaccel.model.source import Function, Layouts, Member
from uaccel.model.steps import Piece, Step, Stretch

_SHORT = 8  # bytes of an array at the end of a struct that may mean any number of them
SOMETIMES = "a copy of variable length is made on some paths only, and must be checked before"
CHANGING = "how long a copy is, or where it starts, is only known among the accesses"
_FIXED = re.compile(r"\b(?:sizeof|offsetof\w*)\s*(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\w+)")
_NAMED = re.compile(r"\b[A-Za-z_]*[a-z]\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")


def varies(function: Function, access: Access) -> bool:
    """Return whether an access is a copy whose length is no constant of the compiler's."""
    if access.size is None:
        return False
    return _NAMED.search(_FIXED.sub("", function.source.quote(access.size))) is not None


def reason_against(function: Function, stretch: Stretch) -> str | None:
    """Return why a copy cannot be checked before a window over `stretch`, None when it can be."""
    for step in stretch.steps:
        for piece in step.pieces:
            why = _against(function, stretch, step, piece)
            if why is not None:
                return why
    return None


def _against(function: Function, stretch: Stretch, step: Step, piece: Piece) -> str | None:
    access = piece.access
    if access is None or access.size is None or not varies(function, access):
        return None
    if not step.always or step.looped or step.guarded or _is_parted(stretch, access):
        return SOMETIMES
    quote = function.source.quote
    words = " ".join((quote(access.value), quote(access.size), piece.test))
    changed = stretch.changed_before(access.call.start)
    if piece.value or set(_WORD.findall(words)) & changed or _is_assigned(words, changed):
        return CHANGING
    return None


def _is_parted(stretch: Stretch, access: Access) -> bool:
    # Whether something else than a fault leads around the copy.
    at = access.call.start
    if any(leave.at < at for leave in stretch.leaves):
        return True
    for step in stretch.steps:
        for piece in step.pieces:
            if piece.access == access:
                return False
            if piece.access is None:
                return True
    return False


def _is_assigned(text: str, changed: frozenset[str]) -> bool:
    plain = "".join(text.split())
    return any(place in plain for place in changed if "->" in place or "*" in place)


def checks(function: Function, stretch: Stretch) -> list[str]:
    """Return the lines that check the kernel's side of such copies, to stand before the window."""
    copies = [
        (piece, piece.access)
        for step in stretch.steps
        for piece in step.pieces
        if piece.access is not None and varies(function, piece.access)
    ]
    if not copies:
        return []
    lines = []
    above = one_line(function.source.quote(Span(function.body.start, stretch.extent.start)))
    for piece, access in copies:
        made = _check(function, access)
        if not piece.test and above.endswith(one_line(call("", *made))):
            continue
        inner = f"{stretch.indent}\t" if piece.test else stretch.indent
        if piece.test:
            tests = tuple(line.strip() for line in piece.test.split("\n"))
            lines.append(wrap(f"{stretch.indent}if (", tests, ")"))
        lines.append(call(inner, *made))
    return lines


def _check(function: Function, access: Access) -> tuple[str, tuple[str, ...]]:
    quote = function.source.quote
    to_user = "true" if access.direction is Direction.WRITE else "false"
    return "check_object_size", (quote(access.value), quote(access.length), to_user)


def is_inside(layouts: tuple[Layouts, ...], tag: str, path: str) -> bool:
    """Return whether the member at `path` of struct `tag` lies in it, as all `layouts` know.

    An array without a length of its own lies behind its struct; one of a word or less at the end
    may be meant so too (Documentation/process/deprecated.rst, "Zero-length and one-element
    arrays").
    """
    found = tuple(_place(known, tag, path) for known in layouts)
    return bool(found) and all(_is_room(one) for one in found)


def _is_room(place: tuple[int, int, int] | None) -> bool:
    # (offset, bytes, bytes of the struct)
    if place is None or not place[1]:
        return False
    at, size, whole = place
    return size > _SHORT or at + size < whole


def _place(known: Layouts, tag: str, path: str) -> tuple[int, int, int] | None:
    layout = known.find(tag)
    members, at, size = layout.members if layout else (), 0, 0
    for name in path.split("."):
        member = next((one for one in _named(members) if one.name == name), None)
        if member is None:
            return None
        members, at, size = member.members, at + member.offset, member.size
    return at, size, layout.size if layout else 0


def _named(members: tuple[Member, ...]) -> Iterator[Member]:
    # Those of a struct or union without a name are the outer one's.
    for one in members:
        if one.name:
            yield one
        else:
            inner = _named(one.members)
            yield from (replace(two, offset=one.offset + two.offset) for two in inner)
