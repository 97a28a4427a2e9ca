# SPDX-License-Identifier: GPL-2.0-only
"""From a stop in a function of the kernel to how it was reached, and to what a call executes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from uaccel.flow.reaching import Followed, Known, View, Watch, around, out
from uaccel.host.gdbstub import Place, Stub
from uaccel.model.executed import Code, Places
from uaccel.traceshares import spans

ENTRY, IOCTL, TARGET, HELPER = 0xC000_0100, 0xC000_0200, 0xC000_0300, 0xC000_0400
FAULT = 0xC000_0480
USER = 0x1000
PLACES = Places(
    symbols=spans(
        (
            ("entry", ENTRY, 64),
            ("ioctl", IOCTL, 64),
            ("target", TARGET, 64),
            ("helper", HELPER, 64),
            ("fault", FAULT, 64),
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
        self.stops: set[int] = set()
        self.stepped = 0

    def steps(self, most: int) -> Iterator[int]:
        for number in range(self.at, min(len(self.walked), self.at + most)):
            self.at = number
            self.stepped += 1
            yield self.walked[number][0]

    def stop_at(self, address: int, *, hardware: bool) -> None:
        assert hardware
        self.stops.add(address)

    def pass_by(self, address: int, *, hardware: bool) -> None:
        assert hardware
        self.stops.remove(address)

    def go(self) -> bool:
        """Stop where it stands when it shall stop there: it makes no progress then."""
        ahead = range(self.at, len(self.walked))
        self.at = next((i for i in ahead if self.walked[i][0] in self.stops), len(self.walked) - 1)
        return self.walked[self.at][0] in self.stops

    def ask(self, packet: str) -> str:
        """Return registers: where it is, and the stack pointer, by which calls differ here."""
        assert packet == "g"
        return "".join(f"{value:08x}" for value in self.walked[self.at])

    def read(self, place: Place) -> int:
        return self.walked[self.at][place.number]

    def memory(self, _address: int, size: int) -> bytes:
        return bytes(size)


class Low(Walk):
    """One whose program ends up in the same place as the kernel."""

    def memory(self, _address: int, size: int) -> bytes:
        return (bytes(1) if self.at < len(self.walked) - 1 else b"p") * size


def machine(*steps: tuple[int, int]) -> Stub:
    return cast(Stub, Walk(*steps))


def test_who_is_returned_to_called_it_and_helpers_did_not() -> None:
    stub = machine(
        (TARGET, 100), (HELPER, 80), (TARGET + 4, 100), (IOCTL + 8, 120), (HELPER, 110),
        (IOCTL + 12, 120), (ENTRY + 8, 140), (USER, 50),
    )  # fmt: skip
    assert out(View(stub, PLACES), stub.steps(100)) == ("entry", "ioctl", "target")
    assert stub.read(stub.counter) == USER


def test_a_call_that_sleeps_is_not_returned_from() -> None:
    """Another stack is gone through then, and whoever is on it did not call."""
    stub = machine(*((TARGET, 100), (HELPER, 200)) * 100)
    assert out(View(stub, PLACES), stub.steps(50)) == ()


def call(*between: int, number: int = 0) -> tuple[tuple[int, int], ...]:
    """Return the steps of the kernel, and where the program goes on."""
    return tuple((at, number) for at in (*between, USER))


def followed(*steps: tuple[int, int], begins: frozenset[int] = frozenset({TARGET})) -> Followed:
    stub = machine(*steps)
    return around(View(stub, PLACES), begins, stub.steps(5000))


def test_a_call_counts_what_the_kernel_executes_of_it() -> None:
    one = followed(*call(ENTRY, IOCTL, TARGET, TARGET + 4, IOCTL + 4, IOCTL + 4, ENTRY + 4))
    assert one.stretch.instructions == 7
    assert one.chains == {TARGET: ("entry", "ioctl", "target")}
    assert {row.address: row.count for row in one.stretch.rows}[IOCTL + 4] == 2
    assert one.back == USER


def test_a_call_that_does_not_reach_the_function_has_no_chain() -> None:
    assert followed(*call(ENTRY, IOCTL, ENTRY + 4)).chains == {}


def test_who_left_by_a_jump_is_on_the_way() -> None:
    """The stack does not know of it; where the function was entered from does."""
    steps = (ENTRY, HELPER, ENTRY + 4, IOCTL, HELPER, IOCTL + 4, TARGET, HELPER, TARGET + 4)
    assert followed(*call(*steps)).chains == {TARGET: ("entry", "ioctl", "target")}


def test_a_return_into_a_function_is_no_entry() -> None:
    steps = (ENTRY, IOCTL, HELPER, IOCTL + 4, ENTRY + 4, TARGET)
    assert followed(*call(*steps)).chains == {TARGET: ("entry", "target")}


def test_each_function_on_the_way_has_its_chain() -> None:
    begins = frozenset({TARGET, HELPER})
    assert followed(*call(ENTRY, TARGET, HELPER, TARGET + 4), begins=begins).chains == {
        TARGET: ("entry", "target"),
        HELPER: ("entry", "target", "helper"),
    }


def test_a_function_that_is_entered_past_its_symbol_is_known() -> None:
    """As calls from within do on ppc64."""
    past = replace(PLACES, inner=frozenset({IOCTL + 8, TARGET + 8}))
    stub = machine(*call(ENTRY, IOCTL + 8, TARGET + 8, TARGET + 12))
    one = around(View(stub, past), frozenset({TARGET + 8}), stub.steps(100))
    assert one.chains == {TARGET + 8: ("entry", "ioctl", "target")}


def test_a_way_that_does_not_come_back_is_no_figure() -> None:
    one = followed(*(((ENTRY, 0), (TARGET, 0)) * 5000))
    assert one.back is None
    known = Known(frozenset({TARGET}))
    known.take(("0",), one)
    assert known.calls == [] and known.chains == {TARGET: ("entry", "target")}


def test_a_kernel_that_is_entered_unmapped_is_told_from_a_program_by_its_code() -> None:
    """As much of it as was not patched at boot; the program here lies in the same place."""
    low = replace(PLACES, unmapped=PLACES.first)
    linked = bytes(8) + b"patched!" + bytes(0x600 - 16)
    at = ENTRY - PLACES.first
    stub = cast(Stub, Low((at, 0), (TARGET, 0), (at + 8, 0), (at, 0)))
    view = View(stub, replace(low, code=(Code(ENTRY, linked),)))
    one = around(view, frozenset({TARGET}), stub.steps(100))
    assert one.stretch.instructions == 3
    assert one.chains == {TARGET: ("entry", "target")}
    assert one.back == at


# Calls by their number, and what the program does between two of them.
REACHES = call(ENTRY, IOCTL, TARGET, IOCTL + 4, ENTRY + 4, number=1)
PRINTS = call(ENTRY, *(IOCTL, HELPER) * 2000, ENTRY + 4, number=2)
WORKS = tuple((USER + 4 * i, 0) for i in range(400))
FAULTS = ((USER + 0x1000, 0), (FAULT, 5), (FAULT + 4, 5), (USER + 0x1000, 0))


def watched(known: Known, *steps: tuple[int, int], boots: int = 1) -> list[Walk]:
    walks = [Walk(*steps) for _ in range(boots)]
    for number, walk in enumerate(walks):
        Watch(View(cast(Stub, walk), PLACES), known).run(early=number == 2)
    return walks


def known() -> Known:
    return Known(frozenset({TARGET}))


def test_calls_that_are_far_apart_are_followed_and_what_is_between_is_not() -> None:
    here = known()
    (walk,) = watched(here, *(REACHES + WORKS + PRINTS * 9 + WORKS) * 20)
    assert here.entry == ENTRY
    assert [one.instructions for one in here.calls] == [5] * 12
    assert here.chains == {TARGET: ("entry", "ioctl", "target")}
    assert walk.stepped < 6000  # the whole is a million


def test_a_fault_is_no_call() -> None:
    """The program goes on with the same instruction."""
    here = known()
    watched(here, *(REACHES + FAULTS + WORKS + PRINTS) * 20)
    assert here.entry == ENTRY
    assert len(here.calls) == 12


def test_an_entry_at_which_no_such_call_begins_is_given_up() -> None:
    """Another one is as near to the function, and only by its place."""
    other = call(FAULT, HELPER, FAULT + 4, number=3)
    here = known()
    (walk,) = watched(here, *(REACHES + WORKS + other + WORKS) * 40)
    assert here.refused == {FAULT}
    assert here.entry == ENTRY
    assert len(here.calls) == 12
    assert walk.stops == {TARGET, ENTRY}


def test_a_program_that_calls_but_once_is_booted_again() -> None:
    """The second boot learns how that call begins, the third one follows it."""
    once = (*WORKS, *PRINTS, *REACHES, *WORKS, *PRINTS)
    here = known()
    watched(here, *once, boots=2)
    assert here.calls == [] and TARGET in here.returns
    here = known()
    walks = watched(here, *once, boots=3)
    assert [one.instructions for one in here.calls] == [5]
    assert walks[2].stepped < 20


def test_the_patience_ends() -> None:
    here = known()
    never = call(ENTRY, IOCTL, *(HELPER, HELPER + 4) * 3000, ENTRY + 4, number=1)
    sometimes = (*REACHES, *WORKS, *never * 9, *WORKS)
    watched(here, *((sometimes + WORKS) * 200))
    assert here.steps <= 0


def test_an_exception_in_the_kernel_is_no_call_though_it_enters_there_too() -> None:
    """Some architectures have one entry for all: what is counted from there on is a part."""
    high = PLACES.first
    begun = ((ENTRY, 1), (IOCTL, 1), (ENTRY, high), (HELPER, high), (TARGET, high))
    here = known()
    watched(here, *(begun + call(IOCTL + 4, ENTRY + 4) + WORKS + PRINTS) * 40)
    assert {one.instructions for one in here.calls} == {7}


def test_each_function_gets_a_chain_though_calls_enough_were_followed() -> None:
    here = Known(frozenset({TARGET, HELPER}))
    late = call(ENTRY, HELPER, ENTRY + 4, number=7)
    watched(here, *(REACHES + WORKS) * 50, *(late + WORKS + REACHES) * 5)
    assert here.chains == {TARGET: ("entry", "ioctl", "target"), HELPER: ("entry", "helper")}
    assert here.wanted == frozenset()


def test_a_program_that_works_for_long_is_caught_at_a_call_before() -> None:
    """Where other calls come by is known of the first boot."""
    long = tuple((USER + 4 * (i % 500), 0) for i in range(30_000))
    here = known()
    once = (*PRINTS[-9:], *WORKS, *PRINTS, *WORKS, *(REACHES + long) * 3)
    watched(here, *once)
    assert (here.entry, here.calls) == (-1, [])
    here.nearby = frozenset({ENTRY + 4})
    watched(here, *once)
    assert here.entry == ENTRY
    assert [one.instructions for one in here.calls] == [5, 5]
