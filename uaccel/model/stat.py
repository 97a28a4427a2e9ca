# SPDX-License-Identifier: GPL-2.0-only
"""What `perf stat` counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One figure of `perf stat`."""

    name: str  # "instructions"; "time elapsed", "user" and "sys" for the times at its end
    value: float | None  # the mean of all runs; None: not counted, or not supported
    unit: str  # "msec", "seconds", "Joules"; "" for a count
    variation: float | None  # the mean's own, in percent of it; None when not said
    running: float | None  # percent of the time that it was counted; None when not said


@dataclass(frozen=True, slots=True)
class Stat:
    """One block that `perf stat` printed."""

    command: str  # what was measured, as perf says it: "./test_perf 100"; "" when it is not said
    title: str  # the line of prose before it, as a mail has one; "" when there is none
    runs: int  # how many it is the mean of; 0 when it is not said
    events: tuple[Event, ...]  # in the order of the text; over CPUs and intervals they are sums
    unread: int  # lines that look like part of it and could not be read
    first_unread: str  # the first of them; "" when there is none
