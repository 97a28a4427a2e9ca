# SPDX-License-Identifier: GPL-2.0-only
"""Relocatable ELF objects: sections, symbols, relocations.

The executable sections of an object are laid out one after the other, so that an
address names one byte; `.text` comes first, and there an address is the offset.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

from elftools.common.exceptions import ELFError
from elftools.construct import Container
from elftools.elf.constants import P_FLAGS, SH_FLAGS
from elftools.elf.elffile import ELFFile

from uaccel.errors import BrokenInvariant, UserError
from uaccel.model.run import Segment

_STT_OBJECT, _STT_FUNC = 1, 2

Headers = Sequence[Container]  # of sections, as pyelftools read them


class Symbol(NamedTuple):
    """One row of the symbol table."""

    name: str
    section: int  # index; 0 when it is undefined
    address: int
    size: int  # bytes
    function: bool
    variable: bool = False


class Relocation(NamedTuple):
    """A place that the linker would fill in."""

    offset: int  # bytes from the start of its section
    type: int
    symbol: int  # index
    addend: int  # 0 when it stands in the section itself


@dataclass(frozen=True, slots=True)
class Section:
    """One section that holds bytes, with the relocations that apply to it."""

    name: str
    index: int
    base: int  # address of its first byte; 0 in an object unless executable
    data: bytes
    executable: bool
    relocations: tuple[Relocation, ...]
    addends: bool  # relocations carry them (RELA); else they stand in `data` (REL)


@dataclass(frozen=True, slots=True)
class Elf:
    """One object file."""

    machine: str  # "EM_PPC"
    big: bool  # big endian
    bits: int  # 32 or 64
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def find(self, name: str) -> Section | None:
        """Return the section called `name`, or None."""
        return next((section for section in self.sections if section.name == name), None)

    def number(self, data: bytes | bytearray, offset: int, size: int) -> int:
        """Return the unsigned number of `size` bytes at `offset`."""
        return int.from_bytes(data[offset : offset + size], "big" if self.big else "little")

    def target(self, section: Section, offset: int) -> int:
        """Return where four linked bytes lead that hold a distance from their own place."""
        distance = _signed(self.number(section.data, offset, 4), 4)
        return (section.base + offset + distance) & ((1 << self.bits) - 1)

    def code_at(self, address: int) -> Section | None:
        """Return the executable section that holds `address`, or ends there."""
        held = [one for one in self.sections if one.executable]
        inside = (one for one in held if one.base <= address < one.base + len(one.data))
        ending = (one for one in held if address == one.base + len(one.data))
        return next(inside, None) or next(ending, None)


def read_elf(data: bytes) -> Elf:
    """Return the sections and symbols of a relocatable object."""
    file = _file(data)
    if file["e_type"] != "ET_REL":
        raise UserError(f"this is no relocatable object but {file['e_type']}")
    return _elf(data, file)


def read_linked(data: bytes) -> tuple[Elf, tuple[Segment, ...]]:
    """Return the sections and symbols of a linked program, at their addresses, and its memory."""
    file = _file(data)
    if file["e_type"] != "ET_EXEC":
        raise UserError(f"this is no linked program but {file['e_type']}")
    loaded = (one.header for one in file.iter_segments() if one.header["p_type"] == "PT_LOAD")
    segments = tuple(
        Segment(
            header["p_vaddr"],
            data[header["p_offset"] : header["p_offset"] + header["p_filesz"]],
            header["p_memsz"],
            bool(header["p_flags"] & P_FLAGS.PF_W),
        )
        for header in loaded
    )
    return _elf(data, file), segments


def _file(data: bytes) -> ELFFile:
    try:
        return ELFFile(BytesIO(data))
    except ELFError as error:
        raise UserError(f"this is no object file: {error}") from error


def _elf(data: bytes, file: ELFFile) -> Elf:
    headers = [section.header for section in file.iter_sections()]
    names = [section.name for section in file.iter_sections()]
    order = ("<", ">")[not file.little_endian]
    linked = file["e_type"] == "ET_EXEC"
    bases = _linked(headers) if linked else _lay_out(headers, names)
    tables = {
        header["sh_info"]: header for header in headers if header["sh_type"] in _RELOCATION_ROWS
    }
    sections = tuple(
        Section(
            name=name,
            index=index,
            base=bases.get(index, 0),
            data=_content(data, header),
            executable=bool(header["sh_flags"] & SH_FLAGS.SHF_EXECINSTR),
            relocations=_relocations(data, tables.get(index), order, file.elfclass),
            addends=index in tables and tables[index]["sh_type"] == "SHT_RELA",
        )
        for index, (name, header) in enumerate(zip(names, headers, strict=True))
    )
    # In a linked program the value of a symbol is its address.
    symbols = _symbols(data, headers, order, file.elfclass, {} if linked else bases)
    return Elf(file["e_machine"], not file.little_endian, file.elfclass, sections, symbols)


def pointers(elf: Elf, section: Section) -> tuple[tuple[int, int], ...]:
    """Return (offset in `section`, address it points to), absolute or relative to itself."""
    found: dict[int, int] = {}
    for offset, _, index, addend in section.relocations:
        # riscv writes a difference as two relocations of one place; the first names the target.
        if offset not in found:
            inside = 0 if section.addends else _signed(elf.number(section.data, offset, 4), 4)
            found[offset] = elf.symbols[index].address + addend + inside
    return tuple(sorted(found.items()))


def relocated(elf: Elf, name: str) -> bytes:
    """Return the bytes of the debug section `name`, relocated; b"" when there is none."""
    section = elf.find(name)
    if section is None:
        return b""
    if elf.machine not in _NUMBERS:
        raise UserError(f"relocations of {elf.machine} are not known")
    data = bytearray(section.data)
    known = _NUMBERS[elf.machine]
    for offset, kind, index, addend in section.relocations:
        if kind not in known:
            raise BrokenInvariant(f"relocation {kind} of {elf.machine} in {name} is not known")
        how, size = known[kind]
        value = elf.symbols[index].address + addend
        how(
            elf,
            data,
            offset,
            size,
            value if section.addends else value + elf.number(data, offset, size),
        )
    return bytes(data)


def _content(data: bytes, header: Container) -> bytes:
    if header["sh_type"] in ("SHT_NOBITS", "SHT_NULL"):
        return b""
    return data[header["sh_offset"] : header["sh_offset"] + header["sh_size"]]


def _lay_out(headers: Headers, names: list[str]) -> dict[int, int]:
    flagged = [i for i, one in enumerate(headers) if one["sh_flags"] & SH_FLAGS.SHF_EXECINSTR]
    bases = {}
    end = 0
    for index in sorted(flagged, key=lambda index: names[index] != ".text"):
        bases[index] = end
        end += (headers[index]["sh_size"] + 0xFF) & ~0xFF
    return bases


def _linked(headers: Headers) -> dict[int, int]:
    allocated = SH_FLAGS.SHF_ALLOC
    return {i: one["sh_addr"] for i, one in enumerate(headers) if one["sh_flags"] & allocated}


_RELOCATION_ROWS = {"SHT_RELA": {32: "IIi", 64: "QQq"}, "SHT_REL": {32: "II", 64: "QQ"}}


def _relocations(
    data: bytes, header: Container | None, order: str, bits: int
) -> tuple[Relocation, ...]:
    if header is None:
        return ()
    rows = struct.iter_unpack(
        order + _RELOCATION_ROWS[str(header["sh_type"])][bits], _content(data, header)
    )
    shift, mask = (32, 0xFFFFFFFF) if bits == 64 else (8, 0xFF)
    return tuple(
        Relocation(row[0], row[1] & mask, row[1] >> shift, row[2] if len(row) == 3 else 0)
        for row in rows
    )


def _symbols(
    data: bytes, headers: Headers, order: str, bits: int, bases: Mapping[int, int]
) -> tuple[Symbol, ...]:
    header = next((one for one in headers if one["sh_type"] == "SHT_SYMTAB"), None)
    if header is None:
        return ()
    names = _content(data, headers[header["sh_link"]])
    rows = struct.iter_unpack(
        order + ("IBBHQQ" if bits == 64 else "IIIBBH"), _content(data, header)
    )
    symbols = []
    for row in rows:
        name, info, index, value, size = (
            (row[0], row[1], row[3], row[4], row[5])
            if bits == 64
            else (row[0], row[3], row[5], row[1], row[2])
        )
        text = names[name : names.index(b"\0", name)].decode(errors="replace")
        address = bases.get(index, 0) + value
        kind = info & 15
        symbols.append(Symbol(text, index, address, size, kind == _STT_FUNC, kind == _STT_OBJECT))
    return tuple(symbols)


def _signed(value: int, size: int) -> int:
    return value - (1 << 8 * size) if value >> (8 * size - 1) else value


Put = Callable[[Elf, bytearray, int, int, int], None]


def _set(elf: Elf, data: bytearray, offset: int, size: int, value: int) -> None:
    wrapped = value & ((1 << 8 * size) - 1)
    data[offset : offset + size] = wrapped.to_bytes(size, "big" if elf.big else "little")


def _add(elf: Elf, data: bytearray, offset: int, size: int, value: int) -> None:
    _set(elf, data, offset, size, elf.number(data, offset, size) + value)


def _subtract(elf: Elf, data: bytearray, offset: int, size: int, value: int) -> None:
    _set(elf, data, offset, size, elf.number(data, offset, size) - value)


def _set_six(_elf: Elf, data: bytearray, offset: int, _size: int, value: int) -> None:
    data[offset] = data[offset] & 0xC0 | value & 0x3F


def _subtract_six(_elf: Elf, data: bytearray, offset: int, _size: int, value: int) -> None:
    data[offset] = data[offset] & 0xC0 | (data[offset] - value) & 0x3F


def _set_uleb(_elf: Elf, data: bytearray, offset: int, _size: int, value: int) -> None:
    while data[offset] & 0x80:
        data[offset] = value & 0x7F | 0x80
        offset, value = offset + 1, value >> 7
    data[offset] = value & 0x7F


def _subtract_uleb(elf: Elf, data: bytearray, offset: int, size: int, value: int) -> None:
    old = shift = 0
    at = offset
    while True:
        old |= (data[at] & 0x7F) << shift
        if not data[at] & 0x80:
            break
        at, shift = at + 1, shift + 7
    _set_uleb(elf, data, offset, size, old - value)


def _nothing(_elf: Elf, _data: bytearray, _offset: int, _size: int, _value: int) -> None:
    pass


# The relocations that occur in debug sections, by ELF machine and type number:
# what they do, and on how many bytes.
_NUMBERS: Mapping[str, Mapping[int, tuple[Put, int]]] = {
    "EM_386": {1: (_set, 4)},
    "EM_X86_64": {1: (_set, 8), 10: (_set, 4), 11: (_set, 4)},
    "EM_ARM": {0: (_nothing, 0), 2: (_set, 4)},
    "EM_AARCH64": {257: (_set, 8), 258: (_set, 4)},
    "EM_PPC": {1: (_set, 4)},
    "EM_PPC64": {1: (_set, 4), 38: (_set, 8)},
    "EM_S390": {4: (_set, 4), 22: (_set, 8)},
    "EM_RISCV": {
        1: (_set, 4),
        2: (_set, 8),
        33: (_add, 1),
        34: (_add, 2),
        35: (_add, 4),
        36: (_add, 8),
        37: (_subtract, 1),
        38: (_subtract, 2),
        39: (_subtract, 4),
        40: (_subtract, 8),
        51: (_nothing, 0),  # RELAX
        52: (_subtract_six, 1),
        53: (_set_six, 1),
        54: (_set, 1),
        55: (_set, 2),
        56: (_set, 4),
        60: (_set_uleb, 0),
        61: (_subtract_uleb, 0),
    },
}
