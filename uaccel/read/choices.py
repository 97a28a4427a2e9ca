# SPDX-License-Identifier: GPL-2.0-only
"""A text once for each way in which the conditions of its #if may come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from uaccel.read.pieces import CONDITION, blank

_MOST_CONDITIONS = 4  # of #if in a function whose branches are told apart


def choices(body: bytes) -> tuple[bytes, ...]:
    """Return `body` once for each way in which the conditions of its #if may come out."""
    asked = dict.fromkeys(
        key
        for found in CONDITION.finditer(body)
        if found[1] in (b"if", b"ifdef", b"ifndef", b"elif")
        and (key := _key(found)[0]) not in (b"0", b"1")
    )
    names, others = tuple(asked)[:_MOST_CONDITIONS], tuple(asked)[_MOST_CONDITIONS:]
    every = [
        dict(zip(names, values, strict=True))
        for values in product((True, False), repeat=len(names))
    ]
    every += [{name: False} for name in others]  # one at a time, the others hold
    made = (_chosen(body, values) for values in every)
    return tuple(dict.fromkeys(made)) if asked or b"#" in body else (body,)


def _key(found: re.Match[bytes]) -> tuple[bytes, bool]:
    # What is asked, and the answer that takes the branch.
    text = b"".join(found[2].split())
    if found[1] == b"ifdef":
        return b"defined(" + text + b")", True
    if found[1] == b"ifndef":
        return b"defined(" + text + b")", False
    text = re.sub(rb"defined(\w+)", rb"defined(\1)", text)
    negated = re.fullmatch(rb"!(defined\(\w+\)|IS_ENABLED\(\w+\)|\w+)", text)
    return (negated[1], False) if negated else (text, True)


def _chosen(body: bytes, values: Mapping[bytes, bool]) -> bytes:
    plain = bytearray(body)
    stack: list[tuple[bool, bool, int]] = []  # is kept, one was kept before, start of its text
    known = {**values, b"0": False, b"1": True}
    for found in CONDITION.finditer(body):
        word = found[1]
        if word in (b"elif", b"else", b"endif") and stack:
            kept, before, start = stack.pop()
            if not kept:
                blank(plain, start, found.start())
            if word != b"endif":
                key, answer = _key(found) if word == b"elif" else (b"1", True)
                taken = not before and known.get(key, True) is answer
                stack.append((taken, before or taken, found.end()))
        elif word in (b"if", b"ifdef", b"ifndef"):
            key, answer = _key(found)
            taken = known.get(key, True) is answer
            stack.append((taken, taken, found.end()))
        blank(plain, found.start(), found.end())
    return bytes(plain)
