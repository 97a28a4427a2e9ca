# SPDX-License-Identifier: GPL-2.0-only
"""The one instruction that a machine has for user memory and unicorn has not: s390's mvcos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MOST = 4096  # bytes that one move takes at most
_SECONDARY = 2  # address space in a half of register 0
_CONDITION = 44  # bits below the condition code in the program status word


@dataclass(frozen=True, slots=True)
class Move:
    """What one mvcos is about to do."""

    target: int  # address
    source: int  # address
    size: int  # bytes
    to_user: bool
    from_user: bool
    more: bool  # the length is more than one move takes


def move(code: bytes, register: Callable[[int], int]) -> Move:
    """Return what the mvcos in `code` does, its registers by number."""
    length = register(code[1] >> 4)
    control = register(0)
    return Move(
        target=_address(code[2:4], register),
        source=_address(code[4:6], register),
        size=min(length, _MOST),
        to_user=_is_user(control >> 16),
        from_user=_is_user(control),
        more=length > _MOST,
    )


def shortened(code: bytes, register: Callable[[int], int], page: int) -> tuple[int, int]:
    """Return which register holds the length, and what is left of it to the end of the page.

    It is 0 where the page holds all of it: the move then moves nothing, and the next one is told.
    """
    done, number = move(code, register), code[1] >> 4
    user = done.target if done.to_user else done.source
    left = page - user % page
    return number, left if register(number) > left else 0


def status(word: int, done: Move) -> int:
    """Return the program status word `word` with the condition code that `done` leaves."""
    return word & ~(3 << _CONDITION) | (3 if done.more else 0) << _CONDITION


def _address(field: bytes, register: Callable[[int], int]) -> int:
    base, displacement = field[0] >> 4, (field[0] & 15) << 8 | field[1]
    held = register(base) if base else 0
    return (held + displacement) & ((1 << 64) - 1)


def _is_user(half: int) -> bool:
    # The last bit says that the address space is told at all.
    return bool(half & 1) and half >> 6 & 3 == _SECONDARY
