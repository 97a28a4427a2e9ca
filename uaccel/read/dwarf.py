# SPDX-License-Identifier: GPL-2.0-only
"""DWARF 4 and 5 of one object: units and their entries, read only where asked for.

pyelftools reads a kernel object's entries in seconds; a study asks for some forty objects,
and for one subtree of each, so the rest must be stepped over quickly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from elftools.dwarf.enums import ENUM_DW_AT, ENUM_DW_FORM, ENUM_DW_RLE, ENUM_DW_TAG

from uaccel.errors import UserError
from uaccel.read.elf import Elf, relocated

TAG: Mapping[str, int] = {str(k)[7:]: v for k, v in ENUM_DW_TAG.items() if isinstance(v, int)}
AT: Mapping[str, int] = {str(k)[6:]: v for k, v in ENUM_DW_AT.items() if isinstance(v, int)}
_FORM = {str(k)[8:]: v for k, v in ENUM_DW_FORM.items() if isinstance(v, int)}
_RLE = {v: str(k)[7:] for k, v in ENUM_DW_RLE.items() if isinstance(v, int)}
_FORM_NAMES = {v: k for k, v in _FORM.items()}

_FIXED = {
    **dict.fromkeys(("data1", "ref1", "flag", "strx1", "addrx1"), 1),
    **dict.fromkeys(("data2", "ref2", "strx2", "addrx2"), 2),
    **dict.fromkeys(("strx3", "addrx3"), 3),
    **dict.fromkeys(("data4", "ref4", "strx4", "addrx4", "sec_offset", "strp", "line_strp"), 4),
    **dict.fromkeys(("ref_addr", "ref_sup4", "strp_sup"), 4),
    **dict.fromkeys(("data8", "ref8", "ref_sig8"), 8),
    "data16": 16,
    "flag_present": 0,
    "implicit_const": 0,
}
_ULEB = ("udata", "ref_udata", "strx", "addrx", "loclistx", "rnglistx")
_BLOCK = {"block1": 1, "block2": 2, "block4": 4}


class Reader:
    """A place in bytes that moves on with each thing that is read."""

    __slots__ = ("at", "big", "data")

    def __init__(self, data: bytes, at: int, big: bool) -> None:
        self.data = data
        self.at = at
        self.big = big

    def number(self, size: int, signed: bool = False) -> int:
        """Return the number of `size` bytes that stands here."""
        self.at += size
        word = self.data[self.at - size : self.at]
        return int.from_bytes(word, "big" if self.big else "little", signed=signed)

    def uleb(self) -> int:
        """Return the unsigned LEB128 number that stands here."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def sleb(self) -> int:
        """Return the signed LEB128 number that stands here."""
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def string(self) -> str:
        """Return the string that stands here."""
        end = self.data.index(b"\0", self.at)
        text = self.data[self.at : end].decode(errors="surrogateescape")
        self.at = end + 1
        return text


class Value(NamedTuple):
    """An attribute as it stands: its form tells what `raw` means."""

    form: str
    raw: int | str


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """The shape of entries of one kind."""

    tag: int
    children: bool
    attributes: tuple[tuple[int, str, int], ...]  # DW_AT, form, implicit constant
    size: int | None  # bytes of the attributes when every form has a fixed size


@dataclass(frozen=True, slots=True)
class Entry:
    """One debugging information entry."""

    offset: int  # in .debug_info
    depth: int  # 0 for the unit's own
    tag: int
    attributes: Mapping[int, Value]

    def integer(self, name: int, missing: int = 0) -> int:
        """Return the attribute `name` as a number, `missing` when there is none."""
        value = self.attributes.get(name)
        return value.raw if value is not None and isinstance(value.raw, int) else missing


@dataclass(frozen=True, slots=True)
class Debug:
    """The debug sections of an object, relocated."""

    big: bool
    sections: Mapping[str, bytes]

    def reader(self, section: str, at: int) -> Reader:
        """Return a reader that stands at byte `at` of `section`."""
        return Reader(self.sections[section], at, self.big)


