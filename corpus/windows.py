# SPDX-License-Identifier: GPL-2.0-only
"""Windows that stand in a tree: unmade and made again, compiled, and counted beside the human's.

    python -m corpus.windows [--tree DIR] [--arch NAME ...] [--files GLOB] [--out DIR] [--diff FILE]

The configurations are those of corpus/build.py.  Exit status 1 when something does not compile or
adds a warning of the compiler or of objtool.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from corpus.build import ARCHES, BAD, CONFIGS, configured
from corpus.tables import answered, table, version
from uaccel.cli.progress import Bar
from uaccel.count import PathCount
from uaccel.flow.ground import Ground, at_once
from uaccel.flow.remake import Figure, Remade, Window, figures, remake
from uaccel.flow.scan import Request, scan
from uaccel.host.allmod import make
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.machine import Arch
from uaccel.model.scan import Filters
from uaccel.model.support import STANDING
from uaccel.report.patch import diff
from uaccel.report.plain import line

_SECONDS = 60.0  # for one file
COLUMNS = (
    *("file", "line", "function", "form", "direction", "accesses", "unmade", "remade"),
    *(
        "arch",
        "compiler",
        "unmade builds",
        "remade builds",
        "counted in",
        "before",
        "after",
        "verdict",
    ),
)
Row = tuple[Window, str, Figure | None]  # its file


def main() -> int:
    """Print the sums, and write the table that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--arch", action="append", choices=tuple(CONFIGS))
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--out", metavar="DIR", help="folder for the table")
    parser.add_argument("--diff", metavar="FILE", help="what was made again, against the tree")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    tree = find_tree(args.tree, None)
    store = Store(cache_folder(os.environ))
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        ground = Ground(tree, store, os.environ, (), "gcc", args.jobs, bar.step)
        paths = tuple(path for path in standing(ground) if fnmatchcase(path, args.files))
        made = tuple(remake(tree, path) for path in paths)
        rows: list[Row] = [(w, one.path, None) for one in made for w in one.windows if w.unmade]
        for name in args.arch or CONFIGS:
            rows += _on(ground, ARCHES[name], made)
    rows.sort(key=lambda row: (row[1], row[0].cluster.start))
    if args.out:
        text = table((COLUMNS, *(_cells(*row) for row in rows)))
        put(args.out, f"windows-v{version(tree)}.tsv", text)
    if args.diff:
        place = Path(args.diff)
        text = "".join(diff(PurePosixPath(one.path), one.before, one.after) for one in made)
        put(str(place.parent), place.name, text)
    _show(made, rows)
    said = (result for _, _, one in rows if one for result, _ in (one.unmade, one.remade))
    return 1 if any(result in BAD for result in said) else 0


def standing(ground: Ground) -> tuple[str, ...]:
    """Return the files in which windows stand, sorted."""
    filters = Filters((), (), None, None, 0, 0)
    request = Request(filters, ground.jobs, _SECONDS, "", None)
    found = scan(ground.tree, ground.store, request, ground.progress)
    held = {place.file for place in found.places if place.sighting.form in STANDING}
    return tuple(sorted(held))


def _on(ground: Ground, arch: Arch, made: tuple[Remade, ...]) -> tuple[Row, ...]:
    allmod = configured(ground, arch)
    wanted = (allmod.object_of(one.path) for one in made)
    make(allmod, tuple(one for one in wanted if one), ground.jobs, lambda _what: None)
    jobs = tuple((one.path, lambda one=one: figures(ground, allmod, arch, one)) for one in made)
    answers = zip(made, at_once(ground, jobs), strict=True)
    return tuple((window, one.path, figure) for one, found in answers for window, figure in found)


def _show(made: tuple[Remade, ...], rows: list[Row]) -> None:
    windows = [window for one in made for window in one.windows]
    unmade = [window for window in windows if not window.unmade]
    again = sum(window.done for window in unmade)
    print(f"{len(windows)} windows in {len(made)} files, {len(unmade)} unmade, {again} made again")
    for _, path, one in rows:
        for result, message in (one.unmade, one.remade) if one else ():
            if result in BAD:
                print(line(f"{path}: {result.value}: {message}"))
    told = Counter(
        (one.arch, one.verdict.partition(":")[0]) for w, _, one in rows if one and w.done
    )
    for (arch, verdict), times in sorted(told.items()):
        print(f"{arch}: {verdict}: {times}")


def _cells(window: Window, path: str, figure: Figure | None) -> tuple[str, ...]:
    cluster = window.cluster
    place = (path, str(window.line), window.function.name)
    what = (cluster.form.value, cluster.direction.value, str(len(cluster.accesses)))
    if figure is None:
        return (*place, *what, window.unmade, *("-",) * (len(COLUMNS) - 7))
    return (
        *(*place, *what, "yes", window.remade or "yes", figure.arch, figure.compiler),
        *(f"{result.value}" for result, _ in (figure.unmade, figure.remade)),
        figure.config or "-",
        *(_counted(figure.was), _counted(figure.now), figure.verdict if window.done else "-"),
    )


def _counted(count: PathCount | None) -> str:
    if count is None or not count.at_least:
        return "-"
    return " + ".join((str(count.at_least), *count.uncounted))


if __name__ == "__main__":
    sys.exit(main())
