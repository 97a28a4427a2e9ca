# SPDX-License-Identifier: GPL-2.0-only
"""Say how the call of a macro that holds a window is unmade: its accesses in the call's place."""

from __future__ import annotations

from tree_sitter import Node

from uaccel.ctext import aligned, arguments, columns
from uaccel.model.scaffold import Cut, Scaffold
from uaccel.model.source import Source
from uaccel.read.csource import span, text_of
from uaccel.read.shared import Shared

_COMMENTED = "its accesses stand in a macro that is called with a comment, which would be lost"


def scaffold(source: Source, call: Node, held: Shared, obstacle: str) -> Scaffold:
    """Return what takes the place of a `call` of `held`; `obstacle` says why nothing can."""
    here = span(call)
    text = source.quote(here)
    given = tuple(arguments(text.partition("(")[2].rpartition(")")[0]))
    made = held.calls(tuple(" ".join(one.split()) for one in given))
    if made is None or not _is_tested(call):
        return Scaffold((), (), "", "", obstacle)
    if "/*" in text or "//" in text:
        return Scaffold((), (), "", "", _COMMENTED)
    line = source.text[source.text.rfind(b"\n", 0, here.start) + 1 : here.start]
    before = line.decode(errors="surrogateescape")
    return Scaffold((), (Cut(here, aligned(columns(before), made)),), "", held.covers(given), None)


def _is_tested(call: Node) -> bool:
    # As an operand of || in the condition of an `if`, one fault is like another.
    node, above = call, call.parent
    while above is not None and above.type in ("parenthesized_expression", "binary_expression"):
        operator = above.child_by_field_name("operator")
        if operator is not None and text_of(operator) != "||":
            return False
        node, above = above, above.parent
    if above is None or above.type != "if_statement":
        return False
    return above.child_by_field_name("condition") == node
