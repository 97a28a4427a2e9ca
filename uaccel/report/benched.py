# SPDX-License-Identifier: GPL-2.0-only
"""What a module measured on boards, as text and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from io import StringIO

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from uaccel.model.benched import Across, BenchReport, Board, Figure
from uaccel.report.json import dump, head
from uaccel.report.paper import WIDE, console, hanging, stripped, table, title
from uaccel.report.plain import line

_UNKNOWN = "?"


def text(report: BenchReport, *, color: bool, width: int) -> str:
    """Return a table per file and shape, and one across files where several have a shape."""
    written = StringIO()
    narrow, wide = console(written, color, width), console(written, color, WIDE)
    for board in report.boards:
        for part in _board(board):
            (wide if isinstance(part, Table) else narrow).print(part)
    for of in dict.fromkeys(board.of for board in report.boards if board.of):
        same = [board for board in report.boards if board.of == of]
        if len(same) > 1:
            narrow.print(title("against fieldwise, file by file", of))
            wide.print(_beside(same))
    if report.notes:
        narrow.print(title("to be known"))
    for note in report.notes:
        narrow.print(hanging("-", note, "dim"))
    wide.print(Text.assemble("\n", ("again  ", "dim"), line(report.command)))
    return stripped(written).lstrip("\n")


def document(report: BenchReport) -> str:
    """Return the `bench-module` document, ASCII only, with a newline at its end."""
    content = {
        **head("uaccel-bench", None, report.command),
        "boards": [asdict(board) for board in report.boards],
        "runs": [asdict(run) for run in report.runs],
        "notes": list(report.notes),
    }
    return dump(content)


def _board(board: Board) -> Iterator[RenderableType]:
    place = " ".join(filter(None, (board.machine, board.release))) or "machine not known"
    runs = f"{board.source}, {board.runs} run{'s' * (board.runs != 1)}"
    yield title(board.of or "a cluster whose line is lost", _shape(board), place, runs)
    made = table("style", "ns", "of runs", "least", "cycles", "of runs", "least", "fieldwise")
    for column in made.columns[1:]:
        column.justify, column.no_wrap = "right", True
    made.columns[0].no_wrap = True
    for row in board.rows:
        made.add_row(line(row.style), *_figures(row.ns), *_figures(row.cycles), _change(row))
    yield made
    for row in board.rows:
        if row.why:
            yield hanging(row.style, row.why, "yellow")
    yield hanging("cycles", _counter(board.rate), "dim")


def _shape(board: Board) -> str:
    if board.accesses is None or board.bytes is None:
        return "shape not known"
    what = f"{board.direction or 'access'}{'' if board.accesses == 1 else 's'}"
    return f"{board.accesses} {what} in {board.bytes} bytes".replace("accesss", "accesses")


def _counter(rate: float | None) -> str:
    if rate is None:
        return "get_cycles() does not count there: only ns are known"
    return (
        f"get_cycles() counts at {rate:.4g} MHz there; whether that is the processor's own clock "
        f"is not known"
    )


def _figures(figure: Figure | None) -> tuple[str, str, str]:
    if figure is None:
        return _UNKNOWN, "", ""
    spread = f"{figure.low:.1f}-{figure.high:.1f}" if figure.low < figure.high else ""
    return f"{figure.median:.1f}", spread, f"{figure.least:.1f}"


def _change(row: Across) -> str:
    return _UNKNOWN if row.change is None else f"{row.change:+.0f} %".replace("+0 %", "0 %")


def _beside(boards: list[Board]) -> Table:
    made = table("style", *(line(board.source) for board in boards), "spread")
    for column in made.columns:
        column.no_wrap = True
    for column in made.columns[1:]:
        column.justify = "right"
    for style in dict.fromkeys(row.style for board in boards for row in board.rows):
        rows = [next((r for r in board.rows if r.style == style), None) for board in boards]
        known = [row.change for row in rows if row is not None and row.change is not None]
        spread = f"{max(known) - min(known):.0f} points" if len(known) > 1 else ""
        made.add_row(
            line(style), *(_UNKNOWN if row is None else _change(row) for row in rows), spread
        )
    return made
