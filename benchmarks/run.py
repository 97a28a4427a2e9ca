# SPDX-License-Identifier: GPL-2.0-only
"""How many runs of a real function a core does in a second, and how long a verdict takes.

    PYTHONPATH=. python benchmarks/run.py [--runs N] [--arch NAME ...] [--tree DIR]

The function is snd_pcm_ioctl_sync_ptr_compat; its objects come from the user's own store, or are
built into it.  Counted is processor time, for other programs may run beside.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import median

from tests.syncptr import FUNCTION, Sample, samples
from uaccel.errors import UserError
from uaccel.flow.hints import hints
from uaccel.flow.rig import Side, prove_sides
from uaccel.host.emulator import Emulator
from uaccel.host.tree import find_tree
from uaccel.model.judgement import Outcome
from uaccel.model.run import Fault, Input

ROUNDS = 5
STYLES = ("fieldwise", "window", "structcopy")


@dataclass(frozen=True, slots=True)
class Row:
    """One style on one architecture."""

    sample: Sample
    instructions: int  # executed
    plain: float  # runs a second, median of all rounds
    faulty: float  # likewise, each run with a fault at another access
    begin: float  # seconds until the first run is over
    verdict: float | None  # processor time in seconds, beside fieldwise; None for that

    def __str__(self) -> str:
        one = self.sample
        verdict = "" if self.verdict is None else f"{self.verdict:.1f}"
        rates = f"{self.plain:.0f} | {self.faulty:.0f} | {self.begin * 1000:.0f} | {verdict}"
        return f"| {one.arch} | {one.style} | {self.instructions} | {rates} |"


def main() -> int:
    """Print one table with the medians of all rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000, help="of each round")
    parser.add_argument("--arch", action="append")
    parser.add_argument("--tree")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    try:
        tree = find_tree(args.tree, None)
        names = tuple(args.arch or ("x86_64",))
        found = samples(Path(tree.path), names, STYLES)
        rows = tuple(_rows(found, args.runs))
    except UserError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    print(f"{date.today()}, Linux {tree.version}, {os.cpu_count()} cores, load {load:.1f} before")
    print(f"and {os.getloadavg()[0]:.1f} after, medians of {ROUNDS} rounds of {args.runs} runs\n")
    print(
        "| architecture | style | instructions | runs/s | with a fault | first run, ms | verdict |"
    )
    print("|---|---|---|---|---|---|---|")
    print("\n".join(map(str, rows)))
    return 0


def _rows(found: Iterator[Sample], runs: int) -> Iterator[Row]:
    before: dict[str, Sample] = {}
    for sample in found:
        fieldwise = before.setdefault(sample.arch, sample)
        started = time.process_time()
        task = Emulator(sample.image)
        first = task.execute(FUNCTION, sample.given)
        begin = time.process_time() - started
        steps = sorted({one.step for one in first.accesses})
        faulty = tuple(replace(sample.given, fault=Fault(step, False)) for step in steps)
        yield Row(
            sample=sample,
            instructions=first.instructions,
            plain=median(_rate(task, (sample.given,), runs) for _ in range(ROUNDS)),
            faulty=median(_rate(task, faulty, runs) for _ in range(ROUNDS)),
            begin=begin,
            verdict=_verdict(fieldwise, sample) if sample is not fieldwise else None,
        )


def _verdict(before: Sample, after: Sample) -> float:
    started = time.process_time()
    data = Path(before.trial.build.path or "").read_bytes()
    sides = tuple(_side(one) for one in (before, after))
    (proof,) = prove_sides(sides, data, hints(before.trial.draft.target.function))
    if proof.judgement.outcome is not Outcome.PASS:
        raise UserError(f"{after.arch}, {after.style}: {proof.judgement.why}")
    return time.process_time() - started


def _side(sample: Sample) -> Side:
    listing = sample.trial.listing
    if listing is None:
        raise UserError(f"{sample.arch}: the object does not hold {FUNCTION}")
    return Side(sample.image, listing, sample.declared)


def _rate(task: Emulator, given: tuple[Input, ...], runs: int) -> float:
    started = time.process_time()
    for number in range(runs):
        task.execute(FUNCTION, given[number % len(given)])
    return runs / (time.process_time() - started)


if __name__ == "__main__":
    sys.exit(main())
