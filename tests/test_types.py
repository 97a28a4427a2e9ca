# SPDX-License-Identifier: GPL-2.0-only
"""Layouts of structs come out of debug information."""

from __future__ import annotations

from pathlib import Path

import pytest

from uaccel.model.source import Layouts, Member
from uaccel.read.types import read_layouts

OBJECTS = Path(__file__).parent / "objects"


def read(name: str, *tags: str) -> Layouts:
    """Return the structs `tags` of tests/objects/NAME.o."""
    return read_layouts((OBJECTS / f"{name}.o").read_bytes(), name, tags)


def members(layouts: Layouts, tag: str) -> dict[str, Member]:
    """Return the members of a struct by their names."""
    layout = layouts.find(tag)
    assert layout is not None
    return {member.name: member for member in layout.members}


@pytest.mark.parametrize(
    ("name", "big", "next_", "size"),
    [
        ("x86_64", 8, 32, 56),
        ("riscv64", 8, 32, 56),
        ("s390x", 8, 32, 56),
        ("arm", 8, 28, 48),
        ("ppc8xx", 8, 28, 48),
        ("x86_64-dwarf4", 8, 32, 56),
    ],
)
def test_offsets_are_the_architecture_s(name: str, big: int, next_: int, size: int) -> None:
    """Pointers have 4 or 8 bytes, and what follows moves."""
    layouts = read(name, "outer")
    found = members(layouts, "outer")
    assert (found[""].offset, found["next"].offset) == (big, next_)
    outer = layouts.find("outer")
    assert outer is not None
    assert outer.size == size


def test_kinds_are_told_apart() -> None:
    """Only scalars can be accessed one by one; a bitfield has no address."""
    kinds = {
        name: member.kind for name, member in members(read("ppc8xx", "outer"), "outer").items()
    }
    assert kinds == {
        "a": "scalar",
        "": "union",
        "in": "struct",
        "bit": "bitfield",
        "next": "scalar",
        "rest": "array",
    }


def test_an_array_is_as_long_as_all_its_dimensions() -> None:
    """A hole in a copy is found by adding up sizes."""
    assert members(read("arm", "outer"), "outer")["rest"].size == 12


def test_anonymous_members_nest() -> None:
    """C reaches into them as if they were not there."""
    (big, anonymous) = members(read("ppc8xx", "outer"), "outer")[""].members
    assert big.name == "big"
    assert (anonymous.name, [inner.name for inner in anonymous.members]) == ("", ["low", "high"])


def test_typedefs_and_qualifiers_are_peeled() -> None:
    """`in` is an inner_t, which is a struct inner, whose members are const and volatile."""
    layouts = read("x86_64", "outer")
    assert members(layouts, "outer")["in"].struct == "inner"
    inner = members(layouts, "inner")
    assert (inner["flags"].kind, inner["pair"].kind, inner["pair"].size) == ("scalar", "array", 4)


def test_a_struct_that_is_not_described_is_not_invented() -> None:
    """The caller must then refuse."""
    assert read("x86_64", "absent").find("absent") is None
