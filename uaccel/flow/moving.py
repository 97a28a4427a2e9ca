# SPDX-License-Identifier: GPL-2.0-only
"""A call whose user's object lies somewhere else, and all that led to it leads there."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from uaccel.model.run import Image, Input

Memory = tuple[tuple[int, bytes], ...]  # address, what lies there


def moved(image: Image, given: Input, address: int, to: int, part: slice) -> Input | None:
    """Return the same call with a `part` of the user's object at `address` at `to`.

    None where nothing of the call leads there.
    """
    order: Literal["big", "little"] = "big" if image.big else "little"
    words = {size: address.to_bytes(size, order) for size in {4, image.bits // 8}}
    arguments = tuple(to if one == address else one for one in given.arguments)
    led = [_led(memory, words, to, order) for memory in (given.kernel, given.user)]
    if arguments == given.arguments and (given.kernel, given.user) == tuple(led):
        return None
    start = part.start or 0
    laid = ((to + start, data[part]) if at == address else (at, data) for at, data in led[1])
    return replace(
        given,
        arguments=arguments,
        kernel=led[0],
        user=tuple(one for one in laid if one[1]),
    )


def _led(
    memory: Memory,
    words: dict[int, bytes],
    to: int,
    order: Literal["big", "little"],
) -> Memory:
    # The memory with each pointer to the object, whole words, changed.
    made = []
    if not any(word in content for _, content in memory for word in words.values()):
        return memory
    for at, content in memory:
        changed = content
        for size, word in words.items():
            start = changed.find(word) if to < 1 << 8 * size else -1
            while start >= 0:
                if start % size == 0:
                    new = to.to_bytes(size, order)
                    changed = changed[:start] + new + changed[start + size :]
                start = changed.find(word, start + 1)
        made.append((at, changed))
    return tuple(made)
