# SPDX-License-Identifier: GPL-2.0-only
"""Find what stands in a body only to hold its windows open: begins, ends, labels, scopes.

All windows of a function are unmade together, because two may end at one label.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tree_sitter import Node

from uaccel.ctext import Call, address, one_line
from uaccel.model.scaffold import Cut, Scaffold, Unsafe
from uaccel.model.source import Source, Span
from uaccel.read.accesses import direction_of
from uaccel.read.csource import span, text_of, walk
from uaccel.read.cuts import (
    braces,
    dedented,
    indent_at,
    is_arm,
    settled,
    starts_line,
    whole_lines,
)
from uaccel.read.landings import Landings, labels_of
from uaccel.read.masking import Masking, fences, masking
from uaccel.read.places import Region
from uaccel.read.standing import LIKE, Begin, Standing, end_of, leaving
from uaccel.read.wrappers import Wrapper, wrapper

_TAB = "\t"
_COMMENT = re.compile(rb"//.*|/\*(?:(?!\*/).)*\*/")
EARLY = "an access stands before the begin"
OTHER = "another window of the function cannot be unmade, and both may share an end"


def scaffolds(source: Source, root: Node, regions: tuple[Region, ...]) -> tuple[Scaffold, ...]:
    """Return how the window of each of `regions` can be unmade, or why it cannot."""
    nodes = tuple(walk(root))
    standing = Standing(source, nodes, _wrappers(source, nodes))
    calls = standing.unsafe()
    begins = [standing.begin(region) for region in regions]
    whys = [
        _obstacle(standing, region, begin, _of(region, regions, calls))
        for region, begin in zip(regions, begins, strict=True)
    ]
    known = [begin for begin in begins if isinstance(begin, Begin)]
    if calls and calls[0].start_byte < min(region.span.start for region in regions):
        whys = [why or EARLY for why in whys]
    if not any(whys):
        made = _Frame(standing, known, calls).scaffolds(regions)
        if not isinstance(made, str):
            return made
        whys = [made for _ in regions]
    return tuple(Scaffold((), (), "", "", why or OTHER) for why in whys)


def _wrappers(source: Source, nodes: tuple[Node, ...]) -> dict[str, Wrapper]:
    called = {name for name, _ in Standing(source, nodes, {}).calls() if LIKE.fullmatch(name)}
    found = ((name, wrapper(source, name)) for name in sorted(called))
    return {name: made for name, made in found if made is not None}


def _of(region: Region, regions: tuple[Region, ...], calls: tuple[Node, ...]) -> list[Node]:
    # An access belongs to the last window that began before it.
    after = [other.span.start for other in regions if other.span.start > region.span.start]
    end = min(after, default=calls[-1].end_byte if calls else 0)
    return [call for call in calls if region.span.start < call.start_byte < end]


def _obstacle(
    standing: Standing, region: Region, begin: Begin | str, calls: list[Node]
) -> str | None:
    why = standing.obstacle(region, calls)
    if why is not None:
        return why
    if isinstance(begin, str):
        return begin
    if _holds_directive(standing.source, begin.statement):
        return "a preprocessor line stands in its begin"
    for call in calls:
        why = _odd_access(standing, call)
        if why is not None:
            return why
    if _is_twice(standing, {text_of(_label(call)) for call in calls}):
        return "a label that its faults jump to stands there twice"
    for call in standing.ends():
        if end_of(call) is None:
            return "it ends in a branch without braces, or within an expression"
    return None


def _is_twice(standing: Standing, names: set[str]) -> bool:
    # In two branches of the preprocessor.
    labelled = (n for n in standing.nodes if n.type == "labeled_statement")
    found = Counter(text_of(node.named_children[0]) for node in labelled)
    return any(found[name] > 1 for name in names)


def _holds_directive(source: Source, statement: Node) -> bool:
    scope = statement.child_by_field_name("consequence")
    end = scope.start_byte if scope is not None else statement.end_byte
    return "\n#" in source.quote(Span(statement.start_byte, end))


def _odd_access(standing: Standing, call: Node) -> str | None:
    source, statement = standing.source, call.parent
    given = call.child_by_field_name("arguments")
    if statement is None or statement.type != "expression_statement" or given is None:
        return "an access stands within an expression"
    if _calls(standing, call) is None:
        return "an access has other arguments than the kernel's"
    text = source.quote(span(statement))
    if "/*" in text or "//" in text or "#" in text:
        return "a comment or a preprocessor line stands within an access"
    rest = source.text[statement.end_byte :].partition(b"\n")[0].strip()
    if rest.startswith((b"/*", b"//")) and not _COMMENT.fullmatch(rest):
        return "a comment behind an access goes on in the next line"
    if not starts_line(source, statement.start_byte):
        return "an access does not start its line"
    return None


class _Frame:
    """The windows of one body, all of which can go."""

    def __init__(self, standing: Standing, begins: list[Begin], calls: tuple[Node, ...]) -> None:
        self.standing = standing
        self.source = standing.source
        self.begins = begins
        self.calls = calls
        self.ends = [end for call in standing.ends() if (end := end_of(call)) is not None]
        scopes = [begin.statement.child_by_field_name("condition") for begin in begins]
        named = [_label(call) for call in calls]
        named += [node for s in scopes if s is not None for node in walk(s)]
        self.landings = Landings(
            standing.source,
            standing.nodes,
            labels_of(standing.nodes),
            frozenset(end.id for end in self.ends),
            frozenset(node.id for node in named),
        )

    def scaffolds(self, regions: tuple[Region, ...]) -> tuple[Scaffold, ...] | str:
        held: list[Unsafe] = []
        for call in self.calls:
            held.append(self._unsafe(call, held[-1] if held else None))
        shared = self._shared(tuple(one.fault for one in held))
        if isinstance(shared, str):
            return shared
        made = []
        for region, begin in zip(regions, self.begins, strict=True):
            starts = {call.start_byte for call in _of(region, regions, self.calls)}
            mine = tuple(one for one in held if one.statement.start in starts)
            cuts = _outside(shared, held) if region is regions[0] else ()
            begun = self._begun(begin, mine)
            # What the first access does when it fails, it does for a bad range as well.
            first = mine and self.landings.alike(begun, mine[0].fault)
            if begun.count(";") > 1 and not first:
                return "a failed begin does more than leave, and not what a fault does"
            calls = _of(region, regions, self.calls)
            whole, sure = self._held(begin, calls[-1])
            others = bool(self._maskings(begin))
            made.append(Scaffold(mine, cuts, begun, begin.covers, None, whole, sure, others))
        return tuple(made)

    def _held(self, begin: Begin, last: Node) -> tuple[Span, Span]:
        # All that stands behind the begin, up to the last statement that holds an access.
        body = begin.body
        start = begin.statement.end_byte if body is None else body.start_byte
        start += body is not None and body.type == "compound_statement"
        node, outer = last, span(begin.statement if body is None else body)
        while node.parent is not None and not span(node.parent).covers(outer):
            node = node.parent
        end = node.end_byte
        first = min((e.start_byte for e in self.ends if e.start_byte >= start), default=end)
        return Span(start, end), Span(start, min(first, end))

    def _shared(self, faults: tuple[str, ...]) -> tuple[Cut, ...] | str:
        cuts = [cut for begin in self.begins for cut in self._begin(begin)]
        guarding = [one for begin in self.begins for one in self._maskings(begin)]
        cuts += [cut for one in guarding for cut in self._unguarded(one, faults)]
        for end in self.ends:
            if end.parent is not None and end.parent.type != "labeled_statement":
                cuts.append(self._end(end))
        for call in self.calls:
            statement = call.parent
            if statement is not None and self._is_arm(statement):
                cuts += braces(self.source, statement, self._less(call))
        found = self.landings.cuts(cuts, faults)
        return found if isinstance(found, str) else settled(self.source, found)

    def _begin(self, begin: Begin) -> Iterator[Cut]:
        if begin.body is not None:
            yield from self._scope(begin.statement, begin.body)
        elif begin.kept:
            yield Cut(span(begin.statement), begin.kept)
        else:
            yield Cut(whole_lines(self.source, span(begin.statement)), "")

    def _maskings(self, begin: Begin) -> tuple[Masking, ...]:
        # What keeps the machine from guessing past other checks than that of the begin.
        first = masking(self.source, begin.statement)
        made = frozenset(call.parent.id for call in self.calls if call.parent is not None)
        within = fences(self.source, self._within(begin), made)
        return (*((first,) if first.statements else ()), *within)

    def _unguarded(self, one: Masking, faults: tuple[str, ...]) -> Iterator[Cut]:
        leaves = leaving(self.source, one.check) if one.check is not None else None
        alike = leaves is not None and all(self.landings.alike(leaves, fault) for fault in faults)
        gone = (*one.statements, *((one.check,) if one.check is not None and alike else ()))
        yield from (Cut(whole_lines(self.source, span(node)), "") for node in gone)

    def _within(self, begin: Begin) -> Iterator[Node]:
        if begin.body is not None:
            yield from walk(begin.body)
            return
        following = begin.statement.next_named_sibling
        while following is not None and following not in self.ends:
            yield from walk(following)
            following = following.next_named_sibling

    def _scope(self, scope: Node, body: Node) -> Iterator[Cut]:
        header = Span(scope.start_byte, body.start_byte)
        if not _dedents(self.source, scope, body):
            yield Cut(header, "")
            return
        if body.type != "compound_statement":
            yield Cut(whole_lines(self.source, _trimmed(self.source, header)), "")
        else:
            yield Cut(whole_lines(self.source, Span(header.start, body.start_byte + 1)), "")
            yield Cut(whole_lines(self.source, Span(body.end_byte - 1, body.end_byte)), "")
        yield from dedented(self.source, Span(scope.start_byte, body.end_byte))

    def _is_arm(self, statement: Node) -> bool:
        return is_arm(statement) and all(statement != begin.body for begin in self.begins)

    def _end(self, end: Node) -> Cut:
        only = end.parent is not None and end.parent.type == "case_statement"
        if only and end.prev_named_sibling is None and end.next_named_sibling is None:
            return Cut(span(end), ";")
        return Cut(whole_lines(self.source, span(end)), "")

    def _unsafe(self, call: Node, before: Unsafe | None) -> Unsafe:
        statement, calls = call.parent, _calls(self.standing, call)
        assert statement is not None and calls is not None
        indent = indent_at(self.source, call.start_byte).removeprefix(self._less(call))
        fault = self.landings.fault(text_of(_label(call)))
        way = direction_of(f"unsafe_{calls[0][0]}")
        assert way is not None
        joins = before is not None and (before.fault, before.direction) == (fault, way)
        joins = joins and before is not None and self._follows(before, statement)
        rest = self.source.text[statement.end_byte :].partition(b"\n")[0]
        comment = rest.strip() if _COMMENT.fullmatch(rest.strip()) else b""
        end = statement.end_byte + (len(rest.rstrip()) if comment else 0)
        here = Span(statement.start_byte, end)
        text = comment.decode(errors="surrogateescape")
        return Unsafe(here, calls, way, fault, text, indent, joins)

    def _less(self, call: Node) -> str:
        bodies = ((begin.statement, begin.body) for begin in self.begins)
        inside = (
            body is not None and span(body).covers(span(call)) and _dedents(self.source, s, body)
            for s, body in bodies
        )
        return _TAB if any(inside) else ""

    def _follows(self, before: Unsafe, statement: Node) -> bool:
        sibling = statement.prev_named_sibling
        if sibling is None or sibling.start_byte != before.statement.start:
            return False
        gap = self.source.quote(Span(sibling.end_byte, statement.start_byte))
        return not gap.strip() and gap.count("\n") == 1

    def _begun(self, begin: Begin, mine: tuple[Unsafe, ...]) -> str:
        leaves = begin.leaves
        if begin.body is not None:
            leaves = self.landings.fault(leaves.removeprefix("goto ").removesuffix(";"))
        alike = all(self.landings.alike(leaves, one.fault) for one in mine)
        return "" if not leaves or alike else leaves


def _outside(cuts: tuple[Cut, ...], held: list[Unsafe]) -> tuple[Cut, ...]:
    # What lies within the lines that accesses take is written anew with them.
    runs: list[Span] = []
    for one in held:
        if one.joins:
            runs[-1] = Span(runs[-1].start, one.statement.end)
        else:
            runs.append(one.statement)
    within = (cut for cut in cuts for run in runs if _inside(run, cut.span))
    gone = set(within)
    return tuple(cut for cut in cuts if cut not in gone)


def _inside(run: Span, cut: Span) -> bool:
    return run.start < cut.start and cut.end < run.end


def _calls(standing: Standing, call: Node) -> tuple[Call, ...] | None:
    # What it is without the window: `get_user(value, pointer)`.
    function, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or given is None:
        return None
    name = text_of(function)
    if name in standing.wrappers:
        return standing.wrappers[name].calls(standing.source, call)
    copies = "copy" in name
    if len(given.named_children) != (4 if copies else 3):
        return None
    written = [standing.source.quote(span(node)) for node in given.named_children[:-1]]
    users = (0, 1) if copies else (1,)
    texts = (address(t) if at in users else one_line(t) for at, t in enumerate(written))
    return ((name.removeprefix("unsafe_"), tuple(texts)),)


def _label(call: Node) -> Node:
    given = call.child_by_field_name("arguments")
    assert given is not None
    return given.named_children[-1]


def _trimmed(source: Source, part: Span) -> Span:
    text = source.text[part.start : part.end]
    return Span(part.start, part.start + len(text.rstrip()))


def _dedents(source: Source, scope: Node, body: Node) -> bool:
    # Whether the scope's own lines go and those of its body move to the left.
    header = source.text[scope.start_byte : body.start_byte]
    if b"/*" in header or b"//" in header or not starts_line(source, scope.start_byte):
        return False
    if body.type != "compound_statement":
        return b"\n" in header
    brace = whole_lines(source, Span(body.end_byte - 1, body.end_byte))
    opening = whole_lines(source, Span(scope.start_byte, body.start_byte + 1))
    both = brace.end - brace.start > 1 and opening.end > body.start_byte + 1
    return both and not any(n.type == "declaration" for n in body.named_children)
