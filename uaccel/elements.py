# SPDX-License-Identifier: GPL-2.0-only
"""Say which elements by a variable index may be taken in a window.

With CONFIG_UBSAN_BOUNDS a call of __ubsan_handle_out_of_bounds() stands behind the index of an
array.  Nothing stands behind that of a pointer, nor of an array without a size unless it says
__counted_by().  A loop that ends before the array does takes the call away with some compilers
only.  Where an architecture has no user_access_begin() of its own the call does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from uaccel.fields import declared
from uaccel.model.dialect import Dialect
from uaccel.model.source import Function
from uaccel.model.steps import Piece, Step, Stretch

ELEMENT = "an element by a variable index is read among the accesses"
_MEMBER = re.compile(r"(\w+)(?:->|\.)(\w+(?:(?:->|\.)\w+)*)")


def members(function: Function) -> frozenset[tuple[str, str]]:
    """Return the struct and path of each member that `function` takes an element of."""
    stretches = (one.stretch for one in function.clusters if one.stretch is not None)
    every = {array for one in stretches for array in _arrays(one)}
    return frozenset(found for array in every if (found := _member(function, array)) is not None)


def freed(function: Function, stretch: Stretch, dialect: Dialect) -> Stretch | str:
    """Return `stretch` with no mark at an element that nothing checks, or why none can hold it."""
    if any(_is_checked(function, array, dialect) for array in stretch.elements):
        return ELEMENT
    steps = tuple(_freed(function, step, dialect) for step in stretch.steps)
    return replace(stretch, steps=steps) if None not in steps else ELEMENT  # type: ignore[arg-type]


def _freed(function: Function, step: Step, dialect: Dialect) -> Step | None:
    pieces: list[Piece] = []
    for piece in step.pieces:
        checked = any(_is_checked(function, array, dialect) for array in piece.elements)
        if checked and not _is_taken_out(piece):
            return None
        reached = any(_is_checked(function, array, dialect) for array in piece.reaches)
        value = "" if piece.value == "element" and not checked else piece.value
        pointer = "" if piece.pointer == "element" and not reached else piece.pointer
        pieces.append(replace(piece, value=value, pointer=pointer))
    return replace(step, pieces=tuple(pieces))


def _is_taken_out(piece: Piece) -> bool:
    # Whether hoists() works its value out before the window, or refuses.
    access = piece.access
    return (
        access is not None and not access.copies and piece.value in ("element", "calls", "changes")
    )


def _arrays(stretch: Stretch) -> Iterator[str]:
    yield from stretch.elements
    for step in stretch.steps:
        for piece in step.pieces:
            yield from (*piece.elements, *piece.reaches)
    for part in stretch.parts:
        yield from _arrays(part)


def _is_checked(function: Function, array: str, dialect: Dialect) -> bool:
    if not dialect.opens:
        return False
    known = declared(function).get(array)
    if known is not None:
        return not (known.pointer and not known.array) and not _is_parameter(function, array)
    return _member(function, array) not in dialect.unbound


def _is_parameter(function: Function, name: str) -> bool:
    # `u8 frame[]` as a parameter is a pointer.
    head = function.source.text[function.span.start : function.body.start]
    return re.search(rb"\b%s\s*\[" % re.escape(name.encode()), head) is not None


def _member(function: Function, array: str) -> tuple[str, str] | None:
    # Of `set->engines`: ("tag", "engines"), where `set` is declared as a struct or a pointer to it.
    found = _MEMBER.fullmatch(array)
    known = declared(function).get(found[1]) if found is not None else None
    tag = re.fullmatch(r"struct (\w+)", known.type) if known is not None else None
    if found is None or known is None or tag is None or known.array:
        return None
    return tag[1], found[2].replace("->", ".")
