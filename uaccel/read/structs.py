# SPDX-License-Identifier: GPL-2.0-only
"""How structs are laid out, worked out from their C: what cannot be resolved is unknown.

A name that has several definitions, one per architecture for instance, is known only when all
of them come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from uaccel.model.source import Layout, Layouts, Member
from uaccel.read.conditions import DataModel
from uaccel.read.constants import Constants, enum_fits
from uaccel.read.declarators import Attributes, Tokens
from uaccel.read.definitions import Definition, Header, Names, live

_QUALIFIERS = frozenset(
    "const volatile __user __kernel __iomem __percpu __rcu __force __bitwise __restrict __private "
    "__nonstring extern __extension__".split()
)
_BUILTIN = frozenset(
    "unsigned signed __signed__ int char short long _Bool float double void".split()
)
_SIZES = {"_Bool": 1, "char": 1, "short": 2, "int": 4, "float": 4, "double": 8}
_AGGREGATES = ("struct", "union")


@dataclass(frozen=True, slots=True)
class _Type:
    kind: str  # as in Member; "opaque": only a pointer to it has a size
    size: int  # bytes
    align: int  # bytes
    struct: str | None = None
    members: tuple[Member, ...] = ()
    integer: bool = False
    aligned: bool = False  # it says itself how it is aligned


@dataclass(frozen=True, slots=True)
class _Field:
    name: str  # "" for an anonymous struct or union
    type: _Type
    bits: int | None
    attributes: Attributes


_OPAQUE = _Type("opaque", 0, 1)


def read_structs(
    headers: Iterable[Header], model: DataModel, tags: Iterable[str], names: Iterable[str]
) -> Layouts:
    """Return the structs called `tags`, all that they contain, and the integer types `names`."""
    types = Types(tuple(headers), model)
    found = {tag: one for tag in tags if (one := types.layout(tag)) is not None}
    inner = {one.struct: one for layout in found.values() for one in _inner(layout.members)}
    both = {**inner, **found}
    scalars = ((name, types.integer(name)) for name in sorted(set(names)))
    known = tuple((name, size) for name, size in scalars if size is not None)
    return Layouts(model.name, tuple(both[tag] for tag in sorted(both)), known)


def _inner(members: tuple[Member, ...]) -> Iterable[Layout]:
    for member in members:
        if member.struct is not None:
            yield Layout(member.struct, member.size, member.members)
        yield from _inner(member.members)


class Types:
    """The types that some headers define, under one data model."""

    def __init__(self, headers: tuple[Header, ...], model: DataModel) -> None:
        self._names = Names(headers, model)
        self._constants = Constants(self._names)
        self._model = model
        self._known: dict[tuple[str, str], _Type | None] = {}

    def layout(self, tag: str) -> Layout | None:
        """Return how struct `tag` is laid out, None when that is not known."""
        found = self._tagged("struct", tag)
        return Layout(tag, found.size, found.members) if found is not None else None

    def integer(self, name: str) -> int | None:
        """Return the bytes of the integer type called `name`, None when it is not known as one."""
        fields = self._fields(Tokens(f"{name} x;"))
        if fields is None or len(fields) != 1 or fields[0].attributes.aligned is not None:
            return None
        (field,) = fields
        return field.type.size if field.type.integer and not field.type.aligned else None

    def _tagged(self, kind: str, tag: str) -> _Type | None:
        if (kind, tag) not in self._known:
            self._known[kind, tag] = None  # a struct that holds itself is none
            if not self._names.of("define", tag):
                every = [self._body(one) for one in self._names.of(kind, tag)]
                self._known[kind, tag] = _agreed(every)
        return self._known[kind, tag]

    def _named(self, name: str) -> _Type | None:
        if ("typedef", name) not in self._known:
            self._known["typedef", name] = None
            typedefs = (*self._names.of("typedef", name), *self._names.of("define", name))
            self._known["typedef", name] = _agreed([self._meaning(one) for one in typedefs])
        return self._known["typedef", name]

    def _body(self, definition: Definition) -> _Type | None:
        text = live(definition.text, self._model)
        if text is None:
            return None
        tokens = Tokens(text + ";")
        if definition.kind == "enum":
            found = self._enumeration(tokens)
        else:
            found = self._aggregate(tokens, definition.kind, definition.name)
        return found if tokens.is_at(";") else None

    def _meaning(self, definition: Definition) -> _Type | None:
        text = live(definition.text, self._model)
        if text is None:
            return None
        name = definition.name
        if definition.kind == "define":
            text, name = f"{text} x", "x"
        fields = self._fields(Tokens(text + ";"))
        field = next((one for one in fields or () if one.name == name), None)
        if field is None or field.bits is not None or field.attributes.packed:
            return None
        aligned = field.attributes.aligned
        return replace(field.type, align=aligned, aligned=True) if aligned else field.type

    def _aggregate(self, tokens: Tokens, kind: str, tag: str | None) -> _Type | None:
        # Behind the tag: `{ ... }` and attributes.
        if not tokens.take("{"):
            return None
        fields = self._fields(tokens)
        if fields is None or not tokens.take("}"):
            return None
        attributes = tokens.attributes()
        return _laid(kind, tag, fields, attributes, self._model) if attributes else None

    def _enumeration(self, tokens: Tokens) -> _Type | None:
        body = tokens.group("{", "}")
        attributes = tokens.attributes()
        if body is None or attributes != Attributes() or not enum_fits(body):
            return None
        return _Type("scalar", 4, 4, integer=True)

    def _fields(self, tokens: Tokens) -> list[_Field] | None:
        # Declarations up to `}` or the end.
        fields: list[_Field] = []
        while not tokens.is_at("}") and not tokens.is_at(""):
            declared = self._declaration(tokens)
            if declared is None:
                return None
            fields += declared
        return fields

    def _declaration(self, tokens: Tokens) -> list[_Field] | None:
        first = tokens.attributes(_QUALIFIERS)
        base = self._specifiers(tokens) if first is not None else None
        second = tokens.attributes(_QUALIFIERS)
        if base is None or first is None or second is None:
            return None
        before = first.joined(second)
        if tokens.take(";"):
            # An enum that is only declared is no member; what else has no name is anonymous.
            if base.kind not in _AGGREGATES:
                return [] if base.integer and before == Attributes() else None
            return [_Field("", base, None, before)] if base.struct is None else None
        fields: list[_Field] = []
        while True:
            field = self._declarator(tokens, base, before)
            if field is None:
                return None
            fields.append(field)
            if tokens.take(";"):
                return fields
            if not tokens.take(","):
                return None

    def _specifiers(self, tokens: Tokens) -> _Type | None:
        words: list[str] = []
        while tokens.next in _BUILTIN or (words and tokens.next in _QUALIFIERS):
            words.append(tokens.word())
        if words:
            return _builtin([word for word in words if word in _BUILTIN], self._model)
        if tokens.next in (*_AGGREGATES, "enum"):
            return self._tag(tokens, tokens.word())
        name = tokens.word()
        if not name.isidentifier() or tokens.is_at("("):
            return None
        return self._named(name) or _OPAQUE

    def _tag(self, tokens: Tokens, kind: str) -> _Type | None:
        before = tokens.attributes()
        tag = tokens.word() if tokens.next.isidentifier() else None
        if before is None or before.aligned is not None:
            return None
        if not tokens.is_at("{"):
            known = self._tagged(kind, tag) if tag is not None else None
            return None if before.packed else known or _OPAQUE
        if kind == "enum":
            return self._enumeration(tokens) if not before.packed else None
        found = self._aggregate(tokens, kind, tag)
        return found if not before.packed else None

    def _declarator(self, tokens: Tokens, base: _Type, before: Attributes) -> _Field | None:
        pointer, name = tokens.declarator(_QUALIFIERS)
        if name is None:
            return None
        word = self._model.word
        kind = _Type("scalar", word, word) if pointer else base
        for size in reversed(tokens.dimensions()):
            count = self._constants.number(size) if size else 0
            if count is None or kind.kind == "opaque":
                return None
            kind = _Type("array", count * kind.size, kind.align, aligned=kind.aligned)
        bits = None
        if tokens.take(":"):
            bits = self._constants.number((tokens.word(),))
            if not bits:
                return None
        after = tokens.attributes(_QUALIFIERS)
        if after is None or kind.kind == "opaque":
            return None
        return _Field(name, kind, bits, before.joined(after))


def _agreed(every: list[_Type | None]) -> _Type | None:
    return every[0] if len(set(every)) == 1 else None


def _builtin(words: list[str], model: DataModel) -> _Type | None:
    if words == ["void"]:
        return _OPAQUE
    kinds = [word for word in words if word in ("char", "short", "float", "double", "_Bool")]
    longs = words.count("long")
    if len(kinds) > 1 or longs > 2 or (longs and kinds):
        return None
    size = {1: model.word, 2: 8}.get(longs) or _SIZES[kinds[0] if kinds else "int"]
    integer = not kinds or kinds[0] in ("char", "short")
    return _Type("scalar", size, min(size, model.wide) if size == 8 else size, integer=integer)


def _laid(
    kind: str, tag: str | None, fields: list[_Field], attributes: Attributes, model: DataModel
) -> _Type | None:
    at, align, size = 0, 1, 0  # bits, bytes, bits
    members: list[Member] = []
    for field in fields:
        start = 0 if kind == "union" else at
        mine = _alignment(field, attributes.packed)
        if mine is None:
            return None
        if field.bits is not None:
            if attributes.packed or not _may_hold(field, model):
                return None
            unit = 8 * field.type.size
            end = start % unit + field.bits
            start = start if end <= unit else _up(start, unit)
            at = start + field.bits
        else:
            start = _up(start, 8 * mine)
            at = start + 8 * field.type.size
        size, align = max(size, at), max(align, mine)
        members.append(_member(field, start // 8))
    align = max(align, attributes.aligned or 1)
    whole = _up(size, 8 * align) // 8
    return _Type(kind, whole, align, tag, tuple(members), aligned=attributes.aligned is not None)


def _alignment(field: _Field, packed: bool) -> int | None:
    own = field.attributes.aligned
    if field.attributes.packed and not packed:
        return own or 1
    if not packed:
        return max(own or 1, field.type.align)
    return None if field.type.aligned else own or 1


def _may_hold(field: _Field, model: DataModel) -> bool:
    # Bit-fields of types that are aligned to less than their size are laid out otherwise.
    kind = field.type
    plain = field.attributes == Attributes() and not kind.aligned and kind.align == kind.size
    small = field.bits is not None and field.bits <= 8 * kind.size
    return kind.kind == "scalar" and kind.integer and plain and small and kind.size <= model.wide


def _member(field: _Field, offset: int) -> Member:
    kind = field.type
    if field.bits is not None:
        return Member(field.name, offset, kind.size, "bitfield", None, ())
    return Member(field.name, offset, kind.size, kind.kind, kind.struct, kind.members, kind.integer)


def _up(bits: int, unit: int) -> int:
    return -(-bits // unit) * unit
