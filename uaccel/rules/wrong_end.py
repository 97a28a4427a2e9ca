# SPDX-License-Identifier: GPL-2.0-only
"""A window is closed by the end that belongs to its begin."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, End, Finding, Level, Mode, Opening
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached

_WORDS = {Mode.READ: "reading", Mode.WRITE: "writing", Mode.BOTH: "both"}


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each end that is of another kind than the begin whose window it closes."""
    for _, end, step, states in reached(unit, End):
        if end.scope is not None:
            continue
        for opened in dict.fromkeys(innermost(unit, state) for state in states):
            if opened is None or opened[0].mode is end.mode:
                continue
            begin, place = opened
            told = f"{end.name}() closes the window of {begin.name}() on line {place.line}"
            yield Finding(step.place, _level(begin, end), f"{told}: {_why(begin, end)}")
            break


def _level(begin: Begin, end: End) -> Level:
    masked = begin.opening is Opening.MASKED
    return Level.WARNING if end.mode is Mode.BOTH or masked else Level.ERROR


def _why(begin: Begin, end: End) -> str:
    if end.mode is Mode.BOTH:
        return f"it was opened for {_WORDS[begin.mode]} only"
    if begin.mode is Mode.BOTH:
        other = "writing" if end.mode is Mode.READ else "reading"
        return f"{other} stays open where the two open apart"
    return f"it was opened for {_WORDS[begin.mode]}, which stays open where the two open apart"


RULE = Rule(summary="a window is closed by the end that belongs to its begin", ask=ask)
