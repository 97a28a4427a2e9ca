# SPDX-License-Identifier: GPL-2.0-only
"""More mistakes: ways through a function on which a window is opened and closed unequally often.

Those of mistakes.py are what people did; these are what objtool follows besides.  They are not
among `MISTAKES`, so that the mutants that corpus/mutants.py chooses stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.frames import Frame
from corpus.mistakes import Edits, Mistake, insertion, quote
from uaccel.model.rewrite import Edit
from uaccel.model.source import Span

_SOMETIMES = "extern int uaccel_mutant_flag; if (uaccel_mutant_flag)"
_HOOK = "extern void (*uaccel_mutant_hook)(void); uaccel_mutant_hook();"
_PAST = "mutant_past"


def _inner(frame: Frame) -> Iterator[int]:
    # Where a statement may stand with the window open, a first access behind it.
    yield from (one.span.start for one in frame.accesses[1:] if one.bare)


def _left(text: str, frame: Frame) -> re.Match[str] | None:
    return re.search(r"\b(?:return|goto)\b[^;]*;", quote(text, frame.leave))


def _left_open(text: str, frame: Frame) -> Iterator[Edits]:
    away = _left(text, frame)
    for at in _inner(frame):
        if away is not None:
            yield (insertion(at, f"{{ {_SOMETIMES} {away[0]} }} "),)


def _past_the_end(_text: str, frame: Frame) -> Iterator[Edits]:
    for at in _inner(frame):
        if frame.end is not None and frame.end.bare:
            jump = insertion(at, f"{{ {_SOMETIMES} goto {_PAST}; }} ")
            yield jump, insertion(frame.end.statement.end, f" {_PAST}:;")


def _sometimes_closed(text: str, frame: Frame) -> Iterator[Edits]:
    for end in (frame.end, frame.fault):
        if end is not None:
            closed = quote(text, end.statement)
            yield (Edit(end.statement, f"{{ {_SOMETIMES} {closed} }}"),)


def _sometimes_opened(text: str, frame: Frame) -> Iterator[Edits]:
    opened = quote(text, frame.test)
    yield (Edit(frame.test, f"{{ {_SOMETIMES} {{ {opened} }} }}"),)


def _closed_between(text: str, frame: Frame) -> Iterator[Edits]:
    for at in _inner(frame):
        if frame.end is not None:
            yield (insertion(at, f"{quote(text, frame.end.statement)} "),)


def _sometimes_closed_between(text: str, frame: Frame) -> Iterator[Edits]:
    for at in _inner(frame):
        if frame.end is not None:
            closed = quote(text, frame.end.statement)
            yield (insertion(at, f"{{ {_SOMETIMES} {closed} }} "),)


def _access_after(text: str, frame: Frame) -> Iterator[Edits]:
    last = frame.accesses[-1]
    if frame.end is not None and frame.end.bare and last.bare:
        again = f" {quote(text, last.statement)}"
        yield (insertion(frame.end.statement.end, again),)


def _fallen_through(text: str, frame: Frame) -> Iterator[Edits]:
    # The way on behind the end leads to the end behind the label.
    if frame.end is None or frame.fault is None:
        return
    between = Span(frame.end.statement.end, frame.fault.span.start)
    left = re.search(
        rf"\b(?:return|goto)\b[^;{{}}]*;(?=\s*{frame.label}:\s*\Z)", quote(text, between)
    )
    if left is not None:
        yield (Edit(Span(between.start + left.start(), between.start + left.end()), "(void)0;"),)


def _jumped_after(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.end is not None and frame.end.bare and frame.fault is not None:
        jump = f" {{ {_SOMETIMES} goto {frame.label}; }}"
        yield (insertion(frame.end.statement.end, jump),)


def _jumped_before(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.fault is not None:
        yield (insertion(frame.test.start, f"{{ {_SOMETIMES} goto {frame.label}; }} "),)


def _end_unopened(text: str, frame: Frame) -> Iterator[Edits]:
    end = frame.end or frame.fault
    if end is not None:
        yield (Edit(frame.leave, f"{{ {quote(text, end.statement)} {quote(text, frame.leave)} }}"),)


def _begin_twice(text: str, frame: Frame) -> Iterator[Edits]:
    yield (insertion(frame.test.end, f" {quote(text, frame.test)}"),)


def _begin_again(text: str, frame: Frame) -> Iterator[Edits]:
    # Its own end is there, the one around it is closed by that.
    for at in _inner(frame):
        if frame.end is not None:
            inner = f"{quote(text, frame.test)} {quote(text, frame.end.statement)} "
            yield (insertion(at, inner),)


def _loop_left(text: str, frame: Frame) -> Iterator[Edits]:
    around = re.search(r"\b(?:for|while|do)\b", text[: frame.test.start])
    for at in _inner(frame):
        for away in ("break", "continue") if around is not None else ():
            yield (insertion(at, f"{{ {_SOMETIMES} {away}; }} "),)


def _print_within(_text: str, frame: Frame) -> Iterator[Edits]:
    for at in _inner(frame):
        yield (insertion(at, 'printk(KERN_DEBUG "mutant\\n"); '),)


def _hook_within(_text: str, frame: Frame) -> Iterator[Edits]:
    for at in _inner(frame):
        yield (insertion(at, f"{{ {_HOOK} }} "),)


def _call_at_fault(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.fault is not None:
        yield (insertion(frame.fault.span.start, f"{{ {_HOOK} }} "),)


BALANCE = (
    Mistake("left with the window open", _left_open),
    Mistake("jump past the end", _past_the_end),
    Mistake("end on some ways only", _sometimes_closed),
    Mistake("begin on some ways only", _sometimes_opened),
    Mistake("end between accesses", _closed_between),
    Mistake("end between accesses on some ways", _sometimes_closed_between),
    Mistake("access after the end", _access_after),
    Mistake("fallen through to the fault's end", _fallen_through),
    Mistake("jump to the fault's end after the end", _jumped_after),
    Mistake("jump to the fault's end before the begin", _jumped_before),
    Mistake("end where begin failed", _end_unopened),
    Mistake("begin twice", _begin_twice),
    Mistake("window within a window, closed", _begin_again),
    Mistake("loop left with the window open", _loop_left),
    Mistake("print in the window", _print_within),
    Mistake("call through a pointer in the window", _hook_within),
    Mistake("call where it faulted", _call_at_fault),
)
