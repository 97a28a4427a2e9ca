# SPDX-License-Identifier: GPL-2.0-only
"""Speak GDB's remote protocol with an emulator: stop at an address, step, read what is there."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from uaccel.errors import UserError

_CHUNK = 0x400  # bytes of memory, or of a description, in one answer
_INCLUDED = re.compile(r'<xi:include\s+href="([^"]+)"')
_REGISTER = re.compile(r"<reg\s[^>]*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
# What is counted must not be disturbed: no interrupt is taken and no timer runs while stepping.
_STEPPING = "Qqemu.sstep=0x7"
# Names of the program counter, in what GDB's descriptions of registers say.
_COUNTERS = ("pc", "rip", "eip")
# Where a 32-bit program of a 64-bit Arm machine is: the counter tells of the kernel alone.
HIDDEN = 0
_STACKS = ("sp", "rsp", "esp", "r1")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the values of registers stand among all."""

    number: int
    size: int  # bytes


class Stub:
    """One conversation with an emulator that waits for a debugger."""

    def __init__(
        self, channel: socket.socket, big: bool, deadline: float, rests: tuple[bytes, ...] = ()
    ) -> None:
        self._channel = channel
        self._order = "big" if big else "little"
        self._deadline = deadline  # of time.monotonic()
        self._rests = rests  # instructions after which a step goes on over the next one
        self._resting: dict[int, int] = {}  # address, 0 or the size of such a one there
        self._buffer = b""
        self._acknowledged = True
        if channel.family in (socket.AF_INET, socket.AF_INET6):
            channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ask("qSupported:xmlRegisters=i386,powerpc,aarch64;multiprocess-")
        if self.ask("QStartNoAckMode") == "OK":
            self._acknowledged = False
        # Asked first: without it the emulator numbers registers otherwise, and gives no single one.
        self.registers: Mapping[str, Place] = _registers(self)
        self.counter = self._named(_COUNTERS)
        self.stack = self._named(_STACKS)
        self._hides = "cpsr" in self.registers and self.counter.size == 8

    def ask(self, packet: str) -> str:
        """Return what the emulator answers to `packet`."""
        self._send(packet)
        return self._answer()

    def document(self, name: str) -> str:
        """Return the file `name` of the emulator's description of its registers."""
        text = ""
        while True:
            part = self.ask(f"qXfer:features:read:{name}:{len(text):x},{_CHUNK:x}")
            if part[:1] not in ("l", "m"):
                raise UserError(
                    f"the emulator does not describe its registers: {part or 'nothing'}"
                )
            text += part[1:]
            if part[0] == "l":
                return text

    def read(self, place: Place) -> int:
        """Return the value of a register."""
        return int.from_bytes(_bytes(self.ask(f"p{place.number:x}")), _order(self._order))

    def memory(self, address: int, size: int) -> bytes:
        """Return `size` bytes at a virtual address, b"" where nothing is mapped."""
        found = b""
        while len(found) < size:
            part = self.ask(f"m{address + len(found):x},{min(_CHUNK, size - len(found)):x}")
            if part.startswith("E") or not part:
                return b""
            found += _bytes(part)
        return found

    def stop_at(self, address: int, *, hardware: bool = False) -> None:
        """Return when the emulator will stop before it executes what is at `address`."""
        self._expect_ok(f"Z{int(hardware)},{address:x},{4:x}")

    def pass_by(self, address: int, *, hardware: bool = False) -> None:
        """Return when it no longer stops there."""
        self._expect_ok(f"z{int(hardware)},{address:x},{4:x}")

    def go(self) -> bool:
        """Return whether it stopped again; False when the emulator has ended."""
        return self.ask("c")[:1] in ("T", "S")

    def trace(self, end: int, most: int) -> Iterator[int]:
        """Yield the address of each instruction executed from here until `end` is reached."""
        at, seen = -1, False
        for at in self.steps(most):
            if at == end or (at == HIDDEN and seen):
                return
            seen = seen or at != HIDDEN
            yield at
        raise UserError(f"{most} steps did not lead to {end:#x}; the last was at {at:#x}")

    def steps(self, most: int) -> Iterator[int]:
        """Yield the address of each instruction before it is executed, of `most` steps.

        One that follows itself is told once: a string instruction that repeats, or a step in
        which interrupts were held back and nothing was executed.
        """
        self._expect_ok(_STEPPING)
        before, passed = -1, -1
        for _ in range(most):
            at = self.read(self.counter)
            if at != before and passed not in (-1, at):
                yield passed
            passed = self._passed_after(at)
            if at != before:
                yield at
            elif self._hides:  # the last one of the kernel stands there until it is entered again
                yield HIDDEN
            before = at
            if self.ask("s")[:1] not in ("T", "S"):
                raise UserError("the emulator ended while it was stepped")

    def _passed_after(self, at: int) -> int:
        # The address of an instruction that may be executed unseen with the one at `at`, or -1.
        if not self._rests:
            return -1
        if at not in self._resting:
            code = self.memory(at, len(self._rests[0]))
            self._resting[at] = len(code) if code in self._rests else 0
        return at + self._resting[at] if self._resting[at] else -1

    def _named(self, names: tuple[str, ...]) -> Place:
        for name in names:
            if name in self.registers:
                return self.registers[name]
        raise UserError(f"the emulator names no register {' or '.join(names)}")

    def _expect_ok(self, packet: str) -> None:
        said = self.ask(packet)
        if said != "OK":
            raise UserError(f"the emulator does not know {packet.partition(',')[0]}: {said or '-'}")

    def _send(self, packet: str) -> None:
        body = packet.encode()
        self._put(b"$%b#%02x" % (body, sum(body) & 0xFF))

    def _put(self, data: bytes) -> None:
        if (left := self._deadline - time.monotonic()) <= 0:
            raise UserError("the time limit of the conversation with the emulator is over")
        self._channel.settimeout(left)
        try:
            self._channel.sendall(data)
        except OSError as error:
            raise UserError(f"the emulator does not listen: {error}") from None

    def _answer(self) -> str:
        while True:
            match = re.search(rb"\$([^#]*)#[0-9a-fA-F]{2}", self._buffer)
            if match is None:
                if not self._receive():
                    return ""
                continue
            self._buffer = self._buffer[match.end() :]
            if self._acknowledged:
                with suppress(UserError):  # its last words need no answer
                    self._put(b"+")
            return _unescaped(match[1]).decode("latin-1")

    def _receive(self) -> bool:
        self._channel.settimeout(max(0.01, self._deadline - time.monotonic()))
        try:
            more = self._channel.recv(1 << 16)
        except TimeoutError:
            raise UserError("the emulator said nothing within the time limit") from None
        except OSError:
            return False
        self._buffer += more
        return bool(more)


