# SPDX-License-Identifier: GPL-2.0-only
"""The statements of a cluster, taken apart: what a style must keep when it writes them anew.

Offsets are byte offsets into `Source.text`.  C text has its lines joined by a newline, the first
line without indentation, the others indented relative to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from uaccel.errors import BrokenInvariant
from uaccel.model.access import Access, Span


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done when an access fails."""

    leaves: bool  # what stands behind the stretch is not reached
    text: str  # statements; "" when nothing is done


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that a statement does, in the order of execution: an access, or a test."""

    access: Access | None
    test: str  # of an access: it is made when this holds, "" for always; alone: this is a fault
    value: str  # what keeps the value out of a window: "calls", "changes", ...; "" for nothing
    pointer: str  # the same of the user's pointer
    elements: tuple[str, ...] = ()  # arrays that value or test index by a variable, as C
    reaches: tuple[str, ...] = ()  # those that the user's pointer does

    @property
    def its_access(self) -> Access:
        """Return the access that it makes; who asks knows that it is no test alone."""
        if self.access is None:
            raise BrokenInvariant(f"`{self.test}` makes no access")
        return self.access


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a stretch that makes accesses; when none fails, `rest` follows."""

    span: Span  # what a style replaces
    pieces: tuple[Piece, ...]
    fault: Fault
    variable: str  # what holds the error; "" for none
    sets: bool  # the variable is set to 0 when nothing failed, whatever it held
    rest: str  # statements that follow when nothing failed
    late: bool  # `rest` calls: it can only stand behind the window
    returns: bool  # `rest` ends with a statement that leaves
    checks: tuple[str, ...]  # `!access_ok(p, n)` that were made before it, faults too
    opening: str  # C that must stand before, as a condition was cut there; "" for none
    closing: str  # C that must stand behind
    indent: str
    header: int | None  # alone in a branch without braces: where the opening brace would go
    always: bool  # on every path from the stretch's start that goes on; on every pass of a loop
    looped: bool
    guards: tuple[str, ...]  # conditions around it that hold when it is reached
    falls: bool  # as it stands, the accesses that follow are made although one of it failed
    guarded: bool  # it is only made when the one before went well: `if (!err) err = ...`
    each: bool  # all of its accesses are made, whichever fails: `A | B`
    counts: bool  # a copy's number of bytes left gets into `variable`
    resets: bool  # `variable` must be 0 right behind it, not only behind the stretch
    comment: str = ""  # on its line, where the step goes on behind it

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Return its accesses in the order in which they are made."""
        return tuple(piece.access for piece in self.pieces if piece.access is not None)

    def with_fault(self, fault: Fault) -> Step:
        """Return the step with another way to fail."""
        return replace(self, fault=fault)


@dataclass(frozen=True, slots=True)
class Leave:
    """Where control leaves a stretch without a fault: a window must be closed there."""

    at: int
    indent: str
    header: int | None  # as in Step
    end: int  # behind the statement that stands there alone
    jumps: bool  # a `break` or `continue`: a scope would catch it
    calls: bool  # it calls, or may: by an index that is checked; a scope would still be open


@dataclass(frozen=True, slots=True)
class Stretch:
    """Statements in a row, within one block, that one window could hold."""

    extent: Span
    steps: tuple[Step, ...]
    leaves: tuple[Leave, ...]
    indent: str
    header: int | None  # as in Step, of the whole stretch
    changed: tuple[tuple[int, str], ...]  # what it declares or assigns, and where; sorted
    among: tuple[Span, ...]  # other statements, which stay as they are
    elements: tuple[str, ...]  # arrays of which those take an element by a variable index, as C
    declare: int  # where a declaration can be put: behind a line of the block around it
    first: bool  # no other declaration stands there: a blank line must follow
    before_return: bool  # the function's last `return` follows at once
    zero: str  # statement that must follow when nothing failed: "err = 0;"; "" for none
    cleanup: bool  # it lies in the scope of a variable with a clean-up: guard(), __free()
    why: str | None  # why no window may hold it
    parts: tuple[Stretch, ...]  # smaller ones, for when no window may hold it whole
    inner: tuple[tuple[str, Span], ...] = ()  # names of blocks around and in it; where known

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Return the accesses of all its steps."""
        return tuple(access for step in self.steps for access in step.accesses)

    def changed_before(self, at: int) -> frozenset[str]:
        """Return the names and places that are assigned before the byte at `at`."""
        return frozenset(name for where, name in self.changed if where < at)

    def loses(self, name: str, here: Span) -> bool:
        """Return whether what `name` says at `here` is no longer known behind the stretch."""
        return any(
            one == name and known.covers(here) and self.extent.covers(known)
            for one, known in self.inner
        )
