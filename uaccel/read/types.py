# SPDX-License-Identifier: GPL-2.0-only
"""How a compiler laid out structs, from the debug information of an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from uaccel.model.source import Layout, Layouts, Member
from uaccel.read.dwarf import AT, TAG, Entry, Unit, Value, read_debug, units
from uaccel.read.elf import read_elf

_AGGREGATES = {TAG["structure_type"]: "struct", TAG["union_type"]: "union"}
_PEELED = frozenset(
    TAG[name] for name in ("typedef", "const_type", "volatile_type", "restrict_type", "atomic_type")
)
_AGGREGATE_TAGS = frozenset(_AGGREGATES)
_MEMBER = frozenset({TAG["member"]})
_SUBRANGE = frozenset({TAG["subrange_type"]})
_LEAVES = _AGGREGATE_TAGS | {TAG["subprogram"]}


def read_layouts(data: bytes, arch: str, tags: tuple[str, ...]) -> Layouts:
    """Return the structs and unions called `tags`, and all that they contain."""
    found: dict[str, Layout] = {}
    for unit in units(read_debug(read_elf(data))):
        wanted = frozenset(tags) - found.keys()
        # Types of a unit are its children; those that a function declares are out of reach.
        for entry in unit.entries(unit.first, _AGGREGATE_TAGS, _LEAVES):
            tag = unit.text(entry.attributes.get(AT["name"]))
            if tag in wanted and not _declared_only(entry):
                found[tag] = Layout(tag, entry.integer(AT["byte_size"]), _members(unit, entry))
    inner = {
        member.struct: Layout(member.struct, member.size, member.members)
        for layout in found.values()
        for member in _all(layout.members)
        if member.struct is not None
    }
    both = {**inner, **found}
    return Layouts(arch, tuple(both[tag] for tag in sorted(both)))


def _all(members: tuple[Member, ...]) -> Iterator[Member]:
    for member in members:
        yield member
        yield from _all(member.members)


def _declared_only(entry: Entry) -> bool:
    return bool(entry.integer(AT["declaration"]))


def _members(unit: Unit, aggregate: Entry) -> tuple[Member, ...]:
    children = unit.entries(aggregate.offset, _MEMBER, frozenset())
    return tuple(_member(unit, entry) for entry in children if entry.depth == 1)


def _member(unit: Unit, entry: Entry) -> Member:
    kind = _type(unit, entry.attributes)
    bits = AT["bit_size"] in entry.attributes
    return Member(
        name=unit.text(entry.attributes.get(AT["name"])),
        offset=_offset(entry),
        size=kind.size,
        kind="bitfield" if bits else kind.kind,
        struct=None if bits else kind.struct,
        members=() if bits else kind.members,
    )


def _offset(entry: Entry) -> int:
    if AT["data_bit_offset"] in entry.attributes:
        return entry.integer(AT["data_bit_offset"]) // 8
    return entry.integer(AT["data_member_location"])


@dataclass(frozen=True, slots=True)
class _Type:
    kind: str
    size: int  # bytes
    struct: str | None
    members: tuple[Member, ...]


def _type(unit: Unit, attributes: Mapping[int, Value]) -> _Type:
    entry = _peeled(unit, attributes)
    if entry is None:
        return _Type("scalar", 0, None, ())
    if entry.tag in _AGGREGATES:
        tag = unit.text(entry.attributes.get(AT["name"])) or None
        size = entry.integer(AT["byte_size"])
        return _Type(_AGGREGATES[entry.tag], size, tag, _members(unit, entry))
    if entry.tag == TAG["array_type"]:
        return _Type("array", _array_size(unit, entry), None, ())
    return _Type("scalar", entry.integer(AT["byte_size"], unit.address_size), None, ())


def _peeled(unit: Unit, attributes: Mapping[int, Value]) -> Entry | None:
    value = attributes.get(AT["type"])
    while value is not None:
        entry = unit.entry(unit.reference(value))
        if entry.tag not in _PEELED:
            return entry
        value = entry.attributes.get(AT["type"])
    return None


def _array_size(unit: Unit, entry: Entry) -> int:
    if AT["byte_size"] in entry.attributes:
        return entry.integer(AT["byte_size"])
    count = 1
    for bound in unit.entries(entry.offset, _SUBRANGE, frozenset()):
        if AT["count"] in bound.attributes:
            count *= bound.integer(AT["count"])
        else:
            count *= bound.integer(AT["upper_bound"], -1) + 1
    return count * _type(unit, entry.attributes).size
