# SPDX-License-Identifier: GPL-2.0-only
"""Tell from the text of an annotated function for which architecture it was compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from uaccel.accessors import is_accessor
from uaccel.annotated.slices import TOGGLES
from uaccel.annotated.spelling import is_like, plain, role_of, spelled
from uaccel.model.annotation import Annotation
from uaccel.model.machine import Arch, Role, Spelling

# Of the instructions, what a few unusual ones and what could not be read leave.
_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Kin:
    """How the text is to be read."""

    name: str  # of the architecture; "" when several write it so
    title: str
    spelling: Spelling
    guards: bool  # something opens and closes there
    guards_reads: bool
    others: tuple[str, ...]  # names of all that it may be, when `name` is ""


def choose(annotation: Annotation, arches: Sequence[Arch]) -> Kin | None:
    """Return the architecture whose openings or accesses stand in the text, or None."""
    fitting = [(arch, _alike(annotation, arch.spelling)) for arch in arches]
    # Where the same opens and closes, what cannot be read of one is another's: `%rsi` of i386.
    scored = [
        (_score(annotation, arch.spelling), alike, not arch.shortest_window, arch)
        for arch, alike in fitting
        if arch.spelling and alike >= max(1, _MOST * len(annotation.rows))
    ]
    if not scored:
        return None
    best = max(scored, key=lambda row: row[:3])
    arch = best[3]
    if len(scored) == 1 or any(best[0]):
        return _kin(arch, arch.name, arch.title, ())
    if _calls(annotation, arch.spelling):
        names = tuple(sorted(one.name for *_, one in scored))
        return _kin(arch, "", "calls to accessors", names)
    return None


def _kin(arch: Arch, name: str, title: str, others: tuple[str, ...]) -> Kin | None:
    if arch.spelling is None:
        return None
    guards = bool(arch.shortest_window)
    return Kin(name, title, arch.spelling, guards, arch.guards_reads, others)


def _alike(annotation: Annotation, spelling: Spelling | None) -> int:
    if spelling is None:
        return 0
    return sum(is_like(spelling.family, plain(row.text)) for row in annotation.rows)


def _score(annotation: Annotation, spelling: Spelling) -> tuple[int, int]:
    texts = [plain(row.text) for row in annotation.rows]
    toggles = sum(role_of(spelling.rows, text) in TOGGLES for text in texts)
    return toggles, sum(is_like(spelling.alone, text) for text in texts)


def _calls(annotation: Annotation, spelling: Spelling | None) -> bool:
    if spelling is None:
        return False
    read = (spelled(spelling, row.text) for row in annotation.rows)
    return any(one.role is Role.CALLS and is_accessor(one.name) for one in read)
