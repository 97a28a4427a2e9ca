# SPDX-License-Identifier: GPL-2.0-only
"""Tie each instruction of a function to the cluster, the access and the window that it serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from uaccel.checks.closed import is_open_behind, landings, told, ways_on
from uaccel.count import stands, touches_user
from uaccel.model.machine import Listing, Role
from uaccel.paths import edges_of

_OPENS = (Role.OPENS, Role.TOGGLES)
_State = tuple[int, int | None, frozenset[str]]  # index, opening, what says that the CPU guards


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster as it stands in the text that was compiled."""

    lines: tuple[int, ...]  # where its code stands
    accesses: tuple[tuple[int, ...], ...]  # the lines of each access
    counted: tuple[int, ...] = ()  # addresses on its success path, in order of execution


@dataclass(frozen=True, slots=True)
class Tie:
    """What one instruction serves."""

    cluster: int | None  # its number; None: of none, or of which one cannot be told
    access: int | None  # number of the cluster's access; None: of no single one
    window: int | None  # number of the opening that stands over it, from 0; None for none
    touches: bool  # it reaches user memory, or calls what does
    counted: bool  # on the success path of its cluster


def ties(
    listing: Listing, file: str, sites: tuple[Site, ...], helpers: tuple[Listing, ...] = ()
) -> tuple[Tie, ...]:
    """Return what each instruction of `listing` serves, of the clusters at `sites` in `file`.

    It belongs to the cluster on whose lines it stands, and else to the one that counts it; to the
    access on whose lines it stands.  Where several accesses stand on the same lines, the order in
    which user memory is touched tells, where no path does so more often than there are accesses,
    or opens more windows for it.  What cannot be told is None.

    Windows are numbered by the address of their opening; an accessor that is called and opens
    one itself is a window of its own.
    """
    helpers = (*helpers, *listing.callees)
    touches = tuple(touches_user(listing, i, helpers) for i in range(len(listing.insns)))
    possible, edges = _opened(listing, helpers), tuple(edges_of(listing))
    opened = _single(possible)
    owners = tuple(_owner(listing, i, file, sites) for i in range(len(listing.insns)))
    served: dict[int, int] = {}
    for number, site in enumerate(sites):
        own = tuple(i for i, owner in enumerate(owners) if owner == number)
        served |= _served(_Own(listing, file, site, own, touches, possible, edges))
    return tuple(
        Tie(
            cluster=owner,
            access=served.get(i),
            window=opened.get(i),
            touches=touches[i],
            counted=owner is not None and listing.insns[i].address in sites[owner].counted,
        )
        for i, owner in enumerate(owners)
    )


def windows(listing: Listing, helpers: tuple[Listing, ...] = ()) -> dict[int, int]:
    """Return which window stands open at an instruction, opening and closing included, by index.

    Where more than one may, or one and none, as behind faults that land together, it is left out.
    """
    return _single(_opened(listing, helpers))


def _single(opened: Mapping[int, frozenset[int | None]]) -> dict[int, int]:
    single = {at: _first(*some) for at, some in opened.items() if len(some) == 1}
    openings = sorted({opening for opening in single.values() if opening is not None})
    numbers = {opening: number for number, opening in enumerate(openings)}
    return {at: numbers[opening] for at, opening in single.items() if opening is not None}


def _opened(listing: Listing, helpers: tuple[Listing, ...]) -> dict[int, frozenset[int | None]]:
    # The openings that may stand over each instruction, by index; None: nothing stands open.
    inside = {one.symbol for one in helpers if _opens(one)}
    found: dict[int, set[int | None]] = {}
    edges, fixups = tuple(edges_of(listing)), landings(listing)
    pending: list[_State] = [(0, None, frozenset())]
    seen: set[_State] = set()
    while pending:
        state = at, now, answers = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        insn = listing.insns[at]
        after = is_open_behind(listing, insn, now is not None)
        later = (at if now is None else now) if after else None
        called = at if insn.target in inside else None
        found.setdefault(at, set()).add(_first(now, later, called))
        # A fault comes before what the instruction does.
        pending += [(fixups[at], now, answers)] if at in fixups else []
        known = told(listing, insn, answers)
        pending += [(to, later, known) for to in ways_on(insn, edges[at], answers)]
    return {at: frozenset(some) for at, some in found.items()}


def _first(*openings: int | None) -> int | None:
    return next((one for one in openings if one is not None), None)


def _opens(listing: Listing) -> bool:
    return any(listing.arch.role(insn) in _OPENS for insn in listing.insns)


