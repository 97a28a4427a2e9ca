# SPDX-License-Identifier: GPL-2.0-only
"""Attribute an annotated function by the object that it came from, where one was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from uaccel.attribution import OBJECT, attribute
from uaccel.errors import UserError
from uaccel.model.annotation import Annotation
from uaccel.model.attribution import Attribution
from uaccel.model.machine import Arch, Listing
from uaccel.read.disassembly import may_be_of
from uaccel.read.elf import read_elf
from uaccel.read.listing import read_object


def attributed(
    annotation: Annotation, arches: Sequence[Arch], objects: Sequence[tuple[str, bytes]]
) -> Attribution:
    """Return what user access costs in `annotation`, by the one of `objects` that holds it.

    Each of `objects` is a path and what lies there.  Where none of them holds it, the instruction
    pattern alone tells, as without objects.
    """
    plain = attribute(annotation, arches)
    if not objects:
        return plain
    told = tuple(one for one in arches if one.name == plain.arch) or tuple(arches)
    tried = [
        attribute(annotation, (listing.arch,), listing, _file(listing))
        for path, data in objects
        for listing in _listings(path, data, told, annotation.symbol)
    ]
    known = next((one for one in tried if OBJECT in one.how), None)
    if known is not None:
        return known
    name = annotation.symbol or "a function whose name the listing does not say"
    why = tried[0].unknown[:1] if tried else (f"no object that was given holds {name}",)
    return replace(plain, unknown=(*plain.unknown, *why))


def _listings(path: str, data: bytes, arches: Sequence[Arch], symbol: str) -> Iterator[Listing]:
    # What boot patches in is decided by features that the tree numbers, and no object says them:
    # it is read as it lies there, and padding where the text has a toggle is known to be one.
    try:
        elf = read_elf(data)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for arch in arches:
        if may_be_of(elf, arch):
            yield from read_object(data, replace(arch, features=()), (symbol,), {}).listings


def _file(listing: Listing) -> str:
    # The file that most of its lines are of, seen from the outside: the function's own.
    outer = Counter(insn.lines[-1][0] for insn in listing.insns if insn.lines)
    return outer.most_common(1)[0][0] if outer else ""
