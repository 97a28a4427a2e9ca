# SPDX-License-Identifier: GPL-2.0-only
"""Memory of an emulated machine that lies in buffers of ours, put back after every run."""

from __future__ import annotations

import ctypes
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from unicorn import UC_PROT_ALL, UC_PROT_NONE, UC_PROT_READ, Uc

PAGE = 0x1000
Given = tuple[tuple[int, bytes], ...]  # (address, what lies there)


class Stretch:
    """Pages that follow one another."""

    __slots__ = ("_buffer", "_place", "_pristine", "_untouched", "address", "size")

    def __init__(self, address: int, size: int) -> None:
        self.address = address
        self.size = size
        self._buffer = ctypes.create_string_buffer(size)
        self._place = ctypes.addressof(self._buffer)
        self._pristine = bytes(size)
        self._untouched = True

    @property
    def end(self) -> int:
        """Return the first address behind them."""
        return self.address + self.size

    def join(self, machine: Uc) -> None:
        """Return when the machine has these pages."""
        machine.mem_map_ptr(self.address, self.size, UC_PROT_ALL, self._place)

    def lay(self, given: Given) -> None:
        """Return when the pages hold `given`, and zeros elsewhere."""
        content = bytearray(self.size)
        for address, data in given:
            if self.address <= address < self.address + self.size:
                content[address - self.address : address - self.address + len(data)] = data
        self._pristine = bytes(content)
        self._untouched = False
        self.restore()

    @property
    def pristine(self) -> bytes:
        """Return what was laid there."""
        return self._pristine

    def base(self, content: bytes) -> None:
        """Return when all of `content` is what is laid there."""
        self._pristine = content
        self._untouched = False
        self.restore()

    def restore(self) -> None:
        """Return when the pages are again as they were laid."""
        if not self._untouched:
            ctypes.memmove(self._place, self._pristine, self.size)
            self._untouched = True

    def now(self) -> bytes | None:
        """Return what the pages hold, or None when that is what was laid there."""
        content = ctypes.string_at(self._place, self.size)
        if content == self._pristine:
            return None
        self._untouched = False
        return content

    def clear(self) -> None:
        """Return when every byte is zero."""
        ctypes.memset(self._place, 0, self.size)

    def get(self, address: int, size: int) -> bytes:
        """Return `size` bytes at `address`, or those that are there."""
        at = address - self.address
        return ctypes.string_at(self._place + at, min(size, self.size - at))

    def put(self, address: int, data: bytes) -> None:
        """Return when `data` lies at `address`, until the pages are restored."""
        self._untouched = False
        ctypes.memmove(self._place + address - self.address, data, len(data))

    def differences(self, now: bytes, given: Given) -> Iterator[tuple[int, bytes]]:
        """Yield the objects of `given` that changed, then what changed between them."""
        rest = bytearray(self._pristine)
        for address, data in given:
            at = address - self.address
            if not 0 <= at < self.size:
                continue
            if now[at : at + len(data)] != self._pristine[at : at + len(data)]:
                yield address, now[at : at + len(data)]
            rest[at : at + len(data)] = now[at : at + len(data)]
        if rest != now:
            yield from _strays(self.address, bytes(rest), now)


def _strays(address: int, before: bytes, now: bytes) -> Iterator[tuple[int, bytes]]:
    start = end = -1
    for at in (*_differing(before, now, 0, len(now), 0x1000), len(now)):
        if at != end and start >= 0:
            yield address + start, now[start:end]
        if at != end:
            start = at
        end = at + 1


