# SPDX-License-Identifier: GPL-2.0-only
"""An account of a tree to text: lines that an editor can follow, then the sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from io import StringIO

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from uaccel.errors import BrokenInvariant
from uaccel.model.account import Account
from uaccel.model.scan import Scan, Totals
from uaccel.model.support import STANDING, Openings, Support
from uaccel.model.survey import Candidate, Kind
from uaccel.report.paper import WIDE, console, hanging, pointed, stripped, table, title
from uaccel.report.plain import line
from uaccel.report.worth import message, share

_SHORT = 20  # lines that were not understood are listed up to here, unless asked for
_NARROW = 80  # columns that the tables need
_LEFT_OVER = 10  # symbols of a profile that no cluster was given
_MEANS = {
    Kind.CLUSTER: "hold an access of a cluster",
    Kind.SINGLE: "hold an access that can share a window with no other",
    Kind.WINDOW: "hold an access in a window that stands already",
    Kind.MACRO: "are in the body of a macro",
    Kind.COMMENT: "are in a comment or a string",
    Kind.OTHER: "define or declare the accessor itself",
    Kind.NOT_UNDERSTOOD: "were not understood",
}


def text(account: Account, *, color: bool, width: int, verbose: bool = False) -> str:
    """Return the whole report; every line that was not understood only when `verbose`."""
    written = StringIO()
    narrow = console(written, color, max(width, _NARROW))
    wide = console(written, color, WIDE)
    for found in (*_findings(account), *_not_understood(account.scan, verbose)):
        wide.print(found, soft_wrap=True)  # one line each, whatever the width: editors read it
    for part in _summary(account, verbose):
        narrow.print(part, soft_wrap=False)
    again = Text.assemble(("again  ", "dim"), line(account.scan.command))
    wide.print(again, soft_wrap=True)
    return stripped(written)


def listing(scan: Scan) -> str:
    """Return one line for every candidate of `scan`, with its class as the rule."""
    return "".join(
        f"{line(survey.path)}:{one.line}:{one.column}: {_classed(one)}\n"
        for survey in scan.surveys
        for one in survey.candidates
    )


def _classed(one: Candidate) -> str:
    name = line(one.accessor)
    if one.kind is Kind.NOT_UNDERSTOOD:
        return f"warning: {name}() was not understood: {line(one.why)} [not-understood]"
    return f"note: {name}() [{one.kind.value}]"


def _findings(account: Account) -> Iterator[Text]:
    for finding in account.shown:
        place, seen = finding.place, finding.place.sighting
        rule = "window" if seen.form in STANDING else "cluster"
        where = (place.file, seen.line, seen.column)
        yield pointed(where, ("note", "cyan"), message(finding) + share(finding), rule)


def _not_understood(scan: Scan, verbose: bool) -> Iterator[Text]:
    odd = list(_odd(scan))
    if not verbose and len(odd) > _SHORT:
        return
    for path, one in odd:
        why = f"{one.accessor}() was not understood: {one.why}"
        where = (path, one.line, one.column)
        yield pointed(
            where, ("warning", "yellow"), why, Kind.NOT_UNDERSTOOD.value.replace("_", "-")
        )


def _odd(scan: Scan) -> Iterator[tuple[str, Candidate]]:
    for survey in scan.surveys:
        for one in survey.candidates:
            if one.kind is Kind.NOT_UNDERSTOOD:
                yield survey.path, one


def _summary(account: Account, verbose: bool) -> Iterator[RenderableType]:
    scan = account.scan
    yield Text.assemble(("\nLinux ", "bold"), (line(scan.tree.version), "bold"), f"  {_path(scan)}")
    yield Text.assemble(
        ("evidence  ", "dim"),
        "source (level 1): nothing built, no configuration asked",
    )
    part = any(":" in target for target in scan.filters.targets)  # FILE:FUNCTION
    yield title("candidate lines of the whole file" if part else "candidate lines")
    yield _candidates(scan.totals, sum(not one.candidates for one in scan.skipped))
    yield from _odd_files(scan, verbose)
    yield from (hanging("-", note, "dim") for note in scan.notes)
    yield from _clusters(account)
    yield from _profile(account)
    yield title("what one window gains", "openings around n accesses of one path")
    yield _architectures(account.supports)
    yield from _opens(account.supports)
    yield from _others(account)
    yield from _foot(scan)


def _path(scan: Scan) -> str:
    targets = " ".join(scan.filters.targets)
    return line(f"{scan.tree.path}  {targets}" if targets else scan.tree.path)


def _candidates(totals: Totals, unread: int) -> Table:
    if sum(count for _, count in totals.kinds) != totals.lines:
        raise BrokenInvariant(f"the classes do not add up to {totals.lines}: {totals.kinds}")
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(justify="right", no_wrap=True)
    made.add_column(no_wrap=True)
    made.add_column()
    for kind, count in totals.kinds:
        odd = kind is Kind.NOT_UNDERSTOOD and count
        name = Text(kind.value.replace("_", " "), style="yellow" if odd else "")
        made.add_row(Text(f"  {count}"), name, Text(_MEANS[kind], style="dim"))
    in_all = f"in all, without {_many(unread, 'file')} not read" if unread else "in all"
    made.add_row(Text(f"  {totals.lines}", style="bold"), Text(in_all, style="bold"), Text(""))
    return made


def _odd_files(scan: Scan, verbose: bool) -> Iterator[RenderableType]:
    odd = scan.totals.of(Kind.NOT_UNDERSTOOD)
    if odd:
        percent = 100 * odd / scan.totals.lines
        hint = "; -v lists them" if odd > _SHORT and not verbose else ""
        said = f"{odd} of {scan.totals.lines} lines were not understood ({percent:.2f} %){hint}"
        yield hanging("!", said, "yellow")
    for one in scan.skipped:
        what = f" ({one.candidates} candidate lines)" if one.candidates else ""
        yield hanging("!", f"{one.path}: {one.why}{what}", "yellow")


def _clusters(account: Account) -> Iterator[RenderableType]:
    seen = [one for survey in account.scan.surveys for one in survey.sightings]
    forms = Counter(one.form for one in seen)
    open_ = [one for one in seen if one.form not in STANDING]
    windows = len(seen) - len(open_)
    yield title("clusters and windows")
    could = sum(one.convertible is True for one in open_)
    unsure = sum(one.convertible is None for one in open_)
    said = f"{_many(len(open_), 'cluster')}, {sum(one.accesses for one in open_)} accesses"
    told = f"{said}: {could} a style can write, {unsure} not known without a build"
    yield hanging("-", told if open_ else "no clusters", "dim")
    parts = ", ".join(f"{forms[form]} {form.value}" for form in STANDING if forms[form])
    files = sum(any(one.form in STANDING for one in s.sightings) for s in account.scan.surveys)
    verb = "stands" if windows == 1 else "stand"
    stand = f"{_many(windows, 'window')} that {verb} already, in {_many(files, 'file')}: {parts}"
    yield hanging("-", stand if windows else "no windows stand here", "dim")
    passed, shown = len(account.findings), len(account.shown)
    if account.scan.filters.form in STANDING or (passed, shown) != (len(open_), len(open_)):
        yield hanging("-", f"{passed} pass the filters, {shown} of them are listed above", "dim")


def _profile(account: Account) -> Iterator[RenderableType]:
    if account.profile is None:
        return
    yield title("profile", account.profile.name)
    for note in account.profile.notes:
        yield hanging("-", note, "dim")
    left = account.profile.unattributed
    if not left:
        return
    total = sum(one.percent for one in left)
    yield hanging("!", f"{total:.2f} % could be given to no cluster:", "yellow")
    for one in left[:_LEFT_OVER]:
        yield hanging(f"{one.percent:6.2f} %", f"{one.symbol}: {one.why}", "")
    if len(left) > _LEFT_OVER:
        yield hanging(" " * 8, f"and {_many(len(left) - _LEFT_OVER, 'symbol')} more", "dim")


_FACTS = ("asm goto outputs", "unsafe_copy_from_user")


def _architectures(supports: Iterable[Support]) -> Table:
    facts = ("architecture", "reads", "writes", "begin", "masked", *_FACTS)
    made = table(*facts, whole=facts)
    for one in supports:
        cells = (
            one.arch,
            _saves(one.reads),
            _saves(one.writes),
            _begin(one),
            _words(one.masked),
            {None: "?", True: "yes", False: "no"}[one.asm_goto_output],
            {None: "?", True: "yes", False: "no"}[one.copies],
        )
        style = "" if one.why is None else "dim"
        made.add_row(*(Text(line(cell), style=style) for cell in cells))
    return made


def _opens(supports: Iterable[Support]) -> Iterator[RenderableType]:
    told: dict[str, list[str]] = {}
    for one in supports:
        told.setdefault(one.why or one.opens, []).append(one.arch)
    for said, arches in told.items():
        yield hanging("-", f"{', '.join(arches)}: {said}", "dim")


def _saves(openings: Openings | None) -> str:
    if openings is None:
        return "?"
    each = openings.access - openings.inside
    if not each:
        return "0"
    return f"{'' if each == 1 else each}n - {openings.begin}"


def _begin(support: Support) -> str:
    if support.begin is None:
        return "?"
    if not support.begin:
        return "none"
    return "own, apart" if support.apart else "own"


def _words(masked: tuple[str, ...] | None) -> str:
    return "?" if masked is None else " ".join(masked) or "no"


def _others(account: Account) -> Iterator[RenderableType]:
    scoped = {one.scoped for one in account.supports}
    if scoped:
        has = "has" if scoped == {True} else "may have" if None in scoped else "has no"
        yield hanging("-", f"this tree {has} scoped_user_*_access()", "dim")
    said = {
        False: "no user_access_begin() of their own, so a window saves no opening",
        True: "a user_access_begin() of their own; what it saves is not known here",
        None: "not known: no header of theirs could be read",
    }
    for begin, why in said.items():
        names = [one.name for one in account.folders if one.begin is begin]
        if names:
            yield hanging("-", f"{', '.join(names)}: {why}", "dim")


def _foot(scan: Scan) -> Iterator[RenderableType]:
    held = sum(bool(one.candidates) for one in scan.surveys)
    files = f"{_many(scan.walked, 'file')} looked at, {_many(held, 'file')} with"
    known = f"{scan.reused} of them known from before"
    yield Text(f"\n{files} candidates, {known}, {scan.seconds:.1f} s")


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
