# SPDX-License-Identifier: GPL-2.0-only
"""The accesses of a statement, and how many of them each way through it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from tree_sitter import Node

from uaccel.model.source import Direction
from uaccel.read.accesses import direction_of, reached, user_base


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body names an accessor, or something of the file that only wraps accessors."""

    index: int  # among the places of its body
    at: int
    name: str
    direction: Direction
    joins: bool  # may share a window: a scalar, or a copy of constant size
    accesses: int  # transfers that the call makes
    end: int  # behind its closing parenthesis
    helper: bool = False  # a function of the file, which has clusters of its own
    looped: bool = False  # a helper that repeats some of its accesses
    tail: bool = False  # a copy of any length, which may end a record that others begin

    def takes(self, arguments: int) -> bool:
        """Return whether it may have so many: a copy says how many bytes, unsafe_*() a label."""
        if direction_of(self.name) is None:  # a macro or function of the file
            return True
        least = 3 if "copy" in self.name else 2
        return least <= arguments <= least + 1


@dataclass(frozen=True, slots=True)
class Site:
    """One access as a statement makes it."""

    place: Place
    node: Node  # the call expression
    statement: Node  # the innermost statement, or condition's statement, around it
    loop: int  # id of the outermost loop that the window may hold as a whole; 0 for none


@dataclass(frozen=True, slots=True)
class Group:
    """Sites of one direction that one window could hold, in the order of the text."""

    sites: tuple[Site, ...]
    longest: int  # transfers on one path, loops counted once
    paired: bool  # the other direction's group could share its window

    @property
    def looped(self) -> bool:
        """Return whether a loop around one of them could be inside the window."""
        return any(site.loop or site.place.looped for site in self.sites)

    @property
    def shares(self) -> bool:
        """Return whether a window here would hold more than one access."""
        # What one call of a helper does is the helper's own cluster.
        first = self.sites[0]
        if len(self.sites) == 1 and first.place.helper and not first.loop:
            return self.paired
        return self.looped or self.paired or self.longest > 1


Mask = int  # a set of places: the bit of each is its index in the body
_MOST = 8  # paths that are told apart; of more, those that make most accesses


@dataclass(frozen=True, slots=True)
class Whole:
    """What a statement holds that a window may hold as a whole, and the ways through it."""

    sites: tuple[Site, ...] = ()
    through: tuple[Mask, ...] = (0,)  # paths to the statement that follows
    near: tuple[Mask, ...] = ()  # to a break or continue
    far: tuple[Mask, ...] = ()  # to a return or goto
    lost: tuple[Mask, ...] = ()  # paths that were too many to follow any further
    alive: Mask = 0  # made on some path to the statement that follows
    broken: Mask = 0  # made on some path to a break or continue
    kin: tuple[Mask, ...] = ()  # disjoint: what paths connect, directly or through another site

    def then(self, other: Whole) -> Whole:
        """Return this with `other` behind it."""
        if other is NOTHING:
            return self
        if self is NOTHING:
            return other
        through, lost = _best(_joined(self.through, other.through))
        near, lost_near = _best((*self.near, *_joined(self.through, other.near)))
        far, lost_far = _best((*self.far, *_joined(self.through, other.far)))
        return Whole(
            self.sites + other.sites,
            through,
            near,
            far,
            (*self.lost, *other.lost, *lost, *lost_near, *lost_far),
            other.alive | (self.alive if other.through else 0),
            self.broken | (self.alive | other.broken if other.near else 0),
            _connected(self.kin, other.kin, self.alive),
        )

    def either(self, other: Whole) -> Whole:
        """Return this or `other`: one of them is executed."""
        through, lost = _best((*self.through, *other.through))
        near, lost_near = _best((*self.near, *other.near))
        far, lost_far = _best((*self.far, *other.far))
        return Whole(
            self.sites + other.sites,
            through,
            near,
            far,
            (*self.lost, *other.lost, *lost, *lost_near, *lost_far),
            self.alive | other.alive,
            self.broken | other.broken,
            _disjoint(self.kin, other.kin),
        )

    def caught(self) -> Whole:
        """Return this inside a switch: what breaks goes on behind it."""
        through, lost = _best((*self.through, *self.near))
        lost = (*self.lost, *lost)
        alive = self.alive | self.broken
        return replace(self, through=through, near=(), lost=lost, alive=alive, broken=0)

    def repeated(self) -> Whole:
        """Return this as the body of a loop: a second pass may take another way."""
        behind = self.caught()
        return replace(behind, kin=(_union(behind.kin),)) if behind.alive else behind

    def left(self) -> Whole:
        """Return this in a `return`: nothing follows."""
        return replace(self, through=(), far=self.through, alive=0)

    @property
    def paths(self) -> tuple[Mask, ...]:
        """Return all ways, wherever they go."""
        return (*self.through, *self.near, *self.far, *self.lost)


NOTHING = Whole()
LEFT = Whole(through=(), far=(0,))  # a branch without accesses that leaves
BROKE = Whole(through=(), near=(0,))


def one(site: Site) -> Whole:
    """Return a single site."""
    bit = 1 << site.place.index
    return Whole(sites=(site,), through=(bit,), alive=bit, kin=(bit,))


