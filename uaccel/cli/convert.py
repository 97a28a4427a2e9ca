# SPDX-License-Identifier: GPL-2.0-only
"""Write targets in a style.

TARGET is FILE:FUNCTION, FILE, or a folder: every file below it that holds clusters; VAR=value is
Kbuild's.  The patch goes to stdout, or one file per function into --output DIR; with --in-place
the files of the tree are replaced instead.  Where a cluster needs an accessor that the tree lacks,
include/linux/uaccess.h changes too (docs/patches.md).  --arch names whose figures and gains count.
--series DIR writes mails that `git am` takes, a cover letter first: From: is --from, else git's own
ident; Date: is now or $SOURCE_DATE_EPOCH; To: and Cc: are what the tree's get_maintainer.pl says.
What a style refuses is said on stderr.  Exit status 1 when a cluster was refused, or when git or
checkpatch have something against a patch.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, Answer
from uaccel.cli.options import add_builds, again, arches, assignments
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.asking import date, ident
from uaccel.flow.convert import Conversion, Converted, Request, changes, convert
from uaccel.flow.ground import Ground
from uaccel.flow.patches import patch_name
from uaccel.flow.series import Order, Series, series
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.files import expect_file, expect_folder, put, put_together
from uaccel.host.store import Store, cache_folder, write_atomically
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Tree
from uaccel.model.judgement import Outcome, Verdict
from uaccel.model.series import Delivery, Written
from uaccel.read import maintainers
from uaccel.report import conversion

_MAIL = r"\d{4}-.*\.patch"  # how git names the mails of a series
_NOTHING = Series((), (), (), ())


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_builds(parser)
    parser.add_argument(
        "targets", nargs="+", metavar="TARGET", help="FILE:FUNCTION, FILE or a folder"
    )
    parser.add_argument(
        "--style", choices=ALL_STYLES, default="window", help="what to write; else window"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--output", metavar="DIR", help="folder for the patches")
    place.add_argument("--in-place", action="store_true", help="replace the files of the tree")
    place.add_argument("--series", metavar="DIR", help="folder for mails that `git am` takes")
    parser.add_argument(
        "--per", choices=("file", "subsystem"), help="what one mail of a series holds; else file"
    )
    parser.add_argument(
        "--from", dest="author", metavar="'NAME <MAIL>'", help="author; else git's own ident"
    )
    parser.add_argument(
        "-s", "--signoff", action="store_true", help="add your Signed-off-by, as git knows you"
    )
    parser.add_argument(
        "--figures", action="store_true", help="build before and after, and tell what was counted"
    )
    parser.add_argument("--json", metavar="FILE", help="write the JSON document; - for stdout")


def run(args: argparse.Namespace) -> Answer:
    """Write functions in a style: a patch, a series, or the file itself when asked."""
    named, environment = assignments(args.targets)
    if not named:
        raise UserError("no target; name one as FILE:FUNCTION")
    tree = find_tree(args.tree, Path(named[0].partition(":")[0]), environment)
    order = _order(args, tree, environment)
    _expect(args)
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
        wanted = Request(named, args.style, args.figures, judged=order is None)
        found = convert(ground, wanted)
        mailed = series(ground, order, found.made) if order else _NOTHING
    verdicts = (*found.verdicts, *mailed.verdicts)
    text, written = _placed(args, tree, found.made, mailed)
    if args.json:
        delivery = Delivery(
            tree=tree,
            command=again(args, tree.path, environment),
            patches=written,
            done=found.done,
            refusals=found.refusals,
            verdicts=verdicts,
            measurements=found.measurements,
            notes=(*found.notes, *mailed.notes),
        )
        text = _told(args.json, conversion.document(delivery), text)
    bad = any(one.outcome is Outcome.FAIL for one in verdicts)
    remarks = () if args.quiet else (*_remarks(found, args), *_told_of(mailed))
    return Answer(text, FOUND if found.refusals or bad else FINE, remarks)


def _expect(args: argparse.Namespace) -> None:
    for folder in (args.output, args.series):
        if folder:
            expect_folder(folder)
    if args.json and args.json != "-":
        expect_file(args.json)


def _order(args: argparse.Namespace, tree: Tree, environment: Mapping[str, str]) -> Order | None:
    if not args.series:
        for option in ("per", "author", "signoff"):
            if getattr(args, option):
                name = {"author": "from"}.get(option, option)
                raise UserError(f"--{name} says how mails are made; --series DIR makes them")
        return None
    author = maintainers.ident(args.author) if args.author else ident(tree, "AUTHOR")
    if author is None:
        raise UserError(f"--from {args.author!r} is not written as 'Name <mail@host>'")
    signer = ident(tree, "COMMITTER") if args.signoff else None
    return Order(author, signer, date(environment), args.per or "file")


def _placed(
    args: argparse.Namespace, tree: Tree, made: tuple[Conversion, ...], mailed: Series
) -> tuple[str, tuple[Written, ...]]:
    patches = tuple(one.patch for one in made if one.patch is not None)
    if args.series:
        mails = tuple((one.name, one.text) for one in mailed.mails)
        paths = put_together(args.series, mails, _MAIL) if mails else ()
        pairs = zip(mailed.written, paths[1:], strict=True)
        return _lines(paths), tuple(replace(one, path=path) for one, path in pairs)
    alone = tuple(Written(one.style, (one.file,), (one.function,), "", None) for one in patches)
    if args.in_place:
        return _lines(_replace(Path(tree.path), made)), alone
    if args.output:
        paths = tuple(put(args.output, patch_name(one), one.text) for one in patches)
        pairs = zip(alone, paths, strict=True)
        return _lines(paths), tuple(replace(one, path=path) for one, path in pairs)
    return "".join(one.text for one in patches), alone


def _told(place: str, document: str, text: str) -> str:
    if place == "-":
        return document
    path = Path(place)
    put(str(path.parent), path.name, document)
    return text


def _remarks(found: Converted, args: argparse.Namespace) -> Iterator[str]:
    yield from found.notes
    for one in found.made:
        for refusal in one.refusals:
            yield f"{refusal.cluster}: {args.style} refused: {refusal.why}"
        yield from _judged(one.target, one.verdicts)
        if one.patch is None and not one.refusals:
            yield f"{one.target}: nothing to convert: every cluster stands as {args.style} already"
        elif one.patch is not None and not args.series:  # in a series its mail says it
            yield from (f"{one.target}: {sentence}" for sentence in one.patch.differences)


def _told_of(mailed: Series) -> Iterator[str]:
    yield from mailed.notes
    for verdict in mailed.verdicts:
        yield from _judged(verdict.cluster, (verdict,))


def _judged(what: str, verdicts: tuple[Verdict, ...]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.outcome is not Outcome.PASS:
            yield f"{what}: {verdict.check}: {verdict.outcome.value}: {verdict.why}"


def _replace(root: Path, made: tuple[Conversion, ...]) -> Iterator[str]:
    for change in changes(made):
        write_atomically(root / change.path, change.after)
        yield str(root / change.path)


def _lines(paths: Iterable[str]) -> str:
    return "".join(f"{path}\n" for path in paths)
