# SPDX-License-Identifier: GPL-2.0-only
"""The exception table of an object, relocatable or linked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from uaccel.errors import UserError
from uaccel.model.run import Field, Fixup, FixupFormat, FixupRow
from uaccel.read.elf import Elf, Section, pointers

_SECTION = "__ex_table"
_KIND = re.compile(r"^#[ \t]*define[ \t]+(EX_TYPE_\w+)[ \t]+(\d+)\b", re.MULTILINE)


def fixup_kinds(text: str) -> tuple[tuple[int, str], ...]:
    """Return (number, name) of each type of entries that the tree's header defines."""
    return tuple((int(row[2]), row[1]) for row in _KIND.finditer(text))


def read_fixups(elf: Elf, layout: FixupFormat, kinds: Mapping[int, str]) -> tuple[Fixup, ...]:
    """Return the entries of the exception table, in order of the guarded instruction."""
    found: list[Fixup] = []
    for section in elf.sections:
        if section.name == _SECTION and section.data:
            found += _entries(elf, section, layout, kinds)
    return tuple(sorted(found, key=lambda one: (one.at, one.to)))


def interpret(at: int, to: int, kind: str, fields: Mapping[str, int], layout: FixupFormat) -> Fixup:
    """Return the entry from `at` to `to` with all that its kind and its fields say."""
    if not layout.fields:
        return Fixup(at, to, "plain")
    row = next((one for one in layout.rows if one.kind == kind), None)
    if row is None:
        return Fixup(at, to, kind, known=False)
    return Fixup(
        at,
        to,
        row.kind,
        sets=tuple(_sets(row, fields, layout.ignored)),
        clears=(_number(row.clears[0], fields), _number(row.clears[1], fields))
        if row.clears
        else None,
        scales=_scales(row, fields),
        shortens=row.shortens,
    )


def _entries(
    elf: Elf, section: Section, layout: FixupFormat, kinds: Mapping[int, str]
) -> Iterator[Fixup]:
    if len(section.data) % layout.size:
        raise UserError(
            f"{_SECTION} has {len(section.data)} bytes: entries of {layout.size} bytes do not fit"
        )
    places = _places(elf, section, layout)
    for start in range(0, len(section.data), layout.size):
        at, to = places.get(start), places.get(start + 4)
        if at is None or to is None:
            raise UserError(f"the entry at byte {start} of {_SECTION} has no two pointers")
        word = elf.number(section.data, start + 8, layout.size - 8)
        fields = _fields(word, layout, elf.big)
        kind = kinds.get(fields.get("type", 0), f"type {fields.get('type')}")
        yield interpret(at, to, kind, fields, layout)


def _places(elf: Elf, section: Section, layout: FixupFormat) -> Mapping[int, int]:
    if section.relocations:
        return dict(pointers(elf, section))
    offsets = range(0, len(section.data), 4)
    if layout.relative:
        return {offset: elf.target(section, offset) for offset in offsets}
    return {offset: elf.number(section.data, offset, 4) for offset in offsets}


def _fields(word: int, layout: FixupFormat, big: bool) -> Mapping[str, int]:
    # Rows count bits in order of memory: a big machine, which has two halves there, turns them.
    if big:
        word = (word & 0xFFFF) << 16 | word >> 16
    return {one.name: _bits(word, one) for one in layout.fields}


def _bits(word: int, field: Field) -> int:
    value = word >> field.shift & ((1 << field.width) - 1)
    return value - (1 << field.width) if field.signed and value >> (field.width - 1) else value


def _sets(
    row: FixupRow, fields: Mapping[str, int], ignored: int | None
) -> Iterator[tuple[int, int]]:
    for register, value in row.sets:
        # "ax if clear_ax": only where the field says so.
        name, _, condition = register.partition(" if ")
        number = _number(name, fields)
        if number != ignored and (not condition or fields[condition]):
            yield number, _number(value, fields)


def _scales(row: FixupRow, fields: Mapping[str, int]) -> tuple[int, int, int] | None:
    if row.scales is None:
        return None
    register, added, factor = row.scales
    return _number(register, fields), _number(added, fields), _number(factor, fields)


def _number(text: str, fields: Mapping[str, int]) -> int:
    name, _, more = text.partition("+")
    return (fields[name] if name in fields else int(name)) + int(more or 0)
