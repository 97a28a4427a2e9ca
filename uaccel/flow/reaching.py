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
from uaccel.traceshares import is_entry, is_kernel, name_at

_CALLS = 12  # that are looked for
_TRIES = 40  # stops at the function, at most
_MISSES = 4  # of them without a call, one after the other
_OUT = 20_000  # instructions from the function to the program, at most
_AROUND = 25_000  # from a return to the program to the end of the next call, at most


@dataclass(frozen=True, slots=True)
class Reached:
    """Calls of a program that led to a function."""

    chain: tuple[str, ...]  # functions from the system call down to it, as of the first call
    calls: tuple[Stretch, ...]  # what whole system calls executed in the kernel


def reached(load: Load, kernel: Linked, functions: tuple[str, ...], places: Places) -> Reached:
    """Return how the program of `load` reaches any of `functions`, and what some calls execute.

    A call counts from where the program enters the kernel to where it is returned to; one that
    comes soon after another is followed so.
    """
    begins = frozenset(kernel.entries(functions))
    chain: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    calls: list[Stretch] = []
    missed = 0
    with debugging(load) as (_, stub):
        for begin in begins:
            stub.stop_at(begin, hardware=True)
        for _ in range(_TRIES):
            if len(calls) == _CALLS or missed == _MISSES or not stub.go():
                break
            left = out(stub, places)
            found = tuple(around(stub, places, begins))
            missed = 0 if found else missed + 1
            calls += (stretch for stretch, _ in found)
            chain = chain or next((names for _, names in found), ())
    return Reached(chain or left, tuple(calls))


def out(stub: Stub, places: Places) -> tuple[str, ...]:
    """Return the functions from the system call down to where `stub` is.

    It stands in the program afterwards.  Who is returned to is higher on the stack than all before;
    who left by a jump to another function is not returned to, and missing.
    """
    names: list[str] = []
    highest = -1
    for at in stub.steps(_OUT):
        if not is_kernel(Executed(at, b"", 1), places):
            break
        height = stub.read(stub.stack)
        if height > highest:
            highest = height
            names.append(name_at(at, places))
    unlike = (name for i, name in enumerate(names) if i == 0 or name != names[i - 1])
    return tuple(unlike)[::-1]


def around(
    stub: Stub, places: Places, begins: frozenset[int]
) -> Iterator[tuple[Stretch, tuple[str, ...]]]:
    """Yield what the kernel executes in the next call that reaches an address of `begins`.

    And the functions on the way there, each entered from the one before.  Nothing when no call
    does so within a bound.
    """
    codes: dict[int, bytes] = {}
    counts: Counter[int] = Counter()
    way = Way(places)
    chain: tuple[str, ...] = ()
    inside = False
    for at in stub.steps(_AROUND):
        before, inside = inside, is_kernel(Executed(at, b"", 1), places)
        if before and not inside and chain:
            rows = tuple(Executed(one, codes[one], count) for one, count in counts.items())
            yield Stretch(sum(counts.values()), rows), chain
            return
        if not inside:
            continue
        if not before:
            counts.clear()
            way, chain = Way(places), ()
        way.goes_on(at)
        if at in begins:
            chain = chain or way.names()
        if at not in codes:
            codes[at] = code_at(stub, at)
        counts[at] += 1


class Way:
    """From where functions were entered, as a machine goes through a kernel's code."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._from: dict[str, str] = {}
        self._here = ""

    def goes_on(self, at: int) -> None:
        """Return when the instruction at `at` is known to be the next one."""
        name = name_at(at, self._places)
        if name != self._here and is_entry(at, self._places):
            self._from[name] = self._here
        self._here = name

    def names(self) -> tuple[str, ...]:
        """Return the functions down to this one, by calls and by jumps."""
        found = {self._here: None}
        while (above := self._from.get(next(reversed(found)))) and above not in found:
            found[above] = None
        return tuple(reversed(found))
