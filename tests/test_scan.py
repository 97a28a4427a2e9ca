# SPDX-License-Identifier: GPL-2.0-only
"""Every candidate line is one of a class, whatever lies in a tree and whatever reads it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.asking import TOY
from uaccel.errors import UserError
from uaccel.flow import filereading
from uaccel.flow.filereading import NOT_ACCOUNTED, complete
from uaccel.flow.scan import Request, scan
from uaccel.flow.survey import survey
from uaccel.host.store import Store
from uaccel.host.surveys import NOTHING, recall
from uaccel.host.tree import open_tree
from uaccel.model.dialect import Dialect
from uaccel.model.scan import Filters, Scan
from uaccel.model.source import Source
from uaccel.model.survey import Candidate, Kind, Survey
from uaccel.sites import sites

ALL = Filters((), (), None, None, 0, None)
CALM = "int calm;\n"
LONG_AGO = 1_000_000_000  # seconds


def ask(
    linux: Path, *targets: str, store: Store | None = None, seconds: float = 10, jobs: int = 2
) -> Scan:
    request = Request(replace(ALL, targets=targets), jobs, seconds, "uaccel scan", None)
    found = scan(open_tree(linux), store, request, lambda *_: None)
    assert sum(count for _, count in found.totals.kinds) == found.totals.lines
    assert found.totals.lines == sum(len(one.candidates) for one in found.surveys)
    return found


def whys(found: Scan) -> dict[str, tuple[str, int]]:
    return {one.path: (one.why, one.candidates) for one in found.skipped}


def counted(linux: Path, found: Scan) -> None:
    """Look that the lines are exactly those that are there, file by file."""
    for one in found.surveys:
        text = (linux / one.path).read_bytes()
        expected = [site.line for site in sites(text, len(text))]
        assert [candidate.line for candidate in one.candidates] == expected


def settle(linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that lies in the tree be older than two seconds."""
    late = time.time() + 10
    monkeypatch.setattr("uaccel.flow.scan.time.time", lambda: late)
    assert linux.is_dir()


def test_every_line_of_a_tree_has_a_class(linux: Path) -> None:
    found = ask(linux)
    assert [one.path for one in found.surveys] == sorted(one.path for one in found.surveys)
    assert TOY in [one.path for one in found.surveys]
    assert found.totals.lines >= 7
    assert found.walked > len(found.surveys)
    counted(linux, found)