@dataclass(frozen=True, slots=True)
class Unit:
    """One compilation unit."""

    debug: Debug
    start: int  # offset of its header, which references count from
    first: int  # offset of its first entry
    end: int
    version: int
    address_size: int  # bytes
    abbreviations: Mapping[int, Abbreviation]

    def entries(self, start: int, tags: frozenset[int], leave: frozenset[int]) -> Iterator[Entry]:
        """Yield entries of `tags` from `start` on; children of entries of `leave` are left out."""
        reader = self.debug.reader(".debug_info", start)
        depth = 0
        left: int | None = None  # depth of an entry whose children are left out
        while reader.at < self.end:
            offset = reader.at
            code = reader.uleb()
            if code == 0:
                depth -= 1
                if depth <= 0:
                    return
                if left is not None and depth <= left:
                    left = None
                continue
            shape = self.abbreviations[code]
            if left is None and shape.tag in tags:
                yield Entry(offset, depth, shape.tag, self._attributes(shape, reader))
            elif shape.size is not None:
                reader.at += shape.size
            else:
                for _, form, implicit in shape.attributes:
                    self._value(form, implicit, reader)
            if shape.children:
                if left is None and shape.tag in leave:
                    left = depth
                depth += 1
            elif depth == 0:
                return

    def entry(self, offset: int) -> Entry:
        """Return the entry at `offset` of .debug_info."""
        reader = self.debug.reader(".debug_info", offset)
        shape = self.abbreviations[reader.uleb()]
        return Entry(offset, 0, shape.tag, self._attributes(shape, reader))

    def value(self, form: int, reader: Reader) -> Value:
        """Return the attribute of that form which stands at the reader."""
        name = _FORM_NAMES[form]
        return Value(name, self._value(name, 0, reader))

    def root(self) -> Entry:
        """Return the unit's own entry."""
        return self.entry(self.first)

    def text(self, value: Value | None) -> str:
        """Return the string that `value` stands for, "" for none."""
        if value is None or isinstance(value.raw, str):
            return "" if value is None else str(value.raw)
        if value.form in ("strp", "line_strp"):
            return self.debug.reader(f".debug_{value.form[:-1]}", value.raw).string()
        base = self.root().integer(AT["str_offsets_base"], 8)
        offset = self.debug.reader(".debug_str_offsets", base + 4 * value.raw).number(4)
        return self.debug.reader(".debug_str", offset).string()

    def reference(self, value: Value) -> int:
        """Return the offset of the entry that `value` refers to."""
        assert isinstance(value.raw, int)
        return value.raw if value.form == "ref_addr" else self.start + value.raw

    def address(self, value: Value) -> int:
        """Return the address that `value` stands for."""
        assert isinstance(value.raw, int)
        if value.form == "addr":
            return value.raw
        return self._indexed_address(value.raw)

    def ranges(self, entry: Entry) -> tuple[tuple[int, int], ...]:
        """Return the (start, end) addresses of the code of `entry`."""
        if AT["ranges"] in entry.attributes:
            value = entry.attributes[AT["ranges"]]
            assert isinstance(value.raw, int)
            old = self.version < 5
            return tuple(self._old_ranges(value.raw) if old else self._ranges(value))
        if AT["low_pc"] not in entry.attributes or AT["high_pc"] not in entry.attributes:
            return ()
        low = self.address(entry.attributes[AT["low_pc"]])
        high = entry.attributes[AT["high_pc"]]
        if high.form.startswith("addr"):
            return ((low, self.address(high)),)
        return ((low, low + int(high.raw)),)

    def _attributes(self, shape: Abbreviation, reader: Reader) -> Mapping[int, Value]:
        return {
            name: Value(form, self._value(form, implicit, reader))
            for name, form, implicit in shape.attributes
        }

    def _value(self, form: str, implicit: int, reader: Reader) -> int | str:
        if form in _FIXED:
            size = _FIXED[form]
            return reader.number(size) if size else (implicit if form == "implicit_const" else 1)
        if form in _ULEB:
            return reader.uleb()
        match form:
            case "addr":
                return reader.number(self.address_size)
            case "string":
                return reader.string()
            case "sdata":
                return reader.sleb()
            case "indirect":
                return self._value(_FORM_NAMES[reader.uleb()], implicit, reader)
        size = reader.number(_BLOCK[form]) if form in _BLOCK else reader.uleb()
        reader.at += size
        return 0

    def _low(self) -> int:
        root = self.root()
        return self.address(root.attributes[AT["low_pc"]]) if AT["low_pc"] in root.attributes else 0

    def _indexed_address(self, index: int) -> int:
        base = self.root().integer(AT["addr_base"], 8)
        at = base + self.address_size * index
        return self.debug.reader(".debug_addr", at).number(self.address_size)

    def _old_ranges(self, offset: int) -> Iterator[tuple[int, int]]:
        reader = self.debug.reader(".debug_ranges", offset)
        base = self._low()
        while True:
            start, end = reader.number(self.address_size), reader.number(self.address_size)
            if start == end == 0:
                return
            if start == (1 << 8 * self.address_size) - 1:
                base = end
            else:
                yield base + start, base + end

    def _ranges(self, value: Value) -> Iterator[tuple[int, int]]:
        offset = int(value.raw)
        if value.form == "rnglistx":
            lists = self.root().integer(AT["rnglists_base"], 12)
            offset = lists + self.debug.reader(".debug_rnglists", lists + 4 * offset).number(4)
        reader = self.debug.reader(".debug_rnglists", offset)
        base = self._low()
        size = self.address_size
        while True:
            match _RLE[reader.number(1)]:
                case "end_of_list":
                    return
                case "base_addressx":
                    base = self._indexed_address(reader.uleb())
                case "base_address":
                    base = reader.number(size)
                case "offset_pair":
                    yield base + reader.uleb(), base + reader.uleb()
                case "start_end":
                    yield reader.number(size), reader.number(size)
                case "start_length":
                    start = reader.number(size)
                    yield start, start + reader.uleb()
                case "startx_endx":
                    yield self._indexed_address(reader.uleb()), self._indexed_address(reader.uleb())
                case "startx_length":
                    start = self._indexed_address(reader.uleb())
                    yield start, start + reader.uleb()


