# SPDX-License-Identifier: GPL-2.0-only
"""Count what the calls of a booted program execute, by two ways that know nothing of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.files import content, scratch
from uaccel.host.gdbstub import Stub
from uaccel.host.qemu import STEADY, Load, booting, debugging
from uaccel.host.tcg import Marks, counting
from uaccel.model.executed import Executed, Linked, Places, Stretch
from uaccel.read.executed import read_stretches
from uaccel.traceshares import spans

BEFORE, AFTER = "uaccel_before", "uaccel_after"  # of our client: around the system call
BEGIN, END = "uaccel_begin", "uaccel_end"  # of our client: around another program's life
STEPPED, PLUGGED = "GDB remote protocol", "plugin"
_MOST = 100_000  # instructions that one call may take
_LONGEST = 16  # bytes of an instruction, and one more
_PAGE = 4096
_Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one boot said, and what was executed in each stretch of it."""

    console: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Plugin:
    """Our plugin, and what it has to know of a machine."""

    path: str
    repeats: bool  # there are instructions that repeat themselves, each of which counts once


def marks(program: Linked, names: tuple[str, str]) -> tuple[int, int]:
    """Return where two labels of a program are; UserError when it lacks one."""
    found = tuple(program.address(name) for name in names)
    if None in found:
        raise UserError(f"the client has no labels {' and '.join(names)}")
    return found[0] or 0, found[1] or 0


def stepped(load: Load, client: Linked, told: _Told) -> Counted:
    """Return what each call of `client` executes, as a debugger sees it that steps through it."""
    begin, end = marks(client, (BEFORE, AFTER))
    found: list[Stretch] = []
    with debugging(load) as (guest, stub):
        stub.stop_at(begin, hardware=True)
        while stub.go():
            if _is_at(stub, client, begin):
                found.append(_stepped(stub, end))
                told(f"{len(found)} calls stepped through")
        return Counted(guest.finish(), tuple(found))


def plugged(load: Load, plugin: Plugin, where: Marks, *, steady: bool = False) -> Counted:
    """Return what is executed in each stretch that `where` marks, as a plugin counts it.

    `steady` makes the clock follow the instructions: slower, and the same in every run.
    """
    with scratch() as folder:
        out = f"{folder}/counts"
        words = counting(plugin.path, out, where, repeats=plugin.repeats)
        with booting(load, (*words, *(STEADY if steady else ()))) as guest:
            console = guest.finish()
        return Counted(console, read_stretches(content(out).decode()))


def around(client: Linked) -> Marks:
    """Return the marks around each call of `client`."""
    begin, end = marks(client, (BEFORE, AFTER))
    code = next((held.at(begin, 2) for held in client.code if held.at(begin, 1)), b"")
    return Marks((begin,), end, code)


def from_first(entries: tuple[int, ...], client: Linked) -> Marks:
    """Return the marks from where any of `entries` is executed first to the end of what runs."""
    if not entries:  # the plugin would count from power-on
        raise BrokenInvariant("nothing begins the count")
    _, end = marks(client, (BEGIN, END))
    return Marks(entries, end, b"")


def places(kernel: Linked, client: Linked, named: str, other: str) -> Places:
    """Return where things lie in a machine that runs `kernel`, and `client` as its first program.

    `other` names the program that all else of the user's side belongs to.
    """
    return Places(
        symbols=spans(kernel.symbols, kernel.end),
        first=kernel.first,
        unmapped=kernel.unmapped,
        programs=((named, client.code),),
        other=other,
        inner=frozenset(at + past for at, past in kernel.inner),
        code=kernel.code,
    )


def code_at(stub: Stub, address: int) -> bytes:
    """Return the bytes of the instruction at `address`, and some more where there are any."""
    whole = stub.memory(address, _LONGEST)
    return whole or stub.memory(address, min(_LONGEST, _PAGE - address % _PAGE))


def usual(counts: Sequence[int]) -> int | None:
    """Return the count most often seen, the smallest of several; None without any.

    A stretch may hold a tick of the timer: it stands out, and is not counted among the usual.
    """
    seen = Counter(counts)
    return min(seen, key=lambda count: (-seen[count], count), default=None)


def _stepped(stub: Stub, end: int) -> Stretch:
    codes: dict[int, bytes] = {}
    counts: Counter[int] = Counter()
    for address in stub.trace(end, _MOST):
        if address not in codes:  # now: in the program's mode the kernel cannot be read
            codes[address] = code_at(stub, address)
        counts[address] += 1
    rows = tuple(Executed(at, codes[at], count) for at, count in counts.items())
    return Stretch(sum(counts.values()), rows)


def _is_at(stub: Stub, client: Linked, begin: int) -> bool:
    # The same address may mean something else in another mode of the machine.
    known = next((held.at(begin, 2) for held in client.code if held.at(begin, 1)), b"")
    return stub.memory(begin, len(known)) == known


def usual_of(stretches: Sequence[Stretch]) -> Stretch | None:
    """Return the first of the stretches that are as long as most; None without any."""
    count = usual(tuple(one.instructions for one in stretches))
    return next((one for one in stretches if one.instructions == count), None)
