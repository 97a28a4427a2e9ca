# SPDX-License-Identifier: GPL-2.0-only
"""Which source lines an instruction comes from, through the inline stack."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import join, normpath

from uaccel.read.dwarf import AT, TAG, Debug, Reader, Unit, Value, units

Extent = tuple[int, int]  # first address, and the first one after
Place = tuple[str, int]  # file, line

_NAMES = {1: "path", 2: "directory"}  # DW_LNCT


@dataclass(frozen=True, slots=True)
class Inlined:
    """Code that stands where a call was inlined."""

    extents: tuple[Extent, ...]
    depth: int  # the deeper, the further in
    call: Place


@dataclass(frozen=True, slots=True)
class Lines:
    """The line table and the inline stack of some stretches of code."""

    addresses: tuple[int, ...]  # where rows begin, ascending
    places: tuple[Place | None, ...]  # of the row at the same index; None between sequences
    inlined: tuple[Inlined, ...]  # the deepest first

    def at(self, address: int) -> tuple[Place, ...]:
        """Return (file, line) of the code at `address`, innermost first."""
        index = bisect_right(self.addresses, address) - 1
        own = self.places[index] if index >= 0 else None
        calls = tuple(
            one.call
            for one in self.inlined
            if any(start <= address < end for start, end in one.extents)
        )
        return calls if own is None else (own, *calls)


NOWHERE = Lines((), (), ())


def read_lines(debug: Debug, wanted: tuple[Extent, ...]) -> Lines:
    """Return the source lines of the code in the `wanted` stretches of addresses."""
    rows: dict[int, Place | None] = {}
    inlined: list[Inlined] = []
    for unit in units(debug):
        root = unit.root()
        if AT["stmt_list"] not in root.attributes:
            continue
        folder = unit.text(root.attributes.get(AT["comp_dir"]))
        program = debug.reader(".debug_line", root.integer(AT["stmt_list"]))
        table = _Program(unit, program, folder)
        rows |= table.rows(wanted)
        inlined += _inlined(unit, table.files, wanted)
    deepest = tuple(sorted(inlined, key=lambda one: -one.depth))
    ordered = sorted(rows)
    return Lines(tuple(ordered), tuple(rows[address] for address in ordered), deepest)


_SUBPROGRAM = frozenset({TAG["subprogram"]})
_INLINED = frozenset({TAG["inlined_subroutine"]})


def _inlined(unit: Unit, files: Mapping[int, str], wanted: tuple[Extent, ...]) -> Iterator[Inlined]:
    # Blocks and types may hold functions in C only through GNU nested ones, which the kernel bans.
    for function in unit.entries(unit.first, _SUBPROGRAM, _SUBPROGRAM):
        if not _overlap(unit.ranges(function), wanted):
            continue
        for entry in unit.entries(function.offset, _INLINED, frozenset()):
            place = (
                files.get(entry.integer(AT["call_file"]), ""),
                entry.integer(AT["call_line"]),
            )
            yield Inlined(unit.ranges(entry), entry.depth, place)


def _overlap(extents: tuple[Extent, ...], wanted: tuple[Extent, ...]) -> bool:
    return any(
        start < other_end and other < end for start, end in extents for other, other_end in wanted
    )


class _Program:
    __slots__ = (
        *("_advance", "_base", "_end", "_folder", "_lengths", "_reader", "_span", "_unit"),
        "files",
    )

    def __init__(self, unit: Unit, reader: Reader, folder: str) -> None:
        self._unit = unit
        self._folder = folder
        self._reader = reader
        length = reader.number(4)
        self._end = reader.at + length
        version = reader.number(2)
        if version >= 5:
            reader.number(2)  # sizes of an address and of a segment selector
        header = reader.number(4)
        program = reader.at + header
        self._advance = reader.number(1)
        if version >= 4:
            reader.number(1)  # operations per instruction
        reader.number(1)  # default of is_stmt
        self._base = reader.number(1, signed=True)
        self._span = reader.number(1)
        self._lengths = [0] + [reader.number(1) for _ in range(reader.number(1) - 1)]
        self.files = dict(self._tables() if version >= 5 else self._old_tables())
        reader.at = program

    def rows(self, wanted: tuple[Extent, ...]) -> dict[int, Place | None]:
        """Return the rows within the `wanted` stretches, by address."""
        found: dict[int, Place | None] = {}
        low = min((start for start, _ in wanted), default=0)
        high = max((end for _, end in wanted), default=0)
        for address, file, line, last in self._run():
            if last:
                found.setdefault(address, None)
            elif low <= address < high:
                found[address] = (self.files.get(file, ""), line)
        return found

    def _run(self) -> Iterator[tuple[int, int, int, bool]]:
        reader = self._reader
        first = len(self._lengths)
        constant = (255 - first) // self._span * self._advance
        address, file, line = 0, 1, 1
        while reader.at < self._end:
            code = reader.data[reader.at]
            reader.at += 1
            if code >= first:
                address += (code - first) // self._span * self._advance
                line += self._base + (code - first) % self._span
                yield address, file, line, False
            elif code == 0:
                end = reader.uleb() + reader.at
                kind = reader.number(1)
                if kind == 1:  # DW_LNE_end_sequence
                    yield address, file, line, True
                    address, file, line = 0, 1, 1
                elif kind == 2:  # DW_LNE_set_address
                    address = reader.number(end - reader.at)
                reader.at = end
            elif code == 1:  # DW_LNS_copy
                yield address, file, line, False
            elif code == 2:  # DW_LNS_advance_pc
                address += reader.uleb() * self._advance
            elif code == 3:  # DW_LNS_advance_line
                line += reader.sleb()
            elif code == 4:  # DW_LNS_set_file
                file = reader.uleb()
            elif code == 8:  # DW_LNS_const_add_pc
                address += constant
            elif code == 9:  # DW_LNS_fixed_advance_pc
                address += reader.number(2)
            else:
                for _ in range(self._lengths[code]):
                    reader.uleb()

    def _path(self, folder: str, name: str) -> str:
        return normpath(join(self._folder, folder, name))

    def _tables(self) -> Iterator[tuple[int, str]]:
        folders = [row.get("path", "") for row in self._entries()]
        for index, row in enumerate(self._entries()):
            place = int(row.get("directory", 0))
            yield index, self._path(str(folders[place]) if folders else "", str(row["path"]))

    def _entries(self) -> list[dict[str, str | int]]:
        reader = self._reader
        forms = [(reader.uleb(), reader.uleb()) for _ in range(reader.number(1))]
        return [
            {_NAMES.get(kind, "other"): self._field(form) for kind, form in forms}
            for _ in range(reader.uleb())
        ]

    def _field(self, number: int) -> str | int:
        value = self._unit.value(number, self._reader)
        return self._unit.text(value) if _is_string(value) else value.raw

    def _old_tables(self) -> Iterator[tuple[int, str]]:
        reader = self._reader
        folders = [""]
        while folder := reader.string():
            folders.append(folder)
        index = 1
        while name := reader.string():
            place, _, _ = reader.uleb(), reader.uleb(), reader.uleb()
            yield index, self._path(folders[place], name)
            index += 1


def _is_string(value: Value) -> bool:
    return isinstance(value.raw, str) or value.form.startswith(("strp", "strx", "line_strp"))
