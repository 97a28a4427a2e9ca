# SPDX-License-Identifier: GPL-2.0-only
"""Make clusters of groups: what a style must know of the statements that hold them.

A style writes `if (ACCESS || ACCESS ...) leave;`, one or several in a row, and what stands in
begin/end windows of one block.  A cluster in any other shape says so as its obstacle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from tree_sitter import Node

from uaccel.model.scaffold import Scaffold
from uaccel.model.source import Access, Cluster, Direction, Form, Held, Source, Span
from uaccel.model.steps import Stretch
from uaccel.read.accesses import Scope, access, accesses
from uaccel.read.csource import plain, span, text_of, walk
from uaccel.read.macros import Macro
from uaccel.read.operands import Reader
from uaccel.read.places import Region
from uaccel.read.pointers import pointers
from uaccel.read.scaffold import scaffolds
from uaccel.read.sequence import Place as Stretches
from uaccel.read.stretches import stretch
from uaccel.read.users import scaffold
from uaccel.read.ways import Group, Site

WRAPPED = "its accesses stand in the {0.kind} {0.name}"
_BLOCKS = ("compound_statement", "case_statement")
_END = re.compile(r"user_(?:read_|write_|rw_)?access_end")


@dataclass(frozen=True, slots=True)
class Shapes:
    """What the clusters of one function are made from."""

    source: Source
    root: Node  # the function's body
    scope: Scope
    macros: Mapping[str, Macro]  # macros and functions that only wrap accessors
    zeroed: tuple[tuple[str, Span], ...]  # what memset() fills with 0, and that call
    behind: int | None  # where the statement ends that the function's last `return` follows
    held: tuple[Held, ...] = ()  # windows that were unmade

    def cluster(self, group: Group) -> Cluster | None:
        """Return the cluster of a group; None when its accesses have no value of the kernel's."""
        made = tuple(found for site in group.sites for found in self._accesses(site))
        if not made:
            return None
        statements = _statements(group)
        extent = Span(statements[0].start_byte, max(node.end_byte for node in statements))
        faults = {_fault(self.source, node) for node in statements}
        cluster = Cluster(
            direction=group.sites[0].place.direction,
            form=self._form(group),
            accesses=made,
            extent=extent,
            fault=faults.pop() if len(faults) == 1 else "",
            indent=_indent(self.source, statements[0]),
            before_return=self.behind == extent.end,
            lines=self._lines(statements),
            obstacle=None,
            longest=group.longest if group.shares else 1,
            looped=group.looped and group.shares,
            pair=None,
            joined=group.paired,
            stretch=None,
            scaffold=None,
        )
        cluster = replace(cluster, obstacle=self._obstacle(group, statements, extent))
        cluster = replace(cluster, stretch=self._stretch(group, made))
        if cluster.form is Form.HELPER:
            return replace(cluster, scaffold=self._frame(group, cluster.obstacle or ""))
        return self._with_zeroing(cluster)

    def windows(self, regions: tuple[Region, ...]) -> Iterator[Cluster]:
        """Yield the windows that stand in regions of the body, with their accesses."""
        if not regions:
            return
        made = [one for _, one in accesses(self.root, self.scope)]
        frames = scaffolds(self.source, self.root, regions)
        for region, frame in zip(regions, frames, strict=True):
            yield replace(self._window(region, regions, made), scaffold=frame)

    def _window(self, region: Region, others: tuple[Region, ...], every: list[Access]) -> Cluster:
        first, last = self._ends(region)
        extent = Span(first.start_byte, last.end_byte)
        begun = (other.span.start for other in others if other is not region)
        if any(extent.start <= at < extent.end for at in begun):
            extent = Span(first.start_byte, region.span.end)  # its end stands in a branch
        inner = [one.span for one in others if one is not region and extent.covers(one.span)]
        inside = [
            made
            for made in every
            if extent.covers(made.call)
            and _holds(region, made)
            and not any(span.covers(made.call) for span in inner)
        ]
        return Cluster(
            direction=_direction(region, inside),
            form=_form_of(region),
            accesses=tuple(inside),
            extent=extent,
            fault=_fault(self.source, first),
            indent=_indent(self.source, first),
            before_return=False,
            lines=_numbers(self.source, extent.start, extent.end),
            obstacle=None,
            longest=len(inside),
            looped=False,
            pair=None,
            joined=False,
            stretch=None,
            scaffold=None,
        )

    def _accesses(self, site: Site) -> Iterator[Access]:
        macro = self.macros.get(site.place.name)
        if macro is None:
            made = access(site.node, self.scope)
            if made is not None:
                yield made
            return
        here = span(site.node)
        for accessor in macro.accessors:
            way = site.place.direction
            yield Access(accessor, way, here, here, here, None, None, None, impure=True)

    def _form(self, group: Group) -> Form:
        places = [site.place for site in group.sites]
        macro = self.macros.get(places[0].name)
        if macro is not None:
            return macro.form
        # A tail of any length is nobody's struct.
        whole = (one for one in places if "copy" in one.name and one.name not in self.macros)
        copied = any(not one.tail or len(places) == 1 for one in whole)
        return Form.STRUCTCOPY if copied else Form.FIELDWISE

    def _obstacle(self, group: Group, statements: list[Node], extent: Span) -> str | None:
        wrapped = next((s.place.name for s in group.sites if s.place.name in self.macros), None)
        if wrapped is not None:
            return WRAPPED.format(self.macros[wrapped])
        for statement in statements:
            odd = self._odd_statement(statement, group)
            if odd is not None:
                return odd
        if group.looped:
            return "some of the accesses are made in a loop"
        for before, after in pairwise(statements):
            if before.next_named_sibling != after:
                return "other statements stand among the accesses"
        return _odd_text(self.source, extent)

    def _stretch(self, group: Group, made: tuple[Access, ...]) -> Stretch | None:
        plain = [site for site in group.sites if site.place.name not in self.macros]
        if not plain or not (group.shares or any(one.copies for one in made)):
            return None
        whole = self._rows(group, plain, made)
        heads = [site for site in plain if not site.place.tail]
        if len(heads) in (0, len(plain)):
            return whole
        return replace(whole, parts=(self._rows(group, heads, made), *whole.parts))

    def _rows(self, group: Group, sites: list[Site], made: tuple[Access, ...]) -> Stretch:
        by_call = {one.call.start: one for one in made}
        mine = {site.node.id: by_call[site.node.start_byte] for site in sites}
        statements = {site.statement.id: site.statement for site in sites}
        wrapped = {s.node.id: s.place.name for s in group.sites if s.place.name in self.macros}
        whys = {at: WRAPPED.format(self.macros[name]) for at, name in wrapped.items()}
        loops = frozenset(site.loop for site in sites if site.loop)
        known = pointers(self.source.text, self.root)
        reader = Reader(self.source, self.scope, mine, known, tuple(one.open for one in self.held))
        return stretch(
            Stretches(reader, self.root, self.behind, statements, whys, loops, self.held)
        )

    def _frame(self, group: Group, obstacle: str) -> Scaffold | None:
        site = group.sites[0]
        held = self.macros[site.place.name].shared
        return scaffold(self.source, site.node, held, obstacle) if held is not None else None

    def _odd_statement(self, statement: Node, group: Group) -> str | None:
        condition = _condition(statement)
        if statement.type != "if_statement" or condition is None:
            return "an access stands in another statement than `if (ACCESS || ACCESS) leave;`"
        if statement.parent is None or statement.parent.type not in _BLOCKS:
            return "the condition stands in no block: behind a label, or in a branch without braces"
        made = tuple(accesses(condition, self.scope))
        if len({one.direction for _, one in made}) > 1:
            return "reads and writes in one condition need different windows"
        calls = {node.id for node, _ in made}
        if not all(operand.id in calls for operand in _operands(condition)):
            return "the condition holds more than accesses joined by ||"
        if statement.child_by_field_name("alternative") is not None:
            return "the condition has an else branch"
        if len(made) > sum(site.statement == statement for site in group.sites):
            return "the condition holds an access that can share no window with the others"
        return _odd_text(self.source, span(statement))

    def _lines(self, statements: list[Node]) -> tuple[int, ...]:
        found: set[int] = set()
        for node in statements:
            condition = _condition(node)
            end = condition.end_byte if condition is not None else node.end_byte
            found.update(_numbers(self.source, node.start_byte, end))
        return tuple(sorted(found))

    def _ends(self, region: Region) -> tuple[Node, Node]:
        # The statement that begins the window, and the one of its block that ends it.
        first, after = self.root, [self.root]
        block: Node | None = self.root
        while block is not None:
            inside = [n for n in block.named_children if n.end_byte > region.span.start]
            if not inside or inside[0].start_byte >= region.span.end:
                break
            first, after = inside[0], inside
            block = _block_with(first, region.span.start)
        ending = (n for n in after if n.type == "expression_statement" and _ends_window(n))
        last = next(ending, None)
        if last is None:
            last = next((n for n in after if n.end_byte >= region.span.end), after[-1])
        return first, last

    def _with_zeroing(self, cluster: Cluster) -> Cluster:
        # The memset() of a local that a copy sends to user space is part of what the copy costs.
        if cluster.form is not Form.STRUCTCOPY or cluster.direction is Direction.READ:
            return cluster
        sent = {self.source.quote(access.value) for access in cluster.accesses if access.copies}
        lines = set(cluster.lines)
        for target, here in self.zeroed:
            if target in sent:
                lines.update(_numbers(self.source, here.start, here.end))
        return replace(cluster, lines=tuple(sorted(lines)))


