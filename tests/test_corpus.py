# SPDX-License-Identifier: GPL-2.0-only
"""What the programs of the corpus write into tables, and what they end with."""

from __future__ import annotations

import os
import re
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

import pytest

import uaccel.styles
from corpus import cited, tables
from corpus.beside import Counted, Result, Verdict, beside_later, cells, failed, judged, sums
from corpus.places import Writing
from tests.cases import cases
from uaccel.count import PathCount
from uaccel.errors import UserError
from uaccel.flow.drafts import as_it_is
from uaccel.flow.targets import Target, load
from uaccel.host.tree import open_tree
from uaccel.model.dossier import Dossier, Tree
from uaccel.model.machine import Unbuilt
from uaccel.model.source import Form

CORPUS = Path(tables.__file__).parent
STYLES = Path(uaccel.styles.__file__).parent
WHY = "drivers/pair.o was not made: {}/drivers/pair.c:7:1: error: invented"


def studied(tree: Tree, _args: object) -> Dossier:
    """Return a study in which nothing could be built, said as a compiler says it."""
    none = Unbuilt("toy", WHY.format(tree.path))
    return Dossier(tree, "", (), (), (none,), (), (), (), (), (), 0, 0, 0.0)


@pytest.mark.parametrize("named", ["linux", "linux/", "link", "link/../linux"])
def test_no_path_of_a_machine_is_in_a_table(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """However the tree was named: relative, by a link, by a way around."""
    (tmp_path / "link").symlink_to(linux)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cited, "_studied", studied)
    monkeypatch.setattr(tables, "obey_signals", lambda: None)
    monkeypatch.setattr("sys.argv", ["cited.py", "--tree", named, "--out", "cited.tsv"])
    assert cited.main() == 0
    text = Path("cited.tsv").read_text()
    assert "unknown: drivers/pair.o was not made: drivers/pair.c:7:1: error: invented" in text
    assert os.fspath(tmp_path) not in text


