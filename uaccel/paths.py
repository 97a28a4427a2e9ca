# SPDX-License-Identifier: GPL-2.0-only
"""Tell which jumps of a function a fault takes, so that the path of a success can be followed.

Where the compiler has no asm goto with outputs, `unsafe_get_user()` tests for its fault and
jumps: an edge like any other, and often the shortest way to the end of the window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.machine import Listing, Role


@dataclass(frozen=True, slots=True)
class Leaving:
    """Lines of a file."""

    tests: frozenset[int]  # of the accesses: what jumps from there may be a fault
    landed: frozenset[int]  # where faults land, and what leaves the window early


def leaving_edges(
    edges: tuple[tuple[int, ...], ...],
    own: frozenset[int],
    tests: frozenset[int],
    landed: frozenset[int],
) -> frozenset[tuple[int, int]]:
    """Return the edges on which a fault lands, or the window is left early.

    `own` are the instructions of the window, `tests` those on the lines of its accesses and
    `landed` those on the lines that a fault jumps to or that leave.  Whatever branches to one of
    `landed` is meant; of what branches out of the window in another way only the `tests`.
    """
    return frozenset(_leaving_edges(edges, own, tests, landed))


def _leaving_edges(
    edges: tuple[tuple[int, ...], ...],
    own: frozenset[int],
    tests: frozenset[int],
    landed: frozenset[int],
) -> Iterator[tuple[int, int]]:
    for i in own:
        if len(edges[i]) != 2 or i in landed:
            continue
        lands = [to in landed or (i in tests and to not in own) for to in edges[i]]
        if lands[0] != lands[1]:
            yield i, edges[i][lands.index(True)]


def edges_of(listing: Listing) -> Iterator[tuple[int, ...]]:
    """Yield the indices that may follow each instruction of `listing`; a fault is no edge."""
    addresses = sorted((insn.address, i) for i, insn in enumerate(listing.insns))
    for i, insn in enumerate(listing.insns):
        role = listing.arch.role(insn)
        ends = role in (Role.RETURNS, Role.BRANCHES) or i + 1 == len(listing.insns)
        targets: tuple[int, ...] = () if ends else (i + 1,)
        if role in (Role.BRANCHES, Role.FORKS) and isinstance(insn.target, int):
            # No-operations are folded away, so a jump to one leads to what follows it.
            at = bisect_left(addresses, (insn.target, 0))
            targets += (addresses[at][1],) if at < len(addresses) else ()
        yield targets
