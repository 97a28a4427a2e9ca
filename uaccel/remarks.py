# SPDX-License-Identifier: GPL-2.0-only
"""What is to be known of profiles that lie side by side, a sentence each.  docs/compare.md."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from statistics import median

from uaccel.causes import MARKED, Cause, are_related
from uaccel.model.comparison import COPIES, Taken
from uaccel.moves import Runs, copies
from uaccel.shares import Key, bound, is_copy, is_idle, is_memory, is_named, share

SEEN = 0.005  # points of percent: less is no change with two digits
_BOTH = "name both with --function"
_PART = 0.1  # of what a function had; what has less is no successor of it
_BIG = 0.5  # percent: what the notes speak of
# Events that fall as time passes; what perf counts where a text does not say it is cycles.
_TIME = re.compile(r"|(?:\w+/)?(?:(?:cpu-|ref-)?cycles|(?:cpu|task)-clock)\b.*")


@dataclass(frozen=True, slots=True)
class Bench:
    """What is compared, in the order of the variants."""

    taken: tuple[Taken, ...]
    runs: tuple[Runs, ...]
    found: Cause
    chains: bool  # all say who called what

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the variants are called."""
        return tuple(one.name for one in self.taken)

    @property
    def group(self) -> str:
        """Return what the group is called in every variant."""
        return self.found.functions[0].name if self.found.functions else COPIES


Rows = dict[Key, tuple[tuple[float, ...], str]]  # run by run, and why it belongs


def summed(bench: Bench, runs: Runs) -> Rows:
    """Return the rows of the group in one variant."""
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


def listed(runs: Runs) -> dict[Key, None]:
    """Return every function that some run lists, in their order."""
    return {key: None for run in runs for key in run.own}


def remarks(bench: Bench, members: Collection[Key]) -> Iterator[str]:
    """Yield what is to be known of the comparison of a group with such `members`."""
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


def _about_copies(bench: Bench, members: Collection[Key]) -> Iterator[str]:
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
        if gone and bound(runs) >= SEEN:
            each = "each" if len(gone) > 1 else "it"
            yield (
                f"{name} does not list {', '.join(gone)}: {each} has at most "
                f"{bound(runs):.2f} % there, which its sum leaves out"
            )


def _about_absence(bench: Bench) -> Iterator[str]:
    for key in bench.found.functions:
        for runs, name in zip(bench.runs, bench.names, strict=True):
            if runs and share(runs, key) is None:
                most = f"at most {bound(runs):.2f} %" if bound(runs) >= SEEN else "no samples"
                yield f"{key.name} is not listed in {name}: it has {most} there, or is inlined"


def _about_cut_runs(bench: Bench) -> Iterator[str]:
    for key in bench.found.functions:
        for name, runs in zip(bench.names, bench.runs, strict=True):
            gone = [run for run in runs if key not in run.own and run.bound >= SEEN]
            if len(gone) < len(runs) and gone:
                yield (
                    f"{len(gone)} of {len(runs)} runs of {name} do not list {key.name}: it counts "
                    f"as nothing there, and has at most {bound(gone):.2f} %"
                )


def _about_work(bench: Bench) -> Iterator[str]:
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


def _cost(bench: Bench) -> str:
    # Shares of cache misses say nothing of time; those of different events nothing together.
    events = {p.event for one in bench.taken for p in one.profiles}
    if all(map(is_time, events)):
        return "time"
    return next(iter(events)) if len(events) == 1 else ""


def is_time(event: str) -> bool:
    """Return whether samples of `event` fall as time passes; what is not said is taken for it."""
    return bool(_TIME.fullmatch(event))


def _to_the_rest(bench: Bench, runs: Runs) -> float:
    # A processor that waits does no work.
    own, idle = _sum(bench, runs), sum(share(runs, key) or 0.0 for key in _idle(runs))
    rest = 100 - own - idle
    return own / rest if rest > SEEN else 0.0


def _idle(runs: Runs) -> Iterator[Key]:
    return (key for key in listed(runs) if is_idle(key))


def _sum(bench: Bench, runs: Runs) -> float:
    rows = summed(bench, runs).values()
    return median(map(sum, zip(*(percents for percents, _ in rows), strict=True))) if rows else 0.0


def _about_names(bench: Bench) -> Iterator[str]:
    # A function that compilers inline in one variant only is a symbol in the others only; and one
    # that got another name is none that costs nothing.
    renamed = {key for at in range(len(bench.runs)) for key in successors(bench, at)}
    changed = _changed(bench)
    for key in {key: None for runs in bench.runs for key in listed(runs)}:
        shares = [share(runs, key) for runs in bench.runs if runs]
        most = max(one or 0.0 for one in shares)
        if key in bench.found.functions or None not in shares or most < _BIG:
            continue
        related = [one for one in bench.found.functions if are_related(one, key)]
        has = [n for n, r in zip(bench.names, bench.runs, strict=True) if r and share(r, key)]
        told = f"{key.name} is listed in {', '.join(has)} only, with {most:.2f} %"
        if related:
            yield f"{told}: if it is inlined into {related[0].name} elsewhere, {_BOTH}"
        elif key in renamed or (changed and most >= changed / 2 and _may_be_its(bench, key)):
            yield f"{told}: if it does there what {bench.group} does elsewhere, {_BOTH}"


def successors(bench: Bench, at: int) -> Iterator[Key]:
    """Yield what the group's function may be called in a variant that does not list it."""
    functions = bench.found.functions
    others = [runs for i, runs in enumerate(bench.runs) if i != at and runs]
    if not functions or any(share(bench.runs[at], key) is not None for key in functions):
        return
    least = max(_BIG, _PART * max((_sum(bench, runs) for runs in others), default=0.0))
    for key in listed(bench.runs[at]):
        new = all(share(runs, key) is None for runs in others)
        if new and _may_be_its(bench, key) and (share(bench.runs[at], key) or 0.0) >= least:
            yield key


def _may_be_its(bench: Bench, key: Key) -> bool:
    sides = {one.side for one in bench.found.functions}
    return key.side in sides and is_named(key) and not (is_copy(key) or is_memory(key))


def _changed(bench: Bench) -> float:
    sums = [_sum(bench, runs) for runs in bench.runs if runs]
    return max(sums) - min(sums) if sums and bench.found.functions else 0.0


def _about_memory(bench: Bench) -> Iterator[str]:
    sides = {key.side for key in bench.found.functions} or {"kernel"}
    known = {key: None for runs in bench.runs for key in listed(runs)}
    for key in (key for key in known if is_memory(key) and key.side in sides and not bench.chains):
        shares = [share(runs, key) for runs in bench.runs if runs]
        if max(one or 0.0 for one in shares) >= _BIG:
            told = ", ".join("not listed" if one is None else f"{one:.2f} %" for one in shares)
            yield f"maybe {key.name} belongs to it too ({told}): only call chains could say"


def _about_events(bench: Bench) -> Iterator[str]:
    events = {p.event for one in bench.taken for p in one.profiles if p.event}
    if len(events) > 1:
        yield f"the listings count different events: {', '.join(sorted(events))}"
    for one in bench.taken:
        titles = [p.samples for p in one.profiles]
        if len(titles) > 1 and len(set(map(bool, titles))) > 1:
            yield f"{one.name}: not all of its runs say how many samples they have"
