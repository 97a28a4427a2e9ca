# SPDX-License-Identifier: GPL-2.0-only
"""What was read and checked before is not read again in the window."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.model.access import Direction
from uaccel.model.flowgraph import Finding, Level, Ordinary, Place, Pointer, State, Test, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached
from uaccel.walking import origin

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
            told = f"{touch.pointer.text} was read on line {first.line} and checked: the user may"
            yield Finding(step.place, Level.WARNING, f"{told} have changed it before this reads it")


def _before(unit: Unit, number: int, touch: Touch, state: State) -> Iterator[Place]:
    steps = unit.walked.graph.steps
    here = origin(state, touch.pointer)
    for root, path, at in state.fetched:
        does = steps[at].does
        again = root == here and at != number and touch.pointer.plain
        again = again and not _ELEMENT.search(path)  # `p->field[i]` is another one each time
        whole = path == "" and not touch.pointer.path.startswith("[")
        if (
            again
            and (whole or path == touch.pointer.path)
            and isinstance(does, Touch | Ordinary)
            and does.kernel is not None
        ):
            if _is_tested(unit, does.kernel):
                yield steps[at].place


def _is_tested(unit: Unit, kept: Pointer) -> bool:
    tests = (s.does for s in unit.walked.graph.steps if isinstance(s.does, Test))
    return any(kept.base in one.names or kept.text in one.text for one in tests) and not kept.path


RULE = Rule(summary="what was checked is not read again in the window", ask=ask)
