# SPDX-License-Identifier: GPL-2.0-only
"""Compare profiles of variants: the symbols of one cause summed, and what moved elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from statistics import median

from uaccel.causes import Holders, cause
from uaccel.model.comparison import (
    Comparison,
    Counted,
    Difference,
    Group,
    Moved,
    Stands,
    Summed,
    Taken,
    Variant,
)
from uaccel.moves import Runs, have_chains
from uaccel.noise import Figures, Mean, judged, judged_means
from uaccel.remarks import SEEN, Bench, Rows, listed, remarks, successors, summed
from uaccel.shares import Key, Tally, bound, is_named, share, tallies

KERNEL, ELSEWHERE = "other functions of the kernel", "not said where"
PERCENT = "percent"
_ROUNDED = 0.01  # points of percent: listings have two digits
_DIGITS = 6  # behind the point: where floats do not add up


def compare(
    taken: Sequence[Taken],
    *,
    asked: Sequence[str] = (),
    holders: Holders | None = None,
    command: str = "",
    notes: Iterable[str] = (),
) -> Comparison:
    """Return the variants side by side.

    The group is what was `asked` for; else what a person marked in the text; else that of the
    `holders` (functions of a tree with clusters, with those they may be inlined into) that the
    profiles name; else the function that moved beside all others.
    """
    runs = tallies([one.profiles for one in taken])
    names = [one.name for one in taken]
    bench = Bench(tuple(taken), runs, cause(runs, names, asked, holders), have_chains(runs))
    groups = [summed(bench, one) for one in runs]
    members = {key for rows in groups for key in rows}
    objects = _objects(runs)
    variants = tuple(_variant(bench, i, rows, members, objects) for i, rows in enumerate(groups))
    return Comparison(
        command=command,
        variants=variants,
        chosen=bench.found.chosen,
        differences=tuple(_differences(bench, variants, members)),
        moved=_moved(bench, members) if len(variants) > 1 else (),
        notes=(*notes, *bench.found.notes, *remarks(bench, members)),
    )


def _variant(
    bench: Bench, at: int, rows: Rows, members: Collection[Key], objects: Sequence[str]
) -> Variant:
    one, runs = bench.taken[at], bench.runs[at]
    groups = [_group(bench.group, runs, rows)] if runs else []
    charged: dict[Key, tuple[float, ...]] = {key: percents for key, (percents, _) in rows.items()}
    for name in objects if runs else ():
        groups.append(_group(name, runs, _rest(runs, name, members, charged)))
    return Variant(
        name=one.name,
        sources=one.sources,
        samples=tuple(profile.samples for profile in one.profiles),
        groups=tuple(groups),
        listed=round(median(run.listed for run in runs), _DIGITS) if runs else 0.0,
        counts=one.counts,
        attributions=one.attributions,
        title=next((profile.title for profile in one.profiles if profile.title), ""),
    )


def _group(name: str, runs: Runs, rows: Rows) -> Group:
    columns = zip(*(percents for percents, _ in rows.values()), strict=True)
    sums = tuple(round(sum(column), _DIGITS) for column in columns)
    sums = sums or (0.0,) * len(runs)
    found = []
    for key, (percents, why) in rows.items():
        one = next(run.named[key] for run in runs if key in run.named)
        found.append(Summed(one.written, one.object, median(percents), percents, why))
    found.sort(key=lambda row: (-row.percent, row.symbol))
    return Group(name, median(sums), sums, tuple(found))


def _where(runs: Runs, key: Key) -> str:
    if key.side == "kernel":
        return KERNEL
    found = next((run.named[key].object for run in runs if key in run.named), "")
    return found.rpartition("/")[2] or ELSEWHERE


def _objects(variants: Sequence[Runs]) -> list[str]:
    sums: dict[str, float] = {}
    for runs in variants:
        for key in listed(runs):
            where = _where(runs, key)
            sums[where] = sums.get(where, 0.0) + (share(runs, key) or 0.0)
    return sorted(sums, key=lambda name: (name != KERNEL, -sums[name], name))


def _rest(
    runs: Runs, name: str, members: Collection[Key], charged: dict[Key, tuple[float, ...]]
) -> Rows:
    rows: Rows = {}
    for key in listed(runs):
        if _where(runs, key) != name:
            continue
        taken = charged.get(key, (0.0,) * len(runs))
        own = (run.own.get(key, 0.0) for run in runs)
        left = tuple(max(0.0, a - b) for a, b in zip(own, taken, strict=True))
        if max(left) > 1e-9 or key not in members:
            rows[key] = left, "copies for others" if key in members else ""
    return rows


# How the variants differ


def _differences(
    bench: Bench, variants: Sequence[Variant], members: Collection[Key]
) -> Iterator[Difference]:
    measured = [i for i, runs in enumerate(bench.runs) if runs]
    for i in measured[1:] if members else ():
        both = [_figures(bench, variants, at, members) for at in (measured[0], i)]
        stands, why = _judged(bench, (measured[0], i), both)
        before, after = (one.middle for one in both)
        hidden = max(both[0].hidden), max(both[1].hidden)
        name = variants[i].name
        yield Difference(name, bench.group, before, after, PERCENT, stands, why, hidden)
    for i, variant in enumerate(variants):
        first = _first_with_counts(variants)
        yield from _counted(variants[first], variant) if i > first else ()


def _judged(bench: Bench, pair: tuple[int, int], both: Sequence[Figures]) -> tuple[Stands, str]:
    for at in pair:
        if one := next(successors(bench, at), None):
            said = f"{bench.names[at]} does not list {bench.group}, and {one.name} may be the same"
            return Stands.UNKNOWN, f"{said} under another name"
    return judged(*both)


def _figures(
    bench: Bench, variants: Sequence[Variant], at: int, members: Collection[Key]
) -> Figures:
    samples = tuple(run.samples for run in bench.runs[at])
    hidden = tuple(_hidden(run, members) for run in bench.runs[at])
    return Figures(variants[at].groups[0].percents, samples, _ROUNDED, hidden)


def _hidden(run: Tally, members: Collection[Key]) -> float:
    # What a cut listing does not show of the group.
    most = run.bound * sum(key not in run.own for key in members)
    most = min(most, max(0.0, 100 - run.listed))
    return most if most >= SEEN else 0.0


def _first_with_counts(variants: Sequence[Variant]) -> int:
    return next((i for i, variant in enumerate(variants) if variant.counts), 0)


def _counted(first: Variant, second: Variant) -> Iterator[Difference]:
    before = {one.event: one for one in first.counts}
    for after in second.counts:
        one = before.get(after.event)
        if one is None or one.unit != after.unit:
            continue
        stands, why = _judged_counts(one, after)
        unit = one.unit or "events"
        yield Difference(second.name, one.event, one.value, after.value, unit, stands, why)


def _judged_counts(before: Counted, after: Counted) -> tuple[Stands, str]:
    if before.error is not None and after.error is not None:
        return judged_means(_mean(before), _mean(after))
    return judged(Figures(before.values), Figures(after.values))


def _mean(one: Counted) -> Mean:
    # perf stat says the error in percent with two digits: that of 0.00 % is none of nothing.
    return Mean(one.value, (one.error or 0.0) + abs(one.value) * _ROUNDED / 200, one.repeats)


def _moved(bench: Bench, members: Collection[Key]) -> tuple[Moved, ...]:
    variants = [runs for runs in bench.runs if runs]
    found = []
    for key in {key: None for runs in variants for key in listed(runs)}:
        # An address without a name is another place in another kernel.
        if key in members or not is_named(key):
            continue
        shares = [share(runs, key) if runs else None for runs in bench.runs]
        most = max(map(abs, _changes(bench, shares)), default=0.0)
        if most >= SEEN:
            symbol = next(run.named[key] for runs in variants for run in runs if key in run.named)
            found.append(Moved(key.name, symbol.object, tuple(shares), round(most, _DIGITS)))
    return tuple(sorted(found, key=lambda one: (-one.most, one.symbol)))


def _changes(bench: Bench, shares: Sequence[float | None]) -> Iterator[float]:
    measured = [i for i, runs in enumerate(bench.runs) if runs]
    for i in measured[1:]:
        before, after = shares[measured[0]], shares[i]
        # What is not listed has something between nothing and the listing's end.
        if before is None and after is not None:
            yield max(0.0, after - bound(bench.runs[measured[0]]))
        elif after is None and before is not None:
            yield min(0.0, bound(bench.runs[i]) - before)
        elif before is not None and after is not None:
            yield after - before
