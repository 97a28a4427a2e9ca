# SPDX-License-Identifier: GPL-2.0-only
"""What cut listings leave out is said, and no answer stands that it may change."""

from __future__ import annotations

import pytest

from tests.test_compare import listing, one, scaled
from uaccel.compare import compare
from uaccel.model.comparison import Comparison, Stands, Taken
from uaccel.noise import Figures, judged
from uaccel.read.profile import read_profiles
from uaccel.report import compare as report
from uaccel.report import comparemail

REST = {"alpha": 20.0, "beta": 15.0, "gamma": 12.0, "delta": 10.0}
MANY = "100000"  # samples


def found(before: dict[str, float], after: dict[str, float], asked: str = "f") -> Comparison:
    """Return two listings of many samples side by side."""
    both = [one(name, listing(x, samples=MANY)) for name, x in (("a", before), ("b", after))]
    return compare(both, asked=[asked])


def test_a_function_below_the_end_of_a_listing_did_not_vanish() -> None:
    told = found({"f": 10.1, **REST}, REST)
    (difference,) = told.differences
    assert (difference.stands, difference.hidden) == (Stands.UNKNOWN, (0.0, 10.0))
    assert difference.why.endswith("what is not listed, at most 10.00 %, may change the answer")
    assert "f is not listed in b: it has at most 10.00 % there, or is inlined" in told.notes
    shown = report.text(told, color=False, width=100)
    mail = comparemail.text(told)
    assert "b: f 10.10 % -> not listed: unknown" in shown
    assert "f 10.10 % -> not listed in b." in mail
    assert "-100.0" not in shown + mail


def test_a_difference_that_what_is_hidden_cannot_change_stands() -> None:
    told = found({"f": 30.0, "small": 0.1, **REST}, {"small": 0.1, **REST})
    (difference,) = told.differences
    assert (difference.stands, difference.hidden) == (Stands.YES, (0.0, 0.1))


def test_copies_that_one_listing_does_not_show_may_make_up_for_the_difference() -> None:
    before = {"f": 12.0, "alpha": 20.0, "beta": 3.0}
    after = {"f": 10.0, "_copy_from_user": 4.0, "alpha": 20.0, "beta": 3.0}
    (difference,) = found(before, after).differences
    assert (difference.before, difference.after) == (12.0, 14.0)
    assert (difference.stands, difference.hidden) == (Stands.UNKNOWN, (3.0, 0.0))


def test_a_listing_of_all_hides_nothing() -> None:
    told = found({"f": 20.0, **scaled(REST, 80)}, scaled(REST, 100))
    (difference,) = told.differences
    assert (difference.stands, difference.change, difference.hidden) == (Stands.YES, -100, (0, 0))
    assert "f is not listed in b: it has no samples there, or is inlined" in told.notes


def test_a_listing_of_children_is_cut_by_what_they_have_together() -> None:
    """Rows with nothing of their own stand above its end."""
    head = "# Samples: 100K of event 'cycles'\n# Children  Self  Shared Object  Symbol\n"
    rows = "  90.00%  0.00%  [kernel]  [k] alpha\n  20.00%  20.00%  [kernel]  [k] beta\n"
    both = [one("a", head + "  95.00%  20.10%  [kernel]  [k] f\n" + rows), one("b", head + rows)]
    (difference,) = compare(both, asked=["f"]).differences
    assert (difference.stands, difference.hidden) == (Stands.UNKNOWN, (0.0, 20.0))


def test_a_part_of_perf_diff_is_sorted_by_what_changed() -> None:
    """What is not listed did not change much, and may have any share."""
    text = (
        "# Baseline  Delta Abs  Shared Object  Symbol\n"
        "    12.00%     -7.00%  [kernel]  [k] f\n     0.10%     +2.00%  [kernel]  [k] g\n"
        "               +1.00%  [kernel]  [k] _copy_to_user\n"
    )
    before, after = read_profiles(text)
    told = compare([Taken("a", ("a",), (before,)), Taken("b", ("b",), (after,))], asked=["f"])
    (difference,) = told.differences
    assert difference.hidden[0] == pytest.approx(87.9) and not difference.hidden[1]


@pytest.mark.parametrize(("hidden", "stands"), [(0.0, Stands.NO), (6.0, Stands.UNKNOWN)])
def test_a_listing_may_hide_a_difference_too(hidden: float, stands: Stands) -> None:
    figures = Figures((12.0,), (100_000,), 0.01, (0.0,))
    assert judged(figures, Figures((12.1,), (100_000,), 0.01, (hidden,)))[0] is stands


@pytest.mark.parametrize(
    ("event", "cost"),
    [
        *(("cycles:P", "time"), ("cpu-clock:pppH", "time"), ("cpu_core/cycles/", "time")),
        *(("", "time"), ("cache-misses:u", "cache-misses:u"), ("instructions", "instructions")),
    ],
)
def test_shares_of_other_events_are_no_time(event: str, cost: str) -> None:
    head = f"# Samples: 10K of event '{event}'\n" if event else ""
    texts = [head + listing({"f": share, **REST}) for share in (20.0, 10.0)]
    told = compare([one(name, text) for name, text in zip("ab", texts, strict=True)], asked=["f"])
    assert any(f"f takes 0.44 times the {cost} in b" in note for note in told.notes)


def test_shares_of_two_events_are_of_no_common_cost() -> None:
    texts = [f"# Samples: 9 of event '{e}'\n{listing({'f': 9.0, **REST})}" for e in ("x", "y")]
    told = compare([one(name, text) for name, text in zip("ab", texts, strict=True)], asked=["f"])
    assert not any("if all else" in note for note in told.notes)
    assert "the listings count different events: x, y" in told.notes


def test_nothing_would_have_more_than_all() -> None:
    before, after = {"f": 60.0, "g": 20.0, "h": 20.0}, {"f": 20.0, "g": 40.0, "h": 40.0}
    told = compare([one("a", listing(before)), one("b", listing(after))])
    said = "60.00 % in a, 20.00 % in b, where the others have 2.00 times their shares; "
    assert said in told.chosen


def test_a_function_with_another_name_is_not_gone() -> None:
    """Its old name is listed nowhere, and a difference of 20 % would stand."""
    told = found(
        {"old_ioctl": 20.0, **scaled(REST, 80)}, {"light": 6.0, **scaled(REST, 94)}, "old_ioctl"
    )
    (difference,) = told.differences
    assert difference.stands is Stands.UNKNOWN
    assert (
        difference.why == "b does not list old_ioctl, and light may be the same under another name"
    )
    said = "light is listed in b only, with 6.00 %: if it does there what old_ioctl does elsewhere"
    assert any(note.startswith(said) for note in told.notes)


def test_a_part_that_was_split_off_without_a_namesake_is_told() -> None:
    told = found({"f": 20.0, **scaled(REST, 80)}, {"f": 8.0, "state": 11.0, **scaled(REST, 81)})
    assert any(note.startswith("state is listed in b only, with 11.00 %: ") for note in told.notes)


def test_where_nothing_moved_no_symbol_is_told() -> None:
    told = compare([one(name, listing(REST)) for name in "ab"])
    assert told.chosen == "unknown which function it is: no symbol moved; --function names it"
