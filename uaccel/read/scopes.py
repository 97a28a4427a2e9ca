# SPDX-License-Identifier: GPL-2.0-only
"""Say which names a block below the function's own declares, and how far each is known."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from uaccel.model.source import Span
from uaccel.read.csource import walk
from uaccel.read.operands import names

_SCOPES = ("compound_statement", "for_statement")


def inner_names(root: Node, tops: list[Node]) -> tuple[tuple[str, Span], ...]:
    """Return the names that blocks around or among `tops` declare, and where each is known.

    What the function's own block `root` declares is left out.
    """
    found = [one for top in tops for node in walk(top) for one in _declared(root, node)]
    above = tops[0].parent
    while above is not None and above.id != root.id:
        found += [one for child in above.named_children for one in _declared(root, child)]
        above = above.parent
    return tuple(dict.fromkeys(found))


def _declared(root: Node, node: Node) -> Iterator[tuple[str, Span]]:
    if node.type != "declaration":
        return
    scope = node.parent
    while scope is not None and scope.type not in _SCOPES:
        scope = scope.parent
    if scope is None or scope.id == root.id:
        return
    for declarator in node.children_by_field_name("declarator"):
        yield from ((name, Span(node.start_byte, scope.end_byte)) for name in _name(declarator))


def _name(declarator: Node) -> list[str]:
    return list(names(declarator))[:1]
