# SPDX-License-Identifier: GPL-2.0-only
"""An access goes the way that its window was opened for."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Finding, Level, Mode, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached

_WORDS = {Mode.READ: "reading", Mode.WRITE: "writing", Mode.BOTH: "both"}


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each access in a window that is open the other way only."""
    for _, touch, step, states in reached(unit, Touch):
        for opened in dict.fromkeys(innermost(unit, state) for state in states):
            if opened is None or opened[0].mode.lets(touch.way):
                continue
            begin, place = opened
            said = "reads" if touch.way.value == "read" else "writes"
            told = f"{touch.name}() {said} in a window that {begin.name}() on line {place.line}"
            yield Finding(step.place, Level.ERROR, f"{told} opens for {_WORDS[begin.mode]} only")
            break


RULE = Rule(summary="an access goes the way its window was opened for", ask=ask)
