# SPDX-License-Identifier: GPL-2.0-only
"""The page of one comparison of profiles, and the same as a part of a study's page."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel import __version__
from uaccel.model.attribution import Attribution
from uaccel.model.comparison import Comparison, Difference, Variant
from uaccel.report.pages.frame import page

_WIDEST = 100.0


@dataclass(frozen=True, slots=True)
class Slice:
    """One symbol of a group as a bar."""

    number: int  # of its symbol among those of all variants
    symbol: str
    object: str
    percent: float
    width: float  # percent of the room
    spread: str  # "12.1 to 13.0" over the runs; "" for one run
    why: str


@dataclass(frozen=True, slots=True)
class Pile:
    """One group of one variant as a bar of its symbols."""

    name: str
    percent: float
    width: float  # percent of the room
    spread: str
    slices: tuple[Slice, ...]
    first: bool  # what the comparison is about


@dataclass(frozen=True, slots=True)
class Column:
    """One variant."""

    variant: Variant
    piles: tuple[Pile, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """One instruction of an annotated listing."""

    address: int
    text: str
    percent: float | None
    width: float
    window: int | None  # number of its window
    share: int | None  # number of its access in that window
    first: bool  # of its window
    gap: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """An annotated listing with its windows."""

    attribution: Attribution
    rows: tuple[Marked, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison as a template draws it."""

    comparison: Comparison
    columns: tuple[Column, ...]
    said: tuple[Difference, ...]  # of the group that it is about, of each variant but the first
    annotated: tuple[tuple[str, tuple[Listed, ...]], ...]  # by variant


def comparison_page(comparison: Comparison) -> str:
    """Return the page of a comparison."""
    return page("comparison.html", (), {}, version=__version__, compared=compared(comparison))


def compared(comparison: Comparison) -> Compared:
    """Return what a template shows of `comparison`."""
    groups = [group for variant in comparison.variants for group in variant.groups]
    most = max((group.percent for group in groups), default=0.0) or 1.0
    symbols = {row.symbol for group in groups for row in group.rows}
    numbers = {symbol: at for at, symbol in enumerate(_heaviest(comparison, symbols))}
    columns = tuple(_column(one, most, numbers) for one in comparison.variants)
    annotated = tuple(
        (variant.name, tuple(_listed(one) for one in variant.attributions))
        for variant in comparison.variants
        if variant.attributions
    )
    if comparison.attributions:
        loose = tuple(_listed(one) for one in comparison.attributions)
        annotated = (*annotated, ("not said of which variant", loose))
    about = {variant.groups[0].name for variant in comparison.variants if variant.groups}
    said = tuple(one for one in comparison.differences if one.what in about)
    return Compared(comparison, columns, said, annotated)


def _heaviest(comparison: Comparison, symbols: set[str]) -> list[str]:
    # A symbol has one colour in every variant; the heaviest have the first ones.
    shares = dict.fromkeys(sorted(symbols), 0.0)
    for variant in comparison.variants:
        for group in variant.groups[:1]:
            for row in group.rows:
                shares[row.symbol] += row.percent
    return sorted(shares, key=lambda symbol: -shares[symbol])


def _column(variant: Variant, most: float, numbers: dict[str, int]) -> Column:
    piles = []
    for at, group in enumerate(variant.groups):
        slices = tuple(
            Slice(
                numbers[row.symbol],
                row.symbol,
                row.object,
                row.percent,
                round(_WIDEST * row.percent / most, 3),
                _spread(row.percents),
                row.why,
            )
            for row in group.rows
        )
        width = round(_WIDEST * group.percent / most, 3)
        piles.append(
            Pile(group.name, group.percent, width, _spread(group.percents), slices, not at)
        )
    return Column(variant, tuple(piles))


def _spread(percents: tuple[float, ...]) -> str:
    if len(percents) < 2:
        return ""
    return f"{min(percents):.2f} to {max(percents):.2f} in {len(percents)} runs"


def _listed(attribution: Attribution) -> Listed:
    window_of = {at: w.number for w in attribution.windows for at in w.rows}
    share_of = {
        at: share.number for w in attribution.windows for share in w.shares for at in share.rows
    }
    firsts = {min(w.rows) for w in attribution.windows if w.rows}
    rows = attribution.annotation.rows
    most = max((row.percent or 0.0 for row in rows), default=0.0) or 1.0
    return Listed(
        attribution,
        tuple(
            Marked(
                row.address,
                row.text,
                row.percent,
                round(_WIDEST * (row.percent or 0.0) / most, 2),
                window_of.get(at),
                share_of.get(at),
                at in firsts,
                row.gap,
            )
            for at, row in enumerate(rows)
        ),
    )
