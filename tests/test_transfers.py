# SPDX-License-Identifier: GPL-2.0-only
"""Two writings of a function are compared by what they move, whatever they call it."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from uaccel.flow.transfers import is_same
from uaccel.model.source import Function, Source
from uaccel.read.reading import read_source

PLAIN = """\
static int lamp_set(struct lamp *lamp, struct lamp_request *req)
{
	u32 level, flags;

	if (get_user(level, &req->user->level) || get_user(flags, (u32 __user *)req->more))
		return -EFAULT;
	return lamp_apply(lamp, level, flags);
}
"""
SCOPED = """\
static int lamp_set(struct lamp *lamp, struct lamp_request *req)
{
	u32 level, flags;
	u32 __user *uptr2;
	typeof(req->user) uptr;

	uptr = req->user;
	uptr2 = (u32 __user *)req->more;
	if (!access_ok(uptr2, sizeof(*uptr2)))
		return -EFAULT;
	uptr2 = mask_user_address(uptr2);
	scoped_user_read_access(uptr, fault) {
		unsafe_get_user(level, &uptr->level, fault);
		unsafe_get_user(flags, uptr2, fault);
	}
	return lamp_apply(lamp, level, flags);

fault:
	return -EFAULT;
}
"""


def function(text: str) -> Function:
    """Return the one function of `text`."""
    return read_source(Source(PurePosixPath("case.c"), text.encode())).functions[0]


def test_what_a_name_holds_is_looked_up() -> None:
    old, new = function(PLAIN), function(SCOPED)
    assert is_same(old, new, old.clusters)


def test_a_name_holds_nothing_of_what_was_assigned_since() -> None:
    # `ptr += 4` between a name and an access through it: binder_thread_write() of the kernel.
    plain = PLAIN.replace("if (get_user(level", "req->more += 4;\n\tif (get_user(level")
    scoped = SCOPED.replace("uptr2 = (u32", "req->more += 4;\n\tuptr2 = (u32")
    old = function(plain)
    assert is_same(old, function(scoped), old.clusters)
    late = SCOPED.replace(
        "\t\tunsafe_get_user(flags", "\t\treq->more += 4;\n\t\tunsafe_get_user(flags"
    )
    assert not is_same(old, function(late), old.clusters)


@pytest.mark.parametrize("before", ["if (", "if (can_do()) {\n\t\tlamp_do();\n\t} else if ("])
def test_what_a_failed_begin_does_changes_nothing_of_a_name(before: str) -> None:
    begin = f"{before}!user_access_begin(uptr, 8)) {{\n\t\treq->more++;\n\t\treturn 1;\n\t}}\n\t"
    failing = SCOPED.replace("scoped_user", f"{begin}scoped_user")
    assert is_same(function(PLAIN), function(failing), ())
    late = failing.replace("\t\treturn 1;\n\t}\n", "\t\treturn 1;\n\t}\n\treq->more++;\n")
    assert not is_same(function(PLAIN), function(late), ())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("&uptr->level, fault", "uptr, fault"),  # another address
        ("&uptr->level, fault", "&uptr->flags, fault"),
        ("uptr = req->user;", "uptr = req->owner;"),
        ("(u32 __user *)req->more;", "(u32 __user *)req->less;"),
        ("flags, uptr2, fault", "flags, uptr3, fault"),  # nobody says what it is
        ("unsafe_get_user(level,", "unsafe_get_user(flags,"),
    ],
)
def test_a_name_for_something_else_is_another_access(right: str, wrong: str) -> None:
    old, new = function(PLAIN), function(SCOPED.replace(right, wrong))
    assert not is_same(old, new, old.clusters)
