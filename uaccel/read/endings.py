# SPDX-License-Identifier: GPL-2.0-only
"""Say where a body ends so that a label can stand there which only a jump reaches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tree_sitter import Node

from uaccel.model.source import Source
from uaccel.read.csource import text_of
from uaccel.read.steps import ends_by_leaving


def ending(root: Node) -> int | None:
    """Return where the last statement of a body ends, None when control comes to its end."""
    inside = _statements(root)
    return inside[-1].end_byte if inside and _leaves(inside[-1]) else None


def entries(source: Source, root: Node) -> tuple[tuple[str, int], ...]:
    """Return the labels of a body's own block that only jumps reach, and where each line starts."""
    return tuple(_entries(source, _statements(root)))


def _entries(source: Source, inside: list[Node]) -> Iterator[tuple[str, int]]:
    for before, node in pairwise(inside):
        if node.type != "labeled_statement" or not _leaves(before):
            continue
        start = source.text.rfind(b"\n", 0, node.start_byte) + 1
        if not source.text[start : node.start_byte].strip():
            yield text_of(node.named_children[0]), start


def _statements(root: Node) -> list[Node]:
    return [node for node in root.named_children if node.type != "comment"]


def _leaves(node: Node) -> bool:
    while node.type == "labeled_statement":
        node = node.named_children[-1]
    return ends_by_leaving(node)
