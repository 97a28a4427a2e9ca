# SPDX-License-Identifier: GPL-2.0-only
"""The steps that an expression takes, in the order in which they are taken.

Steps are made from the end to the beginning: who makes one says what follows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from uaccel.model.access import Direction
from uaccel.model.flowgraph import (
    Assign,
    Call,
    Does,
    End,
    Nothing,
    Opening,
    Place,
    Ranged,
    Step,
    Test,
)
from uaccel.read.accesses import is_cast
from uaccel.read.calls import is_pure
from uaccel.read.csource import plain, text_of
from uaccel.read.flowcalls import begin, ordinary, unsafe_access
from uaccel.read.opening import begins, ends, harm_of, is_ordinary, is_quiet, touches
from uaccel.read.userside import (
    arguments,
    bare,
    called,
    inner,
    is_local,
    names_in,
    number,
    pointer,
)

_HINTS = ("likely", "unlikely", "__builtin_expect")
_WARNS = ("WARN_ON", "WARN_ON_ONCE")
_UNEVALUATED = ("sizeof_expression", "offsetof_expression", "alignof_expression")
_NOUGHT = re.compile(r"([\w>.&-]+|\([^()]*\))(==|!=)(?:NULL|0|false)")
_COMPARED = ("==", "!=", "<", ">", "<=", ">=")


class Odd(Exception):
    """Something that cannot be followed: where, and one sentence that says why."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at
        self.why = why


@dataclass(frozen=True, slots=True)
class Around:
    """What a statement stands in."""

    breaks: int | None = None  # where a break goes on
    continues: int | None = None
    scopes: tuple[int, ...] = ()  # Begin steps of the scopes around, the innermost last
    binds: int | None = None  # the scope that a break binds to; None for a loop or switch
    repeats: int | None = None  # the same of a continue
    loops: int = 0  # loops and switches around


