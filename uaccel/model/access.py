# SPDX-License-Identifier: GPL-2.0-only
"""One user access and where it stands: the smallest records of C as it was read.

Offsets are byte offsets into `Source.text`; intervals are half-open; lines count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from uaccel.errors import BrokenInvariant


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of bytes, `start` included, `end` not."""

    start: int
    end: int

    def covers(self, other: Span) -> bool:
        """Return whether `other` lies within this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Source:
    """One C file of a kernel tree, as it was read."""

    path: PurePosixPath  # relative to the tree
    text: bytes

    def quote(self, span: Span) -> str:
        """Return the text of `span`; bytes that are no UTF-8 survive as surrogates."""
        return self.text[span.start : span.end].decode(errors="surrogateescape")

    def line(self, offset: int) -> int:
        """Return the number of the line that holds the byte at `offset`."""
        return self.text.count(b"\n", 0, offset) + 1


class Direction(Enum):
    """Which way the bytes go, seen from the kernel."""

    READ = "read"
    WRITE = "write"


class Form(Enum):
    """How a cluster stands in the source."""

    FIELDWISE = "fieldwise"
    WINDOW = "window"
    MASKED = "masked"
    SCOPED = "scoped"
    STRUCTCOPY = "structcopy"
    HELPER = "helper"

    @property
    def checks_range(self) -> bool:
        """Return whether its begin checks a range on every machine."""
        return self in (Form.WINDOW, Form.HELPER)


@dataclass(frozen=True, slots=True)
class Access:
    """One transfer between the kernel and user memory.

    For `get_user(value, pointer)` and its kin, `value` is the kernel's lvalue or value.
    For a copy, `value` is the kernel's pointer and `size` the number of bytes.
    """

    accessor: str  # as written: "get_user", "unsafe_put_user", "copy_to_user", ...
    direction: Direction
    call: Span  # the whole call expression
    value: Span
    pointer: Span  # the user side, an expression of type `T __user *`
    size: Span | None  # of a copy, else None
    base: str | None  # `src` in `&src->c.control.appl_ptr`; None when it is no plain name
    path: str | None  # `c.control.appl_ptr` there; "" for the base itself; None when not plain
    impure: bool  # an argument calls, assigns, reads a volatile or an element by a variable index

    @property
    def copies(self) -> bool:
        """Return whether this is a copy of several bytes instead of one scalar."""
        return self.size is not None

    @property
    def length(self) -> Span:
        """Return the number of bytes of a copy; who asks knows that it is one."""
        if self.size is None:
            raise BrokenInvariant(f"{self.accessor}() at byte {self.call.start} is no copy")
        return self.size
