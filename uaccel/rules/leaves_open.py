# SPDX-License-Identifier: GPL-2.0-only
"""No return, goto, break or continue leaves a window between its begin and its end."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.leaving import left_open
from uaccel.model.flowgraph import Finding, Level
from uaccel.model.judged import Rule, Unit


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each statement that stands between a begin and an end and leaves the window open."""
    for left in left_open(unit):
        if left.early:
            told = f"{left.word} leaves the window of {left.begin.name}() on line {left.line} open"
            yield Finding(left.place, Level.ERROR, told)


RULE = Rule(summary="no jump or return leaves a window open", ask=ask)
