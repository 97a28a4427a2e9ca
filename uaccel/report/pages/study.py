# SPDX-License-Identifier: GPL-2.0-only
"""The page of one study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from uaccel import __version__
from uaccel.model.dossier import Dossier
from uaccel.model.judgement import Outcome, Verdict
from uaccel.report.figures import Cell, Grid, executed_grids, function_grids, path_grid
from uaccel.report.pages.bars import Chart, charts, styles_of
from uaccel.report.pages.catalogue import Section, anchor, sections
from uaccel.report.pages.code import exhibited
from uaccel.report.pages.comparison import compared
from uaccel.report.pages.frame import page
from uaccel.report.pages.summary import Summary, change, gained, level, summaries

_SCRIPTS = ("source.js", "assembly.js", "code.js", "faults.js")


@dataclass(frozen=True, slots=True)
class Figures:
    """One table with what is to be said below it."""

    grid: Grid
    title: str
    level: str  # of its evidence
    floor: bool  # it has that column
    notes: tuple[str, ...]  # of its cells
    refusals: tuple[tuple[str, str], ...]  # (style, why)


@dataclass(frozen=True, slots=True)
class Block:
    """All figures of one function."""

    summary: Summary
    charts: tuple[Chart, ...]
    styles: tuple[str, ...]  # of any of them
    figures: tuple[Figures, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """One check with how it came out."""

    check: str
    anchor: str
    counts: tuple[tuple[str, int], ...]  # outcome, how often; those that occur


def study_page(dossier: Dossier, pages: Mapping[tuple[str, str], str]) -> str:
    """Return the page of a study; `pages` are those of the catalogues by (kind, name)."""
    summed = summaries(dossier)
    shown = sections(pages, _named(dossier))
    return page(
        "study.html",
        _SCRIPTS,
        exhibited(dossier.exhibit, _first(summed)),
        version=__version__,
        dossier=dossier,
        summaries=summed,
        change=change,
        machines=tuple(dict.fromkeys(p.machine for one in summed for p in one.places)),
        blocks=tuple(_block(dossier, one) for one in summed),
        tallies=_tallies(dossier.verdicts),
        failed=tuple(v for v in dossier.verdicts if v.outcome is Outcome.FAIL),
        unknown=_unknown(dossier.verdicts),
        level=level,
        sections=shown,
        anchors={(one.kind, one.name): one.anchor for one in shown},
        kinds=_kinds(shown),
        compared=compared(dossier.comparison) if dossier.comparison else None,
        levels=_levels(dossier),
        series=styles_of(dossier),
    )


def _first(summed: tuple[Summary, ...]) -> dict[tuple[str, str], str]:
    # Of each function the architecture where most is gained comes first.
    found = [
        (gained(place) or 0, (one.function.title, place.machine[0]), place.best[0].style)
        for one in summed
        for place in one.places
        if place.best
    ]
    return {key: style for _, key, style in sorted(found, key=lambda each: each[0])}


def _block(dossier: Dossier, summary: Summary) -> Block:
    function = summary.function
    made = []
    for subject in function.subjects:
        accesses = "1 access" if subject.accesses == 1 else f"{subject.accesses} accesses"
        title = f"Path of the {subject.direction} cluster, {accesses}, line {subject.line}"
        refused = tuple((r.style, r.why) for r in dossier.refusals if r.cluster == subject.id)
        made.append(_figures(path_grid(dossier, subject), title, "object", refused))
    for grids, title, evidence in (
        (executed_grids(dossier), "One call in which nothing faults", "run"),
        (function_grids(dossier), "The whole function", "object"),
    ):
        made += [_figures(g, title, evidence, None) for g in grids if g.title == function.title]
    drawn = charts(dossier, function)
    styles = tuple(dict.fromkeys(style for chart in drawn for style in chart.styles))
    return Block(summary, drawn, styles, tuple(made))


def _figures(
    grid: Grid, title: str, evidence: str, refused: tuple[tuple[str, str], ...] | None
) -> Figures:
    floor = refused is not None  # paths have one, whole functions have none
    notes: dict[str, None] = {}
    for row in grid.rows:
        cells: tuple[Cell, ...] = (row.arch, *(cell for group in row.groups for cell in group))
        notes |= dict.fromkeys(c.why for c in (*cells, *((row.floor,) * floor)) if c.why)
    return Figures(grid, title, evidence, floor, tuple(notes), refused or ())


def _tallies(verdicts: tuple[Verdict, ...]) -> tuple[Tally, ...]:
    counts = Counter((verdict.check, verdict.outcome) for verdict in verdicts)
    return tuple(
        Tally(
            check,
            anchor("checks", check),
            tuple((o.value, counts[check, o]) for o in Outcome if counts[check, o]),
        )
        for check in dict.fromkeys(verdict.check for verdict in verdicts)
    )


def _unknown(verdicts: tuple[Verdict, ...]) -> tuple[tuple[str, str, tuple[Verdict, ...]], ...]:
    grouped: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.UNKNOWN:
            grouped.setdefault((verdict.check, verdict.why), []).append(verdict)
    return tuple((check, why, tuple(found)) for (check, why), found in grouped.items())


def _named(dossier: Dossier) -> list[tuple[str, str]]:
    styles = dict.fromkeys(
        (*(p.style for p in dossier.patches), *(m.style for m in dossier.measurements))
    )
    forms = dict.fromkeys(subject.form for subject in dossier.subjects)
    return [
        *(("checks", verdict.check) for verdict in dossier.verdicts),
        *(("styles", style) for style in (*forms, *styles)),
        *(("styles", refusal.style) for refusal in dossier.refusals),
        *(("arch", target.arch) for target in dossier.targets),
    ]


def _kinds(shown: list[Section]) -> tuple[tuple[str, tuple[Section, ...]], ...]:
    titles = {"checks": "Checks", "styles": "Styles", "arch": "Architectures"}
    return tuple(
        (title, tuple(one for one in shown if one.kind == kind)) for kind, title in titles.items()
    )


def _levels(dossier: Dossier) -> frozenset[str]:
    # Which evidence this study has at all.
    found = {level(verdict) for verdict in dossier.verdicts}
    built = {"object"} if any(m.value is not None for m in dossier.measurements) else set()
    ran = {"run"} if any(executed_grids(dossier)) else set()
    board = {"board"} if dossier.comparison is not None else set()
    return frozenset({"source"} | found | built | ran | board) - {""}
