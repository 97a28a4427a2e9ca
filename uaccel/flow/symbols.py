# SPDX-License-Identifier: GPL-2.0-only
"""From a function, as the source names it, to the symbols that a linked kernel has for it."""

from __future__ import annotations

import re

from uaccel.accessors import bare, plain
from uaccel.model.executed import Linked

# A part of a function that the compiler moved away is not where calls of it go through.
_PART = re.compile(r".*\.(?:part|cold)\b.*")
# Of what SYSCALL_DEFINEn() and COMPAT_SYSCALL_DEFINEn() make, innermost first; what is left is
# called by the table of system calls (include/linux/syscalls.h, asm/syscall_wrapper.h).
_WITHIN = ("__do_", "__se_")


def symbols_of(kernel: Linked, name: str) -> tuple[str, ...]:
    """Return the symbols one of which each call of the function `name` enters; () for none."""
    whole = [symbol for symbol, _, _ in kernel.symbols if not _PART.fullmatch(symbol)]
    own = [symbol for symbol in whole if bare(symbol) == name]
    if own:
        return tuple(own)
    made = [symbol for symbol in whole if plain(bare(symbol)) == name]
    for prefix in _WITHIN:
        if inner := [symbol for symbol in made if symbol.startswith(prefix)]:
            return tuple(inner)
    return tuple(made)


def entries_of(kernel: Linked, names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the addresses one of which each call of any of the functions `names` goes through."""
    return kernel.entries(tuple(symbol for name in names for symbol in symbols_of(kernel, name)))


def holder(kernel: Linked, name: str, chain: tuple[str, ...]) -> str | None:
    """Return the function whose symbols in `kernel` hold the code of the function `name`.

    It is the function itself, or who called it in the `chain` of calls that leads there: the
    nearest one that is left.  None when `chain` does not lead there.
    """
    if symbols_of(kernel, name):
        return name
    places = [at for at, one in enumerate(chain) if name in {bare(one), plain(bare(one))}]
    above = reversed(chain[: places[0]]) if places else ()
    return next((bare(one) for one in above if symbols_of(kernel, bare(one))), None)
