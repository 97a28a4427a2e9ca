# SPDX-License-Identifier: GPL-2.0-only
"""How long judging every window of a tree takes beside grep, and one file that has none.

    python benchmarks/check.py [--runs N] [--tree DIR] [--jobs N]

Page cache warm; nothing is kept between two runs of `uaccel check`.  The tree is not written to.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.scan import LEFT_OUT
from uaccel.errors import UserError
from uaccel.host.run import run
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Tree

PATTERN = r"\buser_(read_|write_|rw_)?access_(begin|end)\s*\(|\bunsafe_\w+\s*\(|\bscoped_user_"
WITHOUT = "sound/core/timer.c"  # a file that opens no window
_TIMEOUT = 3600  # seconds
_FOUND = (0, 1)  # statuses: nothing found, and something


def main() -> int:
    """Print one line a program, with the median of all runs, and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tree")
    args = parser.parse_args()
    try:
        tree = find_tree(args.tree, None)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    _warm(tree)
    load = os.getloadavg()[0]
    times = {name: _timed(args.runs, job) for name, job in _jobs(tree, args.jobs)}
    for name, seconds in times.items():
        print(f"{name}: {median(seconds):.2f} s ({min(seconds):.2f} - {max(seconds):.2f})")
    tree_ratio = median(times["check, tree"]) / median(times["grep -rE"])
    file_ratio = median(times["check, a file without"]) / median(times["python, nothing"])
    print(
        f"a tree: {tree_ratio:.1f} times grep; a file: {file_ratio:.1f} times python; load {load}"
    )
    return 0


def _jobs(tree: Tree, jobs: int) -> tuple[tuple[str, Callable[[], None]], ...]:
    check = (sys.executable, "-m", "uaccel.cli.__main__", "check")
    left = tuple(f"--exclude-dir={name}" for name in LEFT_OUT)
    grep = ("grep", "-rEl", "--include=*.[ch]", *left, PATTERN, tree.path)
    whole = (*check, "-q", "-j", str(jobs), "--tree", tree.path)
    alone = (*check, "--kbuild", f"{tree.path}/{WITHOUT}")
    return (
        ("grep -rE", partial(_run, grep)),
        ("check, tree", partial(_run, whole)),
        ("python, nothing", partial(_run, (sys.executable, "-c", "pass"))),
        ("check, a file without", partial(_run, alone)),
    )


def _run(argv: tuple[str, ...]) -> None:
    said = run(argv, folder=Path("/"), timeout=_TIMEOUT)
    if said.status not in _FOUND:
        raise UserError(f"{argv[0]} ended with status {said.status}: {said.stderr}")


def _timed(runs: int, job: Callable[[], None]) -> tuple[float, ...]:
    return tuple(_once(job) for _ in range(runs))


def _once(job: Callable[[], None]) -> float:
    began = time.monotonic()
    job()
    return time.monotonic() - began


def _warm(tree: Tree) -> None:
    _run(("grep", "-rEl", "--include=*.[ch]", PATTERN, tree.path))


if __name__ == "__main__":
    sys.exit(main())
