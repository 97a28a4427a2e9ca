# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of a small program of ours, for the tests that ask perf itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from uaccel.host.run import find_program, run

SPIN = Path(__file__).parent / "samples" / "spin.c"
SECONDS = 60


def program(folder: Path, *options: str) -> Path:
    """Return the program, built with `options`; skips where something is missing."""
    for name in ("perf", "gcc", "objdump"):
        if find_program(name) is None:
            pytest.skip(f"{name} is not here")
    built = folder / "spin"
    argv = ("gcc", "-O2", "-fcf-protection=none", *options, "-o", str(built), str(SPIN))
    said = run(argv, folder=folder, timeout=SECONDS)
    if said.status != 0:  # an option of x86 alone
        argv = tuple(word for word in argv if word != "-fcf-protection=none")
        said = run(argv, folder=folder, timeout=SECONDS)
    assert said.status == 0, said.stderr
    return built


def recorded(built: Path, stores: int, *options: str) -> Path:
    """Return a recording of the program at `built`; skips with the reason why there is none."""
    recording = built.parent / f"{stores}{len(options)}.data"
    argv = ("perf", "record", "-e", "cpu-clock", *options, "-o", str(recording))
    said = run((*argv, str(built), str(stores)), folder=built.parent, timeout=SECONDS)
    if said.status != 0:
        pytest.skip(f"perf cannot record here: {said.stderr.strip()[:200]}")
    return recording


def perf(*argv: str, folder: Path) -> str:
    """Return what perf printed; it asks no server on the network."""
    said = run(("env", "DEBUGINFOD_URLS=", "perf", *argv), folder=folder, timeout=SECONDS)
    assert said.status == 0, said.stderr
    return said.stdout
