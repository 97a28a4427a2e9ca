# SPDX-License-Identifier: GPL-2.0-only
"""The numbers and pointers that a type of C holds, and values for them."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.kinds import Kind, Shape
from uaccel.read.prototypes import Prototypes

_MOST = 2048  # leaves of one type
_ELEMENTS = 32  # of one array
_LARGE = 0x1000


@dataclass(frozen=True, slots=True)
class Leaf:
    """One number or pointer within a type."""

    path: str  # of members, ".runtime", "[3].base"
    offset: int  # bytes
    kind: Kind

    @property
    def name(self) -> str:
        """Return the name of the innermost member, "" where there is none."""
        return self.path.rpartition(".")[2].partition("[")[0]


class Leaves:
    """The leaves of the types of one object, each type read once."""

    __slots__ = ("_known", "types")

    def __init__(self, types: Prototypes) -> None:
        self.types = types
        self._known: dict[int | None, tuple[Leaf, ...]] = {}

    def of(self, number: int | None) -> tuple[Leaf, ...]:
        """Return the leaves of the type with that number; those past a bound are left out."""
        found = self._known.get(number)
        if found is None:
            made: list[Leaf] = []
            for leaf in self._within("", 0, number):
                made.append(leaf)
                if len(made) == _MOST:
                    break
            found = self._known[number] = tuple(made)
        return found

    def _within(self, path: str, offset: int, number: int | None) -> Iterator[Leaf]:
        kind = self.types.kind(number)
        match kind.shape:
            case Shape.NUMBER | Shape.POINTER:
                yield Leaf(path, offset, kind)
            case Shape.ARRAY:
                size = self.types.kind(kind.to).size
                for at in range(min(kind.size // size if size else 0, _ELEMENTS)):
                    yield from self._within(f"{path}[{at}]", offset + at * size, kind.to)
            case Shape.AGGREGATE:
                for part in kind.parts:
                    inner = f"{path}.{part.name}" if part.name else path
                    if part.bits:
                        yield Leaf(inner, offset + part.offset, Kind(Shape.NUMBER, 1))
                        continue
                    yield from self._within(inner, offset + part.offset, part.kind)


def number(
    choose: random.Random, kind: Kind, known: tuple[int, ...], compared: tuple[int, ...]
) -> int:
    """Return a value for a number of `kind`.

    `known` are constants of the code, in order: large ones are seldom anything but what it looks
    for.  `compared` are those that stand in a comparison.
    """
    bits = 8 * kind.size
    if kind.truth:
        return choose.randrange(2)
    way = choose.random()
    if way < 0.2:
        return 0
    if way < 0.35:
        return choose.randrange(1, 9)
    if way < 0.8 and known:
        large = known[bisect_right(known, _LARGE) :]
        some = choose.choice([one for one in (compared, compared, large, known) if one])
        return _near(choose, choose.choice(some)) & ((1 << bits) - 1)
    if way < 0.9:
        return choose.getrandbits(bits)
    edge = choose.choice((-1, -2, 1 << (bits - 1), (1 << (bits - 1)) - 1, 0x100, 0x1000, 0x7F))
    return edge & ((1 << bits) - 1)


def distinct(choose: random.Random, kind: Kind) -> int:
    """Return a small value for a number of `kind` that is seldom another's."""
    return 1 if kind.truth else choose.randrange(1, 0x78)


def _near(choose: random.Random, value: int) -> int:
    way = choose.randrange(8)
    if way < 5:
        return value
    return value + (1 if way == 5 else -1 if way == 6 else choose.randrange(32))
