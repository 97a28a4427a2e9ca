# SPDX-License-Identifier: GPL-2.0-only
"""What a program saw of two ways of writing, in a sentence."""

from __future__ import annotations

from uaccel.flow.alike import alike
from uaccel.model.boot import BootRun, Call

CALLS = (Call("plain", 0, 9, 2, "00a5a5", 1), Call("unmapped", -14, 9, 2, "", 1))


def run(style: str, *calls: Call, machine: str = "board") -> BootRun:
    """Return a run of our client in which these calls were counted."""
    return BootRun(style, machine, "ours", "both", calls, (), 9, 2, "")


def test_the_same_results_and_bytes_are_said_to_be_the_same() -> None:
    (said,) = alike((run("fieldwise", *CALLS), run("window", *CALLS)))
    assert said == (
        "board: window returns what fieldwise does and leaves the same bytes, in 2 kinds of calls"
    )


def test_other_bytes_are_counted_and_other_results_are_told() -> None:
    copied = (Call("plain", 0, 9, 2, "000000", 1), Call("unmapped", 0, 9, 2, "", 1))
    (said,) = alike((run("fieldwise", *CALLS), run("structcopy", *copied)))
    assert said == (
        "board: structcopy is not like fieldwise: unmapped returns 0, not -14; "
        "2 bytes of the user's struct are others after plain"
    )


def test_a_struct_that_was_not_read_back_is_another() -> None:
    (said,) = alike((run("", *CALLS), run("mine", Call("plain", 0, 9, 2, "", 1))))
    assert "mine is not like the tree: 3 bytes of the user's struct are others" in said


def test_machines_are_not_compared_and_programs_of_others_say_nothing() -> None:
    assert alike((run("fieldwise", *CALLS), run("window", *CALLS, machine="other"))) == ()
    assert alike((run("fieldwise"), run("window"))) == ()


def test_calls_that_only_one_made_are_not_held_to_be_alike() -> None:
    (said,) = alike((run("fieldwise", *CALLS), run("window", CALLS[0])))
    assert said == ("board: window is not like fieldwise: only one of them was seen in unmapped")
