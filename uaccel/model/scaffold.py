# SPDX-License-Identifier: GPL-2.0-only
"""What stands in a function only to hold a window open, and what remains without it."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.access import Direction, Span

_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Unsafe:
    """One statement `unsafe_get_user(value, pointer, label);`, one of its kin, or a macro of them.

    Without the window the checked accessor stands there: `get_user(value, pointer)`.
    """

    statement: Span  # with the comment behind it
    calls: tuple[tuple[str, tuple[str, ...]], ...]  # checked accessor and arguments, C text
    direction: Direction
    fault: str  # what leaves there without the window: "return -EFAULT;", "goto efault;"
    comment: str  # behind the statement on its line; "" for none
    indent: str  # white space before the statement, as it is without the window
    joins: bool  # it follows the one before at once and leaves alike: one condition for both

    @property
    def copies(self) -> bool:
        """Return whether it copies several bytes instead of one scalar."""
        return any("copy" in name for name, _ in self.calls)


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes that stand there for the window alone, and what takes their place."""

    span: Span
    text: str  # "" for nothing


@dataclass(frozen=True, slots=True)
class Held:
    """What stood in a window, in a text that has it no more: what the tree vouched for there."""

    span: Span  # from where it was opened to its last access
    open: Span  # to its first end: in this the window was open on every path
    pointer: str  # C, where its begin started; "" where that said no size
    size: str  # C, bytes
    begun: str  # how its failed begin left, when that is not how a fault leaves: "return size;"
    checked: bool  # its begin checked that range, on every machine


@dataclass(frozen=True, slots=True)
class Scaffold:
    """How a window can be unmade, together with every other window of its function.

    Two windows may end at one label: the first one has the cuts that belong to all of them.
    """

    accesses: tuple[Unsafe, ...]  # in the order of the text
    cuts: tuple[Cut, ...]  # none overlaps another one, or accesses that are joined
    begun: str  # how a failed begin leaves, when that is not how a fault leaves: "return size;"
    covers: str  # the arguments of its begin, pointer and size: "prev, reclen + prev_reclen"
    obstacle: str | None  # one sentence: why it cannot be unmade
    held: Span = _NOWHERE  # from behind what opens it to its last access
    open: Span = _NOWHERE  # to its first end
    others: bool = False  # it masks or fences other pointers than that of its begin
