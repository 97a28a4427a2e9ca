# SPDX-License-Identifier: GPL-2.0-only
"""What people wrote as a window or scope between two trees, beside what the styles write of it.

    python -m corpus.people --old DIR --new DIR [--arch NAME ...] [--files GLOB] [--out FILE]

A place is a function with a window or scope in the new tree that had none of that form in the old
one.  Its code of the old tree is written in every style there; in the new one people's window is
unmade and made again.  What is written is built for each architecture as `uaccel study` builds.
Exit status 1 when one of ours fails, broke, or needs more instructions than people's in its tree.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Lock

import uaccel.arch
from corpus.places import Place, Writing, places, writings
from corpus.tables import answered, table, version
from uaccel.catalog import catalog
from uaccel.cli.progress import Bar
from uaccel.count import PathCount, count_path
from uaccel.errors import UserError
from uaccel.flow.bench import Bench, Trial, attempt, layouts, set_up
from uaccel.flow.drafts import UNMADE, Draft, as_it_is, draft
from uaccel.flow.ground import Ground
from uaccel.flow.targets import Target
from uaccel.flow.transfers import counterparts, is_same
from uaccel.host.files import put
from uaccel.host.kbuild import object_of
from uaccel.host.store import Store, cache_folder, key
from uaccel.host.tree import find_tree, read_file
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Unbuilt
from uaccel.model.source import Cluster, Direction, Form
from uaccel.read.reading import read_source
from uaccel.report.plain import line

ARCHES = catalog(uaccel.arch, Arch)
COMPARED = ("x86_64", "ppc8xx", "ppc64le", "arm64-ttbr0")
COLUMNS = (
    *("tree", "file", "function", "cluster", "accesses", "stands", "style", "by", "range"),
    *("arch", "path_instructions", "path_toggles", "function_instructions", "result", "as_people"),
)
_ONCE = Lock()  # two threads must not make the same object
_BENCHES: dict[tuple[Tree, Arch, str], Bench | Unbuilt] = {}
# What the study's configurations leave out, and their objects do not compile without.
_MORE = ("CONFIG_EPOLL=y", "CONFIG_RSEQ=y", "CONFIG_IO_URING=y")
_FURTHER = ("include/linux/", "io_uring/", "kernel/rseq")
# A header's functions are looked at in a file that calls them.
_HOLDERS = {
    "include/linux/eventpoll.h": "fs/eventpoll.c",
    "include/linux/rseq_entry.h": "kernel/rseq.c",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """One cluster of a writing on one architecture."""

    writing: Writing
    number: int  # of the cluster in the function as it stands
    arch: str
    path: PathCount | None
    function: int | None  # instructions
    result: str  # "stands", "no more", "more", "fails", "refused: ...", "unknown: ..."

    @property
    def cluster(self) -> Cluster:
        """Return it as it stands."""
        return self.writing.target.function.clusters[self.number]


def main() -> int:
    """Print what is more than people's, the sums, and write the table that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--old", required=True)
    parser.add_argument("--new", required=True)
    parser.add_argument("--arch", action="append", choices=tuple(ARCHES))
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--out", metavar="FILE")
    parser.add_argument("--list", action="store_true", help="say what is found; build nothing")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _bench(ground: Ground, arch: Arch, target: Target) -> Bench | Unbuilt:
    path = str(target.path)
    try:
        object = object_of(ground.tree, PurePosixPath(_HOLDERS.get(path, path)))
    except UserError as error:
        return Unbuilt(arch.name, str(error))
    if path.startswith(_FURTHER):
        arch = replace(arch, config=(*arch.config, *_MORE), config_name=f"{arch.config_name}, more")
    with _ONCE:
        wanted = ground.tree, arch, object
        if wanted not in _BENCHES:
            _BENCHES[wanted] = set_up(ground, arch, object, ())
        return _BENCHES[wanted]


def _trial(bench: Bench, made: Draft) -> Trial:
    if made.target.path.suffix != ".h":
        return attempt(bench, made)
    # Searched before the tree's own, whoever asks for it.
    folder = bench.ground.store.root / "overlay" / key(made.text)[:16]
    place = folder / made.target.path
    put(str(place.parent), place.name, made.text.decode(errors="surrogateescape"))
    compiler, *flags = bench.prepared.compile
    above = next(folder / one for one in made.target.path.parents if one.name == "include")
    over = replace(bench.prepared, compile=(compiler, f"-I{above}", *flags))
    held = read_source(read_file(bench.ground.tree, bench.prepared.source))
    holder = replace(made.target, reading=held)
    plain = replace(bench, prepared=over, targets=())
    trial = attempt(plain, replace(as_it_is(holder), written=replace(made.written, reading=held)))
    return replace(trial, draft=made)


