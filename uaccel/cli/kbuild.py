# SPDX-License-Identifier: GPL-2.0-only
"""`make C=2 CHECK="uaccel check --kbuild"`: once for each object, so most files must end here.

Nothing that parses C is loaded for a file that holds no window.  Kbuild's words are those of
CHECK, then CHECKFLAGS and the compiler's own options, then the file.
"""

from __future__ import annotations

import os
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.walk import text_of
from uaccel.sites import may_hold_window

_FLAG = "--kbuild"
_VALUED = ("--baseline", "--file-timeout", "--level", "--rules", "--tree")
_NOT_HERE = ("--json", "--sarif", "--patch", "--write-baseline", "--strict", "--list-rules")


def calls(words: list[str]) -> bool:
    """Return whether `words` are those of a build."""
    return words[:1] == ["check"] and _FLAG in words


def sift(words: list[str]) -> list[str]:
    """Return our own of `words`, then the file; what comes after our own is the compiler's."""
    at = 1
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        if name in _NOT_HERE:
            raise UserError(f"{name} does not go with {_FLAG}, which runs once for each object")
        if name != _FLAG and name not in _VALUED:
            break
        at += 1 if name == _FLAG or equals else 2
    file = next((word for word in reversed(words[at:]) if word.endswith(".c")), None)
    if file is None and words[at:] and Path(words[-1]).is_file():
        file = words[-1]  # scripts/checker-valid.sh of 7.3 tries one without a suffix
    if file is None:
        raise UserError(
            f"{_FLAG} is for Kbuild, which ends its words with a .c file; there is none"
        )
    return [*words[:at], file]


def may_concern(file: str) -> bool:
    """Return whether the file may hold a window, by its bytes; UserError if it is not there."""
    text = text_of(file, "", os.path.realpath(file))
    return may_hold_window(text, len(text))
