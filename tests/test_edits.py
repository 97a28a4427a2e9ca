# SPDX-License-Identifier: GPL-2.0-only
"""The only splice: every byte outside the edits stays, every edit is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uaccel.edits import apply
from uaccel.errors import BrokenInvariant
from uaccel.model.rewrite import Edit
from uaccel.model.source import Span


def test_edits_may_come_in_any_order_and_may_touch() -> None:
    edits = (Edit(Span(4, 6), "Y"), Edit(Span(0, 2), "x"), Edit(Span(2, 4), ""))
    assert apply(b"aabbccdd", edits) == b"xYdd"


def test_an_insertion_replaces_nothing() -> None:
    assert apply(b"ab", (Edit(Span(1, 1), "-"),)) == b"a-b"


def test_edits_that_overlap_are_our_bug() -> None:
    with pytest.raises(BrokenInvariant, match="byte 1"):
        apply(b"abcd", (Edit(Span(0, 2), ""), Edit(Span(1, 3), "")))


def test_bytes_that_are_no_utf_8_go_in_and_come_out() -> None:
    text = b"\xe9\xff"
    quoted = text.decode(errors="surrogateescape")
    assert apply(text, (Edit(Span(0, 1), quoted),)) == b"\xe9\xff\xff"


@given(st.binary(max_size=40), st.data())
def test_what_lies_outside_the_edits_stays(text: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = [Span(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False)]
    words = data.draw(st.lists(st.text(), min_size=len(spans), max_size=len(spans)))
    done = apply(text, [Edit(span, word) for span, word in zip(spans, words, strict=True)])
    kept = text
    for span, word in reversed(list(zip(spans, words, strict=True))):
        kept = kept[: span.start] + word.encode(errors="surrogateescape") + kept[span.end :]
    assert done == kept