def _clusters(writing: Writing, number: int) -> tuple[Cluster, ...]:
    made = writing.made
    if made is None or not writing.style:
        return (writing.target.function.clusters[number],)
    return counterparts(writing.target.function, made.written.function, number)


def _range(writing: Writing, number: int) -> str:
    found = [one.scaffold.covers for one in _clusters(writing, number) if one.scaffold]
    return " and ".join(found) if writing.made is not None else ""


def _count(trial: Trial, writing: Writing, number: int) -> PathCount | str:
    if trial.object is None:
        return "it does not compile"
    if trial.listing is None:
        return "this configuration does not compile the function"
    found = _clusters(writing, number)
    if not found:
        return "which accesses it became cannot be told"
    lines = tuple(sorted({at for cluster in found for at in cluster.lines}))
    accesses = sum(len(cluster.accesses) for cluster in found)
    path = str(writing.target.path)
    return count_path(trial.listing, path, lines, accesses, trial.bench.helpers)


def _compared(people: PathCount | str, ours: PathCount | str) -> str:
    for who, one in (("people's", people), ("ours", ours)):
        if isinstance(one, str):
            return f"unknown: {who}, {one}"
        if one.instructions is None and not one.uncounted:
            return f"unknown: {who}, {one.why}"
    assert isinstance(people, PathCount) and isinstance(ours, PathCount)
    if sorted(people.uncounted) != sorted(ours.uncounted):
        return f"unknown: {_calls(ours)} is called and by people {_calls(people)}"
    return "no more" if ours.at_least <= people.at_least else "more"


def _calls(one: PathCount) -> str:
    return " and ".join(one.uncounted) or "nothing"


def _counted(ground: Ground, arch: Arch, some: tuple[Writing, ...]) -> list[Counted]:
    target = some[0].target
    parts = target.path.parts
    if parts[0] == "arch" and parts[1] != arch.srcarch:
        return []
    numbers = [n for n, one in enumerate(target.function.clusters) if one.stands or one.shares]
    if all(one.made is None and not _asks(one) for one in some[1:]):
        return [
            Counted(one, n, arch.name, None, None, f"refused: {one.why}")
            for one in some[1:]
            for n in numbers
        ]
    bench = _bench(ground, arch, target)
    if isinstance(bench, Unbuilt):
        said = f"unknown: {bench.why}"
        return [Counted(one, n, arch.name, None, None, said) for one in some for n in numbers]
    bench = replace(bench, targets=(target,))
    stands = _trial(bench, as_it_is(target))
    people = {number: _count(stands, some[0], number) for number in numbers}
    rows: list[Counted] = []
    for one in some:
        writing = _with_layouts(one, stands) if _asks(one) else one
        if writing.made is None:
            said = f"refused: {writing.why}"
            rows += (Counted(writing, n, arch.name, None, None, said) for n in numbers)
            continue
        trial = _trial(bench, writing.made)
        size = len(trial.listing.insns) if trial.listing else None
        for number in numbers:
            count = _count(trial, writing, number)
            result = _result(writing, number, people[number], count)
            path = count if isinstance(count, PathCount) else None
            rows.append(Counted(writing, number, arch.name, path, size, result))
    return rows


def _asks(writing: Writing) -> bool:
    # Whether an object may tell what was not known without one.
    return writing.made is None and "not known" in writing.why and "BROKEN" not in writing.why


def _with_layouts(writing: Writing, stands: Trial) -> Writing:
    # How structs are laid out is asked of the object.
    function = writing.base.function
    tags = {tag for _, tag in function.pointers} | {local.struct for local in function.locals}
    known = layouts(stands, tuple(sorted(tags)))
    if known is None:
        return writing
    try:
        made = draft(writing.base, writing.style, (known,))
    except Exception as error:
        return replace(writing, why=f"BROKEN: {error}")
    why = "; ".join(dict.fromkeys(one.why for one in made.refusals))
    return replace(writing, made=made if made.rewrites else None, why=why)


def _result(writing: Writing, number: int, people: PathCount | str, ours: PathCount | str) -> str:
    if not writing.style:
        return f"unknown: {ours}" if isinstance(ours, str) else "stands"
    if ours == "it does not compile" and people != ours:
        return "fails"
    forms = {one.form.value for one in _clusters(writing, number)}
    if writing.style not in {*forms, UNMADE}:
        return f"refused: {writing.why}"
    said = _compared(people, ours)
    return said if writing.style == UNMADE or len(forms) == 1 else f"{said}, in part: {writing.why}"


