# SPDX-License-Identifier: GPL-2.0-only
"""The figures that docs/boot.md shows are those that kernels give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.boot.conftest import WHOLE, Runs
from uaccel.flow.clients import OURS, PLAYS

PAGE = Path(__file__).parents[2] / "docs/boot.md"
STYLES = ("fieldwise", "window", "structcopy", WHOLE)
# The others of the page are boots of the same kind, minutes more.
MACHINES = ("g3beige", "ppce500", "x86_64")


def rows() -> list[tuple[str, str, str, int, int]]:
    """Return machine, client, style, instructions and toggles of the page's table."""
    lines = PAGE.read_text().partition("\n## Figures\n")[2].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    found = []
    for row in cells:
        if row[0] in MACHINES and all(re.fullmatch(r"\d+, \d+", cell) for cell in row[2:]):
            for style, cell in zip(STYLES, row[2:], strict=True):
                figures = [int(figure) for figure in cell.split(", ")]
                found.append((row[0], row[1].partition(" ")[0], style, figures[0], figures[1]))
    return found


def test_the_page_has_every_machine_that_is_asked_here() -> None:
    assert [row[0] for row in rows()] == [name for name in MACHINES for _ in STYLES]


@pytest.mark.parametrize(("machine", "client", "style", "instructions", "toggles"), rows())
def test_a_figure_of_the_page_is_what_a_kernel_gives(  # noqa: PLR0913, PLR0917
    machine: str, client: str, style: str, instructions: int, toggles: int, runs: Runs
) -> None:
    assert client in (OURS, PLAYS)
    run = runs(machine, style, client)
    assert run.why == ""
    assert run.instructions_per_call == instructions
    assert run.toggles_per_call == toggles
