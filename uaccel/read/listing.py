# SPDX-License-Identifier: GPL-2.0-only
"""Disassemble functions of a kernel object, with what each instruction is about."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import capstone

from uaccel.errors import UserError
from uaccel.model.machine import Arch, Insn, Listing, Object, Role
from uaccel.read.alternatives import Patch, read_alternatives
from uaccel.read.disassembly import Raw, disassemble, machine
from uaccel.read.dwarf import read_debug
from uaccel.read.elf import Elf, Relocation, Section, Symbol, pointers, read_elf
from uaccel.read.lines import NOWHERE, Extent, Lines, read_lines

_JUMPS = (Role.CALLS, Role.BRANCHES, Role.FORKS)
_IMMEDIATE = re.compile(r"(?:^|[ ,])#?(-?(?:0x[0-9a-f]+|\d+))$")
_PART = re.compile(r"(?P<function>.+?)(?P<clone>(?:\.(?:part|isra|constprop)\.\d+)*)(?:\.cold)?")


@dataclass(frozen=True, slots=True)
class Code:
    """What is asked again and again of one object while it is disassembled."""

    elf: Elf
    arch: Arch
    relocations: Mapping[int, Relocation]  # by address
    functions: tuple[Symbol, ...]  # in order of address
    starts: tuple[int, ...]  # their addresses
    fixups: Mapping[int, int]  # addresses that __ex_table names, and where a fault there goes on
    keys: frozenset[int]  # addresses that __jump_table names
    patches: tuple[Patch, ...]
    machine: capstone.Cs


def read_object(
    data: bytes, arch: Arch, symbols: tuple[str, ...] | None, features: Mapping[str, int]
) -> Object:
    """Return the functions called `symbols` and their clones (all functions for None)."""
    elf = read_elf(data)
    code = _code(elf, arch, features)
    groups = _groups(code.functions, symbols)
    wanted = tuple(_extent(code, part) for parts in groups.values() for part in parts)
    lines = read_lines(read_debug(elf), wanted)
    listings = (_listing(code, name, parts, lines) for name, parts in groups.items())
    return Object(
        text_bytes=sum(len(section.data) for section in elf.sections if section.executable),
        extable_entries=len(code.fixups),
        listings=tuple(replace(one, callees=_callees(code, one)) for one in listings),
    )


def _code(elf: Elf, arch: Arch, features: Mapping[str, int]) -> Code:
    executable = {section.index: section for section in elf.sections if section.executable}
    functions = sorted(
        (one for one in elf.symbols if one.function and one.section in executable),
        key=lambda one: one.address,
    )
    relocations = {
        section.base + one.offset: one
        for section in executable.values()
        for one in reversed(section.relocations)
    }
    return Code(
        elf=elf,
        arch=arch,
        relocations=relocations,
        functions=tuple(functions),
        starts=tuple(one.address for one in functions),
        fixups=dict(_every(elf, "__ex_table", 2)),
        keys=frozenset(at for at, _ in _every(elf, "__jump_table", 3)),
        patches=read_alternatives(elf, arch, features),
        machine=machine(arch),
    )


def _every(elf: Elf, name: str, step: int) -> Iterator[tuple[int, int]]:
    # An entry of __ex_table has two pointers, one of __jump_table three; the first is the code's.
    for section in elf.sections:
        if section.name == name:
            addresses = [address for _, address in pointers(elf, section)]
            yield from zip(addresses[::step], addresses[1::step], strict=True)


def _groups(
    functions: Iterable[Symbol], wanted: tuple[str, ...] | None
) -> dict[str, tuple[Symbol, ...]]:
    groups: dict[str, tuple[Symbol, ...]] = {}
    for one in functions:
        match = _PART.fullmatch(one.name)
        if match is None or (wanted is not None and match["function"] not in wanted):
            continue
        name = match["function"] + match["clone"]
        # The entry comes first, whatever lies first in the object.
        parts = groups.get(name, ())
        groups[name] = (*parts, one) if one.name.endswith(".cold") else (one, *parts)
    return groups


def _extent(code: Code, symbol: Symbol) -> Extent:
    if symbol.size:
        return symbol.address, symbol.address + symbol.size
    section = code.elf.sections[symbol.section]
    end = section.base + len(section.data)
    following = (start for start in code.starts if start > symbol.address)
    return symbol.address, min(end, next(following, end))


def _listing(code: Code, name: str, parts: tuple[Symbol, ...], lines: Lines) -> Listing:
    extents = tuple(_extent(code, part) for part in parts)
    insns = [
        insn
        for part, extent in zip(parts, extents, strict=True)
        for insn in _insns(code, code.elf.sections[part.section], extent, extents, lines)
    ]
    return Listing(
        arch=code.arch,
        symbol=name,
        insns=tuple(insns),
        size=sum(end - start for start, end in extents),
        extable_entries=sum(
            start <= address < end for address in code.fixups for start, end in extents
        ),
        foreign=tuple(sorted(_foreign(code, extents))),
    )


def _foreign(code: Code, extents: tuple[Extent, ...]) -> set[str]:
    places = (place for start, end in extents for place in range(start, end))
    found = (code.relocations[place] for place in places if place in code.relocations)
    symbols = (code.elf.symbols[one.symbol] for one in found)
    return {symbol.name for symbol in symbols if symbol.section == 0 and symbol.name}


def _callees(code: Code, listing: Listing) -> tuple[Listing, ...]:
    targets = {str(insn.target) for insn in listing.insns} - {listing.symbol}
    names = tuple(match["function"] for match in map(_PART.fullmatch, targets) if match)
    groups = _groups(code.functions, names)
    return tuple(
        _listing(code, name, parts, NOWHERE) for name, parts in groups.items() if name in targets
    )


def _insns(
    code: Code, section: Section, extent: Extent, extents: tuple[Extent, ...], lines: Lines
) -> Iterator[Insn]:
    pending: str | int | None = None  # where the upper half of a two-instruction jump leads
    for place, raw in _patched(code, section, extent):
        bare = Insn(place, raw.size, raw.mnemonic, raw.operands, None, (), False)
        role = code.arch.role(bare)
        if role is Role.NOP and place not in code.keys:
            continue
        target = _target(code, raw, extents) if role in _JUMPS else None
        if role in _JUMPS and target is None and raw.mnemonic in _SECOND_HALF:
            target = pending
        pending = _target(code, raw, extents, upper=True) if raw.mnemonic == "auipc" else None
        yield Insn(
            address=place,
            size=raw.size,
            mnemonic=raw.mnemonic,
            operands=raw.operands,
            target=target,
            lines=lines.at(place),
            access=place in code.fixups or raw.address in code.fixups,
            fixup=code.fixups.get(place, code.fixups.get(raw.address)),
        )


# A call or tail call that a linker may shorten: `auipc` holds the relocation of both.
_SECOND_HALF = ("jalr", "jr")


def _patched(code: Code, section: Section, extent: Extent) -> Iterator[tuple[int, Raw]]:
    raws = list(disassemble(code.elf, code.machine, section, extent))
    rows = [(raw.address, raw) for raw in raws]
    for patch in code.patches:
        if not extent[0] <= patch.start < extent[1]:
            continue
        home = code.elf.code_at(patch.replacement)
        if home is None:
            raise UserError(f"the replacement at {patch.replacement:#x} lies in no code")
        new = disassemble(code.elf, code.machine, home, (patch.replacement, patch.replacement_end))
        moved = [(raw.address - patch.replacement + patch.start, raw) for raw in new]
        rows = [row for row in rows if not patch.start <= row[0] < patch.end] + moved
    return iter(sorted(rows))


def _target(
    code: Code, raw: Raw, extents: tuple[Extent, ...], upper: bool = False
) -> str | int | None:
    match = _IMMEDIATE.search(raw.operands)
    if match is None and not upper:
        return None
    shown = raw.address if upper or match is None else int(match[1], 0)
    relocation = None
    for address in range(raw.address, raw.address + raw.size):
        relocation = relocation or code.relocations.get(address)
    if relocation is None:
        # capstone writes the targets of riscv as distances.
        if upper:
            return None
        relative = code.elf.machine == "EM_RISCV"
        return _place(code, raw.address + shown if relative else shown, extents)
    symbol = code.elf.symbols[relocation.symbol]
    if symbol.section == 0:
        return symbol.name
    if code.elf.machine == "EM_RISCV":
        return _place(code, symbol.address + relocation.addend, extents)
    # The place that is shown has the distance that stands in the instruction, if any; the
    # relocation counts from its own place.
    place = next(
        address
        for address in range(raw.address, raw.address + raw.size)
        if code.relocations.get(address) is relocation
    )
    return _place(code, shown - place + symbol.address + relocation.addend, extents)


def _place(code: Code, address: int, extents: tuple[Extent, ...]) -> str | int:
    entry = extents[0][0]
    if address != entry and any(start <= address < end for start, end in extents):
        return address
    index = bisect_right(code.starts, address) - 1
    return code.functions[index].name if index >= 0 else address
