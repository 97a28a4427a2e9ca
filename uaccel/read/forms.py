# SPDX-License-Identifier: GPL-2.0-only
"""Find the clusters of a function, in whatever form they stand.

Read here: `if (ACCESS || ACCESS ...) LEAVE;` alone or several in a row, and windows of
`user_*_access_begin()` to `user_*_access_end()` in one block.  What stands in another shape is
returned as not understood: later readers may learn it, nobody may drop it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from tree_sitter import Node

from uaccel.model.source import Access, Cluster, Form, NotUnderstood, Source, Span
from uaccel.read.accesses import Scope, accesses
from uaccel.read.csource import plain, span, text_of, walk
from uaccel.read.macros import Macro

_BEGIN = re.compile(r"user_(?:read_|write_)?access_begin")
_END = re.compile(r"user_(?:read_|write_)?access_end")
_BLOCKS = ("compound_statement", "case_statement")

ODD_SHAPE = "the access stands in a statement shape that is not read yet"
NO_WINDOW = "an unsafe accessor outside a window that could be read"


@dataclass(frozen=True, slots=True)
class _Row:
    cluster: Cluster  # of one statement
    nodes: tuple[int, ...]  # ids of the accesses' nodes


@dataclass(frozen=True, slots=True)
class Found:
    """The clusters of one function, and what could not be placed."""

    clusters: tuple[Cluster, ...]
    not_understood: tuple[NotUnderstood, ...]


def clusters(source: Source, body: Node, scope: Scope, macros: tuple[Macro, ...]) -> Found:
    """Return every access of a function's `body` as part of a cluster, or as not understood."""
    found: list[Cluster] = []
    placed: set[int] = set()
    last = _last_return(body)
    opened: list[Span] = []
    for block in (node for node in walk(body) if node.type in _BLOCKS):
        if any(window.covers(span(block)) for window in opened):
            continue  # its accesses belong to that window
        opened += _opened(block)
        for run in _runs(source, block, scope, macros):
            placed.update(node for row in run for node in row.nodes)
            merged = _merge(source, run)
            end = last.prev_named_sibling if last is not None and block.id == body.id else None
            after = end is not None and end.end_byte == merged.extent.end
            found.append(replace(merged, before_return=after))
    left = tuple(
        NotUnderstood(source.line(made.call.start), made.accessor, _why(made))
        for node, made in accesses(body, scope)
        if node.id not in placed
    )
    ordered = sorted(found, key=lambda cluster: cluster.extent)
    return Found(tuple(_with_zeroing(source, body, cluster) for cluster in ordered), left)


def _why(made: Access) -> str:
    return NO_WINDOW if made.accessor.startswith("unsafe_") else ODD_SHAPE


def _last_return(body: Node) -> Node | None:
    statements = [node for node in body.named_children if node.type != "comment"]
    if statements and statements[-1].type == "return_statement":
        return statements[-1]
    return None


def _opened(block: Node) -> Iterator[Span]:
    # From each begin to its end, or to the end of the block where none is found.
    begin: Node | None = None
    for statement in block.named_children:
        if begin is None and statement.type == "if_statement":
            begin = statement if _calls(_condition(statement), _BEGIN) else None
        elif begin and statement.type == "expression_statement" and _calls(statement, _END):
            yield Span(begin.start_byte, statement.end_byte)
            begin = None
    if begin is not None:
        yield Span(begin.end_byte, block.end_byte)


def _runs(
    source: Source, block: Node, scope: Scope, macros: tuple[Macro, ...]
) -> Iterator[tuple[_Row, ...]]:
    rows: list[_Row | None] = []
    opened: Node | None = None
    inside: list[Node] = []
    for statement in block.named_children:
        if opened is not None:
            inside.append(statement)
            if _calls(statement, _END) and statement.type == "expression_statement":
                rows += [None, _window(source, opened, inside, scope), None]
                opened, inside = None, []
        elif statement.type == "if_statement" and _calls(_condition(statement), _BEGIN):
            opened = statement
        else:
            row = _chain(source, statement, scope)
            rows.append(row or _wrapped(source, statement, macros))
    for key, group in groupby(_numbered(rows), key=lambda item: item[0]):
        if key:
            yield tuple(row for _, row in group if row is not None)


