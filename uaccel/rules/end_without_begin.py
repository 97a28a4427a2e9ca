# SPDX-License-Identifier: GPL-2.0-only
"""No path reaches an end without an open window: not after a failed begin, not twice."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Doubt, End, Finding, Level, State, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import is_helper, misread, perhaps_opened, reached


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each end that some path reaches with nothing open."""
    wrong = misread(unit)
    for _, end, step, states in reached(unit, End):
        shut = [s for s in states if not s.open and not (s.failed and s.failed[-1] in wrong)]
        if end.scope is not None or not shut:
            continue
        if is_helper(unit) and not any(state.called for state in shut):
            yield Doubt(step.place, "it closes the window of a caller, and no caller was read")
            continue
        if any(perhaps_opened(unit, number) for number, *_ in reached(unit, Touch)):
            yield Doubt(step.place, "a function that was not read may have opened the window")
            continue
        yield Finding(step.place, Level.ERROR, f"{end.name}() is reached {_why(unit, shut)}")


def _why(unit: Unit, shut: list[State]) -> str:
    steps = unit.walked.graph.steps
    failed = next((state.failed[-1] for state in shut if state.failed), None)
    if failed is not None and not any(state.closed for state in shut):
        return f"although the begin on line {steps[failed].place.line} failed: nothing is open"
    closed = next((state.closed[-1] for state in shut if state.closed), None)
    if closed is None:
        return "with no window open"
    if closed < 0:
        return "although a function that was called has closed the window already"
    return f"although the window was closed on line {steps[closed].place.line} already"


RULE = Rule(summary="no path reaches an end with no window open", ask=ask)
