# SPDX-License-Identifier: GPL-2.0-only
"""Find the functions of one compilation that move the same fields."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from uaccel.model.source import Companion, Direction, Function, Source
from uaccel.outlines import outline
from uaccel.read.csource import cleaned
from uaccel.read.substitution import conditions

_COMMENT = re.compile(rb"(?:^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n)+\Z", re.M | re.S)
_Key = tuple[Direction, tuple[str, ...]]
_Branches = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a compilation."""

    source: Source
    at: int | None  # where the compiled file includes it; None for that one itself
    functions: tuple[Function, ...]


def accompanied(own: PurePosixPath, parts: tuple[Part, ...]) -> tuple[Function, ...]:
    """Return the functions of the file at `own`, each with those that move the same fields."""
    alike: dict[_Key, list[tuple[Part, Function]]] = defaultdict(list)
    for part in parts:
        for function in part.functions:
            for key in _keys(function):
                alike[key].append((part, function))
    groups = {key: some for key, some in alike.items() if len({id(one) for _, one in some}) > 1}
    mine = next(part for part in parts if part.source.path == own)
    if not groups:
        return mine.functions
    whole = next(part for part in parts if part.at is None)
    unit = tuple(part.source for part in parts)
    return tuple(_with(one, groups, whole, unit) for one in mine.functions)


def included_at(source: Source, name: str) -> int | None:
    """Return where `source` includes the file called `name`, None when it does not."""
    line = rb'^[ \t]*#[ \t]*include[ \t]*"(?:[^"\n]*/)?' + re.escape(name.encode()) + rb'"'
    found = re.search(line, source.text, re.MULTILINE)
    return found.start() if found is not None else None


def _keys(function: Function) -> tuple[_Key, ...]:
    made = (outline(function, cluster) for cluster in function.clusters)
    return tuple(dict.fromkeys(one.key for one in made if one is not None))


def _with(
    function: Function,
    groups: dict[_Key, list[tuple[Part, Function]]],
    whole: Part,
    unit: tuple[Source, ...],
) -> Function:
    found = {id(one): (part, one) for key in _keys(function) for part, one in groups.get(key, ())}
    if not found:
        return function
    ordered = sorted(found.values(), key=lambda pair: _place(*pair))
    made = tuple(_companion(part, one, whole) for part, one in ordered)
    return replace(function, companions=made, unit=unit)


def _place(part: Part, function: Function) -> tuple[int, ...]:
    start = function.span.start
    return (start,) if part.at is None else (part.at, start)


def _companion(part: Part, function: Function, whole: Part) -> Companion:
    branches = _branches(part.source, function.span.start)
    if part.at is not None:
        branches = (*_branches(whole.source, part.at), *branches)
    text, start = part.source.text, function.span.start
    comment = _COMMENT.search(text[:start])
    above = comment.start() if comment is not None else start
    return Companion(function, branches, above)


def _branches(source: Source, at: int) -> _Branches:
    return tuple((str(source.path), start) for start in conditions(cleaned(source.text), at))
