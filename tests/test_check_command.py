# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel check` as a shell sees it; what the rules find is said by the C itself."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from tests import judging
from tests.asking import Uaccel
from tests.fakelinux import contents
from tests.test_pool import remaining
from tests.test_run import python
from uaccel.flow.judge import RULES, Ground
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Found, Judged

OPEN = "drivers/toy/open.c"
FOUND = [
    ":4:2: error: toy_leaves() is error [missing-end]",
    ":6:2: warning: toy_leaves() is warning [wrong-mode]",
    ":13:2: note: toy_notes() is note [missing-end]",
]
LINE = re.compile(r"\S+:\d+:\d+: (error|warning|note): .*")


@pytest.fixture(autouse=True)
def open_file(linux: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of the tree that has findings, for a judge that believes what it says."""
    monkeypatch.setattr("uaccel.flow.check.judge_file", judging.judge_file)
    return judging.grow(linux)


def lines(text: str) -> list[str]:
    """Return the lines of `text` that an editor follows."""
    return [line for line in text.splitlines() if LINE.fullmatch(line)]


def found(file: str | Path, *numbers: int) -> list[str]:
    """Return what is said of `file`: all findings, or some."""
    return [f"{file}{FOUND[number]}" for number in numbers or range(len(FOUND))]


def test_findings_are_lines_and_the_tree_stays_as_it_is(uaccel: Uaccel, linux: Path) -> None:
    before = contents(linux)
    (linux / "drivers/calm").mkdir()
    said = uaccel("check", "--tree", linux)
    assert (said.status, said.stderr) == (1, "")
    assert lines(said.stdout) == found(OPEN)
    *_, counts, _, files, again = [line for line in said.stdout.splitlines() if line]
    assert "1 error, 1 warning, 1 note" in said.stdout
    assert "1 place not judged; -v lists them" in counts + files + said.stdout
    assert re.search(r"^\d+ files looked at, 2 read: 3 functions, 2 windows, ", files, re.M)
    assert again == f"again  uaccel check --tree {linux}"
    assert contents(linux) == before


def test_nothing_found_is_status_0(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("check", "--tree", linux, "drivers/toy/shut.c")
    assert (said.status, said.stderr, lines(said.stdout)) == (0, "", [])
    assert "0 errors, 0 warnings, 0 notes" in said.stdout


@pytest.mark.parametrize("folder", ["Documentation", "tools", "scripts"])
def test_what_is_no_kernel_code_is_left_out(uaccel: Uaccel, linux: Path, folder: str) -> None:
    (linux / folder / "open.c").parent.mkdir(exist_ok=True)
    (linux / folder / "open.c").write_text(judging.OPEN)
    assert lines(uaccel("check", "--tree", linux).stdout) == found(OPEN)


def test_a_file_is_named_as_the_user_named_it(
    uaccel: Uaccel, linux: Path, open_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lines(uaccel("check", "--tree", linux, OPEN).stdout) == found(OPEN)
    assert lines(uaccel("check", open_file).stdout) == found(open_file)
    monkeypatch.chdir(linux / "drivers")
    assert lines(uaccel("check", "./toy/open.c").stdout) == found("./toy/open.c")
    assert lines(uaccel("check", "toy").stdout) == found(OPEN)
    document = json.loads(uaccel("check", "toy/open.c", "--json", "-").stdout)
    assert {one["file"] for one in document["findings"]} == {OPEN}


def test_a_function_is_asked_for_alone(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("check", "--tree", linux, f"{OPEN}:toy_notes")
    assert lines(said.stdout) == found(OPEN, 2)
    said = uaccel("check", "--tree", linux, f"{OPEN}:toy_notes", f"{OPEN}:toy_leaves")
    assert lines(said.stdout) == found(OPEN)
    assert "names no function toy_xyzzy" in uaccel("check", f"{linux}/{OPEN}:toy_xyzzy").error


def test_what_stands_in_a_header_is_said_once(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(_ground: Ground, path: str, _text: bytes) -> Judged:
        place, function = Place("ipc/a.h", 7, 1), path.rpartition("/")[2].removesuffix(".c")
        one = Found("missing-end", function, place, Level.ERROR, "it is open", "x")
        return Judged(path, 1, 1, (one,), ())

    monkeypatch.setattr("uaccel.flow.check.judge_file", judge)
    (linux / "ipc/shut.c").write_text(judging.SHUT)
    said = uaccel("check", "--tree", linux)
    assert lines(said.stdout) == ["ipc/a.h:7:1: error: it is open [missing-end]"]
    said = uaccel("check", "--tree", linux, "ipc/shut.c:user_access_begin")
    assert lines(said.stdout) == []


def test_c_on_stdin_is_judged_without_a_tree(
    uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(judging.OPEN.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    said = uaccel("check", "-")
    assert (said.status, lines(said.stdout)) == (1, found("<stdin>"))


@pytest.mark.parametrize("cached", [False, True])
def test_what_lies_in_no_tree_is_judged_alone(
    uaccel: Uaccel, linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    (tmp_path / "own/deep").mkdir(parents=True)
    (tmp_path / "own/deep/mine.c").write_text(judging.OPEN)
    if cached:
        monkeypatch.setenv("KDIR", str(linux))
    for target, named in (
        ("own/deep/mine.c", "own/deep/mine.c"),
        (tmp_path / "own/deep/mine.c", tmp_path / "own/deep/mine.c"),
        ("own", "own/deep/mine.c"),
        ("own/", "own/deep/mine.c"),
    ):
        said = uaccel("check", target)
        assert (said.status, said.stderr, lines(said.stdout)) == (1, "", found(named))
        document = json.loads(uaccel("check", target, "--json", "-").stdout)
        assert document["tree"] is None
    said = uaccel("check", "own/deep/mine.c:toy_notes")
    assert lines(said.stdout) == found("own/deep/mine.c", 2)
    monkeypatch.chdir(tmp_path / "own")
    assert lines(uaccel("check", ".").stdout) == found("deep/mine.c")
    # Beside a file of a tree, and with a tree that is named.
    words = ("--tree", linux, OPEN, "deep/mine.c")
    assert lines(uaccel("check", *words).stdout) == [*found("deep/mine.c"), *found(OPEN)]


ODD = {
    "spins.c": "it took more than 0.2 seconds of processor time",
    "dies.c": "the process that judged it died (SIGSEGV)",
    "deep.c": "judging it ended in RecursionError: maximum recursion depth exceeded",
}


def test_whatever_happens_in_one_file_is_said_and_the_rest_goes_on(
    uaccel: Uaccel, linux: Path, tmp_path: Path
) -> None:
    for name in ODD:
        text = f"{judging.OPEN}/* {name.removesuffix('.c')} */\n"
        (linux / "drivers/toy" / name).write_text(text)
    os.mkfifo(linux / "drivers/toy/pipe.c")
    (linux / "drivers/toy/link.c").symlink_to("nowhere.c")
    place = tmp_path / "out.json"
    words = ("check", "--tree", linux, "--file-timeout", "0.2", "--json", place, "-q")
    said = uaccel(*words, "drivers")
    assert (said.status, lines(said.stdout)) == (1, found(OPEN))
    expected = {
        **ODD,
        "pipe.c": "it is no regular file",
        "link.c": "it is a link that leads nowhere",
    }
    told = [f"uaccel: drivers/toy/{name} was not judged: {expected[name]}" for name in expected]
    assert sorted(said.stderr.splitlines()) == sorted(told)
    skipped = json.loads(place.read_text())["skipped"]
    assert {one["file"].rpartition("/")[2]: one["why"] for one in skipped} == expected
    assert "5 files not judged" in said.stdout


def test_strict_is_about_what_was_not_judged(uaccel: Uaccel, linux: Path) -> None:
    (linux / OPEN).write_text("unsafe_get_user(a, b, c); /* doubt wrong-mode */\n")
    (linux / "ipc/a.c").symlink_to("nowhere.c")
    assert uaccel("check", "--tree", linux, OPEN).status == 0
    assert uaccel("check", "--tree", linux, "--strict", OPEN).status == 1
    assert uaccel("check", "--tree", linux, "--strict", "--rules", "missing-end", OPEN).status == 0
    assert uaccel("check", "--tree", linux, "ipc").status == 0
    assert uaccel("check", "--tree", linux, "--strict", "ipc").status == 1
    assert uaccel("check", "--tree", linux, "--strict", "drivers/toy/shut.c").status == 0


def test_what_was_not_judged_is_listed_when_asked_for(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("check", "--tree", linux, "-v", OPEN)
    assert f"{OPEN}:8:2: note: not judged: it is odd [wrong-mode]" in said.stdout.splitlines()
    assert "-v lists them" not in said.stdout


def test_some_rules_and_levels_alone(uaccel: Uaccel, linux: Path) -> None:
    def ask(*words: str) -> list[str]:
        return lines(uaccel("check", "--tree", linux, OPEN, *words).stdout)

    assert ask("--rules", "wrong-mode") == found(OPEN, 1)
    assert ask("--rules", "wrong-mode,missing-end") == found(OPEN)
    assert ask("--level", "warning") == found(OPEN, 0, 1)
    assert ask("--level", "error") == found(OPEN, 0)
    said = uaccel("check", "--tree", linux, f"{OPEN}:toy_notes", "--level", "error")
    assert said.status == 0


def test_the_rules_are_listed(uaccel: Uaccel) -> None:
    said = uaccel("check", "--list-rules")
    assert (said.status, said.stderr) == (0, "")
    assert [line.split()[0] for line in said.stdout.splitlines()] == list(RULES)
    assert re.search(r"^missing-end +every path", said.stdout, re.MULTILINE)


def test_text_of_the_tree_steers_no_terminal(uaccel: Uaccel, linux: Path) -> None:
    (linux / "ipc/a\x1b[31m.c").write_text(judging.OPEN)
    said = uaccel("check", "--tree", linux, "ipc")
    assert "\x1b" not in said.stdout
    assert "ipc/a\\x1b[31m.c:4:2: error: " in said.stdout


def test_colour_is_for_those_who_want_it(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for words, coloured in (
        (("--color", "always"), True),
        (("--color", "never"), False),
        ((), False),  # no terminal, or NO_COLOR
    ):
        monkeypatch.setenv("NO_COLOR", "1")
        assert ("\x1b[" in uaccel("check", "--tree", linux, OPEN, *words).stdout) is coloured


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "drivers"), "drivers is a folder, not a file"),
        (("--json", "-", "--sarif", "-"), "only one of --json - and --sarif - goes to stdout"),
        (("--rules", "wrong-mood"), "no rule is called 'wrong-mood'; there are wrong-mode"),
        (("--rules", ""), "no rule is called ''; there are argument-effects, "),
        (("nowhere.c",), "has no nowhere.c"),
        (("/nowhere/x.c",), "/nowhere/x.c lies outside the kernel tree"),
        (("scripts",), "scripts is not scanned: a scan leaves out"),
        (("drivers:f",), "drivers is a folder; a function needs its file"),
        (("Makefile",), "Makefile is no .c or .h file"),
        (("drivers/pipe.c",), "drivers/pipe.c cannot be judged: it is no regular file"),
        (("/dev/null",), "/dev/null cannot be judged: it is no regular file"),
        (("../notes.txt",), "../notes.txt is no .c or .h file"),
        (("..:f",), ".. is a folder; a function needs its file"),
        (("--patch", "none"), "none cannot be read: No such file or directory"),
        (("--patch", "x", "drivers"), "no TARGET goes with --patch"),
        (("--patch", "-", "--patch", "-"), "only one --patch can be read from stdin"),
        (("--baseline", "none"), "none cannot be read: No such file or directory"),
        (("--write-baseline", "known"), "known lies in a kernel tree, which is not written to"),
    ],
)
def test_a_wrong_wish_is_refused_before_any_work(
    uaccel: Uaccel,
    linux: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    os.mkfifo(linux / "drivers/pipe.c")
    (linux.parent / "notes.txt").write_text("f\n")
    before = set(linux.rglob("*"))
    monkeypatch.setattr("uaccel.host.walk.Walker.look", None)
    monkeypatch.setattr("uaccel.flow.check.Pool", None)
    monkeypatch.chdir(linux)
    assert sentence in uaccel("check", "--tree", linux, *words).error
    assert set(linux.rglob("*")) == before


def test_no_tree_and_no_target_is_one_sentence(uaccel: Uaccel) -> None:
    assert uaccel("check").error.startswith("there is no kernel tree here; ")
    assert (
        uaccel("check", "nowhere.c").error == "nowhere.c cannot be read: No such file or directory"
    )


INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
import uaccel.flow.check
from tests import judging
from uaccel.cli.__main__ import main
def sleeps(ground, path, text):
    Path(f"pid{os.getpid()}").write_text(str(os.getpid()))
    return judging.judge_file(ground, path, b"/* hangs */")
uaccel.flow.check.judge_file = sleeps
threading.Timer(1.0, os.killpg, (os.getpid(), signal.SIGINT)).start()
print(main(["check", "--tree", "linux", "--json", "out.json", "--write-baseline", "known"]))
"""


@pytest.mark.usefixtures("linux")
def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    said = python(f"import uaccel.cli.check\n{INTERRUPTED}", tmp_path)
    assert said == "130\nuaccel: error: interrupted; nothing half-done was kept\n"
    assert remaining(tmp_path, least=1) == []
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith("pid")}
    assert left == {"linux"}
