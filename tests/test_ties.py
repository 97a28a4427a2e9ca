# SPDX-License-Identifier: GPL-2.0-only
"""Each instruction is tied to the cluster, the access and the window that it serves, or to none."""

from __future__ import annotations

import pytest

from tests.test_count import BY_CALL, FIELDWISE, WINDOW, listing
from tests.test_listing import NAMES, function
from uaccel.count import count_path
from uaccel.model.machine import Listing
from uaccel.ties import Site, Tie, ties, windows

FILE = "window.c"
ACCESSES = {
    "fieldwise": (FIELDWISE, ((108,), (109,))),
    "window": (WINDOW, ((120,), (121,))),
    "by_call": (BY_CALL, ((132,), (133,))),
}
# One access of two on line 1, in a window of its own.
OPEN, CLOSE = "mtspr 0x31a, r9", "mtspr 0x31a, r10"


def tied(text: str, *accesses: tuple[int, ...], lines: tuple[int, ...] = (1, 2)) -> tuple[Tie, ...]:
    """Return the ties of a listing on ppc8xx whose one cluster stands on `lines` of a.c."""
    one = listing(text)
    path = count_path(one, "a.c", lines, len(accesses))
    return ties(one, "a.c", (Site(lines, accesses, path.addresses),))


def served(text: str, *accesses: tuple[int, ...]) -> list[int | None]:
    """Return the access that each instruction serves."""
    return [tie.access for tie in tied(text, *accesses)]


def of_object(name: str, symbol: str) -> tuple[Listing, tuple[Tie, ...]]:
    """Return a function of tests/objects with its ties."""
    one = function(name, symbol)
    lines, accesses = ACCESSES[symbol]
    path = count_path(one, FILE, lines, len(accesses))
    return one, ties(one, FILE, (Site(lines, accesses, path.addresses),))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("symbol", ACCESSES)
def test_each_access_of_an_object_is_told_by_its_line(name: str, symbol: str) -> None:
    one, found = of_object(name, symbol)
    rows = list(zip(one.insns, found, strict=True))
    assert [tie.access for _, tie in rows if tie.touches] == [0, 1]
    assert all(tie.access is not None for insn, tie in rows if insn.access)
    assert all(tie.cluster == 0 for _, tie in rows if tie.touches)
    lines, accesses = ACCESSES[symbol]
    counted = count_path(one, FILE, lines, len(accesses)).addresses
    assert sorted(counted) == [insn.address for insn, tie in rows if tie.counted]


@pytest.mark.parametrize("name", NAMES)
def test_a_window_of_an_object_is_one_and_fieldwise_two(name: str) -> None:
    """s390 opens nothing; behind a fault of either access both windows may be open."""
    opened = {}
    for symbol in ("fieldwise", "window"):
        _, found = of_object(name, symbol)
        opened[symbol] = [tie.window for tie in found if tie.touches]
    guards = {"fieldwise": [0, 1], "window": [0, 0]}
    assert opened == (guards if name != "s390x" else {symbol: [None, None] for symbol in guards})


def test_two_accesses_on_one_line_with_a_window_each() -> None:
    """What runs in a window serves its access; a check before it may be the test of the last."""
    text = f"""
        1 cmplw r3, r8
        1 {OPEN}
        1 A stw r4, 0(r3)
        1 {CLOSE}
        1 cmplw r3, r8
        1 {OPEN}
        1 A stw r5, 4(r3)
        1 {CLOSE}
        3 blr
    """
    assert served(text, (1,), (1,)) == [None, 0, 0, 0, None, 1, 1, 1, None]
    assert [tie.window for tie in tied(text, (1,), (1,))] == [None, 0, 0, 0, None, 1, 1, 1, None]


def test_two_words_of_an_access_in_one_window_serve_it() -> None:
    text = f"""
        1 {OPEN}
        1 A stw r4, 0(r3)
        1 A stw r5, 4(r3)
        1 {CLOSE}
        1 {OPEN}
        1 A stw r6, 8(r3)
        1 {CLOSE}
        3 blr
    """
    assert served(text, (1,), (1,)) == [0, 0, 0, 0, 1, 1, 1, None]


def test_accesses_on_one_line_in_one_window_keep_their_order() -> None:
    """Opening and closing serve both; so may what is computed between the two."""
    text = f"""
        1 {OPEN}
        1 A stw r4, 0(r3)
        1 addi r5, r5, 1
        1 A stw r5, 4(r3)
        1 {CLOSE}
        3 blr
    """
    assert served(text, (1,), (1,)) == [None, 0, None, 1, None, None]


