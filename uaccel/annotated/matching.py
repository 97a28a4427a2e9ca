# SPDX-License-Identifier: GPL-2.0-only
"""Lay the function of an object beside its annotated listing, instruction by instruction."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.annotated.slices import TOGGLES
from uaccel.annotated.spelling import plain, role_of
from uaccel.model.annotation import Annotation
from uaccel.model.machine import Insn, Listing, Role, Spelling

# Padding is not in an object's listing, and what is patched at boot is written otherwise there.
_ENOUGH = 0.9


@dataclass(frozen=True, slots=True)
class Matched:
    """What the object says of each row."""

    insns: tuple[Insn | None, ...]
    roles: tuple[Role | None, ...]
    exact: bool  # the object's own exception table was used
    why: tuple[str, ...]  # why not, one sentence


def match(annotation: Annotation, spelling: Spelling, listing: Listing | None) -> Matched:
    """Return the instruction of `listing` at each row, where that is the same code."""
    texts = [plain(row.text) for row in annotation.rows]
    roles = tuple(role_of(spelling.rows, text) for text in texts)
    none = (None,) * len(texts)
    if listing is None or not listing.insns:
        return Matched(none, roles, False, ())
    start = _start(annotation, listing, roles)
    by_place = {one.address - listing.insns[0].address: one for one in listing.insns}
    found = tuple(
        None if start is None else by_place.get(row.address - start) for row in annotation.rows
    )
    same = sum(_same(one, text) for one, text in zip(found, texts, strict=True))
    if start is None or same < _ENOUGH * _counted(roles):
        why = (
            f"the object that was given is not the one that was annotated: {same} of the"
            f" {_counted(roles)} instructions are alike"
        )
        return Matched(none, roles, False, (why,))
    known = tuple(_known(listing, insn, role) for insn, role in zip(found, roles, strict=True))
    return Matched(found, known, True, ())


def _start(annotation: Annotation, listing: Listing, roles: tuple[Role | None, ...]) -> int | None:
    code = [row for row, role in zip(annotation.rows, roles, strict=True) if role is not Role.NOP]
    if annotation.begins and code:
        return code[0].address  # padding at the entry is not in the object's listing
    # Part of the function: where most of its instructions are the same ones.
    texts = [plain(row.text) for row in annotation.rows]
    first = listing.insns[0].address
    best, start = 0, None
    for insn in listing.insns:
        shift = annotation.rows[0].address - (insn.address - first)
        places = {one.address - first + shift: one for one in listing.insns}
        alike = sum(
            _same(places.get(row.address), text)
            for row, text in zip(annotation.rows, texts, strict=True)
        )
        if alike > best:
            best, start = alike, shift
    return start


def _known(listing: Listing, insn: Insn | None, role: Role | None) -> Role | None:
    # A file on disk has padding where a toggle is patched in at boot; what else was patched
    # stands in the text as it ran.
    if insn is None or role not in (None, Role.NOP):
        return role
    told = listing.arch.role(insn)
    return told if told in TOGGLES else role


def _counted(roles: tuple[Role | None, ...]) -> int:
    return sum(role is not Role.NOP for role in roles)


def _same(insn: Insn | None, text: str) -> bool:
    # Disassemblers differ in aliases and suffixes; the beginning of the word is nearly always one.
    if insn is None:
        return False
    mine, other = insn.mnemonic.removeprefix("c."), text.partition(" ")[0]
    return mine[:2] == other[:2]
