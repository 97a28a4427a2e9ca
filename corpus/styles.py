# SPDX-License-Identifier: GPL-2.0-only
"""How many clusters of a tree each style writes, and why not the others.

    python -m corpus.styles [--tree DIR] [--style NAME ...] [--files GLOB] [--out DIR]
                            [--list-refused] [--diff FILE]

Nothing is built, so `masked` and `structcopy`, which ask an object how structs are laid out, are
left out unless --style names them; corpus/build.py has objects and asks them.  The clusters of two
and more accesses that could share a window count, but those that stand in one (of `fieldwise` these
too) and those that are of the style already.  Exit status 1 when a rewriting broke.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path, PurePosixPath

from corpus.tables import answered, table, version
from uaccel.cli.progress import Bar
from uaccel.flow.coverage import (
    Covered,
    Fate,
    Share,
    coverage,
    files,
    left,
    offered,
    sentences,
    shares,
    total,
)
from uaccel.flow.drafts import STYLES
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.report.patch import diff
from uaccel.report.plain import line

Told = tuple[tuple[str, tuple[Covered, ...]], ...]  # by style


def main() -> int:
    """Print one line a style, and write the tables that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--style", action="append", choices=tuple(STYLES))
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--out", metavar="DIR", help="folder for the three tables")
    parser.add_argument("--diff", metavar="FILE", help="all that was written, as one patch")
    parser.add_argument("--list-refused", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    tree = find_tree(args.tree, None)
    without_layouts = tuple(name for name in offered(tree) if not STYLES[name].needs_layouts)
    with Bar("looking") as bar:
        store = Store(cache_folder(os.environ))
        paths = files(tree, store, args.files, args.jobs, bar.step)
        told = tuple(
            (style, coverage(tree, style, paths, args.jobs, bar.step))
            for style in args.style or without_layouts
        )
    if args.out:
        _write(args.out, version(tree), told)
    if args.diff:
        place = Path(args.diff)
        put(str(place.parent), place.name, "".join(_patch(one) for _, some in told for one in some))
    _show(told, listed=args.list_refused)
    return 1 if any(one.fate is Fate.BROKEN for _, some in told for one in left(some)) else 0


def _show(told: Told, *, listed: bool) -> None:
    for style, some in told:
        for sentence, times in sentences(some):
            print(f"{times:5}  {line(sentence)}")
        for one in left(some):
            if listed or one.fate is Fate.BROKEN:
                words = f"{one.file}:{one.line}:{one.function}: {one.fate.value}: {one.why}"
                print(line(words))
        sum_of = total(shares(some))
        print(
            f"{style}: {sum_of.written} of {sum_of.clusters} written ({sum_of.percent} %), "
            f"{sum_of.part} of them in part, {sum_of.lent} with a change to the tree's header"
        )


def _write(folder: str, of: str, told: Told) -> None:
    rows: list[tuple[str, ...]] = [
        ("style", "folder", "clusters", "written", "in part", "lent", "percent")
    ]
    said = [("style", "clusters", "why")]
    refused = [("style", "file", "line", "function", "accesses", "fate", "why")]
    for style, some in told:
        by_folder = shares(some)
        rows += (_row(style, share) for share in (*by_folder, total(by_folder)))
        said += ((style, str(times), sentence) for sentence, times in sentences(some))
        refused += (
            (style, o.file, str(o.line), o.function, str(o.accesses), o.fate.value, o.why)
            for o in left(some)
        )
    put(folder, f"styles-v{of}.tsv", table(rows))
    put(folder, f"refusals-v{of}.tsv", table(said))
    put(folder, f"refused-v{of}.tsv", table(refused))


def _row(style: str, share: Share) -> tuple[str, ...]:
    counts = (share.clusters, share.written, share.part, share.lent)
    return style, share.folder or "all", *(str(count) for count in counts), share.percent


def _patch(one: Covered) -> str:
    return diff(PurePosixPath(one.path), one.before, one.after)


if __name__ == "__main__":
    sys.exit(main())