def _row(one: Counted) -> tuple[str, ...]:
    writing, path = one.writing, one.path
    target, cluster = writing.target, one.cluster
    where = f"{cluster.direction.value}@{target.reading.source.line(cluster.start)}"
    figure = ""
    if path is not None:
        figure = str(path.instructions) if path.instructions is not None else f">={path.at_least}"
    toggles = path.toggles if path is not None else None
    made = writing.made
    alike = ""
    if made is not None:
        alike = "same" if is_same(made.written.function, writing.people.function, ()) else "other"
    return (
        *(version(writing.tree), str(target.path), target.function.name),
        *(where, str(len(cluster.accesses)), cluster.form.value, writing.style or "as it stands"),
        *(writing.by, _range(writing, one.number), one.arch, figure),
        *(
            "" if toggles is None else str(toggles),
            "" if one.function is None else str(one.function),
        ),
        *(one.result.replace(f"{writing.tree.path}/", ""), alike),
    )


def _answer(args: argparse.Namespace) -> int:
    trees = find_tree(args.old, None), find_tree(args.new, None)
    store = Store(cache_folder(os.environ))
    arches = tuple(ARCHES[name] for name in args.arch or COMPARED)
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        found = tuple(places(*trees, args.files))
        written = [tuple(writings(*trees, place)) for place in found]
        grounds = {
            tree: Ground(tree, store, os.environ, arches, "gcc", args.jobs, bar.step)
            for tree in trees
        }
        asked = [
            (arch, tuple(one for one in some if one.tree == tree))
            for arch in (() if args.list else arches)
            for some in written
            for tree in trees
        ]
        jobs = [(arch, some) for arch, some in asked if some and some[0].target.function.clusters]
        with ThreadPoolExecutor(args.jobs) as pool:
            work = [partial(_counted, grounds[some[0].tree], arch, some) for arch, some in jobs]
            futures = [pool.submit(one) for one in work]
            rows = []
            for done, (future, (arch, some)) in enumerate(zip(futures, jobs, strict=True), 1):
                rows += future.result()
                bar.step(f"{arch.name}: {some[0].target.name}", done, len(jobs))
    rows = _beside(rows)
    _show(found, written)
    bad = _sum(rows)
    if args.out:
        made = sorted(map(_row, rows), key=lambda row: (row[1:3], row[0], row[3]))
        text = table((COLUMNS, *made))
        put(str(Path(args.out).parent), Path(args.out).name, text)
    return 1 if bad else 0


def _beside(rows: list[Counted]) -> list[Counted]:
    # Where nothing stood in the old tree, ours is compared with what people wrote later.
    later = {
        (row.writing.target.name, row.cluster.direction, row.arch): row.path
        for row in reversed(rows)
        if not row.writing.style and row.cluster.stands
    }
    return [replace(row, result=_later(row, later)) for row in rows]


def _later(row: Counted, later: Mapping[tuple[str, Direction, str], PathCount | None]) -> str:
    writing = row.writing
    if not writing.style or row.cluster.stands or not row.result.startswith(("no more", "more")):
        return row.result
    people = later.get((writing.people.name, row.cluster.direction, row.arch))
    if people is None or row.path is None:
        return f"unknown: of the later tree; than before: {row.result}"
    return f"{_compared(people, row.path)}, than in the later tree"


def _show(found: tuple[Place, ...], written: list[tuple[Writing, ...]]) -> None:
    for place, some in zip(found, written, strict=True):
        forms = [one.form.value for one in place.new.function.clusters if one.stands]
        old = ", ".join(one.form.value for one in place.old.function.clusters) if place.old else ""
        print(line(f"{place.new.name}: {old or place.why} -> {', '.join(forms)}"))
        for one in some:
            if one.why:
                print(line(f"    {one.tree.version}: {one.style}: {one.why}"))


def _sum(rows: list[Counted]) -> int:
    ours = [row for row in rows if row.writing.style not in ("", UNMADE, Form.STRUCTCOPY.value)]
    for word in ("no more", "more", "fails", "refused", "unknown"):
        some = [row for row in ours if row.result.startswith(word)]
        print(f"{word}: {len(some)}")
        for row in some if word in ("more", "fails") else ():
            print(line("    " + "  ".join(_row(row))))
    broken = [row for row in ours if "BROKEN" in row.result]
    return len(broken) + sum(row.result.startswith(("more", "fails")) for row in ours)


if __name__ == "__main__":
    sys.exit(main())