def _holds(region: Region, made: Access) -> bool:
    # Behind its first end only an unsafe accessor tells that it is still open on this path.
    span = region.span if made.accessor.startswith("unsafe_") else region.held
    return span.covers(made.call)


def _is_ladder(statement: Node) -> bool:
    # if (can_do_masked_user_access()) { p = masked_...(p); } else if (!user_...(p, n)) { ... }
    condition, arm = map(statement.child_by_field_name, ("condition", "consequence"))
    if condition is None or arm is None or statement.child_by_field_name("alternative") is None:
        return False
    asked = text_of(plain(condition)) == "can_do_masked_user_access()"
    return asked and arm.type == "compound_statement" and arm.named_child_count == 1


def _block_with(statement: Node, at: int) -> Node | None:
    # The innermost place below `statement` where statements stand in a row and one holds `at`.
    pending = [statement]
    while pending:
        node = pending.pop()
        if _is_ladder(node):  # its braces hold the begin alone, not the window
            return None
        if node.type == "compound_statement" or node.type.startswith("preproc_"):
            return node
        if node.type == "else_clause" and node.named_children[0].type == "if_statement":
            return node
        pending += [c for c in node.named_children if c.start_byte <= at < c.end_byte]
    return None


def _ends_window(statement: Node) -> bool:
    call = statement.named_children[0] if statement.named_child_count else None
    name = call.child_by_field_name("function") if call is not None else None
    return name is not None and _END.fullmatch(text_of(name)) is not None


