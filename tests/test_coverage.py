# SPDX-License-Identifier: GPL-2.0-only
"""What the corpus says of the styles adds up, and what does not compile is never called fine."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from uaccel.flow import coverage, filereading, rebuild
from uaccel.flow.coverage import Answer, Covered, Fate
from uaccel.flow.ground import Ground
from uaccel.flow.rebuild import Rebuilt, Result, compared
from uaccel.host.allmod import Allmod, prepared, rebuilt
from uaccel.host.kbuild import Prepared
from uaccel.host.run import find_program
from uaccel.host.store import Store
from uaccel.host.tree import open_tree
from uaccel.model.dossier import Tree
from uaccel.model.machine import Build

FILE = "drivers/pair/pair.c"
# Ours, in the kernel's idiom: one cluster that a window holds, one that none can.
PAIRS = b"""\
struct pair {
	int first;
	int second;
};

static int pair_read(struct pair __user *user, int *first, int *second)
{
	if (get_user(*first, &user->first) ||
		get_user(*second, &user->second))
		return -EFAULT;
	return 0;
}

static int pair_write(struct pair __user *user, int first, int second)
{
	if (put_user(first, &user->first) ||
		put_user(second, &user->second) || put_user(0, second_of(user)++))
		return -EFAULT;
	return 0;
}
"""
PLAIN = b"int twice(int x) { return x + x; }\n"
MAKE = ("make", "-s", "O=/nowhere")


def silent(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def tree(linux: Path) -> Tree:
    """Return the small tree with one file more."""
    (linux / FILE).parent.mkdir(parents=True)
    (linux / FILE).write_bytes(PAIRS)
    (linux / "drivers/pair/Makefile").write_text("obj-y += pair.o\n")
    (linux / "include/linux").mkdir(parents=True, exist_ok=True)
    (linux / "include/linux/uaccess.h").write_text("#define user_access_begin(p, s) 1\n")
    return open_tree(linux)


def test_every_cluster_is_in_exactly_one_row(tree: Tree) -> None:
    """Folders sum up to the tree, fates to clusters; what was left has its sentence."""
    paths = coverage.files(tree, None, "*", 2, silent)
    assert FILE in paths
    told = coverage.coverage(tree, "window", paths, 2, silent)
    assert [one.path for one in told] == sorted(paths)
    rows = coverage.shares(told)
    whole = coverage.total(rows)
    answers = [answer for one in told for answer in one.answers]
    assert whole.clusters == len(answers) == sum(row.clusters for row in rows)
    assert whole.written == sum(answer.fate is Fate.WRITTEN for answer in answers)
    left = tuple(coverage.left(told))
    assert whole.written + len(left) == whole.clusters
    assert sum(times for _, times in coverage.sentences(told)) == len(left)
    assert all(answer.why for answer in left)
    assert "drivers/pair" in {row.folder for row in rows}


def test_a_file_that_the_scan_could_not_read_stays_in_the_sum(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a bug of the reader would make the share of what is written better."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError("an invented bug")

    whole = coverage.files(tree, None, "drivers/*", 1, silent)
    monkeypatch.setattr(filereading, "survey", crash)
    assert set(whole) <= set(coverage.files(tree, None, "drivers/*", 1, silent))


def test_what_is_written_is_in_the_text_and_what_is_refused_is_not(tree: Tree) -> None:
    """A file of one writable cluster changes by that one alone."""
    told = coverage.cover(tree, "window", FILE)
    assert {one.function for one in told.answers if one.fate is Fate.WRITTEN} == {"pair_read"}
    assert told.functions == ("pair_read",)
    assert b"user_read_access_begin" in told.after
    assert b"put_user(second" in told.after
    assert told.before == PAIRS


def test_a_crash_of_one_function_is_counted_as_broken(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other files are asked all the same, and nothing of the broken one is written."""

    def crash(*_: object) -> None:
        raise ZeroDivisionError("an invented bug")

    monkeypatch.setattr(coverage, "draft", crash)
    told = coverage.cover(tree, "window", FILE)
    assert {one.fate for one in told.answers} == {Fate.BROKEN}
    assert told.answers[0].why == "ZeroDivisionError: an invented bug"
    assert told.after == told.before
    assert coverage.sentences((told,)) == (("BROKEN: ZeroDivisionError: an invented bug", 2),)


