# SPDX-License-Identifier: GPL-2.0-only
"""Patches go where they were asked to go, and a second time finds nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.asking import POINT, TOY, Uaccel
from tests.fakelinux import contents
from uaccel.flow.drafts import as_it_is
from uaccel.flow.patches import judge
from uaccel.flow.targets import load
from uaccel.host.run import run
from uaccel.host.store import Store
from uaccel.host.tree import open_tree
from uaccel.model.judgement import Outcome


def test_convert_writes_a_patch_to_stdout_and_remarks_to_stderr(
    uaccel: Uaccel, linux: Path
) -> None:
    before = contents(linux)
    said = uaccel("convert", "--tree", linux, POINT)
    assert said.status == 0
    assert said.stdout.startswith(f"diff --git a/{TOY} b/{TOY}\n--- a/{TOY}\n+++ b/{TOY}\n@@ ")
    assert "+\tunsafe_put_user(kept.x, &from->x, write_fault);\n" in said.stdout
    assert said.stderr.startswith(f"uaccel: {POINT}: The range check now covers all of `*from`")
    assert contents(linux) == before
    command = run(
        ("git", "apply", "--check", "-"), folder=linux, timeout=20, stdin=said.stdout.encode()
    )
    assert (command.status, command.stderr) == (0, "")


def test_two_targets_are_two_patches_that_apply_alone(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("convert", "--tree", linux, POINT, f"{TOY}:toy_set_point")
    assert said.status == 0
    assert said.stdout.count("diff --git") == 2


def test_what_a_style_refuses_is_status_1_and_no_patch(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("convert", "--tree", linux, f"{TOY}:toy_get_height")
    assert (said.status, said.stdout) == (1, "")
    assert f"uaccel: {TOY}:toy_get_height:write@39: window refused: " in said.stderr


def test_what_checkpatch_does_not_like_is_status_1(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("convert", "--tree", linux, "drivers/toy/other.c:other_get_pair")
    assert said.status == 1
    assert said.stdout.startswith("diff --git")
    assert "checkpatch: fail: 0 errors, 0 warnings, 1 checks: CHECK: ugly is no word" in said.stderr


def test_in_place_replaces_one_file_and_a_second_time_finds_nothing(
    uaccel: Uaccel, linux: Path
) -> None:
    (linux / TOY).chmod(0o640)
    patch = uaccel("convert", "--tree", linux, POINT).stdout
    before = contents(linux)
    said = uaccel("convert", "--tree", linux, "--in-place", POINT)
    after = contents(linux)
    assert (said.status, said.stdout) == (0, f"{linux / TOY}\n")
    assert {name for name in after if after[name] != before.get(name)} == {TOY}
    assert after.keys() == before.keys()
    assert (linux / TOY).stat().st_mode & 0o7777 == 0o640
    back = run(("git", "apply", "-R"), folder=linux, timeout=20, stdin=patch.encode())
    assert (back.status, contents(linux)) == (0, before)

    uaccel("convert", "--tree", linux, "--in-place", POINT)
    for place in ((), ("--in-place",)):
        again = uaccel("convert", "--tree", linux, *place, POINT)
        assert (again.status, again.stdout) == (0, "")
        assert "nothing to convert: every cluster stands as window already" in again.stderr
    assert contents(linux) == after


def test_in_place_replaces_the_whole_file_or_nothing(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(linux)
    uaccel("convert", "--tree", linux, POINT)  # what git and checkpatch say is remembered

    def full(_self: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    said = uaccel("convert", "--tree", linux, "--in-place", POINT)
    assert said.error.startswith("the disk is full: ")
    assert contents(linux) == before


def test_output_takes_a_file_per_function(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    before = contents(linux)
    shown = uaccel("convert", "--tree", linux, POINT)
    said = uaccel("convert", "--tree", linux, "--output", "out/deep", POINT)
    place = Path("out/deep/drivers-toy-toy-toy_get_point-window.patch")
    assert (said.status, said.stdout) == (0, f"{place}\n")
    assert (tmp_path / place).read_text() == shown.stdout
    assert contents(linux) == before


def test_two_functions_of_one_file_are_replaced_together(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("convert", "--tree", linux, "--in-place", POINT, f"{TOY}:toy_set_point")
    assert said.stdout == f"{linux / TOY}\n"
    for point in (POINT, f"{TOY}:toy_set_point"):
        again = uaccel("convert", "--tree", linux, point)
        assert "nothing to convert" in again.stderr
        assert again.stdout == ""


def test_checkpatch_writes_nothing_into_the_tree(tree_6_12: Path, tmp_path: Path) -> None:
    """For an odd name it keeps a list in its working folder, and it obeys a file in $HOME."""
    tree = open_tree(tree_6_12)
    text = "--- a/kernel/a.c\n+++ b/kernel/a.c\n@@ -1 +1,2 @@\n int a;\n+int aField;\n"
    (made,) = load(tree, ("sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat",))
    before = sorted(tree_6_12.iterdir())
    answers = dict(judge(tree, Store(tmp_path), as_it_is(made), f"diff --git a/a b/a\n{text}"))
    assert answers["checkpatch"].outcome is Outcome.FAIL
    assert "CamelCase" in answers["checkpatch"].why
    assert sorted(tree_6_12.iterdir()) == before
