# SPDX-License-Identifier: GPL-2.0-only
"""Go through statements in a row: those that make accesses, and what stands among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from uaccel.model.source import Held, Span
from uaccel.model.steps import Leave, Step
from uaccel.read.csource import plain, span, text_of, walk
from uaccel.read.operands import Reader, unwrapped
from uaccel.read.outcomes import folded
from uaccel.read.steps import BLOCKS, ODD, ends_by_leaving, header_of, indent_of, step

CAUGHT = "a fault leaves a loop or switch that the window would hold"
LEAVES = "a loop or switch among the accesses leaves the function"
_LOOPS = ("for_statement", "while_statement", "do_statement")
_CATCHES = re.compile(r"\b(?:break|continue);")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function's stretches are looked for."""

    reader: Reader
    root: Node
    behind: int | None  # where the statement ends that the function's last `return` follows
    statements: Mapping[int, Node]  # those that hold the cluster's accesses, by id
    wrapped: Mapping[int, str]  # why a call that makes accesses is no access, by its node's id
    loops: frozenset[int]  # ids of the outermost loops that a window may hold whole
    held: tuple[Held, ...] = ()  # windows that were unmade


@dataclass(slots=True)
class Found:
    """What was met so far on the way through a stretch."""

    steps: list[Step] = field(default_factory=list)
    leaves: list[Leave] = field(default_factory=list)
    among: list[Span] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reach:
    """How control comes to a statement of a stretch."""

    always: bool = True  # as in Step
    looped: bool = False
    caught: bool = True  # a `break` there leaves the stretch
    guards: tuple[str, ...] = ()  # as in Step


def sequence(place: Place, nodes: list[Node], found: Found, reach: Reach) -> int:
    """Return where the last statement ends that was taken in; `found` grows."""
    end, previous = 0, None
    nodes = [node for node in nodes if node.type != "comment"]
    pending = list(nodes)
    while pending:
        node = pending.pop(0)
        if node.start_byte < end:
            continue
        following = next_statement(node)
        made = _guarded(place, node, previous) or _one(place, node)
        if isinstance(made, Step):
            made, end = folded(place.reader, made, following, node)
            if not reach.caught and made.fault.leaves and _CATCHES.search(made.fault.text):
                found.whys.append(CAUGHT)
            previous = replace(made, always=reach.always, looped=reach.looped, guards=reach.guards)
            found.steps.append(previous)
        elif isinstance(made, str):
            found.whys.append(made)
        elif (why := _wrapped(place, node)) is not None:
            found.whys.append(why)
        else:
            previous = None
            _other(place, node, found, reach)
        end = max(end, node.end_byte)
    return end


def _one(place: Place, node: Node) -> Step | str | None:
    return step(place.reader, node) if node.id in place.statements else None


def _guarded(place: Place, node: Node, previous: Step | None) -> Step | None:
    # err = put_user(a); if (!err) err = put_user(b);  The condition holds when nothing failed.
    if previous is None or not previous.sets or node.type != "if_statement":
        return None
    condition, inner = (
        node.child_by_field_name("condition"),
        node.child_by_field_name("consequence"),
    )
    if condition is None or inner is None or node.child_by_field_name("alternative") is not None:
        return None
    if text_of(plain(condition)).replace(" ", "") != f"!{previous.variable}":
        return None
    if inner.type == "compound_statement" and inner.named_child_count == 1:
        inner = inner.named_children[0]
    made = _one(place, inner)
    if not isinstance(made, Step) or not made.sets or made.variable != previous.variable:
        return None
    indent = indent_of(place.reader.source, node)
    return replace(
        made, span=span(node), indent=indent, header=header_of(node), falls=False, guarded=True
    )


def _wrapped(place: Place, node: Node) -> str | None:
    if not place.wrapped:
        return None
    return next((place.wrapped[one.id] for one in walk(node) if one.id in place.wrapped), None)


def _other(place: Place, node: Node, found: Found, reach: Reach) -> None:
    kind = node.type
    if not place.reader.has(node):
        _kept(place, node, found, caught=reach.caught)
    elif kind in ("compound_statement", "else_clause"):
        sequence(place, node.named_children, found, reach)
    elif kind.startswith("preproc_"):
        inside = [one for one in node.named_children if is_statement(one)]
        sequence(place, inside, found, replace(reach, always=False))
    elif kind == "if_statement":
        _condition(place, node, found)
        _arms(place, node, found, replace(reach, always=False))
    elif kind in _LOOPS:
        _loop(place, node, found, replace(reach, caught=False))
    elif kind == "switch_statement":
        _condition(place, node, found)
        _cases(place, node, found, replace(reach, always=False, caught=False))
    else:
        found.whys.append(ODD)


