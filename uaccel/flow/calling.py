# SPDX-License-Identifier: GPL-2.0-only
"""How values of C come to be arguments: in which words, and extended how."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from uaccel.model.kinds import Kind, Shape
from uaccel.model.run import Image

_MOST = 2  # words of a struct that is passed by value


def extended(image: Image, kind: Kind, content: bytes) -> int:
    """Return what a register holds that was given the first value of `kind` in `content`."""
    order: Literal["big", "little"] = "big" if image.big else "little"
    narrow = image.bits == 64 and kind.size == 4 and image.emulation.signs
    signed = kind.shape is Shape.NUMBER and (kind.signed or narrow)
    value = int.from_bytes(content[: kind.size], order, signed=signed)
    return value & ((1 << image.bits) - 1)


def answered(image: Image, kind: Kind, content: bytes) -> int:
    """Return what a callee answers that returns the first value of `kind` in `content`."""
    word = image.bits // 8
    if not image.emulation.wide or kind.size != 2 * word:
        return extended(image, kind, content)
    return int.from_bytes(content[: kind.size], "big" if image.big else "little")


def by_reference(image: Image, kind: Kind) -> bool:
    """Return whether a value of `kind` is passed as a pointer to it."""
    if kind.shape is not Shape.AGGREGATE or not image.emulation.references:
        return False
    return image.bits == 32 or kind.size not in (1, 2, 4, 8)


def arguments(image: Image, values: Iterable[tuple[Kind, bytes]]) -> tuple[int, ...] | str:
    """Return the words of the registers, then of the stack; or what cannot be passed here."""
    given = tuple(values)
    where = places(image, tuple(kind for kind, _ in given))
    if isinstance(where, str):
        return where
    made = [0] * max((one.stop for one in where), default=0)
    for at, (kind, content) in zip(where, given, strict=True):
        made[at.start : at.stop] = _words(image, kind, content)
    return tuple(made)


def places(image: Image, kinds: Iterable[Kind]) -> tuple[range, ...] | str:
    """Return in which words values of `kinds` are passed; or which of them cannot be here."""
    made: list[range] = []
    held, word, at = len(image.emulation.arguments), image.bits // 8, 0
    for kind in kinds:
        empty = kind.shape is Shape.NOTHING  # a struct without members takes no room
        words = 0 if empty else max(1, (kind.size + word - 1) // word)
        if words > _MOST:
            return f"a struct of {kind.size} bytes is passed by value"
        if words == _MOST:
            split = at < held < at + words
            if kind.shape is Shape.AGGREGATE and split and not image.emulation.whole:
                return f"a struct of {kind.size} bytes is passed half in registers"
            wide = kind.size > word and kind.shape is Shape.NUMBER
            at += at % 2 if wide and image.emulation.pairs else 0
        if image.emulation.whole and at < held < at + words:
            at = held
        made.append(range(at, at + words))
        at += words
    return tuple(made)


def _words(image: Image, kind: Kind, content: bytes) -> list[int]:
    word = image.bits // 8
    order: Literal["big", "little"] = "big" if image.big else "little"
    if kind.size <= word:
        return [extended(image, kind, content)]
    cut = (content[at : at + word] for at in range(0, kind.size, word))
    return [int.from_bytes(one.ljust(word, b"\0"), order) for one in cut]
