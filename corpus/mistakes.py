# SPDX-License-Identifier: GPL-2.0-only
"""The mistakes people made when they wrote windows, made again in a function's text.

Each takes a window that is right and yields edits that make it wrong; what comes out is C that
should compile, so that not the compiler alone must notice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpus.frames import Call, Frame, frames
from uaccel.edits import apply
from uaccel.model.rewrite import Edit
from uaccel.model.source import Span

_NOTHING = "(void)0;"
_CALLS = "extern int uaccel_mutant_call(void); uaccel_mutant_call();"
_AWAY = "mutant_away"
_PUT = "unsafe_put_user"
_OTHER = {
    "user_read_access": "user_write_access",
    "user_write_access": "user_read_access",
    "user_access": "user_read_access",
}
Edits = tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with one mistake in it."""

    mistake: str
    text: str
    line: int  # of the first change, counted from 0 at the function's first line


@dataclass(frozen=True, slots=True)
class Mistake:
    """What somebody did wrong once, or could have."""

    name: str
    makes: Callable[[str, Frame], Iterator[Edits]]


def mutants(text: str, mistakes: Sequence[Mistake] | None = None) -> tuple[Mutant, ...]:
    """Return every mutant of the function `text`, no text twice, none that is the original.

    They make `mistakes`: those of this file where none are named.
    """
    if not text.isascii():  # an offset in the text must be one in its bytes
        return ()
    seen = {text}
    found = []
    for mistake in MISTAKES if mistakes is None else mistakes:
        for frame in frames(text):
            for edits in mistake.makes(text, frame):
                made = apply(text.encode(), edits).decode()
                if made not in seen:
                    seen.add(made)
                    found.append(Mutant(mistake.name, made, _line(text, made)))
    return tuple(found)


def _line(text: str, made: str) -> int:
    same = next((n for n, (a, b) in enumerate(zip(text, made, strict=False)) if a != b), 0)
    return text.count("\n", 0, same)


def quote(text: str, span: Span) -> str:
    """Return the part of `text` at `span`."""
    return text[span.start : span.end]


def insertion(at: int, words: str) -> Edit:
    """Return the edit that puts `words` at an offset."""
    return Edit(Span(at, at), words)


def _exchanged(text: str, one: Span, other: Span) -> Edits:
    return Edit(one, quote(text, other)), Edit(other, quote(text, one))


def _scalars(frame: Frame) -> tuple[Call, ...]:
    return tuple(one for one in frame.accesses if one.scalar)


def _puts(frame: Frame) -> tuple[Call, ...]:
    return tuple(one for one in frame.accesses if one.name == _PUT)


def _pairs(frame: Frame) -> Iterator[tuple[Call, Call]]:
    return ((a, b) for a, b in pairwise(_scalars(frame)) if a.name == b.name)


def _swapped_values(text: str, frame: Frame) -> Iterator[Edits]:
    for a, b in _pairs(frame):
        yield _exchanged(text, a.arguments[0], b.arguments[0])


def _swapped_pointers(text: str, frame: Frame) -> Iterator[Edits]:
    # Of two neighbours that is the same as swapped values, but for the order.
    some = _scalars(frame)
    for a, b in zip(some, some[2:] or some[1:], strict=False):
        if a.name == b.name:
            yield _exchanged(text, a.arguments[1], b.arguments[1])


def _dropped(_text: str, frame: Frame) -> Iterator[Edits]:
    for one in frame.accesses:
        yield (Edit(one.statement, _NOTHING),)


def _wrong_width(text: str, frame: Frame) -> Iterator[Edits]:
    for one in _scalars(frame):
        pointer = one.arguments[1]
        for kind in ("u8", "u64", "u16"):
            yield (Edit(pointer, f"({kind} __user *)({quote(text, pointer)})"),)


def _wrong_value(text: str, frame: Frame) -> Iterator[Edits]:
    some = _puts(frame)
    for number, one in enumerate(some):
        value = one.arguments[0]
        yield (Edit(value, f"({quote(text, value)}) + 1"),)
        yield (Edit(value, quote(text, some[number - 1].arguments[0])),)


