# SPDX-License-Identifier: GPL-2.0-only
"""An emulated machine with the memory of one linked object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Literal

import unicorn
from unicorn import Uc

from uaccel.errors import BrokenInvariant
from uaccel.host.pages import PAGE, Given, Objects, Stretch
from uaccel.model.run import Emulation, Image, Input, bare

Statics = tuple[tuple[str, int, bytes], ...]
_STUB = 16  # bytes


class Board:
    """The machine, its registers by name, and what lies where."""

    __slots__ = (
        *("_bytes", "_image", "_linked", "_numbers", "_order", "_places", "_poked", "_stack"),
        *("data", "emulation", "exit", "externals", "functions", "image", "kernel", "machine"),
        *("silent", "user"),
    )

    def __init__(self, image: Image) -> None:
        self._image = image
        self.emulation = image.emulation
        self._bytes = image.bits // 8
        self._order: Literal["big", "little"] = "big" if image.big else "little"
        self._numbers: dict[str, int] = {}
        self._places = {tag: address for tag, address, _ in image.furnished}
        self.machine = _machine(image.emulation)
        self.functions = dict(image.symbols)
        self.externals = {one.address: one.name for one in image.externals}
        self.externals |= {at: f"slot {number}" for number, at in enumerate(image.slots)}
        self.exit = image.slots[0] - _STUB  # where a function returns to
        self.data = frozenset(one.address for one in image.externals if not one.called)
        self.silent = frozenset(
            one.address for one in image.externals if _thunk(image.emulation, one.name)
        )
        self.image = self._whole()
        self._linked = self.image.pristine
        self._poked: Statics = ()
        self.kernel = Objects(
            self.machine, tuple((address, content) for _, address, content in image.furnished)
        )
        self.user = Objects(None if image.emulation.moves else self.machine)
        first, end = image.stack
        self._stack = Stretch(first, end - first)
        self._stack.join(self.machine)
        for name, value in image.emulation.settings:
            self.write(name, value)
        for one in image.emulation.furniture:
            if one.register:
                self.write(one.register, self._places[one.tag])

    def number(self, name: str) -> int:
        """Return unicorn's number of a register."""
        found = self._numbers.get(name)
        if found is None:
            found = _constant(f"{self.emulation.registers}{name}")
            self._numbers[name] = found
        return found

    def read(self, name: str) -> int:
        """Return what a register holds."""
        return int(self.machine.reg_read(self.number(name)))

    def write(self, name: str, value: int) -> None:
        """Return when a register holds `value`, or its lower half where it is too narrow."""
        self.machine.reg_write(self.number(name), value & ((1 << 8 * self._bytes) - 1))

    def word(self, value: int) -> bytes:
        """Return a word as it lies in memory."""
        return (value & ((1 << 8 * self._bytes) - 1)).to_bytes(self._bytes, self._order)

    def call(self, entry: int, arguments: tuple[int, ...]) -> None:
        """Return when all is as a call of `entry` finds it."""
        emulation = self.emulation
        self._stack.clear()
        held = len(emulation.arguments)
        for name, value in zip(emulation.arguments, arguments, strict=False):
            self.write(name, value)
        top = self._stack.address + self._stack.size - 0x1000
        for number, value in enumerate(arguments[held:]):
            at = top + emulation.above + number * self._bytes
            self._stack.put(at, self.word(value))
        if emulation.link:
            self.write(emulation.link, self.exit)
        else:
            self._stack.put(top, self.word(self.exit))
        self.write(emulation.stack, top)
        if emulation.entry:
            self.write(emulation.entry, entry)

    def back(self) -> int:
        """Return where the function that was just called returns to, as if it had."""
        emulation = self.emulation
        if emulation.link:
            return self.read(emulation.link)
        top = self.read(emulation.stack)
        word = bytes(self.machine.mem_read(top, self._bytes))
        self.write(emulation.stack, top + self._bytes)
        return int.from_bytes(word, self._order)

    def called(self, place: int) -> str:
        """Return by which name a call of what lies at `place` is told."""
        return self.externals.get(place, f"code at {place:#x}")

    def is_data(self, place: int) -> bool:
        """Return whether what lies at `place` is no code, though something may lead there."""
        beyond = place >= self.image.end and bool(self.kernel.get(place, 1))
        return beyond or place in self.data

    def passed(self, count: int) -> tuple[int, ...]:
        """Return the words on the stack where a function that begins finds arguments."""
        at = self.read(self.emulation.stack) + self.emulation.above
        content = self.look(at, count * self._bytes)
        if content is None:
            return ()
        cut = (content[n : n + self._bytes] for n in range(0, len(content), self._bytes))
        return tuple(int.from_bytes(one, self._order) for one in cut)

    def wide(self) -> int | None:
        """Return the two words that a function returned; None where one holds all."""
        if not self.emulation.wide:
            return None
        low, high = self.emulation.wide
        return self.read(low) | self.read(high) << 8 * self._bytes

    def answer(self, value: int) -> None:
        """Return when a function that returns two words has returned `value`."""
        for name in self.emulation.wide:
            self.write(name, value)
            value >>= 8 * self._bytes

    def leave(self, address: int, content: bytes) -> None:
        """Return when `content` lies at `address`, should all of that be stack."""
        if self._is_stack(address, len(content)):
            self._stack.put(address, content)

    def look(self, address: int, size: int) -> bytes | None:
        """Return the `size` bytes at `address`, None where not all of that is stack."""
        return self._stack.get(address, size) if self._is_stack(address, size) else None

    def _is_stack(self, address: int, size: int) -> bool:
        first, end = self._image.stack
        return first <= address and address + size <= end

    @property
    def writable(self) -> tuple[tuple[int, int], ...]:
        """Return (address, bytes) of what the image has of memory that code may change."""
        segments = (one for one in self._image.segments if one.writable)
        return (
            *((one.address, one.size) for one in segments),
            *((address, PAGE) for address in self.data),
        )

    def lay(self, given: Input) -> None:
        """Return when memory is as a call with `given` finds it."""
        self.kernel.lay(given.kernel)
        self.user.lay(given.user, given.locked)
        self._poke(given.statics)

    def _poke(self, given: Statics) -> None:
        # Variables of the object begin with other values.
        if given == self._poked:
            return
        made = bytearray(self._linked)
        places = {bare(name): (address, size) for name, address, size in self._image.data}
        for name, offset, content in given:
            address, size = places.get(name, (0, 0))
            at = address + offset - self.image.address
            if offset + len(content) <= size:
                made[at : at + len(content)] = content
        self.image.base(bytes(made))
        self._poked = given

    def globals(self) -> Given:
        """Return what changed of the image itself, which is then as it was."""
        now = self.image.now()
        if now is None:
            return ()
        found = tuple(self.image.differences(now, ()))
        self.image.restore()
        return tuple(part for one in found for part in self._apart(*one))

    def _apart(self, address: int, content: bytes) -> Iterator[tuple[int, bytes]]:
        # Variables that lie side by side here do not in another variant.
        end = address + len(content)
        inside = {at for _, at, _ in self._image.data if address < at < end}
        cuts = [address, *sorted(inside), end]
        for first, last in pairwise(cuts):
            yield first, content[first - address : last - address]

    def _whole(self) -> Stretch:
        # All code is in the stretch that the machine gets first, and nothing else is: unicorn
        # 2.1.4 gives later ones the same place in its books, and takes a write to one of them for
        # a change of the code in another, on which it runs the instruction that wrote once more.
        given = (*self._stubs(), *self._words(), *self._segments())
        first = min(address for address, _ in given) & -PAGE
        last = max(address + len(content) for address, content in given)
        made = Stretch(first, (last + PAGE - 1 & -PAGE) - first)
        made.lay(given)
        made.join(self.machine)
        return made

    def _segments(self) -> Iterator[tuple[int, bytes]]:
        for one in self._image.segments:
            yield one.address, one.data.ljust(one.size, b"\0")

    def _stubs(self) -> Iterator[tuple[int, bytes]]:
        for at in (self.exit, *self.externals.keys() - self.data):
            code = _thunk(self.emulation, self.externals.get(at, ""))
            yield at, bytes.fromhex(code or self.emulation.returning)

    def _words(self) -> Iterator[tuple[int, bytes]]:
        words = {
            name: self._places[one.tag] for one in self.emulation.furniture for name in one.symbols
        }
        words |= dict(self.emulation.constants)  # a module asks for the word itself
        for at in self.data:
            yield at, self.word(words.get(self.externals[at], 0))


def _thunk(emulation: Emulation, name: str) -> str:
    return next((code for how, code in emulation.thunks if re.fullmatch(how, name)), "")


def _machine(emulation: Emulation) -> Uc:
    arch, modes = emulation.machine
    mode = sum({_constant(one) for one in modes})
    machine = Uc(_constant(arch), mode)
    if emulation.cpu:
        machine.ctl_set_cpu_model(_constant(emulation.cpu))
    machine.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)
    return machine


_HOLDERS = tuple(f"{name}_const" for name in "unicorn x86 ppc arm64 arm riscv s390x".split())


def _constant(name: str) -> int:
    for holder in _HOLDERS:
        value = getattr(import_module(f"unicorn.{holder}"), name, None)
        if value is not None:
            return int(value)
    raise BrokenInvariant(f"unicorn has no {name}")
