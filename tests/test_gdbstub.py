# SPDX-License-Identifier: GPL-2.0-only
"""GDB's remote protocol, with a small machine of our own at the other end."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from uaccel.errors import UserError
from uaccel.host.gdbstub import Stub

TARGET = '<target><xi:include href="core.xml"/><xi:include href="more.xml"/></target>'
CORE = '<feature><reg name="r0" bitsize="32"/><reg name="r1" bitsize="32" type="data_ptr"/>' + (
    '<reg name="pc" bitsize="32" regnum="64"/></feature>'
)
MORE = '<feature><reg name="msr" bitsize="64"/></feature>'
PROGRAM = (0x100, 0x104, 0x104, 0x104, 0xC0000200, 0x108)


class Board:
    """A machine that executes `PROGRAM`, one address per step; what it was asked is kept."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at = 0

    def answer(self, packet: str) -> str | None:
        self.asked.append(packet)
        match packet.split(":", maxsplit=1)[0]:
            case "qXfer":
                return self.described(packet)
            case "p40":
                return f"{PROGRAM[self.at]:08x}"
            case "p41":
                return "0000000000000012"
            case "s":
                self.at += 1
                return "T05thread:01;" if self.at < len(PROGRAM) else "W00"
            case "c":
                return "W00"
            case "Qqemu.sstep=0x7":
                return "OK"
        if packet.startswith("m104,"):
            return "7c0* "  # 0, and three more of it
        return "OK" if packet[:1] in "Zz" else "E14" if packet.startswith("m") else ""

    def described(self, packet: str) -> str:
        _, _, _, name, place = packet.split(":")
        at, size = place.split(",")
        text = {"target.xml": TARGET, "core.xml": CORE, "more.xml": MORE}[name]
        part = text[int(at, 16) : int(at, 16) + min(int(size, 16), 40)]
        return ("l" if int(at, 16) + len(part) == len(text) else "m") + part


Meet = Callable[..., Stub]  # of a board, and of seconds


@pytest.fixture
def meet() -> Iterator[Meet]:
    """Return what gives the debugger's end of a line to a board."""
    ends: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def met(board: Board, seconds: float = 5.0, rests: tuple[bytes, ...] = ()) -> Stub:
        ours, its = socket.socketpair()
        ends.extend((ours, its))
        threads.append(threading.Thread(target=serve, args=(its, board), daemon=True))
        threads[-1].start()
        return Stub(ours, True, time.monotonic() + seconds, rests)

    yield met
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(5)
    for end in ends:
        end.close()


def serve(line: socket.socket, board: Board) -> None:
    """Answer packets until the line is closed."""
    waiting = b""
    while more := line.recv(4096):
        waiting += more.replace(b"+", b"")
        while found := re.search(rb"\$([^#]*)#(..)", waiting):
            assert sum(found[1]) & 0xFF == int(found[2], 16)
            waiting = waiting[found.end() :]
            said = board.answer(found[1].decode())
            if said is not None:
                body = said.encode()
                line.sendall(b"+$%b#%02x" % (body, sum(body) & 0xFF))


def test_registers_are_asked_for_first_and_numbered_as_described(meet: Meet) -> None:
    board = Board()
    stub = meet(board)
    first = next(packet for packet in board.asked if packet[0] != "q" or "Xfer" in packet)
    assert first == "QStartNoAckMode"
    assert {name: (one.number, one.size) for name, one in stub.registers.items()} == {
        "r0": (0, 4),
        "r1": (1, 4),
        "pc": (64, 4),
        "msr": (65, 8),  # the number after the one before it
    }
    assert stub.read(stub.registers["msr"]) == 0x12


def test_a_trace_holds_each_instruction_up_to_the_end(meet: Meet) -> None:
    """One that repeats itself is one instruction, however many steps it takes."""
    board = Board()
    assert list(meet(board).trace(0x108, 100)) == [0x100, 0x104, 0xC0000200]
    assert board.asked.count("Qqemu.sstep=0x7") == 1


def test_a_trace_that_leads_nowhere_is_an_error(meet: Meet) -> None:
    with pytest.raises(UserError, match=r"3 steps did not lead to 0x108; the last was at 0x104"):
        list(meet(Board()).trace(0x108, 3))


def test_an_emulator_that_ends_under_the_steps_is_an_error(meet: Meet) -> None:
    with pytest.raises(UserError, match="the emulator ended while it was stepped"):
        list(meet(Board()).trace(0x1, 100))


def test_a_run_that_ends_does_not_stop_again(meet: Meet) -> None:
    assert meet(Board()).go() is False


def test_memory_comes_unpacked_and_what_is_not_mapped_is_empty(meet: Meet) -> None:
    stub = meet(Board())
    assert stub.memory(0x104, 3) == bytes.fromhex("7c0000")
    assert stub.memory(0x500, 4) == b""


def test_a_breakpoint_that_is_refused_is_an_error(meet: Meet) -> None:
    board = Board()
    stub = meet(board)
    stub.stop_at(0x108, hardware=True)
    assert board.asked[-1] == "Z1,108,4"
    board.answer = lambda _: ""  # type: ignore[method-assign, assignment]
    with pytest.raises(UserError, match="the emulator does not know z1"):
        stub.pass_by(0x108, hardware=True)


def test_silence_is_an_error_when_the_time_is_over(meet: Meet) -> None:
    board = Board()
    board.answer = lambda _: None  # type: ignore[method-assign, assignment]
    with pytest.raises(UserError, match="said nothing within the time limit"):
        meet(board, 0.2)


def test_quick_answers_do_not_outlive_the_time_limit(meet: Meet) -> None:
    """Each step is answered at once: none of them alone takes too long."""
    board = Board()
    stub = meet(board, 0.3)
    board.answer = lambda packet: "T05" if packet == "s" else "OK" if packet[0] == "Q" else "00"  # type: ignore[method-assign]
    start = time.monotonic()
    with pytest.raises(UserError, match="the time limit of the conversation"):
        for _ in stub.steps(1_000_000):
            pass
    assert time.monotonic() - start < 3


def test_a_counter_that_stands_still_hides_a_program(meet: Meet) -> None:
    """A 32-bit program of a 64-bit Arm machine: its end is where the kernel was left."""
    stub = meet(Board())
    stub._hides = True
    assert list(stub.trace(0x1, 100)) == [0x100, 0x104]


def test_where_the_emulator_rests_the_next_one_is_executed_unseen(meet: Meet) -> None:
    """What stands at 0x104 has three bytes; the machine stops elsewhere, so 0x107 was executed."""
    stub = meet(Board(), rests=(bytes.fromhex("7c0000"),))
    assert list(stub.steps(5)) == [0x100, 0x104, 0x107, 0xC0000200]