def test_a_copy_of_an_access_on_another_path_is_the_same_access() -> None:
    """A compiler made the first one twice: where the CPU guards user memory and where not."""
    text = f"""
        1 bne 3 -> 3
        1 A stw r4, 0(r3)
        1 b 5 -> 5
        1 {OPEN}
        1 A stw r4, 0(r3)
        1 A stw r5, 4(r3)
        3 blr
    """
    assert served(text, (1,), (1,)) == [None, 0, None, None, 0, 1, None]


@pytest.mark.parametrize("stores", [1, 3])
def test_what_cannot_be_told_is_not_guessed(stores: int) -> None:
    """Two accesses on one line in one window, and one touch or three: which is whose?"""
    body = "\n".join(["1 A stw r4, 0(r3)"] * stores)
    found = tied(f"1 {OPEN}\n{body}\n1 {CLOSE}\n3 blr", (1,), (1,))
    assert [tie.touches for tie in found].count(True) == stores
    assert {tie.access for tie in found} == {None}


def test_touches_in_another_order_on_another_path_are_not_told() -> None:
    """The second one may be the first that is made."""
    text = """
        1 bne 2 -> 2
        1 A stw r4, 0(r3)
        1 A stw r5, 4(r3)
        3 blr
    """
    assert served(text, (1,), (1,))[2] is None


def test_the_test_for_a_fault_belongs_to_the_access_before_it() -> None:
    """gcc puts the jump behind the second operand of `||` on the line of the first one."""
    text = """
        1 A lwz r4, 0(r3)
        1 cmpwi r31, 0
        1 bne 9 -> 9
        2 addi r6, r3, 4
        2 A lwz r5, 0(r6)
        1 cmpwi r31, 0
        1 bne 9 -> 9
        1 stw r22, 8(r1)
        4 A lwz r6, 8(r3)
        3 blr
    """
    found = tied(text, (1,), (2,), (4,), lines=(1, 2, 4))
    assert [tie.access for tie in found] == [0, 0, 0, 1, 1, 1, 1, None, 2, None]


def test_what_has_no_line_belongs_to_whom_it_is_counted_for() -> None:
    text = """
        1 A lwz r4, 0(r3)
        0 li r7, 0
        2 A lwz r5, 4(r3)
        3 blr
    """
    found = tied(text, (1,), (2,))
    assert [(tie.cluster, tie.access, tie.counted) for tie in found] == [
        (0, 0, True),
        (0, None, True),
        (0, 1, True),
        (None, None, False),
    ]


def test_a_line_of_two_clusters_is_of_the_one_that_counts_it() -> None:
    one = listing("1 A lwz r4, 0(r3)\n2 A stw r4, 4(r3)\n3 blr")
    sites = (Site((1, 2), ((1,),), (0,)), Site((2,), ((2,),), (4,)))
    assert [(t.cluster, t.access) for t in ties(one, "a.c", sites)[:2]] == [(0, 0), (1, 0)]
    unclear = (Site((1, 2), ((1,),)), Site((1, 2), ((2,),)))
    assert [t.cluster for t in ties(one, "a.c", unclear)] == [None, None, None]


def test_where_faults_of_two_windows_land_no_single_one_is_open() -> None:
    one = listing(f"1 {OPEN}\n1 {CLOSE}\n1 {OPEN}\n1 nop\n1 {CLOSE}\n3 blr")
    assert windows(one) == {0: 0, 1: 0, 2: 1, 3: 1, 4: 1}
    both = listing(f"1 beq 3 -> 3\n1 {OPEN}\n1 b 4 -> 4\n1 {OPEN}\n1 stw r4, 0(r3)\n1 {CLOSE}")
    assert windows(both) == {1: 0, 2: 0, 3: 1}


def test_an_accessor_that_opens_user_memory_itself_is_a_window() -> None:
    callee = listing(f"9 {OPEN}\n9 A stw r4, 0(r3)\n9 {CLOSE}\n9 blr", symbol="__put_user_4")
    other = listing("9 li r3, 0\n9 blr", symbol="snd_pcm_delay")
    one = listing("1 bl 0 -> snd_pcm_delay\n1 bl 0 -> __put_user_4\n2 bl 0 -> __put_user_4\n3 blr")
    found = ties(one, "a.c", (Site((1, 2), ((1,), (2,))),), (callee, other))
    assert [tie.window for tie in found] == [None, 0, 1, None]
    assert [tie.touches for tie in found] == [False, True, True, False]
    assert [tie.access for tie in found] == [0, 0, 1, None]
