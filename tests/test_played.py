# SPDX-License-Identifier: GPL-2.0-only
"""Which of the calls of another's program stands for all."""

from __future__ import annotations

import pytest

from uaccel.flow.played import usual_call
from uaccel.model.executed import Stretch


def calls(*counts: int) -> list[Stretch]:
    return [Stretch(count, ()) for count in counts]


@pytest.mark.parametrize("counts", [(618,), (618, 618, 900), (900, 618)])
def test_the_count_that_half_of_the_calls_have_stands_without_a_word(
    counts: tuple[int, ...],
) -> None:
    one, said = usual_call(calls(*counts))
    assert one is not None and one.instructions == 618
    assert said == ""


def test_a_count_that_few_have_is_said_to_be_one_of_several() -> None:
    one, said = usual_call(calls(700, 700, 650, 800, 900, 1000))
    assert one is not None and one.instructions == 700
    assert said == "the 6 calls that were followed execute 650 to 1000 instructions; 2 the usual"


def test_of_calls_that_all_differ_none_is_usual() -> None:
    one, said = usual_call(calls(900, 700, 1300))
    assert one is None
    assert said == (
        "the 3 calls that were followed execute 700 to 1300 instructions, no two as many"
    )


def test_without_calls_there_is_nothing_to_say() -> None:
    assert usual_call([]) == (None, "")
