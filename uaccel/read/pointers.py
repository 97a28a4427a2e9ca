# SPDX-License-Identifier: GPL-2.0-only
"""Say which names of a function are pointers: no compiler checks an index into what they point to.

CONFIG_UBSAN_BOUNDS and CONFIG_UBSAN_ARRAY_BOUNDS check the index of an array of known size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from uaccel.read.csource import text_of, walk, without_comments

_PARAMETER = re.compile(rb"[\w\s]+[\s*]*\*\s*(?:(?:const|__restrict|restrict)\s+)*(\w+)\s*")
_NAMES = ("pointer_declarator", "array_declarator", "init_declarator", "identifier")
_HEADER = 2000  # bytes: none is longer


def pointers(text: bytes, root: Node) -> frozenset[str]:
    """Return the names that the body at `root` and its function's header declare as pointers.

    A name that is declared in another way as well, in another block, is not among them.
    """
    above = without_comments(text[max(root.start_byte - _HEADER, 0) : root.start_byte]).rstrip()
    found: dict[str, bool] = dict.fromkeys(_parameters(above), True)
    for name, pointer in _locals(root):
        found[name] = found.get(name, True) and pointer
    return frozenset(name for name, pointer in found.items() if pointer)


def _parameters(above: bytes) -> Iterator[str]:
    depth, end = 0, len(above) - 1
    if not above.endswith(b")"):
        return
    for at in range(end, -1, -1):
        depth += (above[at] == ord(")")) - (above[at] == ord("("))
        if depth == 0:
            break
    for part in above[at + 1 : end].split(b","):
        named = _PARAMETER.fullmatch(part)
        if named is not None:
            yield named[1].decode()


def _locals(root: Node) -> Iterator[tuple[str, bool]]:
    for node in walk(root):
        if node.type != "declaration":
            continue
        for declarator in node.children_by_field_name("declarator"):
            yield from _declared(declarator)


def _declared(declarator: Node) -> Iterator[tuple[str, bool]]:
    node, pointer = declarator, False
    if node.type == "init_declarator":
        node = node.child_by_field_name("declarator") or node
    if node.type == "pointer_declarator":
        pointer = True
    while node.type in _NAMES and node.type != "identifier":
        # `*p[4]` is an array of pointers.
        pointer = pointer and node.type == "pointer_declarator"
        inner = node.child_by_field_name("declarator")
        if inner is None:
            return
        node = inner
    if node.type == "identifier":
        yield text_of(node), pointer
