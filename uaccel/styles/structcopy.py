# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster as struct copies: the kernel's locals become the structs of the user's ABI.

The reviewer's form of the SYNC_PTR ioctl: fields of one local that go to fields of one struct
member of the user's object are moved by one `copy_from_user()` or `copy_to_user()`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uaccel.ctext import Call, address, chain
from uaccel.fields import leaves, struct_at
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import (
    Access,
    Cluster,
    Direction,
    Does,
    Form,
    Function,
    Layout,
    Layouts,
    Local,
    Span,
    Use,
)

NO_GROUP = "no two fields of it go between one local struct and one struct of the user's"
PADDING = "The padding of struct {tag} is written as zero; field by field it was left alone."
ECHO = "The bytes of struct {tag} that no field carries are written back as they were read."
HOLES = "All bytes of struct {tag} are read, also those that no field carries."
WHOLE = (
    "All of struct {tag} is checked at once: one that lies only in part within user space fails "
    "before the first byte."
)
SIGN = "Where `get_user()` extends the sign of a narrow field (riscv64), a struct copy does not."
LATER = "What `copy_{way}_user()` had copied before a fault may end in the middle of a field."


_PADDING = re.compile(
    r"(?:^|\.)_*(?:pad|padding|unused|reserved|rsvd|resv|spare|fill|filler)(?:_\w+|\d+)?$"
)
_LABEL = re.compile(r"^[ \t]*(?!default\b)[A-Za-z_]\w*[ \t]*:(?!:)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Group:
    """Fields of one local that mirror fields of one struct of the user's."""

    local: Local
    prefix: str  # member path from the base to that struct
    base: str
    tag: str  # of the struct that `base` points to
    struct: Layout  # of the user's side
    fields: tuple[tuple[str, str], ...]  # path in the local, member of the user's struct


def plan(
    function: Function,
    layouts: tuple[Layouts, ...],
    dialect: Dialect,  # noqa: ARG001
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its struct copies or the reason against them."""
    answers: list[Rewrite | Refusal] = []
    retyped: set[str] = set()
    for cluster in function.clusters:
        groups = _groups(function, cluster, layouts)
        if isinstance(groups, Refusal):
            answers.append(groups)
            continue
        fresh = tuple(group for group in groups if group.local.name not in retyped)
        retyped.update(group.local.name for group in fresh)
        edits = [Edit(cluster.extent, _condition(function, cluster, groups))]
        for group in fresh:
            edits += _retype(function, group)
        answers.append(Rewrite(cluster, tuple(edits), _differences(function, cluster, groups)))
    return _all_or_none(function, tuple(answers))


def _groups(
    function: Function, cluster: Cluster, layouts: tuple[Layouts, ...]
) -> tuple[_Group, ...] | Refusal:
    why = _reason_against(cluster)
    if why is not None:
        return Refusal(cluster, why)
    if not layouts:
        return Refusal(
            cluster, "how its structs are laid out is not known: no object that was built tells"
        )
    found: list[_Group] = []
    for local in function.locals:
        here = [a for a in cluster.accesses if _member_of(function, a, local)]
        if len(here) < 2:
            continue
        group = _group(function, local, layouts)
        if isinstance(group, str):
            return Refusal(cluster, group)
        why = _copy_against(function, cluster, group)
        if why is not None:
            return Refusal(cluster, why)
        found.append(group)
    return tuple(found) if found else Refusal(cluster, NO_GROUP)


def _reason_against(cluster: Cluster) -> str | None:
    if cluster.form is Form.STRUCTCOPY:
        return "it is copied whole already"
    if any(access.copies for access in cluster.accesses) and not cluster.stands:
        return "a copy of variable length ends the record, and no struct can hold it"
    if cluster.obstacle is not None:
        return cluster.obstacle
    if cluster.form is Form.WINDOW:
        return "a window cannot be unmade yet"
    if not cluster.fault:
        return "a fault does something else than just return or goto"
    if not cluster.indent:
        return "the first statement does not start its line"
    return None


def _group(function: Function, local: Local, layouts: tuple[Layouts, ...]) -> _Group | str:
    # All accesses of the local, in every cluster, must mirror one struct of the user's.
    pairs: list[tuple[str, str]] = []
    places: set[tuple[str, str]] = set()
    for access in _accesses_of(function, local):
        if access.base is None or not access.path:
            return f"`{local.name}` is exchanged with a pointer that is no plain field"
        prefix, _, member = access.path.rpartition(".")
        places.add((access.base, prefix))
        pairs.append((_member_of(function, access, local), member))
    if len(places) != 1:
        return f"the fields of `{local.name}` go to different structs of the user's"
    ((base, prefix),) = places
    fields = tuple(dict.fromkeys(pairs))
    if not len({mine for mine, _ in fields}) == len(fields) == len({its for _, its in fields}):
        return f"a field of `{local.name}` goes to two places"
    tag = dict(function.pointers).get(base)
    struct = struct_at(layouts[0], tag, prefix) if tag is not None else None
    if not prefix or struct is None or not struct.struct:
        return f"`{base}->{prefix or '...'}` is no struct of its own with a name"
    group = _Group(local, prefix, base, tag or "", struct, fields)
    return _reason_to_keep(function, group, layouts) or group


def _accesses_of(function: Function, local: Local) -> tuple[Access, ...]:
    every = (access for cluster in function.clusters for access in cluster.accesses)
    return tuple(access for access in every if _member_of(function, access, local))


def _member_of(function: Function, access: Access, local: Local) -> str:
    value = "".join(function.source.quote(access.value).split())
    head, _, path = value.partition(".")
    return path if head == local.name and not access.copies else ""


def _reason_to_keep(function: Function, group: _Group, layouts: tuple[Layouts, ...]) -> str | None:
    local, fields = group.local, dict(group.fields)
    if not local.alone:
        return f"`{local.name}` is not declared alone and plain"
    for use in local.uses:
        why = _use_against(function, group, use, fields)
        if why is not None:
            return why
    if _is_zeroed(function, group) and _LABEL.search(_body(function)):
        return f"`{local.name}` has to be zeroed, and a goto could jump over that"
    return _narrowing(group, layouts)


def _body(function: Function) -> str:
    return function.source.quote(function.body)


def _use_against(function: Function, group: _Group, use: Use, fields: dict[str, str]) -> str | None:
    name = f"{group.local.name}.{use.path}".strip(".")
    if use.does is Does.OTHER:
        return f"`{name}` is used as a whole, or its address is taken"
    if use.does is Does.COMPUTES:
        return f"`{name}` is computed with, and the user's type may be narrower"
    if use.does is Does.ASSIGNS and not _carried(use.path, group):
        return f"`{name}` never goes to user space"
    if use.does is Does.ASSIGNS and use.path not in fields and not _is_name(function, use):
        return f"`{name}` is assigned from more than a plain member"
    if use.does is not Does.READS:
        return None
    if use.path not in fields:
        return f"`{name}` never goes to user space"
    others = [u for u in group.local.uses if u.does is Does.ASSIGNS and u.path == use.path]
    if use.in_loop or any(other.span.start < use.span.start for other in others):
        return f"`{name}` is read after it was assigned: the user's type may be narrower"
    return None


def _copy_against(function: Function, cluster: Cluster, group: _Group) -> str | None:
    # The copy moves every field of the group, the accesses moved those that they name.
    local = group.local
    moved = {_member_of(function, access, local) for access in cluster.accesses}
    rest = {mine for mine, _ in group.fields} - moved
    if cluster.direction is Direction.WRITE:
        name = min(rest, default=None)
        if name is not None:
            return f"`{local.name}.{name}` is not written here, a copy would write it"
        return _lost(function, group)
    reads = (one for one in function.clusters if one.direction is Direction.READ)
    filled = {access.value for one in reads for access in one.accesses}
    for use in local.uses:
        earlier = use.span.start < cluster.extent.start or use.in_loop
        sets = use.does is Does.ASSIGNS or use.span in filled
        if sets and earlier and any(_within(mine, use.path) for mine in rest):
            return f"`{local.name}.{use.path}` is set before, and a copy would overwrite it"
    return None


def _lost(function: Function, group: _Group) -> str | None:
    # What the user keeps in a field that the kernel never wrote is no padding.
    if _is_echoed(function, group):
        if any(_is_sure(function, group, one) for one in _fillers(function, group)):
            return None
        return f"`{group.local.name}` may be written without having been read: its holes would leak"
    members = {its for _, its in group.fields}
    names = (leaf.name for leaf in leaves(group.struct.members) if leaf.name not in members)
    kept = next((name for name in names if not _PADDING.search(name)), None)
    if kept is None:
        return None
    return f"`{kept}` of struct {group.struct.struct} is not written, a copy would write zero there"


def _narrowing(group: _Group, layouts: tuple[Layouts, ...]) -> str | None:
    # A value that passed through a narrower field of the kernel's was cut there.
    local = group.local
    for known in layouts:
        mine = _sizes(known.find(local.struct))
        its = _sizes(struct_at(known, group.tag, group.prefix))
        for path, member in group.fields:
            if path not in mine or member not in its:
                return f"how struct {local.struct} is laid out is not known on {known.arch}"
            if mine[path] < its[member]:
                return f"`{local.name}.{path}` is narrower than the user's field on {known.arch}"
    return None


def _sizes(layout: Layout | None) -> dict[str, int]:
    return {leaf.name: leaf.size for leaf in leaves(layout.members)} if layout is not None else {}


def _carried(path: str, group: _Group) -> bool:
    return any(_within(mine, path) for mine, _ in group.fields)


def _within(field: str, path: str) -> bool:
    return field == path or field.startswith(f"{path}.")


def _is_name(function: Function, use: Use) -> bool:
    text = function.source.quote(use.value) if use.value is not None else ""
    return text.replace("->", ".").replace(".", "").replace("_", "").isalnum()


def _retype(function: Function, group: _Group) -> list[Edit]:
    edits = [Edit(group.local.tag, group.struct.struct)]
    fields = dict(group.fields)
    for use in group.local.uses:
        if use.does is Does.READS and fields[use.path] != use.path:
            edits.append(Edit(use.span, f"{group.local.name}.{fields[use.path]}"))
        if use.does is Does.ASSIGNS:
            edits += _assign(function, group, use)
    if _is_zeroed(function, group):
        first = group.local.first
        tab = _indent(function, first)
        name = group.local.name
        edits.append(
            Edit(Span(first.start, first.start), f"memset(&{name}, 0, sizeof({name}));\n{tab}")
        )
    return edits


def _assign(function: Function, group: _Group, use: Use) -> list[Edit]:
    name, fields = group.local.name, dict(group.fields)
    if use.path in fields:
        its = fields[use.path]
        return [Edit(use.span, f"{name}.{its}")] if its != use.path else []
    assert use.value is not None
    value = function.source.quote(use.value)
    parts = [
        f"{name}.{its} = {value}.{mine.removeprefix(use.path + '.')};"
        for mine, its in group.fields
        if mine.startswith(f"{use.path}.")
    ]
    return [Edit(use.statement, f"\n{_indent(function, use.statement)}".join(parts))]


def _has_holes(group: _Group) -> bool:
    members = {its for _, its in group.fields}
    sizes = [leaf.size for leaf in leaves(group.struct.members) if leaf.name in members]
    return sum(sizes) != group.struct.size


def _is_zeroed(function: Function, group: _Group) -> bool:
    return _has_holes(group) and not _fillers(function, group)


def _is_echoed(function: Function, group: _Group) -> bool:
    return _has_holes(group) and bool(_fillers(function, group))


def _fillers(function: Function, group: _Group) -> tuple[Cluster, ...]:
    # The reads that become copies, which fill its holes too.
    reads = (c for c in function.clusters if c.direction is Direction.READ)
    named = ((c, [a for a in c.accesses if _member_of(function, a, group.local)]) for c in reads)
    return tuple(cluster for cluster, here in named if len(here) > 1)


def _is_sure(function: Function, group: _Group, read: Cluster) -> bool:
    # Whether every way to where the local is written leads through this read.
    writes = [
        cluster.extent.start
        for cluster in function.clusters
        if cluster.direction is Direction.WRITE
        and any(_member_of(function, access, group.local) for access in cluster.accesses)
    ]
    before = function.source.quote(Span(function.body.start, max(writes)))
    plain = read.indent == "\t" and "\n#" not in before and not _LABEL.search(before)
    return plain and read.extent.end < min(writes)


def _condition(function: Function, cluster: Cluster, groups: tuple[_Group, ...]) -> str:
    quote = function.source.quote
    calls: list[Call] = []
    done: set[str] = set()
    for access in cluster.accesses:
        group = next((g for g in groups if _member_of(function, access, g.local)), None)
        if group is None:
            calls.append((access.accessor, (quote(access.value), address(quote(access.pointer)))))
        elif group.local.name not in done:
            done.add(group.local.name)
            calls.append(_copy(cluster, group))
    return chain(cluster.indent, tuple(calls), cluster.fault)


def _copy(cluster: Cluster, group: _Group) -> Call:
    name = group.local.name
    mine, its, size = f"&{name}", f"&{group.base}->{group.prefix}", f"sizeof({name})"
    if cluster.direction is Direction.READ:
        return "copy_from_user", (mine, its, size)
    return "copy_to_user", (its, mine, size)


def _differences(
    function: Function, cluster: Cluster, groups: tuple[_Group, ...]
) -> tuple[str, ...]:
    said = [LATER.format(way="from" if cluster.direction is Direction.READ else "to")]
    said += [WHOLE.format(tag=g.struct.struct) for g in groups]
    if cluster.direction is Direction.READ:
        said += [SIGN, *(HOLES.format(tag=g.struct.struct) for g in groups if _has_holes(g))]
    if cluster.direction is Direction.WRITE:
        said += [PADDING.format(tag=g.struct.struct) for g in groups if _is_zeroed(function, g)]
        said += [ECHO.format(tag=g.struct.struct) for g in groups if _is_echoed(function, g)]
    return tuple(said)


def _all_or_none(
    function: Function, answers: tuple[Rewrite | Refusal, ...]
) -> tuple[Rewrite | Refusal, ...]:
    # A retyped local is used by every cluster that names it: one refusal refuses them all.
    shared = {
        local.name
        for answer in answers
        if isinstance(answer, Refusal)
        for local in function.locals
        if any(_member_of(function, access, local) for access in answer.cluster.accesses)
    }
    kept: list[Rewrite | Refusal] = []
    for answer in answers:
        names = {
            local.name
            for local in function.locals
            if any(_member_of(function, access, local) for access in answer.cluster.accesses)
        }
        if isinstance(answer, Rewrite) and names & shared:
            kept.append(Refusal(answer.cluster, "another cluster of the same local is refused"))
        else:
            kept.append(answer)
    return tuple(kept)


def _indent(function: Function, at: Span) -> str:
    text = function.source.text
    start = text.rfind(b"\n", 0, at.start) + 1
    before = text[start : at.start].decode(errors="surrogateescape")
    return before[: len(before) - len(before.lstrip())]


STYLE = Style(
    summary="the locals become the user's structs, copied whole",
    needs_layouts=True,
    plan=plan,
)
