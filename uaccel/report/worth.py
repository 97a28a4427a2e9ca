# SPDX-License-Identifier: GPL-2.0-only
"""A cluster in one sentence: what it is, and what a window would gain."""

from __future__ import annotations

from uaccel.model.account import Finding
from uaccel.model.source import Direction
from uaccel.model.support import Gain
from uaccel.model.survey import Sighting
from uaccel.report.plain import line

_POINTERS = 3  # named in a sentence


def message(finding: Finding) -> str:
    """Return what the cluster is, where, how it stands and what a window saves, on one line."""
    seen = finding.place.sighting
    parts = (
        f"{_accesses(seen)}{_pointers(seen)} in {line(seen.function)}: {seen.form.value}",
        worth(finding.gains),
        _pair(seen),
        _convertible(seen),
    )
    return ", ".join(part for part in parts if part)


def worth(gains: tuple[Gain, ...]) -> str:
    """Return which openings are saved, and on how many architectures."""
    by_saved: dict[tuple[int, bool], list[str]] = {}
    for one in gains:
        if one.saved or (one.saved is not None and one.at_least):
            by_saved.setdefault((one.saved, one.at_least), []).append(one.arch)
    if not by_saved:
        unknown = any(one.saved is None for one in gains)
        whys = {one.why for one in gains if one.saved == 0 and one.why}
        why = f" ({line(whys.pop())})" if len(whys) == 1 else ""
        return "what it saves is not known" if unknown else f"saves no opening{why}"
    return "saves " + " and ".join(
        f"{_saving(saved, least)} on {_where(arches, len(gains))}"
        for (saved, least), arches in sorted(by_saved.items(), reverse=True)
    )


def _saving(saved: int, least: bool) -> str:
    if not saved:
        return "an opening for each turn of its loop but one"
    return f"{'>= ' if least else ''}{_many(saved, 'opening')}"


def share(finding: Finding) -> str:
    """Return what a profile gives the cluster's function, behind a comma; "" when nothing."""
    if finding.unit != "percent" or not finding.weight:
        return ""
    why = f" ({line(finding.why)})" if finding.why else ""
    return f", its function has up to {finding.weight:.2f} % of the profile{why}"


def _accesses(seen: Sighting) -> str:
    what = "read" if seen.direction is Direction.READ else "write"
    told = _many(seen.accesses, what)
    if seen.longest != seen.accesses:
        told += f", {seen.longest} on the longest path,"
    return f"{told} in a loop," if seen.looped else told


def _pointers(seen: Sighting) -> str:
    if not seen.pointers:
        return ""
    named = ", ".join(f"`{line(one)}`" for one in seen.pointers[:_POINTERS])
    more = len(seen.pointers) - _POINTERS
    return f" of {named} and {more} more" if more > 0 else f" of {named}"


def _pair(seen: Sighting) -> str:
    if seen.pair is None:
        return ""
    other = "writes" if seen.direction is Direction.READ else "reads"
    shared = "shares a window with its" if seen.joined else "its"
    return f"{shared} {other} at line {seen.pair}"


def _convertible(seen: Sighting) -> str:
    if seen.convertible is True or not seen.why:
        return ""
    known = "no style writes it" if seen.convertible is False else "may not be writable"
    return f"{known}: {line(seen.why)}"


def _where(arches: list[str], asked: int) -> str:
    if len(arches) == 1:
        return arches[0]
    return f"{len(arches)} of {asked} architectures"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
