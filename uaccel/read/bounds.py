# SPDX-License-Identifier: GPL-2.0-only
"""Find the members of structs whose index no compiler can check: their size is not known to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from uaccel.read.csource import parse, span, text_of, walk
from uaccel.read.definitions import Header

_COUNTED = b"counted_by"  # __counted_by(), __counted_by_le(), __counted_by_ptr(), ...


@dataclass(frozen=True, slots=True)
class _Member:
    unbound: bool  # a pointer, or an array without a size
    tag: str  # of its struct, "" when it has none


def unbound(
    headers: tuple[Header, ...], asked: Iterable[tuple[str, str]]
) -> frozenset[tuple[str, str]]:
    """Return those of `asked`, struct and path of a member, that nothing checks the index of.

    What is defined in several ways is so in each of them.
    """
    return frozenset(one for one in asked if _is_unbound(headers, *one))


def _is_unbound(headers: tuple[Header, ...], tag: str, path: str) -> bool:
    name, _, rest = path.partition(".")
    every = (one for header in headers for one in header.defined.get(("struct", tag), ()))
    found = [_member(text, name) for text in dict.fromkeys(one.text for one in every)]
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return False
    if not rest:
        return all(one.unbound for one in known)
    tags = {one.tag for one in known}
    return len(tags) == 1 and "" not in tags and _is_unbound(headers, tags.pop(), rest)


@lru_cache(maxsize=1 << 10)
def _member(body: str, name: str) -> _Member | None:
    # None when it is not there, or there in several ways, or in text that does not parse.
    whole = f"struct x {body};".encode("latin1", errors="replace")
    root = parse(whole)
    words = (one for one in walk(root) if not one.children and one.type != "type_identifier")
    named = (one for one in words if text_of(one) == name)
    found = {_declared(whole, one) for one in named}
    return found.pop() if len(found) == 1 else None


def _declared(whole: bytes, name: Node) -> _Member | None:
    # How a declaration gives a member that name.
    declarator = name
    while declarator.parent is not None and declarator.parent.type.endswith("declarator"):
        declarator = declarator.parent
    declaration = declarator.parent
    if declaration is None or declaration.type != "field_declaration" or declaration.has_error:
        return None
    if name.type != "field_identifier":
        return None
    here = span(declaration)
    counted = _COUNTED in whole[here.start : here.end]
    return _Member(_is_open(name) and not counted, _tag(declaration))


def _is_open(name: Node) -> bool:
    # `*p`, `**p`; of an array its only size is left out.
    inner, outer = name, name.parent
    if outer is not None and outer.type == "array_declarator":
        if outer.child_by_field_name("size") is not None:
            return False
        inner, outer = outer, outer.parent
        return outer is not None and outer.type != "array_declarator"
    return inner.parent is not None and inner.parent.type == "pointer_declarator"


def _tag(declaration: Node) -> str:
    kind = declaration.child_by_field_name("type")
    if kind is None or kind.type != "struct_specifier" or kind.child_by_field_name("body"):
        return ""
    name = kind.child_by_field_name("name")
    return text_of(name) if name is not None else ""
