# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel check --patch`: files as they would be, worked out beside a tree that stays as it is."""

from __future__ import annotations

import base64
import io
import json
import quopri
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import judging
from tests.asking import TOY, Said, Uaccel
from tests.fakelinux import contents
from tests.test_check_command import found, lines
from tests.test_run import python
from uaccel.flow.patched import patched
from uaccel.flow.wanted import Wanted
from uaccel.host.tree import open_tree
from uaccel.read.mails import diffs, named

NEW = "drivers/toy/fresh.c"
MAIL = """\
From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: =?UTF-8?q?J=C3=BCrgen?= <j@example.org>
Date: Mon, 1 Jan 2024 00:00:00 +0000
Subject: [PATCH 1/2] toy: one more
{headers}
Why, and a list:
--- not a patch
+++ not one either

---
 drivers/toy/toy.c | 1 +
 1 file changed, 1 insertion(+)

{diff}-- 
2.39.5

"""


@pytest.fixture(autouse=True)
def believing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe what the C says of itself."""
    monkeypatch.setattr("uaccel.flow.check.judge_file", judging.judge_file)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where temporary folders are made, and nothing else."""
    place = tmp_path / "scratch"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    return place


@pytest.fixture
def ask(uaccel: Uaccel, linux: Path, folder: Path) -> Iterator[Uaccel]:
    """Give the command; the tree stays as it is and no folder is left."""
    before = contents(linux)
    yield lambda *words: uaccel("check", "--tree", linux, *words)
    assert contents(linux) == before
    assert list(folder.iterdir()) == []


def diff(path: str, old: str, new: str) -> str:
    """Return the diff of one file, without what git adds; "" is no file."""
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    made = unified_diff(old.splitlines(True), new.splitlines(True), *names)
    return "".join(made)


def edited(linux: Path, path: str = TOY) -> str:
    """Return a patch that puts what is found at the top of a file, behind its first line."""
    old = (linux / path).read_text()
    first, rest = old.split("\n", 1)
    return diff(path, old, f"{first}\n{judging.OPEN.partition(chr(10))[2]}{rest}")


def put(place: Path, text: str | bytes) -> Path:
    """Return `place`, which now holds `text`."""
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


