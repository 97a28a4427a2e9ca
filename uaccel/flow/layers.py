# SPDX-License-Identifier: GPL-2.0-only
"""What makes the contents of an input: seeds, one upon the other, and bytes that are wished for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

STATIC = "static "  # in the path of a variable of the object, before its name


@dataclass(frozen=True, slots=True)
class Layer:
    """A seed, and how much of what is there it changes."""

    seed: int
    rate: float  # of objects; 1 for the first layer, which lays all


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes that one object has from here on, whatever lay there."""

    path: str
    offset: int  # bytes
    data: bytes


Layers = tuple[Layer | Patch, ...]  # a layer comes first


def patched(content: bytes, patch: Patch, count: int) -> bytes:
    """Return `count` values that `content` holds, each with the bytes of `patch`."""
    made = bytearray(content)
    size = len(content) // count
    for at in range(patch.offset, len(content), size or 1):
        made[at : at + len(patch.data)] = patch.data
    return bytes(made[: len(content)])


def statics(layers: Layers) -> Iterator[tuple[str, int, bytes]]:
    """Yield (name, bytes into it, what lies there) of variables of the object."""
    for one in layers:
        if isinstance(one, Patch) and one.path.startswith(STATIC):
            yield one.path.removeprefix(STATIC), one.offset, one.data
