# SPDX-License-Identifier: GPL-2.0-only
"""Whether a difference stands, beside tables that others printed and ways that can be counted."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uaccel.model.comparison import Stands
from uaccel.noise import Figures, Mean, judged, judged_means, rank_chance, welch_chance

STEP = 0.01  # percent


def shares(*values: float, samples: int | None = None) -> Figures:
    """Return the shares of runs that have `samples` each."""
    return Figures(values, (samples,) * len(values), STEP)


@pytest.mark.parametrize(
    ("count", "fewest"), [(3, 2 / 20), (4, 2 / 70), (5, 2 / 252), (6, 2 / 924)]
)
def test_the_least_chance_of_the_rank_test_is_what_dealing_gives(count: int, fewest: float) -> None:
    low, high = range(count), range(100, 100 + count)
    assert rank_chance(list(low), list(high)) == pytest.approx(fewest)
    assert rank_chance(list(high), list(low)) == pytest.approx(fewest)


def test_the_rank_test_is_that_of_the_tables() -> None:
    """Of 5 and 5, U = 2 is the critical value at 5 % two-sided, and U = 3 is none."""

    def chance(u: int) -> float:
        ranks = next(ranks for ranks in combinations(range(1, 11), 5) if sum(ranks) - 15 == u)
        rest = [rank for rank in range(1, 11) if rank not in ranks]
        return rank_chance(list(ranks), rest)

    assert chance(2) == pytest.approx(0.0317, abs=5e-5)
    assert chance(3) == pytest.approx(0.0556, abs=5e-5)


def test_what_is_alike_has_the_chance_of_one() -> None:
    assert rank_chance([1.0] * 4, [1.0] * 4) == 1.0
    assert rank_chance([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]) == 1.0
    assert welch_chance(Mean(5.0, 0.0, 3), Mean(5.0, 0.0, 3)) == 1.0


def test_many_runs_are_judged_by_the_usual_approximation() -> None:
    low, high = [float(i) for i in range(30)], [float(i) + 9.5 for i in range(30)]
    assert math.comb(60, 30) > 10**15
    assert 1e-4 < rank_chance(low, high) < 0.02
    assert rank_chance(low, [value + 0.25 for value in low]) > 0.8
    assert "; approximate rank test p < 0.001" in judged(shares(*low), shares(*high))[1]


# Two-sided 5 % and 1 % points of Student's t, from any printed table.
@pytest.mark.parametrize(
    ("t", "freedom", "chance"),
    [(12.706, 1, 0.05), (2.776, 4, 0.05), (4.604, 4, 0.01), (2.228, 10, 0.05), (2.660, 60, 0.01)],
)
def test_welch_is_student_where_the_scatter_is_one_sided(
    t: float, freedom: int, chance: float
) -> None:
    """With no error on one side, Welch's degrees of freedom are those of the other."""
    found = welch_chance(Mean(t, 1.0, freedom + 1), Mean(0.0, 0.0, 100))
    assert found == pytest.approx(chance, rel=2e-3)


def test_four_runs_each_that_lie_apart_stand() -> None:
    stands, why = judged(shares(12.5, 12.9, 13.1, 12.7), shares(4.9, 5.2, 4.7, 5.0))
    assert stands is Stands.YES
    assert why == "4 and 4 runs, 12.50-13.10 and 4.70-5.20; exact rank test p = 0.029"


def test_four_runs_each_that_mix_do_not() -> None:
    stands, why = judged(shares(12.5, 12.9, 13.1, 12.7), shares(12.6, 12.8, 13.0, 12.4))
    assert stands is Stands.NO and "p = 0.6" in why


def test_three_runs_each_are_too_few_for_ranks_and_said_to_be() -> None:
    first, near, far = (12.5, 12.9, 13.1), (12.4, 12.3, 12.0), (4.9, 5.2, 4.7)
    stands, why = judged(shares(*first), shares(*far))
    assert stands is Stands.YES
    assert "so few runs never give less than p = 0.100 by their ranks" in why
    assert "Welch's test, for runs that scatter normally, p < 0.001" in why
    assert judged(shares(*first), shares(*near))[0] is Stands.UNKNOWN
    assert judged(shares(*first), shares(12.6, 12.8, 13.0))[0] is Stands.NO


def test_rounding_is_no_proof_of_a_steady_figure() -> None:
    """Three times the same two digits do not say that the third one never differs."""
    assert judged(shares(5.00, 5.00, 5.00), shares(5.01, 5.01, 5.01))[0] is not Stands.YES
    assert judged(shares(5.00, 5.00, 5.00), shares(5.50, 5.50, 5.50))[0] is Stands.YES


def test_one_run_each_is_judged_by_its_samples_and_that_is_said() -> None:
    before, after = shares(12.86, samples=3000), shares(4.92, samples=3000)
    stands, why = judged(before, after)
    # sqrt(.1286 * .8714 / 3000 + .0492 * .9508 / 3000) = 0.727 %
    assert stands is Stands.YES
    assert why.startswith("at least 3000 and 3000 samples: 10.9 standard errors of sampling; ")
    assert why.endswith("with one run each, what differs from run to run is not known")
    assert judged(shares(12.86, samples=50), shares(4.92, samples=50))[0] is Stands.NO


@pytest.mark.parametrize("samples", [None, 0])
def test_one_run_each_without_a_count_is_unknown(samples: int | None) -> None:
    stands, why = judged(shares(12.86, samples=samples), shares(4.92, samples=3000))
    assert stands is Stands.UNKNOWN
    assert why == "one run each, and how many samples they have is not said"


def test_two_runs_that_overlap_are_no_proof_whatever_their_samples() -> None:
    before = shares(10.0, 20.0, samples=10**6)
    assert judged(before, shares(19.0, 9.0, samples=10**6))[0] is Stands.UNKNOWN
    assert judged(before, shares(5.0, 4.0, samples=10**6))[0] is Stands.YES


def test_counts_of_one_run_are_unknown() -> None:
    stands, why = judged(Figures((1e9,)), Figures((5e8,)))
    assert (stands, why) == (
        Stands.UNKNOWN,
        "one run each: what differs from run to run is not known",
    )


def test_means_of_repeated_runs() -> None:
    assert judged_means(Mean(1e9, 1e6, 5), Mean(9e8, 1e6, 5))[0] is Stands.YES
    assert judged_means(Mean(1e9, 1e8, 5), Mean(9e8, 1e8, 5))[0] is Stands.NO
    assert judged_means(Mean(1e9, 1e6, 2), Mean(9e8, 1e6, 2))[0] is Stands.UNKNOWN


RUNS = st.lists(st.floats(0, 100), min_size=3, max_size=6)


@given(RUNS, RUNS)
def test_a_chance_is_one_and_does_not_depend_on_the_order(a: list[float], b: list[float]) -> None:
    for chance in (rank_chance(a, b), rank_chance(b, a), rank_chance(a[::-1], b)):
        assert 0 < chance <= 1
        assert chance == pytest.approx(rank_chance(a, b))
    first, second = judged(shares(*a), shares(*b)), judged(shares(*b), shares(*a))
    assert first[0] is second[0]
