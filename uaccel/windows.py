# SPDX-License-Identifier: GPL-2.0-only
"""Write a stretch of statements as one window: what the styles with a window share.

Every statement stays where it stands.  An access becomes its unsafe form, which jumps to a label
when it fails; what leaves the stretch on another way closes the window first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from uaccel.ctext import address, call, one_line, wrap
from uaccel.fields import Scalar, Whole, declared, scalars
from uaccel.hoists import Hoists, hoists, pointed
from uaccel.model.access import Access, Direction, Span
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit
from uaccel.model.source import Function, Layouts, Source
from uaccel.model.steps import Fault, Piece, Step, Stretch
from uaccel.ranges import Ranges, ranges

TAB = "\t"
WORDS = {Direction.READ: "read", Direction.WRITE: "write"}
UNSAFE = {Direction.READ: "unsafe_get_user", Direction.WRITE: "unsafe_put_user"}
COPY = {Direction.READ: "unsafe_copy_from_user", Direction.WRITE: "unsafe_copy_to_user"}
FEW = "one access alone is left when those are taken away that no window can hold"
NO_COPY = "an architecture of this tree has no `{copy}()`, and {why}"
CLEANUP = (
    "a variable with a clean-up is in scope, and the oldest clang that compiles this tree "
    "refuses asm goto there"
)
COMMENT = re.compile(rb"[ \t]*(?://.*|/\*(?:(?!\*/).)*\*/[ \t]*)")
_ELSE = re.compile(rb"\s*(?=else\b)")
_FIXED_CLANG = (17,)  # include/linux/compiler-clang.h of 7.3 asks for it; before, no asm goto there


@dataclass(frozen=True, slots=True)
class Ground:
    """What a window is written from."""

    function: Function
    stretch: Stretch
    layouts: tuple[Layouts, ...]
    dialect: Dialect
    taken: frozenset[str]  # names that no new label or variable may have


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch that a window can hold, with all that is decided about it."""

    ground: Ground
    direction: Direction
    ranges: Ranges
    hoists: Hoists
    scalars: tuple[tuple[Access, tuple[Scalar, ...]], ...]  # a copy may be several
    labels: tuple[tuple[Fault, str], ...]
    failed: str  # label for when the window did not open, and the fault goes on; "" for none

    @property
    def stretch(self) -> Stretch:
        """Return the statements that it holds."""
        return self.ground.stretch

    @property
    def names(self) -> frozenset[str]:
        """Return the names that it introduces."""
        return frozenset((*self.hoists.names, self.failed, *(name for _, name in self.labels)))

    def label(self, fault: Fault) -> str:
        """Return the label that a fault jumps to."""
        return dict(self.labels)[fault]

    def transfers(self, access: Access) -> tuple[Scalar, ...]:
        """Return the scalars that stand for an access; none for a copy that stays one."""
        return next((made for one, made in self.scalars if one == access), ())


def windows(
    ground: Ground, word: str, reason_against: Callable[[Window], str | None]
) -> tuple[Window, ...] | str:
    """Return the windows over a stretch: one over all of it, else over those parts that can be.

    One sentence when there is none; only what makes two accesses or more is worth a window.
    """
    whole = window(ground, word)
    if isinstance(whole, Window) and not _is_worth(whole):
        whole = FEW
    if isinstance(whole, Window):
        why = reason_against(whole)
        if why is None:
            return (whole,)
        whole = why
    found: list[Window] = []
    taken = set(ground.taken)
    for part in ground.stretch.parts:
        narrower = replace(ground, stretch=part, taken=frozenset(taken))
        made = windows(narrower, word, reason_against)
        if isinstance(made, str):
            continue
        for one in made:
            if not any(_overlap(one.stretch.extent, other.stretch.extent) for other in found):
                found.append(one)
                taken |= one.names
    return tuple(found) if found else whole


