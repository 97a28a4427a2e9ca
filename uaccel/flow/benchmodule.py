# SPDX-License-Identifier: GPL-2.0-only
"""From a function to a kernel module that times its shape, and from the board's log to figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from uaccel.errors import UserError
from uaccel.flow.shapes import shapes
from uaccel.flow.targets import load
from uaccel.host.files import content, put_together
from uaccel.host.ours import expect_ours
from uaccel.model.benched import Across, Benched, BenchReport, BenchRun, Board, Figure, Shape, Timed
from uaccel.model.dossier import Tree
from uaccel.read.benchlog import bench_runs
from uaccel.report.benchmodule import MARK, NAMES, module

_FIELDWISE = "fieldwise"
_BEFORE_OURS = ("GNUmakefile", "makefile", "Kbuild")  # what make or Kbuild takes instead
_WHY = {
    "absent": "this kernel has none for the machine",
    "differs": "it left other bytes than it should",
    "no-fault": "a bad pointer gave no -EFAULT",
    "failed": "a call failed",
    "unreachable": "the user memory could not be reached",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to time."""

    target: str  # FILE:FUNCTION
    cluster: int | None  # its number, from 1; None for all
    bytes: int | None  # of copies whose size the headers do not tell; None: they are refused


@dataclass(frozen=True, slots=True)
class Placed:
    """A module that was written."""

    paths: tuple[str, ...]
    shapes: tuple[Shape, ...]


def write_module(tree: Tree, wanted: Wanted, folder: str, command: str) -> Placed:
    """Return a module in `folder` that times what is `wanted`; `command` makes it again."""
    expect_ours(folder, NAMES, MARK, _BEFORE_OURS)
    if ":" not in wanted.target:
        raise UserError(f"{wanted.target} is no function; name one as FILE:FUNCTION")
    (target,) = load(tree, (wanted.target,))
    made = shapes(tree, target, wanted.cluster, wanted.bytes)
    files = module(made, command)
    return Placed(put_together(folder, files, r"(?!)"), made)


def read_logs(files: tuple[str, ...], command: str) -> BenchReport:
    """Return what the logs in `files` tell; UserError when one tells nothing of the module."""
    runs: list[BenchRun] = []
    for file in dict.fromkeys(files):
        found = bench_runs(file, content(file).decode(errors="replace"))
        if not found:
            raise UserError(f"{file} holds no line of uaccel-bench; `dmesg` has them after insmod")
        runs += found
    boards = tuple(board for file in dict.fromkeys(files) for board in _boards(file, runs))
    return BenchReport(command, boards, tuple(runs), tuple(_notes(runs)))


def _notes(runs: list[BenchRun]) -> Iterator[str]:
    seen: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        for note in run.notes:
            seen.setdefault((run.source, note), []).append(run.run)
    for (source, note), names in seen.items():
        of = f", run {names[0]}" if names[0] and len(names) == 1 else ""
        yield f"{source}{of}: {note}"


def _boards(file: str, runs: list[BenchRun]) -> Iterator[Board]:
    groups: dict[tuple[str, ...], list[tuple[BenchRun, Benched]]] = {}
    for run in runs:
        for cluster in run.clusters if run.source == file else ():
            # Without its line, what a cluster is of is not known: it stands alone.
            key = (cluster.of or run.run, run.machine, run.release, f"{cluster.bytes}")
            groups.setdefault(key, []).append((run, cluster))
    for group in groups.values():
        (run, cluster), timed = group[0], [one for _, many in group for one in many.timed]
        rows = tuple(_rows(timed))
        yield Board(
            source=file,
            of=cluster.of,
            direction=cluster.direction,
            accesses=cluster.accesses,
            bytes=cluster.bytes,
            machine=run.machine,
            release=run.release,
            runs=len(group),
            rows=rows,
            rate=_rate(rows),
        )


def _rows(timed: list[Timed]) -> Iterator[Across]:
    styles = {style: [t for t in timed if t.style == style] for style in _order(timed)}
    base = _figure([(t.ns, t.least_ns) for t in styles.get(_FIELDWISE, [])])
    for style, times in styles.items():
        ns = _figure([(t.ns, t.least_ns) for t in times])
        cycles = _figure([(t.cycles, t.least_cycles) for t in times])
        known = ns is not None and base is not None and base.median > 0
        change = 100 * (ns.median / base.median - 1) if known and ns and base else None
        yield Across(style, ns, cycles, change, _why(times))


def _order(timed: list[Timed]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.style for one in timed))


def _why(times: list[Timed]) -> str:
    lost = [one for one in times if one.ns is None]
    if not lost:
        return ""
    said = lost[0].check
    why = _WHY.get(said, "its figures are lost" if said in ("", "pass", "floor") else f"{said!r}")
    return why if len(lost) == len(times) else f"in {len(lost)} of {len(times)} runs: {why}"


def _figure(pairs: list[tuple[float | None, float | None]]) -> Figure | None:
    medians = [one for one, _ in pairs if one is not None]
    if not medians:
        return None
    least = [one for _, one in pairs if one is not None]
    return Figure(median(medians), min(medians), max(medians), min([*least, *medians]))


def _rate(rows: tuple[Across, ...]) -> float | None:
    # Of the longest style: what is short says little of a slow counter.
    known = [(row.ns.median, row.cycles.median) for row in rows if row.ns and row.cycles]
    ns, cycles = max(known, default=(0.0, 0.0))
    return 1000 * cycles / ns if ns > 0 and cycles > 0 else None
