# SPDX-License-Identifier: GPL-2.0-only
"""C in colours, and two versions of it side by side, as a script draws them."""

from __future__ import annotations

from difflib import SequenceMatcher

from pygments.lexers.c_cpp import CLexer
from pygments.token import Comment, Keyword, Name, Number, String

_CLASSES = (
    (Comment.Preproc, "p"),
    (Comment.PreprocFile, "p"),
    (Comment, "c"),
    (Keyword.Type, "t"),
    (Keyword, "k"),
    (Name.Function, "f"),
    (Name.Label, "l"),
    (Number, "n"),
    (String, "s"),
)
SAME, CHANGED, GONE, NEW = range(4)  # of a row of a diff


class Lines:
    """Lines of C, each once, however many variants have it."""

    __slots__ = ("_known", "told")

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], int] = {}
        self.told: list[tuple[str, ...]] = []  # class, text, class, text, ... of each line

    def number(self, text: str) -> list[int]:
        """Return the numbers of the lines of `text`."""
        return [self._of(line) for line in _lines(text)]

    def _of(self, line: tuple[str, ...]) -> int:
        if line not in self._known:
            self._known[line] = len(self.told)
            self.told.append(line)
        return self._known[line]


def rows(before: list[int], after: list[int]) -> list[tuple[int, int, int]]:
    """Return a diff: what a row is, and which line it has on each side, from 0; -1 for none."""
    made: list[tuple[int, int, int]] = []
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            made += [(SAME, a + at, c + at) for at in range(b - a)]
            continue
        both = min(b - a, d - c)
        made += [(CHANGED, a + at, c + at) for at in range(both)]
        made += [(GONE, at, -1) for at in range(a + both, b)]
        made += [(NEW, -1, at) for at in range(c + both, d)]
    return made


def _lines(text: str) -> list[tuple[str, ...]]:
    lines: list[list[str]] = [[]]
    for kind, value in CLexer(stripnl=False, ensurenl=False).get_tokens(text):
        for at, piece in enumerate(value.split("\n")):
            if at:
                lines.append([])
            _add(lines[-1], _class(kind), piece)
    if text.endswith("\n"):
        lines.pop()
    return [tuple(line) for line in lines]


def _add(line: list[str], name: str, piece: str) -> None:
    if not piece:
        return
    if line and line[-2] == name:
        line[-1] += piece
    else:
        line += (name, piece)


def _class(kind: object) -> str:
    return next((name for wide, name in _CLASSES if kind in wide), "")
