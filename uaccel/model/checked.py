# SPDX-License-Identifier: GPL-2.0-only
"""All that a report may show of a check: what was found, what is known, and what was not judged."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level
from uaccel.model.judged import Doubted, Found


@dataclass(frozen=True, slots=True)
class Entry:
    """Findings that are known, told from others by what stays when lines move."""

    rule: str
    file: str  # relative to the tree, or as it was named
    function: str
    text: str  # the line of the source, without blanks around it


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known, and how often each occurs."""

    entries: tuple[tuple[Entry, int], ...]  # sorted, each once


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that was not judged."""

    path: str  # relative to the tree, or as it was named
    why: str  # one sentence


@dataclass(frozen=True, slots=True)
class Looked:
    """How much was looked at; of a file of which one function was asked for it is the whole."""

    files: int
    holding: int  # of those, the ones that may hold a window
    functions: int  # with windows, or with accesses that need one
    windows: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check found."""

    tree: Tree | None  # None when there is none around the files
    command: str  # the line that reproduces it
    targets: tuple[str, ...]  # () for the whole tree
    patches: tuple[str, ...]  # that the files are judged with
    rules: tuple[tuple[str, str], ...]  # of all that there are, name and summary
    findings: tuple[Found, ...]  # by file and line, those of the baseline not
    known: int  # findings that the baseline has
    gone: int  # findings of the baseline that do not occur where was looked
    doubts: tuple[Doubted, ...]  # by file and line
    skipped: tuple[Unread, ...]  # by path
    looked: Looked
    names: tuple[tuple[str, str], ...]  # files that the user named, path and as they were named
    alone: frozenset[str]  # paths of files that lie in no tree
    notes: tuple[str, ...]  # one sentence each
    seconds: float  # wall time of the run

    def of(self, level: Level) -> int:
        """Return how many findings there are of `level`."""
        return sum(one.level is level for one in self.findings)

    def name(self, path: str) -> str:
        """Return the file at `path` as the user named it, if he named it."""
        return dict(self.names).get(path, path)