def _numbered(rows: list[_Row | None]) -> Iterator[tuple[int, _Row | None]]:
    number = 0
    before: _Row | None = None
    for row in rows:
        if row is None:
            before = None
            yield 0, None
            continue
        if before is None or not _belong_together(before.cluster, row.cluster):
            number += 1
        before = row
        yield number, row


def _belong_together(left: Cluster, right: Cluster) -> bool:
    if Form.WINDOW in (left.form, right.form):
        return False
    bases = {access.base for access in (*left.accesses, *right.accesses)}
    same = left.direction is right.direction and left.fault == right.fault != ""
    return same and len(bases) == 1 and None not in bases


def _chain(source: Source, statement: Node, scope: Scope) -> _Row | None:
    if statement.type != "if_statement":
        return None
    condition = _condition(statement)
    consequence = statement.child_by_field_name("consequence")
    if condition is None or consequence is None:
        return None
    made = tuple(accesses(condition, scope))
    if not made:
        return None
    first = made[0][1]
    end = condition.end_byte
    cluster = Cluster(
        direction=first.direction,
        form=_form(made),
        accesses=tuple(access for _, access in made),
        extent=span(statement),
        fault=_leave(source, consequence),
        indent=_indent(source, statement),
        before_return=False,
        lines=_lines(source, statement.start_byte, end),
        obstacle=_obstacle(source, statement, condition, made),
    )
    return _Row(cluster, tuple(node.id for node, _ in made))


def _wrapped(source: Source, statement: Node, macros: tuple[Macro, ...]) -> _Row | None:
    condition = _condition(statement) if statement.type == "if_statement" else None
    consequence = statement.child_by_field_name("consequence")
    call = plain(condition) if condition is not None else None
    if call is None or consequence is None or call.type != "call_expression":
        return None
    name = call.child_by_field_name("function")
    macro = next((m for m in macros if name is not None and m.name == text_of(name)), None)
    if macro is None:
        return None
    here = span(call)
    cluster = Cluster(
        direction=macro.direction,
        form=macro.form,
        accesses=tuple(
            Access(accessor, macro.direction, here, here, here, None, None, None, impure=True)
            for accessor in macro.accessors
        ),
        extent=span(statement),
        fault=_leave(source, consequence),
        indent=_indent(source, statement),
        before_return=False,
        lines=_lines(source, statement.start_byte, call.end_byte),
        obstacle=f"its accesses stand in the macro {macro.name}",
    )
    return _Row(cluster, (call.id,))


def _form(made: tuple[tuple[Node, Access], ...]) -> Form:
    return Form.STRUCTCOPY if any(access.copies for _, access in made) else Form.FIELDWISE


def _obstacle(
    source: Source, statement: Node, condition: Node, made: tuple[tuple[Node, Access], ...]
) -> str | None:
    calls = {node.id for node, _ in made}
    if len({access.direction for _, access in made}) > 1:
        return "reads and writes in one condition need different windows"
    if not all(operand.id in calls for operand in _operands(condition)):
        return "the condition holds more than accesses joined by ||"
    if statement.child_by_field_name("alternative") is not None:
        return "the condition has an else branch"
    return _odd_text(source, span(statement))


def _odd_text(source: Source, extent: Span) -> str | None:
    text = source.quote(extent)
    if re.search(r"^\s*#", text, re.MULTILINE):
        return "a preprocessor line stands among the accesses"
    if "/*" in text or "//" in text:
        return "a comment stands among the accesses and would be lost"
    line_end = source.text.find(b"\n", extent.end)
    rest = source.text[extent.end : line_end if line_end >= 0 else None].lstrip()
    if rest.startswith((b"/*", b"//")):
        return "a comment behind the last statement would be left behind another one"
    return None


