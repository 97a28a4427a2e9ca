# SPDX-License-Identifier: GPL-2.0-only
"""The accesses of a statement, and how many of them each way through it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from tree_sitter import Node

from uaccel.model.source import Direction
from uaccel.read.accesses import user_base


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body names an accessor, or something of the file that only wraps accessors."""

    at: int
    name: str
    direction: Direction
    joins: bool  # may share a window: a scalar, or a copy of constant size
    accesses: int  # transfers that the call makes
    end: int  # behind its closing parenthesis
    helper: bool = False  # a function of the file, which has clusters of its own


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
        return any(site.loop for site in self.sites)

    @property
    def shares(self) -> bool:
        """Return whether a window here would hold more than one access."""
        if self.looped or self.paired:
            return True
        # What one call of a helper does is the helper's own cluster.
        alone = len(self.sites) == 1 and self.sites[0].place.helper
        return self.longest > 1 and not alone


Path = tuple[int, int]  # reads and writes made on it
_IDLE: Path = (0, 0)
_MOST = 8  # paths that are told apart


@dataclass(frozen=True, slots=True)
class Whole:
    """What a statement holds that a window may hold as a whole, and the ways through it."""

    sites: tuple[Site, ...] = ()
    through: tuple[Path, ...] = (_IDLE,)  # to the statement that follows
    near: tuple[Path, ...] = ()  # to a break or continue
    far: tuple[Path, ...] = ()  # to a return or goto

    def then(self, other: Whole) -> Whole:
        """Return this with `other` behind it."""
        if other is NOTHING:
            return self
        if self is NOTHING:
            return other
        return Whole(
            self.sites + other.sites,
            _joined(self.through, other.through),
            _best((*self.near, *_joined(self.through, other.near))),
            _best((*self.far, *_joined(self.through, other.far))),
        )

    def either(self, other: Whole) -> Whole:
        """Return this or `other`: one of them is executed."""
        return Whole(
            self.sites + other.sites,
            _best((*self.through, *other.through)),
            _best((*self.near, *other.near)),
            _best((*self.far, *other.far)),
        )

    def caught(self) -> Whole:
        """Return this inside a loop or switch: what breaks goes on behind it."""
        return replace(self, through=_best((*self.through, *self.near)), near=())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return all ways, wherever they go."""
        return (*self.through, *self.near, *self.far)


NOTHING = Whole()
LEFT = Whole(through=(), far=(_IDLE,))  # a branch without accesses that leaves
BROKE = Whole(through=(), near=(_IDLE,))


def _joined(first: tuple[Path, ...], then: tuple[Path, ...]) -> tuple[Path, ...]:
    if then == (_IDLE,) or not first:
        return first
    if first == (_IDLE,):
        return then
    return _best(tuple((a + c, b + d) for a, b in first for c, d in then))


def _best(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    if len(paths) < 2:
        return paths
    kept = [
        (a, b)
        for a, b in dict.fromkeys(paths)
        if not any((c, d) != (a, b) and c >= a and d >= b for c, d in paths)
    ]
    return tuple(sorted(kept, key=sum, reverse=True)[:_MOST])


def one(site: Site) -> Whole:
    """Return a single site."""
    number = site.place.accesses
    reads = site.place.direction is Direction.READ
    return Whole((site,), ((number, 0) if reads else (0, number),))


def on_one_path(node: Node, whole: Whole) -> Whole:
    """Return `whole` of an expression: `a ? get_user() : get_user()` makes one of the two."""
    forks = []
    pending = [node]
    while pending:
        found = pending.pop()
        if found.type == "conditional_expression":
            forks.append(found)
        pending += [child for child in found.named_children if child.named_child_count]
    spared = 0
    for fork in forks:
        arms = [fork.child_by_field_name(name) for name in ("consequence", "alternative")]
        if None in arms:
            continue
        counts = [
            sum(arm.start_byte <= site.place.at < arm.end_byte for site in whole.sites)
            for arm in arms
            if arm is not None
        ]
        spared += min(counts)
    fewer = tuple((max(r - spared, 0), max(w - spared, 0)) for r, w in whole.through)
    return replace(whole, through=fewer)


def split(run: Whole) -> list[Group]:
    """Return the groups of one direction each that `run` consists of.

    A window holds reads and writes only when all of them go to one object; copies there and
    back gain nothing that a window could give.
    """
    ways = [site.place.direction for site in run.sites]
    most = {
        Direction.READ: max((reads for reads, _ in run.paths), default=0),
        Direction.WRITE: max((writes for _, writes in run.paths), default=0),
    }
    if len(set(ways)) == 1:
        return [Group(run.sites, most[ways[0]], paired=False)]
    bases = {user_base(site.node) for site in run.sites}
    plain = any("copy" not in site.place.name for site in run.sites)
    if plain and len(bases) == 1 and None not in bases and any(r and w for r, w in run.paths):
        return [
            Group(tuple(s for s in run.sites if s.place.direction is way), most[way], paired=True)
            for way in (Direction.READ, Direction.WRITE)
        ]
    groups = []
    for way, stretch in groupby(_out_of_loops(run), key=lambda site: site.place.direction):
        sites = tuple(stretch)
        groups.append(Group(sites, min(_count(sites), most[way]), paired=False))
    return groups


def _out_of_loops(run: Whole) -> tuple[Site, ...]:
    # A loop that also goes the other way is no loop that one of these windows could hold.
    ways: dict[int, set[Direction]] = {}
    for site in run.sites:
        ways.setdefault(site.loop, set()).add(site.place.direction)
    return tuple(replace(s, loop=0) if len(ways[s.loop]) > 1 else s for s in run.sites)


def _count(sites: tuple[Site, ...]) -> int:
    return sum(site.place.accesses for site in sites)
