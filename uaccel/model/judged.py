# SPDX-License-Identifier: GPL-2.0-only
"""What the rules for windows make of files: findings, and what could not be judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from uaccel.model.flowgraph import Doubt, Finding, Level, Place, Walked
from uaccel.model.source import Layouts


@dataclass(frozen=True, slots=True)
class Unit:
    """A function that was walked, with what is known around it: what a rule may look at."""

    walked: Walked
    others: Mapping[str, Walked]  # all graphs of the file and its headers, by key
    layouts: tuple[Layouts, ...] = ()  # its structs, one per data model; () when not known
    inlined: Mapping[str, bool] = field(default_factory=dict)  # what compiles to no call, or does
    needy: frozenset[str] = frozenset()  # helpers that access user memory in a caller's window
    directed: bool = True  # the tree has masked begins for one way
    apart: bool = True  # reading and writing open apart on some architecture that compiles it
    landed: bool = False  # the tree's accessors jump to a label of their own, then to the given one


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for windows.  Named after its module, with hyphens: that name is stable."""

    summary: str  # one clause: "every path closes what it opened"
    ask: Callable[[Unit], Iterator[Finding | Doubt]]


@dataclass(frozen=True, slots=True)
class Found:
    """One finding with the rule that made it."""

    rule: str
    function: str  # that it stands in
    place: Place
    level: Level
    message: str
    text: str  # the line of the source it stands on, without blanks around it


@dataclass(frozen=True, slots=True)
class Doubted:
    """Something that could not be judged, and by which rule; "" for all of them."""

    rule: str
    function: str
    place: Place
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in one file."""

    path: str  # relative to the tree, or as it was named
    functions: int  # that hold windows or accesses that need one
    windows: int  # begins and scopes in them
    findings: tuple[Found, ...]  # in the order of the lines, each once
    doubts: tuple[Doubted, ...]
    skipped: str = ""  # why the file was not read; then there is nothing else
