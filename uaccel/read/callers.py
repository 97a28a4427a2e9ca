# SPDX-License-Identifier: GPL-2.0-only
"""Find into which functions of its file the compiler may have inlined a function."""

from __future__ import annotations

import re

from uaccel.read.pieces import Piece, piece_at

_STATIC = re.compile(rb"\bstatic\b")
_DEPTH = 4  # calls deep: what is inlined further is rare
_MOST = 64  # callers: a function with more is inlined into few of them


def callers(clean: bytes, piece: Piece) -> tuple[str, ...]:
    """Return the functions of the file that call the one of `piece`, nearest first.

    A function that is not static has a symbol of its own, and only that; so has a caller, whose
    own callers are then not asked for.  `clean` is the file without comments.
    """
    found: dict[str, None] = {}
    own = _is_static(clean, piece.header.start, piece.header.end)
    level = [piece.name] if own else []
    for _ in range(_DEPTH):
        above: list[str] = []
        for name in level if len(found) < _MOST else ():
            for caller in _calling(clean, name):
                if caller.name in found or caller.name == piece.name:
                    continue
                found[caller.name] = None
                if _is_static(clean, caller.header.start, caller.header.end):
                    above.append(caller.name)
        level = above
    return tuple(found)


def _is_static(clean: bytes, start: int, end: int) -> bool:
    return _STATIC.search(clean, start, end) is not None


def _calling(clean: bytes, name: str) -> list[Piece]:
    found: dict[str, Piece] = {}
    for match in re.finditer(rb"%b\s*\(" % re.escape(name.encode()), clean):
        before = clean[match.start() - 1 : match.start()]
        piece = None if before.isalnum() or before == b"_" else piece_at(clean, match.start())
        if piece is not None:
            found.setdefault(piece.name, piece)
    return list(found.values())
