# SPDX-License-Identifier: GPL-2.0-only
"""Read the text of `perf diff`: a profile for the first recording and one for each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from uaccel.model.profile import Profile, Row, Tool
from uaccel.read.symbols import symbol

_LONGEST = 4000  # characters of a line; what is longer is something else
# `# Baseline  Delta Abs  Shared Object  Symbol`, `# Baseline/0  Delta Abs/1  Delta Abs/2  ...`
_HEADER = re.compile(r"\s*#?\s*(?P<columns>Baseline(?:/0)?[\s,;]+\S.*\bSymbol\b.*)")
# And rows without a head: `  9.02%  +1.00%  find  libc-2.10.1.so  [.] vfprintf`.
_HEADLESS = re.compile(r"\s*\d{1,3}\.\d+%\s+[+-]\d{1,3}\.\d+%\s+[^%]*\[[k.guH]\]\s+\S.*")
_DELTA = re.compile(r"Delta(?: Abs)?(?:/\d+)?")
_NAMES = re.compile(r"Baseline(?:/0)?|Delta(?: Abs)?(?:/\d+)?|Shared Object|[A-Z]\w*(?: [a-z]\w*)*")
_DOTS = re.compile(r"#\s\.+(?:\s\s\.+)*")
_EVENT = re.compile(r"\s*#?\s*Event '(?P<event>[^']*)'")
_FILE = re.compile(r"\s*#\s*\[(?P<number>\d{1,4})\]\s+(?P<name>\S.*?)(?:\s+\(Baseline\))?")
_SYMBOL = re.compile(r"\[(?P<mark>[k.guH])\]\s+(?P<name>\S+)")
_SHARE = re.compile(r"(?P<sign>[+-]?)(?P<figure>\d{1,3}(?:\.\d+)?)%?")
# What a mail left of the columns: a share, what it changed by, and whose it is.
_SQUEEZED = re.compile(
    r"\s*(?P<base>\d{1,3}\.\d+%?)?\s*(?P<deltas>(?:[+-]\d{1,3}\.\d+%?\s+)*)"
    r"(?P<middle>[^%]*?)(?P<symbol>\[[k.guH]\]\s+\S+)"
)
_KERNEL = {"k": True, "g": True, ".": False, "u": False, "H": False}


@dataclass(slots=True)
class Compared:
    """A listing of perf diff that is being read."""

    columns: tuple[str, ...]
    event: str = ""
    title: str = ""
    separator: str = ""
    names: dict[int, str] = field(default_factory=dict)  # of the recordings
    starts: tuple[int, ...] = ()  # the character at which each column begins
    rows: list[str] = field(default_factory=list)

    @property
    def others(self) -> int:
        """Return how many recordings are compared with the first one."""
        return sum(bool(_DELTA.fullmatch(name)) for name in self.columns)


Part = Compared | list[str]


def split_at_diffs(lines: Sequence[str]) -> Iterator[Part]:
    """Yield the listings of perf diff in `lines`, and the lines between them, in order."""
    if not any(_is_header(line) or _is_headless(line) for line in lines):
        yield list(lines)
        return
    between: list[str] = []
    current: Compared | None = None
    for line in lines:
        header = _HEADER.fullmatch(line) if _is_header(line) else None
        if header is not None:
            yield from (current,) if current else ()
            head = between
            current = _begun(header["columns"], head, current)
            yield [one for one in head if not one.lstrip().startswith("#")]
            between = []
        elif current is None and _is_headless(line):
            current = _begun("Baseline  Delta  Shared Object  Symbol", between, None)
            current.rows.append(line)
            yield between
            between = []
        elif current is not None and _belongs(line, current):
            current.rows.append(line)
        elif current is not None and (not line or line.startswith("#")):
            between.append(line)
            if _DOTS.fullmatch(line) and not current.rows:
                current.starts = tuple(dots.start() for dots in re.finditer(r"\.+", line))
        else:
            yield from (current,) if current else ()
            current = None
            between.append(line)
    yield from (current,) if current else ()
    yield between


def _is_header(line: str) -> bool:
    return "Baseline" in line and len(line) <= _LONGEST and bool(_HEADER.fullmatch(line))


def _is_headless(line: str) -> bool:
    return "%" in line and len(line) <= _LONGEST and bool(_HEADLESS.fullmatch(line))


def _begun(columns: str, head: Sequence[str], before: Compared | None) -> Compared:
    separator = next((mark for mark in ",;" if mark in columns), "")
    parts = columns.split(separator) if separator else re.split(r"\s{2,}", columns)
    if len(parts) == 1:  # a mail kept one blank between them
        parts = _NAMES.findall(columns)
    made = Compared(tuple(part.strip() for part in parts), separator=separator)
    made.event, made.names = (before.event, before.names) if before else ("", {})
    for line in head[-40:]:
        if match := _EVENT.fullmatch(line):
            made.event = match["event"]
        elif match := _FILE.fullmatch(line):
            made.names = {**made.names, int(match["number"]): match["name"]}
        elif line.strip() and not line.startswith("#"):
            made.title = line.strip()
    return made


def _belongs(line: str, current: Compared) -> bool:
    if len(line) > _LONGEST or not _SYMBOL.search(line):
        return False
    return bool(current.separator) or bool(re.match(r"\s*(?:[+-]?\d{1,3}\.\d|\s{8,}\S)", line))


def read_diff(listing: Compared) -> tuple[Profile, ...]:
    """Return the profile of the first recording, and one of each that it was compared with.

    Where perf was asked for ratios or weighted differences, the first recording alone is read,
    and every row is counted as unread.
    """
    rows: list[list[Row]] = [[] for _ in range(1 + listing.others)]
    unread = []
    for line in listing.rows:
        cells = _cells(listing, line)
        found = _row(listing, cells) if cells else None
        if found is None or not listing.others:
            unread.append(line)
        for i, row in enumerate(found or ()):
            rows[i] += [row] if row else []
    return tuple(
        Profile(
            tool=Tool.DIFF,
            event=listing.event,
            samples="",
            title=listing.names.get(i, "" if i else listing.title),
            rows=tuple(sorted(kept, key=lambda row: -row.percent)),
            stacks=(),
            unread=0 if i else len(unread),
            first_unread="" if i or not unread else unread[0],
        )
        for i, kept in enumerate(rows)
        if kept
    )


def _cells(listing: Compared, line: str) -> dict[str, str] | None:
    # The cell of each column, by its name.
    if listing.separator:
        cells = [cell.strip() for cell in line.split(listing.separator)]
        fits = len(cells) == len(listing.columns)
        return dict(zip(listing.columns, cells, strict=True)) if fits else None
    starts = listing.starts
    if len(starts) == len(listing.columns) and all(_is_edge(line, at) for at in starts[1:]):
        ends = [*starts[1:], len(line)]
        found = [line[a:b].strip() for a, b in zip((0, *starts[1:]), ends, strict=True)]
        return dict(zip(listing.columns, found, strict=True))
    return _squeezed(listing, line)


def _is_edge(line: str, at: int) -> bool:
    return at < len(line) and line[at - 2 : at].isspace()


def _squeezed(listing: Compared, line: str) -> dict[str, str] | None:
    match = _SQUEEZED.fullmatch(line)
    deltas = match["deltas"].split() if match else []
    # Which of several is missing, nobody can tell.
    if match is None or len(deltas) not in (0, listing.others):
        return None
    named = [name for name in listing.columns if _DELTA.fullmatch(name)]
    cells = dict(zip(named, deltas, strict=False))
    middle = match["middle"].split()
    return {
        **cells,
        listing.columns[0]: match["base"] or "",
        "Shared Object": middle[-1] if middle else "",
        "Command": " ".join(middle[:-1]),
        "Symbol": match["symbol"],
    }


def _row(listing: Compared, cells: dict[str, str]) -> tuple[Row | None, ...] | None:
    one = _SYMBOL.search(cells.get("Symbol", ""))
    if one is None:
        return None
    base = _share(cells.get(listing.columns[0], ""))
    deltas = [_share(cells.get(n, "")) for n in listing.columns if _DELTA.fullmatch(n)]
    if base is None and not any(delta is not None for delta in deltas):
        return None
    # A symbol that a recording does not have stands without a change.
    shares = [base, *(None if d is None else max(0.0, round((base or 0) + d, 4)) for d in deltas)]
    found = symbol(one["name"], cells.get("Shared Object", ""), _KERNEL[one["mark"]])
    command = cells.get("Command", "")
    if any(share is not None and share > 100.5 for share in shares):
        return None
    return tuple(None if s is None else Row(found, min(s, 100.0), None, command) for s in shares)


def _share(cell: str) -> float | None:
    match = _SHARE.fullmatch(cell)
    return float(match["sign"] + match["figure"]) if match else None
