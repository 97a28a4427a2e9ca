# SPDX-License-Identifier: GPL-2.0-only
"""What a machine makes of C: architectures, compilers, builds, and their code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from uaccel.model.run import Emulation, FixupFormat
from uaccel.model.source import Direction


class Role(Enum):
    """What an instruction means to a window."""

    OPENS = "opens"
    CLOSES = "closes"
    TOGGLES = "toggles"  # opens or closes; only its operand's value tells which
    CALLS = "calls"
    RETURNS = "returns"
    BRANCHES = "branches"  # always taken
    FORKS = "forks"  # taken or not
    NOP = "nop"


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One row of the table that says what instructions mean to a window."""

    role: Role
    pattern: str  # regular expression over the whole of `str(insn)`
    why: str


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One row of the table that says how often one access opens user memory, and where it shows."""

    direction: Direction
    times: int  # openings around one plain access
    file: str  # of the kernel tree
    pattern: str  # regular expression that its code matches, comments gone, on one line


@dataclass(frozen=True, slots=True)
class Spelling:
    """How GNU objdump, and so perf annotate, writes what matters to a window.

    Each is a regular expression over the whole text of an instruction: blanks single, comments
    and symbols taken away.
    """

    rows: tuple[RoleRow, ...]
    values: tuple[RoleRow, ...]  # what makes the value of a toggle: it opens then, or closes
    family: str  # nearly every instruction of this architecture, and of its kin
    register: str  # within a text: its one group that matches names a register of any width
    loads: str  # a register from memory
    stores: str  # memory from a register
    own: str  # within a text: memory of the kernel's, on the stack or in the thread
    keeps: str  # writes no register
    flags: str  # sets the condition that a jump without registers asks
    check: str  # compares addresses: an unsigned comparison, or the jump that asks it
    zero: str  # asks of one register whether it is zero
    moves: str  # from one register to another
    beside: str = ""  # serves nothing but a toggle
    asks: str = ""  # a part of what is asked as it runs, before an opening
    alone: str = ""  # reaches user memory whatever is open
    copies: str = ""  # a stretch of memory, from either side to the other
    last: str = ""  # the register that is written stands last, not first
    passed: tuple[str, ...] = ()  # registers in which an accessor of one value gets it
    arguments: tuple[str, ...] = ()  # the first three registers of any call


@dataclass(frozen=True, slots=True)
class Arch:
    """Everything the workbench knows of one architecture.  Named after its module."""

    name: str  # of its module
    title: str  # "PowerPC 8xx, KUAP through MD_AP"
    kernel: str  # ARCH= on the make command line
    srcarch: str  # folder below arch/
    triplet: str  # prefix of the distribution's cross tools, without the last dash
    package: str  # the distribution's package that holds that compiler
    zig_target: str  # for `zig clang -target`
    defconfig: str  # make target that the configuration starts from
    config: tuple[str, ...]  # lines that must survive, "CONFIG_X=y"
    config_name: str  # said beside every figure
    capstone: tuple[str, tuple[str, ...]]  # CS_ARCH_ name and CS_MODE_ names
    rows: tuple[RoleRow, ...]
    shortest_window: tuple[str, ...]  # the instructions of one opening and one closing, at least
    protection: str  # one sentence: what opens and closes, or that nothing does
    features: tuple[str, ...]  # CPU features that alternatives are applied for
    helpers: tuple[str, ...]  # objects that hold the out-of-line accessors of this architecture
    begin_header: tuple[str, ...]  # where this architecture would define user_access_begin
    openings: tuple[OpeningRow, ...]  # the first row of a direction that matches decides
    guards_reads: bool = True  # reading needs an opening too
    asks: str = ""  # regular expression: its group is not zero where the CPU guards user memory
    inside: str = ""  # regular expression: what its accessors call with user memory open
    switches: str = ""  # regular expression: data that may turn the guarding off, asked as it runs
    fixups: FixupFormat | None = None  # how it writes its exception table
    emulation: Emulation | None = None  # None where the emulator cannot run it
    spelling: Spelling | None = None  # None where no listing of objdump is read

    def role(self, insn: Insn) -> Role | None:
        """Return what `insn` means to a window; the first row that matches decides."""
        text = str(insn)
        if _any(self.rows).fullmatch(text) is None:
            return None  # as nearly all: one question instead of ten
        matching = (row.role for row in self.rows if re.fullmatch(row.pattern, text))
        return next(matching, None)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides how a build is configured: what `Arch` says too, and a machine that boots."""

    name: str
    kernel: str  # ARCH= on the make command line
    srcarch: str  # folder below arch/
    triplet: str  # prefix of the distribution's cross tools, without the last dash
    package: str  # the distribution's package that holds that compiler
    config: tuple[str, ...]  # lines that must survive
    defconfig: str = "allnoconfig"
    helpers: tuple[str, ...] = ()


_UNIONS: dict[int, tuple[tuple[RoleRow, ...], re.Pattern[str]]] = {}


def _any(rows: tuple[RoleRow, ...]) -> re.Pattern[str]:
    # By identity: to hash all rows would cost more than it saves; who is known stays alive.
    known = _UNIONS.get(id(rows))
    if known is None:
        # A part that stands twice (\1) would be counted otherwise there: anything may stand in it.
        loose = (re.sub(r"\\\d", ".*", row.pattern) for row in rows)
        union = re.compile("|".join(f"(?:{one})" for one in loose))
        known = _UNIONS[id(rows)] = rows, union
    return known[1]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler for one architecture, as it was found."""

    name: str  # "gcc 12.2.0", "clang 22.1.8 (ziglang 0.17.1)": said beside every figure
    version: str  # first line of --version and which file said it: part of every store key
    make: tuple[str, ...]  # variables for the make command line
    path: tuple[str, ...]  # folders put before PATH


@dataclass(frozen=True, slots=True)
class Insn:
    """One instruction of a listing."""

    address: int  # of the byte in .text; the other code sections of an object lie behind it
    size: int  # bytes
    mnemonic: str
    operands: str  # capstone's spelling
    target: str | int | None  # of a branch or call: symbol name, or address in the same function
    lines: tuple[tuple[str, int], ...]  # (file, line), innermost first, through the inline stack
    access: bool  # an exception-table entry guards it: it touches user memory
    fixup: int | None = None  # address where a fault there goes on

    def __str__(self) -> str:
        return f"{self.mnemonic} {self.operands}".strip()


@dataclass(frozen=True, slots=True)
class Listing:
    """One function of one object, disassembled: evidence for checks and counts."""

    arch: Arch
    symbol: str
    insns: tuple[Insn, ...]  # in order of address; alternatives applied, parts of .cold too
    size: int  # bytes of the symbol and of its cold part
    extable_entries: int  # whose guarded instruction lies in the function
    callees: tuple[Listing, ...] = ()  # functions of the same object that it calls; without theirs
    foreign: tuple[str, ...] = ()  # symbols of other objects that it names, calls among them


@dataclass(frozen=True, slots=True)
class Object:
    """What was read of one object file."""

    text_bytes: int  # all executable sections together
    extable_entries: int
    listings: tuple[Listing, ...]  # of the functions that were asked for


@dataclass(frozen=True, slots=True)
class Build:
    """One source compiled for one architecture, or why not."""

    arch: str
    toolchain: str
    path: str | None  # the object file; None when the compiler gave none
    log: str  # what the compiler said, without objtool's lines
    objtool: str | None  # what objtool said, "" when nothing; None where it does not run
    command: str  # the line that repeats it
    reused: bool  # it was in the store


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """Why an architecture has no build at all: one sentence."""

    arch: str
    why: str