def _order(name: str) -> Literal["big", "little"]:
    return "big" if name == "big" else "little"


def _registers(stub: Stub) -> dict[str, Place]:
    # The order of the files counts: what has no number of its own follows the one before.
    found: dict[str, Place] = {}
    following = 0
    top = stub.document("target.xml")
    for text in (top, *(stub.document(name) for name in _INCLUDED.findall(top))):
        for row in _REGISTER.findall(text):
            given = dict(_ATTRIBUTE.findall(row))
            number = int(given.get("regnum", following))
            found.setdefault(given["name"], Place(number, int(given["bitsize"]) // 8))
            following = number + 1
    return found


def _bytes(answer: str) -> bytes:
    try:
        return bytes.fromhex(answer)
    except ValueError:
        raise UserError(f"the emulator answered {answer[:20]!r} where bytes were asked") from None


def _unescaped(body: bytes) -> bytes:
    # `*` repeats what stands before it; `}` hides the one behind it.
    plain = bytearray()
    at = 0
    while at < len(body):
        match body[at : at + 1]:
            case b"}":
                plain.append(body[at + 1] ^ 0x20)
                at += 2
            case b"*":
                plain += plain[-1:] * (body[at + 1] - 29)
                at += 2
            case one:
                plain += one
                at += 1
    return bytes(plain)
