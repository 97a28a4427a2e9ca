# SPDX-License-Identifier: GPL-2.0-only
"""Find what keeps the machine from guessing past the range checks of a window's other pointers.

`if (!access_ok(p, n)) leave; p = mask_user_address(p);` before a begin, and within a window
`if (!access_ok(p, n)) leave; barrier_nospec();`: an access that checks its own range has a barrier
or a mask of its own behind that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.source import Source
from uaccel.read.csource import span

_MASKS = re.compile(r"(\w+) = mask_user_address\((\w+)\);")
_CHECKED = re.compile(r"!access_ok\((\w+), [^|&]*\)")
_CHECK = re.compile(r"\(!access_ok\([^|&]*\)\)")


@dataclass(frozen=True, slots=True)
class Masking:
    """What masks other pointers of a window, or fences one."""

    statements: tuple[Node, ...]
    check: Node | None  # the range check of those pointers, and of none besides


def masking(source: Source, begin: Node) -> Masking:
    """Return what masks pointers right before the statement `begin`."""
    found: list[Node] = []
    names: set[str] = set()
    before = begin.prev_named_sibling
    while before is not None and (name := _masked(source, before)):
        found.append(before)
        names.add(name)
        before = before.prev_named_sibling
    checks = found and before is not None and _checks(source, before) == names
    return Masking(tuple(found), before if checks else None)


def _masked(source: Source, statement: Node) -> str:
    match = _MASKS.fullmatch(" ".join(source.quote(span(statement)).split()))
    return match[1] if match is not None and match[1] == match[2] else ""


def _checks(source: Source, statement: Node) -> set[str]:
    condition = statement.child_by_field_name("condition")
    if condition is None or statement.child_by_field_name("alternative") is not None:
        return set()
    text = " ".join(source.quote(span(condition)).split())
    operands = [_CHECKED.fullmatch(one) for one in text[1:-1].split(" || ")]
    return {one[1] if one is not None else "" for one in operands}


def fences(source: Source, nodes: Iterable[Node], accesses: frozenset[int]) -> Iterator[Masking]:
    """Yield the barriers among `nodes` between a range check and one of the `accesses`, by id."""
    for node in nodes:
        before, behind = node.prev_named_sibling, node.next_named_sibling
        if node.type != "expression_statement" or before is None or behind is None:
            continue
        condition = before.child_by_field_name("condition")
        if source.quote(span(node)) != "barrier_nospec();" or behind.id not in accesses:
            continue
        if condition is not None and _CHECK.fullmatch(source.quote(span(condition))):
            yield Masking((node,), before)
