# SPDX-License-Identifier: GPL-2.0-only
"""Give the pointers of a window the names that a masked begin, or a scope, wants.

Where the machine can mask a pointer, a begin makes of one outside of user space one that faults,
and neither checks a range nor has a speculation barrier (include/linux/uaccess.h); every access
must go through the pointer that it gives.  Another pointer that is read through is checked by
`access_ok()` before, and then masked too: after the check `mask_user_address()` gives what it is
given, and when the machine guesses past the check, nothing of the kernel's.  Where begins do not
mask it gives back its argument, and the begin's own barrier stands behind both.  A pointer that is
only known within is checked there, with a barrier of its own behind that.
"""

from __future__ import annotations

import re
from dataclasses import replace

from uaccel.ctext import address
from uaccel.errors import BrokenInvariant
from uaccel.fields import declared
from uaccel.hoists import Hoists, pointed
from uaccel.model.access import Direction
from uaccel.model.source import Function
from uaccel.ranges import Range, is_far, pointee, rebased
from uaccel.windows import Window

BARRIER = (
    "another pointer needs a range check of its own, and no speculation barrier stands behind that "
    "where a begin masks its pointer"
)
LOOPED = (
    "another pointer is only known in a loop, and where a begin masks its pointer each pass would "
    "need a speculation barrier"
)
CALLED = (
    "the name of the pointer is assigned among the accesses, which a scope makes constant, and no "
    "access is made before"
)
CONSTANT = "another pointer is declared const, and its mask gives one to go on with"
LARGE = "`*{pointer}` is larger than a page, and a masked begin wants the first access near it"


def named(made: Window, *, constant: bool) -> Window | str:
    """Return the window with names for its pointers, those masked that must be; or why not.

    The pointer of its begin may be `constant` within.
    """
    masks, begun = made.ground.dialect.masks, made.ranges.begin
    if masks and is_far(begun):
        return LARGE.format(pointer=begun.pointer)
    moves = constant and begun.pointer in made.stretch.changed_before(made.stretch.extent.end)
    if moves and all(here != begun for _, here in made.ranges.covered):
        return CALLED
    done, begin = _with_name(made, begun, own=not moves)
    done = replace(done, ranges=replace(done.ranges, begin=begin))
    more = (*made.ranges.before, *(here for _, here in made.ranges.within))
    if made.direction is Direction.WRITE or not masks or not more:
        return _checked(made, done)
    if not made.ground.dialect.clamps:
        return BARRIER
    within = {access for access, _ in made.ranges.within}
    if any(step.looped and within & set(step.accesses) for step in made.stretch.steps):
        return LOOPED
    far = next((here for here in made.ranges.before if is_far(here)), None)
    if far is not None:
        return LARGE.format(pointer=far.pointer)
    if any(is_const(made.ground.function, here.pointer) for here in made.ranges.before):
        return CONSTANT
    return _checked(made, _masked(done))


def is_const(function: Function, name: str) -> bool:
    """Return whether `name` is a pointer that `function` declares const."""
    if not name.isidentifier():  # another expression is held by a variable of ours
        return False
    text = function.source.quote(function.span)
    return re.search(rf"\*\s*const\s+{name}\b", text) is not None


def _masked(made: Window) -> Window:
    done, before = made, []
    for here in made.ranges.before:
        done, another = _with_name(done, here, own=_is_own(made.ground.function, here.pointer))
        before.append(another)
    names = tuple(dict.fromkeys(one.pointer for one in before))
    return replace(done, ranges=replace(done.ranges, before=tuple(before)), masked=names)


def _with_name(made: Window, here: Range, *, own: bool) -> tuple[Window, Range]:
    # `own`: the name that it has, if any, will do.
    pointer = here.pointer
    if own and pointer.isidentifier():
        return made, here
    held = next((one for one in made.hoists.every if one.holds == pointer), None)
    first = tuple(one for one in made.hoists.every if one.access is None and one != held)
    others = tuple(one for one in made.hoists.every if one.access is not None and one != held)
    if held is None:
        held = pointed(made.ground.function, pointer, None, made.ground.taken | made.names)
    name = held.pointer
    whole = (f"sizeof({pointee(pointer)})", f"sizeof(*{pointer})")
    size = f"sizeof(*{name})" if here.size in whole else here.size
    hoists = Hoists((*first, replace(held, access=None), *others))
    return replace(made, hoists=hoists), Range(name, size)


def _is_own(function: Function, name: str) -> bool:
    # Whether it is a variable that can be assigned: another value it is not given.
    known = declared(function).get(name)
    if known is not None:
        return known.pointer and not known.array
    head, _, body = function.source.quote(function.span).partition("{")
    if re.search(rf"__user \*,\s*{name}\b", head):  # SYSCALL_DEFINE2(...)
        return True
    return re.search(rf"^\s*typeof\(.*\) {name};", body, re.MULTILINE) is not None


def _checked(plain: Window, made: Window) -> Window:
    # An access past a pointer that was checked and masked must go through that very pointer.
    source = made.ground.function.source
    new = dict(zip(plain.ranges.before, made.ranges.before, strict=True))
    new[plain.ranges.begin] = made.ranges.begin
    hoisted = made.hoists.every
    for access, here in plain.ranges.covered if not plain.ranges.kept else ():
        parts = made.transfers(access) if access.copies else ()
        texts = [part.pointer for part in parts] or [source.quote(access.pointer)]
        for text in texts:
            within, wanted = made.pointer(access, address(text)), new[here].pointer
            held = any((one.pointer, one.holds) == (within, wanted) for one in hoisted)
            if not held and rebased(within, wanted, "p") is None:
                raise BrokenInvariant(f"`{text}` does not go through `{wanted}`")
    return replace(made, unnamed=plain.ranges)
