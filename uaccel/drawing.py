# SPDX-License-Identifier: GPL-2.0-only
"""Write the lines and edits of a window that was decided upon.

Every statement stays where it stands.  An access becomes its unsafe form, which jumps to a label
when it fails; what leaves the stretch on another way closes the window first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel import lengths
from uaccel.ctext import address, call, folded, one_line, wrap
from uaccel.fields import declared
from uaccel.model.access import Access, Direction, Span
from uaccel.model.rewrite import Edit
from uaccel.model.source import Function, Source
from uaccel.model.steps import Piece, Step, Stretch
from uaccel.windows import COPY, UNSAFE, Window

TAB = "\t"
COMMENT = re.compile(rb"[ \t]*(?://.*|/\*(?:(?!\*/).)*\*/[ \t]*)")
_OPERAND = re.compile(  # casts, `&`, and what binds closer than a cast
    r"(?:\([\w ]+\*+\) ?)*&?(?:\w|->|\.|\[[^\[\]]*\]|\([^()]*\))+"
)
_BLANKS = re.compile(rb"[ \t]+(?=\n)")
_ELSE = re.compile(rb"\s*(?=else\b)")


def accesses(made: Window, step: Step, indent: str, leave: str) -> list[str]:
    """Return the lines of a step within a window; `leave` stands before what leaves it."""
    label = made.label(step.fault)
    lines: list[str] = []
    for piece in step.pieces:
        if piece.access is None:
            lines += [f"{_condition(indent, piece.test)}", f"{indent}\tgoto {label};"]
            continue
        lines += _guarded(indent, piece.test, list(_access(made, piece, label)))
    if step.comment:
        lines[-1] += f" {step.comment}"
    if step.resets:
        lines.append(f"{indent}{step.variable} = 0;")
    if step.rest and not (
        step.span == made.stretch.steps[-1].span and ends_with_rest(made.stretch)
    ):
        if step.returns and leave:
            lines.append(f"{indent}{leave}")
        lines += indented(step.rest, indent)
    return lines


def ends_with_rest(stretch: Stretch) -> bool:
    """Return whether what follows the last step can stand behind the window."""
    last = stretch.steps[-1]
    if last.span.end < stretch.extent.end:  # a block or loop ends behind it
        return False
    return bool(last.rest) and last.always and not last.looped and last.header is None


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
    made = wrap(f"{indent}if (", tuple(lines), f"){tail}")
    return "\n".join(folded(line) for line in made.split("\n"))


def _access(made: Window, piece: Piece, label: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    access = piece.its_access
    function = made.ground.function
    check = dict(made.ranges.within).get(access)
    if check is not None:
        yield "if", (f"!{check.check()}", label)
        if made.fenced:
            yield ";", ("barrier_nospec()",)
    value = made.hoists.name(access) or function.source.quote(access.value)
    pointer = address(function.source.quote(access.pointer))
    steps = re.fullmatch(r"(\w+)\+\+", pointer)
    pointer = steps[1] if steps is not None else pointer
    pointer = made.pointer(access, pointer)
    parts = made.transfers(access)
    if not parts:
        size = one_line(function.source.quote(access.size)) if access.size is not None else ""
        ends = _untyped(function, access, pointer, value)
        yield COPY[access.direction], (*ends, size, label)
    elif access.copies:
        for part in parts:
            through = made.pointer(access, address(part.pointer))
            yield UNSAFE[access.direction], (part.value, through, label)
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

    user = user if plain(user) else _cast("(void __user *)", user)
    kernel = kernel if plain(kernel) else _cast("(void *)", kernel)
    return (user, kernel) if access.direction is Direction.WRITE else (kernel, user)


def _cast(type_: str, pointer: str) -> str:
    # A cast binds to the first operand of a sum.
    if pointer.startswith(type_):
        return pointer
    return f"{type_}{pointer}" if _OPERAND.fullmatch(pointer) else f"{type_}({pointer})"


def checks(made: Window) -> list[str]:
    """Return the range checks before a window opens, those that its own do not make."""
    known = {f"!{one.check()}" for one in (made.ranges.begin, *made.ranges.before)}
    first = (one_line(text) for text in made.stretch.steps[0].checks)
    return [
        *(text for text in first if text not in known),
        *(f"!{one.check()}" for one in made.ranges.before),
    ]


def checked(made: Window, fault: str) -> list[str]:
    """Return the lines with the range checks before a window; `fault` is what a bad one does."""
    tab = made.stretch.indent
    lines = branch(tab, " ||\n".join(before), fault) if (before := checks(made)) else []
    return lines + [f"{tab}{name} = mask_user_address({name});" for name in made.masked]


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


def _blanks(made: Window) -> list[Edit]:
    # Blanks behind a statement go when its line is written anew; at the end, _tail() sees to it.
    text = made.ground.function.source.text
    ends = {one.span.end for one in made.stretch.steps if not _ELSE.match(text, one.span.end)}
    found = (_BLANKS.match(text, end) for end in ends - {made.stretch.extent.end})
    return [Edit(Span(one.start(), one.end()), "") for one in found if one is not None]


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


def _head(made: Window, opening: str, lines: list[str], inner: str) -> Edit:
    function, tab = made.ground.function, made.stretch.indent
    start, text = made.stretch.extent.start, "\n".join(lines)
    if opening:
        return Edit(Span(start, start), f"{opening}\n{text}\n{tab}{inner}")
    if function.source.text.startswith(b"#", start):  # it keeps its place at the margin
        margin = _margin(function, start)
        return Edit(Span(start - len(margin), start), f"{text}\n{margin}")
    return Edit(Span(start, start), f"{text.removeprefix(tab)}\n{tab}{inner}")


def around(made: Window, before: list[str], behind: list[str], inner: str = "") -> list[Edit]:
    """Return the edits that put lines before the first and behind the last statement.

    `inner` is the further indentation of the first statement.
    """
    stretch = made.stretch
    tab, end = stretch.indent, stretch.extent.end
    opening, closing = stretch.steps[0].opening, stretch.steps[-1].closing
    head = [f"{tab}{one.before}" for one in made.hoists.every if one.before]
    # What stood in a window was no plain copy: whoever opened that saw to the kernel's side.
    looks = () if made.ranges.kept else lengths.checks(made.ground.function, stretch)
    head += [*looks, *before]
    edits = [_head(made, opening, head, inner), *_blanks(made)]
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
    return edits + _declarations(made)


def _declarations(made: Window) -> list[Edit]:
    stretch = made.stretch
    margin = _margin(made.ground.function, stretch.declare) + (TAB if stretch.first else "")
    every = tuple(one.declaration for one in made.hoists.every)
    if not every:
        return []
    if _is_conditional(made.ground.function, stretch):
        every = tuple(f"{one.removesuffix(';')} __maybe_unused;" for one in every)
    declared = "".join(f"\n{margin}{one}" for one in every)
    here = Span(stretch.declare, stretch.declare)
    return [Edit(here, f"{declared}\n" if stretch.first else declared)]


def _is_conditional(function: Function, stretch: Stretch) -> bool:
    # Whether an #if that does not hold the declarations holds the stretch.
    above = function.source.quote(Span(stretch.declare, stretch.extent.start))
    opened, closed = (len(re.findall(rf"^[ \t]*#[ \t]*{w}", above, re.M)) for w in ("if", "endif"))
    return opened > closed
