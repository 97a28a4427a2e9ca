# SPDX-License-Identifier: GPL-2.0-only
"""From a stop in a function of the kernel to how it was reached, and to what a call executes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from uaccel.flow.reaching import around, out
from uaccel.host.gdbstub import Place, Stub
from uaccel.model.executed import Places
from uaccel.traceshares import spans

ENTRY, IOCTL, TARGET, HELPER = 0xC000_0100, 0xC000_0200, 0xC000_0300, 0xC000_0400
USER = 0x1000
PLACES = Places(
    symbols=spans(
        (
            ("entry", ENTRY, 64),
            ("ioctl", IOCTL, 64),
            ("target", TARGET, 64),
            ("helper", HELPER, 64),
        ),
        0xC000_0500,
    ),
    first=0xC000_0000,
    unmapped=0,
    programs=(),
    other="player",
)


class Walk:
    """A machine that goes through (address, stack pointer), and stands where it was left."""

    def __init__(self, *steps: tuple[int, int]) -> None:
        self.walked = steps
        self.at = 0
        self.counter, self.stack = Place(0, 4), Place(1, 4)

    def steps(self, most: int) -> Iterator[int]:
        for number in range(self.at, min(len(self.walked), self.at + most)):
            self.at = number
            yield self.walked[number][0]

    def read(self, place: Place) -> int:
        return self.walked[self.at][place.number]

    def memory(self, _address: int, size: int) -> bytes:
        return bytes(size)


def machine(*steps: tuple[int, int]) -> Stub:
    return cast(Stub, Walk(*steps))


def test_who_is_returned_to_called_it_and_helpers_did_not() -> None:
    stub = machine(
        (TARGET, 100), (HELPER, 80), (TARGET + 4, 100), (IOCTL + 8, 120), (HELPER, 110),
        (IOCTL + 12, 120), (ENTRY + 8, 140), (USER, 50),
    )  # fmt: skip
    assert out(stub, PLACES) == ("entry", "ioctl", "target")
    assert stub.read(stub.counter) == USER


def call(*between: int) -> tuple[tuple[int, int], ...]:
    return tuple((at, 0) for at in (USER, USER + 4, *between, USER))


def test_a_call_counts_what_the_kernel_executes_of_it() -> None:
    stub = machine(*call(ENTRY, IOCTL, TARGET, TARGET + 4, IOCTL + 4, IOCTL + 4, ENTRY + 4))
    ((stretch, names),) = around(stub, PLACES, frozenset({TARGET}))
    assert stretch.instructions == 7
    assert names == ("entry", "ioctl", "target")
    assert {row.address: row.count for row in stretch.rows}[IOCTL + 4] == 2
    assert all(row.address >= PLACES.first for row in stretch.rows)


def test_a_call_that_does_not_reach_the_function_is_none() -> None:
    stub = machine(*call(ENTRY, IOCTL, ENTRY + 4))
    assert list(around(stub, PLACES, frozenset({TARGET}))) == []


def test_another_call_before_it_does_not_count() -> None:
    stub = machine(*call(ENTRY, IOCTL, ENTRY + 4, USER + 8, ENTRY, TARGET, ENTRY + 4))
    ((stretch, names),) = around(stub, PLACES, frozenset({TARGET}))
    assert stretch.instructions == 3
    assert names == ("entry", "target")


def test_who_left_by_a_jump_is_on_the_way() -> None:
    """The stack does not know of it; where the function was entered from does."""
    steps = (ENTRY, HELPER, ENTRY + 4, IOCTL, HELPER, IOCTL + 4, TARGET, HELPER, TARGET + 4)
    ((_, names),) = around(machine(*call(*steps)), PLACES, frozenset({TARGET}))
    assert names == ("entry", "ioctl", "target")


def test_a_return_into_a_function_is_no_entry() -> None:
    stub = machine(*call(ENTRY, IOCTL, HELPER, IOCTL + 4, ENTRY + 4, TARGET))
    ((_, names),) = around(stub, PLACES, frozenset({TARGET}))
    assert names == ("entry", "target")


def test_a_function_that_is_entered_past_its_symbol_is_known() -> None:
    """As calls from within do on ppc64."""
    past = replace(PLACES, inner=frozenset({IOCTL + 8, TARGET + 8}))
    stub = machine(*call(ENTRY, IOCTL + 8, TARGET + 8, TARGET + 12))
    ((_, names),) = around(stub, past, frozenset({TARGET + 8}))
    assert names == ("entry", "ioctl", "target")


def test_a_way_that_does_not_come_back_is_no_figure() -> None:
    stub = machine((USER, 0), *(((ENTRY, 0), (TARGET, 0)) * 5000))
    assert list(around(stub, PLACES, frozenset({TARGET}))) == []