def _differing(before: bytes, now: bytes, first: int, last: int, width: int) -> Iterator[int]:
    # Pages, then lines of 64 bytes, then bytes: nearly all are alike.
    for at in range(first, last, width):
        if before[at : at + width] != now[at : at + width]:
            if width == 1:
                yield at
            else:
                yield from _differing(before, now, at, at + width, width // 64)


class Objects:
    """What an input lays into memory, on pages of which only the needed ones are there.

    Without a machine it is memory that no plain instruction reaches.
    """

    __slots__ = ("_always", "_given", "_held", "_locked", "_machine", "_stretches")

    def __init__(self, machine: Uc | None, always: Given = ()) -> None:
        self._machine = machine
        self._always = always
        self._given: Given | None = None
        self._locked: tuple[int, ...] = ()
        self._held: dict[tuple[int, int], Given] = {}
        self._stretches: dict[tuple[int, int], Stretch] = {}

    def lay(self, given: Given, locked: tuple[int, ...] = ()) -> None:
        """Return when memory holds `given` and no page more than that takes.

        Pages in `locked` may be read and not written.
        """
        self._lock(())
        if given is self._given:
            for one in self._stretches.values():
                one.restore()
        else:
            self._lay(given)
        self._lock(locked)

    def _lay(self, given: Given) -> None:
        wanted = tuple(_stretches((*self._always, *given)))
        for gone in self._stretches.keys() - set(wanted):
            if self._machine is not None:
                self._machine.mem_unmap(*gone)
            del self._stretches[gone]
        for address, size in wanted:
            if (address, size) not in self._stretches:
                made = self._stretches[address, size] = Stretch(address, size)
                if self._machine is not None:
                    made.join(self._machine)
        self._held = self._shared((*self._always, *given))
        for at, one in self._stretches.items():
            one.lay(self._held.get(at, ()))
        self._given = given

    def get(self, address: int, size: int, *, writes: bool = False) -> bytes:
        """Return `size` bytes at `address`, or as many as are there; or may be written."""
        found = b""
        ends = [page for page in self._locked if page + PAGE > address] if writes else []
        size = min(size, max(min(ends) - address, 0)) if ends else size
        while len(found) < size and (one := self._holding(address + len(found))):
            found += one.get(address + len(found), size - len(found))
        return found

    def put(self, address: int, data: bytes) -> None:
        """Return when `data` lies at `address`, where it is known to be there."""
        while data and (one := self._holding(address)):
            part = data[: one.address + one.size - address]
            one.put(address, part)
            address, data = address + len(part), data[len(part) :]

    def _holding(self, address: int) -> Stretch | None:
        held = self._stretches.values()
        return next((s for s in held if s.address <= address < s.address + s.size), None)

    def changed(self) -> Given:
        """Return the objects that are not as they were laid, as they are now."""
        found: list[tuple[int, bytes]] = []
        own = {address for address, _ in self._given or ()}
        for at, one in self._stretches.items():
            now = one.now()
            if now is not None:
                held = self._held.get(at, ())
                found += one.differences(now, tuple(o for o in held if o[0] in own))
        return tuple(found)

    def _shared(self, given: Given) -> dict[tuple[int, int], Given]:
        # What lies in which stretch: each is in one.
        starts = sorted(self._stretches)
        found: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
        for address, data in given:
            at = bisect_right(starts, (address, 1 << 64)) - 1
            if data and at >= 0:
                found.setdefault(starts[at], []).append((address, data))
        return {at: tuple(some) for at, some in found.items()}

    def withdraw(self) -> None:
        """Return when none of it can be reached."""
        self._protect(UC_PROT_NONE)

    def give_back(self) -> None:
        """Return when all of it can be reached again."""
        self._protect(UC_PROT_ALL)
        self._lock(self._locked)

    def _lock(self, pages: tuple[int, ...]) -> None:
        if self._machine is not None:
            for some, how in ((self._locked, UC_PROT_ALL), (pages, UC_PROT_READ)):
                for page in some:
                    self._machine.mem_protect(page, PAGE, how)
        self._locked = pages

    def _protect(self, how: int) -> None:
        if self._machine is not None:
            for place in self._stretches:
                self._machine.mem_protect(*place, how)


def _stretches(given: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, int]]:
    pages = sorted(
        {
            page
            for address, data in given
            for page in range(address & -PAGE, address + len(data), PAGE)
        }
    )
    start = end = None
    for page in pages:
        if page != end:
            if start is not None and end is not None:
                yield start, end - start
            start = page
        end = page + PAGE
    if start is not None and end is not None:
        yield start, end - start
