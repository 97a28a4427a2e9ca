# SPDX-License-Identifier: GPL-2.0-only
"""Records of the engine say what is wrong when they are asked for what they do not hold."""

from __future__ import annotations

import pytest

from uaccel.errors import BrokenInvariant
from uaccel.model.access import Access, Direction, Span
from uaccel.model.steps import Piece

HERE = Span(7, 9)
GET = Access("get_user", Direction.READ, HERE, HERE, HERE, None, None, None, impure=False)
COPY = Access("copy_from_user", Direction.READ, HERE, HERE, HERE, HERE, None, None, impure=False)


def test_a_piece_has_its_access_or_is_a_test() -> None:
    assert Piece(GET, "", "", "").its_access == GET
    with pytest.raises(BrokenInvariant, match=r"`lamp->on` makes no access"):
        _ = Piece(None, "lamp->on", "", "").its_access


def test_only_a_copy_has_a_length() -> None:
    assert COPY.length == HERE
    with pytest.raises(BrokenInvariant, match=r"get_user\(\) at byte 7 is no copy"):
        _ = GET.length
