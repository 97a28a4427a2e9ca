# SPDX-License-Identifier: GPL-2.0-only
"""Patches of the user's as ways of writing functions of a kernel that boots."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path, PurePosixPath

import pytest

from uaccel.errors import UserError
from uaccel.flow.brought import Patch, brought
from uaccel.flow.targets import load
from uaccel.host.tree import open_tree

TOY = "drivers/toy/toy.c"
TARGET = f"{TOY}:toy_get_point"


def patch(linux: Path, path: str, old: str, new: str) -> Patch:
    """Return a patch that writes `new` for `old` in the file at `path`."""
    place = linux / path
    before = place.read_text() if place.is_file() else ""
    assert old in before
    pair = (before.splitlines(keepends=True), before.replace(old, new, 1).splitlines(keepends=True))
    head = (f"a/{path}", f"b/{path}") if before else ("/dev/null", f"b/{path}")
    return Patch("mine", "mine.patch", "".join(unified_diff(*pair, *head)).encode())


def test_a_patch_is_a_way_of_writing_the_files_that_it_changes(linux: Path) -> None:
    tree = open_tree(linux)
    before = (linux / TOY).read_text()
    given = patch(linux, TOY, "toy_get_point", "noinline_for_stack toy_get_point")
    (way,) = brought(tree, (given,), load(tree, (TARGET,)))
    assert way.name == "mine"
    assert way.texts is not None
    assert list(way.texts) == [PurePosixPath(TOY)]
    assert b"noinline_for_stack toy_get_point" in way.texts[PurePosixPath(TOY)]
    assert (linux / TOY).read_text() == before


def test_a_header_is_not_linked_anew(linux: Path) -> None:
    (linux / "drivers/toy/toy.h").write_text("int toy;\n")
    tree = open_tree(linux)
    given = patch(linux, "drivers/toy/toy.h", "int toy", "long toy")
    with pytest.raises(UserError, match=r"mine\.patch touches drivers/toy/toy\.h: a kernel is"):
        brought(tree, (given,), load(tree, (TARGET,)))


def test_a_new_file_is_not_linked(linux: Path) -> None:
    tree = open_tree(linux)
    given = patch(linux, "drivers/toy/new.c", "", "int toy;\n")
    with pytest.raises(UserError, match=r"drivers/toy/new\.c"):
        brought(tree, (given,), load(tree, (TARGET,)))


def test_what_does_not_apply_is_refused(linux: Path) -> None:
    tree = open_tree(linux)
    given = patch(linux, TOY, "toy_get_point", "toy_get_line")
    text = (linux / TOY).read_text()
    (linux / TOY).write_text(text.replace("toy_get_point", "toy_get_circle"))
    with pytest.raises(UserError, match=r"mine\.patch does not apply: git says"):
        brought(tree, (given,), load(tree, (f"{TOY}:toy_get_circle",)))


def test_a_patch_of_another_file_asks_for_a_target(linux: Path) -> None:
    other = linux / "drivers/toy/other.c"
    other.write_text("int other;\n")
    with (linux / "drivers/toy/Makefile").open("a") as file:
        file.write("obj-y += other.o\n")
    tree = open_tree(linux)
    given = patch(linux, "drivers/toy/other.c", "int other", "long other")
    with pytest.raises(UserError, match=r"changes drivers/toy/other\.c, where none of .* is"):
        brought(tree, (given,), load(tree, (TARGET,)))
