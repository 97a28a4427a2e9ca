# SPDX-License-Identifier: GPL-2.0-only
"""Runs of two variants in words that mean the same in both.

Where a variable of the object lies, where a frame lies on the stack, where a string stands: all
that depends on how long the code is.  An address of the object becomes one that its name alone
decides, an address of the stack that of the stack.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from zlib import crc32

from uaccel.flow.calling import by_reference, places
from uaccel.flow.leaves import Leaves
from uaccel.model.kinds import Kind, Prototype, Shape
from uaccel.model.run import Called, Image, Run, bare
from uaccel.read.prototypes import Prototypes

_PAGE = 0x1000
_LONG = 8  # bytes: no other value looks like an address


@dataclass(frozen=True, slots=True)
class Callee:
    """A function outside of the object, and in which words it is given what."""

    name: str
    result: int | None  # number of the type that it returns
    given: tuple[tuple[range, Kind, int | None], ...]  # words, type, number of it; () if unknown


def callee(image: Image, types: Prototypes, name: str) -> Callee | None:
    """Return what is known of the function called `name`, None where nothing is."""
    known = types.function(name)
    return None if known is None else told(image, types, name, known)


def told(image: Image, types: Prototypes, name: str, known: Prototype) -> Callee:
    """Return what is known of the function called `name`, which has that prototype."""
    numbers = tuple(kind for _, kind in known.parameters)
    kinds = tuple(types.kind(one) for one in numbers)
    passed = (Kind(Shape.POINTER, image.bits // 8) if by_reference(image, k) else k for k in kinds)
    where = places(image, passed)
    # What more may follow is passed otherwise there: all of it on the stack.
    odd = isinstance(where, str) or (known.variadic and image.emulation.whole)
    given = () if odd or isinstance(where, str) else tuple(zip(where, kinds, numbers, strict=True))
    return Callee(name, known.result, given)


class Naming:
    """Addresses of one image, by what they mean."""

    __slots__ = (
        *("_callees", "_end", "_externals", "_extents", "_image", "_leaves", "_order"),
        "_places",
    )

    def __init__(self, image: Image, callees: Mapping[str, Callee], leaves: Leaves) -> None:
        self._image = image
        self._leaves = leaves
        self._callees = callees
        self._order: Literal["big", "little"] = "big" if image.big else "little"
        self._externals = {one.address: one for one in image.externals}
        named = [(address, name) for name, address in image.symbols]
        named += ((address, name) for name, address, _ in image.data)
        self._places = sorted(named)
        self._extents = tuple((one.address, one.address + one.size) for one in image.segments)
        self._end = max(end for _, end in self._extents)

    def called(self, run: Run) -> Run:
        """Return `run` with its calls in those words, of their arguments those that are one."""
        return replace(run, calls=tuple(self._call(one) for one in run.calls))

    def kept(self, run: Run) -> Run:
        """Return `run` with what the kernel's memory holds in those words."""
        return replace(run, kernel=tuple(sorted(self._memory(run.kernel))))

    def _memory(self, memory: tuple[tuple[int, bytes], ...]) -> Iterator[tuple[int, bytes]]:
        for address, content in memory:
            yield self._address(address), self._words(content)

    def _call(self, call: Called) -> Called:
        known = self._callees.get(call.name)
        if known is None:
            return replace(call, arguments=(), seen=())
        word = self._image.bits // 8
        made: list[int] = []
        for at, kind, _ in known.given:
            for number in at:
                if number < len(call.arguments):
                    bits = 8 * min(word, kind.size or word)
                    value = call.arguments[number] & ((1 << bits) - 1)
                    made.append(self._address(value) if bits == 8 * word else value)
        kinds = {at.start: kind.to for at, kind, _ in known.given}
        seen = tuple(
            (number, self._words(self._told(content, kinds.get(number))))
            for number, content in call.seen
        )
        return replace(call, arguments=tuple(made), seen=seen)

    def _told(self, content: bytes, kind: int | None) -> bytes:
        # What lies between the members of a struct is nobody's.
        if self._leaves.types.kind(kind).size <= 1:
            return content
        made = bytearray(len(content))
        for leaf in self._leaves.of(kind):
            end = leaf.offset + leaf.kind.size
            made[leaf.offset : end] = content[leaf.offset : end]
        return bytes(made)

    def _words(self, content: bytes) -> bytes:
        word = self._image.bits // 8
        made = bytearray(content)
        # Where an object lies at an odd address so do its pointers.
        step = 1 if word == _LONG else word
        for at in range(0, len(content) - word + 1, step):
            value = int.from_bytes(content[at : at + word], self._order)
            named = self._address(value)
            if named != value:
                made[at : at + word] = named.to_bytes(word, self._order)
        return bytes(made)

    def _address(self, value: int) -> int:
        first, end = self._image.stack
        if not first <= value < self._end:
            return value
        if value < end:
            return first
        found = self._externals.get(value if value in self._externals else value & -_PAGE)
        if found is not None and (value == found.address or not found.called):
            return self._named(found.name) + value - found.address
        if any(start <= value < end for start, end in self._extents):
            at = bisect_right(self._places, (value, "\xff")) - 1
            address, name = self._places[at] if at >= 0 else (value, "")
            data = self._places and at >= 0 and value - address < self._size(name, address)
            return self._named(name) + value - address if data else self._named("")
        return value

    def _size(self, name: str, address: int) -> int:
        known = (size for one, at, size in self._image.data if (one, at) == (name, address))
        return next(known, 1)  # of a function its first byte alone means anything

    def _named(self, name: str) -> int:
        return self._image.emulation.text ^ (crc32(bare(name).encode()) & 0x1FFFFFF0)
