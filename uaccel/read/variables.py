# SPDX-License-Identifier: GPL-2.0-only
"""Read the struct variables that a function declares, and every use of them."""

from __future__ import annotations

from tree_sitter import Node

from uaccel.model.source import Does, Local, Span, Use
from uaccel.read.accesses import SCALARS, access, member_path, scope_of
from uaccel.read.csource import plain, span, text_of, walk

_LOOPS = ("for_statement", "while_statement", "do_statement")
_OPAQUE = ("sizeof_expression", "gnu_asm_expression")


def struct_locals(body: Node) -> tuple[Local, ...]:
    """Return the variables of struct type that the outermost block of `body` declares."""
    found = []
    for statement in body.named_children:
        if statement.type != "declaration":
            continue
        type_ = statement.child_by_field_name("type")
        tag = type_.child_by_field_name("name") if type_ is not None else None
        if type_ is None or tag is None or type_.type != "struct_specifier":
            continue
        declarators = statement.children_by_field_name("declarator")
        names = [node for node in declarators if node.type == "identifier"]
        alone = len(declarators) == 1 == len(names) and not _is_qualified(statement)
        found += [_local(body, statement, tag, name, alone) for name in names]
    return tuple(found)


def _is_qualified(declaration: Node) -> bool:
    kinds = ("storage_class_specifier", "type_qualifier")
    return any(child.type in kinds for child in declaration.named_children)


def _local(body: Node, declaration: Node, tag: Node, name: Node, alone: bool) -> Local:
    called = text_of(name)
    named = [
        node
        for node in walk(body)
        if node.type == "identifier" and text_of(node) == called and node.id != name.id
    ]
    uses = tuple(_use(body, node) for node in named)
    first = _outermost(body, named[0]) if named else span(declaration)
    return Local(called, text_of(tag), span(tag), alone, uses, first)


def _outermost(body: Node, node: Node) -> Span:
    parent = node.parent
    while parent is not None and parent.id != body.id:
        node, parent = parent, parent.parent
    return span(node)


def _use(body: Node, name: Node) -> Use:
    whole = name
    while whole.parent is not None and _is_member_of(whole.parent, whole):
        whole = whole.parent
    place = member_path(whole)
    path = place[1] if place else ""
    does, value = _does(whole, path)
    statement = whole
    while statement.parent is not None and not statement.type.endswith("statement"):
        statement = statement.parent
    here = span(statement) if statement.type == "expression_statement" else span(whole)
    return Use(does, path, span(whole), here, value, _in_loop(body, name))


def _is_member_of(parent: Node, node: Node) -> bool:
    argument = parent.child_by_field_name("argument")
    return parent.type == "field_expression" and argument is not None and argument.id == node.id


def _does(whole: Node, path: str) -> tuple[Does, Span | None]:
    parent = whole.parent
    while parent is not None and parent.type == "parenthesized_expression":
        whole, parent = parent, parent.parent
    if parent is None or not path:
        return Does.OTHER, None
    if parent.type == "argument_list" and _is_scalar_access(parent.parent, whole):
        return Does.ACCESSES, None
    if parent.type == "assignment_expression":
        left, right = parent.child_by_field_name("left"), parent.child_by_field_name("right")
        operator = parent.child_by_field_name("operator")
        if left is not None and left.id == whole.id:
            plain_assignment = operator is not None and text_of(operator) == "="
            alone = parent.parent is not None and parent.parent.type == "expression_statement"
            if plain_assignment and alone and right is not None:
                return Does.ASSIGNS, span(right)
            return Does.OTHER, None
    if parent.type in ("pointer_expression", "update_expression", "subscript_expression"):
        return Does.OTHER, None
    if _is_opaque(whole):
        return Does.OTHER, None
    handed_on = ("argument_list", "assignment_expression", "init_declarator")
    return (Does.READS if parent.type in handed_on else Does.COMPUTES), None


def _is_opaque(node: Node) -> bool:
    parent = node.parent
    while parent is not None and not parent.type.endswith("statement"):
        if parent.type in _OPAQUE:
            return True
        parent = parent.parent
    return False


def _is_scalar_access(call: Node | None, argument: Node) -> bool:
    if call is None or call.type != "call_expression":
        return False
    made = access(call, scope_of(call))
    return made is not None and made.accessor in SCALARS and made.value == span(plain(argument))


def _in_loop(body: Node, node: Node) -> bool:
    parent = node.parent
    while parent is not None and parent.id != body.id:
        if parent.type in _LOOPS:
            return True
        parent = parent.parent
    return False
