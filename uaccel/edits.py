# SPDX-License-Identifier: GPL-2.0-only
"""Apply edits to text.  The only place where bytes are spliced."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from uaccel.errors import BrokenInvariant
from uaccel.model.rewrite import Edit
from uaccel.model.source import Span


def apply(text: bytes, edits: Iterable[Edit]) -> bytes:
    """Return `text` with `edits` applied; they may touch but not overlap."""
    ordered = sorted(edits)
    for left, right in pairwise(ordered):
        if right.span.start < left.span.end:
            raise BrokenInvariant(f"edits overlap at byte {right.span.start}")

    pieces = []
    done = 0
    for edit in ordered:
        pieces += [text[done : edit.span.start], edit.text.encode(errors="surrogateescape")]
        done = edit.span.end
    return b"".join([*pieces, text[done:]])


def longest(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return `edits`, each once, without what another one adds at the same place as well.

    Who shares one macro with others brings it; who shares two brings both at that place.
    """
    every = tuple(dict.fromkeys(edits))
    return tuple(
        one
        for one in every
        if one.span.start < one.span.end
        or not any(
            one is not other and other.span == one.span and one.text in other.text
            for other in every
        )
    )


def whole(before: bytes, after: bytes) -> Edit:
    """Return the one edit that makes `after` of `before`: from the first change to the last."""
    start = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), None)
    if start is None:
        start = min(len(before), len(after))
    most = min(len(before), len(after)) - start
    same = 0
    while same < most and before[-1 - same] == after[-1 - same]:
        same += 1
    text = after[start : len(after) - same].decode(errors="surrogateescape")
    return Edit(Span(start, len(before) - same), text)
