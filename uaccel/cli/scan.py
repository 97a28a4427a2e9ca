# SPDX-License-Identifier: GPL-2.0-only
"""Account for every user access of a tree and rank its clusters.

TARGET is a folder, FILE, FILE:FUNCTION, or - for C on stdin; without one it is the whole tree
but Documentation/, tools/ and scripts/.  The clusters go to stdout as `file:line:column: note:`,
then the sums and what each architecture gains; what was read is kept for the next scan.  Exit
status 1 only with --strict, when a line was not understood or a file was skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, Answer, is_coloured, width
from uaccel.cli.documents import (
    add_documents,
    add_page,
    expect_documents,
    expect_page,
    write_page,
    written,
)
from uaccel.cli.options import ARCHES, add_work, again, arches, assignments, seconds
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.account import account
from uaccel.flow.profiled import Chosen, choose, profiled
from uaccel.flow.scan import STDIN, Request, only, scan
from uaccel.host.perf import profile_text
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.account import Account
from uaccel.model.machine import Arch
from uaccel.model.scan import Filters
from uaccel.model.source import Direction, Form
from uaccel.model.survey import Kind
from uaccel.report import json, sarif
from uaccel.report import scan as report
from uaccel.report.corpus import corpus
from uaccel.report.pages.scan import scan_page

_TOP = 40  # clusters in the text, unless --top says how many
_DOCUMENTS: Mapping[str, Callable[[Account], str]] = {
    "json": json.scan,
    "sarif": sarif.sarif,
    "tsv": lambda found: corpus(found.scan),
}
_CLASSES = (*(kind.value for kind in Kind), "all")


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_work(parser)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="folder, FILE[:FUNCTION] or -")
    parser.add_argument("--top", type=_number, metavar="N", help=f"clusters; in text else {_TOP}")
    parser.add_argument("--direction", choices=[way.value for way in Direction])
    parser.add_argument("--form", choices=[form.value for form in Form])
    parser.add_argument("--min-accesses", type=_number, default=0, metavar="N", help="of a cluster")
    parser.add_argument("--profile", metavar="FILE", help="rank by what perf wrote; - is stdin")
    parser.add_argument("--listing", type=_number, default=1, metavar="N", help="of that profile")
    parser.add_argument(
        "--list",
        choices=_CLASSES,
        metavar="CLASS",
        help=f"show candidate lines instead: {', '.join(_CLASSES)}",
    )
    add_documents(parser, _DOCUMENTS)
    add_page(parser)
    parser.add_argument("--strict", action="store_true", help="status 1 if not all is understood")
    parser.add_argument(
        "--file-timeout", type=seconds, default=10.0, metavar="SECONDS", help="for one file; 10"
    )
    parser.add_argument("--no-cache", action="store_true", help="read all anew, keep nothing")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Find and rank the clusters of a whole tree, and account for every user access."""
    named, environment = assignments(args.targets)
    _refuse_early(args, named)
    first = next((Path(name.partition(":")[0]) for name in named if name != STDIN), None)
    tree = find_tree(args.tree, first, environment)
    asked = _columns(args.arch, environment)
    chosen = _profile(args)
    request = Request(
        filters=Filters(
            targets=named,
            arches=tuple(arch.name for arch in asked) if args.arch else (),
            direction=Direction(args.direction) if args.direction else None,
            form=Form(args.form) if args.form else None,
            min_accesses=args.min_accesses,
            top=args.top,
        ),
        jobs=args.jobs,
        seconds=args.file_timeout,
        command=again(args, tree.path, environment),
        stdin=sys.stdin.buffer.read() if STDIN in named else None,
    )
    store = None if args.no_cache else Store(cache_folder(environment))
    with Bar("looking", quiet=args.quiet, verbose=args.verbose) as bar:
        found = account(scan(tree, store, request, bar.step), asked, tuple(ARCHES.values()))
    if chosen is not None:
        found = profiled(found, args.profile, *chosen)
    odd = found.scan.totals.of(Kind.NOT_UNDERSTOOD) or found.scan.skipped
    status = FOUND if args.strict and odd else FINE
    said = write_page(args, partial(scan_page, found))
    text = _answer(args, found, is_coloured(args.color, environment))
    return Answer(text, status, said if args.quiet else (*found.scan.notes, *said))


def _columns(named: list[str] | None, environment: dict[str, str]) -> tuple[Arch, ...]:
    # Nothing is built: an ARCH= that the catalogue does not describe only chooses no columns.
    kernel = environment.get("ARCH")
    known = {name for one in ARCHES.values() for name in (one.kernel, one.srcarch, one.name)}
    return arches(named, environment if kernel in known else {})


def _refuse_early(args: argparse.Namespace, named: tuple[str, ...]) -> None:
    expect_documents(args, _DOCUMENTS, {"--list": bool(args.list)})
    expect_page(args)
    if args.profile == "-" and STDIN in named:
        raise UserError("stdin is either the profile or the C, not both")


def _profile(args: argparse.Namespace) -> Chosen | None:
    if not args.profile:
        return None
    text = sys.stdin.read() if args.profile == "-" else profile_text(args.profile)
    return choose(text, args.listing)


def _answer(args: argparse.Namespace, found: Account, colour: bool) -> str:
    shown = written(args, {name: partial(make, found) for name, make in _DOCUMENTS.items()})
    if args.list:
        return report.listing(only(found.scan, None if args.list == "all" else Kind(args.list)))
    if shown is not None:
        return shown
    top = args.top or _TOP
    if found.profile is not None:  # what it does not name is not ranked by it
        top = min(top, sum(one.weight > 0 for one in found.findings))
    filters = replace(found.scan.filters, top=top)
    short = replace(found, scan=replace(found.scan, filters=filters))
    return report.text(short, color=colour, width=width(), verbose=args.verbose)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)
