# SPDX-License-Identifier: GPL-2.0-only
"""A linked object as the kernel would have it after boot, ready to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from uaccel.errors import UserError
from uaccel.model.machine import Arch, Insn, Role
from uaccel.model.run import Clearing, Clock, Emulation, External, Image, Segment, Toggle
from uaccel.model.source import Direction, Layouts, Member
from uaccel.read.alternatives import Patch, read_alternatives
from uaccel.read.comparisons import comparisons
from uaccel.read.disassembly import Raw, disassemble, machine
from uaccel.read.elf import Elf, Section, read_elf, read_linked
from uaccel.read.fixups import read_fixups
from uaccel.read.types import read_layouts

_SLOT = 16  # bytes of a stub
_SLOTS = 64  # stubs that only pointers lead to
_PAGE = 0x1000
_ROOM = 0x8000  # bytes; more than any structure that is furnished takes
_TOGGLES = {Role.OPENS: True, Role.CLOSES: False, Role.TOGGLES: None}
Told = tuple[Insn, Role | None]  # an instruction, and what it means to a window
_REPLACEMENTS = ".altinstr_replacement"


@dataclass(frozen=True, slots=True)
class Boot:
    """What booting makes of an object, as the tree at hand has it."""

    features: Mapping[str, int]  # numbers of CPU features, by name
    kinds: Mapping[int, str]  # names of the types of exception-table entries, by number


def emulation_of(arch: Arch) -> Emulation:
    """Return how code of `arch` is run; UserError where it cannot be."""
    if arch.emulation is None or arch.fixups is None:
        raise UserError(f"code of {arch.name} cannot be run here")
    return arch.emulation


def externals(arch: Arch, objects: tuple[bytes, ...]) -> tuple[External, ...]:
    """Return what `objects` leave to others, each with an address of its own."""
    emulation = emulation_of(arch)
    defined: set[str] = set()
    called: dict[str, bool] = {}
    for elf in map(read_elf, objects):
        defined |= {one.name for one in elf.symbols if one.section}
        for name, calls in _wanted(elf, emulation):
            called[name] = called.get(name, False) or calls
    lacking = {name: called[name] for name in sorted(called) if name not in defined}
    lacking.pop(".TOC.", None)
    functions = [name for name, calls in lacking.items() if calls]
    data = [name for name, calls in lacking.items() if not calls]
    first = _slots(emulation)
    below = first - _SLOT * len(functions) & -_PAGE
    return (
        *(External(name, True, first - _SLOT * (1 + n)) for n, name in enumerate(functions)),
        *(External(name, False, below - _PAGE * (1 + n)) for n, name in enumerate(data)),
    )


def read_image(
    data: bytes, arch: Arch, given: tuple[External, ...], boot: Boot, described: bytes
) -> Image:
    """Return the linked program `data` as it is after boot, what it lacks at `given`.

    `described` is an object that says how the kernel's structures are laid out.
    """
    emulation = emulation_of(arch)
    if arch.fixups is None:
        raise UserError(f"how {arch.name} writes its exception table is not known")
    linked, segments = read_linked(data)
    elf = _booted(linked, read_alternatives(linked, arch, boot.features), emulation)
    insns = tuple(_insns(elf, arch))
    told = tuple((insn, arch.role(insn)) for insn in insns)
    toggles = tuple(_toggles(emulation, told))
    return Image(
        arch=arch.name,
        emulation=emulation,
        big=elf.big,
        bits=elf.bits,
        segments=tuple(_loaded(one, elf, toggles, emulation) for one in segments),
        symbols=tuple((one.name, one.address) for one in elf.symbols if one.function),
        externals=given,
        fixups=read_fixups(elf, arch.fixups, boot.kinds),
        data=tuple((one.name, one.address, one.size) for one in elf.symbols if one.variable),
        forks=tuple((i.address, i.size) for i, role in told if role is Role.FORKS),
        toggles=toggles,
        repeats=_matching(insns, emulation.repeats),
        moves=_matching(insns, emulation.moves),
        clears=tuple(_clears(emulation, insns)),
        clocks=tuple(_clocks(emulation, insns)),
        comparisons=tuple(comparisons(insns, elf.bits)),
        counted=tuple(sorted(_counted(elf, told))),
        accesses_guarded=_guarded(arch),
        task=_places(emulation)["task_struct"],
        furnished=tuple(
            _furnished(emulation, elf, read_layouts(described, arch.name, _tags(emulation)))
        ),
        slots=tuple(_slots(emulation) + _SLOT * (1 + number) for number in range(_SLOTS)),
    )


def _slots(emulation: Emulation) -> int:
    # Right before the code, as all stubs: near enough for every call, and for what an instruction
    # can hold.  Nothing of the object moves it: two variants share the addresses of slots.
    return emulation.text - (_SLOT * (1 + _SLOTS) + _PAGE - 1 & -_PAGE)


def _places(emulation: Emulation) -> dict[str, int]:
    first = emulation.text - 0x1400000
    return {
        one.tag: first + number * _ROOM if one.address is None else one.address
        for number, one in enumerate(emulation.furniture)
    }


def _tags(emulation: Emulation) -> tuple[str, ...]:
    return tuple(one.tag for one in emulation.furniture)


def _furnished(
    emulation: Emulation, elf: Elf, layouts: Layouts
) -> Iterator[tuple[str, int, bytes]]:
    places = _places(emulation)
    for one in emulation.furniture:
        layout = layouts.find(one.tag)
        size = layout.size if layout and one.address is not None else _ROOM
        content = bytearray(size)
        for path, value in one.members:
            member = _member(layout.members, path) if layout else None
            if member is not None:
                number = places[value] if isinstance(value, str) else value
                word = number.to_bytes(member[1], "big" if elf.big else "little")
                content[member[0] : member[0] + member[1]] = word
        yield one.tag, places[one.tag], bytes(content)


def _member(members: tuple[Member, ...], path: str) -> tuple[int, int] | None:
    # (offset, bytes) of a member, through unions and structs without a name.
    first, _, rest = path.partition(".")
    for one in members:
        if one.name == first and not rest:
            return one.offset, one.size
        inner = rest if one.name == first else path if not one.name else ""
        found = _member(one.members, inner) if inner else None
        if found is not None:
            return one.offset + found[0], found[1]
    return None


def _wanted(elf: Elf, emulation: Emulation) -> Iterator[tuple[str, bool]]:
    debug = {one.index for one in elf.sections if one.name.startswith((".debug", ".rela.debug"))}
    for section in elf.sections:
        if section.index in debug:
            continue
        for one in section.relocations:
            symbol = elf.symbols[one.symbol]
            if symbol.section == 0 and symbol.name:
                yield symbol.name, one.type in emulation.calls


def _guarded(arch: Arch) -> tuple[Direction, ...]:
    if not arch.shortest_window:
        return ()
    return tuple(Direction) if arch.guards_reads else (Direction.WRITE,)


def _booted(elf: Elf, patches: tuple[Patch, ...], emulation: Emulation) -> Elf:
    contents = {one.index: bytearray(one.data) for one in elf.sections}
    for patch in patches:
        home, source = _home(elf, patch.start), _home(elf, patch.replacement)
        new = _moved(elf, patch, source)
        contents[home.index][patch.start - home.base : patch.end - home.base] = new
    for place, value in _constants(elf, emulation):
        home = _home(elf, place)
        size, at = elf.bits // 8, place - home.base
        word = value.to_bytes(size, "big" if elf.big else "little")
        contents[home.index][at : at + size] = word
    sections = (replace(one, data=bytes(contents[one.index])) for one in elf.sections)
    return replace(elf, sections=tuple(sections))


def _home(elf: Elf, address: int) -> Section:
    found = elf.code_at(address)
    if found is None:
        raise UserError(f"what is patched at {address:#x} is no code")
    return found


def _moved(elf: Elf, patch: Patch, source: Section) -> bytes:
    at = patch.replacement - source.base
    code = bytearray(source.data[at : at + patch.replacement_end - patch.replacement])
    # A call or jump counts from its own place, which is another one now.
    if code and code[0] in (0xE8, 0xE9):
        distance = elf.number(code, 1, 4) + patch.replacement - patch.start
        code[1:5] = (distance & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(code).ljust(patch.end - patch.start, b"\x90")


def _constants(elf: Elf, emulation: Emulation) -> Iterator[tuple[int, int]]:
    for name, value in emulation.constants:
        section = elf.find(f"runtime_ptr_{name}")
        for offset in range(0, len(section.data) if section else 0, 4):
            yield elf.target(section, offset) if section else 0, value


def _insns(elf: Elf, arch: Arch) -> Iterator[Insn]:
    disassembler = machine(arch)
    for section in elf.sections:
        if section.executable and section.name != _REPLACEMENTS:
            extent = section.base, section.base + len(section.data)
            yield from map(_insn, disassemble(elf, disassembler, section, extent))


def _insn(raw: Raw) -> Insn:
    return Insn(raw.address, raw.size, raw.mnemonic, raw.operands, None, (), False)


def _counted(elf: Elf, told: Iterable[Told]) -> Iterator[int]:
    keys = frozenset(_keys(elf))
    for insn, role in told:
        if role is not Role.NOP or insn.address in keys:
            yield insn.address


def _keys(elf: Elf) -> Iterator[int]:
    # Where a static branch is off, its no-operation is executed.
    section = elf.find("__jump_table")
    for offset in range(0, len(section.data) if section else 0, 8 + elf.bits // 8):
        if section:
            yield elf.target(section, offset)


def _toggles(emulation: Emulation, told: Iterable[Told]) -> Iterator[Toggle]:
    for insn, role in told:
        if role not in _TOGGLES:
            continue
        opens = _TOGGLES[role]
        named = re.fullmatch(emulation.operand, str(insn)) if opens is None else None
        if opens is None and named is None:
            raise UserError(f"what `{insn}` writes at {insn.address:#x} is not known")
        groups = named.groups() if named else ()
        register = next((one.upper() for one in groups if one), "")
        yield Toggle(insn.address, insn.size, opens, register)


def _matching(insns: Iterable[Insn], pattern: str) -> tuple[int, ...]:
    if not pattern:
        return ()
    known = re.compile(pattern)
    return tuple(insn.address for insn in insns if known.fullmatch(str(insn)))


def _clears(emulation: Emulation, insns: Iterable[Insn]) -> Iterator[Clearing]:
    for insn in insns if emulation.clears else ():
        found = re.fullmatch(emulation.clears, str(insn))
        if found is not None:
            yield Clearing(insn.address, insn.size, tuple(one for one in found.groups() if one))


def _clocks(emulation: Emulation, insns: Iterable[Insn]) -> Iterator[Clock]:
    for insn in insns if emulation.clocks else ():
        found = re.fullmatch(emulation.clocks, str(insn).strip())
        if found is not None:
            named = tuple(one.upper() for one in found.groups())
            yield Clock(insn.address, insn.size, named or emulation.clocked)


def _loaded(
    segment: Segment, elf: Elf, toggles: tuple[Toggle, ...], emulation: Emulation
) -> Segment:
    data = bytearray(segment.data)
    nothing = bytes.fromhex(emulation.nothing)
    held = [one for one in elf.sections if one.executable and _inside(segment, one.base)]
    for section in held:
        at = section.base - segment.address
        data[at : at + len(section.data)] = section.data
    for toggle in toggles:
        if _inside(segment, toggle.address):
            at = toggle.address - segment.address
            data[at : at + toggle.size] = nothing * (toggle.size // len(nothing))
    return replace(segment, data=bytes(data))


def _inside(segment: Segment, address: int) -> bool:
    return segment.address <= address < segment.address + len(segment.data)
