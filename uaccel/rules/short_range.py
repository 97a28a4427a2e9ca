# SPDX-License-Identifier: GPL-2.0-only
"""The range of a begin covers every byte that is accessed in its window."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.extents import bytes_of, placed
from uaccel.model.flowgraph import Begin, Doubt, Finding, Level, Opening, Place, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached
from uaccel.walking import origin

_INDEX = re.compile(r"\[([^\]]*)\]")
_AHEAD = re.compile(r"\(*[\w>.-]+?\)*\+\(?([1-9]\w*)\)?")
_SIZEOF = re.compile(r"sizeof\([^()]*\)")
_VARIABLE = re.compile(r"\b[A-Za-z_]*[a-z][A-Za-z0-9_]*\b")


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each access that goes beyond the range its window's begin has checked."""
    for _, touch, step, states in reached(unit, Touch):
        seen: dict[tuple[Begin, Place], bool] = {}
        for state in states:
            opened = innermost(unit, state)
            if opened is not None and opened[0].opening in (Opening.CHECKED, Opening.SCOPED):
                inside = origin(state, touch.pointer) in state.open[-1].roots
                seen[opened] = seen.get(opened, True) and inside
        for (begin, place), inside in seen.items():
            why = _beyond(unit, begin, touch) if inside else ""
            if why:
                told = f"{touch.name}() {why} {begin.name}() on line {place.line} checked"
                yield Finding(step.place, Level.WARNING, f"{told} only {begin.size} bytes")
                break


def _beyond(unit: Unit, begin: Begin, touch: Touch) -> str:
    start = begin.pointer
    if start is None:
        return ""
    same = touch.pointer.base == start.base
    whole = begin.size in (f"sizeof(*{start.text})", f"sizeof(*({start.text}))")
    if whole and touch.size and _VARIABLE.search(_SIZEOF.sub("", touch.size)):
        return f"moves {touch.size} bytes, but"
    if whole and same and not start.path:
        return _element(touch)
    if not same or not touch.pointer.plain or not start.plain or not unit.layouts:
        return ""
    ends = [_end(unit, number, begin, touch) for number in range(len(unit.layouts))]
    if any(end is None for end in ends) or not all(end and end[0] > end[1] for end in ends):
        return ""
    end = ends[0]
    return f"ends at byte {end[0]}, but" if end is not None else ""


def _element(touch: Touch) -> str:
    index = _INDEX.match(touch.pointer.path)
    ahead = _AHEAD.fullmatch(touch.pointer.text) if not touch.pointer.plain else None
    at = index[1] if index is not None else ahead[1] if ahead is not None else "0"
    return f"goes to element {at}, but" if at != "0" else ""


def _end(unit: Unit, number: int, begin: Begin, touch: Touch) -> tuple[int, int] | None:
    # Where the access ends and where the range does, in bytes from the begin's pointer.
    graph, layouts = unit.walked.graph, unit.layouts[number]
    tag = dict(graph.structs).get(touch.pointer.base)
    start = begin.pointer
    if tag is None or start is None:
        return None
    first, place = placed(layouts, tag, start.path), placed(layouts, tag, touch.pointer.path)
    known = bytes_of(layouts, graph, begin.size)
    if first is None or place is None or known is None:
        return None
    size = bytes_of(layouts, graph, touch.size) if touch.size else place[1]
    if size is None or (place[2] in ("array", "element", "struct") and not touch.size):
        size = 1
    return place[0] + size - first[0], known


RULE = Rule(summary="the range of a begin covers what is accessed", ask=ask)
