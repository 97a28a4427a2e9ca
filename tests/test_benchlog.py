# SPDX-License-Identifier: GPL-2.0-only
"""Kernel logs that hold what a module measured: as people have them, cut and mixed too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.asking import Uaccel
from uaccel.model.benched import BenchRun
from uaccel.read.benchlog import bench_runs

OF = "sound/core/pcm_native.c:f:write@3234"
# style: nanoseconds and cycles of a batch of 1000 calls, the median and the least
BATCHES = {
    "empty": (10000, 9000, 500, 450),
    "fieldwise": (400000, 390000, 20000, 19500),
    "window": (100000, 99000, 5000, 4950),
}


def log(run: str = "17c0", scale: float = 1.0, prefix: str = "[   12.345678] ") -> list[str]:
    """Return the lines of one run whose times are `scale` times those above."""
    head = f"run={run} machine=ppc release=6.12.0 bits=32 cpus=1 debug=0 clusters=1"
    lines = [
        f"begin {head} rounds=200 calls=1000 ;",
        f"cluster run={run} cluster=1 of={OF} direction=write accesses=9 bytes=76 ;",
    ]
    for style, batch in BATCHES.items():
        ns, least, cycles, least_cycles = (int(figure * scale) for figure in batch)
        check = "floor" if style == "empty" else "pass"
        lines.append(
            f"style run={run} cluster=1 style={style} check={check} calls=1000 batches=200 "
            f"min_ns={least} median_ns={ns} min_cycles={least_cycles} median_cycles={cycles} ;"
        )
    lines.append(f"style run={run} cluster=1 style=masked check=absent ;")
    lines.append(f"end run={run} lines={len(lines)} error=0 ;")
    return [f"{prefix}uaccel-bench: v1 {line}" for line in lines]


def told(*lines: str) -> BenchRun:
    """Return the one run that `lines` tell of."""
    (one,) = bench_runs("board.txt", "\n".join(lines))
    return one


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "[   12.345678] ",
        "[   12.345678][  T142] ",
        "<6>[   12.345678] ",
        "[Mon Nov 30 10:00:00 2026] ",
        "Nov 30 10:00:00 board kernel: ",
        "2026-11-30T10:00:00,123456+00:00 board kernel: [   12.345678] ",
        "> > ",
    ],
)
def test_a_log_is_read_whatever_stands_before_its_lines(prefix: str) -> None:
    one = told(*log(prefix=prefix))
    assert one.notes == ()
    assert (one.machine, one.release) == ("ppc", "6.12.0")
    (cluster,) = one.clusters
    assert (cluster.of, cluster.direction, cluster.accesses, cluster.bytes) == (OF, "write", 9, 76)
    empty, field, window, masked = cluster.timed
    assert (field.ns, field.least_ns, field.cycles, field.least_cycles) == (400, 390, 20, 19.5)
    assert (empty.check, window.check) == ("floor", "pass")
    assert (masked.check, masked.ns, masked.cycles) == ("absent", None, None)


def test_lines_of_others_and_of_two_runs_may_be_mixed_and_repeated() -> None:
    """dmesg and a journal of the same boot hold each line twice."""
    first, second = log("1"), log("2", 2.0)
    mixed = [
        line for pair in zip(first, second, strict=True) for line in (*pair, "[ 1.0] eth0: up")
    ]
    runs = bench_runs("x", "\r\n".join([*mixed, *log("1", prefix="Nov 30 kernel: ")]))
    assert [one.run for one in runs] == ["1", "2"]
    assert [one.notes for one in runs] == [(), ()]
    assert [one.clusters[0].timed[1].ns for one in runs] == [400, 800]


@pytest.mark.parametrize("lost", range(7))
def test_each_line_that_is_lost_is_noticed(lost: int) -> None:
    lines = log()
    assert len(lines) == 7
    del lines[lost]
    (note, *others) = told(*lines).notes
    first, last = "Its first line is lost", "Its last line is lost"
    expected = {0: first, 6: last}.get(lost, "5 of its 6 lines are there.")
    assert note.startswith(expected)
    assert others == (["5 of its 6 lines are there."] if lost == 0 else [])


@pytest.mark.parametrize("kept", range(30, 200, 13))
def test_a_line_that_is_cut_gives_no_figure(kept: int) -> None:
    """A number whose last digits are gone is still a number: ` ;` tells that they are there."""
    lines = log()
    whole = lines[3]
    lines[3] = whole[:kept]
    one = told(*lines)
    cut = kept < len(whole)
    assert ("5 of its 6 lines are there." in one.notes) == cut
    assert ("fieldwise" in [timed.style for timed in one.clusters[0].timed]) == (not cut)


def test_a_log_without_its_beginning_has_no_names() -> None:
    one = told(*log()[2:])
    assert one.clusters[0].of == ""
    assert (one.machine, one.clusters[0].accesses) == ("", None)
    assert one.clusters[0].timed[2].ns == 100


def test_what_the_module_says_of_itself_becomes_a_note() -> None:
    lines = [line.replace("debug=0", "debug=1").replace("error=0", "error=-12") for line in log()]
    moved = lines[0].partition("v1")[0] + "v1 moved run=17c0 cluster=1 batches=3 ;"
    notes = told(*lines[:-1], moved, lines[-1].replace("lines=6", "lines=7")).notes
    assert notes == (
        "The module ended with error -12.",
        "That kernel is configured with checks that slow every access.",
        "3 batches moved to another processor; taskset keeps them on one.",
    )


def test_another_version_is_not_guessed_at() -> None:
    one = told(*(line.replace(" v1 ", " v2 ") for line in log()))
    assert one.clusters == ()
    assert one.notes[0].startswith("A line is cut, or not of a version that is known: 'v2 begin")


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.data())
def test_whatever_stands_there_is_read_to_the_end(data: st.DataObject) -> None:
    """Pieces of a log are dropped, doubled, cut and filled with noise; figures stay figures."""
    lines = data.draw(st.lists(st.sampled_from([*log("1"), *log("2", 3.0)]), max_size=20))
    noise = st.text(max_size=12)
    text = "\n".join(data.draw(noise) + line[: data.draw(st.integers(0, 260))] for line in lines)
    text += data.draw(st.sampled_from(["", "uaccel-bench: v1 style run=3 calls=0 median_ns=1 ;"]))
    for one in bench_runs("x", text):
        for cluster in one.clusters:
            for timed in cluster.timed:
                assert timed.ns in (None, 10, 400, 100, 30, 1200, 300)
                assert timed.check in ("pass", "floor") or timed.ns is None


@pytest.fixture
def boards(tmp_path: Path) -> tuple[Path, Path]:
    """Return the log of three runs on one board, and that of one on another."""
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("\n".join([*log("1"), *log("2", 1.1), *log("3", 1.2)]))
    lines = [line.replace("=ppc ", "=x86_64 ") for line in log("4", 0.1)]
    other.write_text(
        "\n".join(line.replace("median_ns=10000 ", "median_ns=20000 ") for line in lines)
    )
    return one, other


def test_runs_have_a_median_and_a_spread_and_files_stand_beside_each_other(
    uaccel: Uaccel, boards: tuple[Path, Path]
) -> None:
    said = uaccel("bench-module", "--read", *boards)
    assert (said.status, said.stderr) == (0, "")
    rows = {words[0]: words[1:] for line in said.stdout.splitlines() if (words := line.split())}
    assert "440.0 400.0-480.0 390.0 22.0 20.0-24.0 19.5 0 %" in " ".join(said.stdout.split())
    assert "110.0 100.0-120.0 99.0 5.5 5.0-6.0 5.0 -75 %" in " ".join(said.stdout.split())
    assert "this kernel has none for the machine" in said.stdout
    assert "get_cycles() counts at 50 MHz there" in said.stdout
    assert rows["window"] == ["-75", "%", "-50", "%", "25", "points"]  # the last table
    assert rows["masked"] == ["?", "?"]


def test_the_document_holds_every_figure(uaccel: Uaccel, boards: tuple[Path, Path]) -> None:
    document = json.loads(uaccel("bench-module", "--read", *boards, "--json", "-").stdout)
    assert document["schema"] == {"name": "uaccel-bench", "version": 1}
    one, other = document["boards"]
    assert (one["runs"], one["machine"], other["machine"]) == (3, "ppc", "x86_64")
    window = next(row for row in one["rows"] if row["style"] == "window")
    assert window["ns"] == {"median": 110.0, "low": 100.0, "high": 120.0, "least": 99.0}
    assert window["change"] == pytest.approx(-75)
    masked = next(row for row in one["rows"] if row["style"] == "masked")
    assert (masked["ns"], masked["change"]) == (None, None)
    assert [run["run"] for run in document["runs"]] == ["1", "2", "3", "4"]


def test_what_is_not_known_is_shown_as_unknown(uaccel: Uaccel, tmp_path: Path) -> None:
    """The line of the first style is lost, so there is nothing to be told against."""
    lines = log()
    del lines[3]
    (tmp_path / "cut.txt").write_text("\n".join(lines))
    said = uaccel("bench-module", "--read", tmp_path / "cut.txt")
    row = next(line.split() for line in said.stdout.splitlines() if line.startswith("window"))
    assert row == ["window", "100.0", "99.0", "5.0", "5.0", "?"]
    assert "5 of its 6 lines are there." in " ".join(said.stdout.split())


def test_a_hostile_log_steers_no_terminal(uaccel: Uaccel, tmp_path: Path) -> None:
    text = "\n".join(log()).replace(OF, "a\x1b[31m[bold]b\u202e").replace("=ppc ", "=\x1b]0;x\x07 ")
    (tmp_path / "odd.txt").write_bytes(text.encode() + b"\nuaccel-bench: \xff\x1b[2J\n")
    said = uaccel("bench-module", "--read", tmp_path / "odd.txt")
    assert said.status == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(said.stdout)
    assert "[bold]b" in said.stdout


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("empty.txt", r"empty.txt holds no line of uaccel-bench; `dmesg` has them after insmod"),
        ("none.txt", "none.txt cannot be read: No such file or directory"),
        (".", ". cannot be read: Is a directory"),
    ],
)
def test_a_file_that_tells_nothing_is_one_sentence(
    uaccel: Uaccel, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "empty.txt").write_text("[    0.000000] Linux version 6.12.0\n")
    assert uaccel("bench-module", "--read", name).error == sentence
