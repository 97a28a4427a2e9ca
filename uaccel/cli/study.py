# SPDX-License-Identifier: GPL-2.0-only
"""The main job: write each target in every style, build it for every architecture, count, judge.

TARGET is FILE:FUNCTION or FILE, from the tree's top or from here; without one it is the three
functions of sound/core that serve the SYNC_PTR ioctl.  Kbuild's variables may follow as
VAR=value.  A bar on a terminal shows progress; the table goes to stdout.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, UNUSABLE, Answer, is_coloured, width
from uaccel.cli.compare import given
from uaccel.cli.documents import add_page, expect_page, write_page
from uaccel.cli.options import ARCHES, add_builds, again, arches, assignments
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.compare import Question, comparison
from uaccel.flow.ground import Ground
from uaccel.flow.study import Request, study
from uaccel.flow.targets import SEED
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.files import expect_file, expect_folder, put
from uaccel.host.shipped import catalogue_pages
from uaccel.host.store import Store, cache_folder, key
from uaccel.host.tree import find_tree
from uaccel.model.comparison import Comparison
from uaccel.model.dossier import Dossier
from uaccel.model.judgement import Outcome, worst
from uaccel.report import json, text
from uaccel.report.html import study_page
from uaccel.report.panels import Plot
from uaccel.report.plots import comparison_plots, plots

NOTHING_BUILT = "nothing was built: no compiler or no build for any architecture that was asked for"


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_builds(parser)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="FILE:FUNCTION or FILE")
    parser.add_argument(
        "--style", action="append", choices=ALL_STYLES, help="only this style (again for more)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the JSON document; - for stdout")
    add_page(parser)
    parser.add_argument(
        "--perf",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="what perf wrote of a variant, for the page (again for more)",
    )
    parser.add_argument("--patches", metavar="DIR", help="folder for the patches; else the cache")
    parser.add_argument("--show-patches", action="store_true", help="show the patches' text too")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Build, count and judge functions in every style on every architecture at hand."""
    named, environment = assignments(args.targets)
    first = Path(named[0].partition(":")[0]) if named else None
    tree = find_tree(args.tree, first, environment)
    store = Store(cache_folder(environment))
    command = again(args, tree.path, environment)
    patches = args.patches or str(store.root / "patches" / f"{tree.version}-{key(tree.path)[:8]}")
    expect_folder(patches)
    expect_page(args)
    styles = tuple(args.style or ALL_STYLES)
    request = Request(named or SEED, styles, command, patches, exhibit=bool(args.html))
    if args.json and args.json != "-":
        expect_file(args.json)
    profiles = _profiles(args, command)
    with Bar("reading", quiet=args.quiet, verbose=args.verbose) as bar:
        ground = Ground(
            tree=tree,
            store=store,
            environment=environment,
            arches=arches(args.arch, environment),
            compiler=args.compiler,
            jobs=args.jobs,
            progress=bar.step,
        )
        dossier = replace(study(ground, request), comparison=profiles)
    page = partial(study_page, dossier, catalogue_pages())
    remarks = write_page(args, page, partial(_drawn, dossier))
    document = json.document(dossier)
    status = FOUND if worst(v.outcome for v in dossier.verdicts) is Outcome.FAIL else FINE
    if not dossier.targets:
        status, remarks = UNUSABLE, (*remarks, NOTHING_BUILT)
    if args.json == "-":
        return Answer(document, status, remarks)
    if args.json:
        path = Path(args.json)
        put(str(path.parent), path.name, document)
    colour = is_coloured(args.color, environment)
    shown = text.study(dossier, color=colour, width=width(), patches=args.show_patches)
    return Answer(shown, status, remarks)


def _drawn(dossier: Dossier) -> tuple[Plot, ...]:
    compared = () if dossier.comparison is None else comparison_plots(dossier.comparison)
    return (*plots(dossier), *compared)


def _profiles(args: argparse.Namespace, command: str) -> Comparison | None:
    if not args.perf:
        return None
    if not args.html:
        raise UserError("--perf is for the page: say where it is to be with --html DIR")
    return comparison(
        Question(
            given=given(args.perf),
            functions=(),
            holders=None,
            arches=tuple(ARCHES.values()),
            annotate=None,
            command=command,
        )
    )
