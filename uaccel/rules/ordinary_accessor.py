# SPDX-License-Identifier: GPL-2.0-only
"""No accessor that opens and closes by itself stands in a window: it would close it."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Finding, Level, Ordinary
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each ordinary accessor that some path reaches with a window open."""
    for _, access, step, states in reached(unit, Ordinary):
        state = next((one for one in states if one.open), None)
        if state is None:
            continue
        opened = innermost(unit, state)
        where = f"of {opened[0].name}() on line {opened[1].line}" if opened else "of the caller"
        told = f"{access.name}() stands in the window {where}: it opens and closes by itself"
        yield Finding(step.place, Level.ERROR, told)


RULE = Rule(summary="no ordinary accessor stands in a window", ask=ask)
