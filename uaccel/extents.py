# SPDX-License-Identifier: GPL-2.0-only
"""How far into its object a place lies, and how many bytes an expression comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.model.flowgraph import Graph, Pointer
from uaccel.model.source import Layouts, Member

_PART = re.compile(r"\.?([A-Za-z_]\w*)|\[([^\]]*)\]")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d+")
_FIRST = re.compile(r"\[([^\]]*)\]")
_AHEAD = re.compile(r"\(*[\w>.-]+?\)*\+\(?(0[xX][0-9a-fA-F]+|\d+)\)?")
_SIZEOF = re.compile(r"sizeof\((.*)\)")
_OBJECT = re.compile(r"\*?\(?([A-Za-z_]\w*)\)?")
_TAG = re.compile(r"(?:struct|union) (\w+)")
_TAGS = re.compile(r"\b(?:struct|union) (\w+)")
# As the parser is given it: `Offsetof(map,north)`.
_OFFSETOF = re.compile(r"[oO]ffsetof(end)?\((?:(?:struct|union) )?(\w+),([\w.\[\]]+)\)")
_FIELD = re.compile(r"([A-Za-z_]\w*)(?:->|\.)([\w.\[\]]+)")


def placed(layouts: Layouts, tag: str, path: str) -> tuple[int, int, str] | None:
    """Return offset, bytes and kind of what `path` names in struct `tag`; None when not known."""
    found = layouts.find(tag)
    if found is None:
        return None
    offset, size, kind, members = 0, found.size, "struct", found.members
    for name, index in _PART.findall(path):
        if name:
            member = _member(members, name)
            if member is None:
                return None
            offset += member[0]
            size, kind = member[1].size, member[1].kind
            members = _inner(layouts, member[1])
        elif not _NUMBER.fullmatch(index) or kind != "array":
            return None
        else:  # the size of an element is not kept: only the first one's offset is known
            if int(index, 0):
                return None
            kind = "element"
    return offset, size, kind


def reached_by(layouts: Layouts, graph: Graph, pointer: Pointer) -> tuple[int, int] | None:
    """Return where a pointer leads, in bytes from its base, and how many bytes lie there.

    None when that is not known.
    """
    base, path = pointer.base, pointer.path
    step = _AHEAD.fullmatch(pointer.text) if not pointer.plain else None
    index = _FIRST.match(path)
    if not pointer.plain and step is None:
        return None
    number = step[1] if step is not None else index[1] if index is not None else "0"
    one = element(layouts, graph, base)
    if one is None or not _NUMBER.fullmatch(number):
        return None
    rest = path[index.end() :].lstrip(".") if index is not None else path
    place = (0, one, "") if not rest else _member_of(layouts, graph, base, rest)
    return (int(number, 0) * one + place[0], place[1]) if place is not None else None


def element(layouts: Layouts, graph: Graph, name: str) -> int | None:
    """Return the bytes of what the pointer `name` leads to; None when that is not known."""
    tag = dict(graph.structs).get(name)
    if tag is not None:
        found = layouts.find(tag)
        return found.size if found is not None else None
    kind = dict(graph.scalars).get(name, "")
    return 1 if kind in ("char", "void") else dict(layouts.integers).get(kind)


def _member_of(layouts: Layouts, graph: Graph, base: str, path: str) -> tuple[int, int, str] | None:
    tag = dict(graph.structs).get(base)
    found = placed(layouts, tag, path) if tag is not None else None
    if found is None or found[2] in ("scalar", "struct"):
        return found
    return found[0], 1, found[2]  # an array: that it begins there is all that is known


def bytes_of(layouts: Layouts, graph: Graph, text: str) -> int | None:
    """Return what a size, as C without blanks, comes to; None when that is not known."""
    parts = text.split("+")
    if len(parts) > 1:
        known = [bytes_of(layouts, graph, part) for part in parts]
        return None if None in known else sum(one for one in known if one is not None)
    factors = text.split("*", 1) if _NUMBER.match(text) else text.rsplit("*", 1)
    if len(factors) > 1 and any(_NUMBER.fullmatch(one) for one in factors):
        both = [bytes_of(layouts, graph, one) for one in factors]
        return both[0] * both[1] if both[0] is not None and both[1] is not None else None
    if _NUMBER.fullmatch(text):
        return int(text, 0)
    offset = _OFFSETOF.fullmatch(text)
    if offset is not None:
        place = placed(layouts, offset[2], offset[3])
        return place[0] + (place[1] if offset[1] else 0) if place is not None else None
    found = _SIZEOF.fullmatch(text)
    if found is None or "(" in found[1].strip("*()"):
        return None
    return _sizeof(layouts, graph, found[1])


def holes(layouts: Layouts, tag: str) -> bool | None:
    """Return whether struct `tag` has bytes that no member names; None when that is not known."""
    found = layouts.find(tag)
    if found is None or any(one.kind == "bitfield" for one in found.members):
        return None
    at = 0
    for member in found.members:
        if member.offset > at:
            return True
        if member.kind == "struct" and member.struct and holes(layouts, member.struct):
            return True
        at = max(at, member.offset + member.size)
    return at < found.size


def _sizeof(layouts: Layouts, graph: Graph, text: str) -> int | None:
    tag = _TAG.fullmatch(text)
    if tag is not None:
        layout = layouts.find(tag[1])
        return layout.size if layout is not None else None
    integer = dict(layouts.integers).get(text)
    if integer is not None:
        return integer
    structs = dict(graph.structs)
    field = _FIELD.fullmatch(text)
    if field is not None and field[1] in structs:
        found = placed(layouts, structs[field[1]], field[2])
        return found[1] if found is not None else None
    name = _OBJECT.fullmatch(text)
    if name is not None and text[0] == "*" and name[1] in dict(graph.scalars):
        return element(layouts, graph, name[1])
    known = name is not None and name[1] in structs
    whole = known and ((text[0] == "*") != (name is not None and name[1] in graph.variables))
    layout = layouts.find(structs[name[1]]) if whole and name is not None else None
    return layout.size if layout is not None else None


def _member(members: tuple[Member, ...], name: str) -> tuple[int, Member] | None:
    for one in members:
        if one.name == name:
            return one.offset, one
        if not one.name:
            inner = _member(one.members, name)
            if inner is not None:
                return one.offset + inner[0], inner[1]
    return None


def _inner(layouts: Layouts, member: Member) -> tuple[Member, ...]:
    if member.members:
        return member.members
    found = layouts.find(member.struct) if member.struct else None
    return found.members if found is not None else ()


def tags_in(graph: Graph, text: str) -> Iterator[str]:
    """Yield the structs that a size, as C without blanks, names."""
    structs = dict(graph.structs)
    yield from (structs[word] for word in re.findall(r"[A-Za-z_]\w*", text) if word in structs)
    yield from _TAGS.findall(text)
    yield from (found[2] for found in _OFFSETOF.finditer(text))
