# SPDX-License-Identifier: GPL-2.0-only
"""An accessor that checks nothing stands in a window that did."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Call, Doubt, Finding, Level, Opening, State, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, is_helper, misread, perhaps_opened, reached
from uaccel.tracking import origin


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each access that some path makes with no window open, or with no range checked."""
    wrong = misread(unit)
    needy = unit.needy
    served = unit.walked.graph.function in needy
    for number, touch, step, states in reached(unit, Touch):
        shut = [one for one in _shut(states, wrong) if not (one.called and served)]
        if shut and is_helper(unit):
            yield Doubt(step.place, f"{touch.name}() needs a caller's window; no caller was read")
        elif shut and (opener := perhaps_opened(unit, number)):
            yield Doubt(step.place, f"{opener}() may open the window; it was not read")
        elif shut:
            told = f"{touch.name}() is reached {_why(unit, shut)}"
            yield Finding(step.place, Level.ERROR, told)
        elif any(_unranged(unit, touch, state) for state in states):
            told = f"nothing has checked the range that {touch.name}() accesses"
            yield Finding(step.place, Level.ERROR, told)

    for _, call, step, states in reached(unit, Call):
        shut = [one for one in _shut(states, wrong) if not (one.called and is_helper(unit))]
        if call.name in needy and shut:
            told = f"{call.name}() accesses user memory, and is called {_why(unit, shut)}"
            yield Finding(step.place, Level.ERROR, told)


def _shut(states: tuple[State, ...], wrong: dict[int, str]) -> list[State]:
    mine = (one for one in states if not (one.open or one.kernel))
    return [one for one in mine if not (one.failed and one.failed[-1] in wrong)]


def _why(unit: Unit, shut: list[State]) -> str:
    steps = unit.walked.graph.steps
    failed = next((state.failed[-1] for state in shut if state.failed), None)
    if failed is not None and isinstance(steps[failed].does, Begin):
        return f"although the begin on line {steps[failed].place.line} failed"
    closed = next((state.closed[-1] for state in shut if state.closed), -1)
    if closed >= 0:
        return f"after the window was closed on line {steps[closed].place.line}"
    return "with no window open"


def _unranged(unit: Unit, touch: Touch, state: State) -> bool:
    opened = innermost(unit, state)
    bare = opened is not None and opened[0].opening is Opening.BARE
    return bare and origin(state, touch.pointer) not in state.checked


RULE = Rule(summary="an unsafe accessor stands in a window whose range was checked", ask=ask)