def _open_at_success(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.end is not None:
        yield (Edit(frame.end.statement, _NOTHING),)


def _open_at_fault(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.fault is not None:
        yield (Edit(frame.fault.statement, _NOTHING),)


def _ends(frame: Frame) -> tuple[Call, ...]:
    return tuple(one for one in (frame.end, frame.fault) if one is not None)


def _end_twice(text: str, frame: Frame) -> Iterator[Edits]:
    for end in _ends(frame):
        yield (insertion(end.span.start, f"{quote(text, end.statement)} "),)


def _early_end(text: str, frame: Frame) -> Iterator[Edits]:
    last = frame.accesses[-1]
    if frame.end is not None and last.bare:
        early = insertion(last.span.start, f"{quote(text, frame.end.statement)} ")
        yield early, Edit(frame.end.statement, _NOTHING)


def _wrong_label(text: str, frame: Frame) -> Iterator[Edits]:
    leave = quote(text, frame.leave)
    goto = re.fullmatch(r"goto (\w+);", leave)
    for one in frame.accesses:
        if goto is not None:
            yield (Edit(one.arguments[-1], goto[1]),)
        elif re.search(r"\b(?:return|goto)\b[^;]*;\s*\}?\Z", leave):
            last = insertion(text.rindex("}"), f"{_AWAY}:\n\t{leave}\n")
            yield Edit(one.arguments[-1], _AWAY), last
        for label in frame.others:
            yield (Edit(one.arguments[-1], label),)


def _renamed(call: Call, words: str) -> Edit:
    kind = "begin" if call.name.endswith("begin") else "end"
    return Edit(Span(call.span.start, call.span.start + len(call.name)), f"{words}_{kind}")


def _wrong_mode(_text: str, frame: Frame) -> Iterator[Edits]:
    mode = frame.begin.name.removesuffix("_begin")
    yield tuple(_renamed(one, _OTHER[mode]) for one in (frame.begin, *_ends(frame)))
    yield (_renamed(frame.begin, _OTHER[mode]),)


def _other_end(_text: str, frame: Frame) -> Iterator[Edits]:
    mode = frame.begin.name.removesuffix("_begin")
    for end in _ends(frame):
        yield (_renamed(end, _OTHER[mode]),)
    if mode != "user_access":
        yield (_renamed(frame.begin, "user_access"),)


def _inverted(_text: str, frame: Frame) -> Iterator[Edits]:
    yield (Edit(Span(frame.negation, frame.negation + 1), ""),)


def _ignored(text: str, frame: Frame) -> Iterator[Edits]:
    yield (Edit(frame.leave, _NOTHING),)
    yield (Edit(frame.test, f"{quote(text, frame.begin.span)};"),)


def _lost_begin(_text: str, frame: Frame) -> Iterator[Edits]:
    yield (Edit(frame.test, _NOTHING),)


def _late_begin(text: str, frame: Frame) -> Iterator[Edits]:
    first = frame.accesses[0]
    if first.bare and not text[frame.test.end : first.span.start].strip():
        moved = insertion(frame.test.start, f"{quote(text, first.statement)} ")
        yield moved, Edit(first.statement, _NOTHING)


def _closed_unopened(_text: str, frame: Frame) -> Iterator[Edits]:
    if frame.fault is not None:
        yield (Edit(frame.leave, f"goto {frame.label};"),)


def _window_in_window(text: str, frame: Frame) -> Iterator[Edits]:
    for one in frame.accesses[1:]:
        if one.bare:
            begin = quote(text, frame.begin.span)
            yield (insertion(one.span.start, f"if (!{begin})\n\t\tgoto {frame.label};\n\t"),)


def _range_of_pointer(text: str, frame: Frame) -> Iterator[Edits]:
    size = frame.begin.arguments[1]
    starred = re.fullmatch(r"sizeof\(\*(.+)\)", quote(text, size))
    if starred is not None:
        yield (Edit(size, f"sizeof({starred[1]})"),)


def _range_too_small(text: str, frame: Frame) -> Iterator[Edits]:
    size = frame.begin.arguments[1]
    yield (Edit(size, "1"),)
    for one in _scalars(frame)[:1]:
        yield (Edit(size, f"sizeof(*({quote(text, one.arguments[1])}))"),)


def _range_lost(_text: str, frame: Frame) -> Iterator[Edits]:
    yield (Edit(frame.begin.arguments[0], "(void __user *)0"),)


def _call_within(text: str, frame: Frame) -> Iterator[Edits]:
    for one in frame.accesses[1:]:
        if one.bare:
            yield (insertion(one.span.start, f"{{ {_CALLS} }} "),)
    for one in _puts(frame):
        value = one.arguments[0]
        yield (Edit(value, f"({quote(text, value)}) + ({{ {_CALLS} }})"),)


def _ordinary(text: str, frame: Frame) -> Iterator[Edits]:
    for one in _scalars(frame):
        if one.bare:
            name = one.name.removeprefix("unsafe_")
            what, pointer = (quote(text, span) for span in one.arguments[:2])
            yield (Edit(one.statement, f"if ({name}({what}, {pointer}))\n\t\tgoto {frame.label};"),)


def _other_order(text: str, frame: Frame) -> Iterator[Edits]:
    # The order in which a window reads into variables of the kernel nobody can see.
    for a, b in pairwise(frame.accesses):
        puts = a.name == b.name == _PUT and a.bare and b.bare
        if puts and not text[a.statement.end : b.statement.start].strip():
            yield _exchanged(text, a.statement, b.statement)


def _write_beyond(text: str, frame: Frame) -> Iterator[Edits]:
    for one in reversed(_puts(frame)):
        if not one.bare:
            continue
        value, pointer, label = (quote(text, span) for span in one.arguments)
        byte = f" {_PUT}(0, (u8 __user *)(({pointer}) + 1), {label});"
        yield (insertion(one.statement.end, byte),)
        yield (insertion(one.statement.end, f" {_PUT}({value}, ({pointer}) + 1, {label});"),)


def _lost_fault(text: str, frame: Frame) -> Iterator[Edits]:
    yield from _no_fault(text, frame.leave)
    if frame.fault is not None:
        left = re.compile(r"\b(?:return|goto)\b[^;]*;").search(text, frame.fault.statement.end)
        yield from _no_fault(text, Span(frame.fault.statement.end, left.end() if left else 0))


def _no_fault(text: str, where: Span) -> Iterator[Edits]:
    at = text.find("-EFAULT", where.start, where.end)
    if at >= 0:
        yield (Edit(Span(at, at + len("-EFAULT")), "0"),)


MISTAKES = (
    Mistake("swapped values", _swapped_values),
    Mistake("swapped pointers", _swapped_pointers),
    Mistake("dropped access", _dropped),
    Mistake("wrong width", _wrong_width),
    Mistake("wrong value", _wrong_value),
    Mistake("no end where all went well", _open_at_success),
    Mistake("no end where it faulted", _open_at_fault),
    Mistake("end twice", _end_twice),
    Mistake("end before the last access", _early_end),
    Mistake("wrong label", _wrong_label),
    Mistake("wrong mode", _wrong_mode),
    Mistake("end of another mode", _other_end),
    Mistake("begin inverted", _inverted),
    Mistake("begin ignored", _ignored),
    Mistake("no begin", _lost_begin),
    Mistake("access before the begin", _late_begin),
    Mistake("closed although begin failed", _closed_unopened),
    Mistake("window in a window", _window_in_window),
    Mistake("range of the pointer", _range_of_pointer),
    Mistake("range too small", _range_too_small),
    Mistake("range of nothing", _range_lost),
    Mistake("call in the window", _call_within),
    Mistake("ordinary accessor", _ordinary),
    Mistake("other order", _other_order),
    Mistake("write beyond", _write_beyond),
    Mistake("fault returns 0", _lost_fault),
)
