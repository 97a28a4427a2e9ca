# SPDX-License-Identifier: GPL-2.0-only
"""What executing a function needs and shows: linked code, inputs with faults, runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uaccel.model.source import Direction

_STACK = 0x10000  # bytes
_NUMBERED = re.compile(r"\.\d+$")


def bare(name: str) -> str:
    """Return the name of a variable without the number that gcc gives it: "count.3"."""
    return _NUMBERED.sub("", name)


@dataclass(frozen=True, slots=True)
class Fixup:
    """Where the kernel goes on when an instruction faults on user memory, and what it sets."""

    at: int  # address of the instruction
    to: int  # address where it goes on
    kind: str  # the kernel's name, "EX_TYPE_UACCESS"
    sets: tuple[tuple[int, int], ...] = ()  # (number of the register, its new value)
    clears: tuple[int, int] | None = None  # register that holds an address, bytes to zero there
    scales: tuple[int, int, int] | None = None  # first := second + factor * first
    shortens: bool = False  # it goes on at a move, of what is left of its page, or of nothing
    known: bool = True  # False: nothing is known of what the kernel does for this kind


@dataclass(frozen=True, slots=True)
class FixupRow:
    """One type of exception-table entries: what is done besides going on at the fixup."""

    kind: str  # the kernel's name; the tree's header has its number
    sets: tuple[tuple[str, str], ...] = ()  # (register, value), each a number or a field
    clears: tuple[str, str] | None = None  # register with an address, field with the bytes
    scales: tuple[str, str, str] | None = None  # register, register that is added, factor
    shortens: bool = False  # as of `Fixup`


@dataclass(frozen=True, slots=True)
class Field:
    """Some bits of the word behind the two pointers of an exception-table entry."""

    name: str
    shift: int  # bits
    width: int  # bits
    signed: bool = False


@dataclass(frozen=True, slots=True)
class FixupFormat:
    """How an architecture writes its exception table."""

    size: int  # bytes of an entry
    relative: bool  # a pointer counts from its own place
    header: str = ""  # of the kernel tree: it numbers the types
    fields: tuple[Field, ...] = ()  # one is called "type"; none where every entry is plain
    rows: tuple[FixupRow, ...] = ()
    ignored: int | None = None  # number of the register that always holds zero


@dataclass(frozen=True, slots=True)
class Gate:
    """When the operand of a toggle lets accesses of one direction through."""

    direction: Direction
    mask: int
    value: int  # of the masked operand, when they pass


@dataclass(frozen=True, slots=True)
class Furniture:
    """A structure of the kernel that code expects to find, the rest of it zero."""

    tag: str  # "task_struct"
    register: str = ""  # that holds its address
    symbols: tuple[str, ...] = ()  # data whose first word is its address
    members: tuple[tuple[str, int | str], ...] = ()  # (path, value); a tag: the address of that
    address: int | None = None  # where it must be


@dataclass(frozen=True, slots=True)
class Emulation:
    """How the emulator runs code of one architecture; the names are unicorn's."""

    machine: tuple[str, tuple[str, ...]]  # UC_ARCH_ name, UC_MODE_ names
    cpu: str  # UC_CPU_ name, "" for the emulator's own choice
    registers: str  # prefix of the names of registers
    numbered: tuple[str, ...]  # general registers by number
    counter: str  # program counter
    stack: str  # stack pointer
    link: str  # register that holds the return address; "" when the stack does
    result: str
    arguments: tuple[str, ...]
    furniture: tuple[Furniture, ...]  # the current task comes first
    settings: tuple[tuple[str, int], ...]  # registers before every run
    text: int  # address where objects are linked
    user_end: int  # first address that no user may have
    returning: str  # instructions that return, as hexadecimal bytes
    nothing: str  # one instruction that does nothing, as hexadecimal bytes
    calls: tuple[int, ...]  # relocation types of calls and jumps to other functions
    operand: str = ""  # regular expression over a toggle; its group names a register
    gates: tuple[Gate, ...] = ()
    constants: tuple[tuple[str, int], ...] = ()  # words that the kernel patches in at boot
    wide: tuple[str, ...] = ()  # registers of a result of two words, the lower one first
    gap: bool = False  # a page that nobody has lies at the end: no range is checked to the byte
    pairs: bool = False  # a value of two words begins in a register of even rank
    whole: bool = False  # what the registers left do not hold is on the stack, as all behind it
    references: bool = False  # a struct that no register holds is passed as a pointer
    signs: bool = False  # a value of 32 bits is sign-extended, whatever its type
    above: int = 0  # bytes between the stack pointer and the arguments that no register holds
    entry: str = ""  # register that holds the address of the function that is called
    thunks: tuple[tuple[str, str], ...] = ()  # (pattern of a symbol, its code as hexadecimal)
    repeats: str = ""  # pattern of instructions that repeat themselves and count once
    moves: str = ""  # pattern of instructions that alone reach user memory, all of it apart
    clears: str = ""  # pattern of what clears a line; its groups name registers, their sum is there
    line: int = 0  # bytes of a line that `clears` clears
    clocks: str = ""  # pattern of what reads a clock; its group names the register, as `clocked`
    clocked: tuple[str, ...] = ()  # registers that it writes, the time in the first
    links: tuple[str, ...] = ()  # objects of the tree that are linked too: copies, memset


