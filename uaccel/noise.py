# SPDX-License-Identifier: GPL-2.0-only
"""Whether a difference between runs is more than noise.  docs/compare.md has the rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import fmean, median, variance

from uaccel.model.comparison import Stands

RANKS = 0.05  # chance of the rank test below which a difference stands, two-sided
FEW = 0.01  # and of Welch's test, which needs fewer runs and assumes more
SIGMAS = 2.58  # standard errors of sampling: 1 % two-sided
_FEWEST = 3  # runs of each variant for a test of runs
_LEAST = 0.001  # chance; smaller ones are not told apart
_EXACT = 200_000  # ways to deal the runs that are all looked at; above, the usual approximation


@dataclass(frozen=True, slots=True)
class Figures:
    """One figure of one variant, run by run."""

    values: tuple[float, ...]
    samples: tuple[int | None, ...] | None = None  # of each run, for shares in percent of them
    step: float = 0.0  # the figures are rounded to multiples of it
    hidden: tuple[float, ...] = ()  # and what a cut listing leaves out of each, at most

    @property
    def error(self) -> float:
        """Return the standard error of the mean, what rounding hides included."""
        return math.sqrt((variance(self.values) + self.step**2 / 12) / len(self.values))

    @property
    def middle(self) -> float:
        """Return the median."""
        return median(self.values)

    @property
    def whole(self) -> Figures:
        """Return the figures as they are if all that may be hidden belongs to them."""
        return replace(self, values=tuple(map(sum, zip(self.values, self.hidden, strict=True))))

    @property
    def range(self) -> str:
        """Return the spread as a person reads it."""
        return f"{min(self.values):.2f}-{max(self.values):.2f}"


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of several runs."""

    value: float
    error: float  # its standard error
    runs: int


def judged(before: Figures, after: Figures) -> tuple[Stands, str]:
    """Return whether the figures of two variants differ by more than noise, and why.

    Where listings are cut, the answer must be the same whatever they leave out.
    """
    stands, why = _judged(before, after)
    most = max((*before.hidden, *after.hidden), default=0.0)
    if not most or stands is Stands.UNKNOWN:
        return stands, why
    said = {_direction(*both) for both in _possible(before, after)}
    if len(said) == 1:
        return stands, why
    return Stands.UNKNOWN, f"{why}; what is not listed, at most {most:.2f} %, may change the answer"


def _possible(before: Figures, after: Figures) -> Iterator[tuple[Figures, Figures]]:
    yield before, after
    if before.hidden:
        yield before.whole, after
    if after.hidden:
        yield before, after.whole


def _direction(before: Figures, after: Figures) -> tuple[Stands, bool | None]:
    stands = _judged(before, after)[0]
    return stands, before.middle < after.middle if stands is Stands.YES else None


def _judged(before: Figures, after: Figures) -> tuple[Stands, str]:
    fewest = min(len(before.values), len(after.values))
    if fewest >= _FEWEST:
        return _by_runs(before, after)
    if before.samples is None or after.samples is None:
        return Stands.UNKNOWN, f"{_runs(before, after)}: what differs from run to run is not known"
    said = _counted(before, after, (_sum(before.samples), _sum(after.samples)))
    if said is None:
        return Stands.UNKNOWN, f"{_runs(before, after)}, and how many samples they have is not said"
    return said


def judged_means(before: Mean, after: Mean) -> tuple[Stands, str]:
    """Return whether the means of repeated runs differ by more than noise, and why."""
    told = f"means of {before.runs} and {after.runs} runs"
    if min(before.runs, after.runs) < _FEWEST:
        return Stands.UNKNOWN, f"{told}: too few for a test"
    chance = welch_chance(before, after)
    stands = Stands.YES if chance < FEW else Stands.NO
    return stands, f"{told}; Welch's test, for runs that scatter normally, {_chance(chance)}"


