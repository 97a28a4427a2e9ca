# SPDX-License-Identifier: GPL-2.0-only
"""What of an input to change so that a jump goes the other way.

A comparison tells both values.  Where one of them came in as it is, as an argument, from memory or
from a callee, it is made equal to the other one, or larger or smaller by one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from typing import Literal

from uaccel.flow.layers import Patch
from uaccel.flow.world import World
from uaccel.host.tracer import Tracer
from uaccel.model.run import Compared, Image, Input, Looked

_NEAR = 64  # bytes from a comparison to the jump that asks for it
_LATEST = 24  # reads before a comparison that may have brought a value in
_PLACES = 4  # that are tried for one value
_INT = 4  # bytes
_LOW = 0x10000  # no object lies at a lower address
_WORD = 8  # bytes of the largest value that is compared
_TABLE = (6, 80)  # entries of a table of jumps, about
Named = tuple[str, int, int]  # path of a number, its bytes, value


class Wishes:
    """Reads wishes from runs of one function as it stood."""

    __slots__ = ("_bits", "_forks", "_function", "_order", "_tables", "_tracer", "_world")

    def __init__(self, image: Image, world: World, function: str) -> None:
        self._tracer = Tracer(image)
        self._world = world
        self._function = function
        self._tables: set[int] = set()  # comparisons whose entries were wished for
        self._forks = image.forks
        self._bits = image.bits
        self._order: Literal["big", "little"] = "big" if image.big else "little"

    @property
    def _constants(self) -> frozenset[int]:
        return frozenset(self._world.constants)

    def look(self, given: Input) -> Looked:
        """Return what the function reads and compares."""
        return self._tracer.look(self._function, given)

    def of(
        self, looked: Looked, numbers: Collection[Named], is_open: Callable[[int], bool]
    ) -> Iterator[Patch]:
        """Yield what to change, for each comparison whose jump `is_open`.

        That is asked of the address behind the jump.  `numbers` are what came in by name.
        """
        seen: set[tuple[int, tuple[int, int]]] = set()
        for one in looked.compared:
            behind = self._behind(one.place)
            known = (one.place, one.values) in seen
            seen.add((one.place, one.values))
            if known:
                continue
            if one.place not in self._tables:
                entries = tuple(self._entries(one, numbers))
                self._tables |= {one.place} if entries else set()
                yield from entries
            if behind is None or not is_open(behind):
                continue
            pointers = one.size * 8 == self._bits and any(map(self._world.is_kernel, one.values))
            for value, wanted in _turned(one):
                if pointers and wanted not in one.values:
                    continue
                if wanted != value and not self._world.is_own(wanted):
                    yield from self._patches(looked, one, numbers, value, wanted)

    def _behind(self, place: int) -> int | None:
        at = bisect_left(self._forks, (place, 0))
        if at == len(self._forks) or self._forks[at][0] > place + _NEAR:
            return None
        address, size = self._forks[at]
        return address + size

    def _patches(
        self,
        looked: Looked,
        one: Compared,
        numbers: Collection[Named],
        value: int,
        wanted: int,
    ) -> Iterator[Patch]:
        found = 0
        for named in numbers:
            least = min(named[1], one.size)
            mask = (1 << 8 * least) - 1
            base = (named[2] - value) & mask
            # Two constants may be compared at once, less the smaller one.
            known = not base or self._is_known(base, least)
            if known and _fits(wanted, one.size, least) and _fits(value, one.size, least):
                yield self._made(named, least, (wanted + base) & mask)
                found += not base
        reads = looked.reads[: one.behind]
        # What was copied from the user may be looked at long after.
        copied = (read for read in reads[:-_LATEST] if value and self._is_user(read[0]))
        for read in (*reversed(reads[-_LATEST:]), *copied):
            if found == _PLACES:
                return
            patch = self._read(read, one.size, value, wanted)
            if patch is not None:
                yield patch
                found += 1

    def lists(self, looked: Looked) -> Iterator[Patch]:
        """Yield what puts something into lists that were found empty: they lead to themselves."""
        word = self._bits // 8
        for address, size, value in looked.reads:
            origin = self._world.origin(address) if size == word and value == address else None
            if origin is not None:
                entry = self._world.entry(*origin)
                yield Patch(*origin, entry.to_bytes(size, self._order))

    def _made(self, named: Named, least: int, wanted: int) -> Patch:
        path, size, _ = named
        at = 0 if self._order == "little" else size - least
        return Patch(path, at, wanted.to_bytes(least, self._order))

    def _entries(self, one: Compared, numbers: Collection[Named]) -> Iterator[Patch]:
        # A table of jumps asks once whether a number, less that of its first entry, lies within.
        first, most = _TABLE
        for value, last in (one.values, one.values[::-1]):
            if not one.bits and first <= last <= most:
                yield from self._of_table(one, numbers, value, last)

    def _of_table(
        self, one: Compared, numbers: Collection[Named], value: int, last: int
    ) -> Iterator[Patch]:
        for named in numbers:
            least = min(named[1], one.size)
            mask = (1 << 8 * least) - 1
            base = (named[2] - value) & mask
            if named[1] >= _INT and (not base or self._is_known(base, least)):
                for entry in range(last + 1):
                    yield self._made(named, least, (base + entry) & mask)

    def pointers(self, looked: Looked) -> Iterator[Patch]:
        """Yield what would lead to the user instead of nowhere, of words that were read last."""
        word = self._bits // 8
        for address, size, value in reversed(looked.reads[-_LATEST:]):
            origin = self._world.origin(address)
            if size != word or value < _LOW or origin is None or self._world.find(value):
                continue
            path, at = origin
            led = self._world.place(f"{path}+{at:#x}", None, user=True)
            yield Patch(path, at, led.to_bytes(size, self._order))

    def _is_known(self, number: int, size: int) -> bool:
        # It is added or taken away.
        less = number - (1 << 8 * size)
        return bool({number, less, -number, -less} & self._constants)

    def _is_user(self, address: int) -> bool:
        place = self._world.find(address)
        return place is not None and place.user

    def _read(
        self, found: tuple[int, int, int], least: int, value: int, wanted: int
    ) -> Patch | None:
        address, size, read = found
        origin = self._world.origin(address)
        if origin is None or size > _WORD or self._world.is_own(read):
            return None
        part, at = min(size, least), 0
        if size <= least:
            mask = (1 << 8 * size) - 1
            held = read == value or (read - (1 << 8 * size)) & ((1 << 8 * least) - 1) == value
            base = (read - value) & mask
            if held and wanted <= mask:
                base = 0
            elif not self._is_known(base, size) or wanted > mask or not _fits(value, least, size):
                return None
            wanted = (wanted + base) & mask
        else:
            content = read.to_bytes(size, self._order)
            at = content.find(value.to_bytes(least, self._order))
            if at < 0 or at % least:
                return None
        data = wanted.to_bytes(part, self._order)
        return Patch(origin[0], origin[1] + at, data)


def _fits(value: int, size: int, least: int) -> bool:
    # Whether a number of `size` bytes is one of `least`, with or without a sign.
    return value >> 8 * least == 0 or value >> (8 * least - 1) == (1 << 8 * (size - least) + 1) - 1


def _turned(one: Compared) -> Iterator[tuple[int, int]]:
    # What of the two came in, and what it would have to be.
    left, right = one.values
    mask = (1 << 8 * one.size) - 1
    if one.bits:
        yield left, left & ~right if left & right else left | right
        lowest = right & -right
        yield left, left ^ lowest
        return
    for value, other in ((left, right), (right, left)):
        for step in (0, 1, -1):
            yield value, (other + step) & mask
