# SPDX-License-Identifier: GPL-2.0-only
"""Make annotations of the rows of a listing: percentages, gaps, and whose rows they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from uaccel.model.annotation import Annotated, Annotation
from uaccel.read.perfrows import LONGEST_INSTRUCTION, NOWHERE, Raw, with_code

_ALIGNED = 4  # bytes: where all instructions are as long
_FEW = 4  # rows that do not tell how long instructions are
# How far a jump may lead into its own function; cold parts lie farther away.
_FAR = 1 << 16
# `bgt c057f3c0 <snd_pcm_ioctl+0xbb0>`, no call, and no comment of the disassembler.
_JUMP = re.compile(
    r"(?P<mnemonic>[bjct][\w.,+-]*)\s(?:[^#;/<]*[\s,])?(?:0x)?(?P<target>[0-9a-f]+)"
    r" <(?P<name>[^<>+]+)\+0x(?P<offset>[0-9a-f]+)>"
)
_CALL = re.compile(r"call\w*|bl|blx|bl[lar]+|bctrl|brasl?|bras|jal|jalr|tail")
_NO_SYMBOL = re.compile(r"load\d+")  # perf's name for a piece of /proc/kcore
_GROUP = re.compile(r"(?:.*?)\{\s*(?P<events>[^{}]*?)\s*\}")


@dataclass(slots=True)
class Head:
    """What a listing says of itself."""

    known: bool = False  # there is one
    column: str = ""  # "Percent", "Samples", "Period"
    object: str = ""
    symbol: str = ""
    event: str = ""
    samples: str = ""
    global_shares: bool = False  # the shares are of all samples, not of the function's
    filtered: bool = False  # rows with a small share were left out


@dataclass(slots=True)
class Listed:
    """A listing that is being read."""

    head: Head
    rows: list[Raw] = field(default_factory=list)
    start: tuple[int, str] | None = None  # address and name of its symbol
    function: str = ""  # the function that the debug information names first
    title: str = ""
    cut_at_end: bool = False
    unread: list[str] = field(default_factory=list)


def annotated(listed: Listed) -> Iterator[Annotation]:
    """Yield an annotation per event of a listing that has a sample, the first one at least."""
    rows = with_code(listed.rows)
    width = max(len(row.shares) for row in rows)
    gaps = _gaps(rows)
    symbol, start = _symbol(listed, rows)
    columns = [_shares(rows, i) for i in range(max(1, width))]
    full = [i for i, shares in enumerate(columns) if any(shares)] or [0]
    events = _events(listed.head.event, len(columns))
    ends = not (listed.cut_at_end or listed.head.filtered)
    whole = ends and not any(gaps)
    for i in full:
        said = listed.head.samples if i == 0 else ""
        percents = _percents(listed, columns[i], said, whole)
        yield Annotation(
            symbol=symbol,
            object=listed.head.object,
            event=events[i],
            samples=said,
            title=listed.title,
            rows=tuple(
                Annotated(
                    percent, row.address, row.code, " ".join(row.rest.split()), row.lines, gap
                )
                for percent, row, gap in zip(percents, rows, gaps, strict=True)
            ),
            begins=start is not None and rows[0].address in (start, NOWHERE),
            ends=ends,
            unread=len(listed.unread),
            first_unread=listed.unread[0] if listed.unread else "",
        )


def _shares(rows: Sequence[Raw], column: int) -> list[float | None]:
    return [float(row.shares[column]) if column < len(row.shares) else None for row in rows]


def _events(event: str, count: int) -> list[str]:
    match = _GROUP.fullmatch(event)
    listed = match["events"] if match else event
    names = [name.strip() for name in listed.split(",")] if match or count > 1 else [event]
    return [*names, *[""] * (count - len(names))] if len(names) <= count else [event] * count


def _percents(
    listed: Listed, shares: Sequence[float | None], samples: str, whole: bool
) -> list[float | None]:
    if _are_counts(listed):
        total = sum(share or 0.0 for share in shares) if whole else 0.0
        if listed.head.column == "Samples" and samples.isdigit():
            total = float(samples)
    elif listed.head.global_shares:
        total = sum(share or 0.0 for share in shares) if whole else 0.0
    else:
        return [share if share is None or share <= 100 else None for share in shares]
    # Of a part alone nobody knows what share of the function it has.
    return [100 * share / total if share is not None and total else None for share in shares]


def _are_counts(listed: Listed) -> bool:
    if listed.head.column in ("Samples", "Period"):
        return True
    shares = [share for row in listed.rows for share in row.shares]
    return not listed.head.column and bool(shares) and not any("." in share for share in shares)


def _gaps(rows: Sequence[Raw]) -> list[bool]:
    size = _ALIGNED if _is_aligned(rows) else 0
    return [
        row.gap or (i > 0 and not row.zeroes and _jumps(rows[i - 1], row, size))
        for i, row in enumerate(rows)
    ]


def _jumps(before: Raw, row: Raw, size: int) -> bool:
    if NOWHERE in (before.address, row.address):
        return False
    distance = row.address - before.address
    expected = len(before.code) or size
    return distance != expected if expected else distance > LONGEST_INSTRUCTION


def _is_aligned(rows: Sequence[Raw]) -> bool:
    distances = [b.address - a.address for a, b in pairwise(rows)]
    aligned = all(row.address % _ALIGNED == 0 for row in rows)
    common = sum(distance == _ALIGNED for distance in distances) * 2 >= len(distances)
    return aligned and common and len(rows) >= _FEW


def _symbol(listed: Listed, rows: Sequence[Raw]) -> tuple[str, int | None]:
    # The name of the symbol, and its address where it is said.
    if listed.start is not None:
        name, _, offset = listed.start[1].partition("+0x")
        start = listed.start[0] - (int(offset, 16) if _is_offset(offset) else 0)
        if _NO_SYMBOL.fullmatch(name):
            name = listed.function
        return listed.head.symbol or name, start
    name, base = _inferred(rows)
    if listed.head.symbol or listed.function:
        known = listed.head.symbol or listed.function
        return known, base if name == known else None
    return name, base


def _is_offset(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{1,16}", text))


def _inferred(rows: Sequence[Raw]) -> tuple[str, int | None]:
    # A jump, other than a call, that leads into the middle of a symbol stays within its function.
    # That is safe only if all jumps of the listing agree and the symbol begins a little before
    # the first row: a cold part that jumps back lies far away, or before.
    found = set()
    for row in rows:
        match = _JUMP.match(" ".join(row.rest.split()))
        if match and not _CALL.fullmatch(match["mnemonic"].partition(",")[0]):
            found.add((match["name"], int(match["target"], 16) - int(match["offset"], 16)))
    if len(found) != 1:
        return "", None
    ((name, base),) = found
    near = base <= rows[0].address and rows[-1].address - base < _FAR
    return (name, base) if near and not _NO_SYMBOL.fullmatch(name) else ("", None)
