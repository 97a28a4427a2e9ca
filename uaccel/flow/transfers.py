# SPDX-License-Identifier: GPL-2.0-only
"""Compare what two writings of a function transfer between the kernel and the user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.ctext import address, one_line
from uaccel.model.source import Access, Cluster, Form, Function

_NAME = re.compile(r"[A-Za-z_]\w*(?:(?:->|\.)\w+)*")


def counterparts(old: Function, new: Function, number: int) -> tuple[Cluster, ...]:
    """Return the clusters of `new` that hold what the cluster `number` of `old` holds.

    The accesses keep their order in the text; where fields became a struct copy, a cluster keeps
    its place among the clusters.
    """
    pairs = _matched(old, new)
    if pairs is not None:
        mine = {id(access) for access in old.clusters[number].accesses}
        found = (cluster for access, some in pairs if id(access) in mine for cluster, _ in some)
        return tuple(dict.fromkeys(found))
    if len(old.clusters) == len(new.clusters):
        return (new.clusters[number],)
    return ()


def is_same(old: Function, new: Function, rewritten: tuple[Cluster, ...]) -> bool:
    """Return whether `new` makes the accesses of `old`, in the same order.

    Fields that were written as a struct copy are compared by the run, not by their text.
    """
    if _matched(old, new) is not None:
        return True
    copies = any(c.form is Form.STRUCTCOPY for c in (*rewritten, *new.clusters))
    return copies and len(old.clusters) == len(new.clusters)


_Placed = tuple[Cluster, Access]


def _matched(old: Function, new: Function) -> list[tuple[Access, list[_Placed]]] | None:
    # Each access of `old` with those of `new` that do the same; a copy may be several.
    names, later = set(old.names), _ordered(new)
    pairs: list[tuple[Access, list[_Placed]]] = []
    hidden = [] if list(_hidden(new)) else list(_hidden(old))
    at = 0
    for _, one in _ordered(old):
        at = _past(hidden, one.call.start, later, at, pairs)
        end = at
        if one.copies and not (end < len(later) and later[end][1].copies):
            while end < len(later) and _is_part(old, one, new, later[end][1]):
                end += 1
        elif end < len(later) and _is_equal(old, one, new, later[end][1], names):
            end += 1
        if end == at:
            return None
        pairs.append((one, later[at:end]))
        at = end
    return pairs if _past(hidden, old.span.end, later, at, pairs) == len(later) else None


def _hidden(function: Function) -> Iterator[tuple[int, str]]:
    # What a macro in a window transfers is shown by the window's scaffold alone.
    for cluster in function.clusters:
        for one in cluster.scaffold.accesses if cluster.scaffold is not None else ():
            if not any(one.statement.covers(access.call) for access in cluster.accesses):
                yield from ((one.statement.start, name) for name, _ in one.calls)


def _past(
    hidden: list[tuple[int, str]],
    end: int,
    later: list[_Placed],
    at: int,
    pairs: list[tuple[Access, list[_Placed]]],
) -> int:
    while hidden and hidden[0][0] < end and at < len(later):
        _, name = hidden.pop(0)
        if later[at][1].accessor.removeprefix("unsafe_").lstrip("_") != name.lstrip("_"):
            return at
        if pairs:
            pairs[-1][1].append(later[at])
        at += 1
    return at


def _is_part(old: Function, copy: Access, new: Function, field: Access) -> bool:
    if copy.direction is not field.direction or field.copies:
        return False
    whole, part = _name(_value(old, copy)), _name(_value(new, field))
    return part == whole or part.startswith((f"{whole}.", f"{whole}->"))


def _is_equal(old: Function, one: Access, new: Function, other: Access, names: set[str]) -> bool:
    if one.direction is not other.direction or one.copies is not other.copies:
        return False
    if one.pointer == one.call or other.pointer == other.call:  # a macro's call shows neither
        return True
    pointer, value = _pointer(new, other), _value(new, other)
    # What was worked out before the window has a name of its own there.
    held = pointer.isidentifier() and pointer not in names
    hoisted = value.isidentifier() and value not in names
    return (held or _pointer(old, one) == pointer) and (hoisted or _value(old, one) == value)


def _name(value: str) -> str:
    found = _NAME.search(value)
    return found[0] if found is not None else value


def _ordered(function: Function) -> list[_Placed]:
    every = [(cluster, access) for cluster in function.clusters for access in cluster.accesses]
    return sorted(every, key=lambda one: one[1].call)


def _pointer(function: Function, access: Access) -> str:
    # `unsafe_put_user(x, p, fault); p++;` moves on as `put_user(x, p++)` did.
    text = address(function.source.quote(access.pointer)).removesuffix("++")
    return _uncast(text, "(void __user *)") if access.copies else text


def _value(function: Function, access: Access) -> str:
    text = one_line(function.source.quote(access.value))
    return _uncast(text, "(void *)") if access.copies else text


def _uncast(text: str, cast: str) -> str:
    bare = text.removeprefix(cast)
    whole = re.fullmatch(r"\(((?:[^()]|\([^()]*\))*)\)", bare) if bare != text else None
    return whole[1] if whole is not None else bare