def evaluated(node: Node, sites: list[Site]) -> Whole:
    """Return the `sites` of one expression: all on one path, but for the arms of `a ? b : c`."""
    whole = NOTHING
    rest = sites
    for fork in _forks(node) if len(sites) > 1 else ():
        arms = [fork.child_by_field_name(name) for name in ("consequence", "alternative")]
        parts = [(arm, [s for s in rest if _holds(arm, s)]) for arm in arms if arm is not None]
        chosen = {site.place.index for _, part in parts for site in part}
        if not chosen:
            continue
        first = [s for s in rest if s.place.at < fork.end_byte and s.place.index not in chosen]
        rest = [s for s in rest if s.place.at >= fork.end_byte]
        whole = whole.then(_in_order(first))
        # Of `a ?: b` there is one arm: it is made after what stands before it.
        made = [evaluated(arm, part) for arm, part in parts]
        whole = whole.then(made[0].either(made[1]) if len(made) > 1 else made[0])
    return whole.then(_in_order(rest))


def _forks(node: Node) -> list[Node]:
    # The outermost ones, in the order of the text.
    found = []
    pending = [node]
    while pending:
        one = pending.pop()
        if one.type == "conditional_expression":
            found.append(one)
        else:
            pending += [child for child in one.named_children if child.named_child_count]
    return sorted(found, key=lambda one: one.start_byte)


def is_tail(made: tuple[Site, ...], site: Site, calls: tuple[int, ...]) -> bool:
    """Return whether a copy of any length writes the rest of the record that `made` begins.

    `calls` are offsets of calls that no window may hold.
    """
    place = site.place
    if (
        not place.tail
        or len(made) < 2
        or {one.place.direction for one in made} != {place.direction}
    ):
        return False
    if any(place.at < call < place.end for call in calls) or any(one.loop for one in made):
        return False
    return reached(site.node) in {user_base(one.node) for one in made} - {None}


def split(run: Whole) -> list[Group]:
    """Return the groups of one direction each that `run` consists of.

    A window holds reads and writes only when all of them go to one object; copies there and
    back gain nothing that a window could give.
    """
    groups: list[Group] = []
    for kin in run.kin:
        sites = tuple(site for site in run.sites if kin >> site.place.index & 1)
        groups += _grouped(sites, tuple(path & kin for path in run.paths))
    return groups


def _in_order(sites: list[Site]) -> Whole:
    whole = NOTHING
    for site in sites:
        whole = whole.then(one(site))
    return whole


def _holds(arm: Node, site: Site) -> bool:
    return arm.start_byte <= site.place.at < arm.end_byte


def _grouped(sites: tuple[Site, ...], paths: tuple[Mask, ...]) -> list[Group]:
    ways = {site.place.direction for site in sites}
    if len(ways) == 1:
        return [Group(sites, _longest(sites, paths), paired=False)]
    made = [tuple(s for s in sites if s.place.direction is way) for way in Direction]
    if _is_pair(sites) and any(all(_longest(half, (path,)) for half in made) for path in paths):
        return [Group(half, _longest(half, paths), paired=True) for half in made]
    groups = []
    for _, stretch in groupby(_out_of_loops(sites), key=lambda site: site.place.direction):
        part = tuple(stretch)
        groups.append(Group(part, _longest(part, paths), paired=False))
    return groups


def _is_pair(sites: tuple[Site, ...]) -> bool:
    bases = {user_base(site.node) for site in sites}
    plain = any("copy" not in site.place.name for site in sites)
    return plain and len(bases) == 1 and None not in bases


def _longest(sites: tuple[Site, ...], paths: tuple[Mask, ...]) -> int:
    return max((_made(sites, path) for path in paths), default=0)


def _made(sites: tuple[Site, ...], path: Mask) -> int:
    return sum(site.place.accesses for site in sites if path >> site.place.index & 1)


def _out_of_loops(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    # A loop that also goes the other way is no loop that one of these windows could hold.
    ways: dict[int, set[Direction]] = {}
    for site in sites:
        ways.setdefault(site.loop, set()).add(site.place.direction)
    return tuple(replace(s, loop=0) if len(ways[s.loop]) > 1 else s for s in sites)


def _joined(first: tuple[Mask, ...], then: tuple[Mask, ...]) -> tuple[Mask, ...]:
    if then == (0,) or not first:
        return first
    if first == (0,):
        return then
    return tuple(a | b for a in first for b in then)


def _best(paths: tuple[Mask, ...]) -> tuple[tuple[Mask, ...], tuple[Mask, ...]]:
    # Those that make most, and those that are not followed further; a path that is part of
    # another says nothing new.
    if len(paths) < 2:
        return paths, ()
    distinct = tuple(dict.fromkeys(paths))
    kept = [a for a in distinct if not any(a != b and a | b == b for b in distinct)]
    ordered = tuple(sorted(kept, key=int.bit_count, reverse=True))
    return ordered[:_MOST], ordered[_MOST:]


def _connected(first: tuple[Mask, ...], then: tuple[Mask, ...], alive: Mask) -> tuple[Mask, ...]:
    if not then or not alive:
        return (*first, *then)
    reached = [mask for mask in first if mask & alive]
    apart = (mask for mask in first if not mask & alive)
    return (*apart, _union((*reached, *then)))


def _disjoint(first: tuple[Mask, ...], then: tuple[Mask, ...]) -> tuple[Mask, ...]:
    if not _union(first) & _union(then):
        return (*first, *then)
    found = list(first)
    for mask in then:
        touching = [one for one in found if one & mask]
        found = [one for one in found if not one & mask]
        found.append(_union((mask, *touching)))
    return tuple(found)


def _union(masks: tuple[Mask, ...]) -> Mask:
    union = 0
    for mask in masks:
        union |= mask
    return union
