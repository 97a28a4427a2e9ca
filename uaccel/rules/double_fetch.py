# SPDX-License-Identifier: GPL-2.0-only
"""What was read and checked before is not read again in the window."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.model.access import Direction
from uaccel.model.flowgraph import Finding, Level, Ordinary, Place, State, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached
from uaccel.tracking import place_of

_ELEMENT = re.compile(r"\[[^\]]*[A-Za-z_]")


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each read in a window of what was read before, where that value was tested."""
    for number, touch, step, states in reached(unit, Touch):
        if touch.way is not Direction.READ:
            continue
        found = (
            one for state in states if state.open for one in _before(unit, number, touch, state)
        )
        first = next(found, None)
        if first is not None:
            told = f"`{_place(touch)}` was read on line {first.line} and checked: the user may"
            yield Finding(step.place, Level.WARNING, f"{told} have changed it before this reads it")


def _place(touch: Touch) -> str:
    text = touch.pointer.text
    return text.removeprefix("&") if text.startswith("&") else f"*{text}"


def _before(unit: Unit, number: int, touch: Touch, state: State) -> Iterator[Place]:
    steps = unit.walked.graph.steps
    here = place_of(state, touch.pointer)
    if any(at == number for _, _, at in state.fetched):  # another pass of a loop
        return
    for root, path, at in state.fetched:
        does = steps[at].does
        known = at in state.tested and isinstance(does, Touch | Ordinary)
        if not known or root != here or at == number or not touch.pointer.plain:
            continue
        # `p->field[i]` is another one each time, and a copy may be of a part.
        whole = path == "" and _is_whole(does) and not touch.pointer.path.startswith("[")
        if (whole or path == touch.pointer.path) and not _ELEMENT.search(path):
            yield steps[at].place


def _is_whole(does: object) -> bool:
    size = getattr(does, "size", "")
    return size.startswith("sizeof(") and "*sizeof" not in size


RULE = Rule(summary="what was checked is not read again in the window", ask=ask)
