# SPDX-License-Identifier: GPL-2.0-only
"""Take a cluster apart into scalar transfers: a struct copy becomes its fields.

A copy may only be written field by field when the fields are all its bytes, on every
architecture whose layout is known: what is left over would be left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from uaccel.ctext import one_line
from uaccel.model.source import Access, Function, Layout, Layouts, Member

UNBUILT = "no object that was built tells"
WORD = 4  # bytes: what lies at a multiple of them is no struct packed by hand

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^[ \t]*#(?:[^\n\\]|\\.)*", re.DOTALL | re.MULTILINE)
_QUALIFIER = r"(?:const|volatile|static|register|__user|__force)"
_TYPE = (
    rf"(?:(?:{_QUALIFIER}|struct|union|enum|unsigned|signed|long|short)\s+)*"
    r"(?!(?:return|goto|else|case|sizeof|typedef|do|struct|union|enum)\b)\w+"
    r"(?:\s+(?:int|long|char|short)\b)*"
)
_DECLARATION = re.compile(rf"\s*({_TYPE})((?:\s|\*|\b{_QUALIFIER}\b)+)(\w+\b.*)", re.DOTALL)
_DECLARATOR = re.compile(rf"((?:\s|\*|\b{_QUALIFIER}\b)*)(\w+)\s*(\[.*\])?\s*(?:=.*)?", re.DOTALL)
_SYSCALL = re.compile(r"(?:COMPAT_)?SYSCALL(?:32)?_DEFINE\d\s*\(\s*\w+\s*,?")
_CAST = re.compile(rf"\(\s*({_TYPE})\s*(?:__user\s*)?\*\s*\)")
_SIZEOF = re.compile(rf"\bsizeof\(\s*({_TYPE})\s*\)")
_BYTES = ("void", "char", "unsigned char", "signed char")  # behind these lies anything


@dataclass(frozen=True, slots=True)
class Scalar:
    """One transfer of 1, 2, 4 or 8 bytes."""

    value: str  # C, the kernel's side
    pointer: str  # C, the user's side
    checked: bool  # the accessor that stands there checks the range itself


@dataclass(frozen=True, slots=True)
class Whole:
    """A copy that cannot be taken apart."""

    why: str  # one sentence


def scalars(
    function: Function, access: Access, layouts: tuple[Layouts, ...]
) -> tuple[Scalar, ...] | Whole:
    """Return the scalar transfers that `access` consists of, or why it must stay whole."""
    quote = function.source.quote
    checked = not access.accessor.startswith("__")
    if not access.copies:
        return (Scalar(quote(access.value), quote(access.pointer), checked),)
    if access.accessor.endswith("_inatomic"):
        return Whole(f"`{access.accessor}()` is for atomic context, get_user() may sleep")
    integer = _integer(function, access, layouts) if layouts else None
    if integer is not None:
        return (integer,)
    base = dict(function.pointers).get(access.base or "")
    if base is None or access.path is None or access.size is None:
        return Whole("a copy goes to a pointer whose struct is not known")
    kernel = _kernel_struct(function, quote(access.value), layouts)
    if not layouts:
        return Whole(f"how struct {base} is laid out is not known: {UNBUILT}")
    found: set[tuple[str, ...]] = set()
    for known in layouts:
        user = struct_at(known, base, access.path)
        fields = _fields_of(function, access, known, user, kernel)
        if isinstance(fields, Whole):
            return fields
        found.add(fields)
    if len(found) > 1:
        return Whole("the struct has other fields on other architectures")
    (paths,) = found
    value, pointer = _members_of(quote(access.value)), _user_place(access)
    return tuple(Scalar(f"{value}{path}", f"&{pointer}{path}", checked) for path in paths)


def struct_at(known: Layouts, tag: str, path: str) -> Layout | None:
    """Return the struct that stands at the end of a member `path` of struct `tag`."""
    layout = known.find(tag)
    for name in path.split(".") if path else ():
        member = _member(layout.members, name) if layout is not None else None
        if member is None or member.kind not in ("struct", "union"):
            return None
        layout = Layout(member.struct or "", member.size, member.members)
    return layout


def leaves(members: tuple[Member, ...], prefix: str = "", at: int = 0) -> Iterator[Member]:
    """Yield the members that are no struct, named by their whole path, offsets from the start."""
    for member in members:
        name = f"{prefix}.{member.name}".strip(".") if member.name else prefix
        if member.kind == "struct":
            yield from leaves(member.members, name, at + member.offset)
        else:
            yield replace(member, name=name, offset=at + member.offset, members=())


def gap(layout: Layout) -> str | None:
    """Return a sentence on bytes of `layout` that no scalar covers, or None when there are none."""
    covered = 0
    for leaf in leaves(layout.members):
        if leaf.size == 0:
            continue
        if leaf.kind != "scalar" or leaf.size not in (1, 2, 4, 8):
            kind = {"union": "a union", "array": "an array", "bitfield": "a bit-field"}
            name = f"`{leaf.name}`" if leaf.name else "a member without a name"
            return f"{name} is {kind.get(leaf.kind, 'no scalar')}"
        if leaf.offset != covered:
            return f"{leaf.offset - covered} bytes before `{leaf.name}` are padding"
        covered = leaf.offset + leaf.size
    return (
        f"{layout.size - covered} bytes at its end are padding" if covered < layout.size else None
    )


def _fields_of(
    function: Function, access: Access, known: Layouts, user: Layout | None, kernel: str | None
) -> tuple[str, ...] | Whole:
    if user is None:
        return Whole(f"the struct behind `{function.source.quote(access.pointer)}` is not known")
    if not user.struct:
        return Whole(f"the struct behind `{function.source.quote(access.pointer)}` has no name")
    if kernel is None or kernel != user.struct:
        return Whole(f"the kernel's side of the copy is not known to be a struct {user.struct}")
    if not _is_size_of(function, access, user):
        return Whole("the size of the copy is not known to be that of the struct")
    why = gap(user)
    if why is not None:
        return Whole(
            f"field by field, some bytes of struct {user.struct} would be left alone "
            f"that the copy carries: on {known.arch}, {why}"
        )
    fields = tuple(leaf for leaf in leaves(user.members) if leaf.size)
    odd = next((leaf for leaf in fields if leaf.offset % min(leaf.size, WORD)), None)
    if odd is not None:
        return Whole(
            f"on {known.arch}, `{odd.name}` lies unaligned: only a copy can be sure to reach it"
        )
    return tuple(leaf.name for leaf in fields)


def _kernel_struct(function: Function, value: str, layouts: tuple[Layouts, ...]) -> str | None:
    place = _place(function, value) if layouts else None
    layout = struct_at(layouts[0], *place) if place is not None else None
    return layout.struct if layout is not None else None


def _place(function: Function, value: str) -> tuple[str, str] | None:
    # Of the kernel's `&local.member`, `&pointer->member` or `pointer`: the struct and the path.
    text = value.replace(" ", "")
    found = re.fullmatch(r"&\(?(\w+)(?:(->|\.)(\w+(?:\.\w+)*))?\)?", text)
    name, arrow = (found[1], found[2] == "->") if found else (text, True)
    known = declared(function).get(name)
    if known is None or known.array or known.pointer is not arrow:
        return None
    tag = re.fullmatch(r"struct (\w+)", known.type)
    return (tag[1], (found[3] or "") if found else "") if tag is not None else None


def _is_size_of(function: Function, access: Access, user: Layout) -> bool:
    size = re.sub(r"\s+", " ", function.source.quote(access.length))
    value = function.source.quote(access.value).replace(" ", "")
    own = value.removeprefix("&") if value.startswith("&") else f"*{value}"
    same = {f"sizeof(struct {user.struct})", f"sizeof({own})"}
    if access.path == "":
        same.add(f"sizeof(*{access.base})")
    return size in same


def _member(members: tuple[Member, ...], name: str) -> Member | None:
    for member in members:
        if member.name == name:
            return member
        inner = _member(member.members, name) if not member.name else None
        if inner is not None:
            return inner
    return None


def _members_of(value: str) -> str:
    if not value.startswith("&"):
        return f"{value}->"
    return f"{_lvalue(value)}."


def _lvalue(value: str) -> str:
    return value.removeprefix("&").strip().removeprefix("(").removesuffix(")")


def _user_place(access: Access) -> str:
    return f"{access.base}->{access.path}." if access.path else f"{access.base}->"


@dataclass(frozen=True, slots=True)
class Declared:
    """What a function declares a name as."""

    type: str  # "unsigned int", "struct foo"
    pointer: bool
    array: bool


def declared(function: Function) -> Mapping[str, Declared]:
    """Return the parameters and variables of `function`; what has two types is left out."""
    return _declared(function.source.quote(function.span))


@lru_cache(maxsize=64)
def _declared(function: str) -> Mapping[str, Declared]:
    found: dict[str, set[Declared]] = {}
    for text in _statements(function):
        match = _DECLARATION.fullmatch(text)
        if match is None:
            continue
        first, *others = _parts(match[2] + match[3])
        for part in (first, *others):
            one = _DECLARATOR.fullmatch(part)
            if one is None:
                break
            kind = Declared(_plain(match[1]), "*" in one[1], bool(one[3]))
            several = one[1].count("*") > 1
            found.setdefault(one[2], set()).add(replace(kind, type="") if several else kind)
    return {name: next(iter(kinds)) for name, kinds in found.items() if len(kinds) == 1}


def named_types(function: Function) -> tuple[str, ...]:
    """Return the types that copies of `function` may be of, as they are written there."""
    text = function.source.quote(function.span)
    types = {one.type for one in declared(function).values()}
    types |= {_plain(found) for regex in (_CAST, _SIZEOF) for found in regex.findall(text)}
    return tuple(sorted(one for one in types if one and not one.startswith(("struct ", "union "))))


def asked_structs(function: Function) -> tuple[str, ...]:
    """Return the tags of the structs on the kernel's side of the copies of `function`."""
    accesses = (access for cluster in function.clusters for access in cluster.accesses)
    values = (function.source.quote(access.value) for access in accesses if access.copies)
    return tuple(sorted({place[0] for one in values if (place := _place(function, one))}))


