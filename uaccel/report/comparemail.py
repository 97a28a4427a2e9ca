# SPDX-License-Identifier: GPL-2.0-only
"""A comparison of profiles as a part of a commit message: 72 columns, ASCII, no line git eats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uaccel.model.comparison import COPIES, Comparison, Difference, Variant
from uaccel.report.compare import NOT_LISTED, change, changed, cost, place
from uaccel.report.message import COLUMNS, ascii_only, cut, joined, wrapped
from uaccel.shares import samples

_SYMBOL = 30  # columns for a symbol, so that at least three figures stand beside it
_FIGURE = 9  # the narrowest column of figures: "  12.86%"
_NAME = 18  # the widest
_MOVED = 8  # symbols that moved elsewhere


def text(comparison: Comparison) -> str:
    """Return the comparison for a commit message."""
    return joined(_parts(comparison))


def _parts(comparison: Comparison) -> Iterator[list[str]]:
    measured = [variant for variant in comparison.variants if variant.groups]
    if measured:
        yield wrapped(_head(measured[0].groups[0].name))
        yield from _tables(_sums(comparison, measured) + _about(measured), measured)
        yield wrapped(f"How the function was found: {comparison.chosen}.")
    yield from map(wrapped, _judged(comparison))
    if comparison.moved:
        yield ["What moved elsewhere, most first:"]
        moved = [(one.symbol, _shares(one.percents, comparison)) for one in comparison.moved]
        yield from _tables(moved[:_MOVED], measured)
    yield from _annotated(comparison)
    yield [row for note in comparison.notes for row in wrapped(f"* {note}", "  ")]


def _judged(comparison: Comparison) -> Iterator[str]:
    # Variants about which the same is to be said are told together.
    told: dict[tuple[str, str], list[str]] = {}
    for one in comparison.differences:
        shown = f"{one.what} {changed(one)} in {one.variant}"
        told.setdefault((one.stands.value, one.why), []).append(shown)
    for (stands, why), figured in told.items():
        yield f"{'; '.join(figured)}. Against noise: {stands}, {why}."


def _head(group: str) -> str:
    whose = group if group == COPIES else f"{group} and what copies for it"
    return f"Shares of all samples, {whose}:"


Rows = list[tuple[str, list[str]]]


def _sums(comparison: Comparison, measured: Sequence[Variant]) -> Rows:
    groups = [variant.groups[0] for variant in measured]
    rows: Rows = []
    for symbol in dict.fromkeys(row.symbol for group in groups for row in group.rows):
        shares = [[row.percent for row in group.rows if row.symbol == symbol] for group in groups]
        rows.append((symbol, [_percent(sum(one) if one else None) for one in shares]))
    rows.append(("sum", [_percent(group.percent) for group in groups]))
    if any(len(group.percents) > 1 for group in groups):
        rows.append(("least", [_percent(min(group.percents)) for group in groups]))
        rows.append(("most", [_percent(max(group.percents)) for group in groups]))
    told = {one.variant: one for one in comparison.differences if one.unit == "percent"}
    if told:
        changes = (told.get(variant.name) for variant in measured)
        rows.append(("change", [_change(one) if one else "" for one in changes]))
    return rows


def _change(one: Difference) -> str:
    return _percent(None) if change(one) == NOT_LISTED else change(one).replace(" %", "%")


def _shares(percents: Sequence[float | None], comparison: Comparison) -> list[str]:
    kept = zip(percents, comparison.variants, strict=True)
    return [_percent(share) for share, variant in kept if variant.groups]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}%"


def _tables(rows: Rows, measured: Sequence[Variant]) -> Iterator[list[str]]:
    # As many variants beside each other as 72 columns hold, the others below.
    names = [ascii_only(variant.name) for variant in measured]
    left = min(_SYMBOL, max(len(ascii_only(symbol)) for symbol, _ in rows))
    wide = min(_NAME, max(_FIGURE, *map(len, names)))
    count = max(1, (COLUMNS - 2 - left) // (wide + 2))
    for first in range(0, len(names), count):
        some = slice(first, first + count)
        head = _row("", names[some], left, wide)
        yield [head, *(_row(symbol, cells[some], left, wide) for symbol, cells in rows)]


def _row(symbol: str, cells: Sequence[str], left: int, wide: int) -> str:
    shown = "".join(f"  {cut(cell, wide):>{wide}}" for cell in cells)
    return f"  {cut(ascii_only(symbol), left):<{left}}{shown}"


def _about(measured: Sequence[Variant]) -> Rows:
    return [
        ("not listed", [_percent(max(0.0, 100 - variant.listed)) for variant in measured]),
        ("runs", [str(len(variant.sources)) for variant in measured]),
        ("samples", [_samples(variant.samples) for variant in measured]),
    ]


def _samples(said: Sequence[str]) -> str:
    counts = [samples(one) for one in said]
    if not all(counts):
        return "not said"
    return said[0] if len(said) == 1 else str(sum(filter(None, counts)))


def _annotated(comparison: Comparison) -> Iterator[list[str]]:
    for variant in comparison.variants:
        for one in variant.attributions:
            yield wrapped(f"User access in {place(one)} of {variant.name}, {cost(one)}.")
            yield from (wrapped(f"* unknown: {why}", "  ") for why in one.unknown)
    for one in comparison.attributions:
        yield wrapped(f"User access in {place(one)}, {cost(one)}.")
        yield from (wrapped(f"* unknown: {why}", "  ") for why in one.unknown)
