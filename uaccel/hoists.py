# SPDX-License-Identifier: GPL-2.0-only
"""Take out of a window what must not run within: calls, side effects, volatile loads.

Arguments of `put_user()` are evaluated before its window opens, those of `unsafe_put_user()`
within; so they are worked out before, in their order, and what is read goes to its place after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uaccel.ctext import address, fresh, one_line
from uaccel.fields import declared
from uaccel.model.access import Access, Direction
from uaccel.model.source import Function
from uaccel.model.steps import Piece, Step, Stretch
from uaccel.ranges import pointee

_WHY = {
    "calls": "an argument calls, in a loop or branch that the window would hold",
    "changes": "an argument assigns, in a loop or branch that the window would hold",
    "volatile": "an argument is volatile, in a loop or branch that the window would hold",
    "element": "an argument is an element by a variable index, in a loop or branch",
}
POINTER = "a user pointer is worked out by a call or an assignment"
ASSIGNS = "an argument assigns: when a fault keeps it from that, the function may go on without"
PLACE = "a copy's or a value's place in the kernel is worked out by a call or an assignment"
CHANGED = "an argument that must be worked out before the window depends on what happens in it"
LATER = "what is read goes to a place that must be worked out, and a fault goes on"
BEYOND = "an argument calls behind a way out, on which it was not called"
_CAST = re.compile(r"\(((?:(?:const|unsigned|struct|enum) )*\w+ __user \*)\) ?(?=[\w(&])")
_CONSTANT = re.compile(r"-?\(?\d\w*\)?|[A-Z][A-Z0-9_]*|NULL|sizeof\([^()]*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_MOVED = re.compile(r"(\w+)(?: ?\+ ?[\w +*]+)?|&(\w+)\[[^\[\]]*\]")
_USER = re.compile(r"[(,;{}\n]\s*((?:const )?(?:(?:unsigned|struct|union) )?\w+ __user \*)")
_WRAPPED = re.compile(r"\((?:[^()]|\([^()]*\))*\)")
_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_SUM = re.compile(r"\w\s*(?:\+|-(?!>))")


@dataclass(frozen=True, slots=True)
class Hoist:
    """One argument that is worked out outside of the window."""

    access: Access | None  # None for the pointer of a range, whoever goes through it
    name: str  # of the variable that holds it
    declaration: str  # C
    before: str  # statement before the window; "" for none
    behind: str  # statement behind it; "" for none
    calls: bool
    pointer: str = ""  # of a pointer: what it is called; `name` is "" then
    holds: str = ""  # of a pointer: the expression that it stands for


@dataclass(frozen=True, slots=True)
class Hoists:
    """All of them, in the order of the accesses."""

    every: tuple[Hoist, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the new variables."""
        return tuple(one.name or one.pointer for one in self.every)

    def name(self, access: Access) -> str:
        """Return the variable that stands for an access's value, "" when it stays."""
        return next((one.name for one in self.every if one.access == access and one.name), "")


def hoists(function: Function, stretch: Stretch, taken: frozenset[str]) -> Hoists | str:
    """Return what must be taken out of a window over `stretch`, or why it cannot be."""
    found: list[Hoist] = []
    names = set(taken)
    for step in stretch.steps:
        for piece in step.pieces:
            if piece.access is None:
                continue
            why = _pointer_against(function, stretch, step, piece)
            if why is not None:
                return why
            if piece.pointer == "element":
                pointer = address(function.source.quote(piece.access.pointer))
                held = pointed(function, pointer, piece.access, frozenset(names))
                names.add(held.pointer)
                found.append(held)
            if not _is_hoisted(function, stretch, piece):
                continue
            made = _hoist(function, stretch, step, piece, names)
            if isinstance(made, str):
                return made
            names.add(made.name)
            found.append(made)
    return Hoists(tuple(found))


def pointed(
    function: Function, pointer: str, access: Access | None, taken: frozenset[str]
) -> Hoist:
    """Return the variable that holds a user pointer: an access's own, or that of a range."""
    name = fresh("uptr", taken)
    cast = _CAST.match(pointer)
    type_ = cast[1] if cast is not None else _type(function, pointer) or f"typeof({pointer}) "
    before = f"{name} = {pointer};"
    declaration = f"{type_}{name};"
    return Hoist(access, "", declaration, before, "", calls=False, pointer=name, holds=pointer)


def _type(function: Function, pointer: str) -> str:
    # What `p`, `p + i` and `&p[i]` are is said where p is declared; "" where that is not plain.
    found = _MOVED.fullmatch(pointer)
    name = (found[1] or found[2]) if found is not None else ""
    known = declared(function).get(name)
    if known is None or not known.pointer or known.array or not known.type:
        return ""
    text = function.source.quote(function.span)
    every = re.findall(rf"{_USER.pattern}{name}(?=\s*[,;)=])", text)
    return every[0] if len(every) == 1 else ""


def _is_hoisted(function: Function, stretch: Stretch, piece: Piece) -> bool:
    access = piece.its_access
    if access.direction is Direction.READ:
        return piece.value not in ("", "volatile") and not (
            access.copies and piece.value == "element"
        )
    if piece.value:
        return not (access.copies and piece.value == "element")
    # What stands before a call was worked out before it, and may be something that it changes.
    pieces = [one for step in stretch.steps for one in step.pieces]
    later = pieces[pieces.index(piece) + 1 :]
    if access.copies or not any(one.value == "calls" for one in later):
        return False
    value = "".join(function.source.quote(access.value).split())
    if _CONSTANT.fullmatch(value):
        return False
    shared = re.search(rf"&\s*{re.escape(value)}\b", function.source.quote(function.span))
    return not value.isidentifier() or shared is not None


