# SPDX-License-Identifier: GPL-2.0-only
"""The range of a begin is the object, not the pointer to it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.model.flowgraph import Begin, Finding, Level
from uaccel.model.judged import Rule, Unit
from uaccel.ruling import reached

_SIZEOF = re.compile(r"sizeof\(?\(*([A-Za-z_]\w*)\b(?!->|\.|\[| )")
_POINTER = re.compile(r"sizeof\((?:struct |union )?([\w ]+)\*\)")

_ADDRESS = re.compile(r"sizeof\(?&")


def ask(unit: Unit) -> Iterator[Finding]:
    """Yield each begin whose size is that of a pointer."""
    for _, begin, step, _ in reached(unit, Begin):
        if begin.pointer is None:
            continue
        named = begin.pointer.text in _SIZEOF.findall(begin.size)
        pointer = _POINTER.fullmatch(begin.size)
        types = dict(unit.walked.graph.structs) | dict(unit.walked.graph.scalars)
        other = pointer is not None and types.get(begin.pointer.text) == pointer[1].strip()
        if named or other or _ADDRESS.search(begin.size):
            told = f"{begin.name}() checks `{begin.size}`, which has the size of a pointer in it"
            yield Finding(
                step.place, Level.ERROR, f"{told}: sizeof(*{begin.pointer.text}) is meant"
            )


RULE = Rule(summary="a range is the size of the object, not of the pointer", ask=ask)
