# SPDX-License-Identifier: GPL-2.0-only
"""Read what our plugin of the emulator counted, and what the counted instructions are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import capstone

from uaccel.errors import UserError
from uaccel.model.executed import Executed, Linked, Stretch
from uaccel.model.machine import Insn, Role, RoleRow

_HEAD = re.compile(r"stretch \d+ (\d+)")
_ROW = re.compile(r"([0-9a-f]+) ((?:[0-9a-f]{2})+) (\d+)")
_TOGGLES = (Role.OPENS, Role.CLOSES, Role.TOGGLES)
# What an ELF file says of itself, and capstone's words for it: 32 bits and 64.
_KINDS = {
    "EM_386": ("CS_ARCH_X86", "CS_MODE_32", "CS_MODE_32"),
    "EM_X86_64": ("CS_ARCH_X86", "CS_MODE_64", "CS_MODE_64"),
    "EM_ARM": ("CS_ARCH_ARM", "CS_MODE_ARM", "CS_MODE_ARM"),
    "EM_AARCH64": ("CS_ARCH_ARM64", "CS_MODE_ARM", "CS_MODE_ARM"),
    "EM_PPC": ("CS_ARCH_PPC", "CS_MODE_32", "CS_MODE_32"),
    "EM_PPC64": ("CS_ARCH_PPC", "CS_MODE_64", "CS_MODE_64"),
    "EM_RISCV": ("CS_ARCH_RISCV", "CS_MODE_RISCV32", "CS_MODE_RISCV64"),
    "EM_S390": ("CS_ARCH_SYSZ", "CS_MODE_BIG_ENDIAN", "CS_MODE_BIG_ENDIAN"),
}


def read_stretches(text: str) -> tuple[Stretch, ...]:
    """Return the stretches that the plugin wrote, in order; a half-written one is left out."""
    return tuple(_stretches(text.splitlines()))


def toggles(elf: Linked, rows: Sequence[Executed], roles: Sequence[RoleRow]) -> int:
    """Return how many of the executions of `rows`, of the machine of `elf`, open or close."""
    disassembler = _disassembler(elf)
    return sum(one.count for one in rows if _role(disassembler, one, roles) in _TOGGLES)


def _stretches(lines: Sequence[str]) -> Iterator[Stretch]:
    heads = [number for number, line in enumerate(lines) if line.startswith("stretch ")]
    for start, end in pairwise((*heads, len(lines))):
        head = _HEAD.fullmatch(lines[start])
        rows = tuple(_row(line) for line in lines[start + 1 : end] if _ROW.fullmatch(line))
        total = int(head[1]) if head else -1
        if total == sum(one.count for one in rows):
            yield Stretch(total, rows)


def _row(line: str) -> Executed:
    address, code, count = line.split()
    return Executed(int(address, 16), bytes.fromhex(code), int(count))


def _disassembler(elf: Linked) -> capstone.Cs:
    if elf.machine not in _KINDS:
        raise UserError(f"instructions of {elf.machine} cannot be read here")
    kind, *modes = _KINDS[elf.machine]
    mode = getattr(capstone, modes[elf.bits == 64])
    if elf.big:
        mode |= capstone.CS_MODE_BIG_ENDIAN
    return capstone.Cs(getattr(capstone, kind), mode)  # type: ignore[no-untyped-call]


def _role(disassembler: capstone.Cs, one: Executed, roles: Sequence[RoleRow]) -> Role | None:
    found = disassembler.disasm_lite(one.code, one.address, 1)  # type: ignore[no-untyped-call]
    for address, size, mnemonic, operands in found:
        text = str(Insn(address, size, mnemonic, operands, None, (), False))
        return next((row.role for row in roles if re.fullmatch(row.pattern, text)), None)
    return None
