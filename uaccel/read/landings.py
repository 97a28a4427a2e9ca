# SPDX-License-Identifier: GPL-2.0-only
"""Say where the faults of a window land, and what becomes of those labels without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.scaffold import Cut
from uaccel.model.source import Source, Span
from uaccel.read.csource import plain, span, text_of
from uaccel.read.cuts import whole_lines

_LEAVES = ("return_statement", "goto_statement", "break_statement", "continue_statement")
_JUMPS = ("return_statement", "goto_statement")
UNREACHED = "what a failed begin does would never be reached"


@dataclass(frozen=True, slots=True)
class Landings:
    """The labels of a body, and the statements that end its windows."""

    source: Source
    nodes: tuple[Node, ...]  # of the whole body, in the order of the text
    labels: Mapping[str, Node]
    ends: frozenset[int]  # ids of the statements that end a window
    unsafe: frozenset[int]  # ids of the names of labels that go with the window

    def fault(self, label: str) -> str:
        """Return the statement that leaves where an access jumped to `label`."""
        stay = f"goto {label};"
        node = self.labels.get(label)
        rest = self._behind(node) if node is not None else []
        if node is None or not rest:
            return stay
        first = rest[0]
        if _has_comment(self.source, Span(node.start_byte, first.end_byte)):
            return stay
        if first.type == "labeled_statement":
            return f"goto {_name(first)};"
        if first.type == "goto_statement" or _is_constant_return(first):
            return " ".join(self.source.quote(span(first)).split())
        return stay

    def alike(self, begun: str, fault: str) -> bool:
        """Return whether `begun`, which leaves, does what `fault` does."""
        if begun == fault or (fault.startswith("goto ") and begun == self._done_at(fault[5:-1])):
            return True
        return begun.startswith("goto ") and self.fault(begun[5:-1]) == fault

    def _done_at(self, label: str) -> str:
        # The statements from a label on up to one that leaves, on one line.
        node, done = self.labels.get(label), []
        for statement in self._behind(node) if node is not None else ():
            done.append(self.source.quote(span(statement)))
            if statement.type in _LEAVES:
                return " ".join(" ".join(done).split())
        return ""

    def cuts(self, cuts: list[Cut], faults: tuple[str, ...]) -> list[Cut] | str:
        """Return the cuts that `cuts` makes necessary at labels, or why there can be none.

        `faults` are the statements that will leave; what only the window jumped to goes.
        """
        made = [*cuts, *self._retargeted(cuts)]
        dropped: set[str] = set()
        while True:
            found = [n for n in self.labels if n not in dropped and self._idle(n, made, faults)]
            if not found:
                break
            for name in found:
                cut = self._drop(self.labels[name])
                if isinstance(cut, str):
                    return cut
                dropped.add(name)
                made.append(cut)
        kept = (node for name, node in self.labels.items() if name not in dropped)
        return [*made, *(cut for node in kept for cut in self._ends_at(node))]

    def _retargeted(self, cuts: list[Cut]) -> Iterator[Cut]:
        # A test that jumped to where the accesses did goes at once where that led to.
        gone = {text_of(node) for node in self.nodes if node.id in self.unsafe}
        for node in self.nodes:
            if node.type != "statement_identifier" or not _jumps(node) or node.parent is None:
                continue
            name = text_of(node)
            if name not in gone or any(_covers(cut, node) for cut in cuts):
                continue
            fault = self.fault(name)
            if fault != f"goto {name};":
                yield Cut(span(node.parent), fault)

    def _behind(self, node: Node) -> list[Node]:
        # What runs from a label on, without the ends of windows that come first.
        rest = [node.named_children[-1], *_after(_outermost(node))]
        while rest and rest[0].id in self.ends:
            del rest[0]
        return rest

    def _idle(self, name: str, made: list[Cut], faults: tuple[str, ...]) -> bool:
        # Whether nothing jumps there any more, and something did that goes with the window.
        if f"goto {name};" in faults:
            return False
        uses = [node for node in self.nodes if _jumps(node) and text_of(node) == name]
        gone = [n for n in uses if n.id in self.unsafe or any(_covers(c, n) for c in made)]
        return bool(gone) and len(gone) == len(uses)

    def _drop(self, node: Node) -> Cut | str:
        inner, rest = node.named_children[-1], self._behind(node)
        first = rest[0] if rest else None
        end = inner.start_byte if first == inner else inner.end_byte
        if first is not None and first != inner:
            end = max(end, *(n.end_byte for n in self._leading_ends(node)))
        if _falls_in(node) or (first is not None and first.type == "labeled_statement"):
            if text_of(inner) == ";":
                end = inner.end_byte
            return Cut(_up_to(self.source, node.start_byte, end), "")
        part = Span(node.start_byte, first.end_byte if first is not None else end)
        if first is None or first.type not in _JUMPS or "#" in self.source.quote(part):
            return UNREACHED
        return Cut(whole_lines(self.source, _with_block(node, part)), "")

    def _leading_ends(self, node: Node) -> Iterator[Node]:
        for found in (node.named_children[-1], *_after(_outermost(node))):
            if found.id not in self.ends:
                return
            yield found

    def _ends_at(self, node: Node) -> Iterator[Cut]:
        # A label needs a statement behind it.
        inner = node.named_children[-1]
        if inner.id not in self.ends:
            return
        rest = [n for n in _after(_outermost(node)) if n.id not in self.ends]
        if rest and rest[0].type not in ("declaration", "case_statement"):
            yield Cut(whole_lines(self.source, span(inner)), "")
        else:
            yield Cut(span(inner), ";")


def labels_of(nodes: tuple[Node, ...]) -> Mapping[str, Node]:
    """Return the labelled statements among `nodes` by their label."""
    return {_name(node): node for node in nodes if node.type == "labeled_statement"}


def _name(labelled: Node) -> str:
    return text_of(labelled.named_children[0])


def _outermost(node: Node) -> Node:
    while node.parent is not None and node.parent.type == "labeled_statement":
        node = node.parent
    return node


def _after(node: Node) -> Iterator[Node]:
    found = node.next_named_sibling
    while found is not None:
        yield found
        found = found.next_named_sibling


def _jumps(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    if node.type == "statement_identifier":
        return parent.type == "goto_statement"
    return node.type == "identifier" and parent.type in ("argument_list", "comma_expression")


def _covers(cut: Cut, node: Node) -> bool:
    return cut.span.covers(span(node))


def _falls_in(labelled: Node) -> bool:
    node = _outermost(labelled)
    if node != labelled:
        return True
    before = _before(node)
    while before is not None and before.type == "labeled_statement":
        before = before.named_children[-1]
    if before is not None:
        return before.type not in _LEAVES
    return _never(node) is None


def _before(node: Node) -> Node | None:
    # The statement before it; what an #ifdef holds first stands behind what is before the #ifdef.
    before = node.prev_named_sibling
    above = node.parent
    if above is None or above.type not in ("preproc_ifdef", "preproc_if"):
        return before
    return above.prev_named_sibling if before == above.named_children[0] else before


def _never(statement: Node) -> Node | None:
    # The `if (0) { ... }` that holds it.
    block = statement.parent
    owner = block.parent if block is not None and block.type == "compound_statement" else None
    if owner is None or owner.type != "if_statement":
        return None
    condition = owner.child_by_field_name("condition")
    zero = condition is not None and text_of(plain(condition)) == "0"
    return owner if zero and owner.child_by_field_name("alternative") is None else None


def _with_block(node: Node, part: Span) -> Span:
    # With the `if (0) { ... }` or the #ifdef that holds nothing else.
    block = node.parent
    if block is None:
        return part
    inside = block.named_children
    if block.type in ("preproc_ifdef", "preproc_if"):
        inside, owner = inside[1:], block
    else:
        owner = _never(node) or node
    alone = owner != node and all(part.covers(span(child)) for child in inside)
    return span(owner) if alone else part


def _up_to(source: Source, start: int, end: int) -> Span:
    # A label with its line's end, when the statement behind it begins another line.
    lines = whole_lines(source, Span(start, end - len(_trailing(source, start, end))))
    return lines if lines.end <= end or source.text[end - 1 : end] == b";" else Span(start, end)


def _trailing(source: Source, start: int, end: int) -> bytes:
    text = source.text[start:end]
    return text[len(text.rstrip()) :]


def _has_comment(source: Source, part: Span) -> bool:
    text = source.quote(part)
    return "/*" in text or "//" in text or "#" in text


def _is_constant_return(statement: Node) -> bool:
    if statement.type != "return_statement":
        return False
    return all(
        found.type not in ("call_expression", "identifier", "field_expression")
        or (found.type == "identifier" and text_of(found).isupper())
        for found in _below(statement)
    )


def _below(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        yield child
        yield from _below(child)
