# SPDX-License-Identifier: GPL-2.0-only
"""The windows in a function's text as plain stretches: begin, accesses, ends, labels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from uaccel.model.source import Span

_CALL = re.compile(
    r"\b(unsafe_(?:get|put)_user|unsafe_copy_(?:to|from)_user|user_(?:read_|write_)?access_(?:begin|end))\("
)
_SCALAR = ("unsafe_put_user", "unsafe_get_user")
_LABELLED = re.compile(r"\b(\w+):\s*\Z")
_BARE = ";{}:/"  # what stands before a statement that no `if` or loop has to itself


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the words of a window; offsets count from the start of the text."""

    name: str
    span: Span  # from its name to the closing parenthesis
    statement: Span  # with the semicolon
    arguments: tuple[Span, ...]
    bare: bool  # a statement can be put before it

    @property
    def scalar(self) -> bool:
        """Return whether it moves one value."""
        return self.name in _SCALAR


@dataclass(frozen=True, slots=True)
class Frame:
    """One window; a text that is not in the shape of a style has none."""

    begin: Call
    test: Span  # from `if` to the end of what is done when it could not begin
    leave: Span  # what is then done
    negation: int  # offset of the `!`
    accesses: tuple[Call, ...]
    end: Call | None  # where all went well
    fault: Call | None  # behind the label
    label: str  # that a fault jumps to
    others: tuple[str, ...]  # labels of the function's other windows


def frames(text: str) -> tuple[Frame, ...]:
    """Return the windows of the function `text`, in its order."""
    calls = tuple(_calls(text))
    starts = [at for at, one in enumerate(calls) if one.name.endswith("begin")]
    ends = tuple(one for one in calls if one.name.endswith("end"))
    found = []
    for number, at in enumerate(starts):
        behind = starts[number + 1] if number + 1 < len(starts) else len(calls)
        made = _frame(text, calls[at], calls[at + 1 : behind], ends)
        found += [made] if made is not None else []
    labels = dict.fromkeys(one.label for one in found)
    return tuple(
        replace(one, others=tuple(label for label in labels if label != one.label)) for one in found
    )


def closing(text: str, at: int) -> int:
    """Return the offset behind the bracket that closes the one at `at`; -1 without one."""
    depth = 0
    for here in range(at, len(text)):
        depth += (text[here] in "({[") - (text[here] in ")}]")
        if not depth:
            return here + 1
    return -1


def _calls(text: str) -> Iterator[Call]:
    for found in _CALL.finditer(text):
        end = closing(text, found.end() - 1)
        if end < 0:
            continue
        semicolon = text.find(";", end)
        before = text[: found.start()].rstrip()[-1:]
        yield Call(
            name=found[1],
            span=Span(found.start(), end),
            statement=Span(found.start(), semicolon + 1),
            arguments=tuple(_arguments(text, found.end(), end - 1)),
            bare=before in _BARE and not text[end:semicolon].strip(),
        )


def _arguments(text: str, start: int, end: int) -> Iterator[Span]:
    at = start
    while at < end:
        if text[at] in "({[":
            at = closing(text, at)
            continue
        if text[at] == ",":
            yield _stripped(text, start, at)
            start = at + 1
        at += 1
    if text[start:end].strip():
        yield _stripped(text, start, end)


def _stripped(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    first = start + len(part) - len(part.lstrip())
    return Span(first, first + len(part.strip()))


def _frame(
    text: str, begin: Call, within: tuple[Call, ...], ends: tuple[Call, ...]
) -> Frame | None:
    head = re.search(r"\bif \(!\Z", text[: begin.span.start])
    accesses = tuple(one for one in within if one.name.startswith("unsafe_"))
    if head is None or not accesses or text[begin.span.end : begin.span.end + 1] != ")":
        return None
    leave = _statement(text, begin.span.end + 1)
    label = text[accesses[-1].arguments[-1].start : accesses[-1].arguments[-1].end]
    labelled = {one: _LABELLED.search(text[: one.span.start]) for one in ends}
    behind = (one for one, found in labelled.items() if found and found[1] == label)
    well = (
        one
        for one, found in labelled.items()
        if not found and one in within and one.span.start > accesses[-1].span.start
    )
    return Frame(
        begin=begin,
        test=Span(head.start(), leave.end),
        leave=leave,
        negation=begin.span.start - 1,
        accesses=accesses,
        end=next(well, None),
        fault=next(behind, None),
        label=label,
        others=(),
    )


def _statement(text: str, at: int) -> Span:
    start = at + len(text[at:]) - len(text[at:].lstrip())
    end = closing(text, start) if text[start] == "{" else text.find(";", start) + 1
    return Span(start, end)