_SECTIONS = (
    ".debug_info .debug_abbrev .debug_str .debug_line_str .debug_str_offsets .debug_addr"
    " .debug_line .debug_ranges .debug_rnglists"
).split()


def read_debug(elf: Elf) -> Debug:
    """Return the relocated debug sections of an object; those it lacks are empty."""
    return Debug(elf.big, {name: relocated(elf, name) for name in _SECTIONS})


def units(debug: Debug) -> Iterator[Unit]:
    """Yield the compilation units of an object."""
    at = 0
    while at < len(debug.sections[".debug_info"]):
        reader = debug.reader(".debug_info", at)
        length = reader.number(4)
        if length == 0xFFFFFFFF:
            raise UserError("debug information in the 64-bit DWARF format cannot be read")
        end = reader.at + length
        version = reader.number(2)
        if version not in (4, 5):
            raise UserError(f"debug information of DWARF {version} cannot be read, only 4 and 5")
        if version == 5:
            kind, address_size, table = reader.number(1), reader.number(1), reader.number(4)
        else:
            kind, table, address_size = 1, reader.number(4), reader.number(1)
        if kind == 1:  # DW_UT_compile
            shapes = _abbreviations(debug, table, address_size)
            yield Unit(debug, at, reader.at, end, version, address_size, shapes)
        at = end


def _abbreviations(debug: Debug, at: int, address_size: int) -> Mapping[int, Abbreviation]:
    reader = debug.reader(".debug_abbrev", at)
    shapes = {}
    while code := reader.uleb():
        tag = reader.uleb()
        children = reader.number(1) == 1
        attributes = tuple(_attribute_rows(reader))
        shapes[code] = Abbreviation(tag, children, attributes, _size(attributes, address_size))
    return shapes


def _attribute_rows(reader: Reader) -> Iterator[tuple[int, str, int]]:
    while True:
        name, number = reader.uleb(), reader.uleb()
        if name == number == 0:
            return
        form = _FORM_NAMES[number]
        yield name, form, reader.sleb() if form == "implicit_const" else 0


def _size(attributes: tuple[tuple[int, str, int], ...], address_size: int) -> int | None:
    sizes = [address_size if form == "addr" else _FIXED.get(form) for _, form, _ in attributes]
    return None if None in sizes else sum(size for size in sizes if size is not None)
