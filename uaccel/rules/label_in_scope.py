# SPDX-License-Identifier: GPL-2.0-only
"""The label of a scoped region, and of what stands in it, stands outside."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Level, Mark, Touch
from uaccel.model.judged import Rule, Unit


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each label in a scoped region that an access, or a region, jumps to."""
    steps = unit.walked.graph.steps
    own = {s.does.label for s in steps if isinstance(s.does, Begin)}
    aimed = {s.does.label for s in steps if isinstance(s.does, Touch | Begin)} - {""}
    for step in steps:
        mark = step.does
        if not isinstance(mark, Mark) or mark.scope is None or mark.name not in aimed:
            continue
        line = steps[mark.scope].place.line
        told = f"the label {mark.name} stands in the region that begins on line {line}"
        level = Level.ERROR if mark.name in own else Level.WARNING
        yield Finding(step.place, level, f"{told}: a fault goes on inside of it")


RULE = Rule(summary="labels stand outside of scoped regions", ask=ask)
