# SPDX-License-Identifier: GPL-2.0-only
"""Read a page of cases: every `##` heading is a case, every fence a named block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fence: its first word, the rest of that line, its text."""

    kind: str
    argument: str | None
    text: str
    start: int  # of `text`, in characters of the page
    end: int


@dataclass(frozen=True, slots=True)
class Case:
    """One `##` section with its fences."""

    title: str
    blocks: tuple[Block, ...]

    def of(self, *kinds: str) -> tuple[Block, ...]:
        """Return the blocks of these kinds, in the order of the page."""
        return tuple(block for block in self.blocks if block.kind in kinds)


def cases(page: str) -> Iterator[Case]:
    """Yield the cases of `page`; a section without fences is a case without blocks."""
    headings = list(_HEADING.finditer(page))
    ends = [heading.start() for heading in headings[1:]] + [len(page)]
    for heading, end in zip(headings, ends, strict=True):
        yield Case(heading[1], tuple(_blocks(page, heading.end(), end)))


def replace(page: str, title: str, kind: str, text: str) -> str:
    """Return `page` with the `kind` block of the case called `title` replaced."""
    (case,) = (case for case in cases(page) if case.title == title)
    (block,) = case.of(kind)
    return page[: block.start] + text + page[block.end :]


def _blocks(page: str, start: int, end: int) -> Iterator[Block]:
    for fence in _FENCE.finditer(page, start, end):
        yield Block(fence[1], fence[2], fence[3], fence.start(3), fence.end(3))
