# SPDX-License-Identifier: GPL-2.0-only
"""Read tables written as text, one row a line, so that a diff shows one row."""

from __future__ import annotations

import re

from uaccel.errors import BrokenInvariant
from uaccel.model.machine import OpeningRow, Role, RoleRow
from uaccel.model.run import Field, FixupRow
from uaccel.model.source import Direction

_WAYS = {"read": (Direction.READ,), "write": (Direction.WRITE,), "both": tuple(Direction)}


def roles(table: str) -> tuple[RoleRow, ...]:
    r"""Read rows of `role | pattern | why`; a bar inside a pattern is written `\|`."""
    return tuple(_role(*_cells(line, "role | pattern | why")) for line in _lines(table))


def openings(file: str, table: str) -> tuple[OpeningRow, ...]:
    r"""Read rows of `read, write or both | times | pattern in file`; a bar is written `\|`."""
    rows = (_cells(line, "direction | times | pattern") for line in _lines(table))
    return tuple(row for cells in rows for row in _openings(file, *cells))


def fixup_fields(table: str) -> tuple[Field, ...]:
    """Read words of `name:shift:width` in bits, with `:signed` behind a signed one."""
    cells = (word.split(":") for word in table.split())
    return tuple(Field(one[0], int(one[1]), int(one[2]), len(one) == 4) for one in cells)


def fixup_rows(table: str) -> tuple[FixupRow, ...]:
    """Read rows of `kind | effects`; what stands there are numbers or fields.

    Effects are `REGISTER := VALUE`, perhaps with `if FIELD`, `REGISTER := OTHER + N * REGISTER`,
    `zero N at REGISTER`, or `shorten the move`, with semicolons between them, and `-` for none.
    """
    return tuple(_fixup(*_cells(line, "kind | effects")) for line in _lines(table))


_SETS = re.compile(r"(?P<register>\w+(?:\+1)?) := (?P<value>-?\w+)(?P<only> if \w+)?")
_SCALES = re.compile(r"(\w+) := (\w+) \+ (\w+) \* \1")
_CLEARS = re.compile(r"zero (?P<bytes>\w+) at (?P<register>\w+)")


def _fixup(kind: str, effects: str) -> FixupRow:
    sets: list[tuple[str, str]] = []
    clears = scales = None
    shortens = False
    for effect in effects.split("; ") if effects != "-" else ():
        if match := _SETS.fullmatch(effect):
            sets.append((match["register"] + (match["only"] or ""), match["value"]))
        elif match := _SCALES.fullmatch(effect):
            scales = match[1], match[2], match[3]
        elif match := _CLEARS.fullmatch(effect):
            clears = match["register"], match["bytes"]
        elif effect == "shorten the move":
            shortens = True
        else:
            raise BrokenInvariant(f"no effect of a fixup: {effect!r} in {kind}")
    return FixupRow(kind, tuple(sets), clears, scales, shortens)


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
