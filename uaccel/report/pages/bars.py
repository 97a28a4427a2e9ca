# SPDX-License-Identifier: GPL-2.0-only
"""Grids of figures as bars: one group per machine, one bar per style, the floor as a line."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Dossier
from uaccel.report.figures import (
    Grid,
    Row,
    executed_grids,
    function_grids,
    path_grid,
)
from uaccel.report.pages.ranking import Function

_WIDEST = 80.0  # percent of the room; what is left is for the figure behind the bar
_BAR = 12  # pixels from one bar to the next


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure."""

    series: int  # which style of `styles_of`
    told: str  # "80", ">= 19", "?"
    width: float  # percent of the room
    kind: str  # "exact", "least", "unknown"
    top: int  # pixels


@dataclass(frozen=True, slots=True)
class Group:
    """The bars of one machine."""

    label: str
    bars: tuple[Bar, ...]
    floor: float | None  # percent of the room; None: it is not known
    floor_told: str
    height: int  # pixels


@dataclass(frozen=True, slots=True)
class Chart:
    """All bars of one kind of figure."""

    title: str
    unit: str
    level: str  # of its evidence
    styles: tuple[str, ...]
    groups: tuple[Group, ...]


def styles_of(dossier: Dossier) -> tuple[str, ...]:
    """Return the styles of all charts: a style has the same colour in each of them."""
    forms = (subject.form for subject in dossier.subjects)
    return tuple(dict.fromkeys((*forms, *(m.style for m in dossier.measurements))))


def charts(dossier: Dossier, function: Function) -> tuple[Chart, ...]:
    """Return the charts of one function: its paths, what was executed, its bytes."""
    series = styles_of(dossier)
    made = []
    for subject in function.subjects:
        grid = path_grid(dossier, subject)
        of = f"{subject.direction}, {_many(subject.accesses)}"
        kind = f"Path: {of}", "instructions", "object"
        made.append(_chart(grid, 0, *kind, series, [row.floor.value for row in grid.rows]))
        kind = f"Openings and closings: {of}", "toggles", "object"
        made.append(_chart(grid, 1, *kind, series, [_fewest(row) for row in grid.rows]))
    for grids, column, kind in (
        (executed_grids(dossier), 0, ("One call, executed", "instructions", "run")),
        (function_grids(dossier), 1, ("Code of the function", "bytes", "object")),
    ):
        made += [
            _chart(grid, column, *kind, series, [None for _ in grid.rows])
            for grid in grids
            if grid.title == function.title
        ]
    return tuple(chart for chart in made if chart.groups)


def _chart(  # noqa: PLR0913, PLR0917 - the fields of a Chart
    grid: Grid,
    column: int,
    title: str,
    unit: str,
    level: str,
    series: tuple[str, ...],
    floors: list[int | None],
) -> Chart:
    figures = [group[column].value for row in grid.rows for group in row.groups]
    most = max((value for value in (*figures, *floors) if value), default=1)
    numbers = tuple(series.index(style) for style in grid.styles)
    groups = tuple(
        _group(row, column, numbers, floor, most)
        for row, floor in zip(grid.rows, floors, strict=True)
    )
    return Chart(title, unit, level, grid.styles, groups)


def _group(row: Row, column: int, numbers: tuple[int, ...], floor: int | None, most: int) -> Group:
    bars = []
    for at, (number, group) in enumerate(zip(numbers, row.groups, strict=True)):
        value = group[column].value
        kind = "unknown" if value is None else "least" if group[column].bound else "exact"
        width = round(_WIDEST * (value or 0) / most, 2)
        bars.append(Bar(number, group[column].text, width, kind, at * _BAR))
    place = None if floor is None else round(_WIDEST * floor / most, 2)
    told = "" if floor is None else f"floor {floor}"
    return Group(row.arch.text, tuple(bars), place, told, len(bars) * _BAR)


def _fewest(row: Row) -> int | None:
    # One opening and one closing; where nothing is guarded, a style shows that none is needed.
    toggles = [group[1].value for group in row.groups]
    return None if all(one is None for one in toggles) else 0 if 0 in toggles else 2


def _many(accesses: int) -> str:
    return "1 access" if accesses == 1 else f"{accesses} accesses"