HOSTILE = {
    "nothing.c": b"",
    "latin.c": b"/* \xe4\xff */\nint f(void)\n{\n\treturn get_user(x, (int __user *)\xff);\n}\n",
    "comment.c": b"/* never closed\nget_user(x, p);\n",
    "string.c": b'char *s = "never closed\nget_user(x, p);\n',
    "nul.c": b"int f(void)\n{\n\treturn get_user(x, p);\0\n}\n\0\0get_user(y, q)\n",
    "crlf.c": b"int f(void)\r\n{\r\n\treturn get_user(x, p);\n\r\n}\r\n",
    "cr.c": b"int f(void)\r{\r\treturn get_user(x, p);\r}\r",
    "deep.c": b"int f(void)\n{\n" + b"{" * 3000 + b"get_user(x, p);" + b"}" * 3000 + b"\n}\n",
    "parens.c": b"int f(void)\n{\n\treturn "
    + b"(" * 5000
    + b"get_user(x, p)"
    + b")" * 5000
    + b";}",
    "unbalanced.c": b"{(" * 2000 + b"get_user(x, p)",
    "macro.c": b"#define A(x) \\\n\tget_user(x, p) \\\n\tput_user(x, p)\n#define B \\",
    "ifdef.c": b"#if X\nint f(void) {\n#else\nint f(int a) {\n#endif\nreturn get_user(x);}\n#if\n",
    "long.c": b"int f(void)\n{\n" + b"\tif (get_user(x, p))\n\t\treturn 1;\n" * 2500 + b"}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_counted(linux: Path, name: str) -> None:
    (linux / "ipc" / name).write_bytes(HOSTILE[name])
    found = ask(linux, "ipc", seconds=30)
    text = HOSTILE[name]
    assert found.totals.lines == len(list(sites(text, len(text))))
    counted(linux, found)


def test_ten_megabytes_on_one_line_are_read_or_given_up(linux: Path) -> None:
    text = b"int f(void) { return 0" + b" || get_user(x, p)" * 590_000 + b"; }"
    (linux / "ipc/wide.c").write_bytes(text)
    started = time.monotonic()
    found = ask(linux, seconds=2)
    assert time.monotonic() - started < 40
    assert {one.path: len(one.candidates) for one in found.surveys}["ipc/wide.c"] == 1
    counted(linux, found)


def test_a_file_with_too_many_lines_is_listed(linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uaccel.flow.filereading.MOST", 10)
    (linux / "ipc/many.c").write_text("get_user(x, p);\n" * 11)
    found = ask(linux)
    assert whys(found) == {
        "ipc/many.c": ("it has more than 10 candidate lines, more than are read of a file", 0)
    }
    counted(linux, found)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "raises": (lambda: 1 // 0, "reading it ended in ZeroDivisionError: integer"),
    "memory": (lambda: bytearray(10**9), "reading it ended in MemoryError"),
    "dies": (
        lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "the process that read it died (SIGSEGV",
    ),
    "hangs": (lambda: re.match(r"(a+)+b", "a" * 60), "it took more than 0.3 seconds of processor"),
    "sleeps": (lambda: time.sleep(99), "it did not end within 1.8 seconds"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_reader_that_fails_costs_one_file(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    fails, why = BAD[bad]
    (linux / "ipc/bad.c").write_text("get_user(x, p);\n\n  put_user(x, p); put_user(x, p);\n")

    def reads(source: Source, dialect: Dialect) -> Survey:
        if str(source.path) == "ipc/bad.c":
            fails()
        return survey(source, dialect)

    monkeypatch.setattr("uaccel.flow.filereading.survey", reads)
    settle(linux, monkeypatch)
    store = Store(tmp_path / "cache")
    found = ask(linux, store=store, seconds=0.3)
    (only,) = found.skipped
    assert (only.path, only.candidates) == ("ipc/bad.c", 2)
    assert only.why.startswith(why)
    lines = {one.path: one.candidates for one in found.surveys}
    assert lines["ipc/bad.c"] == (
        Candidate(1, 1, "get_user", Kind.NOT_UNDERSTOOD, only.why),
        Candidate(3, 3, "put_user", Kind.NOT_UNDERSTOOD, only.why),
    )
    assert found.totals.of(Kind.NOT_UNDERSTOOD) >= 2
    counted(linux, found)
    monkeypatch.setattr("uaccel.flow.filereading.survey", survey)
    after = ask(linux, store=store)  # a failure is no knowledge
    assert (after.skipped, after.reused) == ((), len(after.surveys) - 1)


def test_what_a_reader_forgets_or_invents_is_mended() -> None:
    found = tuple(sites(b"get_user(a)\n\nput_user(b)\nput_user(c)", 40))
    single = Candidate(3, 1, "put_user", Kind.SINGLE, "")
    said = Survey("a.c", (single, replace(single, kind=Kind.MACRO), replace(single, line=9)), ())
    assert complete(said, "a.c", found) == Survey(
        "a.c",
        (
            Candidate(1, 1, "get_user", Kind.NOT_UNDERSTOOD, NOT_ACCOUNTED),
            single,
            Candidate(4, 1, "put_user", Kind.NOT_UNDERSTOOD, NOT_ACCOUNTED),
        ),
        (),
    )
    right = Survey("a.c", (single,), ())
    assert complete(right, "a.c", found[1:2]) is right


def test_a_file_that_vanishes_before_it_is_read_is_listed(
    linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (linux / "ipc/gone.c").write_text("get_user(x, p);\n")
    real = filereading.read_files

    def late(*words: object) -> object:
        (linux / "ipc/gone.c").unlink()
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr("uaccel.flow.scan.read_files", late)
    found = ask(linux)
    assert whys(found) == {"ipc/gone.c": ("it vanished while the tree was read", 0)}
    assert "ipc/gone.c" not in [one.path for one in found.surveys]


def test_a_file_that_changes_before_it_is_read_counts_as_it_is_then(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (linux / "ipc/a.c").write_text("get_user(x, p);\n")
    (linux / "ipc/b.c").write_text("get_user(x, p);\n")
    real = filereading.read_files

    def late(*words: object) -> object:
        (linux / "ipc/a.c").write_text("\nget_user(x, p);\nget_user(x, p);\n")
        (linux / "ipc/b.c").write_text(CALM)
        return real(*words)  # type: ignore[arg-type]

    monkeypatch.setattr("uaccel.flow.scan.read_files", late)
    store = Store(tmp_path / "cache")
    first = ask(linux, store=store)
    counted(linux, first)
    monkeypatch.setattr("uaccel.flow.scan.read_files", real)
    again = ask(linux, store=store)
    assert again.surveys == first.surveys
    assert again.reused == len(first.surveys)


def test_what_did_not_change_is_not_read_again(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(linux, monkeypatch)
    store = Store(tmp_path / "cache")
    first = ask(linux, store=store)
    assert first.reused == 0
    monkeypatch.setattr("uaccel.flow.filereading.survey", None)  # whoever calls it fails
    again = ask(linux, store=store)
    assert again == replace(first, reused=len(first.surveys), seconds=again.seconds)


def test_a_touched_file_is_looked_at_and_a_changed_one_read(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(linux, monkeypatch)
    store = Store(tmp_path / "cache")
    first = ask(linux, store=store)
    os.utime(linux / TOY, (LONG_AGO, LONG_AGO))
    assert ask(linux, store=store).reused == len(first.surveys)
    text = (linux / TOY).read_text()
    (linux / TOY).write_text(f"\n{text}")
    after = ask(linux, store=store)
    assert after.reused == len(first.surveys) - 1
    counted(linux, after)
    (linux / TOY).write_text(CALM)
    assert TOY not in [one.path for one in ask(linux, store=store).surveys]
    (linux / TOY).unlink()
    again = ask(linux, store=store)
    assert (again.walked, again.reused) == (first.walked - 1, len(first.surveys) - 1)


def test_a_file_that_changed_just_now_is_looked_at_again(linux: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    ask(linux, store=store)
    status = (linux / TOY).stat()
    text = (linux / TOY).read_bytes()
    with (linux / TOY).open("r+b") as file:  # same size, same inode
        file.write(text.replace(b"get_user", b"fet_user"))
    os.utime(linux / TOY, ns=(status.st_atime_ns, status.st_mtime_ns))
    counted(linux, ask(linux, store=store))
    assert recall(store, open_tree(linux)).stamps["drivers/toy"] == {}


def test_a_part_of_a_tree_leaves_what_is_known_of_the_rest(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(linux, monkeypatch)
    store = Store(tmp_path / "cache")
    (linux / "ipc/a.c").write_text("get_user(x, p);\n")
    first = ask(linux, store=store)
    assert ask(linux, "ipc", store=store).reused == 1
    assert ask(linux, TOY, store=store).reused == 1
    (linux / "ipc/a.c").unlink()
    assert ask(linux, "ipc", store=store).walked == 0
    assert ask(linux, store=store).reused == len(first.surveys) - 1


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "short": lambda kept: kept[:-1],
    "flipped": lambda kept: kept[:100] + bytes((kept[100] ^ 1,)) + kept[101:],
    "garbage": lambda _: b"garbage" * 100,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_not_believed(linux: Path, tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path / "cache")
    first = ask(linux, store=store)
    (kept,) = (tmp_path / "cache/surveys").iterdir()
    kept.write_bytes(DAMAGES[damage](kept.read_bytes()))
    assert recall(store, open_tree(linux)) == NOTHING
    again = ask(linux, store=store)
    assert (again.reused, again.surveys) == (0, first.surveys)
    assert recall(store, open_tree(linux)) != NOTHING


def test_a_cache_that_takes_nothing_is_a_note(linux: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    found = ask(linux, store=Store(tmp_path / "cache"))
    (note,) = found.notes
    assert note.startswith("what was read is not kept for the next scan: ")
    counted(linux, found)


def test_another_text_of_the_program_reads_anew(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "cache")
    ask(linux, store=store)
    monkeypatch.setattr("uaccel.host.surveys.own_text", lambda: "another")
    assert ask(linux, store=store).reused == 0


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("drivers/toy/toi.c", "has no drivers/toy/toi.c; near it: drivers/toy/toy.c"),
        ("../outside.c", "lies outside the kernel tree"),
        ("/etc", "/etc lies outside the kernel tree"),
        (
            "scripts",
            "scripts is not scanned: a scan leaves out Documentation, tools, scripts, .git",
        ),
        ("drivers/toy/Makefile", "drivers/toy/Makefile is no .c or .h file"),
        ("drivers:probe", "drivers is a folder; a function needs its file: FILE:probe"),
    ],
)
def test_a_bad_target_is_one_sentence(linux: Path, target: str, sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        ask(linux, target)


def test_targets_may_overlap(linux: Path) -> None:
    drivers = ask(linux, "drivers")
    assert ask(linux, "drivers", "drivers/toy", TOY).surveys == drivers.surveys
    assert ask(linux, "drivers/toy/../toy/", "./drivers").surveys == drivers.surveys
    assert ask(linux, ".").surveys == ask(linux).surveys


def test_a_function_is_asked_for(linux: Path) -> None:
    whole, part = ask(linux, TOY), ask(linux, f"{TOY}:toy_get_point")
    assert part.surveys == whole.surveys
    assert {one.sighting.function for one in part.places} == {"toy_get_point"}
    assert part.places != whole.places
    assert ask(linux, f"{TOY}:toy_get_point", TOY).places == whole.places
    with pytest.raises(UserError, match="names no function nobody"):
        ask(linux, f"{TOY}:nobody")
    (note,) = ask(linux, f"{TOY}:EFAULT").notes  # a name, but of no function with a cluster
    assert note == f"{TOY}: no cluster was found in a function called EFAULT"


def test_a_target_is_meant_from_here(linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(linux / "drivers/toy")
    assert ask(linux, ".").filters.targets == ("drivers/toy",)
    assert ask(linux, "toy.c").filters.targets == (TOY,)
