# SPDX-License-Identifier: GPL-2.0-only
"""Take statements out of a text so that its lines look as if they had never stood there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from uaccel.model.scaffold import Cut
from uaccel.model.source import Source, Span

_BLANKS = b" \t\r"
_OWNERS = ("if_statement", "else_clause", "while_statement", "for_statement", "do_statement")


def line_start(text: bytes, at: int) -> int:
    """Return where the line begins that holds the byte at `at`."""
    return text.rfind(b"\n", 0, at) + 1


def indent_at(source: Source, at: int) -> str:
    """Return the white space that begins the line of the byte at `at`."""
    start = line_start(source.text, at)
    line = source.text[start : source.text.find(b"\n", start)]
    return line[: len(line) - len(line.lstrip())].decode()


def starts_line(source: Source, at: int) -> bool:
    """Return whether only white space stands before `at` on its line."""
    return not source.text[line_start(source.text, at) : at].strip()


def whole_lines(source: Source, part: Span) -> Span:
    """Return `part` with its lines' ends when nothing else stands on them, else with its blanks."""
    text = source.text
    start = line_start(text, part.start)
    end = text.find(b"\n", part.end) + 1 or len(text)
    if not text[start : part.start].strip() and not text[part.end : end].strip():
        return Span(start, end)
    before = text[start : part.start]
    return Span(start + len(before.rstrip(_BLANKS)) if before.strip() else part.start, part.end)


def settled(source: Source, cuts: list[Cut]) -> tuple[Cut, ...]:
    """Return `cuts` in order, those within others left out, with the blank lines they leave."""
    ordered = sorted(set(cuts), key=lambda cut: (cut.span.start, -cut.span.end))
    kept: list[Cut] = []
    for cut in ordered:
        last = kept[-1] if kept else None
        if last is not None and cut.span.end <= last.span.end and cut.span.start < last.span.end:
            continue
        if last is not None and not (last.text or cut.text) and last.span.end == cut.span.start:
            kept[-1] = Cut(Span(last.span.start, cut.span.end), "")
        else:
            kept.append(cut)
    return tuple(_without_blank_line(source.text, cut) for cut in kept)


def _without_blank_line(text: bytes, cut: Cut) -> Cut:
    start, end = cut.span.start, cut.span.end
    whole = text[start - 1 : start] == b"\n" and text[end - 1 : end] == b"\n"
    if cut.text or not whole:
        return cut
    above = line_start(text, start - 1)
    below = text.find(b"\n", end) + 1 or len(text)
    before, after = text[above : start - 1].strip(), text[end:below].strip()
    if not before and (not after or after.startswith(b"}")):
        return Cut(Span(above, end), "")
    if not after and before.endswith((b"{", b"*/")):
        return Cut(Span(start, below), "")
    return cut


def dedented(source: Source, body: Span) -> Iterator[Cut]:
    """Yield the first tab of every line that starts in `body`."""
    for found in re.finditer(rb"(?<=\n)\t", source.text[: body.end]):
        if found.start() >= body.start:
            yield Cut(Span(found.start(), found.end()), "")


def is_arm(statement: Node) -> bool:
    """Return whether `statement` stands without braces as a branch or as the body of a loop."""
    parent = statement.parent
    return parent is not None and parent.type in _OWNERS


def braces(source: Source, statement: Node, less: str) -> Iterator[Cut]:
    """Yield the braces that `statement` and the other arm of its `if` need around them.

    `less` is white space that every line there loses.
    """
    owner = statement.parent
    if owner is not None and owner.type == "else_clause":
        owner = owner.parent
    if owner is None:
        return
    indent = indent_at(source, owner.start_byte).removeprefix(less)
    for arm in _arms(owner):
        opening = arm.prev_sibling
        if opening is None or arm.type in ("compound_statement", "if_statement"):
            continue
        yield Cut(Span(opening.end_byte, opening.end_byte), " {")
        yield _closing(source, arm, indent)


def _closing(source: Source, arm: Node, indent: str) -> Cut:
    behind = arm.next_sibling
    if behind is not None and behind.type in ("else_clause", "while"):
        gap = Span(arm.end_byte, behind.start_byte)
        if not source.quote(gap).strip():
            return Cut(gap, f"\n{indent}}} ")
    rest = source.text[arm.end_byte :].partition(b"\n")[0]
    at = arm.end_byte + (len(rest) if rest.strip().startswith((b"/*", b"//")) else 0)
    return Cut(Span(at, at), f"\n{indent}}}")


def _arms(owner: Node) -> Iterator[Node]:
    if owner.type != "if_statement":
        body = owner.child_by_field_name("body")
        if body is not None:
            yield body
        return
    consequence = owner.child_by_field_name("consequence")
    alternative = owner.child_by_field_name("alternative")
    if consequence is not None:
        yield consequence
    if alternative is not None:
        yield alternative.named_children[-1]
