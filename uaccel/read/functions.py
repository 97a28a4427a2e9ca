# SPDX-License-Identifier: GPL-2.0-only
"""Open the functions of a file that access user memory: parsed, and their accesses grouped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.source import Form, Held, Span
from uaccel.read.accesses import direction_of
from uaccel.read.csource import annotated, function_name, functions, parse_within
from uaccel.read.groups import Body, group
from uaccel.read.macros import Macro
from uaccel.read.pieces import Piece, branches, piece_at, stretch_at
from uaccel.read.places import Text, calls_of, lone
from uaccel.read.ways import Group, Place

_CONDITIONAL = re.compile(rb"^[ \t]*#[ \t]*(?:el|if)", re.MULTILINE)
_LOOP = re.compile(rb"\b(?:for|while|do|goto)\b|each")
_LABEL = re.compile(rb"\n ?\w+:")
_STATIC = re.compile(rb"\bstatic\b")


@dataclass(frozen=True, slots=True)
class Part:
    """The body as it was parsed, and the groups found in it."""

    root: Node
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One function that accesses user memory."""

    piece: Piece
    wrappers: Mapping[str, Macro]  # macros and functions that only wrap accessors
    text: Text
    parts: tuple[Part, ...]  # the first holds both branches of every #if; others one of them
    odd: tuple[Place, ...]  # accesses that could not be placed
    deep: bool  # because its blocks are nested too deeply
    alone: Place | None  # its only access, when that is enough to know: nothing was parsed then

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the groups of all parts, in the order of the text."""
        found = (one for part in self.parts for one in part.groups)
        return tuple(sorted(found, key=lambda one: one.sites[0].place.at))


@dataclass(frozen=True, slots=True)
class Functions:
    """What a file's accesses stand in."""

    opened: tuple[Opened, ...]  # in the order of the text
    lost: tuple[int, ...]  # offsets of accessors that stand in no function


def open_functions(
    clean: bytes,
    offsets: tuple[int, ...],
    macros: tuple[Macro, ...],
    every: bool,
    held: tuple[Held, ...] = (),
) -> Functions:
    """Return the functions that hold the accessors at `offsets`, or use a wrapper of them.

    `macros` are in the order of the text, those of includers first; `every` asks also for
    functions that use a macro only once.  `held` are windows that were unmade.
    """
    wrapping = tuple(macro for macro in macros if _wraps(macro))
    pieces, lost = _pieces(clean, offsets)
    opened: dict[Span, Opened] = {}
    for piece, inside in pieces:
        plain = not every and not wrapping and len(inside) == 1
        one = _alone(clean, piece, inside[0]) if plain else None
        opened[piece.body] = one or _unfold(clean, piece, _in_force(wrapping, piece), held)
    helpers = {macro.name: macro for one in opened.values() if (macro := _helper(clean, one))}
    names = {macro.name for macro in wrapping}
    for piece in _users(clean, names | helpers.keys()):
        known = {**helpers, **_in_force(wrapping, piece)}
        text = calls_of(clean, piece.body, known)
        named = any(place.name in names for place in text.places)
        heavy = any(place.accesses > 1 for place in text.places if not place.helper)
        body = clean[piece.body.start : piece.body.end]
        looped = bool(text.places) and _LOOP.search(body) is not None
        if len(text.places) > 1 or (every and named) or heavy or looped:
            opened[piece.body] = _unfold(clean, piece, known, held)
    ordered = sorted(opened.items(), key=lambda item: item[0])
    return Functions(tuple(one for _, one in ordered), lost)


def _in_force(macros: tuple[Macro, ...], piece: Piece) -> dict[str, Macro]:
    # A name may be defined anew, with #undef between; the last definition above counts.
    return {macro.name: macro for macro in macros if macro.start < piece.body.end}


def _wraps(macro: Macro) -> bool:
    # What is made of unsafe accessors alone belongs to the window of whoever uses it.
    naked = all(name.startswith("unsafe_") for name in macro.accessors)
    whole = macro.form in (Form.WINDOW, Form.HELPER)
    return direction_of(macro.name) is None and (whole or not naked)


def _pieces(
    clean: bytes, offsets: tuple[int, ...]
) -> tuple[list[tuple[Piece, list[int]]], tuple[int, ...]]:
    # Each function with the accessors that stand in it.
    found: list[tuple[Piece, list[int]]] = []
    lost: list[int] = []
    stretches: dict[Span, list[Piece]] = {}
    for at in offsets:
        if found and found[-1][0].body.start <= at < found[-1][0].body.end:
            found[-1][1].append(at)
            continue
        piece = piece_at(clean, at) or _parsed(clean, at, stretches)
        if piece is None:
            lost.append(at)
        else:
            found.append((piece, [at]))
    return found, tuple(lost)


