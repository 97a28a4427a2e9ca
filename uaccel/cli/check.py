# SPDX-License-Identifier: GPL-2.0-only
"""Judge every window of user access, in a tree, in files, or in what a patch makes of them.

TARGET is a folder, FILE, FILE:FUNCTION, or - for C on stdin; without one it is the whole tree
but Documentation/, tools/ and scripts/.  Findings go to stdout as `file:line:column: level:
message [rule]`.  Exit status 1 when there is one that the baseline does not have, with --strict
also when something was not judged.  In a build: make C=2 CHECK="uaccel check --kbuild".
"""

from __future__ import annotations

import argparse
import os
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, Answer, is_coloured, width
from uaccel.cli.documents import add_documents, expect_documents, written
from uaccel.cli.options import add_pace, add_tree, again, content_of, seconds
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow import baseline
from uaccel.flow.check import Request, at_least, check
from uaccel.flow.judge import RULES
from uaccel.flow.patched import patched
from uaccel.flow.wanted import STDIN, Wanted, in_build, tree_of, wanted
from uaccel.host.files import content, expect_file, put
from uaccel.host.tree import find_tree, tree_around
from uaccel.model.checked import Baseline, Checked
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level
from uaccel.report import check as report
from uaccel.report import json
from uaccel.report.checksarif import sarif

_DOCUMENTS = {"json": json.check, "sarif": sarif}


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_tree(parser)
    add_pace(parser)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="folder, FILE[:FUNCTION] or -")
    parser.add_argument(
        "--patch",
        action="append",
        default=[],
        metavar="FILE",
        help="judge what this patch touches, as it would be (again for a series; - is stdin)",
    )
    parser.add_argument("--rules", metavar="NAMES", help="only these, with commas between them")
    parser.add_argument("--list-rules", action="store_true", help="say which there are, and leave")
    parser.add_argument(
        "--level",
        choices=[level.value for level in Level],
        default=Level.NOTE.value,
        help="the least that is shown; else all",
    )
    parser.add_argument("--baseline", metavar="FILE", help="findings that are known: not shown")
    parser.add_argument("--write-baseline", metavar="FILE", help="write all that is found there")
    add_documents(parser, _DOCUMENTS)
    parser.add_argument("--strict", action="store_true", help="status 1 if not all was judged")
    parser.add_argument("--kbuild", action="store_true", help="as CHECK of a build: see above")
    parser.add_argument(
        "--file-timeout", type=seconds, default=10.0, metavar="SECONDS", help="for one file; 10"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Judge every window of a tree, of files, or of what a patch makes of them."""
    if args.list_rules:
        return Answer(report.rules({name: rule.summary for name, rule in RULES.items()}))
    asked = _asked(args.rules)
    known = None if args.baseline is None else _baseline(args.baseline)
    tree, chosen = _chosen(args)
    request = Request(asked, args.jobs, args.file_timeout, _again(args, tree))
    quiet = args.quiet or args.kbuild
    with Bar("looking", quiet=quiet, verbose=args.verbose) as bar:
        found = check(tree, chosen, request, bar.step)
    if args.write_baseline:
        _put(args.write_baseline, baseline.written(baseline.baseline(found.findings)))
    if known is not None:
        found = baseline.without(found, known, baseline.asked(found, chosen, asked))
    return _answer(args, at_least(found, Level(args.level)))


def _asked(named: str | None) -> tuple[str, ...]:
    names = tuple(RULES) if named is None else tuple(named.split(","))
    for name in names:
        if name not in RULES:
            near = get_close_matches(name, RULES, n=3) or list(RULES)
            raise UserError(f"no rule is called {name!r}; there are {', '.join(near)}")
    return names


def _baseline(path: str) -> Baseline:
    return baseline.read(path, content(path).decode(errors="surrogateescape"))


def _chosen(args: argparse.Namespace) -> tuple[Tree | None, Wanted]:
    targets = tuple(args.targets)
    if args.kbuild:
        return in_build(args.tree, targets[0], os.environ)
    if args.patch and targets:
        raise UserError("a patch says itself which files are judged; no TARGET goes with --patch")
    if args.patch.count(STDIN) > 1:
        raise UserError("only one --patch can be read from stdin")
    expect_documents(args, _DOCUMENTS, {})
    if args.patch or not targets:
        tree: Tree | None = find_tree(args.tree, None, os.environ)
    else:
        tree = tree_of(args.tree, targets, os.environ)
    if args.write_baseline:
        _expect_outside(args.write_baseline, tree)
    if args.patch and tree is not None:
        return tree, patched(tree, tuple((name, content_of(name)) for name in args.patch))
    return tree, wanted(tree, targets, content_of(STDIN) if STDIN in targets else None)


def _expect_outside(path: str, tree: Tree | None) -> None:
    expect_file(path)
    mine = tree is not None and Path(path).resolve().is_relative_to(tree.path)
    if mine or tree_around(Path(path).resolve()) is not None:
        raise UserError(f"{path} lies in a kernel tree, which is not written to: name it elsewhere")


def _again(args: argparse.Namespace, tree: Tree | None) -> str:
    return again(args, None if tree is None else tree.path, {})


def _put(path: str, text: str) -> None:
    put(str(Path(path).parent), Path(path).name, text)


def _answer(args: argparse.Namespace, found: Checked) -> Answer:
    if args.kbuild:  # a status would end the build
        return Answer("", FINE, (), report.lines(found))
    documents = {name: partial(make, found) for name, make in _DOCUMENTS.items()}
    text = written(args, documents)
    if text is None:
        colour = is_coloured(args.color, os.environ)
        text = report.text(found, color=colour, width=width(), verbose=args.verbose)
    odd = args.strict and (found.skipped or found.doubts)
    skipped = (f"{found.name(one.path)} was not judged: {one.why}" for one in found.skipped)
    notes = () if args.quiet else found.notes
    return Answer(text, FOUND if found.findings or odd else FINE, (*skipped, *notes))
