# SPDX-License-Identifier: GPL-2.0-only
"""What a call of one of the kernel's words for user access does, as a record."""

from __future__ import annotations

from tree_sitter import Node

from uaccel.errors import BrokenInvariant
from uaccel.model.access import Direction
from uaccel.model.flowgraph import Begin, Opening, Ordinary, Pointer, Touch
from uaccel.read.accesses import Scope, access
from uaccel.read.csource import text_of
from uaccel.read.opening import begins, touches
from uaccel.read.userside import arguments, bare, called, calls_in, changes_in, pointer

_NO_NAMES = Scope((), ())


def begin(call: Node, *, ignored: bool, target: str) -> Begin:
    """Return the begin that `call` is; who asks knows that it is one."""
    name, given = called(call), arguments(call)
    known = begins(name)
    if known is None:
        raise BrokenInvariant(f"{name}() opens no window")
    mode, opening = known
    if opening is Opening.CHECKED and not given:  # as it was before 5.0: no range at all
        opening = Opening.BARE
    place = pointer(given[0]) if given else None
    size = bare(given[1]) if len(given) > 1 else ""
    return Begin(name, mode, opening, place, size, ignored, target)


def unsafe_access(call: Node) -> Touch:
    """Return the access that `call`, an accessor for windows with all its arguments, is."""
    name, given = called(call), arguments(call)
    way = touches(name) or Direction.READ
    copies = "copy" in name
    user, kernel = _sides(call, way, copies=copies)
    return Touch(
        name=name,
        way=way,
        pointer=user,
        kernel=kernel,
        size=bare(given[2]) if copies else "",
        calls=tuple(found for one in given[:-1] for found in calls_in(one)),
        changes=tuple(found for one in given[:-1] for found in changes_in(one)),
        label=text_of(given[-1]),
    )


def ordinary(call: Node) -> Ordinary:
    """Return the access that `call`, which opens and closes by itself, is."""
    made = access(call, _NO_NAMES)
    if made is None:
        given = arguments(call)
        return Ordinary(called(call), None, pointer(given[0]) if given else None, None)
    user, kernel = _sides(call, made.direction, copies=made.copies)
    size = bare(arguments(call)[2]) if made.copies else ""
    return Ordinary(called(call), made.direction, user, kernel, size)


def _sides(call: Node, way: Direction, *, copies: bool) -> tuple[Pointer, Pointer]:
    # The user's and the kernel's: (x, p) of a scalar, (to, from, n) of a copy.
    first, second = (pointer(one) for one in arguments(call)[:2])
    return (first, second) if copies and way is Direction.WRITE else (second, first)
