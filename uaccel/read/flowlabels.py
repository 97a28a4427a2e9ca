# SPDX-License-Identifier: GPL-2.0-only
"""Labels of a function, those that a block has for itself too, and the clean-ups around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from uaccel.ctext import one_line
from uaccel.read.csource import text_of, walk
from uaccel.read.flowsteps import Odd

GUARDED = re.compile(r"scoped_(?:cond_)?guard\b")
_CLEANUP = re.compile(r"\b(?:__free|__cleanup)\s*\(|\bguard\s*\(|\b(?:CLASS|ACQUIRE)\s*\(")

Key = tuple[int, str]  # the offset of the block that a label belongs to, and its name


@dataclass(slots=True)
class Labels:
    """The labels of one function."""

    root: Node  # its body
    raw: bytes  # the text that was parsed, with its annotations
    marks: dict[Key, Node] = field(default_factory=dict)
    cleanups: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # by id of the block

    def key(self, label: Node) -> Key:
        """Return which label is meant where `label` stands."""
        name = text_of(label)
        node = label.parent
        while node is not None and node.id != self.root.id:
            if node.type == "compound_statement" and name in _declared(node):
                return node.start_byte, name
            node = node.parent
        return self.root.start_byte, name

    def mark(self, label: Node) -> Node:
        """Return the statement that has the label; raises `Odd` when there is none."""
        if not self.marks:
            for one in walk(self.root):
                if one.type == "labeled_statement":
                    self.marks[self.key(one.named_children[0])] = one
        found = self.marks.get(self.key(label))
        if found is None:
            raise Odd(label.start_byte, f"the label {text_of(label)} is not in this function")
        return found

    def left(self, node: Node, label: Node) -> tuple[str, ...]:
        """Return the clean-ups whose scope a jump from `node` to `label` leaves, as C."""
        kept = set(self._cleanups(self.mark(label)))
        return tuple(one for one in self._cleanups(node) if one not in kept)

    def _cleanups(self, node: Node) -> Iterator[str]:
        below, above = node, node.parent
        while above is not None:
            if above.type in ("compound_statement", "case_statement"):
                yield from (t for at, t in self._declared_in(above) if at < below.start_byte)
            elif above.type == "if_statement" and GUARDED.match(self._text(above)):
                yield one_line(self._text(above).split(")")[0]) + ")"
            below, above = above, above.parent

    def _declared_in(self, block: Node) -> list[tuple[int, str]]:
        # The clean-ups that a block declares, and where.
        if block.id not in self.cleanups:
            kinds = ("declaration", "expression_statement")
            some = (one for one in block.named_children if one.type in kinds)
            self.cleanups[block.id] = [
                (one.start_byte, one_line(self._text(one).split(";")[0].split("=")[0]))
                for one in some
                if _CLEANUP.search(self._text(one))
            ]
        return self.cleanups[block.id]

    def _text(self, node: Node) -> str:
        return self.raw[node.start_byte : node.end_byte].decode("latin1")


def _declared(block: Node) -> set[str]:
    found: set[str] = set()
    for one in block.named_children:
        if one.type == "declaration" and text_of(one).startswith("__label__"):
            found |= {text_of(name) for name in one.named_children[1:]}
    return found
