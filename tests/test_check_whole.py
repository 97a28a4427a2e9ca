# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel check` with its own judge: C of ours with one defect, by every way that leads there."""

from __future__ import annotations

import io
import os
import sys
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.asking import Uaccel
from tests.test_check_command import lines
from tests.test_check_kbuild import OPTIONS, ROOT
from uaccel.host.run import run

FILE = "drivers/toy/leak.c"
GOOD = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/uaccess.h>
#include "leak.h"

static long toy_leak(int __user *from)
{
	int x;

	if (!user_read_access_begin(from, sizeof(*from)))
		return -EFAULT;
	toy_get(x, from, fault);
	toy_end();
	return x;
fault:
	user_read_access_end();
	return -EFAULT;
}
"""
BAD = GOOD.replace("\ttoy_end();\n", "")
GET = "#define toy_get(x, from, label) unsafe_get_user(x, from, label)\n"
HEADER = f"{GET}#define toy_end() user_read_access_end()\n"
ALONE = BAD.replace("toy_get", "unsafe_get_user")
HERE = ":12:2: error: "


@pytest.fixture
def leak(linux: Path) -> Path:
    """Return a file of the tree that leaves a window open."""
    (linux / FILE).with_name("leak.h").write_text(HEADER)
    place = linux / FILE
    place.write_text(BAD)
    return place


def begins(said: str, *heads: str) -> None:
    """Expect one finding for each of `heads`."""
    found = lines(said)
    assert len(found) == len(heads), said
    for line, head in zip(found, heads, strict=True):
        assert line.startswith(head)


def diff(path: str, old: str, new: str) -> str:
    """Return the diff of one file."""
    sides = (f"a/{path}", f"b/{path}")
    return "".join(unified_diff(old.splitlines(True), new.splitlines(True), *sides))


def test_a_tree_a_file_and_a_function(uaccel: Uaccel, linux: Path, leak: Path) -> None:
    begins(uaccel("check", "--tree", linux).stdout, f"{FILE}{HERE}")
    begins(uaccel("check", leak).stdout, f"{leak}{HERE}")
    begins(uaccel("check", f"{leak}:toy_leak").stdout, f"{leak}{HERE}")
    leak.write_text(GOOD)
    assert uaccel("check", "--strict", leak).status == 0


def test_outside_of_a_tree(uaccel: Uaccel, tmp_path: Path) -> None:
    (tmp_path / "leak.c").write_text(ALONE)
    said = uaccel("check", "leak.c")
    assert (said.status, said.stderr) == (1, "")
    begins(said.stdout, f"leak.c{HERE}")


def test_on_stdin(uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(ALONE.encode())))
    begins(uaccel("check", "-").stdout, f"<stdin>{HERE}")


def test_of_a_patch(uaccel: Uaccel, linux: Path, leak: Path, tmp_path: Path) -> None:
    patch = tmp_path / "patch"
    patch.write_text(diff(FILE, BAD, GOOD))
    assert uaccel("check", "--tree", linux, "--patch", patch).status == 0
    leak.write_text(GOOD)
    patch.write_text(diff(FILE, GOOD, BAD))
    begins(uaccel("check", "--tree", linux, "--patch", patch).stdout, f"{FILE}{HERE}")


def test_of_a_patch_that_changes_a_header(
    uaccel: Uaccel, linux: Path, leak: Path, tmp_path: Path
) -> None:
    patch = tmp_path / "patch"
    leak.write_text(GOOD)
    header = FILE.replace(".c", ".h")
    empty = f"{GET}#define toy_end() do {{ }} while (0)\n"
    patch.write_text(diff(header, HEADER, empty) + diff(FILE, GOOD, GOOD + "int more;\n"))
    said = uaccel("check", "--tree", linux, "--patch", patch, "--level", "error")
    begins(said.stdout, f"{FILE}:13:2: error: ")


MAKEFILE = """\
CHECKFLAGS := -D__linux__ -Wbitwise --arch=x86 -m64
%.o: %.c
	$(CHECK) $(CHECKFLAGS) -Wp,-MMD,$*.d -include ./x.h -DKBUILD_STR\\(s\\)=\\#s $<
	touch $@
"""


def test_of_a_build(uaccel: Uaccel, linux: Path, leak: Path, tmp_path: Path) -> None:
    said = uaccel("check", "--kbuild", *OPTIONS, leak)
    assert (said.status, said.stdout) == (0, "")
    begins(said.stderr, f"{leak}{HERE}")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    check = f"{sys.executable} -m uaccel.cli.__main__ check --kbuild"
    made = run(
        ("make", f"CHECK={check}", "linux/drivers/toy/leak.o", "linux/drivers/toy/calm.o"),
        folder=tmp_path,
        timeout=60,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert made.status == 0, made.stderr
    begins(made.stderr, f"linux/{FILE}{HERE}")
    assert (linux / "drivers/toy/leak.o").exists()
