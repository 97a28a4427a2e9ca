# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster field by field: one `get_user()` or `put_user()` per field, joined by `||`."""

from __future__ import annotations

from uaccel.ctext import Call, address, chain
from uaccel.fields import Scalar, Whole, scalars
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Cluster, Direction, Form, Function, Layouts

_ACCESSOR = {Direction.READ: "get_user", Direction.WRITE: "put_user"}
FAULTS = "A fault in the middle leaves the fields before it done and those after it not."


def plan(function: Function, layouts: tuple[Layouts, ...]) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its chain of accesses or the reason against it."""
    return tuple(_chain(function, cluster, layouts) for cluster in function.clusters)


def _chain(function: Function, cluster: Cluster, layouts: tuple[Layouts, ...]) -> Rewrite | Refusal:
    if cluster.form is Form.FIELDWISE:
        return Refusal(cluster, "it stands field by field already")
    if cluster.obstacle is not None:
        return Refusal(cluster, cluster.obstacle)
    if cluster.form is Form.WINDOW:
        return Refusal(cluster, "a window cannot be unmade yet")
    if not cluster.fault:
        return Refusal(cluster, "a fault does something else than just return or goto")
    if not cluster.indent:
        return Refusal(cluster, "the first statement does not start its line")
    parts = [scalars(function, access, layouts) for access in cluster.accesses]
    for part in parts:
        if isinstance(part, Whole):
            return Refusal(cluster, part.why)
    transfers = tuple(scalar for part in parts if not isinstance(part, Whole) for scalar in part)
    calls = tuple(_access(cluster, part) for part in transfers)
    text = chain(cluster.indent, calls, cluster.fault)
    return Rewrite(cluster, (Edit(cluster.extent, text),), (FAULTS,))


def _access(cluster: Cluster, part: Scalar) -> Call:
    prefix = "" if part.checked else "__"
    return f"{prefix}{_ACCESSOR[cluster.direction]}", (part.value, address(part.pointer))


STYLE = Style(summary="one access per field, joined by ||", needs_layouts=False, plan=plan)
