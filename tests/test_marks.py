# SPDX-License-Identifier: GPL-2.0-only
"""Where counting begins and ends, by the labels of our client."""

from __future__ import annotations

import pytest

from uaccel.errors import BrokenInvariant, UserError
from uaccel.flow.counting import around, from_first
from uaccel.host.tcg import Marks
from uaccel.model.executed import Code, Linked

LABELS = ("uaccel_before", "uaccel_after", "uaccel_begin", "uaccel_end")
SYMBOLS = tuple((name, 0x100 + 4 * at, 0) for at, name in enumerate(LABELS))
CLIENT = Linked("EM_PPC", True, 32, SYMBOLS, (Code(0x100, b"abcdefgh"),), 0, 0, 0x110)


def test_a_call_is_counted_between_its_labels_where_the_client_is() -> None:
    assert around(CLIENT) == Marks((0x100,), 0x104, b"ab")


def test_a_run_is_counted_from_the_function_to_the_end_of_the_program() -> None:
    assert from_first((0xC0000100,), CLIENT) == Marks((0xC0000100,), 0x10C, b"")


def test_without_a_beginning_nothing_is_counted() -> None:
    """The plugin would count the whole boot, and the report call it that of the program."""
    with pytest.raises(BrokenInvariant, match="nothing begins the count"):
        from_first((), CLIENT)


def test_a_client_without_labels_is_refused() -> None:
    with pytest.raises(UserError, match="no labels uaccel_begin and uaccel_end"):
        from_first((1,), Linked("EM_PPC", True, 32, SYMBOLS[:2], (), 0, 0, 0))
