# SPDX-License-Identifier: GPL-2.0-only
"""What an architecture of one tree offers to a window, and what a cluster would gain from it."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.source import Direction, Form

STANDING = (Form.WINDOW, Form.MASKED, Form.SCOPED)  # forms that are one window already


@dataclass(frozen=True, slots=True)
class Header:
    """A file of the tree that says how user memory is reached."""

    path: str  # relative to the tree, with forward slashes
    text: str | None  # None: it is there and cannot be read


@dataclass(frozen=True, slots=True)
class Openings:
    """How often user memory is opened; every opening is closed again."""

    access: int  # around one plain access: get_user(), a copy
    begin: int  # by the begin of one window
    inside: int  # around one unsafe_*() in a window

    def saved(self, accesses: int) -> int:
        """Return how many openings one window saves around `accesses` on a path."""
        return max(accesses * (self.access - self.inside) - self.begin, 0)


@dataclass(frozen=True, slots=True)
class Support:
    """What one architecture offers in the tree at hand; None is: not known."""

    arch: str
    folder: str  # below arch/
    begin: bool | None  # it defines user_access_begin() of its own
    apart: bool | None  # it defines a begin for reading and one for writing too
    masked: tuple[str, ...] | None  # masked begins that may be used: of "read", "write", "rw"
    scoped: bool | None  # the tree has scoped_user_*_access()
    asm_goto_output: bool | None  # its accessors use asm goto with outputs, if the compiler can
    copies: bool | None  # it has unsafe_copy_from_user(): of its own, or the plain copy
    reads: Openings | None
    writes: Openings | None
    opens: str  # one sentence: what one access opens and closes
    headers: tuple[str, ...]  # files of the tree that this was read from
    why: str | None  # why no window saves an opening here, or why that is not known; else None

    def openings(self, direction: Direction) -> Openings | None:
        """Return what accesses of `direction` open."""
        return self.reads if direction is Direction.READ else self.writes


@dataclass(frozen=True, slots=True)
class Folder:
    """An architecture of the tree that the catalogue does not describe."""

    name: str  # below arch/
    begin: bool | None  # it defines user_access_begin() of its own; None: not known
    headers: tuple[str, ...]  # files of the tree that this was read from


@dataclass(frozen=True, slots=True)
class Gain:
    """What one window would save of one cluster on one architecture."""

    arch: str
    saved: int | None  # openings on the longest path of its accesses; None: not known
    at_least: bool  # it saves that many or more: an access is repeated by a loop
    why: str  # one sentence why it saves none, or why that is not known; else ""
