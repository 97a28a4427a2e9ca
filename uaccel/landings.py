# SPDX-License-Identifier: GPL-2.0-only
"""Write where the faults of a window land: labels that close it and then do what a fault did."""

from __future__ import annotations

import re

from uaccel.drawing import COMMENT, TAB, ends_with_rest, indented
from uaccel.model.access import Access, Direction, Span
from uaccel.model.rewrite import Edit
from uaccel.model.source import Function
from uaccel.model.steps import Fault, Step
from uaccel.windows import Window

_GOTO = re.compile(r"goto (\w+);")
_CONSTANT = re.compile(r"return -?(?:[A-Z][A-Z0-9_]*|\d+|true|false|NULL);")
_CAUGHT = re.compile(r"\b(?:break|continue)\b")
_CLEANUP = re.compile(rb"\b(?:guard|scoped_guard|scoped_class|CLASS|__free|__cleanup)\s*\(")
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|el|endif)", re.MULTILINE)


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
    for fault, label in _landed(made):
        if _entry(made, fault) is None and not _lands_at_end(made, fault):
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
    quote = made.ground.function.source.quote
    steps = made.stretch.steps
    every = [(step, access) for step in steps for access in step.accesses if not access.copies]
    values = [
        (quote(a.value), a) for s, a in every if not (_may_miss(s, a) and _has_value(made, a))
    ]
    # What an inner block declares is gone with it.
    seen = [value for value, a in values if not made.stretch.loses(value, a.call)]
    return [f"{value} = 0;" for value in dict.fromkeys(seen) if value.isidentifier()]


def _may_miss(step: Step, access: Access) -> bool:
    # Whether it is only made when those before it went well.
    return step.guarded or not (step.each or access == step.accesses[0])


def _has_value(made: Window, access: Access) -> bool:
    # What is read only after all went well before has kept what it was declared with.
    function = made.ground.function
    above = function.source.quote(Span(function.body.start, made.stretch.extent.start))
    value = re.escape(function.source.quote(access.value))
    return re.search(rf"^[ \t]+(?:\w+ )+{value} = [^;,]*;", above, re.MULTILINE) is not None


def landing(made: Window, end: str) -> list[Edit]:
    """Return the edits that put labels where only a jump comes: at the end, or before another."""
    function = made.ground.function
    edits: list[Edit] = []
    lines: list[str] = []
    for fault, label in _landed(made):
        at = _entry(made, fault)
        if at is not None:
            edits.append(Edit(Span(at, at), "\n".join((f"{label}:", *_closed(end, TAB), ""))))
        elif _lands_at_end(made, fault):
            lines += ["", f"{label}:", *_closed(end, TAB), *indented(fault.text, TAB)]
    if lines and function.ending is not None:
        at = _after(function, function.ending)
        edits.append(Edit(Span(at, at), "\n" + "\n".join(lines)))
    return edits


def entered(made: Window) -> frozenset[str]:
    """Return the labels that a window's landings fall into: no other window's may."""
    jumps = (fault for fault, _ in _landed(made) if _entry(made, fault) is not None)
    return frozenset(fault.text[len("goto ") : -1] for fault in jumps)


def _entry(made: Window, fault: Fault) -> int | None:
    # Where the label stands that a fault jumps to, where only jumps come, a failed begin's too.
    found = _GOTO.fullmatch(fault.text)
    if found is None or fault.text != made.begun or found[1] in made.ground.landed:
        return None
    at = dict(made.ground.function.entries).get(found[1])
    return at if at is not None and _is_open(made, at) else None


def _returns(made: Window) -> bool:
    return ends_with_rest(made.stretch) and made.stretch.steps[-1].returns


def _lands_at_end(made: Window, fault: Fault) -> bool:
    function, stretch = made.ground.function, made.stretch
    if function.ending is None or not fault.leaves or _CAUGHT.search(fault.text):
        return False
    plain = _GOTO.fullmatch(fault.text) or _CONSTANT.fullmatch(fault.text)
    if stretch.indent != TAB and not plain:
        return False  # it may name what an inner block declares
    around = (name for name, known in stretch.inner if not stretch.extent.covers(known))
    if any(re.search(rf"\b{re.escape(name)}\b", fault.text) for name in around):
        return False
    return _is_open(made, function.ending)


def _is_open(made: Window, at: int) -> bool:
    # Whether a jump from the window to `at` neither leaves nor enters the scope of a variable with
    # a clean-up: that would run while the window is open.
    stretch, end = made.stretch, made.stretch.extent.end
    if stretch.cleanup and not (stretch.before_return or _returns(made)):
        return False
    between = made.ground.function.source.text[end:at]
    return at >= end and _CLEANUP.search(between) is None and not _is_conditional(between)


def _is_conditional(between: bytes) -> bool:
    # Whether an #if ends there that began before: what jumps may not be compiled.
    depth = 0
    for word in _CONDITION.findall(between):
        depth += (word == b"if") - (word == b"endif")
        if depth < 0 or (not depth and word == b"el"):
            return True
    return False


def _after(function: Function, end: int) -> int:
    # A comment that ends the line of a statement belongs to it.
    rest = function.source.text[end:].partition(b"\n")[0].rstrip(b"\r")
    return end + (len(rest) if COMMENT.fullmatch(rest) else 0)
