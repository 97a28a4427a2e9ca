# SPDX-License-Identifier: GPL-2.0-only
"""Say what a window can gain on an architecture, from the tree at hand."""

from __future__ import annotations

import re

from uaccel.model.machine import Arch

_BEGIN = re.compile(r"^[ \t]*#[ \t]*define[ \t]+user_(?:write_|read_)?access_begin\b", re.MULTILINE)


def defines_begin(headers: tuple[str, ...]) -> bool:
    """Return whether one of `headers` (their text) defines a user_access_begin() of its own."""
    return any(_BEGIN.search(text) for text in headers)


def why_less(arch: Arch, headers: tuple[str, ...]) -> str | None:
    """Return why a window gains no opening on `arch`, or None when it does.

    include/linux/uaccess.h gives every architecture without a begin of its own one that only
    checks the range, and unsafe_*() that are the plain accessors.
    """
    if not arch.shortest_window:
        return f"no opening to save: {arch.protection}"
    if not defines_begin(headers):
        where = " and ".join(arch.begin_header)
        return (
            f"no opening to save: {where} defines no user_access_begin() in this tree, "
            f"so each unsafe_*() still opens and closes by itself"
        )
    return None
