# SPDX-License-Identifier: GPL-2.0-only
"""Apply edits to text.  The only place where bytes are spliced."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from uaccel.errors import BrokenInvariant
from uaccel.model.rewrite import Edit


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
