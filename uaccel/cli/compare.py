# SPDX-License-Identifier: GPL-2.0-only
"""Compare what perf wrote of two or more variants.

FILE is perf.data, or the text of perf top, report, script, diff, stat or annotate --stdio, or
folded stacks, as it is or pasted into a mail; - is stdin.  Each listing of a file is a variant,
in order; NAME=FILE names it, and the same NAME again is another run of it.  The symbols of one
cause are summed: the function, its out-of-line accessors, the copy routines.  Which function it
is, is found and said.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from uaccel.cli.answer import FINE, Answer, is_coloured, width
from uaccel.cli.documents import (
    add_documents,
    add_page,
    expect_documents,
    expect_page,
    write_page,
    written,
)
from uaccel.cli.options import STDIN, add_pace, again, arches, assignments, named_files
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.compare import Given, Question, comparison, holders
from uaccel.flow.scan import Request, scan
from uaccel.host.files import content
from uaccel.host.perf import annotate, is_recording, profile_text
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.comparison import Comparison
from uaccel.model.scan import Filters
from uaccel.report import compare as report
from uaccel.report import comparemail, json
from uaccel.report.pages.comparison import comparison_page
from uaccel.report.plots import comparison_plots

_ALL = Filters((), (), direction=None, form=None, min_accesses=0, top=None)
_FILE_SECONDS = 10.0  # of processor time for one file of a tree


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    parser.add_argument("--tree", metavar="DIR", help="kernel tree: it is one of its functions")
    parser.add_argument(
        "--arch",
        action="append",
        metavar="NAME",
        help="annotated functions are of it (again for more)",
    )
    add_pace(parser)
    parser.add_argument("files", nargs="+", metavar="[NAME=]FILE", help="what perf wrote")
    parser.add_argument(
        "--function",
        action="append",
        default=[],
        metavar="NAME",
        help="that it is about (again for more)",
    )
    parser.add_argument(
        "--annotate", action="store_true", help="ask perf annotate about recordings too"
    )
    parser.add_argument(
        "--object",
        action="append",
        default=[],
        metavar="OBJ",
        help="object file with debug information that holds an annotated function: then lines and "
        "the exception table tell its accesses (again for more)",
    )
    parser.add_argument("--mail", action="store_true", help="72 columns for a commit message")
    add_documents(parser, ("json",))
    add_page(parser)
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Compare what perf wrote of two or more variants, side by side."""
    expect_documents(args, ("json",), {"--mail": args.mail})
    _, environment = assignments([])
    expect_page(args)
    question = Question(
        given=given(args.files),
        functions=tuple(args.function),
        holders=_holders(args, environment),
        arches=arches(args.arch, environment),
        annotate=_annotate if args.annotate else None,
        command=again(args, None, environment),
        objects=tuple((path, content(path)) for path in args.object),
    )
    found = comparison(question)
    said = write_page(args, partial(comparison_page, found), partial(comparison_plots, found))
    text = _answer(args, found, is_coloured(args.color, environment))
    return Answer(text, FINE, said)


def given(words: list[str]) -> tuple[Given, ...]:
    """Return the files that `words` name, each with what perf says of it."""
    return tuple(_read(name, path) for name, path in named_files(words))


def _read(name: str | None, path: str) -> Given:
    if path == STDIN and sys.stdin is None:
        raise UserError("stdin is closed")
    if path == STDIN:
        return Given(name, path, sys.stdin.read(), recorded=False)
    return Given(name, path, profile_text(path), is_recording(path))


def _annotate(path: str, symbol: str) -> str:
    return annotate(path, symbol).stdout


def _holders(
    args: argparse.Namespace, environment: dict[str, str]
) -> dict[str, tuple[str, ...]] | None:
    if not args.tree:
        return None
    tree = find_tree(args.tree, None, environment)
    request = Request(_ALL, args.jobs, _FILE_SECONDS, "", None)
    with Bar("looking", quiet=args.quiet, verbose=args.verbose) as bar:
        return holders(scan(tree, Store(cache_folder(environment)), request, bar.step))


def _answer(args: argparse.Namespace, found: Comparison, colour: bool) -> str:
    shown = written(args, {"json": partial(json.compare, found)})
    if shown is not None:
        return shown
    if args.mail:
        return comparemail.text(found)
    return report.text(found, color=colour, width=width(), verbose=args.verbose)
