# SPDX-License-Identifier: GPL-2.0-only
"""From executed instructions to the shares of symbols, and to text that `compare` reads."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from uaccel.model.boot import SymbolShare
from uaccel.model.executed import Executed, Places, Span

KERNEL = "[kernel.kallsyms]"
_UNKNOWN = "unknown"
_USER = "user_side"  # all of a program: where it was loaded, nobody recorded
_HEADER = "# Overhead  Command  Shared Object      Symbol"


def is_kernel(one: Executed, places: Places) -> bool:
    """Return whether `one` belongs to the kernel, mapped or not."""
    if one.address >= places.first:
        return True
    if any(code.has(one) for _, held in places.programs for code in held):
        return False
    return bool(places.unmapped) and _symbol(one.address + places.unmapped, places) is not None


def name_at(address: int, places: Places) -> str:
    """Return the kernel's symbol that holds `address`, mapped or not."""
    below = address + places.unmapped if address < places.first else address
    return _symbol(below, places) or _UNKNOWN


def is_entry(address: int, places: Places) -> bool:
    """Return whether a function of the kernel is entered at `address`."""
    at = bisect_right(places.symbols, address, key=lambda span: span.start) - 1
    return address in places.inner or (at >= 0 and places.symbols[at].start == address)


def shares(rows: Sequence[Executed], places: Places) -> tuple[SymbolShare, ...]:
    """Return what share of the executed instructions each symbol has, the largest first."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in rows:
        counts[_owner(one, places)] += one.count
    total = sum(counts.values())
    return tuple(
        SymbolShare(symbol, object, count, 100 * count / total)
        for (symbol, object), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def spans(symbols: Iterable[tuple[str, int, int]], end: int) -> tuple[Span, ...]:
    """Return where the symbols (name, address, size) of code lie; one without a size fills up.

    Of two at one address the first in the alphabet stands; code ends at `end`.
    """
    named: dict[int, tuple[str, int]] = {}
    for name, address, size in sorted(symbols, reverse=True):
        if size or address not in named:
            named[address] = (name, size)
    starts = sorted(named)
    following = (*starts[1:], max(end, *starts[-1:])) if starts else ()
    return tuple(
        Span(at, at + named[at][1] if named[at][1] else after, named[at][0])
        for at, after in zip(starts, following, strict=True)
    )


def listing(found: Sequence[SymbolShare], command: str, title: str) -> str:
    """Return `found` as perf report prints it, which `compare` reads."""
    total = sum(one.instructions for one in found)
    head = (
        f"# {title}",
        f"# Samples: {total} of event 'instructions'",
        f"# Event count (approx.): {total}",
        "#",
        _HEADER,
        "#",
    )
    return "\n".join((*head, *_rows(found, command), ""))


def _rows(found: Iterable[SymbolShare], command: str) -> Iterator[str]:
    for one in found:
        mark = "k" if one.object == KERNEL else "."
        yield f"{one.percent:9.4f}%  {command}  {one.object:18} [{mark}] {one.symbol}"


def _owner(one: Executed, places: Places) -> tuple[str, str]:
    if one.address >= places.first:
        return _symbol(one.address, places) or _UNKNOWN, KERNEL
    for name, held in places.programs:
        if any(code.has(one) for code in held):
            return _USER, name
    below = _symbol(one.address + places.unmapped, places) if places.unmapped else None
    return (below, KERNEL) if below else (_USER, places.other)


def _symbol(address: int, places: Places) -> str | None:
    at = bisect_right(places.symbols, address, key=lambda span: span.start) - 1
    if at < 0 or address >= places.symbols[at].end:
        return None
    return places.symbols[at].name
