# SPDX-License-Identifier: GPL-2.0-only
"""Windows that stand are made again, and a figure that nobody has is never called good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from uaccel.count import PathCount
from uaccel.flow.rebuild import Result
from uaccel.flow.remake import AGAIN, Figure, remake
from uaccel.host.tree import open_tree
from uaccel.model.dossier import Tree

FILE = "drivers/pair/pair.c"
# Ours, in the kernel's idiom: a window that can be unmade, and one that holds assembler.
PAIRS = b"""\
struct pair {
	int first;
	int second;
};

static int pair_read(struct pair __user *user, int *first, int *second)
{
	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(*first, &user->first, Efault);
	unsafe_get_user(*second, &user->second, Efault);
	user_read_access_end();
	return 0;
Efault:
	user_read_access_end();
	return -EFAULT;
}

static int pair_touch(struct pair __user *user)
{
	if (!user_access_begin(user, sizeof(*user)))
		return -EFAULT;
	asm volatile("touch %0" : : "m" (user->first));
	user_access_end();
	return 0;
}
"""
COUNT = PathCount(9, 2, 9, 2, (), (), "")
FIGURE = Figure("any", "gcc 12", "allnoconfig", (Result.OK, ""), (Result.OK, ""), COUNT, COUNT, "")


@pytest.fixture
def tree(linux: Path) -> Tree:
    """Return the small tree with a file that holds windows."""
    (linux / FILE).parent.mkdir(parents=True)
    (linux / FILE).write_bytes(PAIRS)
    return open_tree(linux)


def test_a_window_is_unmade_and_made_again(tree: Tree) -> None:
    made = remake(tree, FILE)
    assert [window.done for window in made.windows] == [True, False]
    assert b"get_user(*first, &user->first) ||" in made.unmade
    assert made.after.count(b"unsafe_get_user(") == 2
    assert made.windows[0].line == PAIRS[: PAIRS.index(b"user_read")].count(b"\n") + 1


def test_a_window_that_stays_says_why_and_stays_as_it_is(tree: Tree) -> None:
    made = remake(tree, FILE)
    assert made.windows[1].unmade.startswith("assembler")
    touch = PAIRS[PAIRS.index(b"static int pair_touch") :]
    assert made.unmade.endswith(touch) and made.after.endswith(touch)


CALLS = replace(COUNT, instructions=None, at_least=8, uncounted=("_copy_to_user",))
LOST = replace(COUNT, instructions=None, at_least=0, why="no access was found")


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (FIGURE, "no more"),
        (replace(FIGURE, now=replace(COUNT, instructions=10, at_least=10)), "more"),
        (replace(FIGURE, now=replace(CALLS, at_least=10)), "more"),
        (replace(FIGURE, was=CALLS, now=CALLS), "no more"),
        (replace(FIGURE, why=AGAIN), f"more: {AGAIN}"),
        (replace(FIGURE, now=None, why="not built"), "unknown: not built"),
    ],
)
def test_a_verdict_compares_what_was_counted(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_what_was_not_counted_is_unknown() -> None:
    for one in (replace(FIGURE, now=CALLS), replace(FIGURE, was=CALLS), replace(FIGURE, now=LOST)):
        assert one.verdict.startswith("unknown: ")
