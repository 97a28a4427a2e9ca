# SPDX-License-Identifier: GPL-2.0-only
"""Find the candidates of a C file: where it names an accessor and opens a parenthesis."""

from __future__ import annotations

import re

# Python looks for the fixed part first: a pattern that starts with `\b` would be tried at every
# byte of the tree.
_OPENS = re.compile(rb"_user[^\S\n]*\(")
_CALLS = re.compile(rb"_user(?:_inatomic)?\s*\(")
_STEM = re.compile(
    rb"\b((?:__)?(?:get|put|clear)|_*copy_(?:from|to)|unsafe_(?:get|put|copy_from|copy_to))\Z"
)
_LONGEST = 40  # bytes before `_user`: more underscores than anybody writes

Found = tuple[tuple[int, str], ...]  # offset and name, in the order of the text


def candidates(text: bytes) -> Found:
    """Return every accessor that opens a parenthesis on its line, as `grep -E` finds them."""
    return _named(text, _OPENS)


def calls(text: bytes) -> Found:
    """Return every accessor with a parenthesis behind it, on that line or a later one."""
    return _named(text, _CALLS)


def _named(text: bytes, pattern: re.Pattern[bytes]) -> Found:
    found = []
    for match in pattern.finditer(text):
        at = match.start()
        stem = _STEM.search(text[max(0, at - _LONGEST) : at])
        if stem is not None:
            tail = match[0].rstrip(b"( \t\r\n\f\v")
            found.append((at - len(stem[1]), (stem[1] + tail).decode()))
    return tuple(found)
