# SPDX-License-Identifier: GPL-2.0-only
"""The index page of a scan: every cluster in one list that can be sorted and filtered."""

from __future__ import annotations

from collections import Counter

from uaccel import __version__
from uaccel.model.account import Account, Finding
from uaccel.model.support import STANDING
from uaccel.model.survey import Kind
from uaccel.report.pages.frame import page
from uaccel.report.pages.once import Once
from uaccel.report.worth import message

_NOT_UNDERSTOOD = 500  # lines that the page lists
# Of `Gain.saved` where it is no plain number.
_UNKNOWN = -1


def scan_page(account: Account) -> str:
    """Return the index page of a scan."""
    scan = account.scan
    shown = (*account.shown, *(account.standing if scan.filters.top is None else ()))
    odd = [
        (survey.path, one)
        for survey in scan.surveys
        for one in survey.candidates
        if one.kind is Kind.NOT_UNDERSTOOD
    ]
    sightings = [one for survey in scan.surveys for one in survey.sightings]
    return page(
        "scan.html",
        ("scan.js",),
        _content(shown),
        version=__version__,
        account=account,
        scan=scan,
        shown=len(shown),
        kinds=[(kind.value.replace("_", " "), count) for kind, count in scan.totals.kinds],
        forms=sorted(Counter(one.form.value for one in sightings).items()),
        open=sum(one.form not in STANDING for one in sightings),
        odd=odd[:_NOT_UNDERSTOOD],
        more=max(len(odd) - _NOT_UNDERSTOOD, 0),
        begins=_begins(account),
    )


def _content(findings: tuple[Finding, ...]) -> dict[str, object]:
    files: Once[str] = Once(one.place.file for one in findings)
    functions: Once[str] = Once(one.place.sighting.function for one in findings)
    forms: Once[str] = Once(one.place.sighting.form.value for one in findings)
    arches: Once[str] = Once(gain.arch for one in findings for gain in one.gains)
    gains: Once[tuple[tuple[int, int], ...]] = Once()
    told: Once[str] = Once()
    rows = [
        (
            files.of(one.place.file),
            one.place.sighting.line,
            functions.of(one.place.sighting.function),
            one.place.sighting.direction.value,
            forms.of(one.place.sighting.form.value),
            one.place.sighting.accesses,
            one.place.sighting.longest,
            gains.of(_gains(one, arches)),
            round(one.weight, 4),
            {True: 1, False: 0, None: 2}[one.place.sighting.convertible],
            told.of(message(one)),
        )
        for one in findings
    ]
    return {
        "files": files.told,
        "functions": functions.told,
        "forms": forms.told,
        "arches": arches.told,
        "gains": gains.told,
        "told": told.told,
        "unit": findings[0].unit if findings else "openings",
        "rows": rows,
    }


def _gains(finding: Finding, arches: Once[str]) -> tuple[tuple[int, int], ...]:
    by_arch = {arches.of(gain.arch): gain for gain in finding.gains}
    return tuple(
        (_UNKNOWN if gain is None or gain.saved is None else gain.saved, int(gain.at_least))
        if (gain := by_arch.get(at)) is not None
        else (_UNKNOWN, 0)
        for at in range(len(arches.told))
    )


def _begins(account: Account) -> tuple[tuple[str, tuple[str, ...]], ...]:
    said = {
        False: "no user_access_begin() of their own, so a window saves no opening",
        True: "a user_access_begin() of their own; what it saves is not known here",
        None: "not known: no header of theirs could be read",
    }
    grouped = (
        (why, tuple(one.name for one in account.folders if one.begin is begin))
        for begin, why in said.items()
    )
    return tuple((why, names) for why, names in grouped if names)
