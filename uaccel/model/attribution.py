# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions of an annotated function serve which user access, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.annotation import Annotation


@dataclass(frozen=True, slots=True)
class Share:
    """One user access with the instructions that serve it alone."""

    number: int  # from 1, in the order of the listing
    what: str  # "stw r20,0(r10)", or the C of the access where it is known
    direction: str  # "read", "write", "" when the instruction does not tell
    percent: float  # of the function's samples
    rows: tuple[int, ...]  # indices into `Annotation.rows`


@dataclass(frozen=True, slots=True)
class Windowed:
    """One opening of user memory up to its closing, with what leads to it."""

    number: int  # from 1
    shares: tuple[Share, ...]
    percent: float  # of the function's samples: opening, closing, range check, all accesses
    rows: tuple[int, ...]  # indices into `Annotation.rows`, the ones of `shares` among them
    closed: bool  # its closing is in the listing


@dataclass(frozen=True, slots=True)
class Attribution:
    """What user access costs in one annotated function."""

    annotation: Annotation
    arch: str  # name of an architecture of the catalogue; "" when none fits
    how: str  # "by line information", "by the instruction pattern of ppc8xx", ...
    windows: tuple[Windowed, ...]
    unknown: tuple[str, ...]  # what cannot be known from this listing, a sentence each

    @property
    def percent(self) -> float:
        """Return what all windows have of the function's samples."""
        return sum(window.percent for window in self.windows)

    @property
    def instructions(self) -> int:
        """Return how many instructions serve them."""
        return sum(len(window.rows) for window in self.windows)

    @property
    def accesses(self) -> int:
        """Return how many accesses were found."""
        return sum(len(window.shares) for window in self.windows)
