# SPDX-License-Identifier: GPL-2.0-only
"""All that a report may show."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.comparison import Comparison
from uaccel.model.exhibit import Exhibit
from uaccel.model.judgement import Measurement, Verdict
from uaccel.model.machine import Unbuilt


@dataclass(frozen=True, slots=True)
class Tree:
    """A kernel tree on disk."""

    path: str  # absolute
    version: str  # "6.12.117", from its Makefile


@dataclass(frozen=True, slots=True)
class Subject:
    """A cluster as a report names it."""

    id: str  # "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat:write@3234"
    file: str
    function: str
    line: int
    direction: str  # "read" or "write"
    form: str  # how it stands in the tree: a style's name
    accesses: int


@dataclass(frozen=True, slots=True)
class Declined:
    """A refusal as a report shows it."""

    cluster: str  # id of a Subject
    style: str
    why: str


@dataclass(frozen=True, slots=True)
class Patch:
    """One style of one function as a unified diff that `git apply` takes."""

    style: str
    function: str
    file: str
    text: str
    path: str | None  # where it was written; None when it was not asked for
    differences: tuple[str, ...]  # what a user program could notice


@dataclass(frozen=True, slots=True)
class Target:
    """An architecture as the study used it."""

    arch: str
    title: str
    compiler: str
    config: str
    protection: str
    gain: str | None  # why there is nothing, or less, to gain here; None when there is


@dataclass(frozen=True, slots=True)
class Dossier:
    """What one study found."""

    tree: Tree
    command: str  # the line that reproduces it
    subjects: tuple[Subject, ...]
    targets: tuple[Target, ...]
    unbuilt: tuple[Unbuilt, ...]  # architectures without a compiler, or whose build failed
    measurements: tuple[Measurement, ...]
    verdicts: tuple[Verdict, ...]
    refusals: tuple[Declined, ...]
    patches: tuple[Patch, ...]
    notes: tuple[str, ...]  # what was seen and could not be placed, and other plain sentences
    built: int  # objects compiled in this run
    reused: int  # objects taken from the store
    seconds: float  # wall time of the run
    exhibit: Exhibit | None = None  # None: it was not asked for
    comparison: Comparison | None = None  # of profiles that the user gave
