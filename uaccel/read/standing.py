# SPDX-License-Identifier: GPL-2.0-only
"""Look at the windows of one body: how they begin and end, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.source import Source, Span
from uaccel.read.calls import is_pure
from uaccel.read.csource import plain, span, text_of, walk
from uaccel.read.cuts import is_arm
from uaccel.read.places import Region
from uaccel.read.wrappers import Wrapper

BEGIN = re.compile(r"(?:masked_)?user_(?:read_|write_|rw_)?access_begin")
END = re.compile(r"user_(?:read_|write_|rw_)?access_end")
_SAVED = ("user_access_save", "user_access_restore")
_UNSAFE = re.compile(r"unsafe_(?:(?:get|put)_user|copy_(?:from|to)_user)")
LIKE = re.compile(r"_*unsafe_\w+")
# They compute an address or a size from a pointer and touch nothing behind it.
_ADDRESSES = frozenset("PAGE_ALIGN PAGE_ALIGNED CMSG_USER_DATA likely unlikely".split())
_USER = re.compile(r"__user\s*\*+\s*(?:(?:const|__restrict)\s+)*(\w+)")
_LEAVES = ("return_statement", "goto_statement", "break_statement", "continue_statement")
_LOOPS = ("while_statement", "for_statement", "do_statement")
BRANCH = "it begins in a branch: only a begin that is a statement of its own can go"


@dataclass(frozen=True, slots=True)
class Begin:
    """What opens a window."""

    statement: Node  # all of it: the `if`, the assignment, the scope
    kept: str  # what stays in its place: the other operands, an assignment; "" for nothing
    leaves: str  # what a failed begin does: "return -EFAULT;"; "" where it cannot fail
    body: Node | None  # of a scope
    covers: str  # its arguments without a label: "prev, reclen + prev_reclen"


@dataclass(frozen=True, slots=True)
class Standing:
    """A body that holds windows."""

    source: Source
    nodes: tuple[Node, ...]  # in the order of the text
    wrappers: Mapping[str, Wrapper]  # macros of the file that only wrap accesses

    def calls(self) -> Iterator[tuple[str, Node]]:
        """Yield every call with the name it calls."""
        for node in self.nodes:
            name = node.child_by_field_name("function") if node.type == "call_expression" else None
            if name is not None:
                yield text_of(name), node

    def unsafe(self) -> tuple[Node, ...]:
        """Return the calls that access user memory and jump to a label on a fault."""
        known = ((name, node) for name, node in self.calls() if self._is_known(name))
        return tuple(node for _, node in known)

    def ends(self) -> tuple[Node, ...]:
        """Return the calls that end a window."""
        return tuple(node for name, node in self.calls() if END.fullmatch(name))

    def begin(self, region: Region) -> Begin | str:
        """Return what opens the window of `region`, or why that cannot go."""
        if region.begin.startswith("scoped"):
            return self._scope(region)
        calls = [
            (name, node)
            for name, node in self.calls()
            if BEGIN.fullmatch(name) and region.span.start <= node.start_byte < region.span.end
        ]
        if not calls:
            return "the statement that opens it was not found"
        name, call = calls[0]
        if name.startswith("masked"):
            return self._masked(call, calls[1][1] if len(calls) > 1 else None)
        return self._checked(call)

    def obstacle(self, region: Region, mine: list[Node]) -> str | None:
        """Return why the accesses of `region`, of which `mine` are known, cannot go alone."""
        for name, call in self.calls():
            if name in _SAVED:
                return f"`{name}()` keeps the window of a caller"
            if not self._holds(region, call):
                continue
            if LIKE.fullmatch(name) and not self._is_known(name):
                return f"`{name}()` needs the window and has no form outside of one"
        for node in self.nodes:
            if node.type == "gnu_asm_expression" and self._holds(region, node):
                return "assembler in the window may access user memory"
        if not mine:
            return "what accesses user memory in it is no call of `unsafe_*()`"
        return self._handed_on(region)

    def _handed_on(self, region: Region) -> str | None:
        head = self.source.text[: self.nodes[0].start_byte].rpartition(b"\n\n")[2].decode("latin1")
        pointers = set(_USER.findall(head + self.source.quote(span(self.nodes[0]))))
        labels = {text_of(node) for node in self.nodes if node.type == "statement_identifier"}
        for name, call in self.calls():
            if self._is_known(name) or is_pure(name) or name in _ADDRESSES:
                continue
            if BEGIN.fullmatch(name) or not self._holds(region, call):
                continue
            given = call.child_by_field_name("arguments")
            for argument in given.named_children if given is not None else ():
                if _reaches(argument) in pointers or text_of(argument) in labels:
                    return f"`{name}()` is handed user memory and may need the window"
        return None

    def _is_known(self, name: str) -> bool:
        return name in self.wrappers or _UNSAFE.fullmatch(name) is not None

    def _holds(self, region: Region, node: Node) -> bool:
        # Whether the window may be open at `node`: what stands before it in its blocks tells.
        if not region.span.start < node.start_byte < region.span.end:
            return False
        if self._prepares(node):
            return False
        if region.begin.startswith("scoped") or node.start_byte < region.held.end:
            return True
        landings = {text_of(self._label(call)) for call in self.unsafe()}
        place: Node | None = node
        while place is not None and place.start_byte > region.span.start:
            before = place.prev_named_sibling
            while before is not None:
                if before.type == "labeled_statement":
                    if _is_end(before.named_children[-1]):
                        return False
                    if text_of(before.named_children[0]) in landings:
                        return True
                if _is_end(before):
                    return False
                if span(before).start <= region.span.start < span(before).end:
                    # Beside the branch that it began in, it is not open.
                    within = place.parent is not None and place.parent.type == "if_statement"
                    return not within or before.type == "parenthesized_expression"
                before = before.prev_named_sibling
            place = place.parent
        return True

    def _prepares(self, node: Node) -> bool:
        # Whether it is an argument of a begin, computed before that.
        place = node
        while place.parent is not None:
            place = place.parent
            name = place.child_by_field_name("function")
            if name is not None and BEGIN.fullmatch(text_of(name)):
                return True
            if place.type.endswith("_statement"):
                head = place.child_by_field_name("condition")
                scope = self.source.text.startswith(b"scoped_", place.start_byte)
                return scope and head is not None and span(head).covers(span(node))
        return False

    def _label(self, call: Node) -> Node:
        given = call.child_by_field_name("arguments")
        return given.named_children[-1] if given is not None and given.named_children else call

    def _covers(self, begin: Node) -> str:
        given = begin.child_by_field_name("arguments")
        return " ".join(self.source.quote(span(given))[1:-1].split()) if given is not None else ""

    def _scope(self, region: Region) -> Begin | str:
        found = (n for n in self.nodes if n.type == "if_statement")
        scope = next((n for n in found if n.start_byte == region.span.start), None)
        body = scope.child_by_field_name("consequence") if scope is not None else None
        if scope is None or body is None:
            return "the statement that opens it was not found"
        if not _in_block(scope):
            return BRANCH
        if _binds(body):
            return "a `break` or `continue` in it leaves the scope"
        condition = scope.child_by_field_name("condition")
        if condition is None:
            return "the statement that opens it was not found"
        covers, _, label = self.source.quote(span(condition)).strip("() \t\n").rpartition(",")
        covers = " ".join(covers.split())
        whole = covers if "," in covers else f"{covers}, sizeof(*{covers})"
        return Begin(scope, "", f"goto {label.strip()};", body, whole)

    def _masked(self, call: Node, other: Node | None) -> Begin | str:
        statement = call.parent
        while statement is not None and not statement.type.endswith(("_statement", "declaration")):
            statement = statement.parent
        given = call.child_by_field_name("arguments")
        if statement is None or given is None:
            return BRANCH
        ladder = self._ladder(statement, other)
        if ladder is not None:
            return ladder
        if not _in_block(statement) or _is_masking(statement):
            return BRANCH
        argument = self.source.quote(span(given))[1:-1]
        text = self.source.quote(span(statement))
        start, end = call.start_byte - statement.start_byte, call.end_byte - statement.start_byte
        whole = text.encode(errors="surrogateescape")
        head, tail = (one.decode(errors="surrogateescape") for one in (whole[:start], whole[end:]))
        kept = head + argument + tail
        target = kept.partition("=")[0].strip()
        left = "" if target == argument.strip() else kept
        return Begin(statement, left, "", None, argument.strip())

    def _ladder(self, statement: Node, other: Node | None) -> Begin | None:
        # if (can_do_masked_user_access()) p = masked_...(p); else if (!user_...(p, n)) leave;
        if other is None:
            return None
        checked = _enclosing_if(other)
        above = checked.parent if checked is not None else None
        whole = above.parent if above is not None and above.type == "else_clause" else None
        if checked is None or whole is None or not span(whole).covers(span(statement)):
            return None
        left, right = _sides(text_of(statement))
        leaves = leaving(self.source, checked)
        asked, failed = (node.child_by_field_name("condition") for node in (whole, checked))
        if asked is None or text_of(plain(asked)) != "can_do_masked_user_access()":
            return None
        if failed is None or _others(plain(failed), other) != []:
            return None
        if left != right or leaves is None or not _in_block(whole):
            return None
        return Begin(whole, "", leaves, None, self._covers(other))

    def _checked(self, call: Node) -> Begin | str:
        statement = _enclosing_if(call)
        if statement is None or not _in_block(statement):
            return BRANCH
        if statement.child_by_field_name("alternative") is not None:
            return "a failed begin has an else branch"
        condition = statement.child_by_field_name("condition")
        others = _others(plain(condition), call) if condition is not None else None
        if others is None:
            return "its condition is not that the begin failed"
        leaves = leaving(self.source, statement)
        if leaves is None:
            return "a failed begin does not leave"
        kept = " || ".join(self.source.quote(span(other)) for other in others)
        if not others:
            return Begin(statement, "", leaves, None, self._covers(call))
        consequence = statement.child_by_field_name("consequence")
        start = consequence.start_byte if consequence is not None else statement.end_byte
        gap = self.source.quote(Span(condition.end_byte, start)) if condition is not None else " "
        rest = self.source.quote(Span(start, statement.end_byte))
        return Begin(statement, f"if ({kept}){gap}{rest}", leaves, None, self._covers(call))


def end_of(call: Node) -> Node | None:
    """Return the statement that only ends a window by `call`, `if (x)` before it included."""
    statement = call.parent
    if statement is None or statement.type != "expression_statement":
        return None
    if not is_arm(statement):
        return statement
    owner = statement.parent
    condition = owner.child_by_field_name("condition") if owner is not None else None
    if owner is None or condition is None or owner.type != "if_statement":
        return None
    alone = owner.child_by_field_name("alternative") is None and _in_block(owner)
    return owner if alone and _is_idle(condition) else None


def _is_idle(condition: Node) -> bool:
    # Whether nothing happens when it is evaluated, and so nothing is lost when it is not.
    does = ("call_expression", "assignment_expression", "update_expression")
    return not any(node.type in does for node in walk(condition))


def _is_end(statement: Node) -> bool:
    if statement.type == "if_statement":
        statement = statement.child_by_field_name("consequence") or statement
    if statement.type != "expression_statement" or not statement.named_children:
        return False
    name = statement.named_children[0].child_by_field_name("function")
    return name is not None and END.fullmatch(text_of(name)) is not None


def _is_masking(statement: Node) -> bool:
    # Whether it is what is done where the machine can mask, and another begin stands elsewhere.
    block = statement.parent
    above = block.parent if block is not None and block.type == "compound_statement" else None
    asked = above.child_by_field_name("condition") if above is not None else None
    return asked is not None and text_of(plain(asked)) == "can_do_masked_user_access()"


def _in_block(statement: Node) -> bool:
    parent = statement.parent
    if parent is None:
        return True
    known = ("compound_statement", "case_statement", "translation_unit")
    return parent.type in known or parent.type.startswith("preproc_")


def _enclosing_if(call: Node) -> Node | None:
    node = call.parent
    while node is not None and not node.type.endswith("_statement"):
        node = node.parent
    return node if node is not None and node.type == "if_statement" else None


def _others(condition: Node, call: Node) -> list[Node] | None:
    # The operands of `A || B || !begin(...)` without the begin; None when it is another shape.
    operator = condition.child_by_field_name("operator")
    if _is_optional(condition, call):
        return []
    if condition.type == "binary_expression" and operator is not None:
        left, right = (condition.child_by_field_name(side) for side in ("left", "right"))
        if text_of(operator) != "||" or left is None or right is None:
            return None
        if span(right).covers(span(call)):
            rest = _others(plain(right), call)
            return None if rest is None else [left, *rest]
        rest = _others(plain(left), call)
        return None if rest is None else [*rest, right]
    return [] if _is_failed(condition, call) else None


def _is_optional(condition: Node, call: Node) -> bool:
    # `x && !begin(...)`: without the window, x decides nothing.
    operator = condition.child_by_field_name("operator")
    left, right = (condition.child_by_field_name(side) for side in ("left", "right"))
    if operator is None or text_of(operator) != "&&" or left is None or right is None:
        return False
    return _is_idle(left) and _is_failed(right, call)


def _is_failed(condition: Node, call: Node) -> bool:
    node = plain(condition)
    name = node.child_by_field_name("function")
    if name is not None and text_of(name) in ("likely", "unlikely"):
        given = node.child_by_field_name("arguments")
        node = plain(given.named_children[0]) if given is not None else node
    argument = node.child_by_field_name("argument")
    return node.type == "unary_expression" and argument is not None and plain(argument) == call


def leaving(source: Source, statement: Node) -> str | None:
    """Return how an `if` leaves, None when its branch ends in another way."""
    consequence = statement.child_by_field_name("consequence")
    if consequence is None:
        return None
    block = consequence.type == "compound_statement"
    inside = consequence.named_children if block else [consequence]
    if not inside or inside[-1].type not in _LEAVES:
        return None
    return " ".join(" ".join(source.quote(span(one)) for one in inside).split())


def _sides(assignment: str) -> tuple[str, str]:
    left, _, right = assignment.strip("{} \t\n;").partition("=")
    return left.strip(), right.partition("(")[2].strip(") \t\n")


def _binds(body: Node) -> bool:
    pending = [body]
    while pending:
        node = pending.pop()
        if node.type in ("break_statement", "continue_statement"):
            return True
        if node.type == "switch_statement":  # a `continue` passes through it
            found = (n for n in walk(node) if n.type == "continue_statement")
            if any(_loop_above(n, node) is None for n in found):
                return True
        elif node.type not in _LOOPS:
            pending += node.named_children
    return False


def _loop_above(node: Node, top: Node) -> Node | None:
    place = node.parent
    while place is not None and place != top:
        if place.type in _LOOPS:
            return place
        place = place.parent
    return None


def _reaches(argument: Node) -> str | None:
    # The name of the pointer in `p`, `&p->member`, `p->member`, `(char __user *)p`.
    node = plain(argument)
    while True:
        if node.type == "identifier":
            return text_of(node)
        if node.type == "cast_expression" and "*" not in text_of(node.named_children[0]):
            return None
        field = {"cast_expression": "value"}.get(node.type, "argument")
        inner = node.child_by_field_name(field)
        if node.type not in ("cast_expression", "pointer_expression", "field_expression"):
            inner = None
        if inner is None:
            return None
        node = plain(inner)
