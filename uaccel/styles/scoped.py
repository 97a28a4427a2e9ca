# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster as a scope: `scoped_user_read_access(p, label) { ... }`.

The macros of include/linux/uaccess.h are loops that run once: leaving the block in any way but
`break` and `continue` closes the window, and the label must stand outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from uaccel.drawing import accesses, around, checked, replaced
from uaccel.landings import behind, landing
from uaccel.model.access import Span
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Function, Layouts
from uaccel.pointers import named
from uaccel.windows import WORDS, Window
from uaccel.writing import Drawing, written

ABSENT = "this tree has no `scoped_user_read_access()` and its kin"
JUMPS = "a break or continue among the accesses would leave the scope only"
CALLS = "what leaves among the accesses may call before it does, and the scope is still open there"
_GOTO = re.compile(r"goto (\w+);")


def plan(
    function: Function, layouts: tuple[Layouts, ...], dialect: Dialect
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its scope or the reason against it."""
    if not dialect.scoped:
        return tuple(Refusal(cluster, ABSENT) for cluster in function.clusters)
    drawing = Drawing(_edits, _bound, masked=dialect.masks, scoped=True)
    return written(function, layouts, dialect, drawing)


def _bound(plain: Window) -> Window | str:
    leaves = plain.stretch.leaves
    if any(leave.jumps for leave in leaves):
        return JUMPS
    return CALLS if any(leave.calls for leave in leaves) else named(plain, constant=True)


def _edits(plain: Window) -> list[Edit]:
    made = _labelled(plain)
    stretch, source = made.stretch, made.ground.function.source
    if made.ranges.block is not None:
        return _over_block(made, made.ranges.block)
    edits: list[Edit] = []
    for step in stretch.steps:
        inner = replace(step, indent=f"{step.indent}\t")
        edits += replaced(source, inner, accesses(made, inner, inner.indent, ""))
    edits += list(_indented(made, edits))
    lines = behind(made, "")
    edits += around(made, _begin(made), [f"{stretch.indent}}}", *lines], "\t")
    edits += landing(made, "")
    return edits


def _over_block(made: Window, at: int) -> list[Edit]:
    # The block's own braces become the scope's, and nothing moves.
    source = made.ground.function.source
    edits = [Edit(Span(at, at + 1), _begin(made)[0].lstrip())]
    for step in made.stretch.steps:
        edits += replaced(source, step, accesses(made, step, step.indent, ""))
    return [*edits, *landing(made, "")]


def _labelled(made: Window) -> Window:
    labels = []
    for fault, label in made.labels:
        found = _GOTO.fullmatch(fault.text)
        labels.append((fault, found[1] if found is not None and fault.leaves else label))
    # What leaves the scope needs no statement before it, and so no braces.
    ground = replace(made.ground, stretch=replace(made.stretch, leaves=()))
    return replace(made, ground=ground, labels=tuple(labels))


def _begin(made: Window) -> list[str]:
    tab, here = made.stretch.indent, made.ranges.begin
    first = made.stretch.steps[0].fault
    label = made.label(first)
    lines = checked(made, first.text if first.leaves else f"goto {label};")
    word = f"scoped_user_{WORDS[made.direction]}_access"
    if here.size == f"sizeof(*{here.pointer})":
        return [*lines, f"{tab}{word}({here.pointer}, {label}) {{"]
    return [*lines, f"{tab}{word}_size({here.pointer}, {here.size}, {label}) {{"]


def _indented(made: Window, edits: list[Edit]) -> Iterator[Edit]:
    # Every line within the scope that no edit writes anew goes one step to the right, without the
    # blanks at its end.
    source, extent = made.ground.function.source, made.stretch.extent
    written = [*(edit.span for edit in edits), *(step.span for step in made.stretch.steps)]
    at = source.text.find(b"\n", extent.start, extent.end) + 1
    while at:
        line = source.text[at : source.text.find(b"\n", at)]
        inside = any(edit.span.start < at <= edit.span.end for edit in edits)
        if line.strip() and not line.lstrip().startswith(b"#") and not inside:
            yield Edit(Span(at, at), "\t")
            end = at + len(line)
            blanks = Span(at + len(line.rstrip(b" \t")), end)
            own = not any(one.start <= end and blanks.start <= one.end for one in written)
            if own and blanks.start < end <= extent.end:
                yield Edit(blanks, "")
        at = source.text.find(b"\n", at, extent.end) + 1


STYLE = Style(
    summary="one scope that closes itself, where the tree has it",
    needs_layouts=False,
    plan=plan,
)
