# SPDX-License-Identifier: GPL-2.0-only
"""Nothing is called in a window: no lock, no sleep, no print, nothing that may schedule."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.flowgraph import Call, Doubt, Finding, Level
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import innermost, reached

# What compilers write out or call, as they like; none of it sleeps.
_COMPILERS = ("memset", "memcpy", "memmove", "memcmp", "strlen")


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each call that some path makes with a window open."""
    for _, call, step, states in reached(unit, Call):
        state = next((one for one in states if one.open), None)
        if state is None or call.name.lstrip("_").startswith("unsafe_"):
            continue
        opened = innermost(unit, state)
        where = f"of {opened[0].name}() on line {opened[1].line}" if opened else "of the caller"
        told = _told(unit, call)
        if told is None:
            continue
        level, words = told
        if level is None:
            yield Doubt(step.place, f"{words} in the window {where}")
        else:
            yield Finding(step.place, level, f"{words} in the window {where}")


def _told(unit: Unit, call: Call) -> tuple[Level | None, str] | None:
    name = call.name
    if not name:
        return Level.ERROR, "a function is called through a pointer"
    if call.harm:
        return Level.ERROR, f"{name}() {call.harm}"
    if unit.inlined.get(name) is True:
        return None
    mine = [one.graph for one in unit.others.values() if one.graph.function == name]
    if mine and all(graph.inline for graph in mine):
        return None
    if name in _COMPILERS:
        return None, f"the compiler may make a call of {name}()"
    if name.isupper() and name not in unit.inlined:
        return None, f"{name}() is not known, and may call something"
    return Level.WARNING, f"{name}() is called"


RULE = Rule(summary="nothing is called in a window", ask=ask)
