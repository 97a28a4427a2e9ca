# SPDX-License-Identifier: GPL-2.0-only
"""Write targets in a style.

The patch goes to stdout, or one file per function into --output DIR; with --in-place the files
of the tree are replaced instead.  What a style refuses is said on stderr.  Exit status 1 when a
cluster was refused, or when git or checkpatch have something against the patch.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, Answer
from uaccel.cli.options import add_builds, arches, assignments
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.convert import Conversion, convert, rewritten
from uaccel.flow.ground import Ground
from uaccel.flow.patches import patch_name
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.files import expect_folder, put
from uaccel.host.store import Store, cache_folder, write_atomically
from uaccel.host.tree import find_tree
from uaccel.model.judgement import Outcome


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_builds(parser)
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="FILE:FUNCTION or FILE")
    parser.add_argument("--style", choices=ALL_STYLES, default="window")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--output", metavar="DIR", help="folder for the patches")
    place.add_argument("--in-place", action="store_true", help="replace the files of the tree")


def run(args: argparse.Namespace) -> Answer:
    """Write functions in a style: a patch, or the file itself when asked."""
    named, environment = assignments(args.targets)
    if not named:
        raise UserError("no target; name one as FILE:FUNCTION")
    tree = find_tree(args.tree, Path(named[0].partition(":")[0]), environment)
    if args.output:
        expect_folder(args.output)
    with Bar("reading", quiet=args.quiet, verbose=args.verbose) as bar:
        ground = Ground(
            tree=tree,
            store=Store(cache_folder(environment)),
            environment=environment,
            arches=arches(args.arch, environment),
            compiler=args.compiler,
            jobs=args.jobs,
            progress=bar.step,
        )
        made = convert(ground, named, args.style)
    said = () if args.quiet else made
    remarks = tuple(remark for one in said for remark in _remarks(one, args.style))
    refused = any(one.refusals for one in made)
    bad = any(v.outcome is Outcome.FAIL for one in made for v in one.verdicts)
    status = FOUND if refused or bad else FINE
    patches = tuple(one.patch for one in made if one.patch is not None)
    if args.in_place:
        return Answer("".join(_replace(Path(tree.path), made)), status, remarks)
    if args.output:
        paths = [put(args.output, patch_name(one), one.text) for one in patches]
        return Answer("".join(f"{path}\n" for path in paths), status, remarks)
    return Answer("".join(one.text for one in patches), status, remarks)


def _remarks(one: Conversion, style: str) -> Iterator[str]:
    for refusal in one.refusals:
        yield f"{refusal.cluster}: {style} refused: {refusal.why}"
    for verdict in one.verdicts:
        if verdict.outcome is not Outcome.PASS:
            yield f"{one.target}: {verdict.check}: {verdict.outcome.value}: {verdict.why}"
    if one.patch is None and not one.refusals:
        yield f"{one.target}: nothing to convert: every cluster stands as {style} already"
    elif one.patch is not None:
        yield from (f"{one.target}: {sentence}" for sentence in one.patch.differences)


def _replace(root: Path, made: tuple[Conversion, ...]) -> Iterator[str]:
    for file, text in rewritten(made):
        write_atomically(root / file, text)
        yield f"{root / file}\n"
