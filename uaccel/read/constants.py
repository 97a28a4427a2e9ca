# SPDX-License-Identifier: GPL-2.0-only
"""Constants of C that a type depends on: sizes of arrays, values of an enumeration."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import add, lshift, mul, sub

from uaccel.read.definitions import Names

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|[1-9]\d*|0[0-7]*)([uUlL]*)")
_OPERATORS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul, "<<": lshift}
_SIGN = re.compile(r"\w+|<<|[^\s\w]")
_BITS = 31
_INT = 1 << 31


class Constants:
    """The constants that macros of some headers stand for."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[str, int | None] = {}

    def number(self, tokens: tuple[str, ...]) -> int | None:
        """Return the constant that `tokens` are, None when it is not known."""
        words = tokens
        while words[:1] == ("(",) and words[-1:] == (")",) and ")" not in words[1:-1]:
            words = words[1:-1]
        if len(words) == 1:
            return self._one(words[0])
        if len(words) != 3 or words[1] not in _OPERATORS:
            return None
        left, right = self._one(words[0]), self._one(words[2])
        if left is None or right is None or not 0 <= right < _INT:
            return None
        if words[1] == "<<" and right >= _BITS:
            return None
        return _OPERATORS[words[1]](left, right)

    def _one(self, word: str) -> int | None:
        found = literal(word)
        if found is not None or not word.isidentifier():
            return found
        if word not in self._known:
            self._known[word] = None  # a macro that names itself is no constant
            texts = {tuple(_SIGN.findall(one.text)) for one in self._names.of("define", word)}
            values = {self.number(text) for text in texts}
            self._known[word] = values.pop() if len(values) == 1 else None
        return self._known[word]


def literal(word: str) -> int | None:
    """Return the number that `word` is written as, None when it is none."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    text = found[1]
    if text[1:2] in ("x", "X"):
        return int(text, 16)
    return int(text, 8) if text[0] == "0" and len(text) > 1 else int(text)


def enum_fits(body: tuple[str, ...]) -> bool:
    """Return whether all values of an enumeration are known to fit an int.

    `body` are the words between its braces; a value that a macro gives is not known.
    """
    names: set[str] = set()
    items = " ".join(body).split(" , ")
    for item in items:
        words = item.split()
        if not words:
            continue
        if not _item_fits(words[2:], names) or (words[1:2] not in ([], ["="])):
            return False
        names.add(words[0])
    return True


def _item_fits(words: list[str], names: set[str]) -> bool:
    for at, word in enumerate(words):
        value = literal(word)
        if value is not None:
            shifted = at > 0 and words[at - 1] == "<<"
            if value >= (31 if shifted else _INT) or "l" in word.lower().removeprefix("0x"):
                return False
        elif word not in names and word not in ("+", "-", "|", "(", ")", "<<", "&"):
            return False
    # 1 << 4 and 1 | 2 fit; what is shifted further than that by two steps does not stand here.
    shifts = words.count("<<")
    return shifts == 0 or (shifts == 1 and words[words.index("<<") - 1] == "1")
