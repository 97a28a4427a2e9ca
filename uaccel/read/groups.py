# SPDX-License-Identifier: GPL-2.0-only
"""Group the accesses of a function: those that one window could hold.

Two accesses belong together when nothing that lies between them on their path forbids a window:
no call that is not known to compile to none, no label, no ordinary copy of unknown length.  A
branch that leaves the function may call what it likes: its window is closed before.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace

from tree_sitter import Node

from uaccel.model.source import Held
from uaccel.read.csource import closing
from uaccel.read.ways import (
    BROKE,
    LEFT,
    NOTHING,
    Group,
    Place,
    Site,
    Whole,
    evaluated,
    is_tail,
    one,
    split,
)

_LEAVES = frozenset(("return_statement", "goto_statement", "break_statement", "continue_statement"))
_FAR = frozenset(("return_statement", "goto_statement"))  # out of a loop, too
_SIMPLE = frozenset(
    (
        *("expression_statement", "declaration", "return_statement", "goto_statement"),
        *("break_statement", "continue_statement", "comment", "type_definition"),
    )
)
_LOOPS = frozenset(("for_statement", "while_statement", "do_statement"))
_BRANCHES = frozenset(
    ("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif", "preproc_elifdef")
)
_LABELLED = frozenset(("labeled_statement", "case_statement", "else_clause"))
_APART = _LOOPS | _BRANCHES | {"switch_statement"}
_LABEL = re.compile(rb"\n ?\w+:")


@dataclass(frozen=True, slots=True)
class Body:
    """What the grouping looks at: places and calls, both in the order of the text."""

    root: Node
    clean: bytes
    places: tuple[Place, ...]
    calls: tuple[int, ...]  # offsets of calls that no window may hold
    held: tuple[Held, ...] = ()  # windows that were unmade: none is joined with what is beside it


def group(body: Body) -> tuple[tuple[Group, ...], tuple[Place, ...]]:
    """Return the groups of a function's body, and the places that could not be parsed."""
    grouper = _Grouper(body)
    for node in body.root.named_children:
        grouper.statement(node)
    grouper.flush()
    seen = {site.place.at for one in grouper.done for site in one.sites}
    odd = tuple(place for place in body.places if place.at not in seen)
    return tuple(sorted(grouper.done, key=lambda one: one.sites[0].place.at)), odd