def _operands(condition: Node) -> Iterator[Node]:
    pending = [condition]
    while pending:
        node = plain(pending.pop())
        operator = node.child_by_field_name("operator")
        if node.type == "binary_expression" and operator is not None and text_of(operator) == "||":
            sides = (node.child_by_field_name("right"), node.child_by_field_name("left"))
            pending += [side for side in sides if side is not None]
        else:
            yield node


def _window(source: Source, begin: Node, inside: list[Node], scope: Scope) -> _Row | None:
    made = tuple(pair for statement in inside for pair in accesses(statement, scope))
    if not made:
        return None
    condition = _condition(begin)
    consequence = begin.child_by_field_name("consequence")
    lines = set(_lines(source, begin.start_byte, condition.end_byte)) if condition else set()
    for statement in inside:
        lines.update(_lines(source, statement.start_byte, statement.end_byte))
    cluster = Cluster(
        direction=made[0][1].direction,
        form=Form.WINDOW,
        accesses=tuple(access for _, access in made),
        extent=Span(begin.start_byte, inside[-1].end_byte),
        fault=_leave(source, consequence) if consequence else "",
        indent=_indent(source, begin),
        before_return=False,
        lines=tuple(sorted(lines)),
        obstacle=None,
    )
    return _Row(cluster, tuple(node.id for node, _ in made))


def _merge(source: Source, run: tuple[_Row, ...]) -> Cluster:
    first, last = run[0].cluster, run[-1].cluster
    made = tuple(access for row in run for access in row.cluster.accesses)
    extent = Span(first.extent.start, last.extent.end)
    obstacles = [row.cluster.obstacle for row in run if row.cluster.obstacle]
    odd = _odd_text(source, extent) if first.form is not Form.WINDOW else None
    forms = {row.cluster.form for row in run}
    return replace(
        first,
        form=Form.STRUCTCOPY if Form.STRUCTCOPY in forms else first.form,
        accesses=made,
        extent=extent,
        lines=tuple(sorted({line for row in run for line in row.cluster.lines})),
        obstacle=obstacles[0] if obstacles else odd,
    )


def _with_zeroing(source: Source, body: Node, cluster: Cluster) -> Cluster:
    # The memset() of a local that a copy sends to user space is part of what the copy costs.
    if cluster.form is not Form.STRUCTCOPY or cluster.direction.value != "write":
        return cluster
    sent = {source.quote(access.value) for access in cluster.accesses if access.copies}
    lines = set(cluster.lines)
    for node in walk(body):
        if node.type == "call_expression" and _zeroes(node, sent):
            lines.update(_lines(source, node.start_byte, node.end_byte))
    return replace(cluster, lines=tuple(sorted(lines)))


def _zeroes(call: Node, sent: set[str]) -> bool:
    name = call.child_by_field_name("function")
    arguments = call.child_by_field_name("arguments")
    if name is None or arguments is None or text_of(name) != "memset":
        return False
    given = arguments.named_children
    return len(given) == 3 and text_of(given[0]) in sent and text_of(given[1]) == "0"


def _leave(source: Source, consequence: Node) -> str:
    statement = consequence
    if statement.type == "compound_statement":
        if len(statement.named_children) != 1:
            return ""
        statement = statement.named_children[0]
    if statement.type not in ("return_statement", "goto_statement"):
        return ""
    if any(found.type in ("call_expression", "comment") for found in walk(statement)):
        return ""
    return " ".join(source.quote(span(statement)).split())


def _condition(statement: Node) -> Node | None:
    return statement.child_by_field_name("condition")


def _calls(node: Node | None, name: re.Pattern[str]) -> bool:
    if node is None:
        return False
    functions = (
        found.child_by_field_name("function")
        for found in walk(node)
        if found.type == "call_expression"
    )
    return any(function is not None and name.fullmatch(text_of(function)) for function in functions)


def _indent(source: Source, node: Node) -> str:
    start = source.text.rfind(b"\n", 0, node.start_byte) + 1
    before = source.text[start : node.start_byte]
    return before.decode() if not before.strip() else ""


def _lines(source: Source, start: int, end: int) -> tuple[int, ...]:
    return tuple(range(source.line(start), source.line(end - 1) + 1))
