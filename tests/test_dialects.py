# SPDX-License-Identifier: GPL-2.0-only
"""What may be written in a file is asked of its tree's headers."""

from __future__ import annotations

from uaccel.dialects import dialects
from uaccel.model.dialect import Dialects
from uaccel.model.support import Header

SCOPES = """\
#ifndef masked_user_access_begin
 #define masked_user_access_begin(src) NULL
 #define mask_user_address(src) (src)
#endif
#define scoped_user_read_access(p, label) scope(p, label)
static inline unsigned long copy(const void __user *from, unsigned long n)
{
	barrier_nospec();
	return n;
}
"""
MASKS = "#define masked_user_access_begin(x) mask(x)\n"
BEGINS = "#define user_access_begin(a, b) begin(a, b)\n"


def said(linux: str, **own: str) -> Dialects:
    """Return the dialects of a tree whose architectures have one header each."""
    arches = tuple((name, (Header("uaccess.h", text),)) for name, text in own.items())
    return dialects(linux, "", arches)


def test_a_begin_masks_where_its_architecture_says_so_and_else_everywhere() -> None:
    tree = said(SCOPES, masking=MASKS + BEGINS, plain=BEGINS)
    assert tree.of("arch/masking/kernel/signal.c").masks
    assert not tree.of("arch/plain/kernel/signal.c").masks
    assert tree.of("fs/utimes.c").masks  # compiled for both
    assert tree.of("arch/Kconfig.c").masks
    assert tree.of("arch/plain/kernel/signal.c").scoped


def test_another_pointer_is_clamped_where_the_tree_can_on_every_architecture() -> None:
    assert said(SCOPES, plain=BEGINS).everywhere.clamps
    assert not said(SCOPES.replace("mask_user_address", "x"), plain=BEGINS).everywhere.clamps
    assert not said(SCOPES.replace("barrier_nospec()", "x()"), plain=BEGINS).everywhere.clamps


def test_a_copy_may_be_written_where_every_architecture_has_it() -> None:
    has = BEGINS + "#define unsafe_copy_from_user(d, s, n, e) copy\n"
    linux = "#define unsafe_copy_from_user(d, s, n, e) copy\n"
    tree = said(linux, one=has, two=BEGINS, three="")
    assert [tree.of(f"arch/{name}/a/b.c").copies_from for name in ("one", "two", "three")] == [
        True,
        False,
        True,  # it has no begin of its own, and so all that linux/uaccess.h defines
    ]
    assert not tree.everywhere.copies_from
    assert said(linux, one=has, three="").everywhere.copies_from