def _statements(function: str) -> list[str]:
    text = _COMMENT.sub(" ", function)
    head, _, body = text.partition("{")
    syscall = _SYSCALL.match(head)
    inside = head[syscall.end() :] if syscall is not None else head.partition("(")[2]
    given = _parts(inside.rpartition(")")[0])
    if syscall is not None:
        given = [" ".join(pair) for pair in zip(given[::2], given[1::2], strict=False)]
    return [*given, *re.split(r"[;{}]", body)]


def _parts(text: str) -> list[str]:
    # At the commas that stand in no brackets.
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _plain(type_: str) -> str:
    return " ".join(re.sub(rf"\b{_QUALIFIER}\b", " ", type_).split())


def _integer(function: Function, access: Access, layouts: tuple[Layouts, ...]) -> Scalar | None:
    # A copy of one integer is one transfer, where both sides have its size in every model.
    value = _kernel_integer(function, function.source.quote(access.value), layouts)
    if value is None:
        return None
    lvalue, type_, sizes = value
    pointer = _user_integer(function, access, layouts)
    text = one_line(function.source.quote(access.pointer))
    if pointer is None and type_ and set(sizes) == {1} and _bytes_behind(function, text):
        place = text if re.fullmatch(r"\w+", text) else f"({text})"
        pointer = f"({type_} __user *){place}", sizes
    if pointer is None or pointer[1] != sizes or _size(function, access, layouts) != sizes:
        return None
    return Scalar(lvalue, pointer[0], not access.accessor.startswith("__"))


