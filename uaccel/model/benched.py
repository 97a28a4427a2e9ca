# SPDX-License-Identifier: GPL-2.0-only
"""What a module times on a board, and what it said there."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.access import Direction


@dataclass(frozen=True, slots=True)
class Transfer:
    """One access of a shape."""

    offset: int  # bytes from where the shape begins
    width: int  # bytes: 1, 2, 4 or 8


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the accesses of a shape fall under some data models."""

    models: tuple[str, ...]  # names of data models
    transfers: tuple[Transfer, ...]  # in the order of the source


@dataclass(frozen=True, slots=True)
class Shape:
    """What is left of a cluster when names and values are forgotten."""

    of: str  # id of the cluster
    direction: Direction
    plans: tuple[Plan, ...]  # each data model in one of them; all as many transfers
    notes: tuple[str, ...]  # what was derived, and what assumed: a sentence each


@dataclass(frozen=True, slots=True)
class Timed:
    """One style as one run timed it, per call."""

    style: str
    check: str  # "pass", "floor"; else why it was not timed: "absent", "differs", "no-fault", ...
    ns: float | None  # nanoseconds, the median of the batches; None when it was not timed
    least_ns: float | None
    cycles: float | None  # of get_cycles(); None also where that does not count
    least_cycles: float | None


@dataclass(frozen=True, slots=True)
class Benched:
    """One cluster's shape as one run timed it."""

    of: str  # id of the cluster; "" when that line is lost
    direction: str  # "read", "write"; "" when not known
    accesses: int | None
    bytes: int | None  # from the first access to behind the last one
    timed: tuple[Timed, ...]  # in the order of the log


@dataclass(frozen=True, slots=True)
class BenchRun:
    """One loading of the module, as far as its log is there."""

    source: str  # of which file
    run: str  # as the module names it
    machine: str  # "ppc", "x86_64"; "" when the line is lost
    release: str  # of the kernel; likewise
    slowed: bool  # it is configured with what slows such accesses: KASAN, lockdep, ...
    clusters: tuple[Benched, ...]
    notes: tuple[str, ...]  # what is lost, cut, or odd: a sentence each


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a style, over several runs."""

    median: float  # of the runs' medians
    low: float  # the smallest of them
    high: float  # the largest
    least: float  # the smallest batch of all runs


@dataclass(frozen=True, slots=True)
class Across:
    """One style on one board, per call."""

    style: str
    ns: Figure | None  # None: not known, and `why` says why
    cycles: Figure | None  # of get_cycles()
    change: float | None  # of the median ns against fieldwise, in percent; None without both
    why: str  # one clause; "" when it was timed


@dataclass(frozen=True, slots=True)
class Board:
    """One cluster's shape as the runs of one file timed it."""

    source: str
    of: str  # id of the cluster; "" when that is lost
    direction: str
    accesses: int | None
    bytes: int | None
    machine: str
    release: str
    runs: int
    rows: tuple[Across, ...]
    rate: float | None  # what get_cycles() counts in a microsecond; None when it does not count


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All that was read of the logs."""

    command: str  # the line that reproduces it
    boards: tuple[Board, ...]
    runs: tuple[BenchRun, ...]
    notes: tuple[str, ...]
