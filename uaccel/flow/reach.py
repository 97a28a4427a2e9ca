# SPDX-License-Identifier: GPL-2.0-only
"""How much of a function its runs went through: ways on from jumps, entries of exceptions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from uaccel.model.machine import Listing
from uaccel.model.run import Coverage, Image, Run

_BOTH = 2


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of an image that is the function's, or a clone's of it."""

    start: int
    end: int
    name: str  # of the symbol


def extents(image: Image, symbol: str) -> tuple[Extent, ...]:
    """Return where the function called `symbol` lies in `image`, with its cold parts and clones."""
    own = re.compile(
        re.escape(symbol) + r"(?:\.(?:part|isra|constprop)\.\d+)*(?:\.cold(?:\.\d+)?)?"
    )
    starts = sorted({address for _, address in image.symbols})
    ends = sorted(one.address + len(one.data) for one in image.segments)
    found = []
    for name, address in image.symbols:
        if own.fullmatch(name):
            following = bisect_right(starts, address)
            last = ends[min(bisect_right(ends, address), len(ends) - 1)]
            end = min(starts[following], last) if following < len(starts) else last
            found.append(Extent(address, end, name))
    return tuple(found)


def coverage(image: Image, listing: Listing, runs: Iterable[Run]) -> Coverage:
    """Return where `runs` of the function of `listing` led in it, as `image` has it."""
    passed: dict[int, set[int]] = defaultdict(set)
    faulted: set[int] = set()
    reached: set[int] = set()
    for run in runs:
        for behind, to in run.passed:
            passed[behind].add(to)
        faulted.update(one.place for one in run.faults)
        reached.update(one.place for one in run.accesses)
    own = extents(image, listing.symbol)
    lines = _lines(listing)
    taken, ways, missed = 0, 0, []
    for address, size in image.forks:
        home = next((one for one in own if one.start <= address < one.end), None)
        if home is not None:
            went = min(_BOTH, len(passed[address + size]))
            ways, taken = ways + _BOTH, taken + went
            if went < _BOTH:
                place = address - home.start
                known = lines.get(place) if home.name == listing.symbol else None
                missed.append(f"{home.name}+{place:#x}" + (f" ({known})" if known else ""))
    entries = {one.at for one in image.fixups if any(e.start <= one.at < e.end for e in own)}
    return Coverage(
        ways=ways,
        taken=taken,
        missed=tuple(missed),
        entries=len(entries),
        reached=len(entries & reached),
        met=len(entries & faulted),
    )


def _lines(listing: Listing) -> dict[int, str]:
    # The line in the function itself, by bytes from its start.
    first = listing.insns[0].address
    outer = ((one.address - first, one.lines[-1]) for one in listing.insns if one.lines)
    return {at: f"{file}:{line}" for at, (file, line) in outer}
