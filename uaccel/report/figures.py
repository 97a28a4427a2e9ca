# SPDX-License-Identifier: GPL-2.0-only
"""A dossier to grids of figures: one row per architecture, one group of columns per style."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Dossier, Subject
from uaccel.model.judgement import Measurement

Machine = tuple[str, str, str]  # architecture, compiler, configuration
Key = tuple[str, str, Machine, str]  # cluster or function, style, machine, what

PATH = ("path_instructions", "path_toggles")
FLOOR = "floor_instructions"
FUNCTION = ("function_instructions", "text_bytes", "extable_entries")
EXECUTED = ("executed_instructions", "executed_toggles")
_HEADINGS = {FUNCTION: ("insns", "text", "ext"), EXECUTED: ("executed", "toggles")}
_FIELDWISE = "fieldwise"  # what every change is told against, where it was measured
_NOT_TAKEN = "no such figure was taken here"
_UNEXPLAINED = "not known, and nothing says why"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as it is shown."""

    text: str  # "80", "?", ">= 19", "-84 %"
    tone: str = ""  # "better", "worse", "unknown", "quiet"
    why: str = ""  # of a footnote; "" for none

    @property
    def value(self) -> int | None:
        """Return the figure as a number; None where it is not known."""
        digits = self.text.removeprefix(">= ")
        return int(digits) if digits.isascii() and digits.isdigit() else None

    @property
    def bound(self) -> bool:
        """Return whether it is a lower bound."""
        return self.value is not None and self.text.startswith(">= ")


@dataclass(frozen=True, slots=True)
class Row:
    """What was found on one machine."""

    arch: Cell
    compiler: str
    groups: tuple[tuple[Cell, ...], ...]  # one per style of the grid, in its order
    floor: Cell


@dataclass(frozen=True, slots=True)
class Grid:
    """The figures of one cluster or of one function."""

    title: str
    styles: tuple[str, ...]
    headings: tuple[tuple[str, ...], ...]  # of the columns of each style
    rows: tuple[Row, ...]
    unknown: tuple[tuple[str, tuple[str, ...]], ...]  # why, and architectures without any figure
    reference: str | None  # the style that changes are told against


def path_grid(dossier: Dossier, subject: Subject) -> Grid:
    """Return the figures of the success path of one cluster."""
    index = {(m.cluster, m.style, _machine(m), m.what): m for m in dossier.measurements}
    styles = _styles(dossier, (subject.id,), PATH, subject.form)
    reference = next((s for s in (_FIELDWISE, subject.form) if s in styles), None)
    headings = tuple(
        ("path", "toggles") if style == reference else ("path", "toggles", "change")
        for style in styles
    )
    rows = [
        Row(
            _arch_cell(dossier, machine[0]),
            machine[1],
            tuple(_path_cells(index, subject.id, s, reference, machine) for s in styles),
            _floor_cell(index, subject.id, machine),
        )
        for machine in _machines(dossier)
    ]
    return _grid(dossier, subject.id, styles, headings, rows, reference)


def function_grids(dossier: Dossier) -> tuple[Grid, ...]:
    """Return the figures of each whole function, in the order of the clusters."""
    return _function_grids(dossier, FUNCTION)


def executed_grids(dossier: Dossier) -> tuple[Grid, ...]:
    """Return what each whole function executed, callees included, where it was run."""
    return _function_grids(dossier, EXECUTED)


def _function_grids(dossier: Dossier, whats: tuple[str, ...]) -> tuple[Grid, ...]:
    known = {subject.id: f"{subject.file}:{subject.function}" for subject in dossier.subjects}
    keys: dict[str, tuple[str, ...]] = {}
    for m in dossier.measurements:
        title = known.get(m.cluster, m.cluster)
        if m.what in whats and m.cluster not in keys.get(title, ()):
            keys[title] = (*keys.get(title, ()), m.cluster)
    return tuple(_function_grid(dossier, title, ids, whats) for title, ids in keys.items())


