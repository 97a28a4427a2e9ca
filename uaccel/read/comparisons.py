# SPDX-License-Identifier: GPL-2.0-only
"""Which instructions compare what: what a jump behind them asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from uaccel.model.machine import Insn
from uaccel.model.run import Comparison

# Every architecture's, by capstone's names: none of them means anything else on another one.
_TWO = frozenset("cmp c cg cl cr cgr clr".split())
_ZERO = frozenset("cbz cbnz beqz bnez bltz bgez blez bgtz".split())
_MOVES = frozenset("ltr ltgr ltgfr mr.".split())  # what they move is compared with 0
_JUMPS = frozenset("beq bne blt bge bltu bgeu".split())
# How many bytes they compare, where that is neither a register's nor a word.
_SIZES: Mapping[str, int] = {
    **dict.fromkeys("cmpd cmpld cmpdi cmpldi cg cgr cghi cgfi clgfi cghsi clghsi".split(), 8),
    **dict.fromkeys("cmpw cmplw cmpwi cmplwi c cl cr clr chi cfi clfi chsi clfhsi ltr".split(), 4),
    **dict.fromkeys("chhsi clhhsi".split(), 2),
    "cli": 1,
}
_JUMPING = re.compile(r"cl?g?[ir]j\w*")  # s390's
_BITS = frozenset("test tst andi. andis. tmll".split())
_BIT = frozenset("tbz tbnz".split())
_WIDTHS = {"byte": 1, "word": 2, "dword": 4, "qword": 8}
_MEMORY = re.compile(r"(?:(\w+) ptr )?(?:[a-z]s:)?\[.*\]|(?:-?\w+)?\(.*\)")
_NUMBER = re.compile(r"#?(-?(?:0x[0-9a-f]+|\d+))")
_REGISTER = re.compile(r"%?[a-z][a-z0-9]*")
_BYTE = re.compile(r"[abcd][lh]|(?:si|di|bp|sp)l|r\d+b")
_HALF = re.compile(r"[abcd]x|si|di|bp|sp|r\d+w")
_LOWER = re.compile(r"e[a-z]+|r\d+d|w\d+|wzr")
_NOUGHT = ("zero", "wzr", "xzr")


def comparisons(insns: Iterable[Insn], bits: int) -> Iterator[Comparison]:
    """Yield what `insns` compare, as far as it is known; a word has so many `bits`."""
    for insn in insns:
        made = _comparison(insn, bits)
        if made is not None:
            yield made


def _comparison(insn: Insn, bits: int) -> Comparison | None:
    operands = insn.operands.split(", ")
    mnemonic = insn.mnemonic.removeprefix("c.")  # what riscv compresses
    if re.fullmatch(r"cr\d", operands[0]):
        operands = operands[1:]
    if mnemonic in _ZERO:
        operands = [operands[0], "0"]
    elif mnemonic in _MOVES and len(operands) == 2:
        operands = [operands[1], "0"]
    elif mnemonic == "test" and len(operands) == 2 and operands[0] == operands[1]:
        operands[1] = "0"
    elif mnemonic in _BITS | _BIT:
        return _bits(insn, operands, bits)
    elif not ((mnemonic in _TWO or mnemonic in _SIZES) and len(operands) == 2) and not (
        (mnemonic in _JUMPS or _JUMPING.fullmatch(mnemonic)) and len(operands) == 3
    ):
        return None
    sides = tuple(_side(one) for one in operands[:2])
    if "" in sides or all(isinstance(one, int) for one in sides):
        return None
    return Comparison(insn.address, _size(mnemonic, operands, bits), (sides[0], sides[1]))


def _bits(insn: Insn, operands: list[str], bits: int) -> Comparison | None:
    if insn.mnemonic.startswith("andi"):  # what comes of it comes first
        operands = operands[1:]
    mask, side = _side(operands[1]), _side(operands[0])
    if not isinstance(mask, int) or isinstance(side, int) or side == "":
        return None
    if insn.mnemonic in _BIT:
        mask = 1 << mask
    if insn.mnemonic == "andis.":
        mask <<= 16
    size = _size(insn.mnemonic, operands, bits)
    return Comparison(insn.address, size, (side, mask & ((1 << 8 * size) - 1)), bits=True)


def _side(operand: str) -> str | int | None:
    # A register's name, a number, None for memory; "" for anything else.
    found = _NUMBER.fullmatch(operand)
    if found is not None:
        return int(found[1], 0)
    if operand in _NOUGHT:
        return 0
    if _MEMORY.fullmatch(operand):
        return None
    return operand.lstrip("%") if _REGISTER.fullmatch(operand) else ""


def _size(mnemonic: str, operands: list[str], bits: int) -> int:
    if mnemonic in _SIZES:
        return _SIZES[mnemonic]
    for operand in operands[:2]:
        memory = _MEMORY.fullmatch(operand)
        if memory is not None and memory[1] in _WIDTHS:
            return _WIDTHS[memory[1]]
    for pattern, size in ((_BYTE, 1), (_HALF, 2), (_LOWER, 4)):
        if bits == 64 and any(pattern.fullmatch(one) for one in operands[:2]):
            return size
        if bits == 32 and size < 4 and any(pattern.fullmatch(one) for one in operands[:2]):
            return size
    return bits // 8
