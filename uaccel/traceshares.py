# SPDX-License-Identifier: GPL-2.0-only
"""From executed instructions to the shares of symbols, and to text that `compare` reads."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import eq

from uaccel.model.boot import SymbolShare
from uaccel.model.executed import Executed, Places, Span

KERNEL = "[kernel.kallsyms]"
_UNKNOWN = "unknown"
_USER = "user_side"  # all of a program: where it was loaded, nobody recorded
_NEAR = 256  # bytes of memory that are taken together for the kernel's or a program's
_HEADER = "# Overhead  Command  Shared Object      Symbol"


def is_kernel(one: Executed, places: Places) -> bool:
    """Return whether `one` belongs to the kernel, mapped or not."""
    if one.address >= places.first:
        return True
    if _program(one, places) is not None or not places.unmapped:
        return False
    return _symbol(one.address + places.unmapped, places) is not None and _alike((one,), places)


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
    unmapped = _unmapped(rows, places)
    for one in rows:
        counts[_owner(one, places, unmapped)] += one.count
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


def _owner(one: Executed, places: Places, unmapped: frozenset[int]) -> tuple[str, str]:
    if one.address >= places.first:
        return _symbol(one.address, places) or _UNKNOWN, KERNEL
    if (name := _program(one, places)) is not None:
        return _USER, name
    if one.address // _NEAR not in unmapped:
        return _USER, places.other
    below = _symbol(one.address + places.unmapped, places)
    return (below, KERNEL) if below else (_USER, places.other)


def _program(one: Executed, places: Places) -> str | None:
    held = (name for name, code in places.programs if any(part.has(one) for part in code))
    return next(held, None)


def _unmapped(rows: Sequence[Executed], places: Places) -> frozenset[int]:
    # Where the kernel runs unmapped, in multiples of so many bytes: a program may lie there too.
    if not places.unmapped:
        return frozenset()
    near: dict[int, list[Executed]] = defaultdict(list)
    for one in rows:
        if one.address < places.first and _program(one, places) is None:
            near[one.address // _NEAR].append(one)
    return frozenset(at for at, held in near.items() if _alike(held, places))


def _alike(rows: Sequence[Executed], places: Places) -> bool:
    # Most bytes, not all: some of the kernel was patched at boot.
    linked = (_linked(one, places) for one in rows)
    alike = sum(sum(map(eq, one.code, code)) for one, code in zip(rows, linked, strict=True))
    return 2 * alike > sum(len(one.code) for one in rows)


def _linked(one: Executed, places: Places) -> bytes:
    at, size = one.address + places.unmapped, len(one.code)
    return next(filter(None, (code.at(at, size) for code in places.code)), b"")


def _symbol(address: int, places: Places) -> str | None:
    at = bisect_right(places.symbols, address, key=lambda span: span.start) - 1
    if at < 0 or address >= places.symbols[at].end:
        return None
    return places.symbols[at].name
