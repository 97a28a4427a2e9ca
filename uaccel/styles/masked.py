# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster as a window that a masked begin opens, where the machine can.

`masked_user_access_begin()` turns a pointer outside of user space into one that faults, without
a branch and a speculation barrier (include/linux/uaccess.h); the first access must reach the
page that the pointer points to, so the object has to be small.
"""

from __future__ import annotations

import re

from uaccel.drawing import branch, checked
from uaccel.fields import UNBUILT
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Function, Layouts
from uaccel.pointers import is_const, named
from uaccel.ranges import PAGE, is_far
from uaccel.windows import WORDS, Window
from uaccel.writing import Drawing, drawn, written

ABSENT = "this tree has no `masked_user_access_begin()`"
CONSTANT = "the pointer is declared const, and a masked begin gives another one to go on with"
SIZE = "how large `*{pointer}` is, and so how far from its start an access lies, is not known"
LARGE = "`*{pointer}` is larger than a page: an access may lie far from its start"
_SCALARS = r"(?:(?:__)?[usbl]e?(?:8|16|32|64)|(?:unsigned )?(?:char|short|int|long)|\w+_t)"
_SCALAR = re.compile(rf"sizeof\({_SCALARS}\)")


def plan(
    function: Function, layouts: tuple[Layouts, ...], dialect: Dialect
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its masked window or the reason against it."""
    if not dialect.masked:
        return tuple(Refusal(cluster, ABSENT) for cluster in function.clusters)
    return written(function, layouts, dialect, Drawing(_edits, _bound, masked=dialect.masks))


def _bound(made: Window) -> Window | str:
    return _reason_against(made) or named(made, constant=False)


def _reason_against(made: Window) -> str | None:
    pointer = made.ranges.begin.pointer
    if is_const(made.ground.function, pointer):
        return CONSTANT
    if made.ranges.kept and not made.ranges.checked:
        return None  # the tree masked that pointer itself
    if is_far(made.ranges.begin):
        return LARGE.format(pointer=pointer)
    if _SCALAR.fullmatch(made.ranges.begin.size) or _pointee(made, pointer):
        return None
    tag = dict(made.ground.function.pointers).get(pointer)
    sizes = [known.find(tag) for known in made.ground.layouts] if tag is not None else []
    if not sizes or any(layout is None for layout in sizes):
        return f"{SIZE.format(pointer=pointer)}: {UNBUILT}"
    if any(layout is not None and layout.size > PAGE for layout in sizes):
        return LARGE.format(pointer=pointer)
    return None


def _pointee(made: Window, pointer: str) -> bool:
    # Whether it is declared to point to a scalar.
    text = made.ground.function.source.quote(made.ground.function.span)
    return re.search(rf"\b{_SCALARS}\s+__user\s*\*\s*{re.escape(pointer)}\b", text) is not None


def _edits(made: Window) -> list[Edit]:
    word = _word(made)
    return drawn(made, _begin(made, word), f"user_{word}access_end();")


def _word(made: Window) -> str:
    # Where the masked begin opens both ways, so must the other one that shares its end.
    return f"{WORDS[made.direction]}_" if made.ground.dialect.directed else ""


def _begin(made: Window, word: str) -> list[str]:
    tab, here = made.stretch.indent, made.ranges.begin
    begin = f"!user_{word}access_begin({here.pointer}, {here.size})"
    masked = f"{tab}\t{here.pointer} = masked_user_{word}access_begin({here.pointer});"
    other = branch(tab, begin, made.begun, "else ")
    head = f"{tab}if (can_do_masked_user_access())"
    if other[0].endswith("{"):  # where one branch has braces, so has the other
        head, other = f"{head} {{", branch(tab, begin, made.begun, "} else ")
    return [*checked(made, made.begun), head, masked, *other]


STYLE = Style(
    summary="one window without a range check, where the machine can do so",
    needs_layouts=True,
    plan=plan,
)
