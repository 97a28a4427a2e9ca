# SPDX-License-Identifier: GPL-2.0-only
"""Run functions of linked kernel objects, with user memory that may fault at every access."""

from __future__ import annotations

from collections.abc import Callable

import unicorn
from unicorn import Uc, UcError

from uaccel.errors import UserError
from uaccel.host.board import Board
from uaccel.host.callees import Callees
from uaccel.host.moves import move, shortened, status
from uaccel.host.pages import PAGE
from uaccel.model.run import Clearing, Clock, Fixup, Image, Input, Run, Toggle
from uaccel.model.source import Direction
from uaccel.traces import Block, Cut, Event, Failed, Step, Table, Toggled, Touched, Trace

_TICKS = 0x12345  # from one reading of a clock to the next
_LONGEST = 10_000  # events of one run
_FAULTS = (
    *(unicorn.UC_ERR_READ_UNMAPPED, unicorn.UC_ERR_WRITE_UNMAPPED),
    *(unicorn.UC_ERR_READ_PROT, unicorn.UC_ERR_WRITE_PROT),
)
_WRITES = (unicorn.UC_MEM_WRITE_UNMAPPED, unicorn.UC_MEM_WRITE_PROT)
_Told = Callable[[Uc, int, int, object], None]  # of an instruction: machine, address, size


def execute(image: Image, function: str, given: Input) -> Run:
    """Return what calling `function` does; for many runs keep an `Emulator`."""
    return Emulator(image).execute(function, given)


