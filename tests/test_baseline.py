# SPDX-License-Identifier: GPL-2.0-only
"""What is known is not shown again, also when lines move; all else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import judging
from tests.asking import Said, Uaccel
from tests.test_check_command import OPEN, found, lines
from uaccel.errors import UserError
from uaccel.flow.baseline import baseline, read, written
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Found

HEAD = """\
# Findings of `uaccel check` that are known: one a line, tab-separated.
# rule\tfile\tfunction\thow often\tthe line of the source
"""
KNOWN = HEAD + "".join(
    f"{rule}\t{OPEN}\t{function}\t1\t{text}\n"
    for rule, function, text in (
        ("missing-end", "toy_leaves", judging.OPEN.splitlines()[3].strip()),
        ("missing-end", "toy_notes", "user_write_access_end(); /* note missing-end */"),
        ("wrong-mode", "toy_leaves", "unsafe_put_user(1, to, fault); /* warning wrong-mode */"),
    )
)
BAD = "\tunsafe_get_user(a, b, c); /* error missing-end */\n"


@pytest.fixture(autouse=True)
def open_file(linux: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of the tree that has findings, for a judge that believes what it says."""
    monkeypatch.setattr("uaccel.flow.check.judge_file", judging.judge_file)
    return judging.grow(linux)


@pytest.fixture
def known(uaccel: Uaccel, linux: Path, tmp_path: Path) -> Path:
    """Return the baseline of the tree as it stands."""
    place = tmp_path / "known.tsv"
    assert uaccel("check", "--tree", linux, "--write-baseline", place).status == 1
    return place


def test_what_is_written_is_sorted_text(known: Path) -> None:
    assert known.read_text() == KNOWN


def test_what_is_known_is_not_shown_wherever_it_stands(
    uaccel: Uaccel, linux: Path, open_file: Path, known: Path
) -> None:
    def ask(*words: str | Path) -> Said:
        return uaccel("check", "--tree", linux, "--baseline", known, *words)

    open_file.write_text("int one;\n\tint two;\n" + judging.OPEN.replace("\t", "    "))
    said = ask()
    assert (said.status, said.stderr, lines(said.stdout)) == (0, "", [])
    assert "  -  3 findings of the baseline not shown\n" in said.stdout
    open_file.write_text(f"{judging.OPEN}\nint f(void)\n{{\n{BAD}}}\n")
    said = ask()
    assert said.status == 1
    assert lines(said.stdout) == [f"{OPEN}:18:2: error: f() is error [missing-end]"]


def test_one_more_of_the_same_is_shown(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    place, known = linux / "ipc/a.c", tmp_path / "known"
    place.write_text(f"int f(void)\n{{\n{BAD * 2}}}\n")
    uaccel("check", "--tree", linux, "--write-baseline", known, "ipc")
    assert "\tf\t2\tunsafe_get_user" in known.read_text()
    place.write_text(f"int f(void)\n{{\n{BAD * 3}}}\n")
    said = uaccel("check", "--tree", linux, "--baseline", known, "ipc")
    assert (said.status, len(lines(said.stdout))) == (1, 1)
    place.write_text(f"int f(void)\n{{\n{BAD}}}\n")
    said = uaccel("check", "--tree", linux, "--baseline", known, "ipc")
    assert (said.status, lines(said.stdout)) == (0, [])
    assert "1 finding of the baseline no longer there" in said.stdout


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ((), 4),
        (("drivers",), 2),
        ((OPEN,), 1),
        ((f"{OPEN}:toy_leaves",), 0),
        (("--rules", "wrong-mode"), 1),
        (("kernel",), 0),
    ],
)
def test_only_what_was_looked_for_can_be_gone(
    uaccel: Uaccel, linux: Path, known: Path, words: tuple[str, ...], gone: int
) -> None:
    (linux / "drivers/toy/link.c").symlink_to("nowhere.c")  # and so it is not known what it holds
    with known.open("a") as file:
        for name, rule in (
            *((OPEN, "missing-end"), ("drivers/no.c", "wrong-mode"), ("ipc/no.c", "missing-end")),
            *(("lib/no.c", "missing-end"), ("drivers/toy/link.c", "missing-end")),
        ):
            file.write(f"{rule}\t{name}\tf\t1\tx\n")
    said = uaccel("check", "--tree", linux, "--baseline", known, *words)
    assert (said.status, lines(said.stdout)) == (0, [])
    word = "finding" if gone == 1 else "findings"
    assert (f"{gone} {word} of the baseline no longer there" in said.stdout) is bool(gone)


def test_all_that_is_found_is_written_also_what_is_known(
    uaccel: Uaccel, linux: Path, known: Path, tmp_path: Path
) -> None:
    words = ("--baseline", known, "--write-baseline", tmp_path / "new", "--level", "error")
    assert uaccel("check", "--tree", linux, *words).status == 0
    assert (tmp_path / "new").read_text() == KNOWN
    assert uaccel("check", "--tree", linux, *words[:2], "--write-baseline", known).status == 0
    assert known.read_text() == KNOWN


def test_files_outside_of_a_tree_go_by_their_names(uaccel: Uaccel, tmp_path: Path) -> None:
    (tmp_path / "mine.c").write_text(judging.OPEN)
    assert uaccel("check", "mine.c", "--write-baseline", "known").status == 1
    said = uaccel("check", "mine.c", "--baseline", "known")
    assert (said.status, lines(said.stdout)) == (0, [])
    assert lines(uaccel("check", "mine.c").stdout) == found("mine.c")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("missing-end\ta.c\tf\tx", "this is no line of a baseline: it has 4 columns, not 5"),
        ("a line", "this is no line of a baseline: it has 1 columns, not 5"),
        ("missing-end\ta.c\tf\tmany\tx", "'many' is no number of findings"),
        ("missing-end\ta.c\tf\t0\tx", "'0' is no number of findings"),
        ("missing-end\ta.c\tf\t1\tx\\y", "'\\\\y' stands for nothing"),
        (KNOWN.splitlines()[2], "this finding stands there twice"),
    ],
)
def test_a_malformed_baseline_is_one_sentence(
    uaccel: Uaccel, linux: Path, known: Path, line: str, sentence: str
) -> None:
    with known.open("a") as file:
        file.write(f"\n# kept\n{line}\n")
    said = uaccel("check", "--tree", linux, "--baseline", known)
    assert said.error.startswith(f"{known}:8: ")
    assert said.error.endswith(sentence)


def test_no_baseline_is_half_written(
    uaccel: Uaccel, linux: Path, known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = known.read_text()
    (linux / OPEN).write_text(judging.SHUT)
    monkeypatch.setattr("pathlib.Path.replace", breaks)
    said = uaccel("check", "--tree", linux, "--write-baseline", known)
    assert said.error.startswith("the disk is full: ")
    assert known.read_text() == before
    assert [path.name for path in known.parent.iterdir() if path.name.startswith(".")] == []


WORDS = st.text(st.characters(blacklist_categories=()), max_size=20)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), max_size=5))
def test_any_text_comes_back_as_it_was(words: list[tuple[str, str, str, str]]) -> None:
    made = baseline(
        Found(rule or "r", function, Place(file, 1, 1), Level.NOTE, "", text)
        for rule, file, function, text in words
        if not rule.startswith("#")
    )
    assert sorted(read("x", written(made)).entries, key=repr) == sorted(made.entries, key=repr)


def test_a_rule_is_no_comment() -> None:
    with pytest.raises(UserError, match=r"^x:1: "):
        read("x", " # no\n")
