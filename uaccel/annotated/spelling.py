# SPDX-License-Identifier: GPL-2.0-only
"""Read instructions as GNU objdump and perf annotate write them: what each means and touches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from uaccel.model.machine import Role, RoleRow, Spelling

FLAGS = "flags"  # the condition that a jump without registers asks
_COMMENT = re.compile(r"\s+(?://|[;@#])(?:\s.*|$)")
_SYMBOL = re.compile(r"<(?P<name>[^<>]+?)(?:\+0x(?P<offset>[0-9a-f]+))?>")
_ARROWS = "→←↓↑↘│↱├╰╭▶▼▲ \t"
_NUMBER = re.compile(r"(?:^|[ ,])(?:0x)?([0-9a-f]+)$")
_NAME = re.compile(r"\S+ (?!\*)(?P<name>[A-Za-z_.][\w.$]*)(?:@plt)?")
_JUMPS = (Role.BRANCHES, Role.FORKS)


@dataclass(frozen=True, slots=True)
class Spelled:
    """One instruction of a listing, read by its text alone."""

    text: str  # plain
    role: Role | None
    writes: frozenset[str]  # registers, FLAGS among them
    reads: frozenset[str]
    name: str  # of the symbol that a call or jump leads to; "" when it is not said
    target: int | None  # of a jump: the address or distance that stands there
    offset: int | None  # of a jump: bytes behind the symbol `name`


def plain(text: str) -> str:
    """Return an instruction with single blanks, without arrows, comments and symbols."""
    bare = _COMMENT.sub("", _SYMBOL.sub("", text.strip(_ARROWS)))
    return " ".join(bare.split())


def role_of(rows: tuple[RoleRow, ...], text: str) -> Role | None:
    """Return the role of the first row that matches the plain text of an instruction."""
    return next((row.role for row in rows if re.fullmatch(row.pattern, text)), None)


def spelled(spelling: Spelling, text: str) -> Spelled:
    """Return what an instruction means, which registers it touches and where it leads."""
    bare = plain(text)
    role = role_of(spelling.rows, bare)
    writes, reads = _registers(spelling, bare, role)
    name, offset = _named(bare, text, role)
    number = _NUMBER.search(bare) if role in _JUMPS else None
    return Spelled(bare, role, writes, reads, name, int(number[1], 16) if number else None, offset)


def is_like(pattern: str, text: str) -> bool:
    """Return whether a plain text matches a pattern of a spelling; an empty one matches nothing."""
    return bool(pattern) and re.fullmatch(pattern, text) is not None


@lru_cache(maxsize=1 << 16)
def registers(pattern: str, text: str) -> tuple[str, ...]:
    """Return the registers of a text in their order, whatever their widths."""
    return tuple(
        next(group for group in found.groups() if group) for found in re.finditer(pattern, text)
    )


def _registers(
    spelling: Spelling, text: str, role: Role | None
) -> tuple[frozenset[str], frozenset[str]]:
    mnemonic, _, operands = text.partition(" ")
    named = registers(spelling.register, operands)
    flags = {FLAGS} if is_like(spelling.flags, text) else set()
    if role is not None or is_like(spelling.keeps, text):
        asked = {FLAGS} if role is Role.FORKS and not named else set()
        return frozenset(flags), frozenset({*named, *asked})
    places = _operands(operands)
    at = -1 if is_like(spelling.last, text) else 0
    written = registers(spelling.register, places[at]) if places else ()
    rest = [one for i, one in enumerate(places) if i != at % max(len(places), 1)]
    read = {one for place in rest for one in registers(spelling.register, place)}
    # Where two operands are all that there is, the one that is written is mostly read too.
    two = len(places) == _TWO and not _copies(spelling, text, mnemonic)
    both = set(written) if two or _INSERTS.fullmatch(mnemonic) else set()
    return frozenset({*written[:1], *flags}), frozenset(read | both)


_TWO = 2
_FRESH = re.compile(
    r"mov(?![kt]\b)\w*|lea\w*|li|lis|lui|l[bhwdgr]\w*|ld\w*|la\w*|mr\w*|mv|mf\w*|mrs|set\w*|pop"
)
_INSERTS = re.compile(r"bf\w*|mov[kt]|rlwimi|rldimi|cmov\w*")  # the rest of the register stays


def _copies(spelling: Spelling, text: str, mnemonic: str) -> bool:
    return is_like(spelling.moves, text) or _FRESH.fullmatch(mnemonic) is not None


def _operands(text: str) -> list[str]:
    # A comma inside of brackets parts nothing.
    return [one.strip() for one in re.split(r",(?![^(\[{]*[)\]}])", text)] if text else []


def _named(bare: str, text: str, role: Role | None) -> tuple[str, int | None]:
    if role not in (*_JUMPS, Role.CALLS):
        return "", None
    symbol = _SYMBOL.search(text)
    if symbol is not None:
        return symbol["name"], int(symbol["offset"] or "0", 16)
    name = _NAME.fullmatch(bare) if role is Role.CALLS else None
    # perf annotate writes a callee's name alone.
    return (
        (name["name"], 0) if name and not re.fullmatch(r"[0-9a-f]+", name["name"]) else ("", None)
    )
