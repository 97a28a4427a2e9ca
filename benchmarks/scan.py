# SPDX-License-Identifier: GPL-2.0-only
"""How long a scan of a whole tree takes beside grep and Coccinelle, and a second scan.

    python benchmarks/scan.py [--runs N] [--tree DIR] [--jobs N] [--no-spatch]

Page cache warm, store empty for each scan.  The tree is not written to: what changes for the
second scan is one file of a copy.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

from uaccel.errors import UserError
from uaccel.host.run import find_program, run
from uaccel.host.tree import find_tree
from uaccel.model.command import Command
from uaccel.model.dossier import Tree

PATTERN = (
    r"\b(__)?(get|put)_user\s*\(|\b_*copy_(from|to)_user\s*\(|\b(__)?clear_user\s*\("
    r"|\bunsafe_(get|put)_user\s*\(|\bunsafe_copy_(from|to)_user\s*\("
)
LEFT_OUT = ("Documentation", "tools", "scripts")
NAMES = (
    *("get_user", "__get_user", "put_user", "__put_user", "clear_user", "__clear_user"),
    *("copy_from_user", "__copy_from_user", "copy_to_user", "__copy_to_user"),
    *("unsafe_get_user", "unsafe_put_user", "unsafe_copy_from_user", "unsafe_copy_to_user"),
)
RULE = "@r@\n@@\n* \\(" + r"\|".join(NAMES) + "\\)(...)\n"
CHANGED = "fs/select.c"
ROOT = Path(__file__).parent.parent
_TIMEOUT = 3600  # seconds
_RACY = 3  # seconds after which a file that was not changed since is not read again
# Runs argv and says the largest resident set of any process of it, in kilobytes.
_PEAK = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One program, with what it took."""

    what: str
    seconds: tuple[float, ...]  # wall time, one per run
    note: str

    @property
    def median(self) -> float:
        """Return the median of all runs, in seconds."""
        return median(self.seconds)

    def __str__(self) -> str:
        spread = f"{min(self.seconds):.2f} - {max(self.seconds):.2f}"
        return f"| {self.what} | {self.median:.2f} | {spread} | {self.note} |"


def main() -> int:
    """Print one table with the medians of all runs, and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tree")
    parser.add_argument("--no-spatch", action="store_true")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    try:
        tree = find_tree(args.tree, None)
        with tempfile.TemporaryDirectory(prefix="uaccel-bench-") as folder:
            rows = _rows(tree, Path(folder), args)
    except UserError as error:
        print(f"scan.py: {error}", file=sys.stderr)
        return 2
    print(f"{date.today()}, Linux {tree.version}, {os.cpu_count()} cores, load {load:.1f} before")
    print(f"and {os.getloadavg()[0]:.1f} after, -j {args.jobs}, wall seconds\n")
    print("| what | median | from - to | |\n|---|---|---|---|")
    print("\n".join(map(str, rows)))
    return 0


def _rows(tree: Tree, folder: Path, args: argparse.Namespace) -> list[Row]:
    grep = partial(_grep, tree)
    scan = partial(_scan, tree.path, args.jobs)
    lines = len(grep().stdout.splitlines())  # and the page cache is warm
    rows = [Row(f"`grep -rE` for the candidates: {lines} lines", _timed(grep, args.runs), "")]
    colds = (partial(scan, folder / f"cache-{number}") for number in range(args.runs))
    cold = tuple(_seconds(once) for once in colds)
    ratio = median(cold) / rows[0].median
    peak = _peak(tree.path, args.jobs, folder / "cache-peak")
    rows.append(Row("`uaccel scan`, empty store", cold, f"{ratio:.1f} x grep; {peak:.0f} MB"))
    rows.append(_again(tree, folder, args))
    if args.no_spatch:
        return rows
    if find_program("spatch") is None:
        print("scan.py: spatch is not here: apt-get install coccinelle\n", file=sys.stderr)
        return rows
    started = time.perf_counter()
    marked = _spatch(tree, folder, args.jobs)
    slow = time.perf_counter() - started
    version = run(("spatch", "--version"), folder=folder, timeout=60).stdout.split()[2]
    note = f"{slow / median(cold):.1f} x the scan"
    return [*rows, Row(f"spatch {version}, one run: marks {marked} lines", (slow,), note)]


def _grep(tree: Tree) -> Command:
    left_out = (f"--exclude-dir={name}" for name in LEFT_OUT)
    argv = ("grep", "-rE", "--include=*.[ch]", *left_out, PATTERN, tree.path)
    return run(argv, folder=Path("/"), timeout=_TIMEOUT)


def _argv(tree: str, jobs: int) -> tuple[str, ...]:
    return (sys.executable, "-m", "uaccel.cli.__main__", "scan", "--tree", tree, f"-j{jobs}")


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "UACCEL_CACHE": str(cache), "PYTHONPATH": str(ROOT)}


def _scan(tree: str, jobs: int, cache: Path) -> Command:
    environment = _environment(cache)
    argv = _argv(tree, jobs)
    said = run(argv, folder=Path("/"), timeout=_TIMEOUT, environment=environment)
    if said.status != 0:
        raise UserError(f"the scan ended with status {said.status}: {said.stderr}")
    return said


def _peak(tree: str, jobs: int, cache: Path) -> float:
    argv = (sys.executable, "-c", _PEAK, *_argv(tree, jobs))
    said = run(argv, folder=Path("/"), timeout=_TIMEOUT, environment=_environment(cache))
    return int(said.stdout) * 1024 / 1e6


def _again(tree: Tree, folder: Path, args: argparse.Namespace) -> Row:
    copy, cache = folder / "linux", folder / "cache-again"
    # Not with links: a link more is a change of the tree's own inode.
    copied = run(
        ("cp", "-a", "--reflink=auto", tree.path, str(copy)), folder=folder, timeout=_TIMEOUT
    )
    if copied.status != 0:
        raise UserError(f"no copy of the tree could be made: {copied.stderr}")
    time.sleep(_RACY)
    _scan(str(copy), args.jobs, cache)
    seconds = []
    for number in range(args.runs):
        with (copy / CHANGED).open("a") as file:
            file.write(f"/* run {number} */\n")
        seconds.append(_seconds(partial(_scan, str(copy), args.jobs, cache)))
    shutil.rmtree(copy)
    return Row(f"`uaccel scan` after `{CHANGED}` changed", tuple(seconds), "")


def _spatch(tree: Tree, folder: Path, jobs: int) -> int:
    (folder / "rule.cocci").write_text(RULE)
    left_out = (word for name in LEFT_OUT for word in ("--ignore", name))
    argv = (
        *("spatch", "--sp-file", str(folder / "rule.cocci"), "--dir", tree.path),
        *("--very-quiet", "-j", str(jobs), "--no-includes", *left_out),
    )
    said = run(argv, folder=folder, timeout=_TIMEOUT)
    if said.status != 0 or not said.stdout:
        raise UserError(f"spatch found nothing (status {said.status}): {said.stderr[-300:]}")
    return sum(line[:1] == "-" != line[1:2] for line in said.stdout.splitlines())


def _timed(work: Callable[[], object], runs: int) -> tuple[float, ...]:
    return tuple(_seconds(work) for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
