# SPDX-License-Identifier: GPL-2.0-only
"""Compare profiles of variants: the symbols of one cause summed, and what moved elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from uaccel.causes import MARKED, Cause, Holders, are_related, cause
from uaccel.model.comparison import (
    COPIES,
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
from uaccel.moves import Runs, copies, have_chains
from uaccel.noise import Figures, Mean, judged, judged_means
from uaccel.shares import Key, Tally, bound, is_copy, is_idle, is_memory, is_named, share, tallies

KERNEL, ELSEWHERE = "other functions of the kernel", "not said where"
PERCENT = "percent"
_ROUNDED = 0.01  # points of percent: listings have two digits
_DIGITS = 6  # behind the point: where floats do not add up
_SEEN = 0.005  # points of percent: less is no change with two digits
_BIG = 0.5  # percent: what the notes speak of
# Events that fall as time passes; what perf counts where a text does not say it is cycles.
_TIME = re.compile(r"|(?:\w+/)?(?:(?:cpu-|ref-)?cycles|(?:cpu|task)-clock)\b.*")


@dataclass(frozen=True, slots=True)
class _Bench:
    # What is compared, in the order of the variants.
    taken: tuple[Taken, ...]
    runs: tuple[Runs, ...]
    found: Cause
    chains: bool  # all say who called what

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.taken)

    @property
    def group(self) -> str:
        return self.found.functions[0].name if self.found.functions else COPIES


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
    bench = _Bench(tuple(taken), runs, cause(runs, names, asked, holders), have_chains(runs))
    summed = [_summed(bench, one) for one in runs]
    members = {key for rows in summed for key in rows}
    objects = _objects(runs)
    variants = tuple(_variant(bench, i, rows, members, objects) for i, rows in enumerate(summed))
    return Comparison(
        command=command,
        variants=variants,
        chosen=bench.found.chosen,
        differences=tuple(_differences(bench, variants, members)),
        moved=_moved(bench, members) if len(variants) > 1 else (),
        notes=(*notes, *bench.found.notes, *_notes(bench, members)),
    )


Rows = dict[Key, tuple[tuple[float, ...], str]]  # run by run, and why it belongs


def _summed(bench: _Bench, runs: Runs) -> Rows:
    found = bench.found
    rows: Rows = {}
    for key in found.functions:
        percents = tuple(run.own.get(key, 0.0) for run in runs)
        if any(percents):
            rows[key] = percents, found.whys[key]
    if found.functions and all(key.side == "user" for key in found.functions) and not bench.chains:
        return rows
    charged = bench.chains and bool(found.functions)
    why = "copies for it" if charged else "copies for whoever calls it"
    for key, percents in copies(runs, found.functions, charged).items():
        if any(percents) and key not in rows:
            marked = any(key in run.marked for run in runs)
            rows[key] = percents, f"{why}, {MARKED}" if marked else why
    return rows


def _variant(
    bench: _Bench, at: int, rows: Rows, members: Collection[Key], objects: Sequence[str]
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
    summed = []
    for key, (percents, why) in rows.items():
        one = next(run.named[key] for run in runs if key in run.named)
        summed.append(Summed(one.written, one.object, median(percents), percents, why))
    summed.sort(key=lambda row: (-row.percent, row.symbol))
    return Group(name, median(sums), sums, tuple(summed))


def _where(runs: Runs, key: Key) -> str:
    if key.side == "kernel":
        return KERNEL
    found = next((run.named[key].object for run in runs if key in run.named), "")
    return found.rpartition("/")[2] or ELSEWHERE


def _objects(variants: Sequence[Runs]) -> list[str]:
    sums: dict[str, float] = {}
    for runs in variants:
        for key in _listed(runs):
            where = _where(runs, key)
            sums[where] = sums.get(where, 0.0) + (share(runs, key) or 0.0)
    return sorted(sums, key=lambda name: (name != KERNEL, -sums[name], name))


def _rest(
    runs: Runs, name: str, members: Collection[Key], charged: dict[Key, tuple[float, ...]]
) -> Rows:
    rows: Rows = {}
    for key in _listed(runs):
        if _where(runs, key) != name:
            continue
        taken = charged.get(key, (0.0,) * len(runs))
        own = (run.own.get(key, 0.0) for run in runs)
        left = tuple(max(0.0, a - b) for a, b in zip(own, taken, strict=True))
        if max(left) > 1e-9 or key not in members:
            rows[key] = left, "copies for others" if key in members else ""
    return rows


def _listed(runs: Runs) -> dict[Key, None]:
    return {key: None for run in runs for key in run.own}


# How the variants differ


def _differences(
    bench: _Bench, variants: Sequence[Variant], members: Collection[Key]
) -> Iterator[Difference]:
    measured = [i for i, runs in enumerate(bench.runs) if runs]
    for i in measured[1:] if members else ():
        both = [_figures(bench, variants, at, members) for at in (measured[0], i)]
        stands, why = judged(*both)
        before, after = (one.middle for one in both)
        hidden = max(both[0].hidden), max(both[1].hidden)
        name = variants[i].name
        yield Difference(name, bench.group, before, after, PERCENT, stands, why, hidden)
    for i, variant in enumerate(variants):
        first = _first_with_counts(variants)
        yield from _counted(variants[first], variant) if i > first else ()


def _figures(
    bench: _Bench, variants: Sequence[Variant], at: int, members: Collection[Key]
) -> Figures:
    samples = tuple(run.samples for run in bench.runs[at])
    hidden = tuple(_hidden(run, members) for run in bench.runs[at])
    return Figures(variants[at].groups[0].percents, samples, _ROUNDED, hidden)


def _hidden(run: Tally, members: Collection[Key]) -> float:
    # What a cut listing does not show of the group.
    most = run.bound * sum(key not in run.own for key in members)
    most = min(most, max(0.0, 100 - run.listed))
    return most if most >= _SEEN else 0.0


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


def _moved(bench: _Bench, members: Collection[Key]) -> tuple[Moved, ...]:
    variants = [runs for runs in bench.runs if runs]
    found = []
    for key in {key: None for runs in variants for key in _listed(runs)}:
        # An address without a name is another place in another kernel.
        if key in members or not is_named(key):
            continue
        shares = [share(runs, key) if runs else None for runs in bench.runs]
        most = max(map(abs, _changes(bench, shares)), default=0.0)
        if most >= _SEEN:
            symbol = next(run.named[key] for runs in variants for run in runs if key in run.named)
            found.append(Moved(key.name, symbol.object, tuple(shares), round(most, _DIGITS)))
    return tuple(sorted(found, key=lambda one: (-one.most, one.symbol)))


def _changes(bench: _Bench, shares: Sequence[float | None]) -> Iterator[float]:
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


# What is to be known


def _notes(bench: _Bench, members: Collection[Key]) -> Iterator[str]:
    yield from _about_copies(bench, members)
    yield from _about_absence(bench)
    yield from _about_cut_runs(bench)
    yield from _about_work(bench)
    yield from _about_names(bench)
    yield from _about_memory(bench)
    yield from _about_events(bench)
    for name, runs in zip(bench.names, bench.runs, strict=True):
        if unread := sum(run.unread for run in runs):
            yield f"{name}: lines not understood: {unread}"


def _about_copies(bench: _Bench, members: Collection[Key]) -> Iterator[str]:
    copied = sorted(key for key in members if is_copy(key))
    if not copied:
        return
    if not bench.chains and any(run.has_chains for runs in bench.runs for run in runs):
        yield "some listings have no call chains, so those of the others are not used"
    if not bench.chains or not bench.found.functions:
        why = "no call chains say who called them" if not bench.chains else "no function is known"
        yield (
            f"the copy routines are counted whole, what other functions copied with them too: {why}"
        )
    for name, runs in zip(bench.names, bench.runs, strict=True):
        gone = [key.name for key in copied if runs and share(runs, key) is None]
        if gone and bound(runs) >= _SEEN:
            each = "each" if len(gone) > 1 else "it"
            yield (
                f"{name} does not list {', '.join(gone)}: {each} has at most "
                f"{bound(runs):.2f} % there, which its sum leaves out"
            )


def _about_absence(bench: _Bench) -> Iterator[str]:
    for key in bench.found.functions:
        for runs, name in zip(bench.runs, bench.names, strict=True):
            if runs and share(runs, key) is None:
                most = f"at most {bound(runs):.2f} %" if bound(runs) >= _SEEN else "no samples"
                yield f"{key.name} is not listed in {name}: it has {most} there, or is inlined"


def _about_cut_runs(bench: _Bench) -> Iterator[str]:
    for key in bench.found.functions:
        for name, runs in zip(bench.names, bench.runs, strict=True):
            gone = [run for run in runs if key not in run.own and run.bound >= _SEEN]
            if len(gone) < len(runs) and gone:
                yield (
                    f"{len(gone)} of {len(runs)} runs of {name} do not list {key.name}: it counts "
                    f"as nothing there, and has at most {bound(gone):.2f} %"
                )


def _about_work(bench: _Bench) -> Iterator[str]:
    # A share also changes when the rest does: against it, the cause's own cost is seen.
    measured = [i for i, runs in enumerate(bench.runs) if runs]
    ratios = {i: _to_the_rest(bench, bench.runs[i]) for i in measured}
    first, cost = measured[0] if measured else 0, _cost(bench)
    takes = "take" if bench.group == COPIES else "takes"
    for i in measured[1:] if cost else ():
        if ratios[first] and ratios[i]:
            yield (
                f"if all else does the same work in both, {bench.group} {takes} "
                f"{ratios[i] / ratios[first]:.2f} times the {cost} in {bench.names[i]} that "
                f"{'they take' if takes == 'take' else 'it takes'} in {bench.names[first]}"
            )


def _cost(bench: _Bench) -> str:
    # Shares of cache misses say nothing of time; those of different events nothing together.
    events = {p.event for one in bench.taken for p in one.profiles}
    if all(_TIME.fullmatch(event) for event in events):
        return "time"
    return next(iter(events)) if len(events) == 1 else ""


def _to_the_rest(bench: _Bench, runs: Runs) -> float:
    # A processor that waits does no work.
    own, idle = _sum(bench, runs), sum(share(runs, key) or 0.0 for key in _idle(runs))
    rest = 100 - own - idle
    return own / rest if rest > _SEEN else 0.0


def _idle(runs: Runs) -> Iterator[Key]:
    return (key for key in _listed(runs) if is_idle(key))


def _sum(bench: _Bench, runs: Runs) -> float:
    rows = _summed(bench, runs).values()
    return median(map(sum, zip(*(percents for percents, _ in rows), strict=True))) if rows else 0.0


def _about_names(bench: _Bench) -> Iterator[str]:
    # A function that compilers inline in one variant only is a symbol in the others only.
    for key in {key: None for runs in bench.runs for key in _listed(runs)}:
        related = [one for one in bench.found.functions if are_related(one, key)]
        shares = [share(runs, key) for runs in bench.runs if runs]
        if key in bench.found.functions or not related or None not in shares:
            continue
        if max(one or 0.0 for one in shares) < _BIG:
            continue
        has = [n for n, r in zip(bench.names, bench.runs, strict=True) if r and share(r, key)]
        yield (
            f"{key.name} is listed in {', '.join(has)} only: if it is inlined into "
            f"{related[0].name} elsewhere, name both with --function"
        )


def _about_memory(bench: _Bench) -> Iterator[str]:
    sides = {key.side for key in bench.found.functions} or {"kernel"}
    known = {key: None for runs in bench.runs for key in _listed(runs)}
    for key in (key for key in known if is_memory(key) and key.side in sides and not bench.chains):
        shares = [share(runs, key) for runs in bench.runs if runs]
        if max(one or 0.0 for one in shares) >= _BIG:
            told = ", ".join("not listed" if one is None else f"{one:.2f} %" for one in shares)
            yield f"maybe {key.name} belongs to it too ({told}): only call chains could say"


def _about_events(bench: _Bench) -> Iterator[str]:
    events = {p.event for one in bench.taken for p in one.profiles if p.event}
    if len(events) > 1:
        yield f"the listings count different events: {', '.join(sorted(events))}"
    for one in bench.taken:
        titles = [p.samples for p in one.profiles]
        if len(titles) > 1 and len(set(map(bool, titles))) > 1:
            yield f"{one.name}: not all of its runs say how many samples they have"
