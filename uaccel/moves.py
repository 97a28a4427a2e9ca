# SPDX-License-Identifier: GPL-2.0-only
"""How much functions moved between variants beside all others.  docs/compare.md has the rules."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from uaccel.shares import Key, Tally, bound, is_copy, is_named, share

TWICE = 2.0  # what stands out has moved so many times the points of the next
QUARTER = 1.25  # and is so many times what it would be had it moved like the others, or a part
HALF = 0.5  # points of percent: less is not looked at
SURE = 5.0  # standard errors of sampling, where the number of samples is known: runs differ by more
_SLIGHT = 0.05  # percent: rows below are too few samples to tell how all the others moved
_ALL = 100.0  # percent
_NONE = 0.005  # percent: less is 0.00

Runs = Sequence[Tally]


@dataclass(frozen=True, slots=True)
class Move:
    """How much a family of functions changed between two variants beside all others."""

    functions: tuple[Key, ...]
    points: float  # of percent, beyond what all others moved, on the scale between the two
    before: float
    after: float
    expected: float  # had it changed like the others
    pair: tuple[int, int]  # of variants
    listed: tuple[bool, bool]  # in them; what is not is bounded by where the listing ends
    sigmas: float | None  # of sampling; None where the number of samples is not known
    apart: bool  # no run of one has a share between those of the other

    @property
    def is_much(self) -> bool:
        """Return whether it is more than other symbols, and sampling, may do by themselves."""
        ratio = (self.after or 0.005) / (self.expected or 0.005)
        far = max(ratio, 1 / ratio) >= QUARTER and abs(self.after - self.expected) >= HALF
        return far and self.apart and (self.sigmas is None or self.sigmas >= SURE)


def moves(
    variants: Sequence[Runs], families: Sequence[tuple[Key, ...]], guests: Mapping[Key, Key]
) -> list[Move]:
    """Return the largest move of each family, the largest of all first.

    `guests` are symbols in some variants and inlined in others: they do not tell how others moved.
    """
    chains = have_chains(variants)
    pairs = list(combinations([at for at, runs in enumerate(variants) if runs], 2))
    beside = {pair: _beside(variants, pair, guests) for pair in pairs}
    best = [
        max((_move(variants, pair, family, beside[pair], chains) for pair in pairs), key=_order)
        for family in families
        if pairs
    ]
    return sorted(best, key=_order, reverse=True)


def _order(move: Move) -> tuple[bool, float]:
    return move.is_much, move.points


def stands_out(moves: Sequence[Move]) -> bool:
    """Return whether the first of `moves` is the only one of its size."""
    if not moves or not moves[0].is_much:
        return False
    rival = next((move.points for move in moves[1:] if move.is_much), 0.0)
    return moves[0].points >= TWICE * rival


Logs = Mapping[Key, tuple[float, float]]  # logarithm of the ratio of a symbol's shares, its weight


def _beside(variants: Sequence[Runs], pair: tuple[int, int], guests: Mapping[Key, Key]) -> Logs:
    logs = {}
    for key in known([variants[pair[0]]]):
        before, after = (share(variants[i], key) or 0.0 for i in pair)
        if min(before, after) >= _SLIGHT and is_named(key) and key not in guests:
            # The ratio of two counts has the error sqrt(1/a + 1/b).
            weight = math.sqrt(before * after / (before + after))
            logs[key] = math.log(after / before), weight
    return logs


def _move(
    variants: Sequence[Runs],
    pair: tuple[int, int],
    family: tuple[Key, ...],
    logs: Logs,
    chains: bool,
) -> Move:
    before, after = (_value(variants[i], family, chains) for i in pair)
    others = [one for key, one in logs.items() if key not in family and not is_copy(key)]
    factor = math.exp(_middle(others))
    listed = before is not None, after is not None
    # What a listing does not show is taken for what makes the change smallest.
    if before is None:
        before = min((after or 0.0) / factor, bound(variants[pair[0]]))
    if after is None:
        after = min(before * factor, bound(variants[pair[1]]))
    expected = before * factor
    points = abs(after - expected) / math.sqrt(factor)
    sigmas = _sigmas(abs(after - expected), after + expected, [variants[i] for i in pair])
    first, second = (_run_by_run(variants[i], family, chains) for i in pair)
    apart = max(first) < min(second) or max(second) < min(first)
    return Move(family, points, before, after, expected, pair, listed, sigmas, apart)


def _sigmas(difference: float, total: float, both: Sequence[Runs]) -> float | None:
    # The difference of two counts has the error sqrt(a + b); shares are counts in percent.
    counts = [sum(run.samples or 0 for run in runs) for runs in both]
    if not all(counts):
        return None
    return difference / math.sqrt(total) * math.sqrt(min(counts) / 100) if total else 0.0


def _value(runs: Runs, family: tuple[Key, ...], chains: bool) -> float | None:
    if all(share(runs, key) is None for key in family):
        return None
    return median(_run_by_run(runs, family, chains))


def _run_by_run(runs: Runs, family: tuple[Key, ...], chains: bool) -> list[float]:
    charged = [sum(_charged(run, family).values()) if chains else 0.0 for run in runs]
    own = [sum(run.own.get(key, 0.0) for key in family) for run in runs]
    return [sum(both) for both in zip(own, charged, strict=True)]


def _middle(weighed: Sequence[tuple[float, float]]) -> float:
    half, below = sum(weight for _, weight in weighed) / 2, 0.0
    for value, weight in sorted(weighed):
        below += weight
        if below >= half:
            return value
    return 0.0


def told(moves: Sequence[Move], names: Sequence[str]) -> str:
    """Return what the first of `moves` is, beside the next."""
    first = moves[0]
    values = zip(first.listed, (first.before, first.after), strict=True)
    shares = [
        f"{_shown(listed, value)} in {names[at]}"
        for (listed, value), at in zip(values, first.pair, strict=True)
    ]
    would = f"where it would have {first.expected:.2f} % had it changed like the others"
    if first.expected > _ALL:  # no share is; all others can grow so only at its cost
        would = f"where the others have {first.expected / first.before:.2f} times their shares"
    said = f"{first.functions[0].name} moved most: {', '.join(shares)}, {would}"
    rival = next((move for move in moves[1:] if move.is_much), None)
    if not first.is_much or rival is None:
        return said
    times = first.points / rival.points
    return f"{said}; that is {times:.1f} times the points that {rival.functions[0].name} moved"


def _shown(listed: bool, value: float) -> str:
    if not listed and value < _NONE:
        return "none"
    return f"{'' if listed else 'at most '}{value:.2f} %"


def known(variants: Sequence[Runs]) -> dict[Key, None]:
    """Return every function that some run of some variant lists, in their order."""
    return {key: None for runs in variants for run in runs for key in run.own}


def have_chains(variants: Sequence[Runs]) -> bool:
    """Return whether each run of each variant says who called what."""
    runs = [run for one in variants for run in one]
    return bool(runs) and all(run.has_chains for run in runs)


def copies(runs: Runs, functions: Collection[Key], chains: bool) -> dict[Key, tuple[float, ...]]:
    """Return the copies that belong to `functions`, run by run: with chains what they called."""
    if not chains:
        found = {key for run in runs for key in run.own if is_copy(key)}
        return {key: tuple(run.own.get(key, 0.0) for run in runs) for key in sorted(found)}
    charged = [_charged(run, functions) for run in runs]
    keys = sorted({key for one in charged for key in one})
    return {key: tuple(one.get(key, 0.0) for one in charged) for key in keys}


def _charged(run: Tally, functions: Collection[Key]) -> dict[Key, float]:
    sums: dict[Key, float] = {}
    for function in functions:
        for key, percent in run.copied.get(function, {}).items():
            sums[key] = sums.get(key, 0.0) + percent
    return sums
