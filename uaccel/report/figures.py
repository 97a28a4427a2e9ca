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
_FIELDWISE = "fieldwise"  # what every change is told against, where it was measured
_NOT_TAKEN = "no such figure was taken here"
_UNEXPLAINED = "not known, and nothing says why"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as it is shown."""

    text: str  # "80", "?", ">= 19", "-84 %"
    tone: str = ""  # "better", "worse", "unknown", "quiet"
    why: str = ""  # of a footnote; "" for none


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
    return Grid(subject.id, styles, headings, (*rows, *_unbuilt_rows(dossier, headings)), reference)


def function_grids(dossier: Dossier) -> tuple[Grid, ...]:
    """Return the figures of each whole function, in the order of the clusters."""
    known = {subject.id: f"{subject.file}:{subject.function}" for subject in dossier.subjects}
    keys: dict[str, tuple[str, ...]] = {}
    for m in dossier.measurements:
        title = known.get(m.cluster, m.cluster)
        if m.what in FUNCTION and m.cluster not in keys.get(title, ()):
            keys[title] = (*keys.get(title, ()), m.cluster)
    return tuple(_function_grid(dossier, title, ids) for title, ids in keys.items())


def _function_grid(dossier: Dossier, title: str, ids: tuple[str, ...]) -> Grid:
    index = {
        (title, m.style, _machine(m), m.what): m for m in dossier.measurements if m.cluster in ids
    }
    styles = _styles(dossier, ids, FUNCTION, _FIELDWISE)
    headings = (("insns", "text", "ext"),) * len(styles)
    rows = [
        Row(
            _arch_cell(dossier, machine[0]),
            machine[1],
            tuple(tuple(_figure(index, (title, s, machine, w)) for w in FUNCTION) for s in styles),
            Cell(""),
        )
        for machine in _machines(dossier)
    ]
    return Grid(title, styles, headings, (*rows, *_unbuilt_rows(dossier, headings)), None)


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


def _unbuilt_rows(dossier: Dossier, headings: tuple[tuple[str, ...], ...]) -> tuple[Row, ...]:
    unknown = Cell("?", "unknown")
    groups = tuple((unknown,) * len(names) for names in headings)
    return tuple(
        Row(Cell(u.arch, "", f"{u.arch}: unknown: {u.why}"), "none", groups, unknown)
        for u in dossier.unbuilt
    )


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
