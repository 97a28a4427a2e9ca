# SPDX-License-Identifier: GPL-2.0-only
"""The seed's function, run from the kernel's own objects on ten architectures.

The first run builds its objects into the user's own store; a second one builds none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.syncptr import FUNCTION, USER, Sample, samples
from uaccel.host.emulator import Emulator
from uaccel.model.run import Fault, Run

# Executed instructions, openings and closings, by gcc 12.2: fieldwise, then window.  Those of
# memset(), which zeroes a local struct, are among them, where the compiler calls it.
FIGURES: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "x86_64": ((245, 24), (130, 4)),
    "i386": ((276, 24), (170, 4)),
    "arm64": ((169, 0), (150, 0)),
    "arm64-ttbr0": ((413, 24), (191, 4)),
    "riscv64": ((368, 24), (195, 24)),
    "ppc64le": ((577, 24), (210, 4)),
    "ppc8xx": ((261, 24), (186, 4)),
    "ppc32": ((331, 18), (196, 2)),
    "arm": ((381, 24), (386, 24)),
    "s390x": ((174, 0), (174, 0)),
}
STYLES = ("fieldwise", "window", "structcopy")


@pytest.fixture(scope="session")
def built(tree_6_12: Path) -> Mapping[tuple[str, str], Sample]:
    """Return the function by architecture and style."""
    found = samples(tree_6_12, tuple(FIGURES), STYLES)
    return {(one.arch, one.style): one for one in found}


def plain(sample: Sample) -> Run:
    """Return the run in which nothing faults."""
    return Emulator(sample.image).execute(FUNCTION, sample.given)


@pytest.mark.parametrize("arch", FIGURES)
def test_the_figures_come_out(built: Mapping[tuple[str, str], Sample], arch: str) -> None:
    before, after = built[arch, "fieldwise"], built[arch, "window"]
    if not before.compiler.startswith("gcc 12"):
        pytest.skip(f"the figures are those of gcc 12, not of {before.compiler}")
    runs = plain(before), plain(after)
    told = tuple((one.instructions, one.openings + one.closings) for one in runs)
    assert told == FIGURES[arch]


@pytest.mark.parametrize("arch", FIGURES)
def test_every_style_writes_the_same(built: Mapping[tuple[str, str], Sample], arch: str) -> None:
    runs = {style: plain(built[arch, style]) for style in STYLES}
    for run in runs.values():
        assert (run.ended, run.result, run.open) == ("", 0, False)
        assert run.kernel == runs["fieldwise"].kernel
        assert run.calls == () or {one.open for one in run.calls} == {False}
        needs = built[arch, "fieldwise"].image.accesses_guarded
        assert all(one.open for one in run.accesses if one.direction in needs)
    fields = [replace(one, place=0, step=0) for one in runs["fieldwise"].accesses]
    window = [replace(one, place=0, step=0) for one in runs["window"].accesses]
    assert fields == window
    (_, written), (_, copied) = runs["fieldwise"].user[0], runs["structcopy"].user[0]
    assert len(fields) == 12 and len(written) == len(copied)


@pytest.mark.parametrize("arch", FIGURES)
@pytest.mark.parametrize("style", STYLES)
def test_a_fault_at_every_access_is_an_error(
    built: Mapping[tuple[str, str], Sample], arch: str, style: str
) -> None:
    """Once and for good; a copy tries again byte by byte, and a single fault is over by then."""
    sample = built[arch, style]
    task = Emulator(sample.image)
    for step in {one.step for one in plain(sample).accesses}:
        for sticky in (False, True):
            given = replace(sample.given, fault=Fault(step, sticky))
            run = task.execute(FUNCTION, given)
            assert run.ended == "" and run.result is not None and not run.open
            assert run.faults and {one.address & -0x1000 for one in run.faults} == {USER}
            failed = run.result & 0xFFFFFFFF == -14 & 0xFFFFFFFF
            assert failed or (style == "structcopy" and not sticky)
    assert task.execute(FUNCTION, sample.given) == plain(sample)
