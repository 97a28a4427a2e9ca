# SPDX-License-Identifier: GPL-2.0-only
"""What objtool says of the objects of windows, right ones and wrong ones, and `uaccel check`.

    python -m corpus.objtool [--tree DIR] [--files GLOB ...] [--mutants N] [--out DIR] [--jobs N]
                             [--diff FILE]

The files are those in which windows stand, and some as the style `window` writes them; the objects
are those of corpus/runs.py.  Exit status 1 when objtool alone speaks, or where only the check
speaks and objtool-judged.tsv does not call it right.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath

from corpus.agreement import (
    WRITTEN,
    Agreement,
    Case,
    Ours,
    Row,
    Text,
    build,
    choose,
    of_case,
    of_text,
    only_built,
    standing_text,
    written_text,
)
from corpus.agreement import judged as judged_here
from corpus.build import ARCHES, configured
from corpus.runs import CONFIGS
from corpus.tables import answered, table, version
from corpus.windows import standing
from uaccel.cli.progress import Bar
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.host.allmod import Allmod, make
from uaccel.host.files import put
from uaccel.host.pool import Broken, Pool, Task
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level
from uaccel.model.machine import Build
from uaccel.report.patch import diff
from uaccel.report.plain import line

_ARCH = "x86_64"
# Windows that are opened by other words, and what Kbuild does not list among its objects.
_BARE = ("arch/x86/lib/copy_mc.c", "arch/x86/kernel/cpu/sgx/virt.c")
_OBJECTS = {
    "arch/x86/include/asm/futex.h": "kernel/futex/waitwake.o",
    **{
        f"arch/x86/lib/{name}.c": f"arch/x86/lib/{name}.o"
        for name in ("copy_mc", "csum-wrappers_64", "usercopy_64")
    },
}
_WRITTEN = (
    *("sound/core/pcm_compat.c", "sound/core/pcm_native.c", "sound/core/rawmidi.c"),
    *("sound/core/control_compat.c", "kernel/signal.c", "kernel/time/time.c", "kernel/sys.c"),
    *("fs/utimes.c", "net/atm/ioctl.c", "net/socket.c", "net/bluetooth/hidp/sock.c"),
    *("net/bluetooth/bnep/sock.c", "block/ioctl.c", "drivers/char/random.c", "net/compat.c"),
    *("drivers/scsi/sg.c", "drivers/tty/vt/vt_ioctl.c", "fs/fcntl.c", "kernel/uid16.c"),
)
_JUDGED = Path(__file__).with_name("objtool-judged.tsv")
COLUMNS = (
    *("file", "function", "text", "mistake", "line", "agreement", "objtool", "rules"),
    "doubts",
)
_SECONDS = 20.0  # for one file
_JUDGING = Task("judging", "judged", 400_000_000)
File = tuple[Text, bytes]  # and what stands in its place
Objects = Mapping[str, str | None]  # that hold a file, by its path
Key = tuple[str, ...]  # file, function, text, mistake, line, rules


def main() -> int:
    """Print where the two differ, the sums, and write the table that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--files", action="append", metavar="GLOB")
    parser.add_argument("--mutants", type=int, default=600, metavar="N", help="in all")
    parser.add_argument("--out", metavar="DIR", help="folder for the table")
    parser.add_argument("--diff", metavar="FILE", help="the mistakes on which the two differ")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    tree = find_tree(args.tree, None)
    started = time.monotonic()
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        store = Store(cache_folder(os.environ))
        ground = Ground(tree, store, os.environ, (), "gcc", args.jobs, bar.step)
        allmod = configured(ground, ARCHES[_ARCH], CONFIGS)
        texts = _texts(ground, tuple(args.files or ("*",)))
        objects = {one.path: _OBJECTS.get(one.path) or allmod.object_of(one.path) for one in texts}
        texts = _built(ground, allmod, texts, objects)
        cases = choose(texts, args.mutants)
        rows = _asked(ground, allmod, texts, cases, objects)
    if args.out:
        put(args.out, f"objtool-v{version(tree)}.tsv", _table(rows))
    known = judged(_JUDGED.read_text()) if _JUDGED.exists() else frozenset()
    if args.diff:
        place = Path(args.diff)
        put(str(place.parent), place.name, _differing(cases, rows[len(rows) - len(cases) :]))
    left = _show(rows, known)
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if left else 0


def judged(text: str) -> frozenset[Key]:
    """Return what the table `text` calls right."""
    rows = [row.split("\t") for row in text.splitlines()[1:]]
    return frozenset(tuple(row[:6]) for row in rows if row[6] == "right")


def _texts(ground: Ground, globs: tuple[str, ...]) -> tuple[Text, ...]:
    stand = sorted({*standing(ground), *_BARE})
    # Of other architectures there are no objects that objtool looks at.
    ours = (path for path in stand if not path.startswith("arch/") or _of_arch(path))
    texts = [standing_text(ground.tree, path) for path in ours if _wanted(path, globs)]
    texts += [written_text(ground.tree, path) for path in _WRITTEN if _wanted(path, globs)]
    return tuple(one for one in texts if one.origin != WRITTEN or one.functions)