@pytest.mark.parametrize(
    ("error", "status"), [(UserError("no tree here"), 2), (KeyboardInterrupt(), 130)]
)
def test_every_program_ends_alike(
    error: BaseException,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A user error and Ctrl-C have one line and a status of their own."""

    def answer(_: Namespace) -> int:
        raise error

    monkeypatch.setattr(tables, "obey_signals", lambda: None)
    monkeypatch.setattr("sys.argv", ["some.py"])
    assert tables.answered(ArgumentParser("some.py"), answer) == status
    assert capsys.readouterr().err.startswith("some.py: ")


PAIR = """\
struct pair {
	int first;
	int second;
};

static int pair_read(struct pair __user *user, int *first, int *second)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(*first, &user->first, fault);
	unsafe_get_user(*second, &user->second, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int pair_plain(struct pair __user *user, int *first, int *second)
{
	if (get_user(*first, &user->first) || get_user(*second, &user->second))
		return -EFAULT;
	return 0;
}
"""
FILE = "drivers/pair.c"


@pytest.fixture
def targets(linux: Path) -> tuple[Target, Target]:
    """Return a function in a window, and one field by field."""
    (linux / FILE).write_text(PAIR)
    tree = open_tree(linux)
    return load(tree, (f"{FILE}:pair_read",))[0], load(tree, (f"{FILE}:pair_plain",))[0]


def ours(targets: tuple[Target, Target], style: str, result: Result) -> Counted:
    """Return what is said of the window that people wrote, written in `style`."""
    stands, _ = targets
    tree = Tree("/nowhere", "7.3.4")
    writing = Writing(tree, style, stands, None, "", stands, stands)
    return Counted(writing, 0, "toy", None, None, Verdict(result))


NONE: frozenset[tuple[str, str]] = frozenset()


@pytest.mark.parametrize("style", ["window", "masked", "scoped", "fieldwise", "structcopy"])
@pytest.mark.parametrize("result", [Result.FAILS, Result.BROKEN])
def test_what_fails_or_broke_is_a_failure_in_every_style(
    targets: tuple[Target, Target], style: str, result: Result
) -> None:
    """Whatever it is compared with, and whatever was judged."""
    row = ours(targets, style, result)
    assert failed([row], frozenset({row.place})) == (row,)


def test_more_is_a_failure_beside_the_same_style_alone(targets: tuple[Target, Target]) -> None:
    """A judged function may need more; another style is shown and decides nothing."""
    rows = [ours(targets, s, Result.MORE) for s in ("window", "masked", "scoped", "fieldwise")]
    assert [row.writing.style for row in failed(rows, NONE)] == ["window", "masked"]
    assert failed(rows, judged(f"file\tfunction\n{FILE}\tother, pair_read\twhy\n")) == ()
    assert failed(rows, judged("file\tfunction\nfs/other.c\tpair_read\twhy\n")) != ()
    scoped = [replace(row, later=Form.SCOPED) for row in rows]
    assert [row.writing.style for row in failed(scoped, NONE)] == ["scoped"]
    (said,) = (one for one in sums(rows, NONE) if one.startswith("more"))
    assert said == (
        "more: 2 beside people's of the same style, of them 0 in judged functions; "
        "2 beside another style"
    )


def test_what_people_wrote_is_no_failure_of_ours(targets: tuple[Target, Target]) -> None:
    """Nor is a sentence or what needs no more."""
    assert failed([ours(targets, "", Result.UNKNOWN)], NONE) == ()
    fine = (Result.NO_MORE, Result.REFUSED, Result.UNKNOWN)
    assert failed([ours(targets, "window", one) for one in fine], NONE) == ()


def counted(instructions: int) -> PathCount:
    """Return a path of so many instructions."""
    return PathCount(instructions, 2, instructions, 2, (), (), "")


def test_where_nothing_stood_ours_is_beside_what_people_wrote_later(
    targets: tuple[Target, Target],
) -> None:
    """The figure of the later tree decides, and the form that stands there."""
    later, plain = targets
    tree = Tree("/nowhere", "7.3.4")
    people = Writing(tree, "", later, as_it_is(later), "", later, later)
    writing = Writing(replace(tree, version="6.12.1"), "window", plain, None, "", later, plain)
    mine = Counted(writing, 0, "toy", counted(12), None, Verdict(Result.NO_MORE))
    stands = Counted(people, 0, "toy", counted(10), None, Verdict(Result.STANDS))
    row = beside_later([mine, stands])[0]
    assert (row.verdict.result, row.later) == (Result.MORE, Form.WINDOW)
    assert cells(row)[13] == "more, than in the later tree"
    assert failed([row], NONE) == (row,)
    alone = beside_later([mine])[0]
    assert cells(alone)[13] == "unknown: of the later tree; than before: no more"


def _nameless(sentence: str) -> str:
    quoted = re.sub(r"`[^`]*`", "``", sentence)
    named = re.sub(r"\b(macro|function|struct|on|means|and) [\w-]+(?=,|$| )", r"\1 N", quoted)
    return re.sub(r"\d+", "N", named)


@pytest.mark.parametrize(
    "table", sorted(CORPUS.glob("refusals-v*.tsv")), ids=lambda path: path.stem
)
def test_what_is_said_of_a_tree_has_an_example_in_the_page_of_the_style(table: Path) -> None:
    shown = {
        page.stem: {
            _nameless(line)
            for case in cases(page.read_text())
            for block in case.of("refusal")
            for line in block.text.splitlines()
        }
        for page in STYLES.glob("*.md")
    }
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    said = [(style, _nameless(why)) for style, _, why in rows]
    # A macro is written out first: then the sentence is one of the plain statements.
    missing = {
        (style, why)
        for style, why in said
        if why not in shown[style] and why.partition("; written out, ")[2] not in shown[style]
    }
    assert len(said) > 50 and not missing
