# SPDX-License-Identifier: GPL-2.0-only
"""A comparison of profiles to text, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from uaccel.model.attribution import Attribution
from uaccel.model.comparison import Comparison, Difference, Group, Stands, Summed, Variant
from uaccel.report.paper import WIDE, console, hanging, stripped, table, title
from uaccel.report.plain import line

MARK = "==>"  # beside what is summed, as people mark it in a mail
NOT_LISTED = "not listed"
_ROWS = 16  # of a variant's listing, unless all are asked for
_MOVED = 12  # symbols that moved elsewhere, likewise
_TONES = {Stands.YES: "bold", Stands.NO: "dim", Stands.UNKNOWN: "yellow"}


def text(comparison: Comparison, *, color: bool, width: int, verbose: bool = False) -> str:
    """Return the whole report; every row of the listings only when `verbose`."""
    written = StringIO()
    narrow = console(written, color, max(width, 40))
    wide = console(written, color, WIDE)
    for part in _parts(comparison, verbose):
        (wide if isinstance(part, Table) else narrow).print(part, soft_wrap=False)
    wide.print(Text.assemble(("\nagain  ", "dim"), line(comparison.command)), soft_wrap=True)
    return stripped(written)


def change(difference: Difference) -> str:
    """Return the change of a figure as a person reads it."""
    before, after = difference.hidden
    if (before and not difference.before) or (after and not difference.after):
        return NOT_LISTED
    if difference.change is None:
        return "from nothing" if difference.after else "none"
    return f"{difference.change:+.1f} %"


def changed(difference: Difference) -> str:
    """Return both figures of a difference and the change, where both listings show something."""
    both = zip((difference.before, difference.after), difference.hidden, strict=True)
    shown = " -> ".join(figure(v, difference.unit) if v or not h else NOT_LISTED for v, h in both)
    return shown if NOT_LISTED in shown else f"{shown} ({change(difference)})"


def figure(value: float, unit: str) -> str:
    """Return a figure of a difference with its unit."""
    if unit == "percent":
        return f"{value:.2f} %"
    shown = f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"
    return shown if unit == "events" else f"{shown} {unit}"


def cost(one: Attribution) -> str:
    """Return what user access costs in an annotated function: one clause."""
    accesses, windows = one.accesses, len(one.windows)
    if not windows:
        return "no user access was found in the listing"
    return (
        f"{one.percent:.2f} % of its samples in {one.instructions} instructions: "
        f"{accesses} access{'es' * (accesses != 1)}, {windows} window{'s' * (windows != 1)}"
    )


def place(one: Attribution) -> str:
    """Return what an annotated function is called."""
    if one.annotation.symbol:
        return one.annotation.symbol
    title = one.annotation.title
    return f"the listing below `{title}`" if title else "a function that is not named"


def _parts(comparison: Comparison, verbose: bool) -> Iterator[RenderableType]:
    for variant in comparison.variants:
        yield from _variant(variant, verbose)
    yield from _moved(comparison, verbose)
    yield from _attributions(comparison)
    if comparison.notes:
        yield title("notes")
        yield from (hanging("-", note, "dim") for note in comparison.notes)
    # The sums come last: they are what a terminal still shows when the program has ended.
    yield from _sums(comparison)
    yield from _differences(comparison.differences)


def _variant(variant: Variant, verbose: bool) -> Iterator[RenderableType]:
    yield title(variant.name, *_about(variant))
    if variant.title:
        yield hanging("told as", variant.title, "dim")
    if not variant.groups:
        return
    cause = variant.groups[0]
    own = {(row.symbol, row.object) for row in cause.rows}
    rows = sorted(
        (row for group in variant.groups for row in group.rows if row.percent or row in cause.rows),
        key=lambda row: (-row.percent, row.symbol),
    )
    shown = [row for at, row in enumerate(rows) if verbose or at < _ROWS or row in cause.rows]
    listed = table("", "share", "symbol", "where", "", whole=("", "share", "symbol", "where"))
    listed.columns[1].justify = "right"
    for row in shown:
        mark = MARK if row in cause.rows and (row.symbol, row.object) in own else ""
        why = row.why
        cells = (mark, _spread(row.percent, row.percents), row.symbol, row.object, why)
        listed.add_row(*(Text(line(cell)) for cell in cells), style="bold" if mark else "")
    yield listed
    if len(shown) < len(rows):
        yield hanging("", f"and {len(rows) - len(shown)} more that it lists; -v shows them", "dim")
    yield hanging("sum", f"{_spread(cause.percent, cause.percents)}  {cause.name}", "bold")
    rest = [f"{group.name} {group.percent:.2f} %" for group in variant.groups[1:] if group.percent]
    rest.append(f"{NOT_LISTED} {max(0.0, 100 - variant.listed):.2f} %")
    yield hanging("else", ", ".join(rest), "dim")


def _about(variant: Variant) -> Iterator[str]:
    yield ", ".join(variant.sources)
    if variant.sources:
        counts = ", ".join(count or "not said" for count in variant.samples)
        yield f"samples: {counts}"


def _spread(percent: float, percents: Sequence[float]) -> str:
    told = f"{percent:.2f} %"
    if len(percents) < 2:
        return told
    return f"{told} ({min(percents):.2f}-{max(percents):.2f})"


def _moved(comparison: Comparison, verbose: bool) -> Iterator[RenderableType]:
    if not comparison.moved:
        return
    yield title("what moved elsewhere", "percent of all samples", "most first")
    names = [variant.name for variant in comparison.variants if variant.groups]
    listed = table("symbol", "where", *map(line, names), whole=("symbol", "where"))
    for column in listed.columns[2:]:
        column.justify = "right"
    shown = comparison.moved if verbose else comparison.moved[:_MOVED]
    for one in shown:
        kept = zip(one.percents, comparison.variants, strict=True)
        shares = [share for share, variant in kept if variant.groups]
        cells = (NOT_LISTED if share is None else f"{share:.2f} %" for share in shares)
        listed.add_row(*(Text(line(cell)) for cell in (one.symbol, one.object, *cells)))
    yield listed
    if len(shown) < len(comparison.moved):
        more = len(comparison.moved) - len(shown)
        yield hanging("", f"and {more} more; -v shows them", "dim")


def _attributions(comparison: Comparison) -> Iterator[RenderableType]:
    told = [
        *((variant.name, one) for variant in comparison.variants for one in variant.attributions),
        *(("", one) for one in comparison.attributions),
    ]
    if told:
        yield title("user access in annotated functions")
    for name, one in told:
        yield hanging("-", ": ".join(filter(None, (name, place(one), cost(one)))), "bold")
        if one.how:
            yield hanging(" ", one.how, "dim")
        for window in one.windows:
            accesses = ", ".join(f"{share.what} {share.percent:.2f} %" for share in window.shares)
            opened = f"window {window.number}: {window.percent:.2f} %, {len(window.rows)} insns"
            yield hanging(" ", f"{opened}: {accesses}" if accesses else opened, "dim")
        yield from (hanging(" ", f"unknown: {why}", "yellow") for why in one.unknown)


def _sums(comparison: Comparison) -> Iterator[RenderableType]:
    measured = [variant for variant in comparison.variants if variant.groups]
    if not measured:
        return
    yield title("the sums", measured[0].groups[0].name)
    yield hanging("chosen", comparison.chosen, "dim")
    listed = table("", *(line(variant.name) for variant in measured), whole=("",))
    for column in listed.columns[1:]:
        column.justify = "right"
    for symbol in _symbols([variant.groups[0] for variant in measured]):
        cells = (_share(variant.groups[0].rows, symbol) for variant in measured)
        listed.add_row(Text(line(symbol)), *(Text(cell) for cell in cells))
    sums = (_spread(v.groups[0].percent, v.groups[0].percents) for v in measured)
    listed.add_section()
    listed.add_row(Text("sum"), *(Text(cell) for cell in sums), style="bold")
    changes = {one.variant: change(one) for one in comparison.differences if one.unit == "percent"}
    if changes:
        cells = (changes.get(variant.name, "") for variant in measured)
        listed.add_row(Text("change"), *(Text(cell) for cell in cells))
    yield listed


def _symbols(groups: Sequence[Group]) -> list[str]:
    return list(dict.fromkeys(row.symbol for group in groups for row in group.rows))


def _share(rows: Sequence[Summed], symbol: str) -> str:
    found = [row for row in rows if row.symbol == symbol]
    return f"{sum(row.percent for row in found):.2f} %" if found else NOT_LISTED


def _differences(differences: Sequence[Difference]) -> Iterator[RenderableType]:
    if not differences:
        return
    yield title("the differences", "to the first variant")
    for one in differences:
        told = f"{one.variant}: {one.what} {changed(one)}"
        told = f"{told}: {one.stands.value} ({one.why})"
        yield hanging("-", told, _TONES[one.stands])
