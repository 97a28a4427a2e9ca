# SPDX-License-Identifier: GPL-2.0-only
"""A profile weighs functions: by their symbols, by accessors they call, by where they may be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_profile import BROWSED, INLINED, TEXTS, sole
from uaccel.accessors import ACCESSORS, is_accessor, plain
from uaccel.model.profile import Profile
from uaccel.model.source import Direction, Form
from uaccel.model.survey import Sighting
from uaccel.rank import How, Ranking, Weight, notes, weigh
from uaccel.read.profile import read_profiles

PCM = "sound/core/pcm_native.c"
SEED = "snd_pcm_ioctl_sync_ptr_compat"


def sighting(function: str, *callers: str, longest: int = 9, line: int = 10) -> Sighting:
    """Return a cluster of `function`, which may be inlined into `callers`."""
    return Sighting(
        function=function,
        line=line,
        column=2,
        last_line=line + 8,
        direction=Direction.WRITE,
        form=Form.FIELDWISE,
        accesses=longest,
        longest=longest,
        looped=False,
        pointers=("src",),
        pair=None,
        joined=False,
        convertible=True,
        why="",
        callers=callers,
    )


def ranked(text: str, *functions: Sighting, path: str = PCM) -> Ranking:
    """Return the weights of `functions` of one file in the profile `text`."""
    return weigh(sole(text), tuple((path, one) for one in functions))


def parts(weight: Weight) -> list[tuple[How, str, float]]:
    """Return how a weight came about, rounded as perf does."""
    return [(part.how, part.symbol, round(part.percent, 2)) for part in weight.parts]


def expect_sum(ranking: Ranking) -> None:
    """What the kernel has is given out exactly once."""
    left = sum(one.percent for one in ranking.unattributed)
    given = ranking.held + ranking.possible + ranking.others + left
    assert ranking.kernel == pytest.approx(given)
    assert ranking.accessors >= left - 1e-6
    assert ranking.kernel <= 100.001


def test_a_hot_caller_is_the_upper_bound_of_what_was_inlined_into_it() -> None:
    seed = sighting(SEED, "snd_pcm_common_ioctl", "snd_pcm_ioctl")
    shares = []
    for profile in read_profiles(TEXTS["mail"]):
        ranking = weigh(profile, ((PCM, seed),))
        (weight,) = ranking.weights
        assert weight.percent is None
        assert weight.parts[0].how is How.THROUGH
        assert "at most through snd_pcm_ioctl (inlined there)" in weight.why
        shares.append(weight.at_most)
        expect_sum(ranking)
    assert shares == [12.86, 8.37, 4.92]


def test_accessors_without_chains_are_attributed_to_nobody() -> None:
    second = read_profiles(TEXTS["mail"])[1]
    ranking = weigh(second, ((PCM, sighting(SEED, "snd_pcm_ioctl")),))
    left = {one.symbol: one.percent for one in ranking.unattributed}
    assert left == {"__copy_tofrom_user": 4.86, "_copy_from_user": 1.67, "_copy_to_user": 1.53}
    assert ranking.accessors == pytest.approx(8.06)
    assert "no call chains" in ranking.unattributed[0].why
    assert any("accessors of unknown callers 8.06 %" in note for note in notes(second, ranking))
    assert any("no call chains" in note for note in notes(second, ranking))


@pytest.mark.parametrize("page", ["report-callee", "report-caller", "report-children"])
def test_accessors_with_chains_go_back_to_their_callers(page: str) -> None:
    ranking = ranked(TEXTS[page], sighting("sk_getsockopt"), sighting("pipe_ioctl"))
    sk_getsockopt, pipe_ioctl = ranking.weights
    assert parts(sk_getsockopt) == [
        (How.ACCESSORS, "_copy_to_user", 4.25),
        (How.ACCESSORS, "_copy_from_user", 1.83),
        (How.OWN, "sk_getsockopt", 1.42),
    ]
    assert sk_getsockopt.percent == pytest.approx(7.50)
    assert pipe_ioctl.why == "1.83 % in __put_user_4 that it calls, 1.40 % own symbol pipe_ioctl"
    assert sum(one.percent for one in ranking.unattributed) < 0.02
    expect_sum(ranking)


def test_samples_with_chains_give_accessors_back() -> None:
    chains = TEXTS["script-chains"]
    ranking = ranked(chains, sighting("sk_getsockopt"), sighting("absent"))
    assert ranking.weights[0].percent == pytest.approx(400 / 13)  # 3 in _copy_to_user
    assert ranking.weights[1].percent is ranking.weights[1].at_most is None
    assert not ranking.unattributed
    assert ranked(TEXTS["script"], sighting("sk_getsockopt")).accessors == pytest.approx(700 / 13)


def test_nested_accessors_go_to_the_first_caller_that_is_none() -> None:
    text = "c;entry_SYSCALL_64_after_hwframe;f;_copy_to_user;rep_movs_alternative 4\nc;g 1\n"
    ranking = ranked(text, sighting("f"))
    assert parts(ranking.weights[0]) == [(How.ACCESSORS, "rep_movs_alternative", 80.0)]


def test_a_chain_that_ends_in_the_accessor_attributes_nothing() -> None:
    ranking = ranked(f"{BROWSED}     1.00%  [kernel]  [k] _copy_to_user\n", sighting("pipe_ioctl"))
    (left,) = ranking.unattributed
    assert (left.symbol, left.percent) == ("_copy_to_user", 1.0)
    assert left.why.endswith("its call chains do not say")
    assert ranking.others == pytest.approx(5.0 + 2.1)


def test_a_user_function_of_the_same_name_has_no_say() -> None:
    text = " 5.00%  libc.so.6  [.] read\n 4.00%  [kernel]  [k] __x64_sys_read\n"
    (weight,) = ranked(text, sighting("read")).weights
    assert parts(weight) == [(How.OWN, "__x64_sys_read", 4.0)]


def test_parts_that_compilers_split_off_belong_to_the_function() -> None:
    text = " 5.00%  [kernel]  [k] f.isra.0\n 1.00%  [kernel]  [k] f.cold\n 9.00%  [kernel]  [k] g\n"
    (weight,) = ranked(text, sighting("f", "g")).weights
    assert (weight.percent, weight.at_most) == (6.0, 6.0)


def test_a_function_of_which_only_a_part_is_left_may_be_in_its_callers_too() -> None:
    text = " 9.00%  [kernel]  [k] g\n 5.00%  [kernel]  [k] f.part.0\n"
    (weight,) = ranked(text, sighting("f", "g")).weights
    assert (weight.percent, weight.at_most) == (5.0, 14.0)


def test_inlined_frames_say_exactly_what_is_whose() -> None:
    ranking = ranked(INLINED, sighting("put_it", "get_it"), sighting("other", "get_it"))
    put_it, other = ranking.weights
    assert parts(put_it) == [(How.INLINED, "get_it.isra.0", 100.0)]
    assert other.at_most is None
    expect_sum(ranking)


def test_the_same_name_in_two_files_is_marked() -> None:
    profile = sole(" 5.00%  [kernel]  [k] show\n")
    both = weigh(profile, (("a.c", sighting("show")), ("b.c", sighting("show"))))
    assert [one.percent for one in both.weights] == [5.0, 5.0]
    assert [one.elsewhere for one in both.weights] == [("b.c",), ("a.c",)]
    assert both.weights[0].why == "5.00 % own symbol show, it may be that of b.c too"
    assert both.held == 5.0


def test_two_clusters_of_a_function_are_no_two_functions() -> None:
    ranking = ranked(" 5.00%  [kernel]  [k] f\n", sighting("f"), sighting("f", line=40))
    assert [one.percent for one in ranking.weights] == [5.0, 5.0]
    assert not any(one.elsewhere for one in ranking.weights)


def test_a_profile_that_does_not_say_what_is_the_kernels_says_so() -> None:
    profile = sole("a;f 3\na;g 1\n")
    ranking = weigh(profile, ((PCM, sighting("f")),))
    assert not ranking.says_kernel
    assert ranking.weights[0].percent == 75.0
    assert any("does not say which symbols" in note for note in notes(profile, ranking))


def test_without_a_profile_openings_saved_are_the_weight() -> None:
    standing = replace(sighting("w"), form=Form.WINDOW)
    looped = replace(sighting("l", longest=2), looped=True)
    functions = tuple((PCM, one) for one in (sighting("f", longest=3), standing, looped))
    ranking = weigh(None, functions)
    assert [one.saved for one in ranking.weights] == [2, 0, 1]
    assert [one.at_least for one in ranking.weights] == [False, False, True]
    assert all(one.percent is None for one in ranking.weights)


def test_who_may_be_inlined_into_a_symbol_may_have_it_all() -> None:
    text = " 9.00%  [kernel]  [k] big\n 5.00%  [kernel]  [k] f\n"
    wide, narrow = sighting("wide", "big", longest=4), sighting("narrow", "big", longest=2)
    ranking = ranked(text, sighting("cold", longest=30), narrow, wide, sighting("f"))
    most = {one.function: one.at_most for one in ranking.weights}
    assert most == {"cold": None, "narrow": 9.0, "wide": 9.0, "f": 5.0}


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        *(("sys_ioctl", "ioctl"), ("__x64_sys_ioctl", "ioctl"), ("__se_sys_ioctl", "ioctl")),
        *(("__do_compat_sys_ioctl", "ioctl"), ("__ia32_compat_sys_ioctl", "ioctl")),
        *(("___se_sys_read", "read"), ("compat_sys_ioctl", "ioctl"), ("__s390x_sys_read", "read")),
        *(("__sys_getsockopt", "__sys_getsockopt"), ("ksys_read", "ksys_read")),
        *(("x64_sys_call", "x64_sys_call"), ("do_sys_poll", "do_sys_poll")),
    ],
)
def test_system_calls_have_many_symbols(symbol: str, name: str) -> None:
    assert plain(symbol) == name


@pytest.mark.parametrize("row", ACCESSORS.strip().splitlines())
def test_every_accessor_stands_in_its_file(
    row: str, tree_6_1: Path, tree_6_12: Path, tree_7_3: Path
) -> None:
    pattern, _, file = (cell.strip() for cell in row.rpartition("|"))
    files = (tree / file for tree in (tree_6_1, tree_6_12, tree_7_3))
    text = "".join(path.read_text() for path in files if path.exists())
    assert re.search(rf"\b(?:{pattern})\b", text), f"{file} has no {pattern}"


@pytest.mark.parametrize(
    "name", ["get_user_pages", "fault_in_readable", "_copy_to_iter", "strncpy_from_user", "f"]
)
def test_what_is_no_accessor(name: str) -> None:
    assert not is_accessor(name)


NAMES = ("f", "g", "h", "_copy_to_user", "__put_user_4", "sys_f", "f.part.0")
ROWS = st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0.01, 10)), min_size=1, max_size=9)
HELD = st.lists(
    st.tuples(st.sampled_from(("a.c", "b.c")), st.sampled_from("fgh"), st.sampled_from("fgh")),
    max_size=6,
)


@given(ROWS, HELD)
def test_no_more_is_given_than_the_profile_holds(
    rows: list[tuple[str, float]], held: list[tuple[str, str, str]]
) -> None:
    text = "".join(f" {percent:.2f}%  [kernel]  [k] {name}\n" for name, percent in rows)
    expect_honest(sole(text), held)


STACKS = st.lists(
    st.tuples(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5), st.integers(1, 99)),
    min_size=1,
    max_size=9,
)


@given(STACKS, HELD)
def test_no_more_is_given_than_the_stacks_hold(
    stacks: list[tuple[list[str], int]], held: list[tuple[str, str, str]]
) -> None:
    text = "".join(f"c;{';'.join(f'{n}_[k]' for n in names)} {count}\n" for names, count in stacks)
    expect_honest(sole(text), held)


def expect_honest(profile: Profile, held: list[tuple[str, str, str]]) -> None:
    """Weigh functions in `profile`; what is surely theirs is there, and once."""
    ranking = weigh(profile, tuple((path, sighting(name, into)) for path, name, into in held))
    expect_sum(ranking)
    sure = {one.function: one.percent or 0 for one in ranking.weights}
    total = sum(row.percent for row in profile.rows if row.symbol.kernel)
    assert sum(sure.values()) <= total + 1e-6
    assert ranking.held <= sum(sure.values()) + 1e-6
    assert all((one.at_most or 0) <= total + 1e-6 for one in ranking.weights)
