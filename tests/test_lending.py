# SPDX-License-Identifier: GPL-2.0-only
"""What a tree lacks is brought by a change to its own header, first of a series."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from shutil import copytree

import pytest

from tests.asking import Uaccel
from tests.test_series import SELF, git, imported, mails, toys  # noqa: F401
from uaccel.flow.dialect import dialects_of
from uaccel.host.tree import find_tree
from uaccel.lending import COPY, LINUX, lending
from uaccel.model.source import Source
from uaccel.read.reading import read_source

TREES = ("tree_6_1", "tree_6_12", "tree_7_3")
MIXED = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/uaccess.h>

struct hull {
\tint kind;
\tchar name[24];
};

int toy_hull_set(struct hull *hull, const struct hull __user *arg)
{
\tif (get_user(hull->kind, &arg->kind) ||
\t    copy_from_user(hull->name, arg->name, sizeof(hull->name)))
\t\treturn -EFAULT;
\treturn 0;
}
"""


@pytest.mark.parametrize("named", TREES)
def test_who_has_no_copy_of_its_own_is_lent_one(named: str, request: pytest.FixtureRequest) -> None:
    tree = find_tree(str(request.getfixturevalue(named)), None)
    known = dialects_of(tree)
    assert known.everywhere.lent is not None
    lent = {name for name, one in known.apart if one.lent is not None}
    for name, one in known.apart:
        folder = Path(tree.path, "arch", name, "include")
        texts = [path.read_text() for path in folder.rglob("uaccess*.h")]
        own = any(re.search(r"#[ \t]*define user_access_begin\b", text) for text in texts)
        copies = any(re.search(rf"#[ \t]*define {COPY}\b", text) for text in texts)
        assert (name in lent) == (own and not copies), name
        assert one.copies_from == (name not in lent)
        assert one.extended.copies_from
    assert lent


@pytest.mark.parametrize("named", TREES)
def test_the_header_that_lends_parses_and_lends_once(
    named: str, request: pytest.FixtureRequest
) -> None:
    text = Path(request.getfixturevalue(named), LINUX).read_text()
    after = lending(text)
    assert after is not None
    assert len(re.findall(rf"^#ifndef {COPY}$", after, re.MULTILINE)) == 1
    assert [line for line in text.splitlines() if line not in after] == []
    conditions = re.findall(r"^#[ \t]*(if|endif)", after, re.MULTILINE)
    assert conditions.count("if") == conditions.count("endif")
    before, later = (
        read_source(Source(PurePosixPath(LINUX), one.encode())) for one in (text, after)
    )
    assert len(later.broken) <= len(before.broken)


def test_another_header_lends_nothing() -> None:
    assert lending("") is None
    assert lending("#define user_access_end() do { } while (0)\n#endif\n") is None


@pytest.fixture
def hulls(toys: Path, tree_6_12: Path) -> Path:  # noqa: F811
    """Return the small tree with the headers of 6.12 and a copy among single reads."""
    for folder in ("include/linux", "arch/x86/include/asm", "arch/powerpc/include/asm"):
        (toys / folder).mkdir(parents=True)
        for name in ("uaccess.h", "uaccess_64.h"):
            if (tree_6_12 / folder / name).exists():
                (toys / folder / name).write_bytes((tree_6_12 / folder / name).read_bytes())
    (toys / "drivers/toy/hull.c").write_text(MIXED)
    return toys


def test_what_is_lent_is_the_first_patch_of_a_series(uaccel: Uaccel, hulls: Path) -> None:
    imported(hulls)
    words = ("--tree", hulls, "--series", "out", "--from", SELF)
    said = uaccel("convert", *words, "drivers")
    assert said.status == 0, said.stderr
    made = mails("out")
    assert len(made) == 5
    front, first, *others = made.values()
    assert f"rovide {COPY}() for every architecture\n" in first
    assert re.search(r"windows with\s+user_access_begin\(\)", first)
    assert "x86 opens" in first.replace("\n", " ")
    assert re.findall(r"^\+\+\+ b/(.*)", first, re.MULTILINE) == [LINUX]
    assert not any(LINUX in one for one in others)
    assert "2 clusters" not in first
    assert "4 clusters of user accesses" in front.replace("\n", " ")
    taken = git(hulls, "am", *(str(Path("out", name).absolute()) for name in list(made)[1:]))
    assert (taken.status, taken.stderr) == (0, "")
    again = uaccel("convert", *words, "drivers/toy/hull.c")
    assert "nothing to convert" in again.stderr


def test_a_patch_brings_what_it_needs(uaccel: Uaccel, hulls: Path, tmp_path: Path) -> None:
    said = uaccel("convert", "--tree", hulls, "drivers/toy/hull.c")
    assert said.status == 0, said.stderr
    files = re.findall(r"^\+\+\+ b/(.*)", said.stdout, re.MULTILINE)
    assert sorted(files) == ["drivers/toy/hull.c", LINUX]
    copy = copytree(hulls, tmp_path / "copy")
    taken = git(copy, "apply", "-", text=said.stdout)
    assert (taken.status, taken.stderr) == (0, "")
    again = uaccel("convert", "--tree", copy, "drivers/toy/hull.c")
    assert again.stdout == ""


def test_a_mail_says_what_stays_outside(uaccel: Uaccel, toys: Path) -> None:  # noqa: F811
    # This tree has no header that could be changed.
    text = MIXED.replace("int kind;", "int kind, mass;").replace(
        "\tif (get_user(hull->kind, &arg->kind) ||\n\t    copy",
        "\tif (get_user(hull->kind, &arg->kind) || get_user(hull->mass, &arg->mass))\n"
        "\t\treturn -EFAULT;\n\tif (copy",
    )
    (toys / "drivers/toy/hull.c").write_text(text)
    words = ("--tree", toys, "--series", "out", "--json", "said.json", "--from", SELF)
    said = uaccel("convert", *words, "drivers/toy/hull.c")
    assert said.status == 0, said.stderr
    _, patch = mails("out").values()
    assert "toy_hull_set(): 3 reads, 1 of them left outside\n" in patch
    (cluster,) = json.loads(Path("said.json").read_text())["clusters"]
    assert (cluster["accesses"], cluster["left"]) == (3, 1)
