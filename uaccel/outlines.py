# SPDX-License-Identifier: GPL-2.0-only
"""Say which fields a cluster moves, however it is written: what one macro could do for several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.ctext import address, arguments, one_line
from uaccel.model.access import Direction, Form
from uaccel.model.source import Cluster, Function

_FIELD = re.compile(r"&(\w+)->(\w+(?:\.\w+)*)")
_CALL = re.compile(r"(?:get|put)_user\((.*)\)")
_FEW = 2  # accesses: one alone opens and closes once in any style


@dataclass(frozen=True, slots=True)
class Outline:
    """What a cluster moves to and from the fields behind one pointer."""

    direction: Direction
    base: str  # the pointer's name
    fields: tuple[str, ...]  # "c.control.appl_ptr", in the order of the accesses
    values: tuple[str, ...]  # C, the kernel's side of each

    @property
    def key(self) -> tuple[Direction, tuple[str, ...]]:
        """Return what it shares with others."""
        return self.direction, self.fields


def outline(function: Function, cluster: Cluster) -> Outline | None:
    """Return the fields of a cluster, None when it moves anything else."""
    pairs = tuple(_pairs(function, cluster))
    found = tuple(_FIELD.fullmatch(address(pointer)) for _, pointer in pairs)
    fields = tuple((one[1], one[2]) for one in found if one is not None)
    bases = {base for base, _ in fields}
    if len(fields) != len(cluster.accesses) or len(fields) < _FEW or len(bases) != 1:
        return None
    values = tuple(one_line(value) for value, _ in pairs)
    return Outline(cluster.direction, bases.pop(), tuple(path for _, path in fields), values)


def _pairs(function: Function, cluster: Cluster) -> Iterator[tuple[str, str]]:
    # Value and pointer of each access; nothing for a copy or what cannot be unmade.
    frame = cluster.scaffold
    if not cluster.stands:
        quote = function.source.quote
        scalars = (access for access in cluster.accesses if not access.copies)
        yield from ((quote(access.value), quote(access.pointer)) for access in scalars)
    elif frame is not None and frame.obstacle is None and cluster.form is Form.HELPER:
        calls = re.split(r" \|\|\n", frame.cuts[0].text)
        found = (_CALL.fullmatch(one_line(call)) for call in calls)
        given = (tuple(arguments(one[1])) for one in found if one is not None)
        yield from ((one[0], one[1]) for one in given)
    elif frame is not None and frame.obstacle is None:
        made = (call for one in frame.accesses if not one.copies for call in one.calls)
        yield from ((given[0], given[1]) for _, given in made)
