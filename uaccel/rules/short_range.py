# SPDX-License-Identifier: GPL-2.0-only
"""The range of a begin covers every byte that is accessed in its window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from uaccel.extents import bytes_of, element, reached_by
from uaccel.model.flowgraph import (
    Begin,
    Finding,
    Level,
    Opening,
    Place,
    Pointer,
    State,
    Touch,
)
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached
from uaccel.tracking import origin

_SIZEOF = re.compile(r"(?:sizeof|[oO]ffsetof(?:end)?)\([^()]*\)")
_FIXED = re.compile(r"sizeof\([^()]*\)|[oO]ffsetof(?:end)?\([\w ,.]*\)|[\d+* ]")
_VARIABLE = re.compile(r"\b[A-Za-z_]*[a-z][A-Za-z0-9_]*\b")
_INDEX = re.compile(r"\[([^\]]*)\]")


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each access that goes beyond the range its window's begin has checked."""
    for _, touch, step, states in reached(unit, Touch):
        seen: dict[tuple[Begin, Place], bool] = {}
        for state in states:
            opened = innermost(unit, state)
            if opened is not None and opened[0].opening in (Opening.CHECKED, Opening.SCOPED):
                seen[opened] = seen.get(opened, True) and _is_inside(touch, state)
        for (begin, place), inside in seen.items():
            why = _beyond(unit, _seen_from(unit, touch, begin, states), touch) if inside else ""
            why = why or (_gone_on(unit, begin, touch, states) if inside else "")
            if why:
                told = f"{touch.name}() {why}, but {begin.name}() on line {place.line} checked"
                size = begin.size.replace("Offsetof(", "offsetof(")
                yield Finding(step.place, Level.WARNING, f"{told} only `{size}` bytes")
                break


def _is_inside(touch: Touch, state: State) -> bool:
    here = origin(state, touch.pointer)
    if here in state.checked:  # by an access_ok() of its own
        return False
    return any(here == one or here.startswith(f"{one}->") for one in state.open[-1].roots)


def _seen_from(unit: Unit, touch: Touch, begin: Begin, states: tuple[State, ...]) -> Begin:
    # A helper knows the pointer of its caller's begin under a name of its own.
    graph = unit.walked.graph
    start, name = begin.pointer, touch.pointer.base
    tag = dict(graph.structs).get(name, "")
    told = re.search(r"ffsetof\(" + tag + r",|\bstruct " + tag + r"\b", begin.size)
    if start is None or start.path or not tag or not told or name not in graph.parameters:
        return begin
    roots = {root for one in states if one.open for root in one.open[-1].roots}
    if not all(one.called for one in states) or {origin(s, touch.pointer) for s in states} != roots:
        return begin
    return replace(begin, pointer=replace(start, text=name, base=name))


def _gone_on(unit: Unit, begin: Begin, touch: Touch, states: tuple[State, ...]) -> str:
    # to++ in a loop, where the range is that of one element.
    start = begin.pointer
    one = start is not None and (begin.size == f"sizeof(*{start.text})" or _is_one(unit, begin))
    moved = any(touch.pointer.base in state.moved for state in states)
    same = start is not None and touch.pointer.base == start.base
    return f"goes to what `{touch.pointer.base}` has gone on to" if one and moved and same else ""


def _is_one(unit: Unit, begin: Begin) -> bool:
    # Whether the range is that of one of what the pointer leads to.
    graph, base = unit.walked.graph, begin.pointer.base if begin.pointer is not None else ""
    sizes = [(element(o, graph, base), bytes_of(o, graph, begin.size)) for o in unit.layouts]
    return bool(sizes) and all(one is not None and one == size for one, size in sizes)


def _beyond(unit: Unit, begin: Begin, touch: Touch) -> str:
    start = begin.pointer
    if start is None:
        return ""
    whole = begin.size in (f"sizeof(*{start.text})", f"sizeof(*({start.text}))")
    varies = touch.size and _VARIABLE.search(_SIZEOF.sub("", touch.size))
    if varies and not _FIXED.sub("", begin.size):
        return f"moves `{touch.size}` bytes"
    target = _as_member(touch.pointer, start.base)
    if target is None or varies:
        return ""
    if whole and not start.path and _INDEX.match(target.path) is None and target.plain:
        target = target if touch.size else None
    if target is None:
        return ""
    ends = [_end(unit, number, begin, replace(touch, pointer=target)) for number in _known(unit)]
    if not ends or None in ends:
        return (
            ""
            if _VARIABLE.search(_SIZEOF.sub("", begin.size))
            else _index(target, whole and not start.path)
        )
    beyond = [one for one in ends if one is not None and (one[1] > one[2] or one[0] < 0)]
    if len(beyond) < len(ends):
        return ""
    first, end, _ = beyond[0]
    return f"begins {-first} bytes before the range" if first < 0 else f"ends at byte {end}"


def _index(target: Pointer, whole: bool) -> str:
    index = _INDEX.match(target.path)
    if not whole or index is None or "*)" in target.text:  # of another type, by a cast
        return ""
    return "" if index[1] == "0" else f"goes to element `{index[1]}`"


def _known(unit: Unit) -> range:
    return range(len(unit.layouts))


def _as_member(pointer: Pointer, base: str) -> Pointer | None:
    # `p->field` without & is an array in what `p` points to: no other pointer lies in the range.
    if pointer.base == base:
        return pointer
    if pointer.base.startswith(f"{base}->") and pointer.plain:
        path = pointer.base.removeprefix(f"{base}->")
        return replace(pointer, base=base, path=path + pointer.path)
    return None


def _end(unit: Unit, number: int, begin: Begin, touch: Touch) -> tuple[int, int, int] | None:
    # Where the access begins and ends, in bytes from the begin's pointer, and the range's size.
    graph, layouts = unit.walked.graph, unit.layouts[number]
    start = begin.pointer
    first = reached_by(layouts, graph, start) if start is not None else None
    place = reached_by(layouts, graph, touch.pointer)
    known = bytes_of(layouts, graph, begin.size)
    if first is None or place is None or known is None:
        return None
    size = bytes_of(layouts, graph, touch.size) if touch.size else place[1]
    if size is None:
        return None
    return place[0] - first[0], place[0] - first[0] + size, known


RULE = Rule(summary="the range of a begin covers what is accessed", ask=ask)
