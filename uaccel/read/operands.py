# SPDX-License-Identifier: GPL-2.0-only
"""Take a condition or a value apart into accesses and tests, in the order of execution.

`get_user()` is 0 when all went well and -EFAULT when not, a copy the number of bytes left
(include/linux/uaccess.h): a condition over them says what is done when one of them failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tree_sitter import Node

from uaccel.errors import BrokenInvariant
from uaccel.model.source import Access, Source, Span
from uaccel.model.steps import Piece
from uaccel.read.accesses import Scope, is_cast, is_constant, is_volatile
from uaccel.read.calls import is_pure
from uaccel.read.csource import plain, span, text_of, walk

# They compile to a register or a fixed load wherever they are defined.
_INLINE = ("Offsetof", "current_thread_info", "task_thread_info", "current_pt_regs", "get_current")
_UNLIKELY = ("unlikely", "likely", "__builtin_expect")


@dataclass(frozen=True, slots=True)
class Operand:
    """A part of a condition: when it is not 0, the statement takes the path of a fault."""

    node: Node
    pieces: tuple[Piece, ...]  # one with an access, or one test
    variable: str  # what the access's result is assigned to; "" for nothing
    operator: str  # "=" or "|="; "" without a variable


@dataclass(frozen=True, slots=True)
class Reader:
    """What the parts of one function are read with."""

    source: Source
    scope: Scope
    mine: Mapping[int, Access]  # the cluster's accesses, by the id of their call's node
    pointers: frozenset[str] = frozenset()  # names that are pointers: no index of one is checked
    vouched: tuple[Span, ...] = ()  # stood in a window that was unmade: what it calls is no call

    def chain(self, condition: Node) -> tuple[Operand, ...] | None:
        """Return the operands that `||` joins, None when an access stands where it is not known."""
        found: list[Operand] = []
        for part in _joined(condition, ("||",)):
            one = self._operand(unwrapped(part))
            if one is None:
                return None
            # A condition is cut behind the parentheses of an operand.
            found.append(replace(one, node=part))
        return tuple(found)

    def failing(self, condition: Node) -> tuple[Operand, ...] | None:
        """Return the operands of a condition that holds when none failed: `!A && !B`."""
        found: list[Operand] = []
        for part in _joined(condition, ("&&",)):
            inner = self._negated(unwrapped(part))
            operands = self.chain(inner) if inner is not None else None
            if operands is None:
                return None
            found += operands
        return tuple(found)

    def _negated(self, node: Node) -> Node | None:
        # What fails where `node` holds: A of `!A` and of `A == 0`.
        if operator_of(node) == "==" and _number(sides(node)[1]) == "0":
            return sides(node)[0]
        if node.type != "unary_expression" or operator_of(node) != "!":
            return None
        inner = node.child_by_field_name("argument")
        return inner if inner is not None and self.has(inner) else None

    def sum(self, value: Node) -> tuple[Operand, ...] | None:
        """Return the accesses of `A | B`, None when it is anything else."""
        found: list[Operand] = []
        for part in _joined(value, ("|", "+")):
            node = unwrapped(part)
            made = self.mine.get(node.id)
            if made is None:
                return None
            found.append(self._access(node, made, ""))
        return tuple(found)

    def has(self, node: Node) -> bool:
        """Return whether an access of the cluster stands at or below `node`."""
        return any(found.id in self.mine for found in walk(node))

    def text(self, node: Node) -> str:
        """Return the C of `node` as it stands in the file."""
        return self.source.quote(span(node))

    def _operand(self, node: Node) -> Operand | None:
        made = self.mine.get(node.id)
        if made is not None:
            return self._access(node, made, "")
        if not self.has(node):
            tested = Piece(None, self.text(node), "", "", self.elements(node))
            return Operand(node, (tested,), "", "")
        if node.type == "assignment_expression":
            return self._assigned(node)
        if node.type == "binary_expression" and operator_of(node) in ("!=", "<", ">", "=="):
            return self._compared(node)
        if operator_of(node) == "&&":
            return self._guarded(node)
        if node.type == "unary_expression" and operator_of(node) == "!":
            inner = unwrapped(node.child_by_field_name("argument"))
            if inner.type == "unary_expression" and operator_of(inner) == "!":
                return self._operand(unwrapped(inner.child_by_field_name("argument")))
        return None

    def _access(self, node: Node, made: Access, test: str) -> Operand:
        arguments = node.child_by_field_name("arguments")
        given = [one for one in arguments.named_children if one.type != "comment"]  # type: ignore[union-attr]
        value = next(one for one in given if span(one) == made.value)
        pointer = next(one for one in given if span(one) == made.pointer)
        loads = not made.copies
        reach = self.why(pointer, loads=False)
        if reach == "volatile" and pointer.type == "pointer_expression":
            reach = ""  # the address of a member is no load of it
        reaches = self.elements(pointer)
        reach = reach or ("element" if reaches else "")
        kept = self.why(value, loads=loads)
        piece = Piece(made, test, kept, reach, self.elements(value), reaches)
        return Operand(node, (piece,), "", "")

    def _assigned(self, node: Node) -> Operand | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None or left.type != "identifier":
            return None
        operator = operator_of(node)
        made = self.mine.get(unwrapped(right).id)
        if made is None or made.copies or operator not in ("=", "|="):
            return None
        one = self._access(unwrapped(right), made, "")
        return replace(one, node=node, variable=text_of(left), operator=operator)

    def _compared(self, node: Node) -> Operand | None:
        left, right = sides(node)
        operator, number = operator_of(node), _number(right)
        one = self._operand(unwrapped(left))
        if one is None or one.pieces[0].access is None or one.pieces[0].test:
            return None
        copies = one.pieces[0].access.copies
        known = (operator == "!=" and number == "0") or (
            (operator, number) == (">", "0")
            if copies
            else (operator, number) in (("<", "0"), ("==", "-EFAULT"))
        )
        return replace(one, node=node) if known else None

    def _guarded(self, node: Node) -> Operand | None:
        left, right = sides(node)
        if self.has(left):
            return None
        one = self._operand(unwrapped(right))
        if one is None or one.variable or one.pieces[0].access is None:
            return None
        (piece,) = one.pieces
        test = self.text(left)
        if piece.test:
            test = f"{test} && {piece.test}"
        elements = (*piece.elements, *self.elements(left))
        return Operand(node, (replace(piece, test=test, elements=elements),), "", "")

    def why(self, node: Node, *, loads: bool) -> str:
        """Return what keeps an expression out of a window, "" for nothing."""
        for found in walk(node):
            if self._is_call(found) or found.type == "compound_statement":
                return "calls"
            if found.type in ("assignment_expression", "update_expression"):
                return "changes"
            if is_volatile(found) or self._is_volatile(found):
                return "volatile"
        return "element" if loads and self.elements(node) else ""

    def calls(self, branch: Node) -> bool:
        """Return whether the statements of a branch call anything."""
        return any(self._is_call(found) for found in walk(branch))

    def _is_call(self, node: Node) -> bool:
        if node.type == "compound_statement":
            return node.parent is not None and node.parent.type == "parenthesized_expression"
        if node.type == "gnu_asm_expression":
            return True
        if node.type != "call_expression" or is_cast(node) or self._is_held(node):
            return False
        name = node.child_by_field_name("function")
        return name is None or not _is_pure(name)

    def elements(self, node: Node) -> tuple[str, ...]:
        """Return the arrays of which an element by a variable index stands at or below `node`."""
        found = (one for one in walk(node) if _is_element(one) and not self._is_free(one))
        arrays = (one.child_by_field_name("argument") for one in found)
        return tuple("".join(self.text(array).split()) for array in arrays if array is not None)

    def _is_held(self, node: Node) -> bool:
        return any(one.covers(span(node)) for one in self.vouched)

    def _is_free(self, element: Node) -> bool:
        if self._is_held(element):
            return True
        array = element.child_by_field_name("argument")
        return array is not None and text_of(plain(array)) in self.pointers

    def why_test(self, one: Operand) -> str:
        """Return what keeps the condition under which an access is made out of a window."""
        if not one.pieces[0].test:
            return ""
        left = unwrapped(one.node).child_by_field_name("left")
        return self.why(left, loads=False) if left is not None else ""

    def _is_volatile(self, node: Node) -> bool:
        if node.type == "identifier":
            return text_of(node) in self.scope.names
        return node.type == "field_identifier" and text_of(node) in self.scope.members


def _is_pure(name: Node) -> bool:
    text = text_of(name)
    # `Offsetof` is how the parser is given `offsetof(struct x, member[0])`.
    return name.type == "identifier" and (is_pure(text) or text in _INLINE)


def _joined(expression: Node, operators: tuple[str, ...]) -> list[Node]:
    # What the operators join, in the order of the text; thousands of them may be nested.
    found: list[Node] = []
    pending = [expression]
    while pending:
        part = pending.pop()
        node = unwrapped(part)
        if operator_of(node) in operators and node.type == "binary_expression":
            left, right = sides(node)
            pending += [right, left]
        else:
            found.append(part)
    return found


def _is_element(node: Node) -> bool:
    return node.type == "subscript_expression" and not is_constant(node)


def unwrapped(node: Node | None) -> Node:
    """Return what stands within parentheses and `unlikely()`."""
    if node is None:
        raise BrokenInvariant("an expression is missing in C that parses")
    node = plain(node)
    while node.type == "call_expression":
        name, arguments = (
            node.child_by_field_name("function"),
            node.child_by_field_name("arguments"),
        )
        if name is None or text_of(name) not in _UNLIKELY or arguments is None:
            return node
        node = plain(arguments.named_children[0])
    return node


def operator_of(node: Node) -> str:
    """Return the operator of an expression, "" when it has none."""
    operator = node.child_by_field_name("operator")
    return text_of(operator) if operator is not None else ""


def sides(node: Node) -> tuple[Node, Node]:
    """Return the left and the right side of a binary expression."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        raise BrokenInvariant(f"`{text_of(node)}` has no two sides")
    return left, right


def _number(node: Node) -> str:
    return text_of(plain(node)).replace(" ", "")


def names(node: Node) -> Iterator[str]:
    """Yield the identifiers that stand at or below `node`."""
    return (text_of(found) for found in walk(node) if found.type == "identifier")
