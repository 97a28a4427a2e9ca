# SPDX-License-Identifier: GPL-2.0-only
"""Conversions as a series of mails that `git am` takes, each judged as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal

from uaccel.errors import BrokenInvariant, UserError
from uaccel.flow.asking import Asked, applied, base, checkpatch, recipients
from uaccel.flow.convert import Conversion, changes
from uaccel.flow.dialect import dialects_of
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.patches import CHECKS
from uaccel.flow.prefixes import Prefix, prefix, shared
from uaccel.host.tree import read_file
from uaccel.model.command import Command
from uaccel.model.dossier import Tree
from uaccel.model.judgement import Evidence, Outcome, Verdict
from uaccel.model.series import Change, Entry, Envelope, Ident, Letter, Mail, Recipient, Written
from uaccel.read import maintainers
from uaccel.report import cover, letter
from uaccel.report.mail import cover_mail, mail

# A sign-off is the user's to give: who asked for none is not told that it is missing.
_UNSIGNED = ("MISSING_SIGN_OFF",)


@dataclass(frozen=True, slots=True)
class Order:
    """How a series is made of conversions."""

    author: Ident
    signer: Ident | None  # None: no Signed-off-by
    date: datetime  # with its time zone
    per: Literal["file", "subsystem"]  # what one patch holds


@dataclass(frozen=True, slots=True)
class Series:
    """Mails ready to be written to files."""

    mails: tuple[Mail, ...]  # the cover letter first; () when there is nothing to send
    written: tuple[Written, ...]  # one per patch, in the same order, without the cover letter
    verdicts: tuple[Verdict, ...]  # what git and checkpatch say of each mail
    notes: tuple[str, ...]  # one sentence each


def series(ground: Ground, order: Order, made: tuple[Conversion, ...]) -> Series:
    """Return the mails that bring all of `made` into a tree, with what was found against them."""
    files = changes(made)
    if not files:
        return Series((), (), (), ())
    known = _entries(ground.tree)
    prefixes = _prefixes(ground, known, files)
    lent = tuple(one for one in files if one in {each.draft.target.dialect.lent for each in made})
    own = tuple(one for one in files if one not in lent)
    groups = _tied(_groups(known, own, order.per), made)
    letters = (
        *(_lending(ground.tree, one, prefixes, made) for one in lent),
        *(_letter(group, prefixes, made) for group in groups),
    )
    paths = tuple(change.path for change in files)
    envelope = Envelope(
        order.author, order.signer, order.date, len(letters), base(ground.tree, paths)
    )
    # First without names: whom a mail goes to is asked of the mail itself.
    bare = _mails(letters, envelope, ((),) * len(letters))
    asked = at_once(ground, tuple(_to(ground.tree, one) for one in bare))
    to = tuple(one.recipients for one in asked)
    mails = _mails(letters, envelope, to)
    style = letters[0].style
    verdicts = (
        *_applied(mails, files, style),
        *_clean(ground, mails, style, signed=order.signer is not None),
    )
    clean = all(one.outcome is Outcome.PASS for one in verdicts)
    refusals = tuple(one for conversion in made for one in conversion.refusals)
    body = cover.body(ground.tree, letters, refusals, clean)
    front = cover_mail(_title(letters), body, envelope, _everybody(to))
    return Series(
        mails=(front, *mails),
        written=tuple(_written(one) for one in letters),
        verdicts=verdicts,
        notes=tuple(dict.fromkeys(one.why for one in asked if one.why)),
    )


def _entries(tree: Tree) -> tuple[Entry, ...]:
    try:
        return maintainers.entries(read_file(tree, "MAINTAINERS").text)
    except UserError:  # a folder of such files, as get_maintainer.pl takes it too
        return ()


def _prefixes(
    ground: Ground, known: tuple[Entry, ...], files: tuple[Change, ...]
) -> dict[str, Prefix]:
    def job(path: str) -> Job[Prefix]:
        return f"history of {path}", lambda: prefix(ground.tree, known, path)

    found = at_once(ground, tuple(job(one.path) for one in files))
    return {one.path: how for one, how in zip(files, found, strict=True)}


def _groups(
    known: tuple[Entry, ...], files: tuple[Change, ...], per: str
) -> tuple[tuple[Change, ...], ...]:
    if per == "file":
        return tuple((one,) for one in files)
    groups: dict[str, list[Change]] = {}
    for one in files:
        entry = maintainers.nearest(known, one.path)
        name = entry.title if entry else str(PurePosixPath(one.path).parent)
        groups.setdefault(name, []).append(one)
    return tuple(tuple(group) for group in groups.values())


def _tied(
    groups: tuple[tuple[Change, ...], ...], made: tuple[Conversion, ...]
) -> tuple[tuple[Change, ...], ...]:
    # A macro and those who use it in another file are one patch: each patch must build.
    for one in made:
        paths = {one.file, *(other.path for other in one.draft.others)}
        mine = [group for group in groups if any(change.path in paths for change in group)]
        if not one.draft.rewrites or len(mine) <= 1:
            continue
        whole = tuple(change for group in mine for change in group)
        groups = tuple(whole if group is mine[0] else group for group in groups)
        groups = tuple(group for group in groups if group not in mine[1:])
    return groups


def _lending(
    tree: Tree, change: Change, prefixes: dict[str, Prefix], made: tuple[Conversion, ...]
) -> Letter:
    # First of all: whoever needs what it brings comes behind it.
    how = prefixes[change.path]
    return Letter(
        style=next(one.draft.style for one in made if one.done),
        subject=letter.lending(how.text, how.capital),
        done=(),
        changes=(change,),
        measurements=(),
        counted=False,
        lacking=tuple(name for name, one in dialects_of(tree).apart if one.lent == change),
    )


def _letter(
    group: tuple[Change, ...], prefixes: dict[str, Prefix], made: tuple[Conversion, ...]
) -> Letter:
    paths = tuple(change.path for change in group)
    mine = tuple(one for path in paths for one in made if one.file == path and one.done)
    done = tuple(cluster for one in mine for cluster in one.done)
    style = mine[0].draft.style
    how = shared(tuple(prefixes[path] for path in paths), paths)
    ids = {one.subject.id for one in done}
    return Letter(
        style=style,
        subject=letter.subject(how.text, how.capital, style, done),
        done=done,
        changes=group,
        measurements=tuple(m for one in mine for m in one.measurements if m.cluster in ids),
        counted=any(one.counted for one in mine),
    )


def _mails(
    letters: tuple[Letter, ...], envelope: Envelope, to: tuple[tuple[Recipient, ...], ...]
) -> tuple[Mail, ...]:
    numbered = enumerate(zip(letters, to, strict=True), start=1)
    return tuple(
        mail(one, letter.body(one), envelope, number, people) for number, (one, people) in numbered
    )


def _to(tree: Tree, one: Mail) -> Job[Asked]:
    return f"recipients of {one.name}", lambda: recipients(tree, one.text)


def _everybody(to: tuple[tuple[Recipient, ...], ...]) -> tuple[Recipient, ...]:
    # Who may take one of the patches is among those who decide, whatever else they are.
    ordered = sorted((one for people in to for one in people), key=lambda one: not one.decides)
    found: dict[str, Recipient] = {}
    for one in ordered:
        found.setdefault(one.ident.address, one)
    return tuple(found.values())


def _applied(mails: tuple[Mail, ...], files: tuple[Change, ...], style: str) -> Iterator[Verdict]:
    before = {one.path: one.before for one in files}
    after = {one.path: one.after for one in files}
    said, result = applied(tuple(one.text for one in mails), before)
    for one, command in zip(mails, said, strict=True):
        yield _verdict("applies", one, style, command)
    if result is not None and all(one and not one.status for one in said) and result != after:
        raise BrokenInvariant("the series applies, and does not make what was written")


def _clean(ground: Ground, mails: tuple[Mail, ...], style: str, signed: bool) -> Iterator[Verdict]:
    ignored = () if signed else _UNSIGNED

    def job(one: Mail) -> Job[Command | None]:
        return f"checking {one.name}", lambda: checkpatch(ground.tree, one.text, ignored)

    for one, said in zip(mails, at_once(ground, tuple(job(one) for one in mails)), strict=True):
        yield _verdict("checkpatch", one, style, said)


def _verdict(check: str, one: Mail, style: str, said: Command | None) -> Verdict:
    found = CHECKS[check].judge(Evidence(command=said))
    return Verdict(check, one.name, style, None, found.outcome, found.why)


def _title(letters: tuple[Letter, ...]) -> str:
    own = tuple(one for one in letters if not one.lacking)
    begins = tuple(Prefix(one.subject.rpartition(": ")[0], False) for one in own)
    files = tuple(change.path for one in own for change in one.changes)
    return cover.subject(shared(begins, files).text, letters[0].style)


def _written(one: Letter) -> Written:
    functions = dict.fromkeys(done.subject.function for done in one.done)
    return Written(
        style=one.style,
        files=tuple(change.path for change in one.changes),
        functions=tuple(functions),
        subject=one.subject,
        path=None,
    )
