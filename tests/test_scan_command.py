# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel scan` as a shell sees it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from tests.asking import TOY, Uaccel
from tests.fakelinux import contents
from tests.test_pool import remaining
from tests.test_run import python


def test_a_tree_is_not_written_to(uaccel: Uaccel, linux: Path) -> None:
    before = contents(linux)
    assert uaccel("scan", "--tree", linux).status == 0
    assert contents(linux) == before


def test_the_documents_say_the_same(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    places = [tmp_path / f"out.{kind}" for kind in ("json", "sarif", "tsv")]
    words = [w for p in places for w in (f"--{p.suffix[1:]}", p)]
    said = uaccel("scan", "--tree", linux, *words)
    assert (said.status, said.stderr) == (0, "")
    document = json.loads(places[0].read_text())
    counts = dict(document["candidates"])
    lines = counts.pop("lines")
    assert lines == sum(counts.values()) > 0
    assert re.search(rf"\n +{lines} +in all\n", said.stdout)
    logged = json.loads(places[1].read_text())["runs"][0]["properties"]["candidates"]
    assert logged == document["candidates"]
    header, *rows = [row.split("\t") for row in places[2].read_text().splitlines()]
    assert header[:2] == ["path", "lines"]
    for kind, count in document["candidates"].items():
        assert sum(int(row[header.index(kind)]) for row in rows) == count
    listed = uaccel("scan", "--tree", linux, "--list", "all").stdout.splitlines()
    assert len(listed) == lines
    for kind, count in counts.items():
        some = uaccel("scan", "--tree", linux, "--list", kind).stdout.splitlines()
        rule = kind.replace("_", "-")
        assert some == [line for line in listed if line.endswith(f" [{rule}]")]
        assert len(some) == count


def test_filters_choose_clusters_and_no_lines(uaccel: Uaccel, linux: Path) -> None:
    def clusters(*words: str) -> list[dict[str, object]]:
        document = json.loads(uaccel("scan", "--tree", linux, "--json", "-", *words).stdout)
        assert document["candidates"] == whole["candidates"]
        found: list[dict[str, object]] = document["clusters"]
        return found

    whole = json.loads(uaccel("scan", "--tree", linux, "--json", "-").stdout)
    every = whole["clusters"]
    assert len(every) >= 2
    assert clusters("--top", "1") == every[:1]
    for way in ("read", "write"):
        assert clusters("--direction", way) == [c for c in every if c["direction"] == way]
    assert clusters("--min-accesses", "4") == [c for c in every if c["accesses"] >= 4]
    assert clusters("--form", "fieldwise") == [c for c in every if c["form"] == "fieldwise"]


def test_c_on_stdin_is_scanned(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (linux / TOY).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    said = uaccel("scan", "--tree", linux, "--list", "all", "-")
    listed = uaccel("scan", "--tree", linux, "--list", "all", TOY).stdout
    assert said.stdout == listed.replace(TOY, "-")


def test_strict_is_about_what_was_not_understood(uaccel: Uaccel, linux: Path) -> None:
    assert uaccel("scan", "--tree", linux, "--strict", TOY).status == 0
    (linux / "ipc/a.c").symlink_to("nowhere.c")
    assert uaccel("scan", "--tree", linux, "ipc").status == 0
    assert uaccel("scan", "--tree", linux, "--strict", "ipc").status == 1


def test_a_profile_ranks(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    profile = tmp_path / "folded"
    profile.write_text("app;main;entry;toy_get_point_[k] 30\napp;main;other_[k] 70\n")
    document = json.loads(
        uaccel("scan", "--tree", linux, "--json", "-", "--profile", profile).stdout
    )
    first = document["clusters"][0]
    assert (first["function"], first["weight"], first["weight_unit"]) == (
        "toy_get_point",
        30.0,
        "percent",
    )
    assert document["profile"]["name"] == str(profile)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "drivers"), "drivers is a folder, not a file"),
        (("--sarif", "/dev/null/x"), "/dev/null/x cannot be written: /dev/null does not take"),
        (("--json", "-", "--sarif", "-"), "only one of --json -, --sarif -, --tsv - and --list"),
        (("--tsv", "-", "--list", "all"), "only one of --json -, --sarif -, --tsv - and --list"),
        (("--profile", "-", "-"), "stdin is either the profile or the C, not both"),
        (("--profile", "none"), "none cannot be read: No such file or directory"),
        (("--arch", "pdp11"), "no architecture is called pdp11"),
        (("nowhere",), "has no nowhere"),
    ],
)
def test_a_wrong_wish_is_refused_before_any_work(
    uaccel: Uaccel,
    linux: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr("uaccel.host.walk.Walker.look", None)
    monkeypatch.chdir(linux)
    assert sentence in uaccel("scan", "--tree", linux, *words).error


@pytest.mark.parametrize(
    "words",
    [("--top", "0"), ("--top", "x"), ("--file-timeout", "0"), ("--file-timeout", "nan")],
)
def test_a_number_must_be_one(uaccel: Uaccel, linux: Path, words: tuple[str, ...]) -> None:
    said = uaccel("scan", "--tree", linux, *words)
    assert (said.status, said.stdout) == (2, "")
    assert "is no " in said.stderr


def test_the_command_loads_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    words = python("import sys, uaccel.cli.scan; print(*sys.modules)", tmp_path).split()
    assert "uaccel.cli.scan" in words
    assert not {"capstone", "elftools"} & set(words)


INTERRUPTED = """
import os, signal, sys, threading, time
from pathlib import Path
import uaccel.flow.filereading
from uaccel.cli.__main__ import main
def sleeps(source, dialect):
    Path(f"pid{os.getpid()}").write_text(str(os.getpid()))
    time.sleep(60)
uaccel.flow.filereading.survey = sleeps
os.environ["UACCEL_CACHE"] = "cache"
threading.Timer(1.0, os.killpg, (os.getpid(), signal.SIGINT)).start()
print(main(["scan", "--tree", "linux", "--json", "out.json"]))
"""


@pytest.mark.usefixtures("linux")
def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    said = python(INTERRUPTED, tmp_path)
    assert said == "130\nuaccel: error: interrupted; nothing half-done was kept\n"
    assert remaining(tmp_path, least=1) == []
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("pid")} == {
        "linux"
    }
