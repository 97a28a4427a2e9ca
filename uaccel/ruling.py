# SPDX-License-Identifier: GPL-2.0-only
"""What several rules ask of a function that was walked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from uaccel.model.flowgraph import Begin, Call, End, Opening, Place, State, Step, Touch, Window
from uaccel.model.judged import Unit

Kind = TypeVar("Kind")


def reached(unit: Unit, kind: type[Kind]) -> Iterator[tuple[int, Kind, Step, tuple[State, ...]]]:
    """Yield the steps of one kind that some path reaches, with the states it does so in.

    They come in the order of the lines.
    """
    walked = unit.walked
    found = enumerate(zip(walked.graph.steps, walked.states, strict=True))
    for number, (step, states) in sorted(found, key=lambda one: one[1][0].place):
        if states and isinstance(step.does, kind):
            yield number, step.does, step, states


def opener(unit: Unit, window: Window) -> tuple[Begin, Place] | None:
    """Return the begin of a window and where it stands; None when the caller opened it."""
    if window.begin is None:
        return None
    graph = unit.walked.graph
    if window.graph != graph.key:
        other = unit.others.get(window.graph)
        if other is None:
            return None
        graph = other.graph
    step = graph.steps[window.begin]
    return (step.does, step.place) if isinstance(step.does, Begin) else None


def innermost(unit: Unit, state: State) -> tuple[Begin, Place] | None:
    """Return the begin of the window that is open, None when none is or the caller opened it."""
    return opener(unit, state.open[-1]) if state.open else None


def misread(unit: Unit) -> dict[int, str]:
    """Return the begins whose result is taken for its opposite, or for nothing.

    "inverted": accesses are made only where the begin failed; "ignored": in both cases.
    """
    graph = unit.walked.graph
    good: dict[int, set[int]] = {}
    bad: dict[int, set[int]] = {}
    needy = unit.needy
    touches = (one for one in (*reached(unit, Touch), *reached(unit, Call)))
    for number, does, _, states in touches:
        if isinstance(does, Call) and does.name not in needy:
            continue
        for state in states:
            here = state.open[-1] if state.open else None
            if here is not None and here.begin is not None and here.graph == graph.key:
                good.setdefault(here.begin, set()).add(number)
            elif here is None and state.failed:
                bad.setdefault(state.failed[-1], set()).add(number)
    found = {}
    for begin, touched in bad.items():
        if begin not in good:
            found[begin] = "inverted"
        elif good[begin] <= touched:
            found[begin] = "ignored"
    for number, does, _, _ in reached(unit, Begin):
        if does.ignored and does.opening in (Opening.CHECKED, Opening.MASKED):
            found[number] = "ignored"
    return found


def is_helper(unit: Unit) -> bool:
    """Return whether a function opens nothing itself, and others may call it in their windows."""
    graph = unit.walked.graph
    begins = any(isinstance(step.does, Begin) for step in graph.steps)
    return not begins and (graph.within or (graph.static and graph.inline) or _lends(unit))


def _lends(unit: Unit) -> bool:
    # Who is outside of the file may call it for its end alone.
    if unit.walked.graph.static:
        return False
    steps = unit.walked.graph.steps
    return any(isinstance(s.does, End) for s in steps) and not any(
        isinstance(s.does, Touch) for s in steps
    )


def perhaps_opened(unit: Unit, number: int) -> str:
    """Return who may have opened a window for the access in step `number`, "" when nobody can.

    Nothing is opened in the function itself, and somebody who was not read was given the pointer.
    """
    steps = unit.walked.graph.steps
    does = steps[number].does
    if not isinstance(does, Touch) or any(isinstance(step.does, Begin) for step in steps):
        return ""
    read = {one.graph.function for one in unit.others.values()}
    for at, call in ((at, step.does) for at, step in enumerate(steps)):
        if not isinstance(call, Call) or call.name in read or call.harm or call.name.isupper():
            continue
        given = any(one is not None and one.base == does.pointer.base for one in call.arguments)
        if given and _leads(unit, at, number):
            return call.name
    return ""


def _leads(unit: Unit, start: int, end: int) -> bool:
    steps = unit.walked.graph.steps
    seen: set[int] = set()
    pending = [start]
    while pending:
        at = pending.pop()
        if at not in seen:
            seen.add(at)
            pending += steps[at].next
    return end in seen
