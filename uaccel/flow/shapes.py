# SPDX-License-Identifier: GPL-2.0-only
"""What is left of a cluster when names and values are forgotten: widths, and where they fall.

Structs are laid out from the tree's headers under each data model: nothing is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from uaccel.errors import UserError
from uaccel.fields import declared, leaves, named_types
from uaccel.flow.inclusions import headers_of
from uaccel.flow.targets import Target, subjects
from uaccel.model.benched import Plan, Shape, Transfer
from uaccel.model.dossier import Tree
from uaccel.model.source import Access, Cluster, Function, Layout, Layouts, Member
from uaccel.read.conditions import MODELS
from uaccel.read.structs import read_structs

_WIDTHS = (8, 4, 2, 1)
_ASSUMED = 4  # bytes: what most such accesses move
_MOST = 4096  # bytes: the smallest page; a masked pointer is only good for that far
_CAST = re.compile(r"\(\s*([\w ]+?)\s*__user\s*\*\s*\)")
_NAMED = re.compile(r"&?(\w+)(?:\+\+|\[.*\]| ?\+ ?\w+)?")
_SIZEOF = re.compile(r"sizeof\s*\(\s*(\*?)\s*((?:struct )?\w+)\s*\)|sizeof (\w+)")


@dataclass(frozen=True, slots=True)
class _Place:
    base: str  # what it is an offset into; "" when that is not known
    offset: int
    width: int  # bytes; 0 when not known


def shapes(
    tree: Tree, target: Target, number: int | None, size: int | None = None
) -> tuple[Shape, ...]:
    """Return the shapes of the clusters of `target`, or of its cluster `number` (from 1).

    `size` is that of copies whose size the tree's headers do not tell.  UserError when there is
    no cluster of a known size.
    """
    if size is not None and not 1 <= size <= _MOST:
        raise UserError(f"a copy of {size} bytes cannot be timed; it must be 1 to {_MOST}")
    clusters = target.function.clusters
    if number is not None and not 1 <= number <= len(clusters):
        held = f"{len(clusters)} cluster{'s' * (len(clusters) != 1)}"
        raise UserError(f"{target.name} has {held}, so no cluster {number}")
    every = _layouts(tree, target)
    made = [
        _shape(target, cluster, one.id, every, size)
        for at, (cluster, one) in enumerate(zip(clusters, subjects(target), strict=True), 1)
        if number in (None, at)
    ]
    refused = tuple(one for one in made if isinstance(one, str))
    kept = tuple(one for one in made if isinstance(one, Shape))
    if not kept:
        raise UserError(refused[0] if refused else f"{target.name} has no cluster")
    return (replace(kept[0], notes=(*kept[0].notes, *refused)), *kept[1:])


def _layouts(tree: Tree, target: Target) -> tuple[Layouts, ...]:
    function = target.function
    tags = {tag for _, tag in function.pointers}
    tags |= {one.type[7:] for one in declared(function).values() if one.type.startswith("struct ")}
    tags |= set(re.findall(r"\bstruct (\w+)", function.source.quote(function.span)))
    starts = (str(target.path), *(str(one.path) for one in target.includers))
    names = set(named_types(function))
    return tuple(
        read_structs(headers_of(tree, starts, model), model, tags, names) for model in MODELS
    )


def _shape(
    target: Target, cluster: Cluster, id: str, every: tuple[Layouts, ...], size: int | None
) -> Shape | str:
    if not cluster.accesses:  # a window around calls alone
        return f"{id} is left out: what it accesses is not known"
    found = [_places(target.function, cluster, known, size) for known in every]
    if lost := next((one for one in found if isinstance(one, str)), None):
        return f"{id} is left out: {lost}"
    under = [one for one in found if not isinstance(one, str)]
    notes = list(_told_of(cluster))
    if size and any(_size_is_asked(target.function, cluster, known) for known in every):
        notes.append(f"Copies of a size that is not known are taken as {size} bytes.")
    if len({len(places) for places in under}) > 1:
        notes.append(f"The number of its fields differs; all are taken as under {every[0].arch}.")
        under = [under[0]] * len(under)
    plans: dict[tuple[Transfer, ...], tuple[str, ...]] = {}
    whys: dict[str, tuple[str, ...]] = {}
    for known, places in zip(every, under, strict=True):
        why = _why_unplaced(places)
        whys[why] = (*whys.get(why, ()), known.arch)
        transfers = _consecutive(places) if why else _placed(places)
        plans[transfers] = (*plans.get(transfers, ()), known.arch)
    for why, models in whys.items():
        some = "" if len(models) == len(every) else f" ({', '.join(models)})"
        notes += [f"{why}{some}"] if why else []
    if max(_end(transfers) for transfers in plans) > _MOST:
        return f"{id} is left out: its accesses move more than the {_MOST} bytes of a page"
    made = tuple(Plan(models, transfers) for transfers, models in plans.items())
    return Shape(id, cluster.direction, made, tuple(dict.fromkeys(notes)))


def _told_of(cluster: Cluster) -> Iterator[str]:
    if cluster.longest < len(cluster.accesses) and not cluster.looped:
        yield (
            f"At most {cluster.longest} of its {len(cluster.accesses)} accesses lie on one path; "
            f"the shape makes all of them."
        )
    if cluster.looped:
        yield "It has a loop; the shape makes each of its accesses once."
    if any(access.copies for access in cluster.accesses):
        yield "What it copies is taken as its fields, or as words where those are not known."


def _why_unplaced(places: tuple[_Place, ...]) -> str:
    if not any(place.width for place in places):
        return f"No width is known: {_ASSUMED} bytes each are assumed."
    if not all(place.width for place in places):
        return f"Some widths are not known: {_ASSUMED} bytes are assumed for those."
    if len({place.base for place in places}) > 1:
        return "It reaches into several objects; its accesses are laid one behind the other."
    if not places[0].base:
        return "Where its accesses fall is not known; they are laid one behind the other."
    spans = sorted((place.offset, place.offset + place.width) for place in places)
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        return "Some accesses meet the same bytes; they are laid one behind the other."
    if spans[-1][1] - spans[0][0] > _MOST - 8:
        return "They lie more than a page apart; they are laid one behind the other."
    return ""


def _placed(places: tuple[_Place, ...]) -> tuple[Transfer, ...]:
    first = min(place.offset for place in places) // 8 * 8
    return tuple(Transfer(place.offset - first, place.width) for place in places)


def _consecutive(places: tuple[_Place, ...]) -> tuple[Transfer, ...]:
    made: list[Transfer] = []
    at = 0
    for place in places:
        width = place.width or _ASSUMED
        at = -(-at // width) * width
        made.append(Transfer(at, width))
        at += width
    return tuple(made)


def _end(transfers: tuple[Transfer, ...]) -> int:
    return max(one.offset + one.width for one in transfers)


def _size_is_asked(function: Function, cluster: Cluster, known: Layouts) -> bool:
    return any(_of_access(function, access, known) is None for access in cluster.accesses)


def _places(
    function: Function, cluster: Cluster, known: Layouts, size: int | None
) -> tuple[_Place, ...] | str:
    found: list[_Place] = []
    for access in cluster.accesses:
        some = _of_access(function, access, known)
        if some is None and size:
            some = tuple(_Place("", at, width) for at, width in _words(0, size))
        if not some:  # () where all fields of a struct are empty
            what = f"{access.accessor}({function.source.quote(access.pointer)})"
            return f"how many bytes {what} moves is not known; --bytes N says it"
        found += some
    return tuple(found)


def _of_access(function: Function, access: Access, known: Layouts) -> tuple[_Place, ...] | None:
    if access.copies:
        return _of_copy(function, access, known)
    if "copy" in access.accessor:  # a helper makes it
        return None
    tag = dict(function.pointers).get(access.base or "")
    member = _member(known.find(tag), access.path) if tag and access.path else None
    if member is not None and member.size in _WIDTHS:
        return (_Place(access.base or "", member.offset, member.size),)
    pointer = " ".join(function.source.quote(access.pointer).split())
    name = _NAMED.fullmatch(pointer)
    whole = declared(function).get(name[1]) if name else None
    cast = _CAST.match(pointer)
    type_ = cast[1] if cast else whole.type if whole and whole.pointer else ""
    width = dict(known.integers).get(type_, 0)
    alone = pointer == (name[1] if name else "")
    return (_Place(pointer if alone and width else "", 0, width),)


def _of_copy(function: Function, access: Access, known: Layouts) -> tuple[_Place, ...] | None:
    tag = dict(function.pointers).get(access.base or "")
    layout = known.find(tag) if tag else None
    inner = _member(layout, access.path) if access.path else None
    base, start = access.base or "", inner.offset if inner else 0
    if tag is None or (access.path and inner is None) or access.path is None:
        base = ""
    size = _size(function, " ".join(function.source.quote(access.length).split()), known)
    if size is None:
        return None
    if isinstance(size, Layout):
        return tuple(_Place(base, start + at, width) for at, width in _fields(size))
    return tuple(_Place(base, start + at, width) for at, width in _words(0, size))


def _size(function: Function, text: str, known: Layouts) -> Layout | int | None:
    if text.isdigit():
        return int(text) or None
    found = _SIZEOF.fullmatch(text)
    if found is None:
        return None
    what = found[2] or found[3]
    named = declared(function).get(what)
    if named is not None and named.pointer == bool(found[1]) and not named.array:
        what = named.type
    if what.startswith("struct "):
        return known.find(what.removeprefix("struct "))
    return dict(known.integers).get(what)


def _fields(layout: Layout) -> Iterator[tuple[int, int]]:
    covered = 0
    for leaf in leaves(layout.members):
        if leaf.offset < covered or not leaf.size:  # the next bit-field of one word
            continue
        yield from _words(leaf.offset, leaf.size)
        covered = leaf.offset + leaf.size


def _words(offset: int, size: int) -> Iterator[tuple[int, int]]:
    while size:
        aligned = (one for one in _WIDTHS if one <= size and offset % min(one, 4) == 0)
        width = next(aligned)
        yield offset, width
        offset, size = offset + width, size - width


def _member(layout: Layout | None, path: str | None) -> Member | None:
    # The member at the end of `path`, its offset counted from the struct.
    found: Member | None = None
    members, at = layout.members if layout else (), 0
    for name in path.split(".") if path else ():
        found = _among(members, name)
        if found is None:
            return None
        at, members = at + found.offset, found.members
    return replace(found, offset=at) if found else None


def _among(members: tuple[Member, ...], name: str) -> Member | None:
    for member in members:
        if member.name == name:
            return member
        inner = _among(member.members, name) if not member.name else None
        if inner is not None:
            return replace(inner, offset=member.offset + inner.offset)
    return None
