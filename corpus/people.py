# SPDX-License-Identifier: GPL-2.0-only
"""What people wrote as a window or scope between two trees, beside what the styles write of it.

    python -m corpus.people --old DIR --new DIR [--arch NAME ...] [--files GLOB] [--out FILE]

A place is a function with a window or scope in the new tree that had none of that form in the old
one.  Its code of the old tree is written as `window`, `masked`, `structcopy` and field by field; in
the new one people's window is unmade and made again.  What is written is built for each
architecture as `uaccel study` builds.  Exit status 1 when one of ours, in whatever style, does not
compile or broke, or when our window (scope) needs more instructions than people's window (scope) in
a function that people-judged.tsv does not judge.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Lock

import uaccel.arch
from corpus.beside import (
    COLUMNS,
    Counted,
    Result,
    Verdict,
    beside_later,
    cells,
    clusters_of,
    compared,
    failed,
    judged,
    left,
    sums,
)
from corpus.places import Place, Writing, places, writings
from corpus.tables import answered, table
from uaccel.catalog import catalog
from uaccel.cli.progress import Bar
from uaccel.count import PathCount, count_path
from uaccel.errors import UserError
from uaccel.flow.bench import Bench, Trial, attempt, layouts, set_up
from uaccel.flow.drafts import UNMADE, Draft, as_it_is, draft
from uaccel.flow.ground import Ground, Progress, at_once
from uaccel.flow.targets import Target
from uaccel.host.files import put
from uaccel.host.kbuild import object_of
from uaccel.host.store import Store, cache_folder, key
from uaccel.host.tree import find_tree, read_file
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Unbuilt
from uaccel.read.reading import read_source
from uaccel.report.plain import line

ARCHES = catalog(uaccel.arch, Arch)
COMPARED = ("x86_64", "ppc8xx", "ppc64le", "arm64-ttbr0")
_JUDGED = Path(__file__).with_name("people-judged.tsv")
_UNCOMPILED = "it does not compile"
# What the study's configurations leave out, and their objects do not compile without.
_MORE = ("CONFIG_EPOLL=y", "CONFIG_RSEQ=y", "CONFIG_IO_URING=y")
_FURTHER = ("include/linux/", "io_uring/", "kernel/rseq")
# A header's functions are looked at in a file that calls them.
_HOLDERS = {
    "include/linux/eventpoll.h": "fs/eventpoll.c",
    "include/linux/rseq_entry.h": "kernel/rseq.c",
}
Some = tuple[Writing, ...]  # of one function in one tree, as it stands first
Wanted = tuple[Tree, Arch, str]  # its object


@dataclass(frozen=True, slots=True)
class Benches:
    """What was set up in this run, each once whoever asks."""

    made: dict[Wanted, Bench | Unbuilt] = field(default_factory=dict)
    locks: dict[Wanted, Lock] = field(default_factory=dict)
    guard: Lock = field(default_factory=Lock)  # of `locks`

    def of(self, ground: Ground, arch: Arch, made_of: str) -> Bench | Unbuilt:
        """Return the bench of `arch` for an object; two threads do not make the same one."""
        wanted = ground.tree, arch, made_of
        with self.guard:
            lock = self.locks.setdefault(wanted, Lock())
        with lock:
            if wanted not in self.made:
                self.made[wanted] = set_up(ground, arch, made_of, ())
            return self.made[wanted]


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


def _bench(benches: Benches, ground: Ground, arch: Arch, target: Target) -> Bench | Unbuilt:
    path = str(target.path)
    try:
        made_of = object_of(ground.tree, PurePosixPath(_HOLDERS.get(path, path)))
    except UserError as error:
        return Unbuilt(arch.name, str(error))
    if path.startswith(_FURTHER):
        arch = replace(arch, config=(*arch.config, *_MORE), config_name=f"{arch.config_name}, more")
    return benches.of(ground, arch, made_of)


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


def _count(trial: Trial, writing: Writing, number: int) -> PathCount | str:
    if trial.object is None:
        return _UNCOMPILED
    if trial.listing is None:
        return "this configuration does not compile the function"
    found = clusters_of(writing, number)
    if not found:
        return "which accesses it became cannot be told"
    lines = tuple(sorted({at for cluster in found for at in cluster.lines}))
    accesses = sum(len(cluster.accesses) for cluster in found)
    path = str(writing.target.path)
    return count_path(trial.listing, path, lines, accesses, trial.bench.helpers)


def _counted(benches: Benches, ground: Ground, arch: Arch, some: Some) -> tuple[Counted, ...]:
    target = some[0].target
    parts = target.path.parts
    if parts[0] == "arch" and parts[1] != arch.srcarch:
        return ()
    numbers = [n for n, one in enumerate(target.function.clusters) if one.stands or one.shares]
    if all(one.made is None and not _asks(one) for one in some[1:]):
        return tuple(_uncounted(one, n, arch, left(one)) for one in some[1:] for n in numbers)
    bench = _bench(benches, ground, arch, target)
    if isinstance(bench, Unbuilt):
        said = Verdict(Result.UNKNOWN, bench.why)
        told = ((one, left(one) if one.broken else said) for one in some)
        return tuple(_uncounted(one, n, arch, verdict) for one, verdict in told for n in numbers)
    bench = replace(bench, targets=(target,))
    stands = _trial(bench, as_it_is(target))
    people = {number: _count(stands, some[0], number) for number in numbers}
    return tuple(row for one in some for row in _tried(bench, stands, one, people))


def _uncounted(writing: Writing, number: int, arch: Arch, said: Verdict) -> Counted:
    return Counted(writing, number, arch.name, None, None, said)


def _tried(
    bench: Bench, stands: Trial, writing: Writing, people: Mapping[int, PathCount | str]
) -> Iterator[Counted]:
    writing = _with_layouts(writing, stands) if _asks(writing) else writing
    arch = bench.arch
    if writing.made is None:
        yield from (_uncounted(writing, number, arch, left(writing)) for number in people)
        return
    trial = _trial(bench, writing.made)
    size = len(trial.listing.insns) if trial.listing else None
    for number, theirs in people.items():
        count = _count(trial, writing, number)
        path = count if isinstance(count, PathCount) else None
        said = _verdict(writing, number, theirs, count)
        yield Counted(writing, number, arch.name, path, size, said)


def _asks(writing: Writing) -> bool:
    # Whether an object may tell what the sentence says is not known without one.
    return writing.made is None and not writing.broken and "not known" in writing.why


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
        return replace(writing, why=f"{type(error).__name__}: {error}", broken=True)
    why = "; ".join(dict.fromkeys(one.why for one in made.refusals))
    return replace(writing, made=made if made.rewrites else None, why=why)


def _verdict(
    writing: Writing, number: int, people: PathCount | str, ours: PathCount | str
) -> Verdict:
    if not writing.style:
        return Verdict(Result.UNKNOWN, ours) if isinstance(ours, str) else Verdict(Result.STANDS)
    if ours == _UNCOMPILED and people != ours:
        return Verdict(Result.FAILS)
    forms = {one.form.value for one in clusters_of(writing, number)}
    if writing.style not in {*forms, UNMADE}:
        return left(writing)
    part = writing.style != UNMADE and len(forms) > 1
    return compared(people, ours, f"in part: {writing.why}" if part else "")


def _answer(args: argparse.Namespace) -> int:
    trees = find_tree(args.old, None), find_tree(args.new, None)
    arches = () if args.list else tuple(ARCHES[name] for name in args.arch or COMPARED)
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        found = tuple(places(*trees, args.files))
        written = tuple(tuple(writings(*trees, place)) for place in found)
        rows = beside_later(_built(trees, arches, written, args.jobs, bar.step))
    if args.out:
        made = sorted(map(cells, rows), key=lambda row: (row[1:3], row[0], row[3]))
        put(str(Path(args.out).parent), Path(args.out).name, table((COLUMNS, *made)))
    _show(found, written)
    known = judged(_JUDGED.read_text())
    for text in sums(rows, known):
        print(text)
    bad = failed(rows, known)
    for row in bad:
        print(line("    " + "  ".join(cells(row))))
    # What broke before anything was built stands in no row where no architecture builds it.
    return 1 if bad or any(one.broken for some in written for one in some) else 0


def _built(
    trees: tuple[Tree, Tree],
    arches: tuple[Arch, ...],
    written: tuple[Some, ...],
    jobs: int,
    progress: Progress,
) -> Iterator[Counted]:
    store = Store(cache_folder(os.environ))
    grounds = [Ground(one, store, os.environ, arches, "gcc", jobs, progress) for one in trees]
    asked = (
        (arch, ground, tuple(one for one in some if one.tree == ground.tree))
        for arch in arches
        for some in written
        for ground in grounds
    )
    benches = Benches()
    work = tuple(
        (f"{arch.name}: {some[0].target.name}", partial(_counted, benches, ground, arch, some))
        for arch, ground, some in asked
        if some and some[0].target.function.clusters
    )
    for rows in at_once(grounds[0], work):
        yield from rows


def _show(found: tuple[Place, ...], written: tuple[Some, ...]) -> None:
    for place, some in zip(found, written, strict=True):
        forms = [one.form.value for one in place.new.function.clusters if one.stands]
        old = ", ".join(one.form.value for one in place.old.function.clusters) if place.old else ""
        print(line(f"{place.new.name}: {old or place.why} -> {', '.join(forms)}"))
        for one in some:
            if one.why or one.broken:
                said = left(one).cell if one.broken else one.why
                print(line(f"    {one.tree.version}: {one.style}: {said}"))


if __name__ == "__main__":
    sys.exit(main())
