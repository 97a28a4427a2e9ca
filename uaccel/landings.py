# SPDX-License-Identifier: GPL-2.0-only
"""Write where the faults of a window land: labels that close it and then do what a fault did."""

from __future__ import annotations

from uaccel.drawing import COMMENT, ends_with_rest, indented
from uaccel.model.access import Direction, Span
from uaccel.model.rewrite import Edit
from uaccel.model.source import Function
from uaccel.model.steps import Fault
from uaccel.windows import Window


def behind(made: Window, end: str) -> list[str]:
    """Return the lines between the last access of a window and what follows its stretch.

    `end` is the statement that closes the window; "" where leaving a scope does.
    """
    stretch, tab = made.stretch, made.stretch.indent
    lines = [f"{tab}{end}"] if end else []
    lines += [f"{tab}{one.behind}" for one in made.hoists.every if one.behind]
    lines += [f"{tab}{stretch.zero}"] if stretch.zero else []
    if ends_with_rest(stretch):
        lines += indented(stretch.steps[-1].rest, tab)
    if _lands_at_end(made):
        return lines
    for fault, label in _landed(made):
        lines += _fault(made, fault, label, end, bare=_returns(made))
    return lines


def _fault(made: Window, fault: Fault, label: str, end: str, *, bare: bool) -> list[str]:
    tab = made.stretch.indent
    if bare and fault.leaves:
        return [f"{label}:", *_closed(end, tab), *indented(fault.text, tab)]
    lines = [f"{tab}if (0) {{", f"{label}:", *_closed(end, f"{tab}\t")]
    if not fault.leaves and end and fault == made.stretch.steps[0].fault:
        lines.append(f"{made.failed}:")
    text = "\n".join((*zeroed(made, fault), *fault.text.splitlines())) or ";"
    return [*lines, *indented(text, f"{tab}\t"), f"{tab}}}"]


def _closed(end: str, tab: str) -> list[str]:
    return [f"{tab}{end}"] if end else []


def _landed(made: Window) -> list[tuple[Fault, str]]:
    # A scope closes whoever jumps out of it: `goto out;` needs no label of its own.
    return [(fault, label) for fault, label in made.labels if fault.text != f"goto {label};"]


def zeroed(made: Window, fault: Fault) -> list[str]:
    """Return the statements that set to 0 what was not read, where a fault just goes on.

    `get_user()` does so; a local that nothing was read into would have no value at all.
    """
    if fault.leaves or made.direction is Direction.WRITE:
        return []
    source = made.ground.function.source
    values = (source.quote(access.value) for access in made.stretch.accesses if not access.copies)
    return [f"{value} = 0;" for value in dict.fromkeys(values) if value.isidentifier()]


def landing(made: Window, end: str) -> list[Edit]:
    """Return the edits that put the labels behind the function's last `return`, if any does."""
    function, stretch = made.ground.function, made.stretch
    if not _lands_at_end(made):
        return []
    assert function.returns_last is not None
    tab = stretch.indent
    lines = []
    for fault, label in _landed(made):
        lines += ["", f"{label}:", *_closed(end, tab), *indented(fault.text, tab)]
    if not lines:
        return []
    at = _after(function, function.returns_last)
    return [Edit(Span(at, at), "\n" + "\n".join(lines))]


def _returns(made: Window) -> bool:
    return ends_with_rest(made.stretch) and made.stretch.steps[-1].returns


def _lands_at_end(made: Window) -> bool:
    function, stretch = made.ground.function, made.stretch
    if function.returns_last is None or not all(fault.leaves for fault, _ in made.labels):
        return False
    return stretch.before_return or (
        _returns(made) and stretch.extent.end == function.returns_last.end
    )


def _after(function: Function, statement: Span) -> int:
    # A comment that ends the line of a statement belongs to it.
    rest = function.source.text[statement.end :].partition(b"\n")[0].rstrip(b"\r")
    return statement.end + (len(rest) if COMMENT.fullmatch(rest) else 0)
