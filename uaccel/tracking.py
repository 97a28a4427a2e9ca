# SPDX-License-Identifier: GPL-2.0-only
"""What is known of variables and pointers in a state."""

from __future__ import annotations

import re

from uaccel.model.flowgraph import Pointer, State

NAME = re.compile(r"[A-Za-z_@][\w@]*")
_COMPARED = re.compile(r"([A-Za-z_@][\w@]*)(==|!=|<=|>=|<|>)(-?)\(?(\w+)\)?")
_EQUAL = re.compile(r"(.+)==([A-Z0-9_]+|'.*')")
NOWHERE = "NULL"  # where a pointer comes from that leads to nothing


def origin(state: State, pointer: Pointer) -> str:
    """Return where the object comes from that `pointer` lies in."""
    base = pointer.base
    known = dict(state.origins)
    if base in known:
        return known[base]
    first = NAME.match(base)
    if first is not None and first[0] != base and first[0] in known:
        return known[first[0]] + base[first.end() :]  # `p->next` of another p is another pointer
    return base


def place_of(state: State, pointer: Pointer) -> str:
    """Return what tells the object that `pointer` leads to from others that were read."""
    inner = f"@{pointer.base}" if pointer.base in state.inner else ""
    return origin(state, pointer) + inner


def concerns(text: str, name: str) -> bool:
    """Return whether a condition asks for the variable or member called `name`."""
    if name in NAME.findall(text):
        return True
    return not name.isidentifier() and name in text


def answer(text: str, state: State) -> bool | None:
    """Return how a condition comes out, None when that is not known."""
    known = next((outcome for fact, outcome in state.facts if fact == text), None)
    if known is not None:
        return known
    asked = _EQUAL.fullmatch(text)
    if asked is not None and _other(asked[1], asked[2], state):
        return False
    values = dict(state.values)
    if text in values:
        return values[text] != 0
    found = _COMPARED.fullmatch(text)
    if found is None or found[1] not in values:
        return None
    other = _number(found[3], found[4])
    return _compared(values[found[1]], found[2], other) if other is not None else None


def _number(sign: str, word: str) -> int | None:
    if not word[:1].isdigit():
        return None
    try:
        value = int(word.rstrip("uUlL"), 0)
    except ValueError:
        return None
    return -value if sign else value


def _compared(one: int, sign: str, other: int) -> bool:
    return {
        "==": one == other,
        "!=": one != other,
        "<": one < other,
        ">": one > other,
        "<=": one <= other,
        ">=": one >= other,
    }[sign]


def _other(what: str, value: str, state: State) -> bool:
    # Whether it is known to be equal to another constant.
    for fact, outcome in state.facts:
        found = _EQUAL.fullmatch(fact) if outcome else None
        if found is not None and found[1] == what and found[2] != value:
            return True
    return False
