# SPDX-License-Identifier: GPL-2.0-only
"""A begin returns TRUE when the window is open: the accesses stand where it did."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Level
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import misread, reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each begin behind which accesses are made only when it failed."""
    wrong = misread(unit)
    for number, begin, step, _ in reached(unit, Begin):
        if wrong.get(number) == "inverted":
            told = f"the test of {begin.name}() is inverted: the accesses are made where it failed"
            yield Finding(step.place, Level.ERROR, told)


RULE = Rule(summary="the test of a begin is not inverted", ask=ask)