def _of_arch(path: str) -> bool:
    return path.startswith(f"arch/{ARCHES[_ARCH].srcarch}/")


def _wanted(path: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, glob) for glob in globs)


def _built(
    ground: Ground, allmod: Allmod, texts: Sequence[Text], objects: Objects
) -> tuple[Text, ...]:
    wanted = tuple(sorted({one for one in objects.values() if one}))
    make(allmod, wanted, ground.jobs, lambda what: ground.progress(what, 0, 0))

    def job(text: Text) -> Job[Text]:
        return f"what is built of {text.path}", lambda: only_built(allmod, objects[text.path], text)

    return at_once(ground, tuple(map(job, texts)))


def _asked(
    ground: Ground, allmod: Allmod, texts: Sequence[Text], cases: Sequence[Case], objects: Objects
) -> tuple[Row, ...]:
    files: list[File] = [(one, one.text) for one in texts]
    files += [(one.text, one.bytes) for one in cases]

    def job(text: Text, now: bytes) -> Job[Build | str]:
        return text.path, lambda: build(allmod, objects[text.path], text, now)

    builds = at_once(ground, tuple(job(*one) for one in files))
    ours = _judged(ground, files)
    place = {id(one): number for number, one in enumerate(texts)}
    rows = [row for one in zip(texts, builds, ours, strict=False) for row in of_text(*one)]
    for number, case in enumerate(cases, start=len(texts)):
        right = place[id(case.text)]
        pairs = (builds[right], builds[number]), (ours[right], ours[number])
        rows.append(of_case(case, *pairs))
    return tuple(rows)


def _judged(ground: Ground, files: Sequence[File]) -> tuple[Ours, ...]:
    # In processes: what never ends in one of them is said of it.
    found: dict[int, Ours] = {}
    judged_here(ground.tree, *files[0])  # what all are judged beside is read once
    work = partial(_judge, ground.tree, files)
    with Pool(work, ground.jobs, _SECONDS, _JUDGING) as pool:
        for number in range(len(files)):
            pool.put(number)
        for number, one in pool.answers():
            found[number] = Ours((), (), one.why) if isinstance(one, Broken) else one
            ground.progress(f"judging {files[number][0].path}", len(found), len(files))
    return tuple(found[number] for number in range(len(files)))


def _judge(tree: Tree, files: Sequence[File], number: int) -> Ours:
    return judged_here(tree, *files[number])


def _place(row: Row) -> tuple[str, ...]:
    return row.file, row.function, row.origin, row.mistake, str(row.line or "-")


def _rules(row: Row) -> str:
    # The worst is known by the row; a note has its word.
    names = (f"{one.rule}{' (note)' * (one.level is Level.NOTE)}" for one in row.findings)
    return ", ".join(sorted(set(names))) or "-"


def _cells(row: Row) -> tuple[str, ...]:
    doubts = ", ".join(sorted({one.partition(":")[0] or "all" for one in row.doubts})) or "-"
    return (*_place(row), row.agreement.value, row.said or "-", _rules(row), doubts)


def _table(rows: Sequence[Row]) -> str:
    ordered = sorted(
        rows, key=lambda row: (row.origin, row.file, row.function, row.line, row.mistake)
    )
    return table((COLUMNS, *map(_cells, ordered)))


def _differing(cases: Sequence[Case], rows: Sequence[Row]) -> str:
    differ = (Agreement.OBJTOOL, Agreement.CHECK)
    return "".join(
        f"{': '.join(_cells(row))}\n{diff(PurePosixPath(row.file), one.text.text, one.bytes)}\n"
        for one, row in zip(cases, rows, strict=True)
        if row.agreement in differ
    )


def _show(rows: Sequence[Row], known: frozenset[Key]) -> int:
    left = [(row, told) for row in rows for told in (tuple(wrong(row, known)),) if told]
    for row, sentences in left:
        for told in sentences:
            print(line(f"{': '.join(_place(row))}: {told}"))
    _sums("without a mistake", [row for row in rows if row.mistake == "-"])
    _sums("with one", [row for row in rows if row.mistake != "-"])
    return len(left)


def wrong(row: Row, known: frozenset[Key]) -> Iterator[str]:
    """Yield what is wrong with `row`, or still to be judged; `known` are those that are right."""
    if row.broken:
        yield f"broken: {row.broken}"
    elif row.agreement is Agreement.OBJTOOL:
        yield f"objtool only: {row.said}; ours: {_rules(row)}"
    elif row.agreement is Agreement.CHECK and (*_place(row), _rules(row)) not in known:
        for one in row.findings:
            told = f"{one.place.line}: {one.level.value}: {one.message} [{one.rule}]"
            yield f"check only: {told}"


def _sums(what: str, rows: Sequence[Row]) -> None:
    sums = Counter(row.agreement.value for row in rows)
    told = ", ".join(f"{times} {name}" for name, times in sorted(sums.items()))
    built = [row for row in rows if row.agreement is not Agreement.UNKNOWN]
    names = {(row.file, row.function) for row in built}
    print(f"{what}: {len(rows)} rows, {len(names)} functions that are built: {told}")


if __name__ == "__main__":
    sys.exit(main())
