# SPDX-License-Identifier: GPL-2.0-only
"""What a begin returns is looked at: whether it opened, or the pointer to use."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Level, Opening, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, misread, reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each begin whose result does not decide, and accesses past a masked pointer."""
    wrong = misread(unit)
    for number, begin, step, _ in reached(unit, Begin):
        if wrong.get(number) == "ignored":
            yield Finding(step.place, Level.ERROR, f"{begin.name}() is called, {_missed(begin)}")
    for _, touch, step, states in reached(unit, Touch):
        for opened in dict.fromkeys(innermost(unit, state) for state in states):
            if opened is not None and _goes_past(opened[0], touch):
                told = f"{touch.name}() uses `{touch.pointer.base}`, not the pointer that"
                told += f" {opened[0].name}() on line {opened[1].line} returned"
                yield Finding(step.place, Level.ERROR, told)


def _missed(begin: Begin) -> str:
    if begin.opening is Opening.MASKED:
        return "but the pointer that it returns is not used"
    return "but the accesses are made whether it opened the window or not"


def _goes_past(begin: Begin, touch: Touch) -> bool:
    given = begin.pointer.base if begin.pointer is not None else ""
    masked = begin.opening is Opening.MASKED and begin.target not in ("", given)
    return masked and touch.pointer.base == given


RULE = Rule(summary="the result of a begin decides what follows", ask=ask)
