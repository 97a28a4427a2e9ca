# SPDX-License-Identifier: GPL-2.0-only
"""C of macros that are written out, as the parser takes it: at equal length."""

from __future__ import annotations

import re

from uaccel.read.csource import closing

_TYPE_ARGUMENT = re.compile(
    rb"(?:,|(?<!return)(?<!sizeof)(?<=\w)[ \t]*\()\s*((?:struct|union|enum)\s)"
    rb"\s*\w+\s*(\**)\s*(?=[,)])"
)
_ASSEMBLER = re.compile(
    rb"\b(?:asm|__asm__|asm_inline|asm_volatile_goto|asm_goto_output)\b"
    rb"(?:\s|volatile|__volatile(?:__)?|goto|inline)*\("
)


def tamed(text: bytes) -> bytes:
    """Return `text` without types that are arguments, and without assembler that jumps nowhere."""
    made = bytearray(text)
    for found in _TYPE_ARGUMENT.finditer(text):
        start, end = found.span(1)
        made[start:end] = b" " * (end - start)
        made[found.start(2) : found.end(2)] = b" " * len(found[2])
    for found in _ASSEMBLER.finditer(text):
        end = closing(text, found.end() - 1) + 1
        if b"goto" not in found[0]:  # its labels are ways on
            made[found.start() : end] = b" " * (end - found.start())
    return bytes(made)