@dataclass(slots=True)
class Expressions:
    """Steps of expressions; statements come with `uaccel/read/flowgraph.py`."""

    locate: Callable[[int], Place]
    helpers: frozenset[str]  # functions that were read too: what they return is followed
    steps: list[Step] = field(default_factory=list)

    def add(self, does: Does, at: int, *following: int, guarded: tuple[str, ...] = ()) -> int:
        """Return the number of a new step."""
        self.steps.append(Step(does, self.locate(at), following, guarded))
        return len(self.steps) - 1

    def value(self, node: Node, following: int, around: Around) -> int:
        """Return the first step of evaluating `node`, after which `following` is next."""
        made = self._special(node, following, around)
        if made is not None:
            return made
        if node.type in _UNEVALUATED:
            return following
        for child in reversed(node.named_children):
            following = self.value(child, following, around)
        return following

    def condition(self, node: Node, yes: int, no: int, around: Around) -> int:
        """Return the first step of a condition: after it `yes` or `no` is next."""
        node = plain(node)
        if node.type == "unary_expression" and bare(node).startswith("!"):
            return self.condition(node.named_children[-1], no, yes, around)
        operator = node.child_by_field_name("operator")
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if node.type == "binary_expression" and operator and left and right:
            return self._binary(node, yes, no, around)
        if node.type == "comma_expression" and left and right:
            return self.value(left, self.condition(right, yes, no, around), around)
        if node.type == "conditional_expression":
            return self._choice(node, yes, no, around)
        if node.type == "call_expression" and not is_cast(node):
            return self._asked(node, yes, no, around)
        if node.type == "assignment_expression" and left and right:
            return self._assigned(node, left, right, (yes, no), around)
        block = statement_expression(node)
        if block is not None:
            return self.block_condition(block, yes, no, around)
        known = number(node)
        if known is not None:
            return yes if known else no
        return self._test(node, bare(node), names_in(node), (yes, no), around)

    def block(self, node: Node, following: int, around: Around) -> int:
        """Return the first step of a block; statements bring their own."""
        raise NotImplementedError

    def block_condition(self, block: Node, yes: int, no: int, around: Around) -> int:
        """Return the first step of a statement expression that is a condition."""
        raise NotImplementedError

    def way(self, label: Node, around: Around) -> int:
        """Return where an access whose label this is goes on when it fails."""
        raise NotImplementedError

    def guarded(self, node: Node, label: Node) -> tuple[str, ...]:
        """Return the variables with a clean-up that a jump from `node` to `label` leaves."""
        raise NotImplementedError

    def _test(
        self, node: Node, text: str, names: frozenset[str], ways: tuple[int, int], around: Around
    ) -> int:
        text, same = _canonical(text)
        test = Test(text, names, local=is_local(node))
        if not same:
            ways = ways[::-1]
        return self.value(node, self.add(test, node.start_byte, *ways), around)

    def _binary(self, node: Node, yes: int, no: int, around: Around) -> int:
        left, right, sign = _sides_of(node)
        if sign == "&&":
            return self.condition(left, self.condition(right, yes, no, around), no, around)
        if sign == "||":
            return self.condition(left, yes, self.condition(right, yes, no, around), around)
        if sign not in _COMPARED:
            return self._test(node, bare(node), names_in(node), (yes, no), around)
        known, other = number(right), left
        if known is None:
            known, other = number(left), right
        if sign in ("==", "!=") and known in (0, 1) and self._opens(other):
            same = (sign == "==") == (known == 1)
            return self.condition(other, *((yes, no) if same else (no, yes)), around)
        call = inner(left)
        if (
            call.type == "call_expression"
            and called(call) in self.helpers
            and number(right) is not None
        ):
            name = f"@{call.start_byte}"
            test = Test(f"{name}{sign}{bare(right)}", frozenset((name,)), local=True)
            asked = self.add(test, node.start_byte, yes, no)
            got = self.add(Assign(name, None, None, called=True), node.start_byte, asked)
            return self.value(call, got, around)
        block = statement_expression(inner(left))
        if block is not None and sign in ("==", "!=") and number(right) == 0:
            ways = (no, yes) if sign == "==" else (yes, no)
            return self.block_condition(block, *ways, around)
        return self._test(node, bare(node), names_in(node), (yes, no), around)

    def _choice(self, node: Node, yes: int, no: int, around: Around) -> int:
        asked, first, second = (
            node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")
        )
        if asked is None or second is None:
            raise Odd(node.start_byte, "a choice without its parts")
        other = self.condition(second, yes, no, around)
        one = self.condition(first, yes, no, around) if first is not None else yes
        return self.condition(asked, one, other, around)

    def _opens(self, node: Node) -> bool:
        node = plain(node)
        if node.type == "call_expression" and called(node) in _HINTS and arguments(node):
            return self._opens(arguments(node)[0])
        if node.type == "unary_expression" and bare(node).startswith("!"):
            return self._opens(node.named_children[-1])
        return node.type == "call_expression" and begins(called(node)) is not None

    def _asked(self, call: Node, yes: int, no: int, around: Around) -> int:
        name, given = called(call), arguments(call)
        if name in (*_HINTS, *_WARNS) and given:
            asked = self.condition(given[0], yes, no, around)
            if name in _HINTS:
                return asked
            return self.add(Call(name, (), harm_of(name)), call.start_byte, asked)
        if begins(name) is not None:
            return self._begin(call, (yes, no), around)
        if name == "access_ok" and len(given) > 1:
            ranged = Ranged(pointer(given[0]))
            return self._given(call, self.add(ranged, call.start_byte, yes, no), around)
        if name in self.helpers:
            kept = f"@{call.start_byte}"
            test = self.add(Test(kept, frozenset((kept,)), local=True), call.start_byte, yes, no)
            got = self.add(Assign(kept, None, None, called=True), call.start_byte, test)
            return self.value(call, got, around)
        return self._test(call, bare(call), names_in(call), (yes, no), around)

    def _begin(
        self, call: Node, ways: tuple[int, int], around: Around, ignored: bool = False, to: str = ""
    ) -> int:
        does = begin(call, ignored=ignored, target=to)
        following = ways if does.opening is Opening.CHECKED else ways[:1]
        return self._given(call, self.add(does, call.start_byte, *following), around)

    def _special(self, node: Node, following: int, around: Around) -> int | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        block = statement_expression(node)
        if block is not None:
            return self.block(block, following, around)
        if node.type == "binary_expression" and left and right:
            if bare(node.child_by_field_name("operator") or node) in ("&&", "||"):
                return self.condition(node, following, following, around)
        elif node.type == "conditional_expression":
            return self._chosen(node, following, around)
        elif node.type == "assignment_expression" and left and right:
            return self._assigned(node, left, right, (following, following), around)
        elif node.type == "update_expression":
            return self._updated(node, following, around)
        elif node.type == "call_expression" and not is_cast(node):
            return self._called(node, following, around)
        elif node.type == "gnu_asm_expression":
            return self._assembler(node, following, around)
        return None

    def _chosen(self, node: Node, following: int, around: Around) -> int:
        asked, first, second = (
            node.child_by_field_name(name) for name in ("condition", "consequence", "alternative")
        )
        if asked is None or second is None:
            return following
        other = self.value(second, following, around)
        one = self.value(first, following, around) if first is not None else following
        return self.condition(asked, one, other, around)

    def _assigned(
        self, node: Node, left: Node, right: Node, ways: tuple[int, int], around: Around
    ) -> int:
        name = bare(inner(left))
        sign = bare(node.child_by_field_name("operator") or node)
        if sign == "=":
            made = self.initialised(name, right, ways, node.start_byte, around)
        elif self._opens(right):
            raise Odd(node.start_byte, "the result of a begin is counted in with others")
        else:
            does = Assign(name, None, None, same=sign in ("+=", "-="))
            made = self.value(right, self.add(does, node.start_byte, ways[0]), around)
            if ways[0] != ways[1]:
                test = self.add(Test(name, frozenset((name,)), local=True), node.start_byte, *ways)
                does_step = self.add(does, node.start_byte, test)
                made = self.value(right, does_step, around)
        return self.value(left, made, around) if left.type != "identifier" else made

    def initialised(
        self, name: str, right: Node, ways: tuple[int, int], at: int, around: Around
    ) -> int:
        """Return the first step of giving `name` a value; `ways` follow as it is true or not."""
        call = inner(right)
        known = begins(called(call)) if call.type == "call_expression" else None
        if known is not None and known[1] is not Opening.CHECKED:  # p = masked_...(p)
            origin = pointer(arguments(call)[0]) if arguments(call) else None
            got = self.add(Assign(name, None, origin), at, ways[0])
            return self._begin(call, (got, got), around, to=name)
        if self._opens(right) or _is_truth(right):
            yes = self.add(Assign(name, 1, None), at, ways[0])
            no = self.add(Assign(name, 0, None), at, ways[1])
            return self.condition(right, yes, no, around)
        if statement_expression(call) is not None or call.type == "conditional_expression":
            return self._value_of(name, call, ways, at, around)
        from_helper = call.type == "call_expression" and called(call) in self.helpers
        value = number(right)
        origin = None if value is not None or from_helper else pointer(right)
        does = Assign(name, value, origin, called=from_helper)
        following = ways[0]
        if ways[0] != ways[1]:
            test = Test(name, frozenset((name,)), local=name.isidentifier())
            following = self.add(test, at, *ways)
        return self.value(right, self.add(does, at, following), around)

    def _value_of(
        self, name: str, right: Node, ways: tuple[int, int], at: int, around: Around
    ) -> int:
        # err = ({ ...; __err; }) and err = a ? b : c
        following = ways[0]
        if ways[0] != ways[1]:
            following = self.add(Test(name, frozenset((name,)), local=True), at, *ways)
        return self.last_value(name, right, following, around)

    def last_value(self, name: str, right: Node, following: int, around: Around) -> int:
        """Return the first step of giving `name` the value of a block or choice."""
        raise NotImplementedError

    def _updated(self, node: Node, following: int, around: Around) -> int:
        target = node.child_by_field_name("argument")
        if target is None:
            return following
        name = bare(inner(target))
        made = self.add(Assign(name, None, None, same=True), node.start_byte, following)
        return self.value(target, made, around) if target.type != "identifier" else made

    def _called(self, call: Node, following: int, around: Around) -> int:
        name, given = called(call), arguments(call)
        if begins(name) is not None:
            return self._begin(call, (following, following), around, ignored=True)
        mode = ends(name)
        if mode is not None:
            return self.add(End(name, mode, None), call.start_byte, following)
        if touches(name) is not None and len(given) > 2:
            return self._touch(call, following, around)
        if name == "access_ok" and len(given) > 1:
            ranged = Ranged(pointer(given[0]))
            made = self.add(ranged, call.start_byte, following, following)
            return self._given(call, made, around)
        if name in _HINTS and given:
            return self.value(given[0], following, around)
        if is_ordinary(name):
            return self._given(call, self.add(ordinary(call), call.start_byte, following), around)
        if name and (is_pure(name) or is_quiet(name)):
            return self._given(call, following, around)
        pointers = tuple(pointer(one) for one in given)
        does = Call(name, pointers, harm_of(name))
        made = self._given(call, self.add(does, call.start_byte, following), around)
        function = call.child_by_field_name("function")
        if function is not None and function.type == "call_expression":  # guard(mutex)(&lock)
            does = replace(does, name=called(function), harm=harm_of(called(function)))
            return self._given(call, self.add(does, call.start_byte, following), around)
        return made if name or function is None else self.value(function, made, around)

    def _given(self, call: Node, following: int, around: Around) -> int:
        for one in reversed(arguments(call)):
            following = self.value(one, following, around)
        return following

    def _touch(self, call: Node, following: int, around: Around) -> int:
        does = unsafe_access(call)
        label = arguments(call)[-1]
        after = following
        kept = (does.kernel.text,) if does.way is Direction.READ else ()
        for name in (*does.changes, *kept):
            same = name in does.changes
            after = self.add(Assign(name, None, None, same=same), call.start_byte, after)
        failed = self.way(label, around)
        guarded = self.guarded(call, label)
        return self.add(does, call.start_byte, after, failed, guarded=guarded)

    def _assembler(self, node: Node, following: int, around: Around) -> int:
        labels = (one for one in node.named_children if one.type == "gnu_asm_goto_list")
        ways = [self.way(label, around) for one in labels for label in one.named_children]
        return self.add(Nothing(), node.start_byte, following, *ways)


def _sides_of(node: Node) -> tuple[Node, Node, str]:
    left, right, operator = (node.child_by_field_name(n) for n in ("left", "right", "operator"))
    if left is None or right is None or operator is None:
        raise Odd(node.start_byte, "an operator without its sides")
    return left, right, text_of(operator)


def _is_truth(node: Node) -> bool:
    # Of `!ok` and `a && b` the value is known where the condition is.
    node = plain(node)
    if node.type == "unary_expression":
        return bare(node).startswith("!") and is_local(node)
    if node.type != "binary_expression":
        return False
    sign = _sides_of(node)[2]
    return sign in ("&&", "||") or (sign in _COMPARED and is_local(node))


def _canonical(text: str) -> tuple[str, bool]:
    # `p!=NULL` asks the same as `p`, `p==0` the opposite.
    found = _NOUGHT.fullmatch(text)
    return (found[1].strip("()"), found[2] == "!=") if found is not None else (text, True)


def statement_expression(node: Node) -> Node | None:
    """Return the block of `({ ... })`, None when `node` is none."""
    node = plain(node)
    if node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    return node if node.type == "compound_statement" else None