def test_sentences_that_differ_by_a_name_are_one() -> None:
    """Identifiers in backticks do not tell refusals apart."""
    answers = tuple(
        Answer("a/b/c.c", "f", line, 2, Fate.REFUSED, f"an access overwrites `{name}`")
        for line, name in enumerate(("src", "dst"), start=1)
    )
    told = Covered("a/b/c.c", "window", answers, b"", b"", ())
    assert coverage.sentences((told,)) == (("an access overwrites `...`", 2),)


def test_a_percentage_of_nothing_is_not_a_number() -> None:
    """A folder without clusters is not covered by nought per cent."""
    assert coverage.Share("x", 0, 0, 0, 0).percent == "-"
    assert coverage.Share("x", 3, 2, 1, 0).percent == "66.7"


def test_a_style_that_the_tree_has_no_words_for_is_not_asked(tree: Tree) -> None:
    """Where there is no scope, no cluster counts as one that could be written as one."""
    assert {"window", "fieldwise"} <= set(coverage.offered(tree))
    assert "scoped" not in coverage.offered(tree)


@pytest.mark.parametrize(
    ("line", "has"),
    [
        ("/* like scoped_user_read_access() and masked_user_access_begin() */", ()),
        ("#define scoped_user_read_access(p, l) for (;;)", ("scoped",)),
        ("#define masked_user_access_begin(p) NULL", ("masked",)),
    ],
)
def test_a_header_that_only_names_a_word_does_not_have_it(
    tree: Tree, line: str, has: tuple[str, ...]
) -> None:
    """A comment defines nothing: what the dialect says is what is asked."""
    with (Path(tree.path) / "include/linux/uaccess.h").open("a") as header:
        header.write(f"{line}\n")
    assert tuple(name for name in coverage.offered(tree) if name in ("scoped", "masked")) == has


BEFORE = Build(
    arch="toy",
    toolchain="gcc 1.2.3",
    path="a/b.o",
    log="a/b.c:7:1: warning: unused variable 'x' [-Wunused-variable]\n",
    objtool="a/b.o: warning: objtool: f+0x12: call to g() with UACCESS enabled\n",
    command="cc",
    reused=False,
)


def test_a_warning_that_only_moved_is_no_new_one() -> None:
    """Lines, columns and offsets change with every rewriting."""
    log, objtool = BEFORE.log.replace("7:1", "9:3"), (BEFORE.objtool or "").replace("0x12", "0x2f")
    assert compared(BEFORE, replace(BEFORE, log=log, objtool=objtool)) == (Result.OK, "")


@pytest.mark.parametrize(
    "after",
    [
        replace(BEFORE, log=BEFORE.log * 2),
        replace(BEFORE, log=f"{BEFORE.log}a/b.c:3:1: warning: label 'x' defined but not used\n"),
        replace(BEFORE, objtool="a/b.o: warning: objtool: g+0x1: redundant UACCESS disable\n"),
    ],
    ids=["the same once more", "another of the compiler", "another of objtool"],
)
def test_a_new_warning_is_one(after: Build) -> None:
    """The multisets are compared, of the compiler and of objtool."""
    result, message = compared(BEFORE, after)
    assert result is Result.WARNS
    assert message


def test_without_an_object_it_fails_with_the_first_error() -> None:
    """Whatever warnings there are besides."""
    log = f"{BEFORE.log}a/b.c:3:1: error: 'x' undeclared\n"
    result, message = compared(BEFORE, replace(BEFORE, path=None, log=log))
    assert result is Result.FAILS
    assert message == "a/b.c:3:1: error: 'x' undeclared"