def _parsed(clean: bytes, at: int, stretches: dict[Span, list[Piece]]) -> Piece | None:
    # Where braces do not tell, the parser may.
    for above in (1, 2):
        stretch = stretch_at(clean, at, above)
        if stretch not in stretches:
            stretches[stretch] = list(_defined(clean, stretch))
        for piece in stretches[stretch]:
            if piece.body.start <= at < piece.body.end:
                return piece
    return None


def _defined(clean: bytes, stretch: Span) -> Iterator[Piece]:
    plain = bytearray(clean)
    plain[stretch.start : stretch.end] = annotated(clean[stretch.start : stretch.end])
    for node in functions(parse_within(bytes(plain), stretch)):
        body = node.child_by_field_name("body")
        name = function_name(node)
        if name is not None and body is not None and body.type == "compound_statement":
            here = Span(body.start_byte, body.end_byte)
            yield Piece(name, Span(node.start_byte, body.start_byte), here)


def _alone(clean: bytes, piece: Piece, at: int) -> Opened | None:
    # One access that no loop repeats shares no window, however its function is built.
    if _LOOP.search(clean, piece.body.start, piece.body.end) is not None:
        return None
    text = lone(clean, piece.body, at)
    if text is None:
        return None
    return Opened(piece, {}, text, (), (), False, text.places[0])


def _unfold(
    clean: bytes, piece: Piece, macros: Mapping[str, Macro], held: tuple[Held, ...]
) -> Opened:
    mine = tuple(window for window in held if piece.body.covers(window.span))
    text = calls_of(clean, piece.body, macros, mine)
    body = clean[piece.body.start : piece.body.end]
    outside = tuple(place for place in text.places if not _in_window(text, place))
    part, odd, deep = _part(clean, piece.body, body, outside, text)
    parts = [part]
    if odd and _CONDITIONAL.search(body):
        for branch in branches(body):
            there = tuple(p for p in outside if _stands(branch, p, piece.body.start))
            part, left, _ = _part(clean, piece.body, branch, there, text)
            groups = tuple(g for g in part.groups if any(s.place in odd for s in g.sites))
            parts.append(Part(part.root, groups))
            odd = tuple(place for place in odd if place in left or place not in there)
    return Opened(piece, macros, text, tuple(parts), odd, deep, None)


def _part(
    clean: bytes, span: Span, body: bytes, places: tuple[Place, ...], text: Text
) -> tuple[Part, tuple[Place, ...], bool]:
    plain = clean[: span.start] + annotated(body) + clean[span.end :]
    root = parse_within(plain, span)
    first = root.named_children[0] if root.named_child_count else root
    try:
        groups, odd = group(Body(root, clean, places, text.foreign, text.held))
    except RecursionError:  # blocks within blocks, hundreds of them: no kernel code, but C
        return Part(root, ()), places, True
    whole = root.named_child_count == 1 and first.type == "compound_statement"
    return Part(first if whole else root, groups), odd, False


def _stands(branch: bytes, place: Place, start: int) -> bool:
    name = place.name.encode()
    return branch.startswith(name, place.at - start)


def _in_window(text: Text, place: Place) -> bool:
    if place.name.startswith("unsafe_"):
        return True
    return any(region.held.start <= place.at < region.held.end for region in text.regions)


def _helper(clean: bytes, one: Opened) -> Macro | None:
    # A function that does nothing but access user memory.
    ways = {place.direction for place in one.text.places}
    names = tuple(place.name for place in one.text.places)
    windows = one.text.regions or one.text.held
    if one.text.foreign or windows or one.odd or len(ways) != 1 or not one.groups:
        return None
    if _STATIC.search(clean, one.piece.header.start, one.piece.header.end) is None:
        return None
    if _LABEL.search(clean, one.piece.body.start, one.piece.body.end) is not None:
        return None
    copies = any("copy" in name for name in names)
    form = Form.STRUCTCOPY if copies else Form.FIELDWISE
    looped = any(group.looped for group in one.groups)
    longest = max(group.longest for group in one.groups)
    return Macro(one.piece.name, names, form, ways.pop(), "function", True, longest, looped, 0)


def _users(clean: bytes, wrappers: set[str]) -> tuple[Piece, ...]:
    if not wrappers:
        return ()
    names = b"|".join(re.escape(name.encode()) for name in sorted(wrappers))
    found: list[Piece] = []
    for match in re.finditer(rb"(?:" + names + rb")\s*+\(", clean):
        at = match.start()
        if clean[at - 1 : at].isalnum() or (found and at < found[-1].body.end):
            continue
        piece = piece_at(clean, at)
        if piece is not None:
            found.append(piece)
    return tuple(found)
