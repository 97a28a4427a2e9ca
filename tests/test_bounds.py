# SPDX-License-Identifier: GPL-2.0-only
"""Which members have no size that a compiler could check an index against."""

from __future__ import annotations

import pytest

from uaccel.read.bounds import unbound
from uaccel.read.definitions import read_header


def is_unbound(*texts: str, asked: tuple[str, str] = ("lamp", "rows")) -> bool:
    """Return whether the member that is asked for has no size in any of the headers."""
    headers = tuple(read_header(text.encode()) for text in texts)
    return unbound(headers, {asked}) == {asked}


@pytest.mark.parametrize(
    "member",
    (
        "u32 *rows;",
        "u32 count, *rows;",
        "struct lamp_row __user *rows;",
        "char **rows;",
        "u32 (*rows)[4];",
        "u32 count; u32 rows[];",
        "struct { u32 count; u32 *rows; };",
        "#ifdef CONFIG_ROWS\n\tu32 *rows;\n#endif",
    ),
)
def test_pointers_and_what_has_no_size(member: str) -> None:
    assert is_unbound(f"struct lamp {{\n\tint on;\n\t{member}\n}};\n")


@pytest.mark.parametrize(
    "member",
    (
        "u32 rows[4];",
        "u32 rows[ROWS];",
        "u32 rows[0];",
        "u32 rows[1];",
        "u32 *rows[4];",
        "u32 rows[][4];",
        "u32 count; u32 rows[] __counted_by(count);",
        "u32 count; u32 *rows __counted_by_ptr(count);",
        "rows_t rows;",
        "DECLARE_BITMAP(rows, 8);",
        "u32 other;",
        "#ifdef CONFIG_ROWS\n\tu32 *rows;\n#else\n\tu32 rows[4];\n#endif",
        "struct { u32 rows[4]; } first; u32 *rows;",
    ),
)
def test_what_may_have_a_size(member: str) -> None:
    assert not is_unbound(f"struct lamp {{\n\tint on;\n\t{member}\n}};\n")


def test_every_definition_must_agree() -> None:
    pointer, array = "struct lamp { u32 *rows; };\n", "struct lamp { u32 rows[4]; };\n"
    assert is_unbound(pointer, pointer)
    assert not is_unbound(pointer, array)
    assert not is_unbound()


def test_a_path_goes_through_structs_with_a_name() -> None:
    inner = "struct table { u32 *rows; };\n"
    asked = ("lamp", "table.rows")
    assert is_unbound(inner, "struct lamp { struct table table; };\n", asked=asked)
    assert is_unbound(inner, "struct lamp { struct table *table; };\n", asked=asked)
    assert not is_unbound(inner, "struct lamp { table_t *table; };\n", asked=asked)
    assert not is_unbound("struct lamp { struct table *table; };\n", asked=asked)
