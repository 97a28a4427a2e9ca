# SPDX-License-Identifier: GPL-2.0-only
"""How another's program reaches a function of the kernel, and what such a call executes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.flow.counting import code_at
from uaccel.host.gdbstub import Stub
from uaccel.host.qemu import Load, debugging
from uaccel.model.executed import Executed, Linked, Places, Stretch
from uaccel.traceshares import is_kernel, name_at

_CALLS = 12  # that are looked for
_TRIES = 40  # stops at the function, at most
_OUT = 20_000  # instructions from the function to the program, at most
_AROUND = 8_000  # from one return to the program to the next one, at most


@dataclass(frozen=True, slots=True)
class Reached:
    """Calls of a program that led to a function."""

    chain: tuple[str, ...]  # functions from the system call down to it, as of the first call
    calls: tuple[Stretch, ...]  # what whole system calls executed in the kernel


def reached(load: Load, kernel: Linked, functions: tuple[str, ...], places: Places) -> Reached:
    """Return how the program of `load` reaches any of `functions`, and what some calls execute.

    A call counts from one return to the program to the next one at the same place, where it
    entered the kernel once in between and reached a function: what the program itself executes
    is left out.
    """
    begins = frozenset(kernel.addresses(functions))
    chain: tuple[str, ...] = ()
    calls: list[Stretch] = []
    with debugging(load) as (_, stub):
        for begin in begins:
            stub.stop_at(begin, hardware=True)
        for _ in range(_TRIES):
            if len(calls) == _CALLS or not stub.go():
                break
            left, back = out(stub, places)
            chain = chain or left
            calls += around(stub, places, begins, back)
    return Reached(chain, tuple(calls))


def out(stub: Stub, places: Places) -> tuple[tuple[str, ...], int]:
    """Return the functions from the system call down to where `stub` is, and where it goes back.

    It stands there afterwards.  Whoever is returned to is higher on the stack than all before.
    """
    names: list[str] = []
    highest = -1
    for at in stub.trace(-1, _OUT):
        if not is_kernel(Executed(at, b"", 1), places):
            break
        height = stub.read(stub.stack)
        if height > highest:
            highest = height
            names.append(name_at(at, places))
    unlike = (name for i, name in enumerate(names) if i == 0 or name != names[i - 1])
    return tuple(unlike)[::-1], stub.read(stub.counter)


def around(stub: Stub, places: Places, begins: frozenset[int], back: int) -> Iterator[Stretch]:
    """Yield what the kernel executes from here until `back` is reached again, where it is a call.

    It is one when the kernel is entered once and an address of `begins` is reached.
    """
    codes: dict[int, bytes] = {}
    counts: Counter[int] = Counter()
    entries, inside = 0, False
    for number, at in enumerate(stub.trace(-1, _AROUND + 1)):
        if number == _AROUND:
            return
        if number and at == back:
            break
        if not is_kernel(Executed(at, b"", 1), places):
            inside = False
            continue
        entries += not inside
        inside = True
        if entries > 1:
            return
        if at not in codes:
            codes[at] = code_at(stub, at)
        counts[at] += 1
    if begins & counts.keys():
        rows = tuple(Executed(at, codes[at], count) for at, count in counts.items())
        yield Stretch(sum(counts.values()), rows)
