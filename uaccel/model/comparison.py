# SPDX-License-Identifier: GPL-2.0-only
"""Profiles of two or more variants side by side.  Shares are in percent of all samples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uaccel.model.attribution import Attribution
from uaccel.model.profile import Profile

COPIES = "copy routines"  # the name of the group where no function is known


class Stands(Enum):
    """Whether a difference is more than noise."""

    YES = "stands"
    NO = "does not stand"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Summed:
    """One symbol of a group in one variant."""

    symbol: str  # as the profile writes it
    object: str  # "" when the profile does not say
    percent: float  # the median of the variant's runs
    percents: tuple[float, ...]  # run by run; 0 where a run does not list it
    why: str  # why it belongs: "the function", "copies for it", "marked in the text", ...


@dataclass(frozen=True, slots=True)
class Group:
    """Symbols of one cause in one variant."""

    name: str  # the same in every variant: "snd_pcm_ioctl"
    percent: float  # the median over the runs of the sum of its rows
    percents: tuple[float, ...]  # run by run
    rows: tuple[Summed, ...]  # heaviest first


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure that `perf stat` gave."""

    event: str  # "instructions"
    unit: str  # "", "msec"
    value: float  # the median of the runs
    values: tuple[float, ...]  # run by run; of `perf stat -r N` the mean is one of them
    repeats: int = 0  # how many times -r repeated it; 0 without, or with several runs
    error: float | None = None  # the standard error of that mean, as perf stat says it


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of writing it, as it was measured."""

    name: str
    sources: tuple[str, ...]  # one per run: "mail.txt, listing 2", "a.data"
    samples: tuple[str, ...]  # one per run, as the profile says it; "" when it does not
    groups: tuple[Group, ...]  # the cause first; then what is left, by where it is
    listed: float  # percent of all samples that its listing shows (median)
    counts: tuple[Counted, ...]  # of perf stat
    attributions: tuple[Attribution, ...]  # of annotated listings
    title: str = ""  # the line of prose before its listing, as a mail has one; "" for none


@dataclass(frozen=True, slots=True)
class Taken:
    """What was given of one variant, before anything is made of it."""

    name: str
    sources: tuple[str, ...] = ()  # one per profile
    profiles: tuple[Profile, ...] = ()  # one per run
    counts: tuple[Counted, ...] = ()
    attributions: tuple[Attribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """How one figure of a variant differs from the first variant's."""

    variant: str
    what: str  # the name of a group, or of an event of perf stat
    before: float
    after: float
    unit: str  # "percent" of all samples, or the event's
    stands: Stands
    why: str  # one sentence
    hidden: tuple[float, float] = (0.0, 0.0)  # what cut listings leave out of both, at most

    @property
    def change(self) -> float | None:
        """Return the change in percent of what was before; None where that or this is unseen."""
        unseen = self.hidden[1] and not self.after  # it is below the end of a cut listing
        if unseen or not self.before:
            return None
        return 100 * (self.after - self.before) / self.before


@dataclass(frozen=True, slots=True)
class Moved:
    """A symbol outside of the group whose share is another one in some variant."""

    symbol: str
    object: str
    percents: tuple[float | None, ...]  # one per variant; None: that listing does not show it
    most: float  # the largest change against the first variant, in points of percent


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that a report may show of a comparison."""

    command: str  # the line that reproduces it
    variants: tuple[Variant, ...]  # in the order given; at least one
    chosen: str  # how the group's symbols were found: one sentence
    differences: tuple[Difference, ...]
    moved: tuple[Moved, ...]  # most first
    notes: tuple[str, ...]  # what is to be known of it, a sentence each
    attributions: tuple[Attribution, ...] = ()  # of listings that belong to no single variant
