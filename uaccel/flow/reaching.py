# SPDX-License-Identifier: GPL-2.0-only
"""How another's program reaches functions of the kernel, and what such calls execute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import eq

from uaccel.errors import UserError
from uaccel.flow.counting import code_at
from uaccel.host.gdbstub import HIDDEN, Stub
from uaccel.host.qemu import Hung, Load, debugging
from uaccel.model.executed import Executed, Linked, Places, Stretch
from uaccel.traceshares import is_entry, name_at

_CALLS = 12  # that are looked for
_BOOTS = 3
_STEPS = 60_000  # instructions in all boots: less than half a minute
_STOPS = 20_000  # in one boot
_TRIES = 4  # in one boot, to find where calls enter the kernel, from as many of the function
_OUT = 12_000  # instructions from the function to the program, at most
_AROUND = 25_000  # of a call that should reach the function, at most
_APART = 6_000  # of the program, until it enters the kernel again
_SOON = 6_000  # of what it enters the kernel for then: no fault takes as many
_ENTRIES = 4  # of these that are looked at, one after the other
_MISLED = 6  # calls in a row that reach nothing, where they should
_KNOWN = 300  # ways of entering that are remembered
_LIKE = 64  # bytes of code that tell the kernel from a program
_OUTERMOST = 2  # functions of a chain: other calls come by there too
_PAST = 10  # steps until one address is left, at most
_WORD = 8  # hexadecimal digits

Registers = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """Calls of a program that led to functions."""

    chains: tuple[tuple[str, ...], ...]  # from the system call down to each function reached
    whole: tuple[tuple[str, ...], ...]  # those of them in which nobody is missing
    calls: tuple[Stretch, ...]  # what whole system calls executed in the kernel


@dataclass(frozen=True, slots=True)
class Followed:
    """What was seen from an entry into the kernel on."""

    stretch: Stretch
    chains: dict[int, tuple[str, ...]]  # functions on the way to each address that was asked for
    back: int | None  # where the program went on; None when it did not, within the bound


@dataclass(frozen=True, slots=True)
class View:
    """A machine that is stepped, and what tells where it is."""

    stub: Stub
    places: Places

    def inside(self, at: int) -> bool:
        """Return whether `at`, where the machine is, belongs to the kernel."""
        if at >= self.places.first or not self.places.unmapped:
            return at >= self.places.first
        # A program may lie where the kernel is unmapped.  Some of the kernel was patched at boot.
        linked = next(
            filter(None, (one.at(at + self.places.unmapped, _LIKE) for one in self.places.code)),
            b"",
        )
        here = self.stub.memory(at, len(linked))
        alike = sum(one == other for one, other in zip(linked, here, strict=False))
        return 2 * alike > len(linked)


@dataclass(slots=True)
class Known:
    """What is known of a program and its kernel; each boot adds to it."""

    begins: frozenset[int]  # where the functions are entered
    chains: dict[int, tuple[str, ...]] = field(default_factory=dict)
    returns: dict[int, tuple[str, ...]] = field(default_factory=dict)  # as the stack has them
    calls: list[Stretch] = field(default_factory=list)
    steps: int = _STEPS  # that are left
    hits: int = 0
    entry: int = -1  # where the kernel is entered by calls; -1: not known
    high: bool = False  # the stack is the kernel's there
    refused: set[int] = field(default_factory=set)
    # Registers at the entry tell a call from others: its number and its arguments are in them.
    sites: dict[Registers, set[int]] = field(default_factory=dict)
    misled: int = 0
    nearby: frozenset[int] = frozenset()  # where any call comes by, while no entry is known

    @property
    def wanted(self) -> frozenset[int]:
        """Return the functions to which a further call is looked for."""
        return self.begins if len(self.calls) < _CALLS else self.begins - self.chains.keys()

    def promises(self, registers: Registers) -> bool:
        """Return whether of all calls one that reached a function is most like this one."""
        like = (
            (sum(map(eq, registers, known)), not found.isdisjoint(self.wanted))
            for known, found in self.sites.items()
        )
        return max(like, default=(0, False))[1]

    def remember(self, registers: Registers) -> None:
        """Return when it is known that a call began so."""
        if len(self.sites) < _KNOWN:
            self.sites.setdefault(registers, set())

    def take(self, registers: Registers, followed: Followed) -> None:
        """Return when what a call did is known."""
        self.sites[registers] = set(followed.chains)
        self.chains = followed.chains | self.chains
        if followed.chains and followed.back is not None:
            self.calls.append(followed.stretch)

    def enter_at(self, entry: int, *, high: bool) -> None:
        """Return when calls are expected there, and nothing is held of others."""
        self.entry, self.high = entry, high
        self.sites.clear()


def reached(load: Load, kernel: Linked, functions: tuple[str, ...], places: Places) -> Reached:
    """Return how the program of `load` reaches each of `functions`, and what some calls execute.

    A call counts from where the program enters the kernel to where it is returned to.  The first
    boot learns where that is; a program with too few calls for the rest is booted again.
    """
    known = Known(frozenset(kernel.entries(functions)))
    for boot in range(_BOOTS):
        try:
            with debugging(load) as (_, stub):
                Watch(View(stub, places), known).run(early=boot + 1 == _BOOTS)
        except Hung:
            if not known.calls:
                raise
        except UserError:  # it ended while it was stepped
            if not known.hits:
                raise
        if known.calls or not known.hits or known.steps <= 0:
            break
        if known.entry < 0:
            known.nearby = _outermost(kernel, known)
    entries = [at for name in functions for at in kernel.entries((name,))]
    chains = (known.chains.get(at, known.returns.get(at, ())) for at in entries)
    whole = (known.chains.get(at, ()) for at in entries)
    return Reached(
        chains=tuple(dict.fromkeys(filter(None, chains))),
        whole=tuple(dict.fromkeys(filter(None, whole))),
        calls=tuple(known.calls),
    )


def _outermost(kernel: Linked, known: Known) -> frozenset[int]:
    names = (name for chain in known.returns.values() for name in chain[:_OUTERMOST])
    found = {kernel.address(name) for name in names}
    return frozenset(at for at in found if at is not None) - known.begins


class Watch:
    """One boot that is stopped where calls enter the kernel, and at the functions."""

    def __init__(self, view: View, known: Known) -> None:
        self._view = view
        self._stub = view.stub
        self._known = known
        self._last: Registers = ()  # of the call that may be going on
        self._follows = False
        self._tries = 0

    def run(self, *, early: bool) -> None:
        """Return when enough is known, or when the program or the patience is at its end.

        `early` calls are followed too: all that this program does was seen in a boot before.
        """
        known = self._known
        self._follows = early
        for at in known.begins | known.nearby:
            self._stub.stop_at(at, hardware=True)
        if known.entry >= 0:
            self._stub.stop_at(known.entry, hardware=True)
        for _ in range(_STOPS):
            if not known.wanted or known.steps <= 0 or not self._stub.go():
                return
            at = self._stub.read(self._stub.counter)
            if at == known.entry:
                self._entered()
            elif at in known.begins:
                self._hit(at)
            elif at in known.nearby:
                self._come_by()
            self._pass(at)

    def _entered(self) -> None:
        known = self._known
        if self._is_high() != known.high:
            return  # an exception in the kernel enters there too
        self._last = self._registers()
        if not (self._follows and known.promises(self._last)):
            known.remember(self._last)
            return
        followed = around(self._view, known.begins, self._steps(_AROUND))
        known.take(self._last, followed)
        known.misled = 0 if followed.chains else known.misled + 1
        self._last = ()

    def _hit(self, begin: int) -> None:
        known = self._known
        known.hits += 1
        self._follows = True
        if self._last:
            known.sites.setdefault(self._last, set()).add(begin)
        lost = self._tries < _TRIES if known.entry < 0 else known.misled >= _MISLED
        if begin in known.chains.keys() | known.returns.keys() and not lost:
            return
        chain = out(self._view, self._steps(_OUT))
        known.returns[begin] = chain or known.returns.get(begin, ())
        self._last = ()
        if lost:
            self._learn()

    def _come_by(self) -> None:
        # A program that works for long after the function may have made calls in a row before.
        known = self._known
        out(self._view, self._steps(_OUT))
        self._learn()
        if known.entry >= 0:
            for at in known.nearby - {known.entry}:
                self._stub.pass_by(at, hardware=True)
            known.nearby = frozenset()

    def _learn(self) -> None:
        # From the program on: whatever enters the kernel next, but a fault, is taken for a call.
        known, stub = self._known, self._stub
        self._tries += 1
        if known.entry >= 0:
            known.refused.add(known.entry)
            known.misled = 0
        for _ in range(_ENTRIES):
            left, entry = self._next_entry()
            if entry < 0:
                return
            high, registers = self._is_high(), self._registers()
            followed = around(self._view, known.begins, self._steps(_SOON))
            if followed.back == left != HIDDEN or entry in known.refused:
                continue  # an instruction that is executed again had a fault
            if known.entry >= 0:
                stub.pass_by(known.entry, hardware=True)
            if entry not in known.nearby:
                stub.stop_at(entry, hardware=True)
            known.enter_at(entry, high=high)
            known.take(registers, followed)
            return

    def _next_entry(self) -> tuple[int, int]:
        # The last address of the program, and the first of the kernel; -1 without one.
        left = -1
        for at in self._steps(_APART):
            if not self._view.inside(at):
                left = at
            elif left >= 0:
                return left, at
        return left, -1

    def _pass(self, stop: int) -> None:
        # To go on from where it shall stop, it would not go at all.
        at = self._stub.read(self._stub.counter)
        if at in {stop, self._known.entry} | self._known.begins | self._known.nearby:
            next(islice(self._stub.steps(_PAST), 1, None), None)

    def _steps(self, most: int) -> Iterator[int]:
        for at in self._stub.steps(max(0, min(most, self._known.steps))):
            self._known.steps -= 1
            yield at

    def _registers(self) -> Registers:
        text = self._stub.ask("g")
        return tuple(text[at : at + _WORD] for at in range(0, len(text), _WORD))

    def _is_high(self) -> bool:
        return self._stub.read(self._stub.stack) >= self._view.places.first


def out(view: View, steps: Iterator[int]) -> tuple[str, ...]:
    """Return the functions from the system call down to where the machine is.

    It stands in the program afterwards; () when that was not reached: the call sleeps.  Who is
    returned to is higher on the stack than all before; who left by a jump to another function is
    not returned to, and missing.
    """
    names: list[str] = []
    highest = -1
    for at in steps:
        if not view.inside(at):
            break
        height = view.stub.read(view.stub.stack)
        if height > highest:
            highest = height
            names.append(name_at(at, view.places))
    else:
        return ()
    unlike = (name for i, name in enumerate(names) if i == 0 or name != names[i - 1])
    return tuple(unlike)[::-1]


def around(view: View, begins: frozenset[int], steps: Iterator[int]) -> Followed:
    """Return what the kernel executes from an entry, where the machine is, back to the program.

    The functions on the way to an address of `begins` are each entered from the one before.
    """
    codes: dict[int, bytes] = {}
    counts: Counter[int] = Counter()
    chains: dict[int, tuple[str, ...]] = {}
    way = Way(view.places)
    back = None
    for at in steps:
        if not view.inside(at):
            back = at
            break
        way.goes_on(at)
        if at in begins and at not in chains:
            chains[at] = way.names()
        if at not in codes:
            codes[at] = code_at(view.stub, at)
        counts[at] += 1
    rows = tuple(Executed(at, codes[at], count) for at, count in counts.items())
    return Followed(Stretch(sum(counts.values()), rows), chains, back)


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
