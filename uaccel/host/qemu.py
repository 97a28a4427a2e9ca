# SPDX-License-Identifier: GPL-2.0-only
"""Boot a kernel in QEMU: its console is kept, its time is limited, nothing of it stays behind."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.gdbstub import Stub
from uaccel.host.run import Running, beside
from uaccel.model.boot import Machine

_LAST = 12  # lines of a console that are shown of one that hangs
_AWHILE = 0.5  # seconds between two looks at the clock
# One console on our pipe, no window, no monitor, and a reboot ends it.
_QUIET = ("-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot")

# The machine's clock goes by its instructions, one nanosecond each, and never waits for ours; it
# begins on the same day, and what is random is the same too.
STEADY = (
    *("-icount", "shift=0,sleep=off"),
    *("-rtc", "base=2026-01-01,clock=vm", "-seed", "1"),
)


class Ended(UserError):
    """A boot that did not end as it should; `console` are the last lines that it said."""

    def __init__(self, why: str, console: str) -> None:
        self.why = why
        self.console = "\n".join(console.splitlines()[-_LAST:])
        super().__init__(f"{why}; the last its console said: {self.console or 'nothing'}")


class Hung(Ended):
    """One that did not end in time."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a machine is given to boot."""

    machine: Machine
    image: str  # path
    initrd: str  # path
    big: bool  # big endian, as a debugger sees its registers
    seconds: float  # that it may take


class Guest:
    """A machine that runs."""

    def __init__(self, load: Load, running: Running, deadline: float) -> None:
        self._load = load
        self._running = running
        self._deadline = deadline

    @property
    def console(self) -> str:
        """Return all that its console has said so far, without carriage returns."""
        return self._running.said.decode(errors="replace").replace("\r", "")

    def finish(self) -> str:
        """Return the whole console when the machine has ended; Hung when it does not in time."""
        while (left := self._deadline - time.monotonic()) > 0:
            if not self._running.wait(len(self._running.said), min(left, _AWHILE)):
                status = self._running.status(_AWHILE)
                if status not in (None, 0):
                    raise Ended(f"{self._name} ended with status {status}", self.console)
                return self.console
        raise self.hung()

    def hung(self) -> Hung:
        """Return the error that says that its time is over."""
        why = f"{self._name} did not end the boot within {self._load.seconds:g} seconds"
        return Hung(why, self.console)

    @property
    def _name(self) -> str:
        return self._load.machine.emulator


def command_line(load: Load, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the words that boot `load`."""
    machine = load.machine
    # A word that the kernel does not know becomes an argument of the first program.
    # Without norandmaps each boot maps a program elsewhere, and faults another number of pages in.
    append = f"console={machine.console} rdinit=/init panic=1 norandmaps"
    loaded = ("-kernel", load.image, "-initrd", load.initrd, "-append", append)
    return (machine.emulator, *machine.options, *loaded, *_QUIET, *more)


@contextmanager
def booting(load: Load, more: tuple[str, ...] = ()) -> Iterator[Guest]:
    """Give the machine as it boots; it has ended when the block ends."""
    deadline = time.monotonic() + load.seconds
    with beside(command_line(load, more), folder=Path("/")) as running:
        yield Guest(load, running, deadline)


@contextmanager
def debugging(load: Load) -> Iterator[tuple[Guest, Stub]]:
    """Give the machine, stopped before its first instruction, and a debugger's line to it."""
    deadline = time.monotonic() + load.seconds
    ours, its = socket.socketpair()
    with ours, its:
        line = ("-chardev", f"socket,id=debugger,fd={its.fileno()}", "-gdb", "chardev:debugger")
        words = command_line(load, (*line, "-S"))
        with beside(words, folder=Path("/"), passed=(its.fileno(),)) as running:
            its.close()
            guest = Guest(load, running, deadline)
            try:
                yield guest, Stub(ours, load.big, deadline, load.machine.rests)
            except UserError:
                if time.monotonic() < deadline:
                    raise
                raise guest.hung() from None