class _Grouper:
    def __init__(self, body: Body) -> None:
        self.clean = body.clean
        self.places = body.places
        self.offsets = [place.at for place in body.places]
        self.calls = body.calls
        self.edges = sorted(edge for one in body.held for edge in (one.span.start, one.span.end))
        self.last = 0
        self.exits = _LEAVES
        self.run = NOTHING
        self.done: list[Group] = []

    def flush(self) -> None:
        if self.run.sites:
            self.done += split(self.run)
        self.run = NOTHING

    def statement(self, node: Node) -> None:
        if self._has_edge(self.last, node.start_byte):
            self.flush()
        self.last = node.start_byte
        if not self._places(node):
            if self.run.sites and (node.type in _LEAVES or not self._passes(node)):
                self.flush()
            return
        whole = self._whole(node)
        if whole is None:
            self._piecewise(node)
            return
        self.run = self.run.then(whole)
        if not self.run.through:  # nothing below is on any of these paths
            self.flush()

    def _places(self, node: Node) -> tuple[Place, ...]:
        first = bisect_left(self.offsets, node.start_byte)
        return self.places[first : bisect_left(self.offsets, node.end_byte)]

    def _calls(self, node: Node) -> bool:
        first = bisect_left(self.calls, node.start_byte)
        return first < len(self.calls) and self.calls[first] < node.end_byte

    def _has_call(self, place: Place) -> bool:
        first = bisect_left(self.calls, place.at)
        return first < len(self.calls) and self.calls[first] < place.end

    def _own_call(self, node: Node) -> bool:
        # `scoped_guard(...) {` and `for_each_set_bit(...)` were replaced by plain words for the
        # parser: the call is in the statement and in none of its parts.
        first = bisect_left(self.calls, node.start_byte)
        calls = self.calls[first : bisect_left(self.calls, node.end_byte)]
        parts = node.named_children
        return any(not any(p.start_byte <= at < p.end_byte for p in parts) for at in calls)

    def _passes(self, node: Node) -> bool:
        # Whether a window may stay open while this runs, or is left by whoever calls.
        kind = node.type
        if kind in ("labeled_statement", "case_statement", "ERROR"):
            return False
        if not self._calls(node):
            return not node.has_error and _LABEL.search(self.clean, *node.byte_range) is None
        if kind == "compound_statement" or kind in _BRANCHES:
            return self._leaves(node) or all(map(self._passes, node.named_children))
        if kind == "else_clause":
            return all(map(self._passes, node.named_children))
        if kind != "if_statement" or self._own_call(node):
            return False
        condition = node.child_by_field_name("condition")
        branches = [
            node.child_by_field_name("consequence"),
            node.child_by_field_name("alternative"),
        ]
        return (condition is None or not self._calls(condition)) and all(
            self._leaves(branch) or self._passes(branch)
            for branch in branches
            if branch is not None
        )

    def _leaves(self, node: Node) -> bool:
        while node.type in ("compound_statement", "else_clause"):
            inside = node.named_children
            if not inside:
                return False
            node = inside[-1]
        if node.type == "if_statement":
            arms = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
            return all(arm is not None and self._leaves(arm) for arm in arms)
        return node.type in self.exits

    def _has_edge(self, start: int, end: int) -> bool:
        # Whether a window that was unmade began or ended there.
        return any(start <= edge <= end for edge in self.edges)

    def _whole(self, node: Node) -> Whole | None:
        # None when no window may hold all of it.
        kind = node.type
        if self._has_edge(node.start_byte + 1, node.end_byte - 1):
            return None
        if not self._places(node):
            if kind in _LEAVES:
                return LEFT if kind in _FAR else BROKE
            return NOTHING if self._passes(node) else None
        if kind in _SIMPLE or kind.endswith("expression"):
            return self._simple(node)
        if kind in ("compound_statement", "else_clause"):
            return self._sequence(node.named_children)
        if kind in _BRANCHES:
            return self._compiled(node)
        if self._own_call(node):
            return None
        if kind == "if_statement":
            return self._forked(node)
        if kind in _LOOPS:
            return self._looped(node)
        if kind == "switch_statement":
            return self._switched(node)
        return None

    def _simple(self, node: Node) -> Whole | None:
        if node.has_error or any(not place.joins for place in self._places(node)):
            return None
        inside = self._places(node)
        first = bisect_left(self.calls, node.start_byte)
        for call in self.calls[first : bisect_left(self.calls, node.end_byte)]:
            # A call among the arguments of an access may run before the window opens.
            if not any(place.at < call < place.end for place in inside):
                return None
        sites = [self._site(node, place) for place in inside]
        if None in sites:
            return None
        whole = evaluated(node, [site for site in sites if site is not None])
        return whole.left() if node.type == "return_statement" else whole

    def _site(self, node: Node, place: Place) -> Site | None:
        end = place.at + len(place.name)
        name = node.descendant_for_byte_range(place.at, end)
        call = name.parent if name is not None else None
        if name is None or call is None or name.end_byte != end or call.type != "call_expression":
            return None
        arguments = call.child_by_field_name("arguments")
        if arguments is None or not place.takes(arguments.named_child_count):
            return None
        return Site(place, call, node, 0)

    def _sequence(self, nodes: list[Node]) -> Whole | None:
        whole = NOTHING
        for node in nodes:
            part = self._whole(node)
            if part is None:
                return None
            whole = whole.then(part)
        return whole

    def _compiled(self, node: Node) -> Whole | None:
        # One branch of an #if, or none, is compiled.
        others = [child for child in node.named_children if child.type in _BRANCHES]
        own = [child for child in node.named_children if child not in others]
        whole = self._sequence([child for child in own if _is_statement(child)])
        for other in others:
            part = self._whole(other)
            if part is None or whole is None:
                return None
            whole = whole.either(part)
        return whole

    def _forked(self, node: Node) -> Whole | None:
        condition = node.child_by_field_name("condition")
        whole = self._within(node, condition) if condition is not None else None
        if whole is None:
            return None
        branches = Whole(through=())
        for name in ("consequence", "alternative"):
            branch = node.child_by_field_name(name)
            part: Whole | None = NOTHING
            if branch is not None and not self._places(branch) and self._leaves(branch):
                part = LEFT
            elif branch is not None:
                part = self._whole(branch)
            if part is None:
                return None
            branches = branches.either(part)
        return whole.then(branches)

    def _within(self, statement: Node, expression: Node) -> Whole | None:
        # The sites of a condition belong to the statement that it steers.
        if not self._places(expression):
            return None if self._calls(expression) else NOTHING
        whole = self._simple(expression)
        if whole is None:
            return None
        return replace(whole, sites=tuple(replace(s, statement=statement) for s in whole.sites))

    def _looped(self, node: Node) -> Whole | None:
        exits, self.exits = self.exits, _FAR
        whole: Whole | None = NOTHING
        for child in node.named_children:
            body = child.type.endswith("statement") or child.type == "declaration"
            part = self._whole(child) if body else self._within(node, child)
            if part is None or whole is None:
                whole = None
                break
            whole = whole.then(part)
        self.exits = exits
        if whole is None:
            return None
        if _runs_once(node):
            return whole.caught()
        if any(self._has_call(site.place) for site in whole.sites):
            return None  # no argument of a later pass can be worked out before the window opens
        whole = whole.repeated()
        return replace(whole, sites=tuple(replace(site, loop=node.id) for site in whole.sites))

    def _switched(self, node: Node) -> Whole | None:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        head = self._within(node, condition) if condition is not None else None
        if head is None or body is None:
            return None
        exits, self.exits = self.exits, self.exits & _FAR
        arms: Whole | None = NOTHING  # no case may be meant
        falls = NOTHING
        for child in body.named_children:
            if child.type != "case_statement":
                arms = None
                break
            value = child.child_by_field_name("value")
            arm = self._sequence([one for one in child.named_children if one != value])
            if arm is None or arms is None:
                arms = None
                break
            falls = falls.then(arm) if falls.through else arm
            arms = arms.either(replace(falls, sites=arm.sites))
        self.exits = exits
        return head.then(arms.caught()) if arms is not None else None

    def _piecewise(self, node: Node) -> None:
        kind = node.type
        if kind == "compound_statement":
            for child in node.named_children:
                self.statement(child)
        elif kind == "if_statement":
            self._if(node)
        elif kind in _LABELLED:
            self._parts(node)
        elif kind in _APART or any(c.type == "compound_statement" for c in node.named_children):
            self._apart(node)
        else:
            self._expression(node, node)

    def _if(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        consequence = node.child_by_field_name("consequence")
        alternative = node.child_by_field_name("alternative")
        own = self._own_call(node)
        if own:
            self.flush()
        if condition is not None:
            if self._places(condition):
                self._expression(node, condition)
            elif self._calls(condition):
                self.flush()
        kept, self.run = self.run, NOTHING
        for branch in (consequence, alternative):
            if branch is not None:
                self.statement(branch)
                self.flush()
        # What a branch that leaves does is of no concern to what follows it.
        open_ends = [
            branch
            for branch in (consequence, alternative)
            if branch is not None and not self._leaves(branch) and not self._passes(branch)
        ]
        self.run = kept
        if own or open_ends or any(self._places(b) for b in (alternative,) if b is not None):
            self.flush()

    def _apart(self, node: Node) -> None:
        self._parts(node)
        self.flush()

    def _parts(self, node: Node) -> None:
        self.flush()
        for child in node.named_children:
            if _is_statement(child):
                self.statement(child)
            elif self._places(child):
                self._expression(node, child)

    def _expression(self, statement: Node, node: Node) -> None:
        # Accesses and calls of one expression, in the order of the text.
        if node.has_error:
            self.flush()
            return
        inside = self._places(node)
        first = bisect_left(self.calls, node.start_byte)
        calls = self.calls[first : bisect_left(self.calls, node.end_byte)]
        before = node.start_byte
        for place in inside:
            site = self._site(node, place)
            if site is None:
                self.flush()
                continue
            foreign = [call for call in calls if before <= call < place.at]
            if foreign or not (place.joins or is_tail(self.run.sites, site, calls)):
                self.flush()
            self.run = self.run.then(one(replace(site, statement=statement)))
            if not place.joins:
                self.flush()
            before = place.end
        if any(before <= call or self._encloses(call, inside) for call in calls):
            self.flush()

    def _encloses(self, call: int, inside: tuple[Place, ...]) -> bool:
        # foo(get_user(...)): foo() runs after the access, and before what follows.
        end = closing(self.clean, self.clean.find(b"(", call))
        return any(call < place.at < end for place in inside)


def _is_statement(node: Node) -> bool:
    return node.type.endswith(("statement", "declaration")) or node.type in _BRANCHES


def _runs_once(node: Node) -> bool:
    condition = node.child_by_field_name("condition")
    text = condition.text if condition is not None else None
    return node.type == "do_statement" and text in (b"(0)", b"(false)")