class Emulator:
    """A machine that holds one linked object, and runs its functions from the same start."""

    __slots__ = (
        *("_blocks", "_board", "_callees", "_context", "_counter", "_events", "_fault"),
        *("_fixups", "_lost", "_missing", "_moves", "_result", "_spared", "_steps"),
        *(
            "_sticky",
            "_table",
            "_ticks",
            "_torn",
            "_uc",
            "_wanted",
            "_why",
            "_withdrawn",
            "_written",
        ),
        "image",
    )

    def __init__(self, image: Image) -> None:
        self.image = image
        self._table = Table(image)
        self._fixups = {one.at: one for one in image.fixups}
        self._board = board = Board(image)
        self._uc = board.machine
        self._callees = Callees(board)
        self._counter = board.number(image.emulation.counter)
        self._result = board.number(image.emulation.result)
        self._moves = {at: bytes(self._uc.mem_read(at, 6)) for at in image.moves}
        self._blocks: dict[int, Block] = {}
        self._events: list[Event] = []
        self._fault = self._steps = -1
        self._sticky = self._withdrawn = self._written = False
        self._missing = self._lost = self._ticks = 0
        self._wanted = Direction.READ  # with what is missing
        self._spared: tuple[int, bytes] | None = None
        self._torn: tuple[int, int, bytes] | None = None  # instruction, address, what lay there
        self._why = ""
        self._watch()
        self._context = self._uc.context_save()

    @property
    def board(self) -> Board:
        """Return the machine, for who wants to be told more of its runs."""
        return self._board

    def execute(self, function: str, given: Input) -> Run:
        """Return what calling `function` does, as if nothing had run before."""
        board = self._board
        entry = board.functions.get(function)
        if entry is None:
            raise UserError(f"the object holds no function {function}")
        self._reset(given)
        board.call(entry, given.arguments)
        ended = self._go(entry)
        if self._withdrawn:
            board.user.give_back()
        return self._run(ended)

    def _reset(self, given: Input) -> None:
        board, fault = self._board, given.fault
        board.lay(given)
        self._uc.context_restore(self._context)
        # The trace of the last run may still be read from the old list.
        self._events = []
        self._callees.reset(given)
        self._lost = self._steps = self._ticks = 0
        self._fault, self._sticky = (fault.step, fault.sticky) if fault else (-1, False)
        self._withdrawn = self._written = False
        self._spared = self._torn = None
        self._why = ""

    def _go(self, entry: int) -> str:
        at: int | None = entry
        while at is not None:
            error = None
            self._missing = 0
            try:
                self._uc.emu_start(at, self._board.exit)
            except UcError as found:
                error = found
            if place := self._called_data():
                self._on_call(self._uc, place, 0, None)
                at = self._returned() if self._goes_on() else None
            else:
                at = self._caught(error) if error else self._stopped()
        return self._why

    def _goes_on(self) -> bool:
        over = len(self._events) > _LONGEST
        self._why = f"it did not end within {_LONGEST} events" if over else self._why
        return not over

    def _returned(self) -> int | None:
        try:
            return self._board.back()
        except UcError:
            self._why = "the stack is not there"
            return None

    def _called_data(self) -> int:
        # What a pointer led to is data, where no instruction stops the machine the same way.
        last = self._events[-1] if self._events else None
        if isinstance(last, Block) and self._board.is_data(last.start):
            return last.start
        place = int(self._uc.reg_read(self._counter))
        return place if self._board.is_data(place) else 0

    def _stopped(self) -> int | None:
        place = int(self._uc.reg_read(self._counter))
        if self._why or place == self._board.exit:
            return None
        if place in self._moves:
            return self._move(place)
        self._why = f"it stopped at {place:#x}"
        return None

    def _caught(self, error: UcError) -> int | None:
        place = self._uc.reg_read(self._counter)
        if error.errno in _FAULTS:
            return self._faulted(place)
        self._why = f"{error} at {place:#x}"
        return None

    def _faulted(self, place: int) -> int | None:
        fixup = self._fixups.get(place)
        if fixup is None:
            self._why = f"{self._missing:#x} is not there, and nothing guards {place:#x}"
            self._lost = self._missing
            return None
        if not fixup.known:
            self._why = f"what a fault at {place:#x} does is not known: {fixup.kind}"
            return None
        self._drop(place)
        self._events.append(Failed(place, fixup.kind, self._missing, self._wanted))
        if self._withdrawn and not self._sticky:
            self._board.user.give_back()
            self._withdrawn = False
        try:
            self._apply(fixup)
        except UcError:
            self._why = f"what a fault at {place:#x} clears is not there"
            return None
        return fixup.to

    def _move(self, place: int) -> int | None:
        uc, board, numbered = self._uc, self._board, self.image.emulation.numbered
        done = move(self._moves[place], lambda number: board.read(numbered[number]))
        data = self._reached(done.source, done.size, of_user=done.from_user)
        room = self._reached(done.target, done.size, of_user=done.to_user, writes=True)
        if len(data) < done.size or len(room) < done.size:
            short = (done.source, data) if len(data) < done.size else (done.target, room)
            self._missing = short[0] + len(short[1])
            self._wanted = Direction.READ if short[0] == done.source else Direction.WRITE
            return self._faulted(place)
        if done.from_user and data:
            self._events.append(Touched(place, Direction.READ, done.source, done.size, None))
        if done.to_user and data:
            value = int.from_bytes(data, "big")
            self._events.append(Touched(place, Direction.WRITE, done.target, done.size, value))
            board.user.put(done.target, data)
        elif data:
            uc.mem_write(done.target, data)
        number = board.number("PSWM")
        uc.reg_write(number, status(uc.reg_read(number), done))
        following = place + len(self._moves[place])
        self._events.append(Cut(following))
        return following

    def _reached(self, address: int, size: int, *, of_user: bool, writes: bool = False) -> bytes:
        if of_user:
            user = self._board.user
            return b"" if self._withdrawn else user.get(address, size, writes=writes)
        try:
            return bytes(self._uc.mem_read(address, size)) if size else b""
        except UcError:
            return b""

    def _drop(self, place: int) -> None:
        # What the instruction began before it failed did not come about.
        events = self._events
        while events and isinstance(last := events[-1], Touched) and last.place == place:
            events.pop()
        if self._torn is not None and self._torn[0] == place:
            self._board.user.put(*self._torn[1:])

    def _apply(self, fixup: Fixup) -> None:
        board, numbered = self._board, self.image.emulation.numbered
        if fixup.scales is not None:
            first, second, factor = fixup.scales
            value = board.read(numbered[second]) + factor * board.read(numbered[first])
            board.write(numbered[first], value)
        for number, value in fixup.sets:
            board.write(numbered[number], value)
        if fixup.shortens:
            code = self._moves[fixup.to]
            held, left = shortened(code, lambda number: board.read(numbered[number]), PAGE)
            board.write(numbered[held], left)
        if fixup.clears is not None:
            number, size = fixup.clears
            self._uc.mem_write(board.read(numbered[number]), bytes(size))

    def _run(self, ended: str) -> Run:
        trace, board = Trace(self._table, self._events), self._board
        return Run(
            result=None if ended else int(self._uc.reg_read(self._result)),
            wide=None if ended else board.wide(),
            ended=ended,
            accesses=tuple(trace.accesses),
            calls=tuple(trace.calls),
            faults=tuple(trace.faults),
            openings=trace.openings,
            closings=trace.closings,
            open=trace.open,
            instructions=trace.instructions,
            kernel=(*board.kernel.changed(), *(board.globals() if self._written else ())),
            user=board.user.changed(),
            passed=frozenset(trace.passed),
            missing=self._lost,
            opened=frozenset(trace.opened),
        )

    # What the machine tells while it runs.

    def _watch(self) -> None:
        uc, image = self._uc, self.image
        both = unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE
        uc.hook_add(unicorn.UC_HOOK_BLOCK, self._on_block)
        if not image.emulation.moves:
            uc.hook_add(both, self._on_user, begin=0, end=image.emulation.user_end - 1)
        uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._on_invalid)
        for address, size in self._board.writable:
            end = address + size - 1
            uc.hook_add(unicorn.UC_HOOK_MEM_WRITE, self._on_global, begin=address, end=end)
        for fixup in image.fixups:
            self._at(fixup.at, self._on_step(fixup.at))
        for toggle in image.toggles:
            self._at(toggle.address, self._on_toggle(toggle))
        for one in image.clears:
            self._at(one.address, self._on_clear(one))
            self._at(one.address + one.size, self._on_cleared(one.address))
        for clock in image.clocks:
            self._at(clock.address, self._on_clock(clock))
        # Objects of the kernel's lie behind the code: a pointer that leads there leads nowhere.
        beyond = {"begin": self._board.image.end, "end": (1 << image.bits) - 1}
        uc.hook_add(unicorn.UC_HOOK_CODE, lambda uc, *_told: uc.emu_stop(), **beyond)
        # Behind the steps: what comes after a hook that stops is not told.
        for place in self._moves:
            self._at(place, lambda uc, *_told: uc.emu_stop())
        for place in self._board.externals.keys() - self._board.silent:
            stops = place in self._board.data
            self._at(place, (lambda uc, *_told: uc.emu_stop()) if stops else self._on_call)

    def _at(self, place: int, told: _Told) -> None:
        self._uc.hook_add(unicorn.UC_HOOK_CODE, told, begin=place, end=place)

    def _on_block(self, uc: Uc, address: int, size: int, _given: object) -> None:
        block = self._blocks.get(address)
        if block is None or block.size != size:
            block = self._blocks[address] = Block(address, size)
        self._events.append(block)
        if not self._goes_on():
            uc.emu_stop()

    def _on_step(self, place: int) -> _Told:
        step = Step(place)

        def told(_uc: Uc, _address: int, _size: int, _given: object) -> None:
            self._events.append(step)
            self._torn = None
            if self._steps == self._fault:
                self._board.user.withdraw()
                self._withdrawn = True
            self._steps += 1

        return told

    def _on_clear(self, clearing: Clearing) -> _Told:
        # Every CPU of unicorn's clears two lines of 16 bytes: the one beside it is kept.
        numbers = [self._board.number(name) for name in clearing.registers]
        line = self.image.emulation.line

        def told(uc: Uc, _address: int, _size: int, _given: object) -> None:
            at = sum(int(uc.reg_read(number)) for number in numbers) & 0xFFFFFFFF & -line
            beside = at ^ line
            try:
                self._spared = beside, bytes(uc.mem_read(beside, line))
            except UcError:
                self._spared = None

        return told

    def _on_cleared(self, place: int) -> _Told:
        begun, guarded = Step(place), place in self._fixups
        line = self.image.emulation.line

        def told(uc: Uc, _address: int, _size: int, _given: object) -> None:
            if self._spared is None:
                return
            at, content = self._spared
            self._spared = None
            uc.mem_write(at, content)
            kept: list[Event] = []
            while guarded and self._events[-1] != begun:
                last = self._events.pop()
                match last:
                    case Touched() if last.place == place and 0 <= last.address - at < line:
                        continue
                kept.append(last)
            self._events += reversed(kept)

        return told

    def _on_clock(self, clock: Clock) -> _Told:
        # unicorn 2.1.4 asks the host what time it is.
        first, *others = map(self._board.number, clock.registers)

        def told(uc: Uc, _address: int, _size: int, _given: object) -> None:
            self._ticks += _TICKS
            uc.reg_write(first, self._ticks)
            for number in others:
                uc.reg_write(number, 0)
            self._events.append(Cut(clock.address + clock.size))
            uc.reg_write(self._counter, clock.address + clock.size)

        return told

    def _on_toggle(self, toggle: Toggle) -> _Told:
        plain = Toggled(toggle.address, 0)
        if not toggle.register:
            return lambda *_told: self._events.append(plain)
        number = self._board.number(toggle.register)

        def told(uc: Uc, address: int, _size: int, _given: object) -> None:
            self._events.append(Toggled(address, int(uc.reg_read(number))))

        return told

    def _on_call(self, _uc: Uc, address: int, _size: int, _given: object) -> None:
        self._events.append(self._callees.answer(self._board.called(address)))

    def _on_user(
        self, uc: Uc, kind: int, address: int, size: int, value: int, _given: object
    ) -> None:
        place = int(uc.reg_read(self._counter))
        if kind == unicorn.UC_MEM_WRITE:
            bits = value & ((1 << 8 * size) - 1)
            here = -address % PAGE
            if 0 < here < size:
                # unicorn 2.1.4 writes byte by byte then, up to the page that is not there.
                self._torn = place, address, self._board.user.get(address, here)
            self._events.append(Touched(place, Direction.WRITE, address, size, bits))
        else:
            self._events.append(Touched(place, Direction.READ, address, size, None))

    def _on_global(self, *_told: object) -> None:
        self._written = True

    def _on_invalid(
        self, _uc: Uc, kind: int, address: int, _size: int, _value: int, _given: object
    ) -> bool:
        # Of an access across pages each byte is told.
        self._missing = self._missing or address
        self._wanted = Direction.WRITE if kind in _WRITES else Direction.READ
        return False