def test_lines_are_those_of_the_patched_file(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    patch = put(tmp_path / "one.patch", edited(linux))
    said = ask("--patch", patch)
    assert (said.status, said.stderr, lines(said.stdout)) == (1, "", found(TOY))
    assert f"with {patch}" in said.stdout
    assert "1 file looked at, 1 read" in said.stdout
    document = json.loads(ask("--patch", patch, "--json", "-").stdout)
    assert document["patches"] == [str(patch)]
    assert [one["file"] for one in document["findings"]] == [TOY] * 3


def mailed(patch: str, encoding: str) -> bytes:
    """Return `patch` as a mail."""
    whole = MAIL.format(headers="{headers}", diff=patch)
    head, _, body = whole.partition("{headers}\n")
    match encoding:
        case "base64":
            coded = base64.encodebytes(body.encode())
        case "quoted-printable":
            coded = quopri.encodestring(body.encode())
        case _:
            coded = body.encode()
    kind = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    return (head + kind).encode() + coded


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable", "crlf", "multipart"])
def test_mails_hold_patches(ask: Uaccel, linux: Path, tmp_path: Path, encoding: str) -> None:
    text = mailed(edited(linux), encoding)
    if encoding == "crlf":
        text = mailed(edited(linux), "8bit").replace(b"\n", b"\r\n")
    if encoding == "multipart":
        kind = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=xyz\n\n--xyz\n"
        head, _, body = mailed(edited(linux), "base64").partition(b"Content-Type: ")
        text = head + kind + b"Content-Type: " + body + b"\n--xyz--\n"
    said = ask("--patch", put(tmp_path / "mail", text))
    assert (said.status, said.stderr, lines(said.stdout)) == (1, "", found(TOY))


def test_a_mailbox_is_a_series(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    first = edited(linux)
    old = judging.OPEN
    cover = MAIL.format(headers="", diff="")
    # The second changes what the first one made.
    both = mailed(diff(NEW, "", old), "base64") + mailed(
        diff(NEW, old, old.replace("/* error missing-end */", "")), "8bit"
    )
    box = put(tmp_path / "box", cover.encode() + mailed(first, "8bit") + both)
    assert lines(ask("--patch", box).stdout) == [*found(NEW, 1, 2), *found(TOY)]
    told = ask("--patch", put(box, both[: len(both) // 2] + both)).error
    assert told.startswith(f"{box}, mail ")


def test_several_patches_come_in_their_order(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    old = (linux / TOY).read_text()
    one = put(tmp_path / "1", edited(linux))
    middle = old.replace("\n", "\n" + judging.OPEN.partition("\n")[2], 1)
    two = put(tmp_path / "2", diff(TOY, middle, old))
    assert lines(ask("--patch", one).stdout) == found(TOY)
    assert lines(ask("--patch", one, "--patch", two).stdout) == []
    assert "does not apply: git says " in ask("--patch", two, "--patch", one).error


def test_files_come_go_and_move(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    fresh = put(tmp_path / "fresh", diff(NEW, "", judging.OPEN))
    assert lines(ask("--patch", fresh).stdout) == found(NEW)
    gone = put(tmp_path / "gone", diff(TOY, (linux / TOY).read_text(), ""))
    said = ask("--patch", gone)
    note = "uaccel: the patches leave no .c or .h file that is judged\n"
    assert (said.status, said.stderr, lines(said.stdout)) == (0, note, [])
    moved = (
        f"diff --git a/{TOY} b/{NEW}\nsimilarity index 100%\nrename from {TOY}\nrename to {NEW}\n"
    )
    said = ask("--patch", put(tmp_path / "moved", moved))
    assert "1 file looked at, 0 read" in said.stdout
    change = edited(linux).replace(f"+++ b/{TOY}", f"+++ b/{NEW}")
    said = ask("--patch", put(tmp_path / "both", moved.replace("100", "50") + change))
    assert lines(said.stdout) == found(NEW)


def test_what_is_gone_or_changed_is_so_for_whoever_includes_it(linux: Path) -> None:
    calm = "drivers/toy/calm.c"
    header = "drivers/toy/toy.h"
    patch = "".join(
        (
            diff(calm, (linux / calm).read_text(), ""),
            diff(header, "", "int x;\n"),
            diff("drivers/toy/Makefile", (linux / "drivers/toy/Makefile").read_text(), "#\n"),
            diff("scripts/x.c", "", "int x;\n"),
        )
    )
    made: Wanted = patched(open_tree(linux), (("p", patch.encode()),))
    assert made.texts == {header: b"int x;\n"}
    assert made.replaced == {
        calm: b"",
        header: b"int x;\n",
        "drivers/toy/Makefile": b"#\n",
        "scripts/x.c": b"int x;\n",
    }


def test_a_patch_on_stdin(ask: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(edited(linux).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert lines(ask("--patch", "-").stdout) == found(TOY)


def test_names_that_git_quotes(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    text = "int a;\nint b;\n"
    name = put(linux / 'ipc/sch\u00f6n "x".c', text)
    quoted = '"a/ipc/sch\\303\\266n \\"x\\".c"'
    body = "".join(list(unified_diff(text.splitlines(True), judging.OPEN.splitlines(True)))[2:])
    patch = f"--- {quoted}\n+++ {quoted.replace('a/', 'b/', 1)}\n{body}"
    said = ask("--patch", put(tmp_path / "p", patch))
    name.unlink()
    assert lines(said.stdout.replace('\u00f6n "x"', "on")) == found("ipc/schon.c")


def refused(ask: Uaccel, place: Path, text: str) -> str:
    """Return why the patch `text` is refused."""
    said: Said = ask("--patch", put(place, text))
    return said.error


def test_what_does_not_apply_is_one_sentence(ask: Uaccel, linux: Path, tmp_path: Path) -> None:
    place = tmp_path / "p"
    good = edited(linux)
    assert refused(ask, place, "no patch\n") == f"{place} holds no patch"
    assert refused(ask, place, "") == f"{place} holds no patch"
    told = refused(ask, place, good.replace(" #include", " #exclude"))
    reason = f"patch failed: {TOY}:1; {TOY}: patch does not apply"
    assert told == f"{place} does not apply: git says {reason}"
    told = refused(ask, place, good.replace(TOY, "drivers/toy/no.c"))
    assert told == f"{place} does not apply: git says drivers/toy/no.c: No such file or directory"
    assert "corrupt patch at line" in refused(ask, place, good[: len(good) // 2])
    assert "invalid path" in refused(ask, place, diff("../out.c", "", "int x;\n"))
    assert "invalid path" in refused(ask, place, diff(".git/config", "", "[core]\n"))
    assert not (tmp_path / "out.c").exists()


def test_a_link_leads_nowhere(ask: Uaccel, tmp_path: Path) -> None:
    put(tmp_path / "secret.c", judging.OPEN)
    link = f"diff --git a/{NEW} b/{NEW}\nnew file mode 120000\n--- /dev/null\n+++ b/{NEW}\n"
    text = f"{link}@@ -0,0 +1 @@\n+{tmp_path}/secret.c\n\\ No newline at end of file\n"
    said = ask("--patch", put(tmp_path / "p", text))
    assert (said.status, lines(said.stdout)) == (0, [])


INTERRUPTED = """
import os, signal, sys, threading, time
import uaccel.flow.patched
from uaccel.cli.__main__ import main
uaccel.flow.patched._APPLY = ("sleep", "60")
threading.Timer(1.0, os.kill, (os.getpid(), signal.{signal})).start()
print(main(["check", "--tree", "linux", "--patch", "p"]))
"""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_ctrl_c_leaves_no_folder(linux: Path, tmp_path: Path, folder: Path, signal: str) -> None:
    put(tmp_path / "p", edited(linux))
    said = python(INTERRUPTED.format(signal=signal), tmp_path)
    assert said == "130\nuaccel: error: interrupted; nothing half-done was kept\n"
    assert list(folder.iterdir()) == []


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read(one: bytes, other: bytes) -> None:
    text = one + b"\n--- a/x/y\n+++ b/x/../z\n" + other
    for part in diffs(text):
        assert all(path and ".." not in path.split("/") for path in named(part))
