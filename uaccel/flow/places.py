# SPDX-License-Identifier: GPL-2.0-only
"""Where objects lie, or would lie: an address, once given, is that object's for good."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

PAGE = 0x1000
AWAY = 0x6000000  # bytes from the code to the first object
MARGIN = 0x400  # bytes before and behind an object: containers, elements past the end
BETWEEN = b"\x5a"  # what lies between the members of a user's struct
_USER = 0x10000000  # first address of a user's objects
_HIGHEST = 31  # bits of the address of a user's


@dataclass(frozen=True, slots=True)
class Place:
    """An object, or where one would be."""

    path: str  # how the function comes there: "substream.runtime.status"
    kind: int | None  # number of its type, None when that is not known
    address: int
    size: int  # bytes; at most, of the user's
    user: bool


class Places:
    """Addresses of the kernel's objects and of the user's, by path and type."""

    __slots__ = ("_addresses", "_bits", "_ends", "_next", "_places", "_starts")

    def __init__(self, first: int, bits: int) -> None:
        self._bits = bits
        self._next = {False: first, True: _USER}
        self._addresses: dict[tuple[str, int | None, bool], int] = {}
        self._places: dict[int, Place] = {}
        self._starts: list[int] = []
        self._ends: list[tuple[int, int]] = []

    def reserve(self, path: str, kind: int | None, size: int, *, user: bool) -> int:
        """Return the address of an object of `size` bytes; 0 when there is no room left."""
        found = self._addresses.get((path, kind, user))
        if found is not None:
            return found
        if self._next[user] >> (_HIGHEST if user else self._bits - 1) > (0 if user else 1):
            return 0
        pages = 2 + (size + 2 * MARGIN + PAGE - 1) // PAGE
        first = self._next[user]
        self._next[user] += pages * PAGE
        address = first + (0 if user else PAGE + MARGIN)
        self._addresses[path, kind, user] = address
        self._places[address] = Place(path, kind, address, size, user)
        at = bisect_right(self._starts, first)
        self._starts.insert(at, first)
        self._ends.insert(at, (first + pages * PAGE, address))
        return address

    def find(self, address: int) -> Place | None:
        """Return the object that is, or would be, at `address` or close to it."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._ends[at][0]:
            return None
        return self._places[self._ends[at][1]]
