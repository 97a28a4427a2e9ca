# SPDX-License-Identifier: GPL-2.0-only
"""Shares of functions in what a booted program executed."""

from __future__ import annotations

from dataclasses import replace

from uaccel.flow.summed import comparisons, summed
from uaccel.model.boot import BootRun, Call, SymbolShare
from uaccel.traceshares import KERNEL


def run(style: str, *symbols: tuple[str, int]) -> BootRun:
    """Return a run that executed `symbols` so often, and what the function was inlined into."""
    total = sum(count for _, count in symbols)
    return BootRun(
        style=style,
        machine="board",
        client="aplay",
        way="",
        calls=(),
        symbols=tuple(SymbolShare(name, KERNEL, n, 100 * n / total) for name, n in symbols),
        instructions_per_call=None,
        toggles_per_call=None,
        why="",
        holders=("toy_common_ioctl",),
        profile=f"/there/{style}.txt",
    )


def test_the_share_is_of_the_function_with_its_accessors() -> None:
    before = run("fieldwise", ("toy_common_ioctl", 10), ("__put_user_4", 5), ("other", 85))
    after = run("window", ("toy_common_ioctl", 8), ("other", 92))
    assert [one.share for one in summed((before, after))] == [15.0, 8.0]


def test_where_one_style_is_inlined_and_another_is_not_both_symbols_count() -> None:
    before = run("fieldwise", ("toy_common_ioctl", 10), ("other", 90))
    after = run("mine", ("toy_common_ioctl", 2), ("toy_sync", 9), ("x", 89))
    after = replace(after, holders=("toy_sync",))
    assert [one.share for one in summed((before, after))] == [10.0, 11.0]
    assert comparisons((before, after)) == (
        "uaccel compare --function toy_common_ioctl --function toy_sync "
        "fieldwise=/there/fieldwise.txt mine=/there/mine.txt",
    )


def test_machines_stand_apart() -> None:
    one = run("window", ("a", 1))
    assert len(comparisons((one, replace(one, machine="other")))) == 2


def test_of_single_calls_no_share_is_told() -> None:
    one = replace(run("window", ("toy_sync", 10)), calls=(Call("plain", 0, 10, 2, ""),))
    assert [said.share for said in summed((one,))] == [None]
