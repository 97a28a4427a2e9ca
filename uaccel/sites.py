# SPDX-License-Identifier: GPL-2.0-only
"""Count the candidate lines of a file as `grep -E` does: what a scan's classes must add up to.

The C is read elsewhere, by other code: what that forgets or invents shows here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# `get_user (` and its kin.  Only lines that hold `_user` are tried: bytes.find() is ten times
# faster through a whole tree than a pattern that starts with `\b`.
_ACCESSOR = re.compile(
    rb"\b(?:(?:(?:__)?(?:get|put|clear)|unsafe_(?:get|put|copy_from|copy_to)|_*copy_(?:from|to))"
    rb"_user)(?=[^\S\n]*\()"
)
_WINDOWS = (b"access_begin", b"access_end", b"unsafe_", b"scoped_user_", b"scoped_masked_user_")


class Site(NamedTuple):
    """A candidate line, by the first accessor on it."""

    line: int
    column: int  # of the accessor's first byte, counted from 1
    accessor: str


def sites(text: bytes | bytearray, end: int) -> Iterator[Site]:
    """Yield the candidate lines of the first `end` bytes of `text`, each once."""
    number, counted = 1, 0
    at = text.find(b"_user", 0, end)
    while at >= 0:
        first = text.rfind(b"\n", 0, at) + 1
        last = text.find(b"\n", at, end)
        last = end if last < 0 else last
        match = _ACCESSOR.search(text, first, last)
        if match is not None:
            number, counted = number + text.count(b"\n", counted, first), first
            yield Site(number, match.start() - first + 1, match[0].decode())
        at = text.find(b"_user", last, end)


def opens_windows(text: bytes | bytearray, end: int) -> bool:
    """Return whether the first `end` bytes of `text` name what opens a window."""
    names = (b"_access_begin", b"scoped_user_")
    return any(text.find(name, 0, end) >= 0 for name in names)


def may_hold_window(text: bytes | bytearray, end: int) -> bool:
    """Return whether a window, or what needs one, may stand in the first `end` bytes of `text`.

    It says yes to all words of read/opening.py, and costs nothing to load: see cli/kbuild.py.
    """
    return any(text.find(name, 0, end) >= 0 for name in _WINDOWS)
