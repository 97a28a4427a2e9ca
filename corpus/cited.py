# SPDX-License-Identifier: GPL-2.0-only
"""The functions of the commits that the seed cites, in every style on every architecture at hand.

    python -m corpus.cited --tree DIR [--tree DIR ...] [--arch NAME ...] [--out FILE]

What `uaccel study` shows of 9f79b78ef744, 38ebcf5096a8 and ef0ba0553829, as a table.  Exit status 1
when something that was written does not compile.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import uaccel.arch
from corpus.tables import answered, table, version
from uaccel.catalog import catalog
from uaccel.cli.progress import Bar
from uaccel.flow.ground import Ground
from uaccel.flow.study import Request, study
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Dossier, Tree
from uaccel.model.judgement import Measurement, Outcome
from uaccel.model.machine import Arch
from uaccel.report.plain import line

ARCHES = catalog(uaccel.arch, Arch)
CITED = (
    "net/core/scm.c:put_cmsg",
    "fs/readdir.c:filldir",
    "fs/readdir.c:filldir64",
    "fs/select.c:do_sys_poll",
)
FIGURES = ("path_instructions", "path_toggles", "function_instructions", "text_bytes")
COLUMNS = ("tree", "cluster", "stands", "accesses", "style", "arch", "compiler", *FIGURES, "result")


def main() -> int:
    """Write the table that was asked for, or print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", action="append", metavar="DIR", help="one or several")
    parser.add_argument("--arch", action="append", choices=tuple(ARCHES))
    parser.add_argument("--out", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    rows, failed = [], False
    for name in args.tree or (None,):
        tree = find_tree(name, None)
        found = _studied(tree, args)
        named = [tuple(cell.replace(f"{tree.path}/", "") for cell in row) for row in _rows(found)]
        rows += [(version(tree), *row) for row in named]
        for one in found.verdicts:
            if one.outcome is Outcome.FAIL:
                print(line(f"{one.check}: {one.cluster}: {one.style}: {one.arch}: {one.why}"))
                failed = failed or one.check == "compiles"
    text = table((COLUMNS, *sorted(rows)))
    if args.out:
        put(str(Path(args.out).parent), Path(args.out).name, text)
    else:
        print(text, end="")
    return 1 if failed else 0


def _studied(tree: Tree, args: argparse.Namespace) -> Dossier:
    arches = tuple(ARCHES[name] for name in args.arch or ARCHES)
    store = Store(cache_folder(os.environ))
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar, TemporaryDirectory() as patches:
        ground = Ground(tree, store, os.environ, arches, None, args.jobs, bar.step)
        return study(ground, Request(CITED, ALL_STYLES, "", patches))


def _rows(found: Dossier) -> Iterator[tuple[str, ...]]:
    told = {one.id: (one.id, one.form, str(one.accesses)) for one in found.subjects}
    figures: dict[tuple[str, str, str, str], dict[str, Measurement]] = {}
    for one in found.measurements:
        where = one.cluster, one.style, one.arch, one.compiler
        figures.setdefault(where, {})[one.what] = one
    for (cluster, style, arch, compiler), made in figures.items():
        shown = (_figure(made.get(what)) for what in FIGURES)
        why = next((one.why for one in made.values() if one.why), "")
        yield (
            *told[cluster],
            style,
            arch,
            compiler,
            *shown,
            f"counted, {why}" if why else "counted",
        )
    for no in found.refusals:
        if no.cluster in told:
            yield (
                *told[no.cluster],
                no.style,
                "",
                "",
                *("" for _ in FIGURES),
                f"refused: {no.why}",
            )
    for none in found.unbuilt:
        yield ("", "", "", "", none.arch, "", *("" for _ in FIGURES), f"unknown: {none.why}")


def _figure(one: Measurement | None) -> str:
    if one is None or (one.value is None and one.at_least is None):
        return ""
    return str(one.value) if one.value is not None else f">={one.at_least}"


if __name__ == "__main__":
    sys.exit(main())
