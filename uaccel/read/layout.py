# SPDX-License-Identifier: GPL-2.0-only
"""Lay out as kernel C what a macro stands for: one line of text becomes statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.read.csource import parse, plain, walk

_HEAD = b"void f(void)\n{ "
_LINES = (  # statements of one line
    "expression_statement",
    "return_statement",
    "goto_statement",
    "declaration",
)


@dataclass(frozen=True, slots=True)
class Laid:
    """The text of a macro, as an expression and as statements."""

    value: str  # without parentheses around it; "" when it is no expression
    closed: bool  # there are parentheses around it
    lines: tuple[str, ...]  # none when there are others than plain statements
    single: bool  # one statement, and no `if` that an `else` behind it could join
    declares: bool  # it has variables of its own


def laid_out(text: str, indent: str) -> Laid | str:
    """Return `text`, which is on one line, laid out behind `indent`, or why it cannot be."""
    whole = _HEAD + text.encode(errors="surrogateescape") + b";}"
    body = parse(whole).named_children[0].child_by_field_name("body")
    if body is None or body.has_error or body.end_byte < len(whole):
        return "is no statement of its own"
    if any(node.type == "labeled_statement" for node in walk(body)):
        return "holds a label"
    inner, looped = _opened(_solid(body))
    if not inner:
        return "holds nothing"
    jumps = ("break_statement", "continue_statement")
    if looped and any(node.type in jumps for node in walk(body)):
        return "leaves a loop of its own"
    lines = _block(whole, inner, indent)
    alone = len(inner) == 1 and inner[0].type != "if_statement"
    declares = any(node.type == "declaration" for node in inner)
    if declares and lines:
        lines = [f"{indent}{{", *(f"\t{line}".rstrip() for line in lines), f"{indent}}}"]
    value = _value(_solid(body))
    made = _quote(whole, plain(value)) if value is not None else ""
    closed = value is not None and value.type == "parenthesized_expression"
    return Laid(made, closed, tuple(lines or ()), alone or declares, declares)


def _solid(block: Node) -> list[Node]:
    # Its statements, without those that are empty.
    return [
        node
        for node in block.named_children
        if node.type != "expression_statement" or node.named_child_count
    ]


def _opened(nodes: list[Node]) -> tuple[list[Node], bool]:
    # What stands in `do { } while (0)`, `({ })` or `{ }` that is all there is; whether it is a do.
    looped = False
    while len(nodes) == 1:
        inner = _inner(nodes[0])
        if inner is None:
            break
        looped = looped or nodes[0].type == "do_statement"
        nodes = _solid(inner)
    return nodes, looped


def _inner(node: Node) -> Node | None:
    if node.type == "do_statement":
        body, condition = (node.child_by_field_name(name) for name in ("body", "condition"))
        once = condition is not None and plain(condition).text == b"0"
        return body if once and body is not None and body.type == "compound_statement" else None
    if node.type == "expression_statement":
        held = plain(node.named_children[0])
        node = held.named_children[0] if held.type == "parenthesized_expression" else held
    return node if node.type == "compound_statement" else None


def _value(nodes: list[Node]) -> Node | None:
    if len(nodes) != 1 or nodes[0].type != "expression_statement":
        return None
    value = nodes[0].named_children[0]
    return value if _inner(nodes[0]) is None else None


def _block(whole: bytes, nodes: list[Node], indent: str) -> list[str] | None:
    lines: list[str] = []
    declared = False
    for node in nodes:
        made = list(_statement(whole, node, indent))
        if not made:
            return None
        if declared and node.type != "declaration":
            lines.append("")
        declared = node.type == "declaration"
        lines += made
    return lines


def _statement(whole: bytes, node: Node, indent: str) -> Iterator[str]:
    # Nothing when it is no plain statement.
    unused = node.named_children[0].type == "identifier" if node.named_child_count else False
    if node.type == "expression_statement" and unused:
        return
    if node.type in _LINES and not any(one.type == "compound_statement" for one in walk(node)):
        yield f"{indent}{_quote(whole, node)}"
        return
    condition = node.child_by_field_name("condition")
    consequence = node.child_by_field_name("consequence")
    if node.type != "if_statement" or condition is None or consequence is None:
        return
    alternative = node.child_by_field_name("alternative")
    if alternative is not None:
        return
    held = consequence.type == "compound_statement"
    inner = _solid(consequence) if held else [consequence]
    lines = _block(whole, inner, f"{indent}\t")
    if not lines:
        return
    braces = len(inner) > 1 or inner[0].type == "if_statement"
    yield f"{indent}if {_quote(whole, condition)}" + (" {" if braces else "")
    yield from lines
    if braces:
        yield f"{indent}}}"


def _quote(whole: bytes, node: Node) -> str:
    return whole[node.start_byte : node.end_byte].decode(errors="surrogateescape")
