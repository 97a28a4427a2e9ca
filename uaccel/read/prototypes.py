# SPDX-License-Identifier: GPL-2.0-only
"""Prototypes and types of an object, from its debug information, each read when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from uaccel.model.kinds import Kind, Part, Prototype, Shape
from uaccel.read.dwarf import AT, TAG, Entry, Unit, read_debug, units
from uaccel.read.elf import read_elf

_FUNCTION = TAG["subprogram"]
_AGGREGATES = frozenset({TAG["structure_type"], TAG["union_type"]})
_TOP = _AGGREGATES | {_FUNCTION}
_WITHIN = frozenset({TAG["lexical_block"], TAG["inlined_subroutine"]})
_PARAMETER = frozenset({TAG["formal_parameter"]})
_MORE = frozenset({TAG["unspecified_parameters"]})
_MEMBER = frozenset({TAG["member"]})
_RANGE = frozenset({TAG["subrange_type"]})
_QUALIFIERS = frozenset(
    TAG[name] for name in ("const_type", "volatile_type", "restrict_type", "atomic_type")
)
_NUMBERS = frozenset({TAG["base_type"], TAG["enumeration_type"]})
_LOCALS = frozenset({TAG["variable"]})
_INLINED = frozenset({TAG["inlined_subroutine"]})
_TRUTH = 2  # DW_ATE_boolean
_SIGNED = frozenset({5, 6})  # DW_ATE_signed, DW_ATE_signed_char
_VOID = Kind(Shape.NOTHING, 0)


class Prototypes:
    """What an object says of the functions that it defines or calls, and of their types."""

    __slots__ = ("_functions", "_kinds", "_tags", "_units")

    def __init__(self, data: bytes) -> None:
        self._units = tuple(units(read_debug(read_elf(data))))
        self._kinds: dict[int, Kind] = {}
        self._functions: dict[str, tuple[Unit, Entry]] = {}
        self._tags: dict[str, int] = {}
        for unit in self._units:
            for entry in unit.entries(unit.first, _TOP, _TOP):
                self._note(unit, entry)

    def function(self, name: str) -> Prototype | None:
        """Return the prototype of the function called `name`, None where nothing tells."""
        found = self._functions.get(name)
        if found is None:
            return None
        unit, entry = found
        given = unit.entries(entry.offset, _PARAMETER, _WITHIN)
        return Prototype(
            name=name,
            parameters=tuple(
                (unit.text(one.attributes.get(AT["name"])), _type(unit, one))
                for one in given
                if one.depth == 1
            ),
            result=_type(unit, entry),
            variadic=any(True for _ in unit.entries(entry.offset, _MORE, frozenset())),
        )

    def code(self, number: int) -> Prototype:
        """Return what a function of the type with that number is called with."""
        unit, entry = self._bare(number)
        given = unit.entries(entry.offset, _PARAMETER, frozenset())
        parameters = tuple(("", _type(unit, one)) for one in given if one.depth == 1)
        return Prototype("", parameters, _type(unit, entry))

    def locals(self, name: str) -> tuple[int, ...]:
        """Return the types of the local variables of the function called `name`."""
        unit, entry = self._functions.get(name, (None, None))
        if unit is None or entry is None:
            return ()
        known = unit.entries(entry.offset, _LOCALS, _INLINED)
        return tuple(dict.fromkeys(k for k in (_type(unit, one) for one in known) if k is not None))

    def tagged(self, tag: str) -> int | None:
        """Return the number of `struct tag` or `union tag`, None where it is not described."""
        return self._tags.get(tag)

    def kind(self, number: int | None) -> Kind:
        """Return the type with that number; None stands for void."""
        if number is None:
            return _VOID
        found = self._kinds.get(number)
        if found is None:
            found = self._kinds[number] = self._read(number)
        return found

    def _note(self, unit: Unit, entry: Entry) -> None:
        name = unit.text(entry.attributes.get(AT["name"]))
        if not name:
            return
        if entry.tag == _FUNCTION:
            # A definition tells more than a declaration: the names of its parameters.
            if name not in self._functions or not entry.integer(AT["declaration"]):
                self._functions[name] = unit, entry
        elif not entry.integer(AT["declaration"]):
            self._tags.setdefault(name, entry.offset)

    def _bare(self, number: int) -> tuple[Unit, Entry]:
        unit = next(one for one in self._units if one.start <= number < one.end)
        entry = unit.entry(number)
        while entry.tag in _QUALIFIERS or entry.tag == TAG["typedef"]:
            inner = _type(unit, entry)
            if inner is None:
                break
            entry = unit.entry(inner)
        return unit, entry

    def _read(self, number: int) -> Kind:
        unit = next(one for one in self._units if one.start <= number < one.end)
        entry, name, constant = unit.entry(number), "", False
        while entry.tag in _QUALIFIERS or entry.tag == TAG["typedef"]:
            constant = constant or entry.tag == TAG["const_type"]
            name = name or unit.text(entry.attributes.get(AT["name"]))
            inner = _type(unit, entry)
            if inner is None:
                return Kind(Shape.NOTHING, 0, name, constant=constant)
            entry = unit.entry(inner)
        name = name or unit.text(entry.attributes.get(AT["name"]))
        size = entry.integer(AT["byte_size"])
        to = _type(unit, entry)
        if entry.tag in _NUMBERS:
            how = entry.integer(AT["encoding"])
            kind = Kind(Shape.NUMBER, size, name, constant=constant)
            return replace(kind, signed=how in _SIGNED, truth=how == _TRUTH)
        if entry.tag == TAG["pointer_type"]:
            return Kind(Shape.POINTER, size or unit.address_size, name, to, constant=constant)
        if entry.tag == TAG["subroutine_type"]:
            return Kind(Shape.CODE, 0, name, to)
        if entry.tag == TAG["array_type"]:
            count = _count(unit, entry)
            return Kind(Shape.ARRAY, count * self.kind(to).size, name, to, constant=constant)
        if entry.tag in _AGGREGATES:
            parts = tuple(_parts(unit, entry))
            shape = Shape.AGGREGATE if size else Shape.NOTHING
            return Kind(shape, size, name, parts=parts, constant=constant)
        return Kind(Shape.NOTHING, size, name, constant=constant)


def _type(unit: Unit, entry: Entry) -> int | None:
    value = entry.attributes.get(AT["type"])
    return None if value is None else unit.reference(value)


def _parts(unit: Unit, aggregate: Entry) -> Iterator[Part]:
    for one in unit.entries(aggregate.offset, _MEMBER, frozenset()):
        if one.depth == 1:
            bits = one.attributes.get(AT["data_bit_offset"])
            at = one.integer(AT["data_member_location"])
            offset = one.integer(AT["data_bit_offset"]) // 8 if bits is not None else at
            name = unit.text(one.attributes.get(AT["name"]))
            yield Part(name, offset, _type(unit, one), bits=AT["bit_size"] in one.attributes)


def _count(unit: Unit, entry: Entry) -> int:
    count = 1
    for bound in unit.entries(entry.offset, _RANGE, frozenset()):
        if AT["count"] in bound.attributes:
            count *= bound.integer(AT["count"])
        else:
            count *= bound.integer(AT["upper_bound"], -1) + 1
    return count