def _arms(place: Place, node: Node, found: Found, reach: Reach) -> None:
    consequence = node.child_by_field_name("consequence")
    alternative = node.child_by_field_name("alternative")
    if consequence is not None:
        tested = (*reach.guards, _test(place, node))
        _branch(place, consequence, found, replace(reach, guards=tested))
    if alternative is not None:
        _branch(place, alternative, found, reach)


def _loop(place: Place, node: Node, found: Found, reach: Reach) -> None:
    once = node.type == "do_statement" and _is_never(node)
    body = node.child_by_field_name("body")
    for one in node.named_children:
        if body is None or one.id != body.id:
            _stays(place, one, found)
    if body is not None:
        _branch(place, body, found, replace(reach, looped=reach.looped or not once))


def _cases(place: Place, node: Node, found: Found, reach: Reach) -> None:
    body = node.child_by_field_name("body")
    for arm in body.named_children if body is not None else ():
        value = arm.child_by_field_name("value")
        inside = [one for one in arm.named_children if value is None or one.id != value.id]
        sequence(place, inside, found, reach)


def _branch(place: Place, branch: Node, found: Found, reach: Reach) -> None:
    if branch.type == "else_clause":
        branch = branch.named_children[-1]
    if not place.reader.has(branch) and ends_by_leaving(branch):
        _leave(place, branch, found, caught=reach.caught)
        return
    inside = branch.named_children if branch.type == "compound_statement" else [branch]
    sequence(place, inside, found, reach)


def _test(place: Place, node: Node) -> str:
    condition = node.child_by_field_name("condition")
    return place.reader.text(unwrapped(condition)) if condition is not None else ""


def _condition(place: Place, node: Node, found: Found) -> None:
    condition = node.child_by_field_name("condition")
    if condition is not None:
        _stays(place, condition, found)


def _kept(place: Place, node: Node, found: Found, *, caught: bool) -> None:
    # A statement that stays as it is: a window is closed where it leaves.
    kind = node.type
    if kind in ("return_statement", "goto_statement") or (
        kind in ("break_statement", "continue_statement") and caught
    ):
        _leave(place, node, found, caught=caught)
    elif kind == "if_statement":
        _condition(place, node, found)
        for name in ("consequence", "alternative"):
            branch = node.child_by_field_name(name)
            if branch is not None and branch.type == "else_clause":
                branch = branch.named_children[-1]
            if branch is not None and ends_by_leaving(branch) and branch.type != "if_statement":
                _leave(place, branch, found, caught=caught)
            elif branch is not None:
                _kept(place, branch, found, caught=caught)
    elif kind == "compound_statement" or kind.startswith("preproc_"):
        for child in node.named_children:
            if is_statement(child):
                _kept(place, child, found, caught=caught)
    elif kind in _LOOPS or kind == "switch_statement":
        _stays(place, node, found)
        if any(one.type in ("return_statement", "goto_statement") for one in walk(node)):
            found.whys.append(LEAVES)
    elif kind not in ("break_statement", "continue_statement", "comment"):
        _stays(place, node, found)


def _stays(place: Place, node: Node, found: Found) -> None:
    found.among.append(span(node))
    found.elements += place.reader.elements(node)


def _leave(place: Place, branch: Node, found: Found, *, caught: bool) -> None:
    first = branch
    if branch.type == "compound_statement":
        first = next(one for one in branch.named_children if one.type != "comment")
    if first.type in ("break_statement", "continue_statement") and not caught:
        return  # it only leaves a loop that the window holds
    inner = [one.type for one in walk(branch)]
    if not caught and not {"return_statement", "goto_statement"} & set(inner):
        _stays(place, branch, found)
        return
    jumps = "break_statement" in inner or "continue_statement" in inner
    indent = indent_of(place.reader.source, first)
    header = header_of(first) if first.id == branch.id else None
    calls = place.reader.calls(branch) or bool(place.reader.elements(branch))
    found.leaves.append(Leave(first.start_byte, indent, header, first.end_byte, jumps, calls))


def next_statement(node: Node) -> Node | None:
    """Return the statement behind `node` in its block, None when it is the last one."""
    following = node.next_named_sibling
    while following is not None and following.type == "comment":
        following = following.next_named_sibling
    return following


def is_statement(node: Node) -> bool:
    """Return whether `node` is a statement, a declaration or a block of them."""
    return node.type.endswith(("statement", "declaration")) or is_block(node)


def _is_never(node: Node) -> bool:
    condition = node.child_by_field_name("condition")
    return condition is not None and text_of(plain(condition)) in ("0", "false")


def is_block(node: Node) -> bool:
    """Return whether statements stand in a row in `node`."""
    return node.type in BLOCKS or node.type.startswith("preproc_")
