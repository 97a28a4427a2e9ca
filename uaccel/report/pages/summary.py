# SPDX-License-Identifier: GPL-2.0-only
"""A dossier in a few sentences: which style is best where, and what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from uaccel.model.dossier import Dossier
from uaccel.model.judgement import Outcome, Verdict
from uaccel.report.pages.ranking import Cost, Function, Place, functions, ranking

_FIELDWISE = "fieldwise"  # what every change is told against, where it was measured


@dataclass(frozen=True, slots=True)
class Summary:
    """One function in one sentence, and the same as a table."""

    function: Function
    best: str  # a clause: "window has the shortest success paths on 8 of 10 machines (...)"
    checked: int  # verdicts
    fails: int
    unknown: int
    noticed: tuple[tuple[str, tuple[str, ...]], ...]  # what a program could notice, of which styles
    reference: str  # the style that changes are told against
    places: tuple[Place, ...]


def summaries(dossier: Dossier) -> tuple[Summary, ...]:
    """Return what is to be said of each function of `dossier`, in its order."""
    return tuple(_summary(dossier, function) for function in functions(dossier))


def change(place: Place) -> str:
    """Return how far the best style of `place` is from what stood before; "" if unknown."""
    percent = gained(place)
    return "" if percent is None else _signed(percent)


def gained(place: Place) -> int | None:
    """Return the same as a number."""
    return _percent(place, place.before)


def _percent(place: Place, against: Cost | None) -> int | None:
    if not place.best or against is None or not against.least:
        return None
    return round(100 * (place.best[0].least - against.least) / against.least)


def _summary(dossier: Dossier, function: Function) -> Summary:
    measured = {m.style for m in dossier.measurements if m.cluster in function.ids}
    reference = _FIELDWISE if _FIELDWISE in measured else function.form
    places = ranking(dossier, function, reference)
    verdicts = [v for v in dossier.verdicts if v.cluster in function.ids]
    outcomes = Counter(verdict.outcome for verdict in verdicts)
    alone = bool(places) and measured == {function.form}
    return Summary(
        function,
        "nothing but how it stands was measured"
        if alone
        else _best(places, reference, function.form),
        len(verdicts),
        outcomes[Outcome.FAIL],
        outcomes[Outcome.UNKNOWN],
        _noticed(dossier, function),
        reference,
        places,
    )


def _best(places: tuple[Place, ...], reference: str, form: str) -> str:
    if not places:
        return "nothing was measured"
    grouped: dict[tuple[bool, tuple[str, ...]], list[Place]] = {}
    there = [place for place in places if not place.absent]
    for place in (place for place in there if place.best):
        styles = tuple(cost.style for cost in place.best)
        grouped.setdefault((place.ran, styles), []).append(place)
    clauses: list[str] = []
    told: bool | None = None  # what the clause before it was told by
    # What ran comes first: it is the stronger evidence.
    for (ran, styles), found in sorted(grouped.items(), key=lambda g: (not g[0][0], -len(g[1]))):
        where = f"{len(found)} of {len(there)} machines" if len(found) > 2 else _where(found)
        kept = next((style for style in (form, reference) if style in styles), None)
        if kept is None:
            said = _needs(styles, ran=ran) if ran is not told else _and(styles)
            told = ran
            clauses.append(f"{said} on {where}{_changes(found, reference, form)}")
        else:
            needs = "executes fewer instructions" if ran else "has shorter success paths"
            clauses.append(f"on {where} no style {needs} than {kept}{_as(kept, form, reference)}")
    if open_ := [place for place in there if not place.best]:
        clauses.append(f"on {_where(open_)} it is not decided")
    if absent := [place for place in places if place.absent]:
        clauses.append(_missing(absent, len(places)))
    return "; ".join(clauses)


def _missing(absent: list[Place], builds: int) -> str:
    if len(absent) > 2:
        return f"{len(absent)} of {builds} builds do not hold it"
    does = "s of {} do" if len(absent) > 1 else " of {} does"
    return f"the build{does.format(_where(absent))} not hold it"


def _needs(styles: tuple[str, ...], *, ran: bool) -> str:
    many = len(styles) > 1
    if ran:
        needs = f"execute{'' if many else 's'} the fewest instructions in one call"
    else:
        needs = f"{'have' if many else 'has'} the shortest success paths"
    return f"{_and(styles)} {needs}"


def _changes(found: list[Place], reference: str, form: str) -> str:
    # Against one by one, and where it stands in another way against that too.
    told = []
    for style in dict.fromkeys((reference, form)):
        costs = ((p, p.before if style == reference else p.stands) for p in found)
        changes = sorted(c for place, cost in costs if (c := _percent(place, cost)) is not None)
        if changes:
            span = dict.fromkeys(_signed(change) for change in (changes[-1], changes[0]))
            told.append(f"{' to '.join(span)} against {style}{_as(style, form, reference)}")
    return f" ({'; '.join(told)})" if told else ""


def _as(style: str, form: str, reference: str) -> str:
    return ", as it stands" if style == form != reference else ""


def _signed(percent: int) -> str:
    return f"{percent:+d} %".replace("-", "−") if percent else "0 %"  # noqa: RUF001 - a minus


def _where(found: Iterable[Place]) -> str:
    return _and(tuple(dict.fromkeys(place.machine[0] for place in found)))


def _and(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _noticed(dossier: Dossier, function: Function) -> tuple[tuple[str, tuple[str, ...]], ...]:
    said: dict[str, dict[str, None]] = {}
    for patch in dossier.patches:
        if f"{patch.file}:{patch.function}" == function.title:
            for difference in patch.differences:
                said.setdefault(difference, {})[patch.style] = None
    return tuple((difference, tuple(styles)) for difference, styles in said.items())


def level(verdict: Verdict) -> str:
    """Return which evidence stands behind a verdict; "" when it is not known."""
    if verdict.outcome is Outcome.UNKNOWN:
        return ""
    if verdict.coverage is not None:
        return "run"
    return "source" if verdict.arch is None else "object"