def _is_worth(made: Window) -> bool:
    # A copy that is taken apart makes several accesses.
    transfers = sum(max(len(parts), 1) for _, parts in made.scalars)
    return transfers > 1 or any(step.looped for step in made.stretch.steps)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def window(ground: Ground, word: str) -> Window | str:
    """Return what a window over a stretch needs, or one sentence why it cannot be.

    `word` starts the names of its labels.
    """
    stretch = ground.stretch
    if stretch.why is not None:
        return stretch.why
    if stretch.cleanup and ground.dialect.clang < _FIXED_CLANG:
        return CLEANUP
    parts: list[tuple[Access, tuple[Scalar, ...]]] = []
    for access in stretch.accesses:
        made = _transfers(ground, access)
        if isinstance(made, str):
            return made
        parts.append((access, made))
    covered = ranges(ground.function, stretch)
    if isinstance(covered, str):
        return covered
    moved = hoists(ground.function, stretch, ground.taken)
    if isinstance(moved, str):
        return moved
    taken = set(ground.taken) | set(moved.names)
    labels: list[tuple[Fault, str]] = []
    for step in stretch.steps:
        if step.fault not in dict(labels):
            labels.append((step.fault, fresh(f"{word}_fault", taken)))
    falls = any(not fault.leaves for fault, _ in labels)
    failed = fresh(f"{word}_failed", taken) if falls else ""
    direction = stretch.accesses[0].direction
    return Window(ground, direction, covered, moved, tuple(parts), tuple(labels), failed)


def fresh(name: str, taken: set[str]) -> str:
    """Return `name`, with a number when it is taken; from then on it is."""
    number, made = 2, name
    while made in taken:
        made = f"{name}{number}"
        number += 1
    taken.add(made)
    return made


def _transfers(ground: Ground, access: Access) -> tuple[Scalar, ...] | str:
    made = scalars(ground.function, access, ground.layouts)
    if not isinstance(made, Whole):
        return made
    read = access.direction is Direction.READ
    copies = ground.dialect.copies_from if read else ground.dialect.copies_to
    if copies and not access.accessor.endswith("_inatomic"):
        return ()
    return NO_COPY.format(copy=COPY[access.direction], why=made.why) if not copies else made.why


def named(made: Window) -> Window:
    """Return the window with a variable for its pointer, where that is an expression."""
    begin = made.ranges.begin
    if begin.pointer.isidentifier():
        return made
    taken = made.ground.taken | made.names
    held = pointed(begin.pointer, made.stretch.accesses[0], taken)
    size = begin.size if begin.size.isidentifier() else f"sizeof(*{held.pointer})"
    copies = any(access.copies for access in made.stretch.accesses)
    begin = replace(begin, pointer=held.pointer, size=begin.size if copies else size)
    return replace(
        made, ranges=replace(made.ranges, begin=begin), hoists=Hoists((held, *made.hoists.every))
    )


def accesses(made: Window, step: Step, indent: str, leave: str) -> list[str]:
    """Return the lines of a step within a window; `leave` stands before what leaves it."""
    label = made.label(step.fault)
    lines: list[str] = []
    for piece in step.pieces:
        if piece.access is None:
            lines += [f"{_condition(indent, piece.test)}", f"{indent}\tgoto {label};"]
            continue
        lines += _guarded(indent, piece.test, list(_access(made, piece, label)))
    if step.rest and not (
        step.span == made.stretch.steps[-1].span and ends_with_rest(made.stretch)
    ):
        if step.returns and leave:
            lines.append(f"{indent}{leave}")
        lines += indented(step.rest, indent)
    elif not step.rest and step.sets and _is_read_among(made, step.variable):
        lines.append(f"{indent}{step.variable} = 0;")
    return lines


def ends_with_rest(stretch: Stretch) -> bool:
    """Return whether what follows the last step can stand behind the window."""
    last = stretch.steps[-1]
    return bool(last.rest) and last.always and not last.looped and last.header is None


