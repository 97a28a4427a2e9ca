# SPDX-License-Identifier: GPL-2.0-only
"""Runs of which more is told: what is read, and what is compared with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import unicorn
from unicorn import Uc

from uaccel.errors import BrokenInvariant
from uaccel.host.emulator import Emulator
from uaccel.model.run import Compared, Comparison, Image, Input, Looked

_MOST = 4000  # reads, and comparisons, of one run
_Told = Callable[[Uc, int, int, object], None]


class Tracer:
    """A machine that tells what its runs read and compare; slower than an `Emulator`."""

    __slots__ = ("_board", "_compared", "_counter", "_emulator", "_order", "_reads", "_waiting")

    def __init__(self, image: Image) -> None:
        self._emulator = Emulator(image)
        self._board = self._emulator.board
        self._counter = self._board.number(image.emulation.counter)
        self._order: Literal["big", "little"] = "big" if image.big else "little"
        self._reads: list[tuple[int, int, int]] = []
        self._compared: list[Compared] = []
        self._waiting: tuple[Comparison, int] | None = None  # a side of it is about to be read
        machine = self._board.machine
        machine.hook_add(unicorn.UC_HOOK_MEM_READ, self._on_read)
        for one in image.comparisons:
            numbers = tuple(self._number(side) for side in one.sides)
            known = zip(one.sides, numbers, strict=True)
            if all(number is not None for side, number in known if isinstance(side, str)):
                at, told = one.address, self._on_compare(one, numbers)
                machine.hook_add(unicorn.UC_HOOK_CODE, told, begin=at, end=at)

    def look(self, function: str, given: Input) -> Looked:
        """Return what calling `function` reads and compares, in order, up to a bound."""
        self._reads, self._compared, self._waiting = [], [], None
        self._emulator.execute(function, given)
        return Looked(tuple(self._reads), tuple(self._compared))

    def _number(self, side: str | int | None) -> int | None:
        # capstone says r3 of what is 3 to unicorn.
        for name in (side.upper(), side[1:]) if isinstance(side, str) else ():
            try:
                return self._board.number(name)
            except BrokenInvariant:
                continue
        return None

    def _on_compare(self, one: Comparison, numbers: tuple[int | None, ...]) -> _Told:
        mask = (1 << 8 * one.size) - 1

        def told(uc: Uc, _address: int, _size: int, _given: object) -> None:
            values = tuple(
                side if isinstance(side, int) else None if at is None else int(uc.reg_read(at))
                for side, at in zip(one.sides, numbers, strict=True)
            )
            known = tuple(value & mask for value in values if value is not None)
            if len(known) < len(values):
                self._waiting = one, known[0] if known else 0
            elif len(self._compared) < _MOST:
                pair = known[0], known[1]
                self._tell(one, pair)

        return told

    def _on_read(
        self, uc: Uc, _kind: int, address: int, size: int, _value: int, _given: object
    ) -> None:
        if len(self._reads) >= _MOST:
            return
        try:
            value = int.from_bytes(uc.mem_read(address, size), self._order)
        except unicorn.UcError:
            return
        self._reads.append((address, size, value))
        if self._waiting is not None:
            one, other = self._waiting
            self._waiting = None
            if uc.reg_read(self._counter) == one.address:
                self._tell(one, (value & ((1 << 8 * one.size) - 1), other))

    def _tell(self, one: Comparison, values: tuple[int, int]) -> None:
        told = Compared(one.address, one.size, values, len(self._reads), one.bits)
        self._compared.append(told)
