# SPDX-License-Identifier: GPL-2.0-only
"""Bad input is one sentence and nothing half-written."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.asking import POINT, TOY, Said, Uaccel
from tests.fakelinux import contents, grow
from uaccel.cli.study import NOTHING_BUILT
from uaccel.host.run import find_program, run

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", [(), ("study",), ("convert",), ("tree",), ("doctor",)])
def test_every_command_explains_itself(uaccel: Uaccel, command: tuple[str, ...]) -> None:
    said = uaccel(*command, "--help")
    assert (said.status, said.stderr) == (0, "")
    assert said.stdout.startswith(f"usage: {' '.join(('uaccel', *command))}")
    if not command:
        assert all(name in said.stdout for name in ("study", "convert", "tree", "doctor"))


BAD_TARGETS = (
    (
        f"{TOY}:toy_get",
        r"defines no function toy_get; the nearest are toy_get_point, toy_get_height",
    ),
    (f"{TOY}:xyzzy", r"toy.c defines no function xyzzy"),
    (f"{TOY}:toy_is_flat", r"toy.c: toy_is_flat makes no user access"),
    ("drivers/toy/calm.c", r"calm.c holds no user access that could be read"),
    ("drivers/toy/toi.c", r"has no drivers/toy/toi.c; near it: drivers/toy/toy.c"),
    ("../outside.c:f", r"../outside.c lies outside the kernel tree"),
    ("/etc/passwd:root", r"/etc/passwd lies outside the kernel tree"),
    ("drivers/toy/broken.c", r"broken.c:13: the C does not parse: `)` is not expected"),
    ("drivers/toy/broken.c:broken_get_pair", r"broken.c:13: the C does not parse: `)` is not"),
    ("drivers/toy/broken.c:broken_end", r"broken_end was not found, and the C here does not parse"),
    ("NOVAR=1", r"NOVAR is no variable of Kbuild's; known are ARCH CROSS_COMPILE"),
)


A_FOLDER = ("drivers/toy", r"drivers/toy is a folder, not a file")  # convert takes it whole
BAD = [(command, bad) for bad in BAD_TARGETS for command in ("study", "convert")]
BAD.append(("study", A_FOLDER))


@pytest.mark.parametrize(("command", "bad"), BAD, ids=[f"{one} {bad[0]}" for one, bad in BAD])
def test_a_bad_target_is_one_sentence(
    uaccel: Uaccel, linux: Path, tmp_path: Path, command: str, bad: tuple[str, str]
) -> None:
    target, sentence = bad
    (tmp_path / "outside.c").write_text("int x;\n")
    before = contents(linux)
    places = {
        "study": ("--json", tmp_path / "out.json", "--patches", tmp_path / "patches"),
        "convert": ("--output", tmp_path / "patches"),
    }
    assert sentence in uaccel(command, "--tree", linux, *places[command], target).error
    assert not (tmp_path / "out.json").exists()
    assert not (tmp_path / "patches").exists()
    assert contents(linux) == before


def test_in_place_nothing_is_written_for_a_bad_target(uaccel: Uaccel, linux: Path) -> None:
    before = contents(linux)
    said = uaccel("convert", "--tree", linux, "--in-place", POINT, f"{TOY}:toy_is_flat")
    assert "toy_is_flat makes no user access" in said.error
    assert contents(linux) == before


@pytest.mark.parametrize("command", ["study", "convert"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--tree", "empty", POINT), "empty is no kernel tree: it has no COPYING"),
        (("--tree", "none", POINT), "none is no folder, so no kernel tree either"),
        ((POINT,), "there is no kernel tree here; `uaccel tree fetch 6.12` gets one"),
        (("--tree", "linux", "--arch", "pdp11", POINT), "no architecture is called pdp11; there"),
        (("--tree", "linux", POINT, "ARCH=pdp11"), "ARCH=pdp11 is none that is known; known are"),
    ],
)
def test_a_bad_tree_or_architecture_is_one_sentence(
    uaccel: Uaccel, linux: Path, command: str, words: tuple[str, ...], sentence: str
) -> None:
    (linux.parent / "empty").mkdir()
    before = contents(linux)
    assert sentence in uaccel(command, *words).error
    assert contents(linux) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("study", "--style", "baroque"), "invalid choice: 'baroque'"),
        (("convert", POINT, "--style", "baroque"), "invalid choice: 'baroque'"),
        (("study", "--compiler", "tcc"), "invalid choice: 'tcc'"),
        (("study", "-j", "0"), "'0' is no number of jobs; it must be at least 1"),
        (("study", "-j", "many"), "'many' is no number of jobs"),
        (("convert",), "the following arguments are required: TARGET"),
        (("tree",), "the following arguments are required: fetch|list"),
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        ((), "the following arguments are required: COMMAND"),
    ],
)
def test_a_wrong_word_ends_with_the_usage_and_one_sentence(
    uaccel: Uaccel, words: tuple[str, ...], sentence: str
) -> None:
    said = uaccel(*words)
    assert (said.status, said.stdout) == (2, "")
    assert said.stderr.startswith("usage: uaccel")
    assert sentence in said.stderr.splitlines()[-1]


def test_words_that_ask_for_nothing_are_one_sentence(uaccel: Uaccel) -> None:
    assert uaccel("convert", "ARCH=arm64").error == "no target; name one as FILE:FUNCTION"
    assert "six is no kernel version" in uaccel("tree", "fetch", "six").error


def test_no_compiler_is_an_unknown_row_and_the_rest_goes_on(
    uaccel: Uaccel, linux: Path, tmp_path: Path
) -> None:
    place = tmp_path / "out.json"
    words = ("--arch", "ppc8xx", "--arch", "s390x", "--compiler", "gcc", "--json", place)
    said = uaccel("study", "--tree", linux, *words, POINT)
    document = json.loads(place.read_text())
    assert (said.status, said.stderr.strip()) == (2, f"uaccel: {NOTHING_BUILT}")
    assert "unknown  ppc8xx: no compiler for ppc8xx: powerpc-linux-gnu-gcc is not in" in said.stdout
    assert [one["arch"] for one in document["unbuilt"]] == ["ppc8xx", "s390x"]
    assert all(one["why"].startswith("no compiler for ") for one in document["unbuilt"])
    assert document["measurements"] == []
    outcomes = {one["check"]: one["outcome"] for one in document["verdicts"]}
    assert outcomes == {"branch_compiled": "unknown", "applies": "pass", "checkpatch": "pass"}
    assert [Path(one["path"]).is_file() for one in document["patches"]] == [True]


def test_json_on_stdout_is_all_that_is_there(uaccel: Uaccel, linux: Path) -> None:
    words = ("--arch", "arm", "--compiler", "gcc", "--json", "-")
    said = uaccel("study", "--tree", linux, *words, POINT)
    assert (said.status, said.stderr.strip()) == (2, f"uaccel: {NOTHING_BUILT}")
    assert json.loads(said.stdout)["schema"] == {"name": "uaccel-study", "version": 1}


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("/dev/full", "the disk is full: /dev/full has "),
        ("drivers", "drivers is a folder, not a file"),
        ("Makefile/out.json", "Makefile/out.json cannot be written: "),
    ],
)
def test_a_document_that_cannot_be_written_is_one_sentence(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch, place: str, sentence: str
) -> None:
    monkeypatch.chdir(linux)
    before = contents(linux)
    said = uaccel("study", "--arch", "arm", "--compiler", "gcc", "--json", place, POINT)
    assert sentence in said.error
    assert contents(linux) == before


def test_a_cache_that_cannot_be_made_is_one_sentence(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UACCEL_CACHE", str(linux / "Makefile" / "cache"))
    assert (
        "Makefile/cache cannot be written: Not a directory"
        in uaccel("convert", "--tree", linux, POINT).error
    )


# A file system in a name space of its own: no root is needed where the kernel allows it.
FULL_DISK = """mount -t tmpfs -o size=64k none disk && {{ cat /dev/zero >disk/taken; {ask} >said
echo $? >status; find disk -type f ! -name .lock >left; }} 2>errors"""


@pytest.mark.parametrize("onto", ["--json disk/out.json", "--patches disk/p", "CACHE"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    linux: Path, tmp_path: Path, path: str, onto: str
) -> None:
    (tmp_path / "disk").mkdir()
    ask = f"{sys.executable} -m uaccel.cli.__main__ study --tree {linux} --compiler gcc {POINT} "
    ask = f"UACCEL_CACHE=disk/cache {ask}" if onto == "CACHE" else ask + onto
    own = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    tried = outside(path, tmp_path, *own, FULL_DISK.format(ask=ask))
    if not (tmp_path / "status").exists():
        pytest.skip(f"no small file system can be mounted here: {tried.stderr.strip()}")
    _, *said = (tmp_path / "errors").read_text().splitlines()  # the first is cat's
    assert len(said) == 1
    assert said[0].startswith("uaccel: error: the disk is full: ")
    assert said[0].endswith(" has 0 MB left")
    assert (tmp_path / "status").read_text() == "2\n"
    assert (tmp_path / "said").read_text() == ""
    assert (tmp_path / "left").read_text() == "disk/taken\n"


def outside(path: str, folder: Path, *argv: str) -> Said:
    """Return what a program says that is started as a shell would, with programs of `path`."""
    own = {"PATH": path, "PYTHONPATH": str(ROOT), "UACCEL_CACHE": str(folder / "cache")}
    command = run(argv, folder=folder, timeout=60, environment={**os.environ, **own})
    return Said(command.status, command.stdout, command.stderr)


@pytest.mark.parametrize("words", [f"convert --tree linux {POINT}", "study --help", "tree list"])
@pytest.mark.usefixtures("linux")
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, path: str, words: str) -> None:
    ask = f"{sys.executable} -m uaccel.cli.__main__ {words}"
    said = outside(path, tmp_path, "sh", "-c", f"{{ sleep 0.3; {ask}; echo $? >status; }} | true")
    assert (tmp_path / "status").read_text() == "0\n"
    assert "Traceback" not in said.stderr
    assert "Exception" not in said.stderr


def test_the_tree_around_the_working_folder_is_taken(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linux / "drivers/toy")
    assert uaccel("convert", "toy.c:toy_get_point").stdout.startswith(f"diff --git a/{TOY}")


def test_trees_at_hand_are_listed_with_their_version(uaccel: Uaccel, tmp_path: Path) -> None:
    assert uaccel("tree", "list") == Said(0, "", "")
    entry = tmp_path / "cache/trees/6.12"
    entry.mkdir(parents=True)
    (grow(entry / "linux").parent / "package").touch()
    assert uaccel("tree", "list") == Said(0, f"6.12.117\t{entry / 'linux'}\n", "")


def test_doctor_says_what_is_missing_and_how_it_comes_in(uaccel: Uaccel) -> None:
    said = uaccel("doctor")
    assert (said.status, said.stderr) == (1, "")
    assert "\n  gcc          missing\n" in said.stdout
    assert "`uaccel tree fetch 6.12` gets one" in said.stdout


@pytest.mark.skipif(find_program("dpkg-query") is None, reason="no Debian machine")
def test_doctor_has_one_line_that_installs_what_is_missing(
    uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uaccel.cli.doctor.needed_packages", lambda _arches: ("no-such-package",))
    said = uaccel("doctor")
    *_, before, line = said.stdout.splitlines()
    assert said.status == 1
    assert before == "missing packages; this line installs them:"
    assert line.endswith("apt-get install -y --no-install-recommends no-such-package")


def test_doctor_looks_for_emulators_only_when_kernels_are_to_be_booted(uaccel: Uaccel) -> None:
    assert "qemu-system" not in uaccel("doctor").stdout
    assert re.search(r"^  qemu-system-ppc +\S+$", uaccel("doctor", "--boot").stdout, re.MULTILINE)
