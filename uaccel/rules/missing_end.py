# SPDX-License-Identifier: GPL-2.0-only
"""Every path that opens a window closes it before the function ends."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.leaving import Left, left_open
from uaccel.model.flowgraph import Doubt, Finding, Level
from uaccel.model.judged import Rule, Unit


def ask(unit: Unit) -> Iterator[Finding | Doubt]:
    """Yield each way out that is taken with a window open; who is called may leave one open."""
    for left in left_open(unit):
        if not left.early:
            yield Finding(left.place, Level.ERROR, _told(left))
    if unit.walked.cut:
        yield Doubt(unit.walked.graph.place, "there are more paths than were followed one by one")


def _told(left: Left) -> str:
    way = f", by way of the label of the access on line {left.label}" if left.label else ""
    return f"the window of {left.begin.name}() on line {left.line} is still open here{way}"


RULE = Rule(summary="every path that opens a window closes it", ask=ask)
