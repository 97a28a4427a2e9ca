# SPDX-License-Identifier: GPL-2.0-only
"""What the text reports are drawn with: consoles of one kind, tables, titles, hanging paragraphs.

Whatever is given as text may come out of a tree: it is made fit to be shown here.
"""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from uaccel.report.plain import line

WIDE = 1000  # columns: a table is never cut, whatever the terminal


def console(written: StringIO, color: bool, width: int) -> Console:
    """Return a console that draws into `written` and looks at no environment."""
    return Console(
        file=written,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )


def stripped(written: StringIO) -> str:
    """Return what was drawn, without the blanks that end a line."""
    return "\n".join(shown.rstrip(" ") for shown in written.getvalue().split("\n"))


def table(*headings: str, whole: tuple[str, ...] = ("architecture",)) -> Table:
    """Return an empty table; columns in `whole` are never broken."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for heading in headings:
        made.add_column(heading, no_wrap=heading in whole)
    return made


def title(first: str, *rest: str) -> Text:
    """Return a heading with an empty line before it."""
    text = Text("\n")
    text.append(line(first), style="bold")
    for other in rest:
        text.append("  ")
        text.append(line(other), style="dim" if other is rest[-1] and len(rest) > 1 else "")
    return text


def pointed(where: tuple[str, int, int], level: tuple[str, str], said: str, rule: str) -> Text:
    """Return `file:line:column: level: said [rule]`, where `level` is a word and its style."""
    path, row, column = where
    word, style = level
    return Text.assemble(
        (f"{line(path)}:{row}:{column}:", "bold"),
        " ",
        (f"{word}:", style),
        f" {line(said)}",
        (f" [{rule}]" if rule else "", "dim"),
    )


def hanging(mark: str, text: str, style: str) -> Padding:
    """Return `text` as a paragraph beside `mark`."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(Text(line(mark), style=style), Text(line(text)))
    return Padding(grid, (0, 0, 0, 2))
