# SPDX-License-Identifier: GPL-2.0-only
"""Read tables written as text, one row a line, so that a diff shows one row."""

from __future__ import annotations

from uaccel.errors import BrokenInvariant
from uaccel.model.machine import OpeningRow, Role, RoleRow
from uaccel.model.source import Direction

_WAYS = {"read": (Direction.READ,), "write": (Direction.WRITE,), "both": tuple(Direction)}


def roles(table: str) -> tuple[RoleRow, ...]:
    r"""Read rows of `role | pattern | why`; a bar inside a pattern is written `\|`."""
    return tuple(_role(*_cells(line, "role | pattern | why")) for line in _lines(table))


def openings(file: str, table: str) -> tuple[OpeningRow, ...]:
    r"""Read rows of `read, write or both | times | pattern in file`; a bar is written `\|`."""
    rows = (_cells(line, "direction | times | pattern") for line in _lines(table))
    return tuple(row for cells in rows for row in _openings(file, *cells))


def _lines(table: str) -> list[str]:
    return table.strip().splitlines()


def _cells(line: str, columns: str) -> list[str]:
    cells = [cell.strip().replace("\0", "|") for cell in line.replace(r"\|", "\0").split("|")]
    if len(cells) != len(columns.split("|")) or not all(cells):
        raise BrokenInvariant(f"not a row of {columns}: {line.strip()!r}")
    return cells


def _role(role: str, pattern: str, why: str) -> RoleRow:
    if role not in {known.value for known in Role}:
        raise BrokenInvariant(f"no role is called {role!r}: {pattern!r}")
    return RoleRow(Role(role), pattern, why)


def _openings(file: str, way: str, times: str, pattern: str) -> tuple[OpeningRow, ...]:
    if way not in _WAYS or not times.isdigit():
        raise BrokenInvariant(f"no direction and times: {way!r}, {times!r} in {file}")
    return tuple(OpeningRow(one, int(times), file, pattern) for one in _WAYS[way])
