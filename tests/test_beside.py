# SPDX-License-Identifier: GPL-2.0-only
"""What is made of two runs before they are compared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.accesses import built
from tests.runs import evidence
from uaccel.flow.beside import astray, ways
from uaccel.model.run import Faulted, Run
from uaccel.model.source import Direction

HERE, ELSEWHERE = 0x40, 0x80  # instructions
READ, WRITE = Direction.READ, Direction.WRITE


def run(words: str = "returns=0") -> Run:
    """Return a run that is written down as in the pages of checks."""
    (pair,) = evidence(f"pair x\nbefore {words}\nafter {words}").pairs or ()
    return pair.before


def faulted(place: int, address: int, direction: Direction) -> Run:
    """Return a run in which that happened, which went on."""
    return replace(run("returns=-14"), faults=(Faulted(place, "plain", address, 0, direction),))


def test_what_each_instruction_does_is_gathered_from_all_runs() -> None:
    both = (run("returns=0 read=1000:4"), run("returns=0 write=1000:01020304"))
    assert ways(both) == {0: {READ, WRITE}}
    assert ways((run(),)) == {}


# Where a fault was, what was wanted there, and whether the kernel's memory was not there.
FAULTS = (
    (HERE, 0x10000000, WRITE, False),  # the user's, as ever
    (HERE, 0x10000000, READ, True),  # it writes to the user: what it reads is the kernel's
    (HERE, 0, WRITE, False),
    (ELSEWHERE, 0x18, READ, True),  # no run got through it, and NULL leads there
    (ELSEWHERE, 0x7FFFFFFFF000, READ, False),  # it may be the user's
    (ELSEWHERE, 0xFFFFFFFF88001400, WRITE, True),  # nobody's but the kernel's
)


@pytest.mark.parametrize(("place", "address", "direction", "strays"), FAULTS)
def test_a_fault_on_the_kernels_side_tells_nothing(
    place: int, address: int, direction: Direction, *, strays: bool
) -> None:
    known = {HERE: frozenset({WRITE})}
    found = astray(faulted(place, address, direction), known, built("x86_64").emulation)
    assert found.ended == (f"{address:#x} of the kernel's is not there" if strays else "")


def test_where_nothing_is_known_nothing_is_said() -> None:
    one = faulted(HERE, 0x18, READ)
    assert astray(one, {}, built("x86_64").emulation) == one
