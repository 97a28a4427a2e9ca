# SPDX-License-Identifier: GPL-2.0-only
"""Pointers of a window that are no plain names."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tests import replay
from uaccel.flow.drafts import draft
from uaccel.flow.targets import Target
from uaccel.model.dialect import Dialect
from uaccel.model.source import Reading, Source
from uaccel.pointers import is_const
from uaccel.read.reading import read_source

ALL = Dialect(True, True, True, True, True, (17, 0, 1), clamps=True)
FUNCTION = """\
static int lamp_show(u32 x, u32 y, u32 __user **pp, u32 __user *const p, u32 __user *q)
{
	if (put_user(x, %s) || put_user(y, %s))
		return -EFAULT;
	return 0;
}
"""


def read(pointer: str) -> Reading:
    """Return the function that writes twice through `pointer`."""
    text = (FUNCTION % (pointer, pointer)).encode()
    return read_source(Source(PurePosixPath("case.c"), text))


@pytest.mark.parametrize("style", replay.STYLES)
@pytest.mark.parametrize("pointer", ["*pp", "pp[0]", "*(pp + 1)", "q + (x ? 0 : 2)", "**(&pp)"])
def test_a_pointer_may_be_any_expression(pointer: str, style: str) -> None:
    reading = read(pointer)
    made = draft(Target(reading, (), reading.functions[0], ALL), style, ())
    assert made.rewrites or made.refusals


def test_what_a_pointer_points_to_is_masked_by_another_name() -> None:
    reading = read("*pp")
    made = draft(Target(reading, (), reading.functions[0], ALL), "masked", ())
    assert b"uptr = masked_user_write_access_begin(uptr);" in made.text


@pytest.mark.parametrize(("name", "const"), [("p", True), ("q", False), ("pp", False)])
def test_a_name_is_const_where_it_is_declared_so(name: str, const: bool) -> None:
    assert is_const(read("p").functions[0], name) is const


@pytest.mark.parametrize("pointer", ["*pp", "p[0]", "&p->level", "(p", ""])
def test_an_expression_is_held_by_a_variable_of_ours(pointer: str) -> None:
    assert not is_const(read("p").functions[0], pointer)
