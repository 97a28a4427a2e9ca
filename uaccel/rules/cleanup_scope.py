# SPDX-License-Identifier: GPL-2.0-only
"""No access jumps out of the scope of a variable with a clean-up."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Finding, Level, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each access whose label leaves the scope of a clean-up, where that is an asm goto."""
    if unit.landed:
        return
    for _, touch, step, _ in reached(unit, Touch):
        if step.guarded:
            told = f"{touch.name}() may jump to {touch.label}, out of the scope of"
            told += f" `{step.guarded[0]}`: compilers lose the clean-up, or refuse it"
            yield Finding(step.place, Level.WARNING, told)


RULE = Rule(summary="no access jumps out of the scope of a clean-up", ask=ask)
