# SPDX-License-Identifier: GPL-2.0-only
"""What counts as one cluster, as docs/scan.md says it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from uaccel.model.source import Cluster, Source
from uaccel.read.reading import read_clusters, read_source

FETCH = """static int fetch(struct lamp *lamp, struct lamp_arg __user *arg)
{
	return get_user(lamp->level, &arg->level) || get_user(lamp->flags, &arg->flags);
}

"""
ARMS = """#define lamp_put(lamp, x, p) ({ \\
	int ret; \\
	if (!(lamp)->remote) \\
		ret = __put_user(x, p); \\
	else if (lamp_known(lamp, p)) \\
		ret = __put_user(x, (lamp)->there); \\
	else \\
		ret = -EFAULT; \\
	ret; \\
})

"""
BOTH = """#define lamp_put(lamp, x, p) ({ \\
	int ret = put_user(x, p); \\
	if (!ret && (lamp)->remote) \\
		ret = put_user(x, (lamp)->there); \\
	ret; \\
})

"""


def sharing(text: str, name: str) -> list[Cluster]:
    """Return the clusters of the function `name` that a window would serve."""
    source = Source(PurePosixPath("lamp.c"), text.encode())
    found = [
        [
            one
            for function in reading.functions
            if function.name == name
            for one in function.clusters
            if one.shares
        ]
        for reading in (read_source(source), read_clusters(source))
    ]
    assert [one.accesses for one in found[0]] == [one.accesses for one in found[1]]
    return found[0]


def function(body: str) -> str:
    """Return a function of that body."""
    head = "static int f(struct lamp *lamp, struct lamp_arg __user *arg)\n{\n"
    return f"{head}{body}\treturn 0;\n}}\n"


def test_one_call_of_a_function_that_has_a_cluster_is_none() -> None:
    text = FETCH + function("\tif (fetch(lamp, arg))\n\t\treturn -EFAULT;\n")
    assert not sharing(text, "f")
    assert len(sharing(text, "fetch")) == 1


def test_two_calls_of_it_are_one() -> None:
    twice = "\tif (fetch(lamp, arg) || fetch(lamp->other, arg))\n\t\treturn -EFAULT;\n"
    assert [one.longest for one in sharing(FETCH + function(twice), "f")] == [4]


def test_a_loop_around_it_is_one() -> None:
    loop = "\tfor (i = 0; i < 3; i++)\n\t\tif (fetch(lamp, arg))\n\t\t\treturn -EFAULT;\n"
    assert [one.looped for one in sharing(FETCH + function(loop), "f")] == [True]


@pytest.mark.parametrize(("macro", "longest"), [(ARMS, []), (BOTH, [2])])
def test_of_the_arms_of_a_macro_one_is_made(macro: str, longest: list[int]) -> None:
    text = macro + function("\tif (lamp_put(lamp, 1, &arg->level))\n\t\treturn -EFAULT;\n")
    assert [one.longest for one in sharing(text, "f")] == longest


def test_the_arms_of_two_macros_are_made_in_turn() -> None:
    puts = " ||\n\t    ".join(f"lamp_put(lamp, 1, &arg->{name})" for name in ("level", "flags"))
    text = ARMS + function(f"\tif ({puts})\n\t\treturn -EFAULT;\n")
    assert [one.longest for one in sharing(text, "f")] == [2]
