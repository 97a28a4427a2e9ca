# SPDX-License-Identifier: GPL-2.0-only
"""A window is open in no direction that nothing in it needs."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Call, End, Finding, Level, Mode, Nothing, Opening, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each read-write window in which all accesses go one way."""
    if not unit.apart:
        return
    graph = unit.walked.graph
    for number, begin, step, _ in reached(unit, Begin):
        if begin.mode is not Mode.BOTH or begin.opening is Opening.BARE:
            continue
        ways = {t.way.value for _, t, _, states in reached(unit, Touch) if _in(states, number)}
        calls = any(_in(states, number) for _, _, _, states in reached(unit, Call))
        assembler = any(
            _in(states, number) and len(graph.steps[at].next) > 1
            for at, _, _, states in reached(unit, Nothing)
        )
        narrow = any(
            end.mode is not Mode.BOTH and _in(states, number)
            for _, end, _, states in reached(unit, End)
        )  # rule wrong-end tells of that
        joined = not unit.directed and _is_masked(unit, number)
        if joined:  # one of its begins has no narrower form
            continue
        if len(ways) == 1 and not calls and not assembler and not narrow:
            (way,) = ways
            told = f"{begin.name}() opens for reading and writing, but the window only {way}s"
            yield Finding(step.place, Level.NOTE, told)


def _is_masked(unit: Unit, number: int) -> bool:
    # Whether the window is a masked one, or shares an end with one.
    for _, _, _, states in reached(unit, End):
        begins = {one.begin for state in states for one in state.open}
        steps = (unit.walked.graph.steps[one].does for one in begins if one is not None)
        opened = (step.opening for step in steps if isinstance(step, Begin))
        if number in begins and Opening.MASKED in opened:
            return True
    return False


def _in(states: tuple[object, ...], begin: int) -> bool:
    return any(one.begin == begin for state in states for one in getattr(state, "open", ()))


RULE = Rule(summary="a window is not open in a direction that it does not need", ask=ask)