def _statements(group: Group) -> list[Node]:
    found = {site.statement.id: site.statement for site in group.sites}
    return sorted(found.values(), key=lambda node: node.start_byte)


def _direction(region: Region, inside: list[Access]) -> Direction:
    for word, way in (("read", Direction.READ), ("write", Direction.WRITE)):
        if f"_{word}_" in region.begin:
            return way
    return inside[0].direction if inside else Direction.READ


def _form_of(region: Region) -> Form:
    if region.begin.startswith("scoped"):
        return Form.SCOPED
    return Form.MASKED if region.masked else Form.WINDOW


def zeroed(root: Node) -> tuple[tuple[str, Span], ...]:
    """Return what the memset() calls of a body fill with 0, and where each stands."""
    if b"memset" not in (root.text or b""):
        return ()
    calls = ((node, _zeroes(node)) for node in walk(root) if node.type == "call_expression")
    return tuple((target, span(node)) for node, target in calls if target is not None)


def _zeroes(call: Node) -> str | None:
    name = call.child_by_field_name("function")
    arguments = call.child_by_field_name("arguments")
    if name is None or arguments is None or text_of(name) != "memset":
        return None
    given = arguments.named_children
    return text_of(given[0]) if len(given) == 3 and text_of(given[1]) == "0" else None


def end_before_return(root: Node) -> int | None:
    """Return where the statement ends that the last `return` of a body follows, if one does."""
    statements = root.named_children
    if len(statements) < 2 or statements[-1].type != "return_statement":
        return None
    return statements[-2].end_byte


def _odd_text(source: Source, extent: Span) -> str | None:
    text = source.quote(extent)
    if re.search(r"^\s*#", text, re.MULTILINE):
        return "a preprocessor line stands among the accesses"
    if "/*" in text or "//" in text:
        return "a comment stands among the accesses and would be lost"
    line_end = source.text.find(b"\n", extent.end)
    rest = source.text[extent.end : line_end if line_end >= 0 else None].lstrip()
    if rest.startswith((b"/*", b"//")):
        return "a comment behind the last statement would be left behind another one"
    return None


def _operands(condition: Node) -> Iterator[Node]:
    pending = [condition]
    while pending:
        node = plain(pending.pop())
        operator = node.child_by_field_name("operator")
        if node.type == "binary_expression" and operator is not None and text_of(operator) == "||":
            sides = (node.child_by_field_name("right"), node.child_by_field_name("left"))
            pending += [side for side in sides if side is not None]
        else:
            yield node


def _fault(source: Source, statement: Node) -> str:
    consequence = statement.child_by_field_name("consequence")
    return _leave(source, consequence) if consequence is not None else ""


def _leave(source: Source, consequence: Node) -> str:
    statement = consequence
    if statement.type == "compound_statement":
        if len(statement.named_children) != 1:
            return ""
        statement = statement.named_children[0]
    if statement.type not in ("return_statement", "goto_statement"):
        return ""
    if any(found.type in ("call_expression", "comment") for found in walk(statement)):
        return ""
    return " ".join(source.quote(span(statement)).split())


def _condition(statement: Node) -> Node | None:
    return statement.child_by_field_name("condition")


def _indent(source: Source, node: Node) -> str:
    start = source.text.rfind(b"\n", 0, node.start_byte) + 1
    before = source.text[start : node.start_byte]
    return before.decode() if not before.strip() else ""


def _numbers(source: Source, start: int, end: int) -> tuple[int, ...]:
    return tuple(range(source.line(start), source.line(end - 1) + 1))
