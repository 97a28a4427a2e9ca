# SPDX-License-Identifier: GPL-2.0-only
"""Read linked programs, a kernel above all: where their functions and their code lie."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from elftools.common.exceptions import ELFError
from elftools.elf.constants import P_FLAGS, SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection

from uaccel.errors import UserError
from uaccel.model.executed import Code, Linked

_CODE = ("STT_FUNC", "STT_NOTYPE", "STT_GNU_IFUNC")
_ALIGNED = 1 << 24  # a 32-bit kernel's own addresses begin at a round one


def read_vmlinux(data: bytes) -> Linked:
    """Return the code of a linked program, with its symbols; UserError when it is none."""
    try:
        file = ELFFile(BytesIO(data))
        loaded = [one.header for one in file.iter_segments() if one.header["p_type"] == "PT_LOAD"]
        code = [one for one in loaded if one["p_flags"] & P_FLAGS.PF_X]
        symbols = tuple(_symbols(file))
    except (ELFError, UnicodeDecodeError, OverflowError) as error:
        raise UserError(f"this is no linked program: {error}") from None
    if not code:
        raise UserError("this is no linked program: it holds no code")
    lowest = min(code, key=lambda one: int(one["p_vaddr"]))
    start = int(lowest["p_vaddr"])
    return Linked(
        machine=file["e_machine"],
        big=not file.little_endian,
        bits=file.elfclass,
        symbols=symbols,
        code=tuple(_code(data, one["p_vaddr"], one["p_offset"], one["p_filesz"]) for one in code),
        first=1 << 63 if file.elfclass == 64 else start // _ALIGNED * _ALIGNED,
        unmapped=start - int(lowest["p_paddr"]),
        end=max(one["p_vaddr"] + one["p_memsz"] for one in code),
        inner=tuple(_inner(file)) if file["e_machine"] == "EM_PPC64" else (),
        files=frozenset(one.name for one in _all(file) if one["st_info"]["type"] == "STT_FILE"),
    )


def _code(data: bytes, address: int, offset: int, size: int) -> Code:
    return Code(address, data[offset : offset + size])


def _symbols(file: ELFFile) -> Iterator[tuple[str, int, int]]:
    for one in _of_code(file):
        yield one.name, int(one["st_value"]), int(one["st_size"])


def _inner(file: ELFFile) -> Iterator[tuple[int, int]]:
    # Three bits of st_other: 2 to the power of them, in bytes; 0 and 1 are none.
    for one in _of_code(file):
        if (power := int(one["st_other"]["local"])) > 1:
            yield int(one["st_value"]), 1 << power


def _all(file: ELFFile) -> Iterator[Symbol]:
    table = file.get_section_by_name(".symtab")
    if isinstance(table, SymbolTableSection):
        yield from table.iter_symbols()


def _of_code(file: ELFFile) -> Iterator[Symbol]:
    holding = {
        number
        for number, section in enumerate(file.iter_sections())
        if section["sh_flags"] & SH_FLAGS.SHF_EXECINSTR
    }
    for one in _all(file):
        if one["st_shndx"] in holding and _names_code(one):
            yield one


def _names_code(one: Symbol) -> bool:
    return one["st_info"]["type"] in _CODE and bool(one.name) and one.name[0] not in "$."
