# SPDX-License-Identifier: GPL-2.0-only
"""All that a report may show of a scan: what was read, what was not, and how it ranks."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Tree
from uaccel.model.source import Direction, Form
from uaccel.model.survey import Kind, Sighting, Survey


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, or not to its end."""

    path: str  # relative to the tree, with forward slashes
    why: str  # one sentence
    candidates: int  # its candidate lines, all NOT_UNDERSTOOD; 0 when it was not opened at all


@dataclass(frozen=True, slots=True)
class Filters:
    """Which clusters were asked for; candidates are counted before these, but for `targets`."""

    targets: tuple[str, ...]  # folders, FILE, FILE:FUNCTION, as paths in the tree; () for all of it
    arches: tuple[str, ...]  # only gains on these; () for all
    direction: Direction | None
    form: Form | None
    min_accesses: int
    top: int | None  # how many of the ranked clusters were asked for; None when nobody said


@dataclass(frozen=True, slots=True)
class Place:
    """One cluster with the file that it stands in."""

    file: str  # relative to the tree, with forward slashes
    sighting: Sighting

    @property
    def id(self) -> str:
        """Return how a report names it, as `uaccel study` does."""
        seen = self.sighting
        return f"{self.file}:{seen.function}:{seen.direction.value}@{seen.line}"


@dataclass(frozen=True, slots=True)
class Totals:
    """Candidate lines, one count a class; they add up to `lines`, always."""

    lines: int
    kinds: tuple[tuple[Kind, int], ...]  # in the order of Kind, zeros too

    def of(self, kind: Kind) -> int:
        """Return how many candidate lines are of `kind`."""
        return dict(self.kinds)[kind]


@dataclass(frozen=True, slots=True)
class Scan:
    """What one scan found."""

    tree: Tree
    command: str  # the line that reproduces it
    filters: Filters
    surveys: tuple[Survey, ...]  # of every file with candidates, sorted by path; not filtered
    totals: Totals  # of all `surveys`
    places: tuple[Place, ...]  # the clusters that pass the filters, by path and line
    skipped: tuple[Skipped, ...]  # sorted by path
    walked: int  # .c and .h files looked at, the skipped ones not
    reused: int  # surveys that were known from a scan before
    notes: tuple[str, ...]  # one sentence each: a target without a cluster, results not kept
    seconds: float  # wall time of the run
