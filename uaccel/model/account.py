# SPDX-License-Identifier: GPL-2.0-only
"""An account of a tree: every access, what each cluster would gain, and where the time goes."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.scan import Place, Scan
from uaccel.model.support import Folder, Gain, Support


@dataclass(frozen=True, slots=True)
class Finding:
    """One cluster with what it is worth."""

    place: Place
    gains: tuple[Gain, ...]  # one per architecture that was asked for
    weight: float  # clusters are ranked by it
    unit: str  # of `weight`: "openings" saved at best, or "percent" of a profile
    why: str  # how the profile came to that weight; "" when there is nothing to say


@dataclass(frozen=True, slots=True)
class Unattributed:
    """A share of a profile that no cluster could be given."""

    symbol: str
    percent: float
    why: str  # one sentence


@dataclass(frozen=True, slots=True)
class Profiled:
    """What the profile was, and what of it was left over."""

    name: str  # where it came from, as the user named it
    unattributed: tuple[Unattributed, ...]  # the largest first
    notes: tuple[str, ...]  # one sentence each


@dataclass(frozen=True, slots=True)
class Account:
    """All that a report may show of a scan."""

    scan: Scan
    findings: tuple[Finding, ...]  # of `scan.places`, best first
    standing: tuple[Finding, ...]  # windows that pass the filters and are no findings, by place
    supports: tuple[Support, ...]  # of the architectures that were asked for
    folders: tuple[Folder, ...]  # the other architectures of the tree
    profile: Profiled | None  # None: there was none

    @property
    def shown(self) -> tuple[Finding, ...]:
        """Return the findings that were asked for: the first N with --top N, else all."""
        return self.findings[: self.scan.filters.top]
