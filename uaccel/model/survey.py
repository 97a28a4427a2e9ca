# SPDX-License-Identifier: GPL-2.0-only
"""What a scan knows of a file: the class of every candidate line, and the clusters found."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.source import Candidate, Direction, Form, Kind

__all__ = ["Candidate", "Kind", "Sighting", "Survey"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A cluster, or a window that stands already, without its text."""

    function: str
    line: int  # where its first statement starts
    column: int  # of that statement, counted from 1
    last_line: int
    direction: Direction
    form: Form
    accesses: int  # transfers written in the source
    longest: int  # of them on one path: what is executed at most when nothing loops
    looped: bool  # at least one of them stands in a loop that could be in the window as a whole
    pointers: tuple[str, ...]  # the user objects: "src", "arg->ptr"; sorted
    pair: int | None  # line of the cluster of the other direction on the same object
    joined: bool  # the pair could share one window, open for reads and writes
    convertible: bool | None  # whether some style writes it; None: not known without a build
    why: str  # why not, or why it is not known; "" when convertible
    callers: tuple[str, ...]  # functions of the file it may be inlined into, nearest first


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read in one file."""

    path: str  # relative to the tree, with forward slashes
    candidates: tuple[Candidate, ...]  # in the order of the lines, each line once
    sightings: tuple[Sighting, ...]  # in the order of the lines
