# SPDX-License-Identifier: GPL-2.0-only
"""The mistakes people made, made in what a style writes: is each of them noticed?

    python -m corpus.mutants [--tree DIR] [--arch NAME ...] [--files GLOB ...] [--most N]
                             [--each N] [--out DIR] [--jobs N]

The functions are those that the style `window` writes, that the configurations of a study build
with a few options more, and whose runs show no difference on two of the architectures.  A mutant
is killed when the build, a check or a run notices it on one of them.  Exit status 1 when one
survives that mutants-judged.tsv does not call equivalent.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from corpus.build import ARCHES
from corpus.frames import frames
from corpus.mistakes import MISTAKES
from corpus.mutated import Answer, Fate, Subject, answers, choose, written
from corpus.tables import answered, table, version
from uaccel.cli.progress import Bar
from uaccel.errors import BrokenInvariant, UserError
from uaccel.flow.bench import Trial, attempt, set_up
from uaccel.flow.coverage import asked, files
from uaccel.flow.drafts import Draft, as_it_is, draft
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.layouts import layouts_of
from uaccel.flow.prove import prove_all
from uaccel.flow.remake import MORE
from uaccel.flow.targets import SEED, Target, every_target
from uaccel.host.files import put
from uaccel.host.kbuild import object_of
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.judgement import Outcome
from uaccel.model.machine import Arch, Unbuilt
from uaccel.report.plain import line

_STYLE = "window"
_DEFAULT = ("x86_64", "ppc64le", "ppc32")
# Of many folders, what the configurations of a study build and an emulator can call.
_FILES = (
    *("sound/core/*_compat.c", "sound/core/pcm_native.c", "sound/core/rawmidi.c"),
    *("kernel/compat.c", "kernel/rseq.c", "kernel/sys.c", "kernel/time/time.c"),
    *("net/atm/ioctl.c", "net/core/scm.c", "net/bluetooth/*/sock.c", "net/socket.c"),
    *("fs/utimes.c", "fs/ext4/ioctl.c", "io_uring/net.c", "kernel/signal.c"),
)
_FEW = 2  # architectures that a function must be built and run on, where more are asked
_AT_ONCE = 6  # files that are looked at before it is asked whether there are enough
_JUDGED = Path(__file__).with_name("mutants-judged.tsv")
COLUMNS = ("mistake", "file", "function", "line", "arch", "outcome", "by", "why")
Key = tuple[str, str, str, str]  # mistake, file, function, line
Stands = tuple[Draft, Trial, Trial]  # on one architecture: as it stood, as it was written


def main() -> int:
    """Print what survives, the sums, and write the table that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--arch", action="append", choices=tuple(ARCHES))
    parser.add_argument("--files", action="append", metavar="GLOB")
    parser.add_argument("--most", type=int, default=260, metavar="N", help="mutants in all")
    parser.add_argument("--each", type=int, default=13, metavar="N", help="of one function")
    parser.add_argument("--out", metavar="DIR", help="folder for the table")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    tree = find_tree(args.tree, None)
    arches = tuple(ARCHES[name] for name in args.arch or _DEFAULT)
    started = time.monotonic()
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        store = Store(cache_folder(os.environ))
        ground = Ground(tree, store, os.environ, arches, "gcc", args.jobs, bar.step)
        paths = _paths(ground, tuple(args.files or _FILES))
        subjects = choose(_subjects(ground, paths, -(-args.most // args.each)), args.each)
        rows = answers(ground, subjects)
    if args.out:
        put(args.out, f"mutants-v{version(tree)}.tsv", _table(rows))
    known = judged(_JUDGED.read_text()) if _JUDGED.exists() else frozenset()
    left = _show(subjects, rows, known)
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if left else 0


def judged(text: str) -> frozenset[Key]:
    """Return the mutants that the table `text` calls equivalent."""
    rows = [row.split("\t") for row in text.splitlines()[1:]]
    return frozenset((row[0], row[1], row[2], row[3]) for row in rows if row[5] == "equivalent")


def _paths(ground: Ground, globs: tuple[str, ...]) -> tuple[str, ...]:
    every = files(ground.tree, ground.store, "*", ground.jobs, lambda *_: None)
    found = [path for path in every if any(fnmatchcase(path, glob) for glob in globs)]
    first = {name.partition(":")[0] for name in SEED}
    # A mutant is a compilation of its whole file.
    sizes = {path: Path(ground.tree.path, path).stat().st_size for path in found}
    return tuple(sorted(found, key=lambda path: (path not in first, sizes[path], path)))


def _subjects(ground: Ground, paths: tuple[str, ...], wanted: int) -> tuple[Subject, ...]:
    found: list[Subject] = []
    for at in range(0, len(paths), _AT_ONCE):
        if len(found) < wanted:
            found += _runnable(ground, paths[at : at + _AT_ONCE])
    return tuple(found[:wanted])


def _runnable(ground: Ground, paths: tuple[str, ...]) -> Iterator[Subject]:
    drafts = {path: tuple(_drafts(ground, path)) for path in paths}
    jobs = [
        _job(ground, arch, path, drafts[path])
        for path in paths
        for arch in ground.arches
        if drafts[path]
    ]
    made = [one for some in at_once(ground, tuple(jobs)) for one in some]
    proofs = prove_all(ground, [(before, (after,)) for _, before, after in made])
    stands: dict[int, list[tuple[Trial, Trial]]] = {}
    for (one, before, after), (proof,) in zip(made, proofs, strict=True):
        if proof.judgement.outcome is Outcome.PASS:
            stands.setdefault(id(one), []).append((before, after))
        if proof.judgement.outcome is Outcome.FAIL:
            place = f"{one.target.name}: {before.bench.arch.name}"
            print(line(f"left out, with no mistake of ours: {place}: {proof.judgement.why}"))
    for one in (one for some in drafts.values() for one in some):
        held = stands.get(id(one), [])
        if len(held) >= min(_FEW, len(ground.arches)):
            yield Subject(one, tuple(held))


def _job(ground: Ground, arch: Arch, path: str, drafts: tuple[Draft, ...]) -> Job[list[Stands]]:
    # Some objects cannot be made where nearly everything is off.
    more = replace(arch, config=(*arch.config, *MORE))

    def work() -> list[Stands]:
        try:
            made_of = object_of(ground.tree, PurePosixPath(path))
        except UserError:
            return []
        bench = set_up(ground, more, made_of, tuple(one.target for one in drafts))
        if isinstance(bench, Unbuilt):
            return []
        tried = [(one, attempt(bench, as_it_is(one.target)), attempt(bench, one)) for one in drafts]
        return [one for one in tried if one[1].listing is not None and one[2].listing is not None]

    return f"{arch.name}: {path}", work


def _drafts(ground: Ground, path: str) -> Iterator[Draft]:
    names: Counter[str] = Counter()
    for _, target in every_target(ground.tree, path):
        if isinstance(target, str) or not any(asked(_STYLE, c) for c in target.function.clusters):
            continue
        made = _draft(ground, target)
        names[target.function.name] += 1
        first = names[target.function.name] == 1  # of namesakes one alone is compiled
        if first and made is not None and made.rewrites and frames(written(made)):
            yield made


def _draft(ground: Ground, target: Target) -> Draft | None:
    try:
        return draft(target, _STYLE, layouts_of(ground.tree, target))
    except (BrokenInvariant, UserError):  # said by corpus/styles.py
        return None


def _key(row: Answer) -> Key:
    target = row.subject.draft.target
    return row.mutant.mistake, str(target.path), target.function.name, str(row.line)


def _table(rows: Sequence[Answer]) -> str:
    return table((COLUMNS, *((*_key(r), r.arch, r.fate.value, r.by or "-", r.why) for r in rows)))


def _show(subjects: Sequence[Subject], rows: Sequence[Answer], known: frozenset[Key]) -> int:
    together: dict[tuple[int, str], list[Answer]] = {}
    for row in rows:
        together.setdefault((id(row.subject), row.mutant.text), []).append(row)
    sums: dict[str, Counter[str]] = {}
    for some in together.values():
        fate = _fate(some, known)
        sums.setdefault(some[0].mutant.mistake, Counter())[fate] += 1
        if fate in (Fate.SURVIVES.value, Fate.UNKNOWN.value):
            print(line(f"{fate}: {': '.join(_key(some[0]))}: {some[0].why}"))
    for name in (one.name for one in MISTAKES if one.name in sums):
        told = ", ".join(f"{times} {fate}" for fate, times in sorted(sums[name].items()))
        print(f"{name}: {sums[name].total()}: {told}")
    every = sum(sums.values(), Counter[str]())
    told = ", ".join(f"{times} {fate}" for fate, times in sorted(every.items()))
    print(f"{every.total()} mutants of {len(subjects)} functions: {told}")
    return every[Fate.SURVIVES.value]


def _fate(some: Sequence[Answer], known: frozenset[Key]) -> str:
    # The first of build, check and run that notices it anywhere.
    fates = {row.fate for row in some}
    killed = next((one for one in Fate if one.kills and one in fates), None)
    if killed is not None:
        return killed.value
    if fates == {Fate.IDENTICAL}:
        return Fate.IDENTICAL.value
    if Fate.SURVIVES in fates:
        return "judged equivalent" if _key(some[0]) in known else Fate.SURVIVES.value
    return Fate.UNKNOWN.value


if __name__ == "__main__":
    sys.exit(main())
