# SPDX-License-Identifier: GPL-2.0-only
"""Read struct layouts written as text, as the pages of `uaccel/styles/` give them.

    struct sync32 136
     0   4  scalar  flags
     4   64 union   s
     4   36 struct  s.status  status32

is one struct of 136 bytes: each row is offset and size in bytes, counted from the start of the
whole struct, what it is, its path, and the tag of a struct that has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.source import Layout, Layouts, Member


@dataclass(frozen=True, slots=True)
class _Row:
    path: str
    offset: int
    size: int
    kind: str
    struct: str | None


def layouts(arch: str, text: str) -> Layouts:
    """Return the structs that `text` describes."""
    found: list[Layout] = []
    rows: list[_Row] = []
    for line in reversed(text.splitlines()):
        words = line.split()
        if words and words[0] == "struct":
            rows.reverse()
            found.append(Layout(words[1], int(words[2]), _members(tuple(rows), "", 0)))
            rows = []
        elif words:
            tag = words[4] if len(words) > 4 else None
            rows.append(_Row(words[3], int(words[0]), int(words[1]), words[2], tag))
    return Layouts(arch, tuple(sorted(found, key=lambda layout: layout.struct)))


def _members(rows: tuple[_Row, ...], parent: str, at: int) -> tuple[Member, ...]:
    inside = f"{parent}." if parent else ""
    mine = [
        row for row in rows if row.path.startswith(inside) and "." not in row.path[len(inside) :]
    ]
    return tuple(
        Member(
            row.path[len(inside) :],
            row.offset - at,
            row.size,
            row.kind,
            row.struct,
            _members(rows, row.path, row.offset),
        )
        for row in mine
    )
