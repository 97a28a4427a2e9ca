# SPDX-License-Identifier: GPL-2.0-only
"""What we think of it: measurements with their unit, verdicts that start at UNKNOWN."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from uaccel.model.command import Command
from uaccel.model.machine import Build, Listing
from uaccel.model.run import Coverage, Pair


class Outcome(Enum):
    """UNKNOWN is where every judgement starts; only evidence moves it."""

    UNKNOWN = "unknown"
    PASS = "pass"
    FAIL = "fail"


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return FAIL if any failed, else UNKNOWN if any is unknown or there is none, else PASS."""
    seen = set(outcomes)
    if Outcome.FAIL in seen:
        return Outcome.FAIL
    return Outcome.PASS if seen == {Outcome.PASS} else Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check may look at; a field that is None was not gathered."""

    build: Build | None = None
    listing: Listing | None = None  # of the function, as it was built
    pairs: tuple[Pair, ...] | None = None  # runs of it, and of the function as it stood
    declared: tuple[str, ...] = ()  # what the style says a user program could notice
    command: Command | None = None  # a tool of the tree that was run on the patch
    compiled_on: tuple[str, ...] | None = None  # architectures whose object holds the lines


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one check makes of one piece of evidence."""

    outcome: Outcome
    why: str  # one sentence
    story: tuple[str, ...] = ()  # of a difference between two runs: input, access, both values


@dataclass(frozen=True, slots=True)
class Check:
    """A question put to evidence.  Named after its module."""

    summary: str
    judge: Callable[[Evidence], Judgement]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with what it is about."""

    check: str
    cluster: str  # id of a cluster, or of a function for what concerns all of it
    style: str
    arch: str | None  # None for a patch, which is the same for all
    outcome: Outcome
    why: str
    story: tuple[str, ...] = ()  # as of `Judgement`
    coverage: Coverage | None = None  # where the runs led, of the variant; None without runs


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure; `value` is None when it is not known, and `why` says why."""

    cluster: str
    style: str
    arch: str
    compiler: str
    config: str
    what: str
    value: int | None
    unit: str  # "instructions", "toggles", "bytes", "entries"
    why: str = ""  # of an unknown value, or what the figure leaves out
    at_least: int | None = None  # a lower bound, when the value is not known
    absent: bool = False  # unknown because this build does not hold the function at all
