# SPDX-License-Identifier: GPL-2.0-only
"""The figures of a study or a comparison as pictures for a mail: compute here, draw in panels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from uaccel.model.comparison import Comparison, Counted, Stands, Variant
from uaccel.model.dossier import Dossier, Subject
from uaccel.report.figures import Cell, Grid, function_grids, path_grid
from uaccel.report.panels import Bar, Group, Panel, Plot, Sheet, draw, plain

_MANY = 4  # clusters in one picture
_ROOM = 1.9  # inches for the bars of a group and its name
_NOTES = 6  # of why something is not known
_MARKS = {Stands.YES: " *", Stands.NO: " ~", Stands.UNKNOWN: ""}
_STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def plots(dossier: Dossier) -> tuple[Plot, ...]:
    """Return a picture of each function that was studied: its name, SVG, PNG."""
    return tuple(draw(sheet) for sheet in study_sheets(dossier))


def comparison_plots(comparison: Comparison) -> tuple[Plot, ...]:
    """Return the pictures of a comparison: its groups and, with `perf stat`, its counts."""
    return tuple(draw(sheet) for sheet in comparison_sheets(comparison))


def study_sheets(dossier: Dossier) -> tuple[Sheet, ...]:
    """Return what is drawn of a study: a sheet for each function, more for one of many clusters."""
    return tuple(_unique(_study(dossier)))


def comparison_sheets(comparison: Comparison) -> tuple[Sheet, ...]:
    """Return what is drawn of a comparison."""
    return tuple(_unique(_compared(comparison)))


def _unique(sheets: Iterator[Sheet]) -> Iterator[Sheet]:
    # Also where a file system makes no difference between A and a.
    seen: set[str] = set()
    for sheet in sheets:
        base = re.sub(r"[^\w-]", "_", sheet.name, flags=re.ASCII)[:80] or "_"
        name, number = base, 1
        while name.lower() in seen:
            number += 1
            name = f"{base}-{number}"
        seen.add(name.lower())
        yield replace(sheet, name=name)


def _study(dossier: Dossier) -> Iterator[Sheet]:
    # Of all functions, so that a style looks the same in each picture.
    series = tuple(sorted({m.style for m in dossier.measurements}))
    whole = {grid.title: grid for grid in function_grids(dossier)}
    functions: dict[str, list[Subject]] = {}
    for subject in dossier.subjects:
        functions.setdefault(f"{subject.file}:{subject.function}", []).append(subject)
    for title, subjects in functions.items():
        name = subjects[0].function
        for at in range(0, len(subjects), _MANY):
            grids = [(one, path_grid(dossier, one)) for one in subjects[at : at + _MANY]]
            last = whole.get(title) if at + _MANY >= len(subjects) else None
            panels = (*_paths(grids, series), *_text(last, series))
            told = [grid for _, grid in grids] + ([last] if last is not None else [])
            shown = tuple(panel for panel in panels if panel.groups)
            if shown:
                used = tuple(_notes(dossier, told))
                yield Sheet(name, title, series, shown, used)


def _paths(grids: list[tuple[Subject, Grid]], series: tuple[str, ...]) -> Iterator[Panel]:
    for subject, grid in grids:
        many = f"{subject.accesses} {subject.direction}{'s' * (subject.accesses != 1)}"
        where = f"{many} at line {subject.line}"
        floors = [row.floor.value for row in grid.rows]
        yield _panel(f"Success path of {where}", "instructions", grid, (0, series), floors)
        nothing = [None for _ in grid.rows]
        title = f"Openings and closings on it, {where}"
        yield _panel(title, "toggles", grid, (1, series), nothing)


def _text(grid: Grid | None, series: tuple[str, ...]) -> Iterator[Panel]:
    if grid is not None:
        nothing = [None for _ in grid.rows]
        yield _panel("Code of the whole function", "text bytes", grid, (1, series), nothing)


def _panel(
    title: str,
    unit: str,
    grid: Grid,
    column: tuple[int, tuple[str, ...]],
    floors: Sequence[float | None],
) -> Panel:
    at, series = column
    compilers: dict[str, set[str]] = {}
    for row in grid.rows:
        compilers.setdefault(row.arch.text, set()).add(row.compiler)
    groups = tuple(
        Group(
            f"{row.arch.text} {row.compiler}"
            if len(compilers[row.arch.text]) > 1
            else row.arch.text,
            tuple(
                _bar(cells[at], series.index(style))
                for style, cells in zip(grid.styles, row.groups, strict=True)
            ),
            floor,
        )
        for row, floor in zip(grid.rows, floors, strict=True)
    )
    return Panel(title, unit, groups)


def _bar(cell: Cell, series: int) -> Bar:
    known = cell.value is not None
    return Bar(series, cell.value, cell.text if known else "?", cell.bound)


def _notes(dossier: Dossier, grids: list[Grid]) -> Iterator[str]:
    compilers = dict.fromkeys(row.compiler for grid in grids for row in grid.rows)
    yield (
        f"Linux {dossier.tree.version}, {', '.join(compilers)}: real objects by the kernel's own "
        f"build, instructions counted, nothing timed."
    )
    reasons: dict[str, dict[str, None]] = {}
    for grid in grids:
        for why, arches in grid.unknown:
            reasons.setdefault(why, {}).update(dict.fromkeys(arches))
        for row in grid.rows:
            for cell in (cell for group in row.groups for cell in group):
                if cell.why and (cell.text == "?" or cell.text.startswith(">=")):
                    reasons.setdefault(cell.why, {})[row.arch.text] = None
    told = list(reasons.items())
    for why, names in told[:_NOTES]:
        yield f"Not known, or not in full, on {', '.join(names)}: {why}"
    if len(told) > _NOTES:
        yield f"{len(told) - _NOTES} further reasons are on the page."


def _compared(comparison: Comparison) -> Iterator[Sheet]:
    variants = comparison.variants
    series = tuple(variant.name for variant in variants)
    names = dict.fromkeys(group.name for variant in variants for group in variant.groups)
    groups = tuple(
        Group(name, tuple(_share(comparison, at, name) for at in range(len(variants))))
        for name in names
    )
    if groups:
        panel = Panel("Where the samples fell", "percent of all samples", groups)
        notes = (comparison.chosen, *_legend_of(comparison, set(names)), *_hidden(groups))
        yield Sheet("comparison", _title(comparison), series, (panel,), notes, _ROOM)
    events = dict.fromkeys((one.event, one.unit) for v in variants for one in v.counts)
    counted = tuple(_event(comparison, *event) for event in events)
    if counted:
        panel = Panel("perf stat, against the first variant", "percent of the first", counted)
        notes = (*_legend_of(comparison, {event for event, _ in events}), *_hidden(counted))
        yield Sheet("comparison-counts", _title(comparison), series, (panel,), notes, _ROOM)


def _title(comparison: Comparison) -> str:
    return " / ".join(variant.name for variant in comparison.variants)


def _legend_of(comparison: Comparison, whats: set[str]) -> Iterator[str]:
    first = comparison.variants[0].name
    said = {one.stands for one in comparison.differences if one.what in whats}
    if Stands.YES in said:
        yield f"* the difference to {plain(first)} stands out of the noise"
    if Stands.NO in said:
        yield f"~ the difference to {plain(first)} does not stand out of the noise"
    if Stands.UNKNOWN in said:
        yield "without a mark: whether the difference is noise is not known"
    if any(len(variant.sources) > 1 for variant in comparison.variants):
        yield "bars are medians of the runs; lines go from the smallest to the largest"


def _hidden(groups: tuple[Group, ...]) -> Iterator[str]:
    if any(bar.value is None for group in groups for bar in group.bars):
        yield "? what was given of that variant does not show it"


def _share(comparison: Comparison, at: int, name: str) -> Bar:
    variant = comparison.variants[at]
    group = next((one for one in variant.groups if one.name == name), None)
    if group is None:
        return Bar(at, None, "?")
    low, high = _reach(group.percents)
    told = f"{group.percent:.2f}{_mark(comparison, variant, name)}"
    return Bar(at, group.percent, told, low=low, high=high)


def _event(comparison: Comparison, event: str, unit: str) -> Group:
    found = [_counted(variant, event) for variant in comparison.variants]
    base = found[0].value if found[0] is not None else 0.0
    bars = []
    for at, one in enumerate(found):
        if one is None or not base:
            bars.append(Bar(at, None, "?" if one is None else _short(one.value)))
            continue
        low, high = _reach(tuple(100 * value / base for value in one.values))
        told = f"{_short(one.value)}{_mark(comparison, comparison.variants[at], event)}"
        bars.append(Bar(at, 100 * one.value / base, told, low=low, high=high))
    return Group(f"{event} ({unit})" if unit else event, tuple(bars))


def _counted(variant: Variant, event: str) -> Counted | None:
    return next((one for one in variant.counts if one.event == event), None)


def _mark(comparison: Comparison, variant: Variant, what: str) -> str:
    found = (d for d in comparison.differences if (d.variant, d.what) == (variant.name, what))
    difference = next(found, None)
    return _MARKS[difference.stands] if difference is not None else ""


def _reach(values: tuple[float, ...]) -> tuple[float | None, float | None]:
    return (min(values), max(values)) if len(values) > 1 else (None, None)


def _short(value: float) -> str:
    for step, letter in _STEPS:
        if abs(value) >= step:
            return f"{value / step:.4g} {letter}"
    return f"{value:.4g}"
