# SPDX-License-Identifier: GPL-2.0-only
"""What a machine executed, and where code lies in its memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Executed:
    """How often one instruction was executed; `code` are its bytes as the machine had them."""

    address: int
    code: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """All that was executed from one place to another, or over a whole run."""

    instructions: int
    rows: tuple[Executed, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """Code from `start` to before `end`, under one name."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """Code as a file has it, at the address where it runs."""

    address: int
    data: bytes

    def at(self, address: int, size: int) -> bytes:
        """Return its bytes at an address, fewer or none where it ends."""
        offset = address - self.address
        return self.data[offset : offset + size] if offset >= 0 else b""

    def has(self, one: Executed) -> bool:
        """Return whether `one` is an instruction of this code."""
        return self.at(one.address, len(one.code)) == one.code


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie in the memory of a machine, to tell what an address is."""

    symbols: tuple[Span, ...]  # of the kernel, sorted
    first: int  # lowest address that only the kernel has
    unmapped: int  # code that runs before memory is mapped is this far below its symbol
    programs: tuple[tuple[str, tuple[Code, ...]], ...]  # that always lie at the same addresses
    other: str  # the program that all else of the user's side belongs to
    inner: frozenset[int] = frozenset()  # where functions are entered past their symbol
    code: tuple[Code, ...] = ()  # of the kernel, as it was linked


@dataclass(frozen=True, slots=True)
class Linked:
    """What was read of one linked program."""

    machine: str  # "EM_PPC"
    big: bool  # big endian
    bits: int  # 32 or 64
    symbols: tuple[tuple[str, int, int], ...]  # name, address, size; of code
    code: tuple[Code, ...]
    first: int  # of a kernel: the lowest address that only it has
    unmapped: int  # of a kernel: how far below it lies before memory is mapped
    end: int  # of its code
    # Past a symbol, where calls from within enter: ELFv2 ABI of ppc64, "local entry point".
    inner: tuple[tuple[int, int], ...] = ()  # address of the symbol, how many bytes past it
    files: frozenset[str] = frozenset()  # names of the sources that it is linked of, no folders

    def address(self, name: str) -> int | None:
        """Return where the symbol `name` is, None when there is none."""
        return next((at for known, at, _ in self.symbols if known == name), None)

    def entries(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Return the addresses that every call of any of the functions `names` goes through."""
        past = dict(self.inner)
        return tuple(at + past.get(at, 0) for known, at, _ in self.symbols if known in names)