def _function_grid(
    dossier: Dossier, title: str, ids: tuple[str, ...], whats: tuple[str, ...]
) -> Grid:
    index = {
        (title, m.style, _machine(m), m.what): m for m in dossier.measurements if m.cluster in ids
    }
    styles = _styles(dossier, ids, whats, _FIELDWISE)
    headings = (_HEADINGS[whats],) * len(styles)
    rows = [
        Row(
            _arch_cell(dossier, machine[0]),
            machine[1],
            tuple(tuple(_figure(index, (title, s, machine, w)) for w in whats) for s in styles),
            Cell(""),
        )
        for machine in _machines(dossier)
        if any((title, s, machine, what) in index for s in styles for what in whats)
    ]
    return _grid(dossier, title, styles, headings, rows, None)


def _grid(  # noqa: PLR0913, PLR0917 - the fields of a Grid
    dossier: Dossier,
    title: str,
    styles: tuple[str, ...],
    headings: tuple[tuple[str, ...], ...],
    rows: list[Row],
    reference: str | None,
) -> Grid:
    # A row of question marks says nothing: its architecture is named with the reason instead.
    unknown: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if _is_blank(row):
            why = _reason(row)
            unknown[why] = (*unknown.get(why, ()), row.arch.text)
    for unbuilt in dossier.unbuilt:
        unknown[unbuilt.why] = (*unknown.get(unbuilt.why, ()), unbuilt.arch)
    kept = tuple(row for row in rows if not _is_blank(row))
    return Grid(title, styles, headings, kept, tuple(unknown.items()), reference)


def _is_blank(row: Row) -> bool:
    return all(cell.text == "?" for group in row.groups for cell in group)


def _reason(row: Row) -> str:
    said = [cell.why for group in row.groups for cell in group if cell.why]
    told = (why for why in said if why not in (_NOT_TAKEN, _UNEXPLAINED))
    return next(told, said[0] if said else _UNEXPLAINED)


def _path_cells(
    index: dict[Key, Measurement],
    cluster: str,
    style: str,
    reference: str | None,
    machine: Machine,
) -> tuple[Cell, ...]:
    figures = tuple(_figure(index, (cluster, style, machine, what)) for what in PATH)
    if style == reference or reference is None:
        return figures
    before = index.get((cluster, reference, machine, PATH[0]))
    after = index.get((cluster, style, machine, PATH[0]))
    return (*figures, _change(before, after))


def _change(before: Measurement | None, after: Measurement | None) -> Cell:
    if before is None or after is None or not before.value or after.value is None:
        return Cell("?", "unknown")
    percent = round(100 * (after.value - before.value) / before.value)
    if percent == 0:
        return Cell("0 %", "quiet")
    return Cell(f"{percent:+d} %", "better" if percent < 0 else "worse")


def _floor_cell(index: dict[Key, Measurement], cluster: str, machine: Machine) -> Cell:
    # The floor belongs to the accesses and the architecture: every style has the same one.
    found = (key for key in index if (key[0], key[2], key[3]) == (cluster, machine, FLOOR))
    key = next(found, None)
    return _figure(index, key) if key is not None else Cell("?", "unknown", _NOT_TAKEN)


def _figure(index: dict[Key, Measurement], key: Key) -> Cell:
    found = index.get(key)
    if found is None:
        return Cell("?", "unknown", _NOT_TAKEN)
    if found.value is not None:
        return Cell(str(found.value), "", found.why)
    why = found.why or _UNEXPLAINED
    return Cell("?" if found.at_least is None else f">= {found.at_least}", "unknown", why)


def _arch_cell(dossier: Dossier, arch: str) -> Cell:
    gain = next((t.gain for t in dossier.targets if t.arch == arch and t.gain), None)
    return Cell(arch, "", f"{arch}: {gain}" if gain else "")


def _styles(
    dossier: Dossier, ids: tuple[str, ...], what: tuple[str, ...], form: str
) -> tuple[str, ...]:
    seen = dict.fromkeys(
        m.style for m in dossier.measurements if m.cluster in ids and m.what in what
    )
    first = [style for style in (_FIELDWISE, form) if style in seen]
    return tuple(dict.fromkeys((*first, *seen)))


def _machines(dossier: Dossier) -> tuple[Machine, ...]:
    targets = ((t.arch, t.compiler, t.config) for t in dossier.targets)
    return tuple(dict.fromkeys((*targets, *(_machine(m) for m in dossier.measurements))))


def _machine(measurement: Measurement) -> Machine:
    return measurement.arch, measurement.compiler, measurement.config
