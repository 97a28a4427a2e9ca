# SPDX-License-Identifier: GPL-2.0-only
"""What perf annotates here, in all its forms, is what objdump says of the function.

They need perf and a compiler; without one of them they are skipped, and say why.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from tests.recordings import perf, program, recorded
from tests.test_perf_annotate import sole
from uaccel.errors import UserError
from uaccel.host.perf import annotate
from uaccel.host.run import run
from uaccel.read.perfannotate import read_annotations


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of a program with debugging information."""
    return recorded(program(tmp_path_factory.mktemp("annotate"), "-g"), 4)


def disassembled(built: Path, symbol: str) -> dict[int, str]:
    """Return the mnemonic at each address of `symbol`, as objdump has them."""
    argv = ("objdump", "-d", "--no-show-raw-insn", f"--disassemble={symbol}", str(built))
    said = run(argv, folder=built.parent, timeout=60).stdout
    rows = re.findall(r"^\s*([0-9a-f]+):\s+(\w+)", said, re.MULTILINE)
    return {int(address, 16): mnemonic for address, mnemonic in rows}


VARIANTS = (
    *("", "--asm-raw", "-l", "-l -P", "--no-source", "--asm-raw -l --no-source", "-n"),
    *("--show-total-period", "--asm-raw --show-total-period", "--percent-type local-hits"),
)


@pytest.mark.parametrize("options", VARIANTS)
def test_what_perf_annotates_is_what_objdump_says(recording: Path, options: str) -> None:
    argv = ("annotate", "--stdio", "-i", str(recording), *options.split(), "-s", "store")
    found = sole(perf(*argv, folder=recording.parent))
    expected = disassembled(recording.parent / "spin", "store")
    assert {row.address: row.text.split()[0] for row in found.rows} == expected
    assert found.symbol == "store" and found.object.endswith("spin")
    assert found.event.startswith("cpu-clock") and int(found.samples) > 50
    assert found.shown == pytest.approx(100, abs=0.1 * len(found.rows))
    assert found.begins and not found.cut and not found.unread
    assert all(row.code for row in found.rows) == ("--asm-raw" in options)
    lines = {line for row in found.rows for _, line in row.lines}
    assert bool(lines) == ("--no-source" not in options or "-l" in options)
    if lines:  # `for` and what it does
        assert lines & {18, 19} or lines & {20, 21}


def test_intel_spelling_of_perf_is_the_same_listing(recording: Path) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("only x86 has two spellings")
    argv = ("annotate", "--stdio", "-i", str(recording), "-s", "store")
    att = sole(perf(*argv, folder=recording.parent))
    intel = sole(perf(*argv, "-M", "intel", folder=recording.parent))
    assert [row.address for row in att.rows] == [row.address for row in intel.rows]
    assert [row.percent for row in att.rows] == [row.percent for row in intel.rows]
    assert any("%" in row.text for row in att.rows)
    assert not any("%" in row.text for row in intel.rows)


def test_every_symbol_of_a_recording_is_an_annotation(recording: Path) -> None:
    text = perf("annotate", "--stdio", "-i", str(recording), "-d", "spin", folder=recording.parent)
    found = {one.symbol: one for one in read_annotations(text)}
    assert set(found) >= {"store", "divide"}
    assert all(one.begins for one in found.values())


def test_host_annotates_a_symbol_with_its_bytes(recording: Path) -> None:
    command = annotate(str(recording), "store")
    found = sole(command.stdout)
    assert found.symbol == "store" and all(row.code for row in found.rows)
    assert not any(row.lines and row.lines[0][0] for row in found.rows)
    placed = sole(annotate(str(recording), "store", lines=True).stdout)
    assert any(row.lines and row.lines[0][0].endswith("spin.c") for row in placed.rows)


def test_host_says_why_a_symbol_is_not_annotated(recording: Path) -> None:
    for symbol in ("nowhere", "--version", ""):
        with pytest.raises(UserError, match=r"perf cannot annotate .* of .*\.data: "):
            annotate(str(recording), symbol)
    with pytest.raises(UserError, match="perf cannot annotate store of /nowhere: "):
        annotate("/nowhere", "store")


def test_without_perf_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="perf is not here to annotate f of it; `uaccel doctor`"):
        annotate("perf.data", "f")
