# SPDX-License-Identifier: GPL-2.0-only
"""Text for a commit message: 72 columns, ASCII, no line that git eats."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from uaccel.report.plain import line

COLUMNS = 72
# What git would take for a comment, a cut, a patch or a trailer at the start of a line.
_EATEN = re.compile(r"#|-{2,}|>|From |diff |Index: |[A-Z][\w-]*: |\(cherry picked|@@|\+\+\+")
_SCISSORS = re.compile(r">8|8<|%<|>%")


def joined(parts: Iterable[Sequence[str]]) -> str:
    """Return the lines of `parts`, those with any, an empty line between two of them."""
    return "\n\n".join("\n".join(map(_kept, part)) for part in parts if part) + "\n"


def wrapped(sentence: str, indent: str = "") -> list[str]:
    """Return the lines of a sentence; those after the first begin with `indent`."""
    # Two columns are left free: a line that git would eat is moved in by them.
    kept = ascii_only(sentence).replace(" %", "\0%")
    rows = textwrap.wrap(kept, COLUMNS - 2, subsequent_indent=indent, break_on_hyphens=False)
    return [row.replace("\0", " ") for row in rows]


def ascii_only(word: str) -> str:
    """Return `word` on one line, in ASCII."""
    return line(word).encode("ascii", "backslashreplace").decode()


def cut(word: str, columns: int) -> str:
    """Return `word`, or its beginning and a tilde where it is longer than `columns`."""
    return word if len(word) <= columns else f"{word[: columns - 1]}~"


def _kept(shown: str) -> str:
    shown = _SCISSORS.sub("~", shown)
    return (f"  {shown}" if _EATEN.match(shown) else shown).rstrip()
