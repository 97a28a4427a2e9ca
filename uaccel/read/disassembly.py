# SPDX-License-Identifier: GPL-2.0-only
"""Disassemble stretches of code: data between instructions left out, nothing resolved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import capstone

from uaccel.model.machine import Arch
from uaccel.read.elf import Elf, Section
from uaccel.read.lines import Extent


class Raw(NamedTuple):
    """One instruction as it stands in the object, nothing resolved."""

    address: int
    size: int
    mnemonic: str
    operands: str


# What an object says that it is for, and the disassembler of that.
_KINDS = {
    "EM_386": "CS_ARCH_X86",
    "EM_X86_64": "CS_ARCH_X86",
    "EM_ARM": "CS_ARCH_ARM",
    "EM_AARCH64": "CS_ARCH_ARM64",
    "EM_PPC": "CS_ARCH_PPC",
    "EM_PPC64": "CS_ARCH_PPC",
    "EM_RISCV": "CS_ARCH_RISCV",
    "EM_S390": "CS_ARCH_SYSZ",
}


def may_be_of(elf: Elf, arch: Arch) -> bool:
    """Return whether an object may be one of that architecture: its kind of machine is."""
    return _KINDS.get(elf.machine) == arch.capstone[0]


def machine(arch: Arch) -> capstone.Cs:
    """Return the disassembler of an architecture."""
    name, modes = arch.capstone
    mode = sum({getattr(capstone, mode) for mode in modes})
    return capstone.Cs(getattr(capstone, name), mode)  # type: ignore[no-untyped-call]


def disassemble(
    elf: Elf, disassembler: capstone.Cs, section: Section, extent: Extent
) -> Iterator[Raw]:
    """Yield the instructions of a stretch; what is not known is called "unknown"."""
    for start, end in _without_data(elf, section, extent):
        at = start
        while at < end:
            chunk = section.data[at - section.base : end - section.base]
            rows = disassembler.disasm_lite(chunk, at)  # type: ignore[no-untyped-call]
            for raw in map(Raw._make, rows):
                yield raw
                at = raw.address + raw.size
            if at < end:
                size = min(_length(elf, section.data[at - section.base]), end - at)
                yield Raw(at, size, "unknown", "")
                at += size


def _without_data(elf: Elf, section: Section, extent: Extent) -> Iterator[Extent]:
    # Mapping symbols: "$d" begins data, any other kind begins code.
    marks = sorted(
        (one.address, one.name[1] == "d")
        for one in elf.symbols
        if one.section == section.index and one.name[:1] == "$" and len(one.name) > 1
    )
    at, end = extent
    data = False
    for address, begins_data in marks:
        if address > at and not data:
            yield at, min(address, end)
        at, data = max(at, address), begins_data
        if at >= end:
            return
    if not data:
        yield at, end


def _length(elf: Elf, first: int) -> int:
    # How long an instruction is that capstone does not know: by its first bits, where they tell.
    match elf.machine:
        case "EM_S390":
            return (2, 4, 4, 6)[first >> 6]
        case "EM_RISCV":
            return 4 if first & 3 == 3 else 2
        case "EM_386" | "EM_X86_64":
            return 1
    return 4