_Sizes = tuple[int | None, ...]  # bytes, one for each of the layouts


def _kernel_integer(
    function: Function, value: str, layouts: tuple[Layouts, ...]
) -> tuple[str, str, _Sizes] | None:
    text = value.replace(" ", "")
    known = declared(function).get(text.removeprefix("&"))
    if known is not None and not known.array and known.pointer is not text.startswith("&"):
        sizes = _integers(layouts, known.type)
        lvalue = text.removeprefix("&") if text.startswith("&") else f"*{text}"
        return (lvalue, known.type, sizes) if sizes else None
    place = _place(function, value) if text.startswith("&") else None
    sizes = _leaf_sizes(layouts, *place) if place is not None else ()
    return (_lvalue(value), "", sizes) if sizes else None


def _user_integer(
    function: Function, access: Access, layouts: tuple[Layouts, ...]
) -> tuple[str, _Sizes] | None:
    text = one_line(function.source.quote(access.pointer))
    tag = dict(function.pointers).get(access.base or "")
    if tag is not None and access.path:
        sizes = _leaf_sizes(layouts, tag, access.path)
        return (text, sizes) if sizes else None
    cast = _CAST.match(re.sub(r"^\d+ \+ ", "", text))
    if cast is not None:
        sizes = _integers(layouts, _plain(cast[1]))
        return (text, sizes) if sizes and "__user" in cast[0] else None
    name = re.fullmatch(r"(\w+)(?:\+\+| ?\+ ?\w+)?|&(\w+)\[\w+\]", text)
    known = declared(function).get(name[1] or name[2]) if name is not None else None
    if known is None or not known.pointer or known.array or known.type in _BYTES:
        return None
    sizes = _integers(layouts, known.type)
    return (text, sizes) if sizes else None


