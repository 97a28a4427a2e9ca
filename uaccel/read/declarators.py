# SPDX-License-Identifier: GPL-2.0-only
"""The words of a C declaration, read from the left."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d\w*|\"[^\"]*\"|'[^']*'|<<|>>|[^\s\w]")
_SAY_NOTHING = ("__counted_by", "__counted_by_le", "__counted_by_be", "__no_randomize_layout")
_ALIGNED = re.compile(r"(?:__)?aligned(?:__)? \( (\d+) \)")
_PACKED = re.compile(r"(?:__)?packed(?:__)?")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What attributes say about a layout."""

    packed: bool = False
    aligned: int | None = None  # bytes

    def joined(self, other: Attributes) -> Attributes:
        """Return what both say together."""
        both = [one for one in (self.aligned, other.aligned) if one is not None]
        return Attributes(self.packed or other.packed, max(both, default=None))


class Tokens:
    """The words and signs of a text, one after the other."""

    def __init__(self, text: str) -> None:
        self._left = list(reversed(_TOKEN.findall(text)))

    @property
    def next(self) -> str:
        """Return the next word or sign, "" at the end."""
        return self._left[-1] if self._left else ""

    def is_at(self, token: str) -> bool:
        """Return whether `token` comes next; "" is the end."""
        return self.next == token

    def take(self, token: str) -> bool:
        """Return whether `token` came next, and go behind it if so."""
        if not self._left or self.next != token:
            return False
        self._left.pop()
        return True

    def word(self) -> str:
        """Return the next word or sign, and go behind it; "" at the end."""
        return self._left.pop() if self._left else ""

    def group(self, opening: str, closing: str) -> tuple[str, ...] | None:
        """Return what stands between two signs that match, and go behind the second."""
        if not self.take(opening):
            return None
        found: list[str] = []
        depth = 1
        while self._left:
            token = self.word()
            depth += (token == opening) - (token == closing)
            if depth == 0:
                return tuple(found)
            found.append(token)
        return None

    def attributes(self, qualifiers: Collection[str] = ()) -> Attributes | None:
        """Return what the attributes that come next say, None when one of them is not known."""
        said = Attributes()
        while True:
            if self.next in qualifiers:
                self.word()
                continue
            if self.take("__packed"):
                said = said.joined(Attributes(packed=True))
                continue
            if self.next in _SAY_NOTHING:
                self.word()
                self.group("(", ")")
                continue
            if self.next not in ("__attribute__", "__aligned"):
                return said
            one = self._attribute(self.word())
            if one is None:
                return None
            said = said.joined(one)

    def _attribute(self, word: str) -> Attributes | None:
        inside = self.group("(", ")")
        if inside is None:
            return None
        text = " ".join(inside)
        if word == "__aligned":
            return Attributes(aligned=int(text)) if text.isdigit() else None
        said = Attributes()
        text = text.removeprefix("(").removesuffix(")").strip()
        for part in text.split(" , "):
            aligned = _ALIGNED.fullmatch(part)
            if aligned is None and _PACKED.fullmatch(part) is None:
                return None
            one = Attributes(aligned is None, int(aligned[1]) if aligned is not None else None)
            said = said.joined(one)
        return said

    def declarator(self, qualifiers: Collection[str]) -> tuple[bool, str | None]:
        """Return whether a pointer is declared, and its name; None when it is not understood."""
        pointer = False
        while self.next == "*" or self.next in qualifiers:
            pointer |= self.word() == "*"
        if not self.is_at("("):
            name = self.word()
            return pointer, name if name.isidentifier() and not self.is_at("(") else None
        # `(*name)(...)`: a function is behind the pointer; `(*name)[4]` an array.
        inside = [one for one in self.group("(", ")") or () if one not in qualifiers]
        if len(inside) != 2 or inside[0] != "*" or not inside[1].isidentifier():
            return pointer, None
        if self.is_at("("):
            self.group("(", ")")
        else:
            self.dimensions()
        return True, inside[1]

    def dimensions(self) -> list[tuple[str, ...]]:
        """Return the words between each pair of brackets that comes next."""
        found: list[tuple[str, ...]] = []
        while self.is_at("["):
            found.append(self.group("[", "]") or ())
        return found
