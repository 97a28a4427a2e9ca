# SPDX-License-Identifier: GPL-2.0-only
"""A profile: where the samples of a run fell, with the calls that led there when they are known.

Every share is in percent of all samples of its profile, user and kernel together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Tool(Enum):
    """Whose text a profile was read from."""

    SCRIPT = "perf script"
    REPORT = "perf report"
    TOP = "perf top"
    FOLDED = "folded stacks"
    DIFF = "perf diff"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function as a profile names it."""

    name: str  # without what compilers append: "finish_task_switch"
    written: str  # as the profile has it: "finish_task_switch.isra.0"
    object: str  # "[kernel.kallsyms]", "libc.so.6"; "" when the profile does not say
    kernel: bool | None  # None: the profile does not say
    inlined: bool = False  # into the next symbol of its stack, so it is none of the object's


@dataclass(frozen=True, slots=True)
class Row:
    """What one symbol of the object has by itself."""

    symbol: Symbol
    percent: float  # its own, in percent of all samples
    with_callees: float | None  # and that of all it called, in percent; None when not said
    command: str  # the program that ran; "" when not said
    marked: bool = False  # a person put an arrow or a star beside it


@dataclass(frozen=True, slots=True)
class Stack:
    """Samples that fell on the same symbols."""

    symbols: tuple[Symbol, ...]  # innermost first; what is inlined stands before where it is
    percent: float  # of all samples
    whole: bool  # false: it goes on, but the profile does not say where


@dataclass(frozen=True, slots=True)
class Profile:
    """One listing, or one event of one recording."""

    tool: Tool
    event: str  # "cycles"; "" when not said
    samples: str  # how many, as the profile says it: "3722", "3K"; "" when it does not
    title: str  # the line of prose before it, as a mail has one; "" when there is none
    rows: tuple[Row, ...]  # in the order of the text, or heaviest first
    stacks: tuple[Stack, ...]  # () without call chains; of a listing, those that it shows
    unread: int  # lines that look like part of it and could not be read
    first_unread: str  # the first of them; "" when there is none

    @property
    def has_chains(self) -> bool:
        """Return whether it says who called what."""
        return bool(self.stacks)
