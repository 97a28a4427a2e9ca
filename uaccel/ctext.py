# SPDX-License-Identifier: GPL-2.0-only
"""Lay C out as the kernel wants it: tabs of eight, lines that end before column 80.

Documentation/process/coding-style.rst, sections 1 and 2: descendants are placed under the
opening parenthesis, with tabs as far as they go and spaces for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

Call = tuple[str, tuple[str, ...]]  # a function and its arguments, as C text

WIDTH = 80  # columns
TAB = 8  # columns
_HEAD = re.compile(r"\s*(?:\} )?(?:else )?(?:if \()?!?\w+\(")
_SUM = re.compile(r"( [-+?:]) (?![^()]*\)(?:[^()]|\([^()]*\))*$)")
_PARENTHESES = re.compile(r"&\s*\(\s*(\w+(?:\s*(?:->|\.)\s*\w+)+)\s*\)$")


def columns(text: str) -> int:
    """Return how many columns `text` takes from the left margin."""
    return len(text.expandtabs(TAB))


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one blank."""
    return " ".join(text.split())


def address(text: str) -> str:
    """Return `text` on one line, `&(p->field)` without the parentheses that checkpatch minds."""
    return _PARENTHESES.sub(r"&\1", one_line(text))


def fresh(name: str, taken: Collection[str]) -> str:
    """Return `name`, with the first number from 2 on that makes it none of those `taken`."""
    number, made = 2, name
    while made in taken:
        made = f"{name}{number}"
        number += 1
    return made


def wrap(head: str, pieces: tuple[str, ...], tail: str, width: int = WIDTH) -> str:
    """Return `head`, the `pieces` joined by blanks, and `tail`, broken before column `width`.

    `head` starts with its indentation and ends with the parenthesis that later lines align to;
    a piece keeps its own comma or operator.
    """
    margin = _margin(columns(head))
    lines = [head + pieces[0]]
    for at, piece in enumerate(pieces[1:], start=1):
        end = tail if at == len(pieces) - 1 else ""
        if columns(f"{lines[-1]} {piece}{end}") <= width:
            lines[-1] += f" {piece}"
        else:
            lines.append(margin + piece)
    return "\n".join(lines) + tail


def call(
    indent: str, name: str, arguments: tuple[str, ...], tail: str = ";", width: int = WIDTH
) -> str:
    """Return the statement `name(arguments);` behind `indent`."""
    given = [one_line(argument) for argument in arguments]
    pieces = (*(f"{argument}," for argument in given[:-1]), given[-1])
    return wrap(f"{indent}{name}(", pieces, f"){tail}", width)


def folded(line: str) -> str:
    """Return a line that starts with a call, or an `if` of one, broken before column 80."""
    head = _HEAD.match(line)
    if head is None or columns(line) <= WIDTH:
        return line
    end = _closing(line, head.end() - 1)
    pieces = [f"{one}," for one in arguments(line[head.end() : end])]
    pieces = [part for one in pieces for part in _SUM.sub(r"\1\n", one).split("\n")]
    pieces[-1] = pieces[-1].removesuffix(",")
    return wrap(head[0], tuple(pieces), line[end:])


def _closing(line: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(line)):
        depth += (line[at] == "(") - (line[at] == ")")
        if not depth:
            return at
    return len(line)


def chain(indent: str, calls: tuple[Call, ...], leave: str) -> str:
    """Return `if (A || B)` and `leave` below it, one call a line, without the first `indent`."""
    (name, arguments), *rest = calls
    lines = [call(f"{indent}if (", name, arguments, "")]
    lines += [call(f"{indent}    ", name, arguments, "") for name, arguments in rest]
    return " ||\n".join(lines).removeprefix(indent) + f")\n{indent}\t{leave}"


def aligned(margin: int, calls: tuple[Call, ...]) -> str:
    """Return `A || B`, one call a line, to stand `margin` columns from the left."""
    lines = [call(_margin(margin), name, arguments, "") for name, arguments in calls]
    return " ||\n".join(lines).removeprefix(_margin(margin))


def arguments(text: str) -> Iterator[str]:
    """Yield the arguments of a call, whose text between parentheses is given."""
    depth = start = 0
    for at, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def _margin(width: int) -> str:
    return "\t" * (width // TAB) + " " * (width % TAB)
