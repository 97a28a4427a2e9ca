# SPDX-License-Identifier: GPL-2.0-only
"""A dossier to text, for a person at a terminal or in a mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.color import ColorSystem
from rich.console import RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from uaccel.model.dossier import Dossier, Patch, Subject
from uaccel.model.judgement import Outcome, Verdict
from uaccel.report.figures import EXECUTED, Cell, Grid, executed_grids, function_grids, path_grid
from uaccel.report.paper import WIDE, console, hanging, stripped, table, title
from uaccel.report.plain import block, line

_TONES = {"": "", "better": "green", "worse": "red", "unknown": "yellow", "quiet": "dim"}
_DIFF = {"@": "cyan", "+": "green", "-": "red"}
_DIGITS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_EVIDENCE = (
    "object (level 2): real files, built by the kernel's own Kbuild and the command it saved; "
)
_RUN = "run (level 3): what is told as executed ran in an emulator"
_LEGEND = (
    ("path", "instructions on the success path of the cluster"),
    ("toggles", "openings and closings on that path"),
    ("change", "of path, against {reference}"),
    ("floor", "one instruction per access and the fewest that open and close once"),
    ("insns", "instructions of the whole function"),
    ("text", "bytes of code"),
    ("ext", "entries of the exception table"),
    ("executed", "instructions of one call in which nothing faults, callees included"),
    ("noinline", "in the compiled copy, so that a function stays a symbol of its own; one that is"),
    ("", "inline or a system call is found by its lines instead"),
)


@dataclass(frozen=True, slots=True)
class _Part:
    """One piece of the report; a table keeps its own width."""

    content: RenderableType
    wide: bool = False


def study(dossier: Dossier, *, color: bool, width: int, patches: bool = False) -> str:
    """Return the whole report of a study; the text of the patches only when asked for."""
    written = StringIO()
    narrow = console(written, color, max(width, 40))
    wide = console(written, color, WIDE)
    for part in _parts(dossier):
        (wide if part.wide else narrow).print(part.content, soft_wrap=False)
    shown_patches = dossier.patches if patches else ()
    return stripped(written) + "".join(_patch(patch, color) for patch in shown_patches)


def _parts(dossier: Dossier) -> Iterator[_Part]:
    yield from _head(dossier)
    noted: dict[str, int] = {}
    for grid in function_grids(dossier):
        yield _Part(title("the whole of", grid.title))
        yield from _grid(grid, noted, None)
    for grid in executed_grids(dossier):
        yield _Part(title("executed by", grid.title))
        yield from _grid(grid, noted, None)
    yield from _verdicts(dossier)
    yield from _patches(dossier.patches)
    yield from _list("notes", dossier.notes)
    yield from _legend(dossier)
    # The tables come last: they are what a terminal still shows when the program has ended.
    for subject in dossier.subjects:
        yield _Part(_subject_title(subject))
        yield from _grid(path_grid(dossier, subject), noted, "floor")
        yield from _declined(dossier, subject)
    yield from _foot(dossier)


def _head(dossier: Dossier) -> Iterator[_Part]:
    yield _Part(
        Text.assemble(
            (f"Linux {line(dossier.tree.version)}", "bold"), f"  {line(dossier.tree.path)}"
        )
    )
    evidence = _evidence(dossier)
    yield _Part(Text.assemble(("evidence  ", "dim"), evidence))
    if not dossier.targets:
        return
    shared = {target.config.partition(", ")[2] for target in dossier.targets}
    common = shared.pop() if len(shared) == 1 else ""
    listed = table("architecture", "compiler", "configuration", "what guards user memory")
    for target in dossier.targets:
        config = target.config.removesuffix(f", {common}")
        cells = (target.arch, target.compiler, config, target.protection)
        listed.add_row(*(Text(line(cell)) for cell in cells))
    for unbuilt in dossier.unbuilt:
        why = Text(line(f"unknown: {unbuilt.why}"), style="yellow")
        listed.add_row(Text(line(unbuilt.arch)), Text("none"), Text(""), why)
    yield _Part(Text(""))
    yield _Part(listed)
    if common:
        yield _Part(hanging("all", common, "dim"))


def _subject_title(subject: Subject) -> Text:
    accesses = "1 access" if subject.accesses == 1 else f"{subject.accesses} accesses"
    return title(
        subject.function,
        f"{subject.direction}, {accesses}, stands {subject.form}",
        f"{subject.file}:{subject.line}",
    )


def _grid(grid: Grid, noted: dict[str, int], floor: str | None) -> Iterator[_Part]:
    told = len(noted)
    if not grid.rows:
        yield _Part(hanging("unknown", "nothing was measured", "yellow"))
    else:
        used = _number(grid, noted, floor is not None)
        yield _Part(_figures(grid, noted, floor), wide=True)
        yield from _footnotes(noted, used, told)
    for why, arches in grid.unknown:
        yield _Part(hanging("unknown", f"{', '.join(arches)}: {why}", "yellow"))


def _figures(grid: Grid, noted: dict[str, int], floor: str | None) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("\narchitecture", no_wrap=True)
    table.add_column("\ncompiler", no_wrap=True)
    columns = [_group(grid, at, noted) for at in range(len(grid.styles))]
    for style, (head, _) in zip(grid.styles, columns, strict=True):
        table.add_column(Text(f"{line(style)}\n{head}"), no_wrap=True)
    if floor:
        table.add_column(f"\n{floor}", no_wrap=True, justify="right")
    for at, row in enumerate(grid.rows):
        cells = [_cell(row.arch, noted), Text(line(row.compiler.partition(" (")[0]))]
        cells += [shown[at] for _, shown in columns]
        table.add_row(*cells, *([_cell(row.floor, noted)] if floor else []))
    return table


def _group(grid: Grid, at: int, noted: dict[str, int]) -> tuple[str, list[Text]]:
    # Sub-columns under one style's name: rich has no heading over several columns.
    rows = [row.groups[at] for row in grid.rows]
    shown: list[list[Text]] = [[] for _ in rows]
    heads = []
    for column, heading in enumerate(grid.headings[at]):
        cells = [_cell(row[column], noted) for row in rows]
        marks = [len(_mark(row[column], noted)) for row in rows]
        for cell, mark in zip(cells, marks, strict=True):
            cell.append(" " * (max(marks) - mark))  # digits stand below digits
        width = max(len(heading), *(cell.cell_len for cell in cells))
        heads.append(heading.rjust(width))
        for line_, cell in zip(shown, cells, strict=True):
            line_.append(Text(" " * (width - cell.cell_len)) + cell)
    return " ".join(heads), [Text(" ").join(cells) for cells in shown]


def _cell(cell: Cell, noted: dict[str, int]) -> Text:
    return Text.assemble((line(cell.text), _TONES[cell.tone]), (_mark(cell, noted), "dim"))


def _mark(cell: Cell, noted: dict[str, int]) -> str:
    return str(noted[cell.why]).translate(_DIGITS) if cell.why in noted else ""


def _number(grid: Grid, noted: dict[str, int], with_floor: bool) -> list[str]:
    used = {}
    for row in grid.rows:
        cells = (row.arch, *(cell for group in row.groups for cell in group))
        for cell in (*cells, row.floor) if with_floor else cells:
            if cell.why:
                used[cell.why] = noted.setdefault(cell.why, len(noted) + 1)
    return list(used)


def _footnotes(noted: dict[str, int], used: list[str], told: int) -> Iterator[_Part]:
    for why in used:
        if noted[why] > told:
            mark = str(noted[why]).translate(_DIGITS)
            yield _Part(hanging(mark, why, "dim"))
    again = [str(noted[why]).translate(_DIGITS) for why in used if noted[why] <= told]
    if again:
        yield _Part(Text(f"  {' '.join(again)}  as above", style="dim"))


def _declined(dossier: Dossier, subject: Subject) -> Iterator[_Part]:
    # What was not possible, and why: grouped by reason.
    reasons: dict[str, list[str]] = {}
    for refusal in dossier.refusals:
        if refusal.cluster == subject.id:
            reasons.setdefault(refusal.why, []).append(refusal.style)
    for why, styles in reasons.items():
        yield _Part(hanging("refused", f"{', '.join(styles)}: {why}", "yellow"))


def _evidence(dossier: Dossier) -> str:
    if not dossier.targets:
        return "source (level 1): nothing was built"
    ran = any(m.what in EXECUTED and m.value is not None for m in dossier.measurements)
    return f"{_EVIDENCE}{_RUN if ran else 'nothing was executed'}"


def _legend(dossier: Dossier) -> Iterator[_Part]:
    grids = [path_grid(dossier, subject) for subject in dossier.subjects]
    named = list(dict.fromkeys(g.reference for g in grids if g.reference and len(g.styles) > 1))
    if not named:
        return
    yield _Part(Text(""))
    for word, meaning in _LEGEND:
        text = meaning.format(
            reference=" or ".join(named) + " (how it stands)" * (named != ["fieldwise"])
        )
        yield _Part(hanging(word.ljust(8), text, "dim"))


def _verdicts(dossier: Dossier) -> Iterator[_Part]:
    if not dossier.verdicts:
        return
    yield _Part(title("checks"))
    counts = Counter((verdict.check, verdict.outcome) for verdict in dossier.verdicts)
    checks = dict.fromkeys(verdict.check for verdict in dossier.verdicts)
    for check in checks:
        said = [f"{counts[check, o]} {o.value}" for o in Outcome if counts[check, o]]
        yield _Part(hanging(check.ljust(max(map(len, checks))), ", ".join(said), "dim"))
    for verdict in dossier.verdicts:
        if verdict.outcome is Outcome.FAIL:
            text = f"{verdict.check}: {_place(verdict)}: {verdict.why}"
            yield _Part(hanging("FAIL   ", text, "bold red"))
            yield from (_Part(hanging("       ", said, "dim")) for said in verdict.story)
    for (check, why), places in _unknown(dossier.verdicts).items():
        text = f"{check}: {why} ({_some(places)})"
        yield _Part(hanging("UNKNOWN", text, "yellow"))


def _unknown(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    grouped: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.UNKNOWN:
            grouped.setdefault((verdict.check, verdict.why), []).append(verdict)
    return grouped


def _some(verdicts: list[Verdict]) -> str:
    if len(verdicts) == 1:
        return _place(verdicts[0])
    arches = dict.fromkeys(verdict.arch for verdict in verdicts if verdict.arch)
    named = f": {', '.join(arches)}" if arches else ""
    return f"{len(verdicts)} times{named}"


def _place(verdict: Verdict) -> str:
    function = verdict.cluster.partition(":")[2] or verdict.cluster
    return ", ".join(part for part in (function, verdict.style, verdict.arch) if part)


def _patches(patches: tuple[Patch, ...]) -> Iterator[_Part]:
    if not patches:
        return
    yield _Part(title("patches"))
    said: dict[str, dict[str, None]] = {}
    for patch in patches:
        where = patch.path or f"{patch.file} (not written)"
        yield _Part(hanging(patch.style.ljust(12), f"{patch.function}  {where}", "bold"))
        for difference in patch.differences:
            said.setdefault(difference, {})[patch.style] = None
    if said:
        yield _Part(title("what a user program could notice"))
    for difference, styles in said.items():
        yield _Part(hanging(", ".join(styles).ljust(12), difference, "bold"))


def _patch(patch: Patch, color: bool) -> str:
    text = "\n" + block(patch.text)
    if not color:
        return text
    return "\n".join(_painted(shown) for shown in text.split("\n"))


def _painted(shown: str) -> str:
    style = "bold" if shown.startswith(("---", "+++")) else _DIFF.get(shown[:1])
    if style is None:
        return shown
    return Style.parse(style).render(shown, color_system=ColorSystem.STANDARD)


def _list(heading: str, sentences: tuple[str, ...]) -> Iterator[_Part]:
    if sentences:
        yield _Part(title(heading))
        yield from (_Part(hanging("-", sentence, "dim")) for sentence in sentences)


def _foot(dossier: Dossier) -> Iterator[_Part]:
    objects = f"{dossier.built} objects built, {dossier.reused} from the store"
    yield _Part(Text(f"\n{objects}, {dossier.seconds:.1f} s"))
    yield _Part(Text.assemble(("again  ", "dim"), line(dossier.command)), wide=True)