def _owner(listing: Listing, index: int, file: str, sites: tuple[Site, ...]) -> int | None:
    insn = listing.insns[index]
    standing = [n for n, site in enumerate(sites) if stands(insn, file, site.lines)]
    if len(standing) == 1:
        return standing[0]
    among = standing or range(len(sites))
    counting = [n for n in among if insn.address in sites[n].counted]
    return counting[0] if len(counting) == 1 else None


@dataclass(frozen=True, slots=True)
class _Own:
    """The instructions of one cluster."""

    listing: Listing
    file: str
    site: Site
    indices: tuple[int, ...]  # in order of address
    touches: tuple[bool, ...]  # of every instruction of the listing
    opened: Mapping[int, frozenset[int | None]]  # openings that may stand over each of them
    edges: tuple[tuple[int, ...], ...]

    def on_lines(self, index: int) -> tuple[int, ...]:
        """Return the accesses on whose lines an instruction stands."""
        insn, every = self.listing.insns[index], enumerate(self.site.accesses)
        return tuple(number for number, lines in every if stands(insn, self.file, lines))

    def window(self, index: int) -> int | None:
        """Return the opening that stands over an instruction; None: none, or not one alone."""
        some = self.opened.get(index, frozenset())
        return _first(*some) if len(some) == 1 else None

    def path(self) -> tuple[int, ...]:
        """Return those on the success path, in order of execution."""
        places = {self.listing.insns[i].address: i for i in self.indices}
        return tuple(places[at] for at in self.site.counted if at in places)


def _served(own: _Own) -> dict[int, int]:
    lines = {i: own.on_lines(i) for i in own.indices}
    found = {i: some[0] for i, some in lines.items() if len(some) == 1}
    for group in {some for some in lines.values() if len(some) > 1}:
        found |= _by_order(own, group, tuple(i for i in own.indices if lines[i] == group))
    for i, access in _tests(own, found):
        found.pop(i) if access is None else found.update({i: access})
    return found


def _by_order(own: _Own, group: tuple[int, ...], on_lines: tuple[int, ...]) -> dict[int, int]:
    # Nothing moves one access past another: the one that is touched third is the third.
    touching = [i for i in on_lines if own.touches[i]]
    places = _places(own, {i: i for i in touching}, len(group))
    windows = {i: opening for i in on_lines if (opening := own.window(i)) is not None}
    if places is None and all(i in windows for i in touching):
        places = _places(own, {i: windows[i] for i in touching}, len(group))
    found = {i: group[place] for i, place in (places or {}).items()}
    # What runs in a window that one access has for itself serves that one.
    alone: dict[int | None, set[int | None]] = {}
    for i in touching:
        for opening in own.opened.get(i, ()):
            alone.setdefault(opening, set()).add(found.get(i))
    single = {opening: _first(*some) for opening, some in alone.items() if len(some) == 1}
    within = ((i, single.get(opening)) for i, opening in windows.items())
    found |= {i: access for i, access in within if access is not None}
    # The jump behind an access may be guarded with it: there the fault is reported.
    behind = (i for i in on_lines if own.listing.insns[i].access and i - 1 in found)
    found |= {i: found[i - 1] for i in behind if not own.touches[i] and own.touches[i - 1]}
    return found


def _places(own: _Own, units: Mapping[int, int], most: int) -> dict[int, int] | None:
    # How many other units came before each touch on every path; None where there are more than
    # `most` of them, or fewer.
    places: dict[int, set[int]] = {i: set() for i in units}
    pending, seen = [(0, -1, -1)], set[tuple[int, int, int]]()
    while pending:
        state = at, place, last = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        if at in units:
            place, last = place + (units[at] != last), units[at]
            if place >= most:
                return None
            places[at].add(place)
        pending += [(to, place, last) for to in own.edges[at]]
    found = {i: some.pop() for i, some in places.items() if len(some) == 1}
    return found if most - 1 in found.values() else None


def _tests(own: _Own, found: Mapping[int, int]) -> Iterator[tuple[int, int | None]]:
    # Compilers put the test for a fault of one operand of `||` on the line of the one before it,
    # and with it what they do between the two.
    last: int | None = None
    tested = False
    path = own.path()
    for before, i in zip((None, *path), path, strict=False):
        access = found.get(i)
        if own.touches[i] and access is not None:
            last, tested = access, False
        elif access is not None and last is not None and access < last:
            forks = own.listing.arch.role(own.listing.insns[i]) is Role.FORKS
            if forks and not tested:
                yield i, last
                if before is not None and not own.touches[before] and found.get(before) == access:
                    yield before, last
                tested = True
            elif tested:
                yield i, None
