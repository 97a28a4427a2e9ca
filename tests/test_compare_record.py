# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of two variants of a program of ours, made here, several runs each.

They need perf and a compiler; without one of them they are skipped, and say why.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.asking import Uaccel
from uaccel.host.run import find_program, run

PROGRAM = Path(__file__).parent / "samples" / "variants.c"
CALLS = PROGRAM.with_name("calls.c")
ROUNDS = "1200000"  # about a quarter of a second
RUNS = 4  # of each variant: the fewest that the rank test can judge
SECONDS = 60
WAYS = ("fieldwise", "window")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with recordings of both ways, or skip with the reason why there are none."""
    for name in ("perf", "gcc"):
        if find_program(name) is None:
            pytest.skip(f"{name} is not here")
    folder = tmp_path_factory.mktemp("variants")
    compiler = ("gcc", "-O2", "-o", str(folder / "variants"), str(PROGRAM))
    built = run(compiler, folder=folder, timeout=SECONDS)
    assert built.status == 0, built.stderr
    # One way after the other, again and again: what changes on the machine changes for both.
    for number in range(RUNS):
        for way in WAYS:
            argv = ("perf", "record", "-e", "cpu-clock", "-o", f"{way}.{number}.data")
            said = run((*argv, "./variants", ROUNDS, way), folder=folder, timeout=SECONDS)
            if said.status != 0:
                pytest.skip(f"perf cannot record here: {said.stderr.strip()[:200]}")
    return folder


def asked(uaccel: Uaccel, folder: Path, runs: int, *options: str) -> dict[str, Any]:
    """Return the document of a comparison of so many runs of each way."""
    words = [f"{way}={folder / way}.{i}.data" for way in WAYS for i in range(runs)]
    return document(uaccel, *options, *words)


def document(uaccel: Uaccel, *words: str) -> dict[str, Any]:
    """Return the document of a comparison."""
    said = uaccel("compare", "--json", "-", *words)
    assert (said.status, said.stderr) == (0, "")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_the_guarded_function_is_found_and_the_difference_stands(
    folder: Path, uaccel: Uaccel
) -> None:
    found = asked(uaccel, folder, RUNS)
    assert found["chosen"].startswith("lamp_ioctl moved most: ")
    before, after = (variant["groups"][0] for variant in found["variants"])
    assert (before["name"], after["name"]) == ("lamp_ioctl", "lamp_ioctl")
    assert len(before["percents"]) == RUNS == len(after["percents"])
    # A guard around each of nine fields against one: eighteen exchanges and two.
    assert before["percent"] > 2 * after["percent"] > 0
    assert {row["symbol"] for row in before["rows"]} == {"lamp_ioctl"}
    (difference,) = found["differences"]
    assert difference["stands"] == "stands"
    assert f"{RUNS} and {RUNS} runs, " in difference["why"] and "p = 0.029" in difference["why"]
    assert all(int(count) > 100 for one in found["variants"] for count in one["samples"])


def test_one_run_each_says_what_it_does_not_know(folder: Path, uaccel: Uaccel) -> None:
    found = asked(uaccel, folder, 1, "--function", "lamp_ioctl")
    (difference,) = found["differences"]
    assert difference["stands"] == "stands"
    assert (
        "standard errors of sampling; with one run each, what differs from run to run"
        in (difference["why"])
    )


def test_two_recordings_of_the_same_are_not_told_apart(folder: Path, uaccel: Uaccel) -> None:
    """Half of the runs of one way against the other half: no function of the program moved.

    The machine may have had something else to do in one of them; that is another function's share.
    """
    words = [f"{'first' if i < 2 else 'second'}={folder}/window.{i}.data" for i in range(RUNS)]
    found = document(uaccel, *words)
    assert not found["chosen"].startswith("lamp_")
    (difference,) = document(uaccel, "--function", "lamp_glow", *words)["differences"]
    # Two runs are no proof: at most their samples are judged, and that is said.
    assert "with 2 and 2 runs, what differs from run to run is not known" in difference["why"]


def test_a_recording_is_annotated_when_that_is_asked_for(folder: Path, uaccel: Uaccel) -> None:
    """A program opens no window: that is said, and no share is made up."""
    if find_program("objdump") is None:
        pytest.skip("objdump is not here")
    found = asked(uaccel, folder, 1, "--annotate", "--function", "lamp_ioctl")
    for variant in found["variants"]:
        (one,) = variant["attributions"]
        assert one["symbol"] == "lamp_ioctl" and len(one["rows"]) > 10
        assert (one["accesses"], one["percent"]) == (0, 0)
        assert any("no opening, closing or user access" in why for why in one["unknown"])


def test_a_system_call_is_summed_with_the_copies_that_it_made(
    uaccel: Uaccel, with_calls: tuple[str, str]
) -> None:
    """Chains say who called the accessors: other system calls use the same ones."""
    known = document(uaccel, *with_calls)
    kernel = [group for one in known["variants"] for group in one["groups"]]
    if not any(group["name"] == "other functions of the kernel" for group in kernel):
        pytest.skip("no symbol of the kernel was recorded: perf_event_paranoid, kptr_restrict?")
    found = document(uaccel, "--function", "getresuid", *with_calls)
    before, after = (variant["groups"][0] for variant in found["variants"])
    assert re.fullmatch(r".*sys_getresuid", before["name"])
    assert before["percent"] > 1 and after["percent"] < before["percent"] / 10
    assert {row["why"] for row in before["rows"]} <= {"the function", "copies for it"}
    (difference,) = found["differences"]
    assert difference["stands"] == "stands"


@pytest.fixture(scope="module")
def with_calls(folder: Path) -> tuple[str, str]:
    """Return recordings with call chains of a program with a system call and without it."""
    source = CALLS.read_text()
    parts = {"with": source, "without": source.replace("if (getresuid(", "if (0 && getresuid(")}
    assert parts["with"] != parts["without"]
    for name, text in parts.items():
        (folder / f"{name}.c").write_text(text)
        compiler = ("gcc", "-O2", "-o", str(folder / name), f"{name}.c")
        assert run(compiler, folder=folder, timeout=SECONDS).status == 0
        argv = ("perf", "record", "-e", "cpu-clock", "-g", "-o", f"{name}.data", f"./{name}")
        said = run((*argv, "500000"), folder=folder, timeout=SECONDS)
        if said.status != 0:
            pytest.skip(f"perf cannot record here: {said.stderr.strip()[:200]}")
    return str(folder / "with.data"), str(folder / "without.data")
