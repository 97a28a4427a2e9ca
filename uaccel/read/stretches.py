# SPDX-License-Identifier: GPL-2.0-only
"""Find the statements in a row that one window could hold, and what else stands among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from uaccel.model.source import Access, Direction, Span
from uaccel.model.steps import Piece, Step, Stretch
from uaccel.read.csource import span, walk
from uaccel.read.errors import is_lost, reason_against
from uaccel.read.operands import Reader, names
from uaccel.read.outcomes import settled
from uaccel.read.scopes import inner_names
from uaccel.read.sequence import (
    Found,
    Place,
    Reach,
    is_block,
    is_statement,
    next_statement,
    sequence,
)
from uaccel.read.steps import header_of, indent_of

SKIPPED = "other statements stand behind an access whose fault does not leave"
DIFFERENT = "what follows a fault differs from access to access"
CUT = "a condition or declaration among the accesses would have to be cut"
TWOFOLD = "the variable that holds the error is declared in two blocks"
HIDDEN = "what a fault does names a variable that only a block among the accesses declares"
LATE = "what follows an access may call, and cannot wait for the end of a window"
UNINDENTED = "the first statement does not start its line"
_OTHERS = ("preproc_else", "preproc_elif", "preproc_elifdef")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME = re.compile(r"(?<![\w.])(?<!->)[A-Za-z_]\w*")
_CLEANUP = re.compile(rb"\b(?:guard|scoped_guard|scoped_class|CLASS|__free|__cleanup)\s*\(")


def stretch(place: Place) -> Stretch:
    """Return the stretch that holds all statements of a cluster, with its parts."""
    nodes = sorted(place.statements.values(), key=lambda node: node.start_byte)
    return _stretch(place, _begun(place, _tops(place, nodes)))


def _begun(place: Place, tops: list[Node]) -> list[Node]:
    # Where a window that was unmade said what it covers by a name that changes before its first
    # access, it must begin where it began.
    first = tops[0]
    held = next((one for one in place.held if one.span.covers(span(first))), None)
    above = first.parent
    if held is None or above is None or header_of(first) is not None:
        return tops
    before = [
        node
        for node in above.named_children
        if node.type != "comment" and held.span.start <= node.start_byte < first.start_byte
    ]
    said = set(re.findall(r"\w+", f"{held.pointer} {held.size}"))
    changed = {name for _, name in _changed(place.reader, before)}
    plain = all(node.type == "expression_statement" for node in before)
    return [*before, *tops] if plain and said & changed else tops


def _tops(place: Place, nodes: list[Node]) -> list[Node]:
    # The children of the innermost block around all of them, from the first to the last.
    start, end = nodes[0].start_byte, max(node.end_byte for node in nodes)
    block, tops = place.root, [place.root]
    while True:
        inside = [n for n in block.named_children if n.end_byte > start and n.start_byte < end]
        inside = [n for n in inside if n.type != "comment"]
        if not inside:
            return tops
        if len(inside) == 1 and inside[0].id in place.loops:
            return inside
        if len(inside) > 1 and any(one.type in _OTHERS for one in inside):
            return [block]  # only one branch of an #if is compiled
        if len(inside) > 1 and any(one.type == "case_statement" for one in inside):
            return [block.parent] if block.parent is not None else tops
        if is_block(block) and not (len(inside) == 1 and _goes_on(inside[0], nodes)):
            return inside
        if len(inside) != 1:
            return tops
        if not is_block(block):
            tops = inside
        block = inside[0]
        if block.id == nodes[0].id:
            return [block]
        if is_block(block):
            tops = [block]


def _goes_on(node: Node, nodes: list[Node]) -> bool:
    # Whether a narrower block holds all of them: no window needs to hold `node` itself.
    if any(node.id == one.id for one in nodes):
        return False
    start, end = nodes[0].start_byte, max(one.end_byte for one in nodes)
    inner = (n for n in walk(node) if is_block(n))
    bare = (n for n in nodes[:1] if header_of(n) is not None)
    return any(n.start_byte <= start and n.end_byte >= end for n in (*inner, *bare))


def _stretch(place: Place, tops: list[Node]) -> Stretch:
    reader, source = place.reader, place.reader.source
    found = Found()
    last = sequence(place, tops, found, Reach())
    extent = Span(tops[0].start_byte, max(tops[-1].end_byte, last))
    ordered = sorted(found.steps, key=lambda one: one.span)
    whole = header_of(tops[0])  # a branch without braces gets them once
    steps = [*ordered[:1], *map(_tested, ordered[1:])]
    steps = [replace(s, header=None) if s.header == whole else s for s in steps]
    if steps and steps[0].span.start > extent.start and steps[0].opening:
        extent = Span(steps[0].span.start, extent.end)
    if steps and steps[-1].closing:
        extent = Span(extent.start, steps[-1].span.end)
    declare, first = _declare(source.text, tops[0])
    following = _behind(tops[-1], extent.end)
    made = Stretch(
        extent=extent,
        steps=tuple(steps),
        leaves=tuple(sorted(found.leaves, key=lambda one: one.at)),
        indent=indent_of(source, _solid(tops[0])),
        header=whole,
        changed=tuple(sorted(_changed(reader, tops))),
        among=tuple(found.among),
        elements=tuple(dict.fromkeys(found.elements)),
        declare=declare,
        first=first,
        before_return=extent.end == place.behind and tops[0].parent == place.root,
        zero="",
        cleanup=_in_cleanup(place, tops[0]),
        why=None,
        parts=(),
        inner=inner_names(place.root, tops),
    )
    behind = place.behind if tops[0].parent == place.root else None
    made = settled(reader, place.root, made, following, behind)
    inner = any(one.opening for one in steps[1:]) or any(one.closing for one in steps[:-1])
    if inner or (steps and steps[0].opening and tops[0].id not in place.statements):
        found.whys.append(CUT)
    waiting = made.steps[:-1] if _ends_plainly(made) else made.steps
    if any(one.late for one in waiting):
        found.whys.append(LATE)
    why = found.whys[0] if found.whys else _reason_against(place, made, tops)
    return replace(made, why=why, parts=_parts(place, tops))


def _solid(node: Node) -> Node:
    # An #if stands at the margin, whatever stands in it.
    while node.type.startswith("preproc_"):
        inside = [one for one in node.named_children if is_statement(one)]
        if not inside:
            return node
        node = inside[0]
    return node


def _reason_against(place: Place, made: Stretch, tops: list[Node]) -> str | None:
    falling = [one for one in made.steps if not one.fault.leaves]
    if any(_is_twofold(place, one.variable) for one in made.steps if one.sets or one.falls):
        return TWOFOLD
    if any(made.loses(name, one.span) for one in made.steps for name in _named(one)):
        return HIDDEN
    above = place.reader.source.text[: made.extent.start].rpartition(b"\n")[2]
    if above.strip() and not (made.steps and made.steps[0].opening):
        return UNINDENTED
    if (why := reason_against(place.reader, made)) is not None:
        return why
    if len({one.fault.text for one in falling}) > 1:
        return DIFFERENT
    if not falling:
        return None
    first = min(one.span.start for one in falling)
    if any(one.fault.leaves and one.span.start > first for one in made.steps):
        return DIFFERENT
    if all(_tells(one) for one in falling):
        return SKIPPED if is_lost(place.reader, place.root, made) else None
    return SKIPPED if _skips(made, tops, first) else None


def _named(one: Step) -> list[str]:
    return _NAME.findall(_LITERAL.sub("", one.fault.text))


def _ends_plainly(made: Stretch) -> bool:
    last = made.steps[-1] if made.steps else None
    if last is None or last.span.end < made.extent.end:  # a block or loop ends behind it
        return False
    return last.always and not last.looped and last.header is None


def _is_twofold(place: Place, name: str) -> bool:
    body = place.reader.source.text[place.root.start_byte : place.root.end_byte]
    declared = rb"^[ \t]+(?:\w+[ \t]+)+(?:[\w \t=]+,[ \t]*)*%s\b[ \t]*[;,=]" % re.escape(
        name.encode()
    )
    found = re.findall(declared, body, re.MULTILINE)
    return sum(not one.lstrip().startswith((b"return", b"goto")) for one in found) > 1


def _skips(made: Stretch, tops: list[Node], first: int) -> bool:
    # Whether a fault of the step at `first` or a later one jumps over other statements.
    if any(one.looped and not one.fault.leaves for one in made.steps):
        return True
    behind = [one for one in made.among if one.start > first]
    conditions = [one for one in behind if _is_condition(tops, one)]
    if len(conditions) < len(behind) or any(leave.at > first for leave in made.leaves):
        return True
    return any(one.rest and not one.returns for one in made.steps if one.span.start > first)


def _tested(one: Step) -> Step:
    # A range check in the middle of a window is a test there.
    tests = tuple(Piece(None, text, "", "") for text in one.checks)
    return replace(one, pieces=(*tests, *one.pieces), checks=())


def _tells(one: Step) -> bool:
    # The fault is kept in a variable: whoever looks at it knows that the rest is worth nothing.
    return bool(one.variable) and re.fullmatch(r"\w+ \|?= -E\w+;", one.fault.text) is not None


def _is_condition(tops: list[Node], here: Span) -> bool:
    for top in tops:
        if top.start_byte <= here.start < top.end_byte:
            node = top.descendant_for_byte_range(here.start, here.end)
            return node is not None and node.type == "parenthesized_expression"
    return False


def _parts(place: Place, tops: list[Node]) -> tuple[Stretch, ...]:
    parts = []
    for run in _runs(place, tops):
        if run != tops and _count(place, run) > 1:
            parts.append(_stretch(place, run))
        elif run == tops and len(run) > 1:
            parts += [_stretch(place, few) for few in _without_copies(place, run)]
    for top in tops:
        if top.id not in place.statements:
            for block in _inner(place, top):
                parts.append(_stretch(place, block))
    return tuple(parts)


def _runs(place: Place, tops: list[Node]) -> Iterator[list[Node]]:
    run: list[Node] = []
    for top in tops:
        if top.id in place.statements:
            run.append(top)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _without_copies(place: Place, run: list[Node]) -> Iterator[list[Node]]:
    few: list[Node] = []
    for node in (*run, None):
        if node is not None and not any(made.copies for made in _made(place, node)):
            few.append(node)
            continue
        if few and few != run and _count(place, few) > 1:
            yield few
        few = []


def _inner(place: Place, node: Node) -> Iterator[list[Node]]:
    # The blocks below a statement, each as far as it holds accesses.
    pending = [node]
    while pending:
        one = pending.pop(0)
        if (is_block(one) and one.id != node.id) or one.type == "compound_statement":
            holding = [c for c in one.named_children if c.type != "comment" and place.reader.has(c)]
            if len(holding) > 1 or (holding and holding[0].id in place.statements):
                inside = [c for c in one.named_children if c.type != "comment"]
                first = next(i for i, c in enumerate(inside) if c.id == holding[0].id)
                last = next(i for i, c in enumerate(inside) if c.id == holding[-1].id)
                run = inside[first : last + 1]
                if _count(place, run) > 1:
                    yield run
                continue
        pending += [
            c for c in one.named_children if place.reader.has(c) and c.id not in place.statements
        ]


def _count(place: Place, nodes: list[Node]) -> int:
    return sum(len(list(_made(place, node))) for node in nodes)


def _made(place: Place, node: Node) -> Iterator[Access]:
    return (place.reader.mine[one.id] for one in walk(node) if one.id in place.reader.mine)


def _changed(reader: Reader, tops: list[Node]) -> Iterator[tuple[int, str]]:
    for node in (one for top in tops for one in walk(top)):
        made = reader.mine.get(node.id)
        if made is not None and made.direction is Direction.READ:
            yield made.call.end, _lvalue(reader.source.quote(made.value).lstrip("&( "))
        if node.type in ("assignment_expression", "update_expression"):
            target = node.child_by_field_name("left") or node.child_by_field_name("argument")
            if target is not None:
                yield node.start_byte, _lvalue(reader.text(target))
        if node.type == "declaration":
            for declarator in node.children_by_field_name("declarator"):
                yield from ((node.start_byte, name) for name in list(names(declarator))[:1])


def _lvalue(text: str) -> str:
    # `a.b = ...` changes `a`; `p->b = ...` leaves the pointer, and changes what it points to.
    text = "".join(text.split())
    root = re.match(r"\w+", text.lstrip("(*&"))
    if "->" in text or text.startswith(("*", "(*")):
        return text
    return root[0] if root else text


def _declare(text: bytes, top: Node) -> tuple[int, bool]:
    block = top.parent
    while block is not None and block.parent is not None and not _declares(block):
        block = block.parent
    if block is None:
        return top.start_byte, True
    last = None
    for child in block.named_children:
        if child.type == "declaration" and child.end_byte <= top.start_byte:
            last = child
        elif child.type != "comment":
            break
    at = last.end_byte if last is not None else block.start_byte + 1
    end = text.find(b"\n", at)
    return (end if end >= 0 else at), last is None


def _declares(block: Node) -> bool:
    # Between the head of a switch and its first case no declaration is ever reached.
    above = block.parent.type if block.parent is not None else ""
    return block.type == "compound_statement" and above != "switch_statement"


def _in_cleanup(place: Place, top: Node) -> bool:
    text = place.reader.source.text
    for found in _CLEANUP.finditer(text, place.root.start_byte, top.start_byte):
        block = place.root.descendant_for_byte_range(found.start(), found.start() + 1)
        scoped = found[0].startswith(b"scoped")
        while block is not None and not (
            block.type == "compound_statement" or (scoped and block.type == "if_statement")
        ):
            block = block.parent
        if block is None or (block.start_byte <= top.start_byte < block.end_byte):
            return True
    return False


def _behind(node: Node, end: int) -> Node | None:
    following = next_statement(node)
    while following is not None and following.start_byte < end:
        following = next_statement(following)
    return following