def rank_chance(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided chance that runs of one kind fall apart at least so by their ranks.

    It is the exact Wilcoxon-Mann-Whitney test: every way to deal the ranks is looked at, ties have
    their mean rank.  With very many runs it is the normal approximation.
    """
    ranks = _ranks((*first, *second))
    count, total = len(first), len(ranks)
    expected = count * (total + 1) / 2
    seen = abs(sum(ranks[:count]) - expected)
    if not _is_exact(total, count):
        spread = sum((rank - (total + 1) / 2) ** 2 for rank in ranks)
        scale = math.sqrt(count * (total - count) / (total * (total - 1)) * spread)
        return math.erfc(seen / scale / math.sqrt(2)) if scale else 1.0
    ways = [abs(sum(dealt) - expected) for dealt in combinations(ranks, count)]
    return sum(way >= seen - 1e-9 for way in ways) / len(ways)


def _is_exact(total: int, count: int) -> bool:
    return math.comb(total, count) <= _EXACT


def welch_chance(first: Mean, second: Mean) -> float:
    """Return the two-sided chance by Welch's test that such means come from equal ones."""
    parts = [one.error**2 for one in (first, second)]
    if not sum(parts):
        return 1.0 if first.value == second.value else 0.0
    apart = (first.value - second.value) ** 2 / sum(parts)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (one.runs - 1) for part, one in zip(parts, (first, second), strict=True)
    )
    return _beta(freedom / (freedom + apart), freedom / 2, 0.5)


def _by_runs(before: Figures, after: Figures) -> tuple[Stands, str]:
    first, second = before.values, after.values
    told = f"{len(first)} and {len(second)} runs, {before.range} and {after.range}"
    chance = rank_chance(first, second)
    kind = "exact" if _is_exact(len(first) + len(second), len(first)) else "approximate"
    ranked = f"{kind} rank test {_chance(chance)}"
    if chance < RANKS:
        return Stands.YES, f"{told}; {ranked}"
    fewest = 2 / math.comb(len(first) + len(second), len(first))
    if fewest < RANKS:
        return Stands.NO, f"{told}; {ranked}"
    if not _apart(first, second):
        return Stands.NO, f"{told}: the ranges overlap; {ranked}"
    means = (Mean(fmean(one.values), one.error, len(one.values)) for one in (before, after))
    welch = welch_chance(*means)
    never = f"so few runs never give less than {_chance(fewest)} by their ranks"
    scattered = f"Welch's test, for runs that scatter normally, {_chance(welch)}"
    stands = Stands.YES if welch < FEW else Stands.UNKNOWN
    return stands, f"{told}; {never}; {scattered}"


def _counted(
    before: Figures, after: Figures, counts: tuple[int | None, int | None]
) -> tuple[Stands, str] | None:
    # Of samples that fall independently, the share has the variance of a binomial.
    if not counts[0] or not counts[1]:
        return None
    shares = [min(max(fmean(runs.values) / 100, 0.0), 1.0) for runs in (before, after)]
    error = math.sqrt(sum(p * (1 - p) / n for p, n in zip(shares, counts, strict=True) if n))
    difference = abs(shares[1] - shares[0])
    sigmas = difference / error if error else 0.0
    told = (
        f"at least {counts[0]} and {counts[1]} samples: {sigmas:.1f} standard errors of sampling; "
        f"with {_runs(before, after)}, what differs from run to run is not known"
    )
    if sigmas <= SIGMAS:
        return Stands.NO, told
    return Stands.YES if _apart(before.values, after.values) else Stands.UNKNOWN, told


def _sum(samples: Sequence[int | None]) -> int | None:
    known = [count for count in samples if count]
    return sum(known) if known and len(known) == len(samples) else None


def _runs(before: Figures, after: Figures) -> str:
    counts = [len(runs.values) for runs in (before, after)]
    return "one run each" if counts == [1, 1] else f"{counts[0]} and {counts[1]} runs"


def _apart(first: Sequence[float], second: Sequence[float]) -> bool:
    return max(first) < min(second) or max(second) < min(first)


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values), 1):
        places.setdefault(value, []).append(place)
    return [fmean(places[value]) for value in values]


def _chance(chance: float) -> str:
    # How normally runs scatter so far out, nobody knows.
    return f"p = {chance:.3f}" if chance >= _LEAST else f"p < {_LEAST}"


def _beta(x: float, a: float, b: float) -> float:
    # The regularized incomplete beta function: Abramowitz and Stegun, 26.5.2 and 26.5.8.
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x)) / a
    below = 1.0
    for m in range(200, 0, -1):  # from its end; far more terms than a double can tell apart
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        below = 1 + odd / (1 + even / below)
    return front / below
