# SPDX-License-Identifier: GPL-2.0-only
"""Alternatives of x86: instructions that are replaced at boot, for what a CPU can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from uaccel.errors import UserError
from uaccel.model.machine import Arch
from uaccel.read.elf import Elf, Section, pointers

_FEATURE = re.compile(
    r"^#define[ \t]+X86_FEATURE_(\w+)[ \t]+\([ \t]*(\d+)[ \t]*\*[ \t]*32[ \t]*\+[ \t]*(\d+)\)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A stretch of code and what stands there after boot."""

    start: int  # address
    end: int
    replacement: int  # address
    replacement_end: int


def cpu_features(text: str) -> tuple[tuple[str, int], ...]:
    """Return (name, number) of each CPU feature that asm/cpufeatures.h defines."""
    return tuple((row[1], int(row[2]) * 32 + int(row[3])) for row in _FEATURE.finditer(text))


def read_alternatives(elf: Elf, arch: Arch, features: Mapping[str, int]) -> tuple[Patch, ...]:
    """Return the replacements that a CPU with the features of `arch` gets, in order."""
    section = elf.find(".altinstructions")
    if section is None or not section.data or not arch.features:
        return ()
    if not features:
        raise UserError("alternatives cannot be applied: the numbers of CPU features are not known")
    present = {features[name] for name in arch.features if name in features}
    size, targets = _entries(elf, section)
    places = targets[::2]
    return tuple(
        patch
        for (offset, start), (_, replacement) in zip(places, targets[1::2], strict=True)
        if (patch := _patch(elf, section, (offset, size), (start, replacement), present))
    )


def _entries(elf: Elf, section: Section) -> tuple[int, tuple[tuple[int, int], ...]]:
    targets = pointers(elf, section)
    if not targets:
        return _linked(elf, section)
    places = targets[::2]
    ends = [offset for offset, _ in places[1:]] + [len(section.data)]
    sizes = {end - offset for (offset, _), end in zip(places, ends, strict=True)}
    if len(sizes) != 1 or not sizes <= _FLAGS.keys():
        raise UserError(f"entries of .altinstructions are {sorted(sizes)} bytes long, not 12 or 14")
    return sizes.pop(), targets


def _linked(elf: Elf, section: Section) -> tuple[int, tuple[tuple[int, int], ...]]:
    # Nothing says how long an entry is: with the wrong length some pointer leads nowhere.
    for size in sorted(_FLAGS):
        offsets = [at + more for at in range(0, len(section.data), size) for more in (0, 4)]
        targets = tuple((offset, elf.target(section, offset)) for offset in offsets)
        fits = len(section.data) % size == 0
        if fits and all(elf.code_at(address) for _, address in targets):
            return size, targets
    raise UserError("entries of .altinstructions are neither 12 nor 14 bytes long")


# Bytes of an entry -> the bits of its feature word that say NOT and DIRECT_CALL.
# Since Linux kernel commit 5d1dd961e743 ("x86/alternatives: Add alt_instr.flags") (in v6.3),
# flags have a word of their own; before, bit 15 of the feature said NOT.
_FLAGS = {12: (2, 1 << 15, 0), 14: (4, 1 << 16, 1 << 17)}


def _patch(
    elf: Elf, section: Section, entry: tuple[int, int], places: tuple[int, int], present: set[int]
) -> Patch | None:
    offset, size = entry
    width, negated, direct_call = _FLAGS[size]
    word = elf.number(section.data, offset + 8, width)
    # A direct call replaces an indirect one: one call either way, so it stays as compiled.
    if word & direct_call:
        return None
    feature = word & (0x7FFF if width == 2 else 0xFFFF)
    if (feature in present) == bool(word & negated):
        return None
    length, replaced = section.data[offset + 8 + width], section.data[offset + 9 + width]
    return Patch(places[0], places[0] + length, places[1], places[1] + replaced)
