# SPDX-License-Identifier: GPL-2.0-only
"""What an execution told, event by event, as accesses, calls, faults and counts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from uaccel.model.run import Called, Faulted, Image, UserAccess
from uaccel.model.source import Direction


class Block(NamedTuple):
    """Instructions that run one after the other began."""

    start: int  # address
    size: int  # bytes


class Step(NamedTuple):
    """An instruction that the exception table names is about to run."""

    place: int  # address


class Toggled(NamedTuple):
    """An opening or closing was executed."""

    place: int  # address
    value: int  # of its operand


class Touched(NamedTuple):
    """User memory was read or written."""

    place: int  # address of the instruction
    direction: Direction
    address: int
    size: int  # bytes
    value: int | None  # None for a read


class Left(NamedTuple):
    """Something outside of the object was called, and answered."""

    name: str
    arguments: tuple[int, ...]
    result: int
    seen: tuple[tuple[int, bytes], ...]


class Cut(NamedTuple):
    """What stands from here on in the last block did not run."""

    place: int  # address


class Failed(NamedTuple):
    """A fault that the exception table caught."""

    place: int  # address of the instruction
    kind: str
    address: int  # that was not there
    direction: Direction


Event = Block | Step | Toggled | Touched | Left | Cut | Failed


_BOTH = tuple(Direction)


class Trace:
    """What the events of one execution come to, as they are read."""

    __slots__ = (
        *("_last", "_open", "_steps", "_table"),
        *("accesses", "calls", "closings", "faults", "instructions", "opened", "openings"),
        "passed",
    )

    def __init__(self, table: Table, events: Iterable[Event]) -> None:
        self._table = table
        self._open: tuple[Direction, ...] = ()
        self._last: Block | None = None
        self._steps = -1
        self.accesses: list[UserAccess] = []
        self.calls: list[Called] = []
        self.faults: list[Faulted] = []
        self.openings = self.closings = self.instructions = 0
        self.opened: set[frozenset[Direction]] = set()
        self.passed: set[tuple[int, int]] = set()
        for event in events:
            self._read(event)

    def _read(self, event: Event) -> None:
        match event:
            case Block():
                self.instructions += self._table.count(event)
                if self._last is not None:
                    self.passed.add((sum(self._last), event.start))
                if event.start in self._table.repeats:
                    self._repeated(event)
                self._last = event
            case Step():
                self._steps += 1
            case Toggled():
                self._open = self._table.opens(event)
                self.opened |= {frozenset(self._open)} if self._open else set()
                self.openings += bool(self._open)
                self.closings += not self._open
            case Touched():
                self.accesses.append(self._access(event))
            case Left():
                called = Called(event.name, event.arguments, self.open, event.result, event.seen)
                self.calls.append(called)
            case Cut():
                self._cut(event.place)
            case Failed():
                where = event.place, event.kind, event.address
                self.faults.append(Faulted(*where, self._steps, event.direction))
                self._cut(event.place)

    @property
    def open(self) -> bool:
        """Return whether a window stands open at the end."""
        return bool(self._open)

    def _repeated(self, block: Block) -> None:
        # It goes round: the same instruction once more.
        last = self._last
        if last is not None and last.start <= block.start < last.start + last.size:
            self.instructions -= 1

    def _access(self, event: Touched) -> UserAccess:
        return UserAccess(
            direction=event.direction,
            address=event.address,
            size=event.size,
            value=event.value,
            open=event.direction in self._open,
            place=event.place,
            step=self._steps if event.place in self._table.guarded else -1,
        )

    def _cut(self, place: int) -> None:
        if self._last is not None:
            start, size = self._last
            self.instructions -= self._table.count(Block(place, start + size - place))
            self._last = None


class Table:
    """What is asked of an image again and again while traces are read."""

    __slots__ = ("_counted", "_counts", "_gates", "_toggles", "guarded", "repeats")

    def __init__(self, image: Image) -> None:
        self._counted = image.counted
        self._counts: dict[Block, int] = {}
        self._gates = image.emulation.gates
        self._toggles = {one.address: one.opens for one in image.toggles}
        self.guarded = frozenset(one.at for one in image.fixups)
        self.repeats = frozenset(image.repeats)

    def count(self, block: Block) -> int:
        """Return how many instructions of a block are no padding."""
        found = self._counts.get(block)
        if found is None:
            first = bisect_left(self._counted, block.start)
            found = bisect_left(self._counted, block.start + block.size) - first
            self._counts[block] = found
        return found

    def opens(self, event: Toggled) -> tuple[Direction, ...]:
        """Return the directions that are open after a toggle."""
        opens = self._toggles[event.place]
        if opens is not None:
            return _BOTH if opens else ()
        return tuple(
            gate.direction for gate in self._gates if event.value & gate.mask == gate.value
        )