def _bytes_behind(function: Function, text: str) -> bool:
    name = re.fullmatch(r"(\w+)(?: ?\+ ?\w+)?|(\w+) ?\+ ?\(.*", text)
    known = declared(function).get(name[1] or "") if name is not None else None
    return known is not None and known.pointer and not known.array and known.type in _BYTES


def _integers(layouts: tuple[Layouts, ...], type_: str) -> _Sizes:
    sizes = tuple(dict(one.integers).get(type_) for one in layouts)
    return () if None in sizes else sizes


def _leaf_sizes(layouts: tuple[Layouts, ...], tag: str, path: str) -> _Sizes:
    parent, _, name = path.rpartition(".")
    sizes: list[int | None] = []
    for known in layouts:
        struct = struct_at(known, tag, parent)
        found = [one for one in leaves(struct.members) if one.name == name] if struct else []
        if len(found) != 1 or not found[0].integer or found[0].offset % min(found[0].size, WORD):
            return ()
        sizes.append(found[0].size)
    return tuple(sizes)


def _size(function: Function, access: Access, layouts: tuple[Layouts, ...]) -> _Sizes:
    text = one_line(function.source.quote(access.length)).replace("( ", "(").replace(" )", ")")
    if text.isdigit():
        return tuple(int(text) for _ in layouts)
    inside = re.fullmatch(r"sizeof\((.*)\)|sizeof (\w+)", text)
    if inside is None:
        return ()
    what = inside[1] or inside[2]
    value = one_line(function.source.quote(access.value))
    if what == (value.removeprefix("&") if value.startswith("&") else f"*{value}"):
        found = _kernel_integer(function, value, layouts)
        return found[2] if found is not None else ()
    pointer = one_line(function.source.quote(access.pointer))
    if what in (f"*{pointer}", pointer.removeprefix("&") if pointer.startswith("&") else ""):
        its = _user_integer(function, access, layouts)
        return its[1] if its is not None else ()
    return _integers(layouts, _plain(what))
