# SPDX-License-Identifier: GPL-2.0-only
"""Read one statement that makes accesses: what it does when one fails, and when none does."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tree_sitter import Node

from uaccel.ctext import TAB, columns
from uaccel.model.source import Source, Span
from uaccel.model.steps import Fault, Piece, Step
from uaccel.read.csource import plain, span, text_of
from uaccel.read.operands import Operand, Reader, operator_of, sides

ODD = "an access stands where its result is neither tested, assigned nor returned"
AMONG = "a call stands among the accesses of one condition"
ELSE = "the condition has an else branch"
DECLARED = "a declaration is initialised by an access"
BYTES = "the number of bytes that a copy left is returned"
MIXED = "what a fault does differs within one statement"
PREPROCESSOR = "a preprocessor line stands within a statement"
COMMENT = "a comment within the statement would be lost"
FAILED = "-EFAULT"

_LEAVING = ("return_statement", "goto_statement", "break_statement", "continue_statement")
BLOCKS = ("compound_statement", "case_statement")
_CHECK = re.compile(r"!\s*(?:__)?access_ok\s*\(")
_ASSIGNS = re.compile(r"(\w+) (\|?=) (-E\w+|1);")
_LINE = re.compile(r"^\s*#", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Way:
    """What a statement does with the result of its accesses."""

    operands: tuple[Operand, ...]
    fault: Fault
    variable: str = ""
    sets: bool = False
    rest: str = ""
    returns: bool = False
    counts: bool = False
    opening: str = ""
    late: bool = False
    each: bool = False


def step(reader: Reader, statement: Node) -> Step | str:
    """Return the step that a statement is, or one sentence that says why it is none."""
    text = reader.source.quote(span(statement))
    way = _way(reader, statement)
    if isinstance(way, str):
        return way
    if _LINE.search(text):
        return PREPROCESSOR
    cut = _cut(reader, statement, way)
    if isinstance(cut, str):
        return cut
    if _loses_comment(reader.source, way, cut):
        return COMMENT
    return Step(
        span=cut.span,
        pieces=cut.pieces,
        fault=way.fault,
        variable=way.variable,
        sets=way.sets,
        rest=way.rest,
        late=way.late,
        returns=way.returns,
        checks=cut.checks,
        opening=way.opening or cut.opening,
        closing=cut.closing,
        indent=indent_of(reader.source, statement),
        header=header_of(statement),
        always=True,
        looped=False,
        guards=(),
        falls=not way.fault.leaves and statement.type != "return_statement",
        guarded=False,
        each=way.each,
        counts=way.counts,
        resets=False,
    )


def _way(reader: Reader, statement: Node) -> _Way | str:
    kind = statement.type
    if kind == "if_statement":
        return _tested(reader, statement)
    if kind == "return_statement":
        return _returned(reader, statement)
    if kind == "declaration":
        return _declared(reader, statement)
    if kind != "expression_statement" or not statement.named_child_count:
        return ODD
    expression = plain(statement.named_children[0])
    if expression.type == "assignment_expression":
        return _assigned(reader, expression)
    while expression.type == "cast_expression":
        expression = plain(expression.child_by_field_name("value"))  # type: ignore[arg-type]
    alone = reader.sum(expression)
    return ODD if alone is None else _Way(alone, Fault(leaves=False, text=""))


def _tested(reader: Reader, statement: Node) -> _Way | str:
    condition = statement.child_by_field_name("condition")
    consequence = statement.child_by_field_name("consequence")
    alternative = statement.child_by_field_name("alternative")
    assert condition is not None and consequence is not None
    branch = alternative.named_children[-1] if alternative is not None else None
    failing = reader.chain(condition)
    if failing is not None:
        return _branched(reader, failing, consequence, branch)
    fine = reader.failing(condition)
    if fine is None:
        return ODD
    inner = _nested(reader, consequence)
    if inner is None:
        return _branched(reader, fine, branch, consequence)
    if branch is not None or isinstance(inner, str):
        return ELSE if isinstance(inner, _Way) else inner
    first = _branched(reader, fine, None, None)
    if isinstance(first, str):
        return first
    same = first.variable == inner.variable and first.fault.text == inner.fault.text
    if not same or inner.sets != first.sets:
        return MIXED
    return replace(inner, operands=(*first.operands, *inner.operands))


def _nested(reader: Reader, branch: Node) -> _Way | str | None:
    # if (!(err = put_user(a)) && !(err = put_user(b))) err = put_user(c);
    if not reader.has(branch):
        return None
    inside = branch.named_children if branch.type == "compound_statement" else [branch]
    return _way(reader, inside[0]) if len(inside) == 1 else ODD


def _branched(
    reader: Reader, operands: tuple[Operand, ...], failed: Node | None, fine: Node | None
) -> _Way | str:
    if any(reader.has(branch) for branch in (failed, fine) if branch is not None):
        return "an access is made when another one failed"
    names = {(one.variable, one.operator) for one in operands if one.variable}
    if len(names) > 1:
        return MIXED
    variable, operator = names.pop() if names else ("", "")
    made = [one for one in operands if one.pieces[0].access is not None]
    if variable and not all(one.variable for one in made):
        return MIXED
    if variable and len(made) < len(operands):
        return MIXED
    text = block_text(reader.source, failed) if failed is not None else ""
    rest = block_text(reader.source, fine) if fine is not None else ""
    if text is None or rest is None:
        return PREPROCESSOR
    leaves = failed is not None and ends_by_leaving(failed)
    if variable:
        text = _with_error(f"{variable} {operator} {FAILED};", text)
    found = _ASSIGNS.fullmatch(text)
    return _Way(
        operands,
        Fault(leaves, text),
        variable or (found[1] if found else ""),
        sets=bool(variable) and operator == "=",
        rest=rest,
        returns=fine is not None and ends_by_leaving(fine),
        late=fine is not None
        and (reader.why(fine, loads=False) == "calls" or bool(reader.elements(fine))),
    )


def _with_error(assigns: str, text: str) -> str:
    # `err = -EFAULT; return err;` says `return -EFAULT;`
    variable, _, value = assigns.rstrip(";").partition(" = ")
    if value and text == f"return {variable};":
        return f"return {value};"
    return f"{assigns}\n{text}" if text else assigns


def _assigned(reader: Reader, expression: Node) -> _Way | str:
    left, right = expression.child_by_field_name("left"), expression.child_by_field_name("right")
    operator = operator_of(expression)
    if left is None or right is None or reader.has(left) or operator not in ("=", "|="):
        return ODD
    variable = reader.text(left)
    made = _valued(reader, right)
    if isinstance(made, str):
        return made
    operands, failed, fine, counts = made
    sets = operator == "=" and fine == "0"
    rest = "" if fine == "0" else f"{variable} {operator} {fine};"
    fault = Fault(leaves=False, text=f"{variable} {operator} {failed};")
    each = _is_sum(reader, right)
    return _Way(operands, fault, variable, sets, rest, counts=counts, each=each)


def _declared(reader: Reader, statement: Node) -> _Way | str:
    # int err = put_user(a, p) | put_user(b, q);
    found = statement.children_by_field_name("declarator")
    if len(found) != 1 or found[0].type != "init_declarator":
        return DECLARED
    name, value = found[0].child_by_field_name("declarator"), found[0].child_by_field_name("value")
    if name is None or value is None or name.type != "identifier":
        return DECLARED
    made = _valued(reader, value)
    if isinstance(made, str) or made[2] != "0":
        return DECLARED
    variable = text_of(name)
    head = reader.source.quote(Span(statement.start_byte, name.end_byte))
    fault = Fault(leaves=False, text=f"{variable} = {made[1]};")
    way = _Way(made[0], fault, variable, sets=True, counts=made[3])
    return replace(way, opening=f"{head};\n", each=_is_sum(reader, value))


def _is_sum(reader: Reader, value: Node) -> bool:
    return reader.sum(value) is not None


def _returned(reader: Reader, statement: Node) -> _Way | str:
    if not statement.named_child_count:
        return ODD
    made = _valued(reader, statement.named_children[0])
    if isinstance(made, str):
        return made
    operands, failed, fine, counts = made
    if counts:
        return BYTES
    fault = Fault(leaves=True, text=f"return {failed};")
    return _Way(operands, fault, rest=f"return {fine};", returns=True)


def _valued(reader: Reader, value: Node) -> tuple[tuple[Operand, ...], str, str, bool] | str:
    # The accesses, the value when one failed, the value when none did, whether bytes are counted.
    node = plain(value)
    total = reader.sum(node)
    if total is not None:
        copies = any(one.pieces[0].access.copies for one in total if one.pieces[0].access)
        return total, FAILED, "0", copies
    if node.type == "conditional_expression":
        parts = [node.child_by_field_name(n) for n in ("condition", "consequence", "alternative")]
        condition, failed, fine = parts
        if condition is None or failed is None or fine is None:
            return ODD
        if reader.has(failed) or reader.has(fine):
            return "an access is made when another one failed"
        chain = reader.chain(condition)
        if chain is not None and not any(one.variable for one in chain):
            return chain, reader.text(plain(failed)), reader.text(plain(fine)), False
        chain = reader.failing(condition)
        if chain is not None and not any(one.variable for one in chain):
            return chain, reader.text(plain(fine)), reader.text(plain(failed)), False
        return ODD
    chain = reader.chain(node) if node.type == "binary_expression" else None
    if chain is None or any(one.variable for one in chain):
        return ODD
    return chain, "1", "0", False


@dataclass(frozen=True, slots=True)
class _Cut:
    """The part of a statement that belongs to one cluster."""

    span: Span
    pieces: tuple[Piece, ...]
    opening: str
    closing: str
    checks: tuple[str, ...] = ()


def _cut(reader: Reader, statement: Node, way: _Way) -> _Cut | str:
    made = [at for at, one in enumerate(way.operands) if one.pieces[0].access is not None]
    first, last = made[0], made[-1]
    inside = way.operands[first : last + 1]
    pieces = tuple(piece for one in inside for piece in one.pieces)
    for one in inside:
        if one.pieces[0].access is None and reader.why(one.node, loads=False):
            return AMONG
        if one.pieces[0].access is not None and reader.why_test(one) == "calls":
            return AMONG
    before, after = way.operands[:first], way.operands[last + 1 :]
    here = span(statement)
    if not before and not after:
        return _Cut(here, pieces, "", "")
    condition = statement.child_by_field_name("condition")
    straight = statement.type == "if_statement" and condition is not None
    tests = (*before, *after)
    if not straight and not any(reader.why(one.node, loads=True) for one in tests):
        return _Cut(here, tuple(piece for one in way.operands for piece in one.pieces), "", "")
    if not straight or way.rest or way.variable:
        return "the accesses share a condition with a test that is made before or after them"
    assert condition is not None
    if reader.chain(condition) is None or not _is_flat(reader, condition):
        return "the accesses share a condition with a test that is made before or after them"
    consequence = reader.source.quote(Span(condition.end_byte, statement.end_byte))
    start, end, opening, closing = here.start, here.end, "", ""
    checks = tuple(reader.text(one.node) for one in before)
    if before and all(_CHECK.match(text) for text in checks):
        pass
    elif before:
        checks = ()
        start, opening = before[-1].node.end_byte, f"){consequence}"
    if after:
        end, closing = after[0].node.start_byte, "if ("
    return _Cut(Span(start, end), pieces, opening, closing, checks)


def _is_flat(reader: Reader, condition: Node) -> bool:
    # No parentheses around a part of the chain, so that it may be cut anywhere.
    node = plain(condition)
    while node.type == "binary_expression" and operator_of(node) == "||":
        left, right = sides(node)
        if right.type == "parenthesized_expression" and "||" in reader.text(right):
            return False
        node = left
    return node.type != "parenthesized_expression" or "||" not in reader.text(node)


def _loses_comment(source: Source, way: _Way, cut: _Cut) -> bool:
    text = source.quote(cut.span)
    if "/*" not in text and "//" not in text:
        return False
    kept = "\n".join(
        (way.fault.text, way.rest, *(source.quote(p.access.value) for p in cut.pieces if p.access))
    )
    return text.count("/*") + text.count("//") > kept.count("/*") + kept.count("//")


def block_text(source: Source, branch: Node) -> str | None:
    """Return the statements of a branch as C, None when a preprocessor line stands in it."""
    here = span(branch)
    if branch.type == "compound_statement":
        here = _trimmed(source, Span(here.start + 1, here.end - 1))
    text = source.quote(here)
    if _LINE.search(text):
        return None
    margin = _margin(source, here.start)
    lines = text.split("\n")
    return "\n".join((lines[0], *(_behind(margin, line) for line in lines[1:])))


def _behind(margin: str, line: str) -> str:
    # Blanks and tabs may be mixed: what counts is the column.
    if line.startswith(margin):
        return line.removeprefix(margin)
    text = line.lstrip()
    more = columns(line[: len(line) - len(text)]) - columns(margin)
    return "\t" * (more // TAB) + " " * (more % TAB) + text if more > 0 else text


def _trimmed(source: Source, inside: Span) -> Span:
    text = source.text[inside.start : inside.end]
    start = inside.start + len(text) - len(text.lstrip())
    return Span(min(start, inside.end), max(start, inside.start + len(text.rstrip())))


def _margin(source: Source, at: int) -> str:
    line = source.text[source.text.rfind(b"\n", 0, at) + 1 : at].decode(errors="surrogateescape")
    return line[: len(line) - len(line.lstrip())]


def ends_by_leaving(branch: Node) -> bool:
    """Return whether a branch ends by a return, goto, break or continue."""
    while branch.type in ("compound_statement", "else_clause"):
        inside = [one for one in branch.named_children if one.type != "comment"]
        if not inside:
            return False
        branch = inside[-1]
    if branch.type == "if_statement":
        arms = [branch.child_by_field_name(name) for name in ("consequence", "alternative")]
        return all(arm is not None and ends_by_leaving(arm) for arm in arms)
    return branch.type in _LEAVING


def header_of(statement: Node) -> int | None:
    """Return where a brace would open around a statement that stands alone in a branch."""
    parent, before = statement.parent, statement.prev_sibling
    if (
        parent is None
        or before is None
        or parent.type in BLOCKS
        or parent.type.startswith("preproc")
    ):
        return None
    if parent.type in ("translation_unit", "labeled_statement"):
        return None
    return before.end_byte


def indent_of(source: Source, node: Node) -> str:
    """Return the white space before the statement that `node` is, or of its line."""
    return _margin(source, node.start_byte)
