# SPDX-License-Identifier: GPL-2.0-only
"""A break or continue in a scoped region is not meant for the loop around it."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Jump, Level
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each break and continue of a loop that only leaves a scoped region in it."""
    steps = unit.walked.graph.steps
    for _, jump, step, _ in reached(unit, Jump):
        begin = steps[jump.scope].does if jump.scope is not None else None
        if not isinstance(begin, Begin) or jump.scope is None or not jump.looped:
            continue
        line = steps[jump.scope].place.line
        told = f"{jump.word} leaves only the region of {begin.name}() on line {line}"
        yield Finding(step.place, Level.WARNING, f"{told}, not what stands around it")


RULE = Rule(summary="no break or continue binds to a scoped region", ask=ask)
