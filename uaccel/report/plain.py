# SPDX-License-Identifier: GPL-2.0-only
"""Make text that came out of a tree fit to be shown: it must not steer a terminal or a reader."""

from __future__ import annotations

import re

# Controls but line feed and tab, what turns the direction of text, and lone surrogates.
_STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def block(text: str) -> str:
    """Return `text` with its lines, and everything that steers a terminal spelled out."""
    return _STEERS.sub(_spelled, text)


def line(text: str) -> str:
    """Return `text` on one line, and everything that steers a terminal spelled out."""
    return block(text.replace("\n", " ").replace("\t", " "))


def encodable(text: str) -> str:
    """Return `text` with bytes that were no UTF-8 spelled out, all else as it is."""
    return _SURROGATE.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that `surrogateescape` carried
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
