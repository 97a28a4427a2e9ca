# SPDX-License-Identifier: GPL-2.0-only
"""Read a function, with its macros written out, as the steps that matter to windows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from uaccel.model.flowgraph import (
    Assign,
    Begin,
    Call,
    End,
    Jump,
    Leave,
    Mark,
    Nothing,
    Opening,
    Place,
    Step,
    Test,
)
from uaccel.read.csource import annotated, parse, plain, text_of, walk
from uaccel.read.flowlabels import GUARDED, Labels
from uaccel.read.flowsteps import Around, Expressions, Odd, statement_expression
from uaccel.read.opening import begins, harm_of, scopes
from uaccel.read.tamed import tamed
from uaccel.read.userside import bare, called, inner, is_local, names_in, number, pointer

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Steps:
    """A body as steps."""

    steps: tuple[Step, ...]
    entry: int


def read_steps(text: bytes, locate: Callable[[int], Place], helpers: frozenset[str]) -> Steps:
    """Return the steps of the block `text`, which has no comments; `helpers` were read too.

    `locate` says where a byte of it was written.  Raises `Odd` when it cannot be followed.
    """
    root = parse(annotated(tamed(text)))
    block = next((one for one in root.named_children if one.type == "compound_statement"), None)
    if block is None:
        raise Odd(0, "it does not parse as a block")
    broken = next((one for one in walk(root) if one.is_error or one.is_missing), None)
    if broken is not None:
        raise Odd(broken.start_byte, "the C here does not parse")
    builder = _Statements(locate, helpers, [], text, block, Labels(block, text))
    end = builder.add(Leave("", None, ""), block.end_byte - 1)
    entry = builder.block(block, end, Around())
    return Steps(tuple(builder.steps), entry)


@dataclass(slots=True)
class _Statements(Expressions):
    raw: bytes = b""  # the text with its annotations
    root: Node = None  # type: ignore[assignment]
    names: Labels = None  # type: ignore[assignment]
    labels: dict[tuple[int, str], int] = field(default_factory=dict)
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)  # of scopes, by their Begin

    def block(self, node: Node, following: int, around: Around) -> int:
        for statement in reversed(node.named_children):
            following = self._statement(statement, following, around)
        return following

    def block_condition(self, block: Node, yes: int, no: int, around: Around) -> int:
        *before, last = block.named_children or [block]
        following = self._last(last, lambda one: self.condition(one, yes, no, around), around)
        for statement in reversed(before):
            following = self._statement(statement, following, around)
        return following

    def last_value(self, name: str, right: Node, following: int, around: Around) -> int:
        block = statement_expression(right)
        at = right.start_byte

        def give(one: Node) -> int:
            return self.initialised(name, one, (following, following), at, around)

        if block is not None:
            *before, last = block.named_children or [block]
            made = self._last(last, give, around)
            for statement in reversed(before):
                made = self._statement(statement, made, around)
            return made
        asked, first, second = (
            right.child_by_field_name(part) for part in ("condition", "consequence", "alternative")
        )
        if asked is None or second is None:
            raise Odd(at, "a choice without its parts")
        other = give(second)
        one = (
            give(first) if first is not None else self.add(Assign(name, None, None), at, following)
        )
        return self.condition(asked, one, other, around)

    def _last(self, node: Node, give: Callable[[Node], int], around: Around) -> int:
        # The last statement of a statement expression is its value.
        if node.type == "labeled_statement":
            inner_ = node.named_children[-1]
            return self._labelled(node, self._last(inner_, give, around), around)
        if node.type != "expression_statement" or not node.named_child_count:
            raise Odd(node.start_byte, "the value of a statement expression is not seen")
        return give(node.named_children[0])

    def way(self, label: Node, around: Around) -> int:
        if label.type not in ("identifier", "statement_identifier"):
            raise Odd(label.start_byte, "a label that is no name")
        key = self.names.key(label)
        target = self._target(key, label)
        at = self.names.mark(label).start_byte
        inside = tuple(one for one, (start, end) in self.spans.items() if start <= at < end)
        left = [one for one in around.scopes if one not in inside]
        for scope in left:  # the innermost ends first
            target = self._ended(scope, label.start_byte, target)
        return target

    def guarded(self, node: Node, label: Node) -> tuple[str, ...]:
        return self.names.left(node, label)

    def _ended(self, scope: int, at: int, following: int) -> int:
        begin = self.steps[scope].does
        if not isinstance(begin, Begin):
            raise Odd(at, "a scope without a begin")
        return self.add(End("", begin.mode, scope), at, following)

    def _statement(self, node: Node, following: int, around: Around) -> int:
        make = _STATEMENTS.get(node.type)
        if make is not None:
            return make(self, node, following, around)
        if node.type in ("comment", "type_definition", "struct_specifier", "attributed_statement"):
            return following
        return self.value(node, following, around)

    def _expression(self, node: Node, following: int, around: Around) -> int:
        return (
            self.value(node.named_children[0], following, around)
            if node.named_children
            else following
        )

    def _expression_or_block(self, node: Node, following: int, around: Around) -> int:
        return self._statement(node.named_children[0], following, around)

    def _declaration(self, node: Node, following: int, around: Around) -> int:
        if text_of(node).startswith("__label__"):
            return following
        for one in reversed(node.children_by_field_name("declarator")):
            value = one.child_by_field_name("value")
            if one.type != "init_declarator" or value is None:
                continue
            name = next((text_of(n) for n in walk(one) if n.type == "identifier"), "")
            if value.type == "initializer_list":
                following = self.value(value, following, around)
                zeroed = 0 if bare(value) in ("{}", "{0}", "{NULL}") else None
                following = self.add(Assign(name, zeroed, None), one.start_byte, following)
                continue
            ways = (following, following)
            following = self.initialised(name, value, ways, one.start_byte, around)
        return following

    def _if(self, node: Node, following: int, around: Around) -> int:
        raw = self._raw(node)
        asked, yes, no = (
            node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")
        )
        if asked is None or yes is None:
            return following
        word = _WORD.match(raw)
        if word is not None and scopes(word[0]) is not None:
            return self._scope(node, word[0], following, around)
        if word is not None and GUARDED.match(raw):  # a loop of one pass
            inside = replace(around, breaks=following, continues=following)
            inside = replace(inside, binds=None, repeats=None)
            body = self._statement(yes, following, inside)
            lock = self.add(Call(word[0], (), harm_of(word[0])), node.start_byte, body)
            return self.value(asked, lock, around)
        other = self._statement(no, following, around) if no is not None else following
        return self.condition(asked, self._statement(yes, following, around), other, around)

    def _scope(self, node: Node, word: str, following: int, around: Around) -> int:
        asked, body = (node.child_by_field_name(n) for n in ("condition", "consequence"))
        if asked is None or body is None:
            raise Odd(node.start_byte, f"{word}() without what it needs")
        known = scopes(word)
        given = _listed(plain(asked))
        if known is None or len(given) != 2 + known[1]:
            raise Odd(node.start_byte, f"{word}() with other arguments than it has")
        place = pointer(given[0])
        size = bare(given[1]) if known[1] else f"sizeof(*{place.text})"
        begin = self.add(Nothing(), node.start_byte)
        self.spans[begin] = (node.start_byte, node.end_byte)
        does = Begin(
            word,
            known[0],
            Opening.SCOPED,
            place,
            size,
            ignored=False,
            target="",
            label=text_of(given[-1]),
        )
        failed = self.way(given[-1], around)
        self.steps[begin] = replace(self.steps[begin], does=does)
        end = self._ended(begin, node.end_byte - 1, following)
        inside = Around(
            *(end, end, (*around.scopes, begin), begin, begin),
            loops=around.loops,
        )
        entry = self._statement(body, end, inside)
        self.steps[begin] = replace(self.steps[begin], next=(entry, failed))
        return self.value(given[0], begin, around)

    def _loop(self, node: Node, following: int, around: Around) -> int:
        head = self.add(Nothing(), node.start_byte)
        start, asked, step = (
            node.child_by_field_name(name) for name in ("initializer", "condition", "update")
        )
        again = self.value(step, head, around) if step is not None else head
        body = node.child_by_field_name("body")
        if body is None:
            return following
        inside = replace(
            around,
            breaks=following,
            continues=again,
            binds=None,
            repeats=None,
            loops=around.loops + 1,
        )
        if node.type == "do_statement" and asked is not None:
            tail = self.add(Nothing(), asked.start_byte)
            entry = self._statement(body, tail, replace(inside, continues=tail))
            back = self.condition(asked, head, following, around)
            self.steps[tail] = replace(self.steps[tail], next=(back,))
            self.steps[head] = replace(self.steps[head], next=(entry,))
            return head
        entry = self._statement(body, again, inside)
        once = self.condition(asked, entry, following, around) if asked is not None else entry
        if asked is not None and plain(asked).type == "comma_expression":  # for_each_...(a, b)
            meet = self.add(Nothing(), node.start_byte, entry, following)
            once = self.value(asked, meet, around)
        self.steps[head] = replace(self.steps[head], next=(once,))
        return self._start(start, head, around)

    def _start(self, start: Node | None, head: int, around: Around) -> int:
        if start is None:
            return head
        return self._statement(start, head, around)

    def _switch(self, node: Node, following: int, around: Around) -> int:
        body, asked = node.child_by_field_name("body"), node.child_by_field_name("condition")
        if body is None or asked is None:
            return following
        inside = replace(around, breaks=following, binds=None, loops=around.loops + 1)
        cases: list[tuple[Node, int]] = []
        other, reached = following, following
        for one in reversed(body.named_children):
            if one.type != "case_statement":
                reached = self._statement(one, reached, inside)
                continue
            value = one.child_by_field_name("value")
            for statement in reversed([c for c in one.named_children if c != value]):
                reached = self._statement(statement, reached, inside)
            if value is None:
                other = reached
            else:
                cases.append((value, reached))
        what = plain(asked)
        for value, entry in cases:  # the last case is asked last
            text = f"{bare(what)}=={bare(value)}"
            known = is_local(what) and is_local(value) and value.type != "binary_expression"
            test = Test(text, names_in(what) | names_in(value), local=known)
            other = self.add(test, value.start_byte, entry, other)
        return self.value(asked, other, around)

    def _labelled_statement(self, node: Node, following: int, around: Around) -> int:
        inside = node.named_children[1:]
        entry = following
        for one in reversed(inside):
            entry = self._statement(one, entry, around)
        return self._labelled(node, entry, around)

    def _labelled(self, node: Node, entry: int, around: Around) -> int:
        label = node.named_children[0]
        key = self.names.key(label)
        number_ = self._target(key, label)
        scope = around.scopes[-1] if around.scopes else None
        mark = Mark(text_of(label), scope)
        self.steps[number_] = Step(mark, self.locate(label.start_byte), (entry,))
        return number_

    def _goto(self, node: Node, _following: int, around: Around) -> int:
        label = next((one for one in node.named_children), None)
        if label is None or label.type != "statement_identifier":
            raise Odd(node.start_byte, "a goto that names no label")
        way = self.way(label, around)
        return self.add(Jump("goto", text_of(label), None, looped=False), node.start_byte, way)

    def _break(self, node: Node, _following: int, around: Around) -> int:
        if around.breaks is None:
            raise Odd(node.start_byte, "a break outside of loop and switch")
        jump = Jump("break", "", around.binds, looped=around.loops > 0)
        return self.add(jump, node.start_byte, around.breaks)

    def _continue(self, node: Node, _following: int, around: Around) -> int:
        if around.continues is None:
            raise Odd(node.start_byte, "a continue outside of a loop")
        jump = Jump("continue", "", around.repeats, looped=around.loops > 0)
        return self.add(jump, node.start_byte, around.continues)

    def _return(self, node: Node, _following: int, around: Around) -> int:
        value = node.named_children[0] if node.named_children else None

        def leave(known: int | None, name: str = "") -> int:
            made = self.add(Leave("return", known, name), node.start_byte)
            for scope in around.scopes:
                made = self._ended(scope, node.start_byte, made)
            return made

        if value is None:
            return leave(None)
        node_ = inner(value)
        if any(n.type == "call_expression" and begins(called(n)) for n in walk(value)):
            return self.condition(value, leave(1), leave(0), around)
        if statement_expression(node_) is not None or node_.type == "conditional_expression":
            name = f"@{node.start_byte}"
            return self.last_value(name, node_, leave(None, name), around)
        if node_.type == "call_expression" and called(node_) in self.helpers:
            name = f"@{node.start_byte}"
            got = self.add(
                Assign(name, None, None, called=True), node.start_byte, leave(None, name)
            )
            return self.value(node_, got, around)
        name = bare(node_) if node_.type == "identifier" else ""
        return self.value(value, leave(number(value), name), around)

    def _preprocessor(self, node: Node, _following: int, _around: Around) -> int:
        raise Odd(node.start_byte, "a line of the preprocessor stands here")

    def _target(self, key: tuple[int, str], label: Node) -> int:
        if key not in self.labels:
            self.names.mark(label)
            self.labels[key] = self.add(Nothing(), label.start_byte)
        return self.labels[key]

    def _raw(self, node: Node) -> str:
        return self.raw[node.start_byte : node.end_byte].decode("latin1")


def _listed(node: Node) -> list[Node]:
    # What the commas of `(p, n, label)` part.
    if node.type != "comma_expression":
        return [node]
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    return [*(_listed(left) if left else ()), *(_listed(right) if right else ())]


_Make = Callable[[_Statements, Node, int, Around], int]
_STATEMENTS: Mapping[str, _Make] = {
    "compound_statement": _Statements.block,
    "expression_statement": _Statements._expression,
    "declaration": _Statements._declaration,
    "if_statement": _Statements._if,
    "else_clause": _Statements._expression_or_block,
    "for_statement": _Statements._loop,
    "while_statement": _Statements._loop,
    "do_statement": _Statements._loop,
    "switch_statement": _Statements._switch,
    "labeled_statement": _Statements._labelled_statement,
    "goto_statement": _Statements._goto,
    "break_statement": _Statements._break,
    "continue_statement": _Statements._continue,
    "return_statement": _Statements._return,
    **dict.fromkeys(
        ("preproc_if", "preproc_ifdef", "preproc_def", "preproc_call", "preproc_function_def"),
        _Statements._preprocessor,
    ),
}
