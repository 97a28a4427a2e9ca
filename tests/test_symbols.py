# SPDX-License-Identifier: GPL-2.0-only
"""Which symbols of a linked kernel a function of the source is in."""

from __future__ import annotations

import pytest

from uaccel.flow.symbols import entries_of, holder, symbols_of
from uaccel.model.executed import Linked

CHAIN = ("entry", "toy_ioctl", "toy_common_ioctl", "toy_sync")


def kernel(*names: str) -> Linked:
    """Return a kernel with these symbols, 64 bytes each."""
    symbols = tuple((name, 64 * at, 64) for at, name in enumerate(names))
    return Linked("EM_PPC", True, 32, symbols, (), 0, 0, 64 * len(names))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("toy_sync", "toy_sync.cold"), ("toy_sync",)),
        (("toy_sync.isra.0", "toy_sync.constprop.1"), ("toy_sync.isra.0", "toy_sync.constprop.1")),
        # The rest was inlined: not every call comes through the part.
        (("toy_sync.part.0",), ()),
        (("toy_sync_other",), ()),
    ],
)
def test_copies_of_a_function_are_the_function_and_parts_are_not(
    names: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert symbols_of(kernel(*names), "toy_sync") == found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("__x64_sys_toy", "__ia32_sys_toy"), ("__x64_sys_toy", "__ia32_sys_toy")),
        (("__x64_sys_toy", "__se_sys_toy"), ("__se_sys_toy",)),
        (("sys_toy", "__se_sys_toy", "__do_sys_toy"), ("__do_sys_toy",)),
        (("__do_sys_toy", "__do_compat_sys_toy"), ("__do_sys_toy", "__do_compat_sys_toy")),
        (("toy", "__x64_sys_toy"), ("toy",)),
    ],
)
def test_a_system_call_is_entered_by_the_innermost_that_is_left(
    names: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert symbols_of(kernel(*names), "toy") == found


def test_entries_are_those_of_all_functions_asked_for() -> None:
    held = kernel("a", "b.isra.0", "c")
    assert entries_of(held, ("b", "c", "d")) == (64, 128)


def test_a_function_that_has_a_symbol_is_in_it() -> None:
    assert holder(kernel(*CHAIN), "toy_sync", CHAIN) == "toy_sync"
    copied = kernel("entry", "toy_sync.isra.0")
    assert holder(copied, "toy_sync", CHAIN) == "toy_sync"
    assert entries_of(copied, ("toy_sync",)) == (64,)


def test_a_function_that_was_inlined_is_in_the_nearest_caller_that_is_left() -> None:
    assert holder(kernel(*CHAIN[:-1]), "toy_sync", CHAIN) == "toy_common_ioctl"
    assert holder(kernel(*CHAIN[:-2]), "toy_sync", CHAIN) == "toy_ioctl"
    copied = kernel("entry", "toy_ioctl.constprop.0")
    assert holder(copied, "toy_sync", CHAIN) == "toy_ioctl"


def test_where_no_chain_leads_there_nobody_knows() -> None:
    assert holder(kernel("entry"), "toy_sync", ()) is None
    assert holder(kernel("entry"), "toy_other", CHAIN) is None
    assert holder(kernel("other"), "toy_sync", CHAIN) is None


def test_a_system_call_that_was_inlined_is_in_who_called_it() -> None:
    chain = ("entry", "toy_common_ioctl", "__do_sys_toy")
    assert holder(kernel("entry", "toy_common_ioctl"), "toy", chain) == "toy_common_ioctl"
