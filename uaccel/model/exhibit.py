# SPDX-License-Identifier: GPL-2.0-only
"""What a page shows beside the figures: source and code of every variant, and every fault."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """A function as one style writes it, beside how it stands."""

    function: str  # "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat"
    style: str
    line: int  # where `before` begins in the file
    before: str  # C
    after: str
    after_line: int = 0  # where `after` begins in the variant's file; 0: as `line`
    also: str = ""  # diff of what the patch changes outside of the function; "" for nothing


@dataclass(frozen=True, slots=True)
class Shown:
    """One instruction of a variant, tied to what it serves."""

    address: int  # bytes from where the function begins
    text: str
    role: str  # value of a Role, "" for none
    cluster: int | None  # index into `Code.clusters`
    access: int | None  # index into that cluster's `Code.accesses`; None: of no single one
    window: int | None  # number of the window that stands open there, from 0; None for none
    touches: bool  # it reaches user memory, or calls what does
    counted: bool  # it is counted on the cluster's success path
    line: int  # of this variant's source; 0 when not known


@dataclass(frozen=True, slots=True)
class Code:
    """One function as one compiler made it of one style."""

    function: str  # as of `Passage`
    style: str  # the form in which it stands, for the function unchanged
    arch: str
    compiler: str
    config: str
    clusters: tuple[str, ...]  # ids of subjects
    accesses: tuple[tuple[str, ...], ...]  # of each cluster, each access as C, in this variant
    insns: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Met:
    """One run of a variant beside the function as it stands, and what came of it."""

    function: str
    style: str
    arch: str
    what: str  # one clause: "the 3rd access faults for good"
    step: int | None  # guarded instructions before the one that faults; None: nothing faults so
    sticky: bool  # and so does every access after it
    results: tuple[int | None, int | None]  # as it stands, rewritten; None: it did not return
    reached: tuple[int, int]  # user accesses that came about, likewise
    closed: bool  # no window stands open at the end of the rewritten one
    outcome: str  # "same", "declared", "different"
    why: str  # of the last two: one sentence; else ""
    alike: int = 1  # runs that differ from this one in nothing but numbers, itself among them


@dataclass(frozen=True, slots=True)
class Exhibit:
    """All of it, of one study."""

    passages: tuple[Passage, ...]
    codes: tuple[Code, ...]
    met: tuple[Met, ...]
