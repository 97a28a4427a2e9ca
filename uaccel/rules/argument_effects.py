# SPDX-License-Identifier: GPL-2.0-only
"""The arguments of an accessor in a window neither call nor change anything."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Finding, Level, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each accessor that evaluates a call, or a side effect, within the window."""
    changed: set[str] = set()
    for _, touch, step, states in reached(unit, Touch):
        if not any(state.open for state in states):
            continue
        calls = [name for name in touch.calls if not _is_inlined(unit, name)]
        if calls:
            what = f"{calls[0]}()" if calls[0] else "through a pointer"
            told = f"an argument of {touch.name}() calls {what} within the window"
            yield Finding(step.place, Level.WARNING, told)
        elif touch.changes and touch.changes[0] not in changed:  # once is enough of `*p++`
            changed.add(touch.changes[0])
            told = f"an argument of {touch.name}() changes `{touch.changes[0]}` within the window"
            yield Finding(step.place, Level.NOTE, told)


def _is_inlined(unit: Unit, name: str) -> bool:
    return unit.inlined.get(name) is True or (name.isupper() and name not in unit.inlined)


RULE = Rule(summary="an accessor's arguments have no effects of their own", ask=ask)
