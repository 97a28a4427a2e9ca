# SPDX-License-Identifier: GPL-2.0-only
"""The rows of an annotated listing: how one looks, and its bytes apart from its instruction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

# Of all variable-length encodings none is longer: x86 has 15 bytes.
LONGEST_INSTRUCTION = 15
LONGEST_LINE = 4000  # characters; what is longer is something else
NOWHERE = -1  # the address of a row that does not say it

_SHARE = r"\d{1,18}(?:[.,]\d{1,4})?"
# `    0.36 :   c057f868:       41 a1 fb 58     bgt     c057f3c0 <snd_pcm_ioctl+0xbb0>`
# Before 4.16 perf wrote the place in the source before the share, and shares of several events
# stand beside each other.
_ROW = re.compile(
    r"\s*(?:(?P<place>[^\s:]+:\d{1,9})\s+)?"
    rf"(?P<shares>(?:{_SHARE}\s?%?\s+){{0,16}}):\s*"
    r"(?P<address>(?:0x)?[0-9a-f]{1,16})(?:\s+<[^<>]*>)?:\s+(?P<rest>\S.*)"
)
# `  2.45 │10:   xor    %eax,%r9d`, as the browser draws it: no address but of what is jumped to.
_DRAWN = re.compile(rf"\s*(?P<shares>(?:{_SHARE}\s?%?\s+){{0,16}})│(?P<rest>.*)")
# And what a person left of a row: `  0.11 :  nopl   0x0(%rax,%rax,1)`.
_BARE = re.compile(rf"\s*(?P<shares>(?:{_SHARE}\s?%?\s+){{1,16}}):\s+(?P<rest>\S.*)")
_DRAWING = re.compile(r"^[\s│├└┌─╎┘┐┤▶►>↓↑→←]+")
_LABEL = re.compile(r"^[0-9a-f]{1,8}:(?=[\s│├└┌─╎↓↑→←])")
_INSTRUCTION = re.compile(r"\.?[a-z][\w.]*(?:,[a-z]{1,2})?(?:\s+\S.*)?")
_PLACE = re.compile(r"\s*//\s*(?P<file>[^\s:][^:]*):(?P<line>\d{1,9})$")
_QUICK = re.compile(r"[\s\d.,%]*:\s")
# What stands before a mnemonic of x86 and belongs to its instruction.
_PREFIXES = {
    "lock",
    "rep",
    "repz",
    "repnz",
    "data16",
    "notrack",
    "bnd",
    "cs",
    "ds",
    "es",
    "fs",
    "gs",
}
# Source between what the browser draws, which nothing but its words tells apart.
_SOURCE = re.compile(
    r"(?:if|else|for|while|do|switch|case|return|goto|default|break|struct|union|enum|static|const"
    r"|unsigned|int|long|void|char|bool)\b.*|.*[;{}\"]|.*\s(?:=|==|&&|\|\|)\s.*|.*:"
)
_ARROW = re.compile(r"^[↓↑→←]\s*")
_GROUP = re.compile(r"[0-9a-f]{2}(?:[0-9a-f]{2}(?:[0-9a-f]{4})?)?")
_TARGET = re.compile(r"<[^<>]+>")
_OPERANDS = re.compile(r"\S+(?:\s+<[^<>]+>)?")
_OF_OPERANDS = re.compile(r"[(),%$#\[\]]|0x|^-?\d|^[0-9a-f]{4,16}\b|<")


@dataclass(slots=True)
class Raw:
    """A row as it stands, its bytes not yet apart."""

    shares: tuple[str, ...]
    address: int  # NOWHERE when the row does not say it
    rest: str  # bytes and instruction, or the instruction alone
    lines: tuple[tuple[str, int], ...] = ()
    gap: bool = False
    zeroes: bool = False  # the disassembler left out zeroes right before it
    code: bytes = field(default=b"")


def read_row(line: str) -> Raw | None:
    """Return the row that `line` is, with an address; None when it is none."""
    if ":" not in line or len(line) > LONGEST_LINE:
        return None
    match = _ROW.fullmatch(line)
    if match is None:
        return None
    rest, lines = _without_place(match["rest"])
    if match["place"]:
        file, _, number = match["place"].rpartition(":")
        lines = ((file, int(number)),)
    shares = _shares(match["shares"])
    return Raw(shares, int(match["address"], 16), _ARROW.sub("", rest), lines)


def is_annotated(line: str) -> bool:
    """Return whether `line` is an instruction of an annotated listing, with its share."""
    if not _QUICK.match(line):
        return False
    row = read_row(line)
    return row is not None and bool(row.shares)


def read_drawn(line: str) -> Raw | None:
    """Return the row that `line` is as perf's browser draws it; None when it is none."""
    if "│" not in line or len(line) > LONGEST_LINE:
        return None
    return _without_address(_DRAWN.fullmatch(line))


