# SPDX-License-Identifier: GPL-2.0-only
"""The first access of a masked window is near the pointer that was masked."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.extents import reached_by
from uaccel.model.flowgraph import Begin, Doubt, Finding, Level, Opening, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached

_PAGE = 4096  # bytes: only what is known to be mapped by nobody stands behind a masked pointer


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each first access of a masked window that is a page or more behind its start."""
    for number, begin, step, _ in reached(unit, Begin):
        if begin.opening is not Opening.MASKED or begin.pointer is None:
            continue
        for first in _first(unit, number):
            touch = unit.walked.graph.steps[first].does
            where = _offset(unit, touch) if isinstance(touch, Touch) else 0
            place = unit.walked.graph.steps[first].place
            base = touch.pointer.base if isinstance(touch, Touch) else ""
            if where is None or any(base in state.moved for state in unit.walked.states[first]):
                yield Doubt(place, "how far it is from the masked pointer is not known")
            elif where >= _PAGE:
                told = f"the first access behind {begin.name}() on line {step.place.line} is"
                yield Finding(place, Level.WARNING, f"{told} {where} bytes from the masked pointer")


def _first(unit: Unit, begin: int) -> Iterator[int]:
    # The accesses that some path reaches before any other.
    steps = unit.walked.graph.steps
    seen: set[int] = set()
    pending = list(steps[begin].next)
    while pending:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        if isinstance(steps[at].does, Touch):
            yield at
        else:
            pending += steps[at].next


def _offset(unit: Unit, touch: Touch) -> int | None:
    place = touch.pointer
    if place.plain and (not place.path or place.path == "[0]"):
        return 0
    found = [reached_by(one, unit.walked.graph, place) for one in unit.layouts]
    offsets = [one[0] for one in found if one is not None]
    return min(offsets) if offsets and len(offsets) == len(found) else None


RULE = Rule(summary="the first access behind a masked begin is near its pointer", ask=ask)
