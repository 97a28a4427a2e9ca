# SPDX-License-Identifier: GPL-2.0-only
"""Compare what two writings of a function transfer between the kernel and the user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from uaccel.ctext import address, one_line
from uaccel.model.source import Access, Cluster, Form, Function, Span

_Held = Mapping[str, tuple[tuple[str, int], ...]]  # and where in the body it was assigned
_WORD = re.compile(r"((?:->|\.)?)\b([A-Za-z_]\w*)")
_ROOT = re.compile(r"(&?)(\w+)((?:->.*)?)")
_SETS = re.compile(r"^[ \t]*([\w.>()*\[\] -]+?) = ([^;=]+);", re.MULTILINE)
_MASKED = re.compile(r"mask_user_address\((.*)\)", re.DOTALL)
_SAME = re.compile(r"\b(\w+) = mask(?:ed)?_user_\w+\(\1\);")  # a good pointer stays what it is
# What a failed begin does is done on no way to an access.
_FAILED = re.compile(
    r"^(\t*)(?:(?:\} )?else )?if \(!\w*user_(?:\w+_)?access_begin\([^{;]*\{\n"
    r"(?:(?!^\1\}).)*^\1\}\n",
    re.MULTILINE | re.DOTALL,
)
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
    held, later = _held(old, new), _ordered(new)
    pairs: list[tuple[Access, list[_Placed]]] = []
    hidden = [] if list(_hidden(new)) else list(_hidden(old))
    at = 0
    for _, one in _ordered(old):
        at = _past(hidden, one.call.start, later, at, pairs)
        end = at
        if one.copies and not (end < len(later) and later[end][1].copies):
            while end < len(later) and _is_part(old, one, new, later[end][1]):
                end += 1
        elif end < len(later) and _is_equal(old, one, new, later[end][1], held):
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


def _is_equal(old: Function, one: Access, new: Function, other: Access, held: _Held) -> bool:
    if one.direction is not other.direction or one.copies is not other.copies:
        return False
    if one.pointer == one.call or other.pointer == other.call:  # a macro's call shows neither
        return True
    pointer, value = _pointer(new, other), _value(new, other)
    still = {name: _still(new, other, said) for name, said in held.items()}
    same = _pointer(old, one) in (pointer, *_meant(pointer, still))
    return same and _value(old, one) in (value, *_meant(value, still))


def _held(old: Function, new: Function) -> _Held:
    # What was worked out before the window has a name of its own there, what is read in it too.
    names = set(old.names)
    found: dict[str, list[tuple[str, int]]] = {}
    for match in _SETS.finditer(new.source.quote(new.body)):
        place, value = one_line(match[1]), match[2]
        if place not in names and place.isidentifier():
            masked = _MASKED.fullmatch(value)
            meant = one_line(masked[1] if masked else value)
            if meant != place and not meant.startswith("masked_user_"):
                found.setdefault(place, []).append((meant, match.end()))
        elif value not in names and value.isidentifier():
            found.setdefault(value, []).append((place, -1))
    return {name: tuple(said) for name, said in found.items()}


def _still(new: Function, access: Access, said: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    # What a name holds when the access is made: nothing of it was assigned in the meantime.
    text = new.source.quote(Span(new.body.start, access.call.start))
    kept = []
    for meant, at in said:
        places = "|".join(
            rf"(?<![\w.>]){name}" if not dot else rf"[.>]{name}"
            for dot, name in _WORD.findall(meant)
        )
        between = _FAILED.sub("", _SAME.sub("", text[at:]))
        changes = rf"(?:{places})\s*(?:(?:[-+|&^*/%]|<<|>>)?=(?!=)|\+\+|--)"
        if at < 0 or not places or re.search(changes, between) is None:
            kept.append(meant)
    return tuple(kept)


def _meant(text: str, held: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    root = _ROOT.fullmatch(text)
    for meant in held.get(root[2], ()) if root is not None else ():
        assert root is not None
        if not root[3]:
            yield meant
            continue
        yield address(f"{root[1]}{meant}{root[3]}")
        yield address(f"{root[1]}({meant}){root[3]}")
        if meant.startswith("&") and root[3].startswith("->"):
            yield address(f"{meant}.{root[3].removeprefix('->')}")


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