def read_bare(line: str) -> Raw | None:
    """Return the row that `line` is, with a share but no address; None when it is none."""
    return None if line.count(":") != 1 else _without_address(_BARE.fullmatch(line))


def _without_address(match: re.Match[str] | None) -> Raw | None:
    if match is None:
        return None
    rest = _DRAWING.sub("", _LABEL.sub("", match["rest"].strip()))
    if not _INSTRUCTION.fullmatch(rest) or _SOURCE.fullmatch(rest):
        return None
    return Raw(_shares(match["shares"]), NOWHERE, rest)


def _shares(text: str) -> tuple[str, ...]:
    return tuple(text.replace("%", " ").replace(",", ".").split())


def _without_place(rest: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    match = _PLACE.search(rest)
    if match is None:
        return rest, ()
    return rest[: match.start()], ((match["file"], int(match["line"])),)


def goes_on(row: Raw, line: str) -> bool:
    """Return whether `line` is the rest of `row`, which a mail program wrapped."""
    more = line.strip()
    if _TARGET.fullmatch(more):
        return not row.rest.endswith(">")
    words = row.rest.split()
    while words and _GROUP.fullmatch(words[0]):
        words.pop(0)
    while len(words) > 1 and words[0] in _PREFIXES:
        words.pop(0)
    if not words:
        mnemonic, _, operands = more.partition(" ")
        simple = _INSTRUCTION.fullmatch(mnemonic) and not mnemonic.endswith(".")
        return bool(simple) and (not operands or bool(_OF_OPERANDS.search(operands)))
    open_ended = len(words) == 1 or words[-1].endswith(",")
    return open_ended and bool(_OPERANDS.fullmatch(more) and _OF_OPERANDS.search(more))


def with_code(rows: Sequence[Raw]) -> list[Raw]:
    """Return `rows` with their bytes apart; a row of bytes alone belongs to the one before it."""
    if not _shows_bytes(rows):
        return list(rows)
    found: list[Raw] = []
    for i, row in enumerate(rows):
        following = rows[i + 1].address if i + 1 < len(rows) else NOWHERE
        code, text = _apart(row.rest, following - row.address)
        before = found[-1] if found else None
        if before is not None and not text and row.address == before.address + len(before.code):
            before.code += code
            before.shares = _sums(before.shares, row.shares)
        else:
            found.append(_with(row, code, text))
    return found


def _with(row: Raw, code: bytes, text: str) -> Raw:
    return Raw(row.shares, row.address, text, row.lines, row.gap, row.zeroes, code)


def _sums(shares: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    if len(shares) != len(more) or not any(float(one) for one in more):
        return shares
    return tuple(f"{float(a) + float(b):.2f}" for a, b in zip(shares, more, strict=True))


def _shows_bytes(rows: Sequence[Raw]) -> bool:
    # Some mnemonics are hexadecimal too: fadd, dcbf, bc.  All of a listing are not.
    groups = [row.rest.split()[:1] for row in rows if row.address != NOWHERE]
    hexadecimal = all(first and _GROUP.fullmatch(first[0]) for first in groups)
    return hexadecimal and any(re.search(r"\d", first[0]) for first in groups)


def _apart(rest: str, distance: int) -> tuple[bytes, str]:
    # What a mail kept of the columns tells best where the bytes end.
    columns = re.split(r"\t|\s{2,}", rest, maxsplit=1)
    words = columns[0].split()
    count = _leading(words)
    if len(columns) == 2 and count == len(words):
        return _bytes(words), " ".join(columns[1].split())
    words = rest.split()
    count = _leading(words)
    if not count:
        return b"", " ".join(words)
    sized = len(words[0]) // 2
    # A mnemonic like `bc` looks like a byte: the next row's address tells.
    if 0 < distance < count * sized and distance % sized == 0:
        count = distance // sized
    elif count > 1 and count < len(words) and not words[count][0].isalpha():
        count -= 1
    return _bytes(words[:count]), " ".join(words[count:])


def _leading(words: Sequence[str]) -> int:
    # Halves of a Thumb instruction, bytes, or words: all are as long as the first one.
    size = len(words[0]) if words else 0
    count = 0
    for word in words:
        if len(word) != size or not _GROUP.fullmatch(word):
            break
        count += 1
    return count


def _bytes(words: Sequence[str]) -> bytes:
    return bytes.fromhex("".join(words)) if words else b""
