# SPDX-License-Identifier: GPL-2.0-only
"""A struct with holes is zeroed before it goes to user memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.extents import holes
from uaccel.model.access import Direction
from uaccel.model.flowgraph import (
    Assign,
    Call,
    Doubt,
    Finding,
    Level,
    Ordinary,
    Pointer,
    Touch,
)
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each copy of a local struct whose holes hold what was on the stack."""
    graph = unit.walked.graph
    structs = dict(graph.structs)
    for _, touch, step, _ in reached(unit, Touch):
        name = touch.kernel.base
        tag = structs.get(name, "")
        sizes = (f"sizeof({name})", f"sizeof(struct {tag})", f"sizeof(*{touch.pointer.text})")
        whole = touch.way is Direction.WRITE and touch.size in sizes and not touch.kernel.path
        if not whole or name not in graph.variables or not touch.kernel.text.startswith("&"):
            continue
        if _is_filled(unit, name):
            continue
        known = {holes(layouts, tag) for layouts in unit.layouts}
        if True in known:
            told = f"{touch.name}() copies all of {name}, but struct {tag} has holes that"
            yield Finding(step.place, Level.WARNING, f"{told} nothing has zeroed")
        elif known != {False}:
            yield Doubt(step.place, f"whether struct {tag} has holes is not known")


def _is_filled(unit: Unit, name: str) -> bool:
    # Zeroed, assigned as a whole, or handed to somebody who may have.
    for step in unit.walked.graph.steps:
        match step.does:
            case Assign(name=given, value=value, origin=origin, called=called) if given == name:
                if value == 0 or origin is not None or called:  # `= { .a = 1 }` promises nothing
                    return True
            case Assign(origin=Pointer(base=base, text=text)) if base == name and text[:1] == "&":
                return True  # by another name
            case Call(arguments=arguments):
                if any(one is not None and one.base == name and not one.path for one in arguments):
                    return True
            case Ordinary(way=Direction.READ, kernel=kernel) if kernel is not None:
                if kernel.base == name and not kernel.path:
                    return True
    return False


RULE = Rule(summary="a struct with holes is zeroed before it is copied whole", ask=ask)