def _is_read_among(made: Window, variable: str) -> bool:
    quote = made.ground.function.source.quote
    word = re.compile(rf"\b{re.escape(variable)}\b")
    return any(word.search(quote(one)) for one in made.stretch.among)


def _guarded(indent: str, test: str, calls: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    if not test:
        return [line for one in calls for line in _statement(indent, one)]
    inner = [line for one in calls for line in _statement(f"{indent}\t", one)]
    if len(calls) == 1 and calls[0][0] != "if":
        return [_condition(indent, test), *inner]
    return [_condition(indent, test, " {"), *inner, f"{indent}}}"]


def _statement(indent: str, one: tuple[str, tuple[str, ...]]) -> list[str]:
    name, arguments = one
    if name == "if":
        return [_condition(indent, arguments[0]), f"{indent}\tgoto {arguments[1]};"]
    if name == ";":
        return [f"{indent}{arguments[0]};"]
    return [call(indent, name, arguments)]


def _condition(indent: str, test: str, tail: str = "") -> str:
    lines = [line.strip() for line in test.split("\n")]
    return wrap(f"{indent}if (", tuple(lines), f"){tail}")


def _access(made: Window, piece: Piece, label: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    access = piece.access
    assert access is not None
    function = made.ground.function
    check = dict(made.ranges.within).get(access)
    if check is not None:
        yield "if", (f"!{check.check()}", label)
    value = made.hoists.name(access) or function.source.quote(access.value)
    pointer = address(function.source.quote(access.pointer))
    steps = re.fullmatch(r"(\w+)\+\+", pointer)
    pointer = steps[1] if steps is not None else pointer
    held = made.hoists.pointer
    if held is not None and held.before == f"{held.pointer} = {pointer};":
        pointer = held.pointer
    pointer = made.hoists.pointer_of(access) or pointer
    parts = made.transfers(access)
    if not parts:
        size = one_line(function.source.quote(access.size)) if access.size is not None else ""
        ends = _untyped(function, access, pointer, value)
        yield COPY[access.direction], (*ends, size, label)
    elif access.copies:
        for part in parts:
            yield UNSAFE[access.direction], (part.value, address(part.pointer), label)
    else:
        yield UNSAFE[access.direction], (value, pointer, label)
    if steps is not None:
        yield ";", (f"{steps[1]}++",)


def _untyped(function: Function, access: Access, user: str, kernel: str) -> tuple[str, str]:
    # The copies of some architectures go through `char *`: arch/x86/include/asm/uaccess.h.
    known = declared(function)

    def plain(name: str) -> bool:
        found = known.get(name)
        return (
            found is not None and found.type in ("void", "char") and (found.pointer or found.array)
        )

    user = user if plain(user) or user.startswith("(void __user *)") else f"(void __user *){user}"
    kernel = kernel if plain(kernel) or kernel.startswith("(void *)") else f"(void *){kernel}"
    return (user, kernel) if access.direction is Direction.WRITE else (kernel, user)


def checks(made: Window) -> list[str]:
    """Return the range checks before a window opens, those that its own do not make."""
    known = {f"!{one.check()}" for one in (made.ranges.begin, *made.ranges.before)}
    first = (one_line(text) for text in made.stretch.steps[0].checks)
    return [
        *(text for text in first if text not in known),
        *(f"!{one.check()}" for one in made.ranges.before),
    ]


def indented(text: str, indent: str) -> list[str]:
    """Return the lines of C `text` behind `indent`; labels and blank lines stay at the margin."""
    return [f"{indent}{line}" if line.strip() else "" for line in text.split("\n")]


def branch(indent: str, condition: str, fault: str, word: str = "") -> list[str]:
    """Return `if (condition)` with a fault's statements below, in braces when they are several."""
    head = _condition(f"{indent}{word}", condition)
    if _is_one(fault):
        return [head, *indented(fault, f"{indent}\t")]
    return [f"{head} {{", *indented(fault, f"{indent}\t"), f"{indent}}}"]


def _is_one(text: str) -> bool:
    return re.fullmatch(r"(?:return\b|goto\b|break\b|continue\b)?[^;{}\n]*;", text) is not None


def replaced(source: Source, step: Step, lines: list[str]) -> list[Edit]:
    """Return the edits that put `lines` where a step stands, in braces where it stood alone."""
    text = "\n".join(lines).removeprefix(step.indent)
    if step.header is None or len(lines) == 1:
        return [Edit(step.span, text)]
    outer = step.indent.removesuffix("\t")
    # An `else` that follows stands on the line of the closing brace.
    rest = source.text[step.span.end :]
    other = _ELSE.match(rest)
    here = Span(step.span.start, step.span.end + (other.end() if other is not None else 0))
    blank = " " if other is not None else ""
    return [
        Edit(Span(step.header, step.header), " {"),
        Edit(here, f"{text}\n{outer}}}{blank}"),
    ]


def closings(made: Window, end: str) -> list[Edit]:
    """Return the edits that close the window where control leaves the stretch without a fault."""
    edits: list[Edit] = []
    for leave in made.stretch.leaves:
        edits.append(Edit(Span(leave.at, leave.at), f"{end}\n{leave.indent}"))
        if leave.header is not None:
            outer = leave.indent.removesuffix("\t")
            edits.append(Edit(Span(leave.header, leave.header), " {"))
            if leave.end != made.stretch.extent.end:  # else around() writes it
                edits.append(Edit(Span(leave.end, leave.end), f"\n{outer}}}"))
    return edits


def _margin(function: Function, at: int) -> str:
    text = function.source.text
    line = text[text.rfind(b"\n", 0, at) + 1 : at].decode(errors="surrogateescape")
    return line[: len(line) - len(line.lstrip())]


def _tail(function: Function, end: int, tail: str, tab: str) -> Edit:
    # A comment that ends the line of a statement belongs to it; another statement gets a line.
    rest = function.source.text[end:].partition(b"\n")[0].rstrip(b"\r")
    if COMMENT.fullmatch(rest):
        return Edit(Span(end + len(rest), end + len(rest)), tail)
    blanks = len(rest) - len(rest.lstrip())
    if tail and not rest.strip():
        return Edit(Span(end, end + blanks), tail)
    if not tail or not tab:
        return Edit(Span(end, end), tail)
    return Edit(Span(end, end + blanks), f"{tail}\n{tab}")


def around(made: Window, before: list[str], behind: list[str], inner: str = "") -> list[Edit]:
    """Return the edits that put lines before the first and behind the last statement.

    `inner` is the further indentation of the first statement.
    """
    stretch = made.stretch
    tab, start, end = stretch.indent, stretch.extent.start, stretch.extent.end
    opening, closing = stretch.steps[0].opening, stretch.steps[-1].closing
    head = [f"{tab}{one.before}" for one in made.hoists.every if one.before] + before
    text = "\n".join(head).removeprefix("" if opening else tab)
    text = f"{opening}\n{text}\n{tab}{inner}" if opening else f"{text}\n{tab}{inner}"
    edits = [Edit(Span(start, start), text)]
    ending = (one for one in stretch.leaves if one.end == end and one.header is not None)
    tail = "".join(f"\n{one.indent.removesuffix(TAB)}}}" for one in ending)
    tail += "".join(f"\n{line}" for line in behind)
    if closing:
        tail = f"{tail}\n{tab}{closing}"
    if stretch.header is not None:
        outer = tab.removesuffix("\t")
        edits.append(Edit(Span(stretch.header, stretch.header), " {"))
        tail = f"{tail}\n{outer}}}"
    edits.append(_tail(made.ground.function, end, tail, "" if closing else tab))
    at = stretch.declare
    inner = _margin(made.ground.function, at) + ("\t" if stretch.first else "")
    declared = "".join(f"\n{inner}{one.declaration}" for one in made.hoists.every)
    if declared:
        edits.append(Edit(Span(at, at), declared + ("\n" if stretch.first else "")))
    return edits