@pytest.fixture
def allmod(tree: Tree, tmp_path: Path) -> Allmod:
    """Return a folder in which a tiny file was made, as Kbuild would have left it."""
    if find_program("gcc") is None:
        pytest.skip("no gcc here")
    source = Path(tree.path, FILE)
    source.write_bytes(PLAIN)
    folder, object = tmp_path / "out", "drivers/pair/pair.o"
    made = folder / object
    made.parent.mkdir(parents=True)
    made.touch()
    saved = f"savedcmd_{object} := gcc -Wall -c -o {object} {source}\n"
    made.with_name(".pair.o.cmd").write_text(saved)
    first = Prepared(
        arch="toy",
        toolchain="gcc",
        tree=tree.path,
        folder=str(folder),
        object="first.o",
        source="first.c",
        compile=("gcc",),
        objtool=None,
        make=MAKE,
        path=(),
        config="",
        identity="toy",
        notes=(),
        seconds=0,
        reused=True,
    )
    return Allmod(tree, Store(tmp_path / "store"), first, frozenset({object}))


def test_each_way_that_a_text_can_go_has_its_result(
    allmod: Allmod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real compiler is asked; what is known is not asked again."""
    fine = PLAIN.replace(b"x + x", b"2 * x")
    assert _built(allmod, monkeypatch, fine).result is Result.OK
    wrong = _built(allmod, monkeypatch, PLAIN.replace(b"x + x", b"y"))
    assert wrong.result is Result.FAILS
    assert "error: " in wrong.message and "undeclared" in wrong.message
    loud = _built(allmod, monkeypatch, PLAIN.replace(b"{ return", b"{ int unused; return"))
    assert loud.result is Result.WARNS
    assert "unused" in loud.message
    assert not loud.reused
    assert _built(allmod, monkeypatch, fine).reused


def test_a_file_that_the_configuration_leaves_out_is_never_fine(
    allmod: Allmod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that does not even compile as it stands."""
    other = replace(allmod, objects=frozenset())
    assert _built(other, monkeypatch, b"int x;\n").result is Result.NOT_BUILT
    Path(allmod.tree.path, FILE).write_text("int twice(;\n")
    row = _built(allmod, monkeypatch, b"int x;\n")
    assert row.result is Result.NOT_BUILT
    assert row.message.startswith("as it stands it fails")


def test_a_header_is_compiled_in_the_place_of_the_tree_s(allmod: Allmod) -> None:
    """By the source that is named like it; nothing of the tree changes."""
    header = PurePosixPath("include/linux/pair.h")
    root = Path(allmod.tree.path)
    (root / header).write_text("#define PAIR 2\n")
    (root / FILE).write_text("#include <linux/pair.h>\nint pair = PAIR;\n")
    command = Path(allmod.first.folder, "drivers/pair/.pair.o.cmd")
    command.write_text(command.read_text().replace("gcc ", f"gcc -I{root}/include "))
    object = allmod.object_of(str(header))
    assert object == "drivers/pair/pair.o"
    made = prepared(allmod, object)
    assert made is not None
    assert rebuilt(allmod, made, header, b"#define PAIR 3\n").path
    wrong = rebuilt(allmod, made, header, b"#define TWO 2\n")
    assert wrong.path is None
    assert "PAIR" in wrong.log
    assert (root / header).read_text() == "#define PAIR 2\n"


def _built(allmod: Allmod, monkeypatch: pytest.MonkeyPatch, text: bytes) -> Rebuilt:
    answer = Answer(FILE, "twice", 1, 2, Fate.WRITTEN, "")
    told = Covered(FILE, "window", (answer,), PLAIN, text, ("twice",))
    monkeypatch.setattr(rebuild, "cover", lambda *_: told)
    ground = Ground(allmod.tree, allmod.store, os.environ, (), "gcc", 1, silent)
    (row,) = rebuild.rebuild(ground, allmod, ("window",), (FILE,)).rows
    return row
