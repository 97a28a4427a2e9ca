# SPDX-License-Identifier: GPL-2.0-only
"""Take a cluster apart into scalar transfers: a struct copy becomes its fields.

A copy may only be written field by field when the fields are all its bytes, on every
architecture whose layout is known: what is left over would be left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.source import Access, Function, Layout, Layouts, Member

UNBUILT = "no object that was built tells"
WORD = 4  # bytes: what lies at a multiple of them is no struct packed by hand


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
    value, pointer = _lvalue(quote(access.value)), _user_place(access)
    return tuple(Scalar(f"{value}.{path}", f"&{pointer}{path}", checked) for path in paths)


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
            yield Member(name, at + member.offset, member.size, member.kind, member.struct, ())


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
    found = re.fullmatch(r"&\(?(\w+)((?:\.\w+)*)\)?", value.replace(" ", ""))
    local = next((x for x in function.locals if found and x.name == found[1]), None)
    if found is None or local is None or not layouts:
        return None
    layout = struct_at(layouts[0], local.struct, found[2].strip("."))
    return layout.struct if layout is not None else None


def _is_size_of(function: Function, access: Access, user: Layout) -> bool:
    assert access.size is not None
    size = re.sub(r"\s+", " ", function.source.quote(access.size))
    value = function.source.quote(access.value).replace(" ", "")
    same = {f"sizeof(struct {user.struct})", f"sizeof({value.removeprefix('&')})"}
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


def _lvalue(value: str) -> str:
    return value.removeprefix("&").strip().removeprefix("(").removesuffix(")")


def _user_place(access: Access) -> str:
    return f"{access.base}->{access.path}." if access.path else f"{access.base}->"
