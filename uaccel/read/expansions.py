# SPDX-License-Identifier: GPL-2.0-only
"""Write out the macros of a file that make a function's accesses.

A style writes statements; what `COPY(x);` does shows when `err |= __get_user(...);` stands there.
The tokens are those that the preprocessor would put there, so nothing changes but the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.expansion import Expansion
from uaccel.model.rewrite import Edit, Refusal
from uaccel.model.source import Cluster, Function, Source, Span
from uaccel.read.csource import annotated, cleaned, parse_within, without_comments
from uaccel.read.layout import Laid, laid_out
from uaccel.read.substitution import (
    Definition,
    against,
    conditions,
    definition,
    hidden,
    split,
    substituted,
)

_NAME = re.compile(r"[A-Za-z_]\w*")
_DIRECTIVE = re.compile(r"^[ \t]*#", re.MULTILINE)
_CHANGING = (
    r"(?:\+\+|--|get_user\s*\()\s*%s\b|\b%s\s*(?:\+\+|--)|\b%s\s*(?:[-+*/%%&|^]|<<|>>)?=(?!=)"
)
_BLOCKS = ("compound_statement", "case_statement")


@dataclass(frozen=True, slots=True)
class _File:
    function: Function
    source: Source
    clean: bytes  # its text without comments
    root: Node  # the function's body


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    span: Span
    statement: Span | None  # that it is, with its semicolon; None when it is used as a value
    block: bool  # other statements may stand beside that one
    bare: bool  # parentheses stand around it already
    indent: str
    starts: bool  # its line


def expansions(function: Function) -> tuple[Expansion | Refusal, ...]:
    """Return, for each cluster whose accesses stand in macros of the file, its text without them.

    Where a macro cannot be written out, the reason stands there.
    """
    wrapped = [(one, _calls(function.source, one)) for one in function.clusters if one.shares]
    if not any(calls for _, calls in wrapped):
        return ()
    file = _file(function)
    answers = (_answer(file, cluster, calls) for cluster, calls in wrapped if calls)
    return tuple(answer for answer in answers if answer is not None)


def unused(function: Function, expanded: tuple[Expansion, ...]) -> tuple[Edit, ...]:
    """Return what takes the macros away that only `expanded` used, if `function` defines them."""
    if not expanded:
        return ()
    file = _file(function)
    calls = tuple(call for one in expanded for call in one.calls)
    return tuple(dict.fromkeys(edit for at in calls for edit in _gone(file, at, calls)))


def _file(function: Function) -> _File:
    clean, body = cleaned(function.source.text), function.body
    plain = annotated(clean[body.start : body.end])
    text = clean[: body.start] + plain + clean[body.end :]
    return _File(function, function.source, clean, parse_within(text, body))


def _calls(source: Source, cluster: Cluster) -> tuple[Span, ...]:
    # Those that are called by another name than the accessor's.
    wrapped = (a.call for a in cluster.accesses if _name(source, a.call) != a.accessor)
    return tuple(sorted(set(wrapped)))


def _name(source: Source, at: Span) -> str:
    found = _NAME.match(source.quote(at))
    return found[0] if found is not None else ""


def _answer(file: _File, cluster: Cluster, calls: tuple[Span, ...]) -> Expansion | Refusal | None:
    # None when what is called is no macro of the file.
    edits: list[Edit] = []
    before: Span | None = None
    for at in calls:
        name = _name(file.source, at)
        macro = definition(file.source, file.clean, name, at.start)
        if macro is None:
            return None
        call = _call(file, at)
        made = macro if isinstance(macro, str) else _text(file, macro, call, before)
        if not isinstance(made, str) and made.declares and len(calls) > 1:
            made = "declares variables and is used several times"
        made = made if isinstance(made, str) else _moving(file, cluster, made) or made
        if isinstance(made, str):
            return Refusal(cluster, f"its accesses stand in the macro {name}, which {made}")
        edits.append(_edit(file, call, made, before))
        before = call.statement
    return Expansion(cluster, calls, tuple(edits))


def _call(file: _File, at: Span) -> _Call:
    name, node = _name(file.source, at), file.root.descendant_for_byte_range(at.start, at.end)
    while node is not None and node.type != "call_expression":
        node = node.parent
    parent = node.parent if node is not None else None
    if parent is None or parent.type != "expression_statement":
        bare = parent is not None and parent.type == "parenthesized_expression"
        return _Call(name, at, None, block=False, bare=bare, indent="", starts=False)
    around = parent.parent
    block = around is not None and (around.type in _BLOCKS or around.type.startswith("preproc_"))
    statement = Span(parent.start_byte, parent.end_byte)
    starts = _margin(file.source, statement.start) is not None
    return _Call(name, at, statement, block, False, _indent(file.source, parent), starts)


def _text(file: _File, macro: Definition, call: _Call, before: Span | None) -> Laid | str:
    whole = file.source.quote(call.span)
    bare = without_comments(whole.encode(errors="surrogateescape"))
    if bare.decode(errors="surrogateescape") != whole:
        return "is called with a comment, which would be lost"
    if _DIRECTIVE.search(whole):
        return "is called across a preprocessor line"
    arguments = split(whole[whole.index("(") + 1 : -1])
    why = against(macro, arguments)
    if why is not None:
        return why
    made = laid_out(substituted(macro, arguments), call.indent)
    if isinstance(made, str):
        return made
    if call.statement is None:
        return made if made.value else "is no expression but is used as a value"
    if not made.lines:
        return "holds more than plain statements"
    if not call.block and not made.single:
        return "is used where only one statement can stand"
    follows = before is not None and _adjoin(file.source, before, call.statement)
    if len(made.lines) > 1 and not call.starts and not follows:
        return "does not start its line"
    return made


def _moving(file: _File, cluster: Cluster, made: Laid) -> str | None:
    # What a style works out before the window must not depend on what it does not see.
    among = file.source.quote(cluster.extent)
    shown = "\n".join((made.value, *made.lines))
    for name in sorted(hidden(file.clean, shown)):
        if re.search(_CHANGING % (name, name, name), among):
            return f"means {name} by another macro, and {name} changes among the accesses"
    return None


def _edit(file: _File, call: _Call, made: Laid, before: Span | None) -> Edit:
    if call.statement is None:
        return Edit(call.span, f"({made.value})" if made.closed and not call.bare else made.value)
    at, text = call.statement, "\n".join(made.lines)
    if before is not None and _adjoin(file.source, before, at):
        return Edit(Span(before.end, at.end), f"\n{text}")
    if not call.starts:
        return Edit(at, text.lstrip())
    return Edit(Span(file.source.text.rfind(b"\n", 0, at.start) + 1, at.end), text)


def _adjoin(source: Source, before: Span, at: Span) -> bool:
    # Nothing but blanks stands between two statements of one line.
    between = source.text[before.end : at.start]
    return not between.strip() and b"\n" not in between


def _indent(source: Source, statement: Node) -> str:
    # As the block wants it: `COPY(x)` may stand deeper, for columns.
    block = statement.parent
    if block is not None and block.type == "compound_statement":
        brace = _margin(source, block.end_byte - 1)
        if brace is not None:
            return f"{brace}\t"
    start = source.text.rfind(b"\n", 0, statement.start_byte) + 1
    line = source.text[start : statement.start_byte]
    return line[: len(line) - len(line.lstrip())].decode()


def _margin(source: Source, at: int) -> str | None:
    # The white space before what starts its line; None when something else does.
    before = source.text[source.text.rfind(b"\n", 0, at) + 1 : at]
    return before.decode() if not before.strip() else None


def _gone(file: _File, at: Span, calls: tuple[Span, ...]) -> Iterator[Edit]:
    name, body = _name(file.source, at), file.function.body
    macro = definition(file.source, file.clean, name, at.start)
    if not isinstance(macro, Definition) or not body.covers(macro.lines):
        return
    if conditions(file.clean, macro.lines.start) != conditions(file.clean, body.start):
        return
    word = re.compile(rb"\b" + name.encode() + rb"\b")
    named = {found.start() for found in word.finditer(file.clean, macro.lines.end, macro.until)}
    lines = [macro.lines, *((macro.undefined,) if macro.undefined is not None else ())]
    bare = without_comments(file.source.text)
    kept = any(bare[one.start : one.end] != file.source.text[one.start : one.end] for one in lines)
    if kept or named - {call.start for call in calls} or not body.covers(lines[-1]):
        return
    yield from (Edit(one, "") for one in lines)
