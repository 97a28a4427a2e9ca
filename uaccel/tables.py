# SPDX-License-Identifier: GPL-2.0-only
"""Read tables written as text, one row a line, so that a diff shows one row."""

from __future__ import annotations

from uaccel.errors import BrokenInvariant
from uaccel.model.machine import Role, RoleRow


def roles(table: str) -> tuple[RoleRow, ...]:
    r"""Read rows of `role | pattern | why`; a bar inside a pattern is written `\|`."""
    return tuple(_row(line) for line in table.strip().splitlines())


def _row(line: str) -> RoleRow:
    cells = [cell.strip().replace("\0", "|") for cell in line.replace(r"\|", "\0").split("|")]
    if len(cells) != 3 or not all(cells):
        raise BrokenInvariant(f"not a row of role | pattern | why: {line.strip()!r}")
    role, pattern, why = cells
    if role not in {known.value for known in Role}:
        raise BrokenInvariant(f"no role is called {role!r}: {line.strip()!r}")
    return RoleRow(Role(role), pattern, why)
