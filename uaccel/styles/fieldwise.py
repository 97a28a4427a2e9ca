# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster field by field: one `get_user()` or `put_user()` per field, joined by `||`."""

from __future__ import annotations

import re

from uaccel.changes import BEGUN
from uaccel.ctext import Call, address, chain
from uaccel.fields import Scalar, Whole, scalars
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.scaffold import Scaffold, Unsafe
from uaccel.model.source import Cluster, Direction, Form, Function, Layouts, Span

_ACCESSOR = {Direction.READ: "get_user", Direction.WRITE: "put_user"}
FAULTS = "A fault in the middle leaves the fields before it done and those after it not."
EACH = (
    "Each access checks its own range: what the window found bad as a whole, before its first "
    "access, is found by the access that reaches it."
)
ZEROED = "A read that faults sets its target to 0; in the window the target may keep what it held."
COPIED = "Where a copy faults on its way, it may have done another part than in the window."


def plan(
    function: Function,
    layouts: tuple[Layouts, ...],
    dialect: Dialect,  # noqa: ARG001
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its chain of accesses or the reason against it."""
    return tuple(_written(function, cluster, layouts) for cluster in function.clusters)


def _written(
    function: Function, cluster: Cluster, layouts: tuple[Layouts, ...]
) -> Rewrite | Refusal:
    if cluster.scaffold is not None:
        return _unmade(function, cluster, cluster.scaffold)
    return _chain(function, cluster, layouts)


def _unmade(function: Function, cluster: Cluster, scaffold: Scaffold) -> Rewrite | Refusal:
    if scaffold.obstacle is not None:
        return Refusal(cluster, scaffold.obstacle)
    # What belongs to several windows of a function is cut with the first: all of them, or none.
    if any(_is_relied_on(function, one) for one in function.clusters if one.stands):
        return Refusal(cluster, "an accessor that checks no range relies on that of the window")
    edits = [_joined(run) for run in _runs(scaffold.accesses)]
    return Rewrite(cluster, (*edits, *_cuts(scaffold)), _changes(cluster, scaffold))


def _is_relied_on(function: Function, cluster: Cluster) -> bool:
    text = function.source.quote(Span(cluster.extent.start, function.body.end))
    bases = {re.escape(access.base) for access in cluster.accesses if access.base is not None}
    if cluster.form is Form.HELPER and cluster.scaffold is not None:
        bases |= {re.escape(cluster.scaffold.covers.partition(",")[0])}
    begun = re.match(r"\w+", cluster.scaffold.covers) if cluster.scaffold is not None else None
    if begun is not None:
        bases.add(begun[0])
    if not bases:
        return False
    names = "|".join(sorted(bases))
    return (
        re.search(rf"\b__(?:get|put|copy|clear)\w*user\w*\([^;]*\b(?:{names})\b", text) is not None
    )


def _runs(accesses: tuple[Unsafe, ...]) -> list[list[Unsafe]]:
    runs: list[list[Unsafe]] = []
    for one in accesses:
        if one.joins:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _joined(run: list[Unsafe]) -> Edit:
    calls = tuple(call for one in run for call in one.calls)
    here = Span(run[0].statement.start, run[-1].statement.end)
    condition, leave = chain(run[0].indent, calls, run[0].fault).rsplit("\n", 1)
    comment = f" {run[-1].comment}" if run[-1].comment else ""
    return Edit(here, f"{condition}{comment}\n{leave}")


def _cuts(scaffold: Scaffold) -> tuple[Edit, ...]:
    return tuple(Edit(cut.span, cut.text) for cut in scaffold.cuts)


def _changes(cluster: Cluster, scaffold: Scaffold) -> tuple[str, ...]:
    said = [EACH]
    if scaffold.begun:
        said.append(BEGUN.format(begun=scaffold.begun.rstrip(";")))
    shared = cluster.form is Form.HELPER and cluster.direction is Direction.READ
    if shared or any(one.direction is Direction.READ for one in scaffold.accesses):
        said.append(ZEROED)
    if any(one.copies for one in scaffold.accesses):
        said.append(COPIED)
    return tuple(said)


def _chain(function: Function, cluster: Cluster, layouts: tuple[Layouts, ...]) -> Rewrite | Refusal:
    if cluster.form is Form.FIELDWISE:
        return Refusal(cluster, "it stands field by field already")
    if cluster.obstacle is not None:
        return Refusal(cluster, cluster.obstacle)
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