@dataclass(frozen=True, slots=True)
class External:
    """A symbol that an object leaves to others."""

    name: str
    called: bool  # something calls it; else it is data
    address: int  # that it is given


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of memory as the linker laid it out."""

    address: int
    data: bytes
    size: int  # bytes; those behind `data` are zero
    writable: bool

    def holds(self, address: int) -> bool:
        """Return whether that address is one of its bytes."""
        return self.address <= address < self.address + self.size


@dataclass(frozen=True, slots=True)
class Toggle:
    """An instruction that opens or closes the window, or both by its operand."""

    address: int
    size: int  # bytes
    opens: bool | None  # None when the value of `register` tells
    register: str  # its name as unicorn has it, "" for none


@dataclass(frozen=True, slots=True)
class Clearing:
    """An instruction that clears the line of memory where the sum of `registers` points."""

    address: int
    size: int  # bytes of the instruction
    registers: tuple[str, ...]  # their names as unicorn has them


@dataclass(frozen=True, slots=True)
class Clock:
    """An instruction that reads a clock, which is the same in every run here."""

    address: int
    size: int  # bytes
    registers: tuple[str, ...]  # the time, then what is set to 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """An instruction that compares: a jump behind it asks how that came out."""

    address: int
    size: int  # bytes of what it compares
    sides: tuple[str | int | None, str | int | None]  # register, number; None is read from memory
    bits: bool = False  # it asks whether bits of the one are set in the other


@dataclass(frozen=True, slots=True)
class Image:
    """A linked object, ready to run: alternatives and boot-time constants are applied."""

    arch: str
    emulation: Emulation
    big: bool  # big endian
    bits: int  # 32 or 64
    segments: tuple[Segment, ...]
    symbols: tuple[tuple[str, int], ...]  # functions of the object
    externals: tuple[External, ...]
    fixups: tuple[Fixup, ...]  # in order of address
    data: tuple[tuple[str, int, int], ...]  # (name, address, bytes) of variables of the object
    forks: tuple[tuple[int, int], ...]  # (address, bytes) of jumps that may be taken or not
    toggles: tuple[Toggle, ...]
    repeats: tuple[int, ...]  # addresses of instructions that repeat themselves
    moves: tuple[int, ...]  # addresses of `Emulation.moves`
    clears: tuple[Clearing, ...]
    clocks: tuple[Clock, ...]
    comparisons: tuple[Comparison, ...]
    counted: tuple[int, ...]  # addresses of all instructions that are no padding, in order
    accesses_guarded: tuple[Direction, ...]  # directions that need an opening
    task: int  # address of the current task
    furnished: tuple[tuple[str, int, bytes], ...]  # (tag, address, content) of what code expects
    slots: tuple[int, ...]  # addresses for function pointers: calls are named "slot 0", ...

    def find(self, name: str) -> int | None:
        """Return the address of the function called `name`, or None."""
        return dict(self.symbols).get(name)

    @property
    def stack(self) -> tuple[int, int]:
        """Return where the stack begins and ends; nothing of the object moves it."""
        first = self.task - 0x100000
        return first, first + _STACK


@dataclass(frozen=True, slots=True)
class Fault:
    """A user access that faults though its memory is there."""

    step: int  # of `UserAccess.step`
    sticky: bool  # so does every access after it


@dataclass(frozen=True, slots=True)
class Input:
    """What a function is called with, and what the world answers.

    Of `fills` and `looks` only those count that lead to the stack: a local variable of the caller.
    """

    arguments: tuple[int, ...]
    kernel: tuple[tuple[int, bytes], ...] = ()  # (address, what lies there)
    user: tuple[tuple[int, bytes], ...] = ()  # only this user memory is there
    results: tuple[tuple[str, tuple[int, ...]], ...] = ()  # of callees, call by call; then 0
    fills: tuple[tuple[str, int, bytes], ...] = ()  # what a callee leaves where that argument leads
    looks: tuple[tuple[str, int, int], ...] = ()  # (callee, argument, bytes it finds there)
    sized: tuple[tuple[str, int], ...] = ()  # of both: the argument behind says how many bytes
    fault: Fault | None = None
    wide: frozenset[str] = frozenset()  # callees that return two words
    counting: frozenset[str] = frozenset()  # that return how many of the sized bytes they moved
    statics: tuple[
        tuple[str, int, bytes], ...
    ] = ()  # (variable of the object, bytes into it, what)
    locked: tuple[int, ...] = ()  # pages of the user's that may be read and not written


@dataclass(frozen=True, slots=True)
class UserAccess:
    """One transfer between the kernel and user memory that came about."""

    direction: Direction
    address: int
    size: int  # bytes
    value: int | None  # what was written; None for a read
    open: bool  # a window stood open for it
    place: int  # address of the instruction
    step: int  # how many guarded instructions ran before its own; -1 when it is not guarded


@dataclass(frozen=True, slots=True)
class Called:
    """One call out of the object."""

    name: str
    arguments: tuple[int, ...]  # every register that may hold one, then words on the stack
    open: bool  # a window stood open
    result: int
    seen: tuple[tuple[int, bytes], ...] = ()  # what lay where those arguments led: `Input.looks`


@dataclass(frozen=True, slots=True)
class Faulted:
    """One fault that the exception table caught."""

    place: int  # address of the instruction
    kind: str  # of the entry
    address: int  # that it could not reach
    step: int  # as of `UserAccess.step`
    direction: Direction  # whether it would have read or written there


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a function."""

    result: int | None  # None when it did not return
    ended: str  # why it did not return, "" when it did
    accesses: tuple[UserAccess, ...]
    calls: tuple[Called, ...]
    faults: tuple[Faulted, ...]
    openings: int
    closings: int
    open: bool  # a window stands open at the end
    instructions: int  # executed, padding left out
    kernel: tuple[tuple[int, bytes], ...]  # objects of the input that changed, as they are now
    user: tuple[tuple[int, bytes], ...]  # user memory of the input that changed, as it is now
    passed: frozenset[tuple[int, int]]  # from behind which instruction to which one it went
    wide: int | None = None  # the result of two words, where a machine has such
    missing: int = 0  # address that ended it: nothing was there
    opened: frozenset[frozenset[Direction]] = frozenset()  # what each window stood open for


@dataclass(frozen=True, slots=True)
class Compared:
    """Two values that one execution compared."""

    place: int  # address of the instruction
    size: int  # bytes
    values: tuple[int, int]
    behind: int  # so many reads came before it
    bits: bool = False  # as of `Comparison.bits`


@dataclass(frozen=True, slots=True)
class Looked:
    """What one execution read, and what it compared."""

    reads: tuple[tuple[int, int, int], ...]  # address, bytes, value
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two variants of a function, called with the same and met by the same faults."""

    what: str  # one clause: "the 3rd access faults for good"
    fault: bool  # user memory was not all there
    before: Run
    after: Run
    bits: int  # of what the function returns
    guarded: tuple[Direction, ...]  # directions that need an opening
    given: Input | None = None  # to the variant before; to the other one the same
    outside: bool = False  # a pointer led out of user space
    refusal: int = -14  # what the function returns where an access faults


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where the runs of one variant led."""

    ways: int  # on from the jumps of the function that may be taken or not: two each
    taken: int  # of those
    missed: tuple[str, ...]  # where one was not: "light_get+0x4c (a.c:7)"
    entries: int  # of the exception table, of the function
    reached: int  # of those: the access was made
    met: int  # of those: a fault went through them
