# SPDX-License-Identifier: GPL-2.0-only
"""Where a function is left with a window open, and what statement leads out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.flowgraph import Begin, End, Jump, Leave, Place, State, Touch
from uaccel.model.judged import Unit
from uaccel.ruling import innermost, misread, reached


@dataclass(frozen=True, slots=True)
class Left:
    """One way out that is taken with a window open."""

    place: Place  # of the statement that leads out of it
    word: str  # "return", "goto", ...
    early: bool  # that statement stands between begin and end
    begin: Begin
    line: int  # of the begin
    label: int | None  # line of the access whose label led there


def left_open(unit: Unit) -> Iterator[Left]:
    """Yield each way out of the function that is taken with a window open, each once."""
    graph = unit.walked.graph
    wrong = misread(unit)
    ends = tuple(
        step.place for step in graph.steps if isinstance(step.does, End) and step.does.scope is None
    )
    seen: set[tuple[Place, int]] = set()
    ways = (*reached(unit, Leave), *reached(unit, Begin))
    for number, does, _, states in ways:
        for state in states:
            opened = innermost(unit, state) if state.open and not state.called else None
            if opened is None or state.open[-1].begin in wrong:
                continue
            again = isinstance(does, Begin)
            if again and not (state.jump and state.open[-1].begin == number):
                continue
            left = _left(unit, number, state, opened, ends)
            if (left.place, left.line) not in seen:
                seen.add((left.place, left.line))
                yield left


def _left(
    unit: Unit,
    number: int,
    state: State,
    opened: tuple[Begin, Place],
    ends: tuple[Place, ...],
) -> Left:
    steps = unit.walked.graph.steps
    begin, place = opened
    here = steps[number].place
    fault = steps[state.fault].place if state.fault is not None else None
    if fault is not None and isinstance(steps[state.fault or 0].does, Touch):
        return Left(here, "return", False, begin, place.line, fault.line)
    jump = steps[state.jump] if state.jump is not None else None
    if jump is not None and isinstance(jump.does, Jump) and _between(jump.place, place, ends):
        return Left(jump.place, jump.does.word, True, begin, place.line, None)
    does = steps[number].does
    word = does.word if isinstance(does, Leave) else ""
    early = bool(word) and _between(here, place, ends)
    return Left(here, word or "return", early, begin, place.line, None)


def _between(at: Place, begin: Place, ends: tuple[Place, ...]) -> bool:
    return begin <= at and any(at < end for end in ends)