def _pointer_against(function: Function, stretch: Stretch, step: Step, piece: Piece) -> str | None:
    if not piece.pointer:
        return None
    if piece.pointer == "element":
        return _element_against(function, stretch, step, piece)
    text = "".join(function.source.quote(piece.its_access.pointer).split())
    steps = re.fullmatch(r"(\w+)\+\+", text)
    if steps is None:
        return POINTER
    return None if _is_gone(function, stretch, step, steps[1]) else POINTER


def _is_gone(function: Function, stretch: Stretch, step: Step, name: str) -> bool:
    # On a fault the pointer is not moved on: nobody may look at it then.
    word = re.compile(rf"(?<!\.)(?<!->)\b{name}\b")
    last = step.fault.text.rpartition("\n")[2]
    if not step.fault.leaves or word.search(step.fault.text):
        return False
    if last.startswith("return"):
        return True
    start, end = stretch.extent.end - function.body.start, function.body.end - function.body.start
    body = function.source.text[function.body.start : function.body.end].decode("latin1")
    jumps = re.fullmatch(r"goto (\w+);", last)
    at = _label(body, jumps[1], start) if jumps is not None else None
    # Behind a label of the function's own block no loop comes round again.
    if at is None or body.count("{", 0, at) - body.count("}", 0, at) != 1:
        return False
    onwards = re.findall(r"\bgoto (\w+);", body[at:])
    forward = all(_label(body, one, start) is not None for one in onwards)
    return forward and not word.search(body, start, end)


def _label(body: str, name: str, start: int) -> int | None:
    found = re.compile(rf"^[ \t]*{name}[ \t]*:", re.MULTILINE).search(body, start)
    return found.start() if found is not None else None


def _element_against(function: Function, stretch: Stretch, step: Step, piece: Piece) -> str | None:
    if not step.always or step.looped or piece.test:
        return _WHY["element"]
    words = set(_WORD.findall(function.source.quote(piece.its_access.pointer)))
    return CHANGED if words & stretch.changed_before(piece.its_access.call.start) else None


def _hoist(
    function: Function, stretch: Stretch, step: Step, piece: Piece, names: set[str]
) -> Hoist | str:
    access = piece.its_access
    if not step.always or step.looped or piece.test:
        return _WHY.get(piece.value, _WHY["calls"])
    if piece.value == "changes":
        return ASSIGNS
    if piece.value == "calls" and any(one.at < step.span.start for one in stretch.leaves):
        return BEYOND
    value = one_line(function.source.quote(access.value))
    if _is_hidden(function, value, stretch.changed_before(access.call.start)):
        return CHANGED
    if set(_WORD.findall(value)) & stretch.changed_before(access.call.start):
        return CHANGED
    if access.copies or (access.direction is Direction.READ and piece.value != "element"):
        return PLACE
    pointer = address(function.source.quote(access.pointer))
    name = _name(pointer, names)
    if access.direction is Direction.READ:
        if not step.fault.leaves or step.rest:
            return LATER
        return Hoist(access, name, f"typeof({value}) {name};", "", f"{value} = {name};", False)
    user = pointee(pointer)
    calls = piece.value == "calls"
    # `put_user()` casts its value, an assignment does not.
    held = value if _is_sum(value) and not _is_integer(function, user) else user
    return Hoist(access, name, _declared(held, name), f"{name} = {value};", "", calls)


def _is_sum(value: str) -> bool:
    # A sum of integers may be what a pointer is set to: `sp + size`.  Calls and places have the
    # type of what they are stored into, as a rule.
    flat = value[1:-1] if _WRAPPED.fullmatch(value) else value
    while (inner := _BRACKETS.sub("", flat)) != flat:
        flat = inner
    return _SUM.search(flat) is not None


def _is_integer(function: Function, user: str) -> bool:
    # Whether the user's place is known to be no pointer, by its type or what it is declared as.
    if re.fullmatch(r"(?:(?:unsigned|enum) )*\w+", user) and user not in declared(function):
        return True
    cast = re.match(r"\*\(?\((?:__user )?(?:unsigned )?\w+ (?:__user )?\*\)", user)
    place = re.fullmatch(r"\*?(\w+)(?:\[.*\])?", user)
    known = declared(function).get(place[1]) if place is not None else None
    return cast is not None or (
        known is not None and known.type not in ("", "void") and not known.type.startswith("struct")
    )


def _is_hidden(function: Function, value: str, changed: frozenset[str]) -> bool:
    # A name of the value may be a macro that names what changes.
    text = function.source.text.decode(errors="replace") if changed else ""
    for word in set(_WORD.findall(value)) if changed else ():
        for body in re.findall(rf"^[ \t]*#[ \t]*define[ \t]+{word}\b(.*)", text, re.MULTILINE):
            if set(_WORD.findall(body)) & changed:
                return True
    return False


def _declared(user: str, name: str) -> str:
    # What a cast names is a type already.
    plain = re.fullmatch(r"(?:(?:unsigned|struct|enum) )*\w+", user)
    return f"{user} {name};" if plain else f"typeof({user}) {name};"


def _name(pointer: str, names: set[str]) -> str:
    found = re.search(r"(?:->|\.)(\w+)$", pointer)
    return fresh(found[1] if found is not None else "value", names)
