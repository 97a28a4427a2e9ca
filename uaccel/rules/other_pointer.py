# SPDX-License-Identifier: GPL-2.0-only
"""A pointer lies in the range of the window, or was checked by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.model.flowgraph import Doubt, Finding, Level, Opening, State, Test, Touch
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached
from uaccel.tracking import NOWHERE, origin

_LIMIT = re.compile(r"TASK_SIZE|task_?size|user_addr_max|USER_PTR_MAX", re.IGNORECASE)


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each access whose pointer comes from somewhere else than its window's."""
    for _, touch, step, states in reached(unit, Touch):
        state = next((one for one in states if _is_elsewhere(unit, touch, one)), None)
        if state is None:
            continue
        opened = innermost(unit, state)
        if opened is None:
            continue
        begin, place = opened
        base = touch.pointer.base
        given = begin.pointer.text if begin.pointer is not None else ""
        here = origin(state, touch.pointer)
        same = begin.pointer is not None and begin.pointer.base == base
        why = "" if same else _unknown(unit, here, base)
        if why:
            yield Doubt(step.place, why)
            continue
        told = f"{touch.name}() goes to `{base}`, but {begin.name}() on line {place.line}"
        told += " checked what it was before" if same else f" checked `{given}`"
        yield Finding(step.place, Level.WARNING, told)


def _unknown(unit: Unit, here: str, base: str) -> str:
    if "(" in here:
        known = here[1:-1] if here.startswith("(") else here
        return f"whether `{known}` lies in the range is not known"
    if ("->" in here or "." in here) and not here.endswith("'"):
        return f"`{here}` may have been checked when it was stored there"
    tests = (s.does for s in unit.walked.graph.steps if isinstance(s.does, Test))
    if any(_LIMIT.search(one.text) and {here.strip("'"), base} & one.names for one in tests):
        return f"`{base}` is compared with the end of user space"
    return ""


def _is_elsewhere(unit: Unit, touch: Touch, state: State) -> bool:
    if not state.open or not state.open[-1].roots or unit.walked.cut:
        return False
    opened = innermost(unit, state)
    if opened is None or opened[0].opening is Opening.BARE:
        return False
    here = origin(state, touch.pointer)
    if here == NOWHERE:
        return False
    known = state.open[-1].roots | state.checked
    # `frame->retcode` may be an array in what `frame` points to.
    return not any(here == one or here.startswith((f"{one}->", f"{one}.")) for one in known)


RULE = Rule(summary="a pointer lies in the range of its window, or was checked itself", ask=ask)
