# SPDX-License-Identifier: GPL-2.0-only
"""No window is opened in a window: the inner end closes both."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Level
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each begin that some path reaches with a window open."""
    for number, begin, step, states in reached(unit, Begin):
        # The window of a pass before, left by a jump, is told of at the jump.
        mine = (one for one in states if one.open)
        state = next((s for s in mine if not (s.jump and s.open[-1].begin == number)), None)
        if state is None:
            continue
        opened = innermost(unit, state)
        where = f"of {opened[0].name}() on line {opened[1].line}" if opened else "of the caller"
        told = f"{begin.name}() is reached with the window {where} open"
        yield Finding(step.place, Level.ERROR, told)


RULE = Rule(summary="no window is opened in a window", ask=ask)
