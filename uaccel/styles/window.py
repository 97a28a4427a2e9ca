# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster as one window: `user_read_access_begin()` to `user_read_access_end()`.

include/linux/uaccess.h defines the four calls for every architecture; where one has no begin of
its own, `unsafe_get_user()` is `__get_user()` and nothing is lost but nothing gained.
"""

from __future__ import annotations

from uaccel.drawing import branch, checks
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Function, Layouts
from uaccel.windows import WORDS, Window
from uaccel.writing import Drawing, drawn, written


def plan(
    function: Function, layouts: tuple[Layouts, ...], dialect: Dialect
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its window or the reason against it."""
    return written(function, layouts, dialect, Drawing(_edits, _bound, masked=False))


def _bound(made: Window) -> Window:
    return made


def _edits(made: Window) -> list[Edit]:
    word = WORDS[made.direction]
    begin = _begin(made, f"user_{word}_access_begin")
    return drawn(made, begin, f"user_{word}_access_end();")


def _begin(made: Window, begin: str) -> list[str]:
    tab = made.stretch.indent
    here = made.ranges.begin
    before = [f"{one} ||" for one in checks(made)]
    condition = "\n".join((*before, f"!{begin}({here.pointer}, {here.size})"))
    return branch(tab, condition, made.begun)


STYLE = Style(
    summary="one window: begin, unsafe accesses, end",
    needs_layouts=False,
    plan=plan,
)
