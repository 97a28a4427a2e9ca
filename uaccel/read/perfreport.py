# SPDX-License-Identifier: GPL-2.0-only
"""Read listings: the text of `perf report --stdio` and `perf top`, alone or pasted into a mail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from uaccel.model.profile import Profile, Row, Stack, Symbol, Tool
from uaccel.read.callgraph import Graph, Path, is_graph, is_relative, paths, read_graph
from uaccel.read.symbols import split_at_entry, symbol

_PERCENT = r"\d{1,3}(?:[.,]\d+)?\s?%"
# `==> 12.86% [kernel] [k] snd_pcm_ioctl`; one percentage or more, and a mark that says whose.
# What a person puts before a row to point at it, or behind it.
_ARROW = r"[-=>]*>|[*!]+|[→⇒➜►▶]"
_POINTED = re.compile(r"\s(?:<[-=<]+|[←⇐])(?:\s|$)")
_ROW = re.compile(
    rf"\s*(?:(?P<arrow>{_ARROW}|[-+])\s*)?(?P<shares>{_PERCENT}(?:[\s,]+{_PERCENT})*)[\s,]*"
    r"(?P<middle>[^%]*?)\[(?P<mark>[k.guH])\]\s+(?P<rest>\S.*?)\s*"
)
_UNMARKED = re.compile(
    rf"\s*(?:(?P<arrow>{_ARROW})\s*)?(?P<shares>{_PERCENT})\s+(?P<middle>\[[\w.]+\])(?P<mark>)"
    r"\s+(?P<rest>[A-Za-z_.][\w.$]*)\s*"
)
_BROKEN = re.compile(r"[^\w\[]*\d{1,3}[.,]\d+\s?%\s\s*\S.*\[(?:[k.guH]|kernel\S*)\].*")
_BEGUN = re.compile(rf"\s*(?:(?:{_ARROW})\s*)?{_PERCENT}\s")
_HEADER = re.compile(r"\s*(?P<hash>#?)\s*(?P<columns>(?:Overhead|Children)\b.*\bSymbol\b.*)")
_SAMPLES = re.compile(
    r"\s*(?P<hash>#?)\s*Samples:\s*(?P<samples>[\d.]+[KMG]?)\s+of events?\s+'(?P<event>[^']*)'.*"
)
# Before 3.6 perf wrote `# Events: 24K cycles`, and once `# Samples: 24878`.
_COUNTED = re.compile(
    r"\s*#\s*(?:Samples|Events):\s*(?P<samples>[\d.]+[KMG]?)(?:\s+(?P<event>\S+))?"
)
_TOP = re.compile(r"\s*PerfTop:.*?(?:\[\s*\S+\s+(?P<event>[^\]]+)\].*)?")
# A level of a hierarchy above its symbols: `    86.36%        [kernel.kallsyms]`
_LEVEL = re.compile(rf"\s*(?:{_PERCENT}\s+)+(?P<name>[^\s%]+(?: [^\s%]+)*)")
# Of branches each row has two symbols, from where and to where: that is no share of one of them.
_BRANCHES = re.compile(r"\s\[[k.guH]\]\s+\S")
# What a person writes above one of several listings.
_TITLE = re.compile(
    r"\W*(?:before|after|without|with|patched|unpatched|old|new|vanilla|baseline)\b[^%]{0,60}:\W*"
    r"|\W*(?:before|after|patched|unpatched|vanilla|baseline)\W*",
    re.IGNORECASE,
)
_SEPARATED = re.compile(r"[^%]*%\s*,")
_LONGEST = 4000  # characters of a line; what is longer is something else
_SHARE = re.compile(r"\d+(?:[.,]\d+)?")
# Columns that a person named: `before   after`, above shares of two variants in one row.
_BESIDE = re.compile(
    r"\W*(?P<first>\w\S*[^\s.,:;!?])\s{2,}(?P<second>\w\S*[^\s.,:;!?])(?:\s{2,}.*)?"
)
_SHARES = ("Children", "Self", "Overhead", "sys", "usr", "guest sys", "guest usr")
_GUEST_OR_KERNEL = {"k": True, "g": True, ".": False, "u": False, "H": False, "": True}


@dataclass(slots=True)
class _Listing:
    # A listing that is being read.
    tool: Tool = Tool.TOP
    event: str = ""
    samples: str = ""
    title: str = ""
    columns: tuple[str, ...] = ()
    level: str = ""  # of a hierarchy, the last level above its symbols
    rows: list[Row] = field(default_factory=list)
    shares: list[tuple[float, ...]] = field(default_factory=list)  # all that stand in each row
    seen: set[tuple[Symbol, str]] = field(default_factory=set)  # and the program
    graphs: list[list[str]] = field(default_factory=list)  # the lines below each row
    unread: list[str] = field(default_factory=list)
    last: float = 101.0  # the share that the last row is sorted by
    blank: bool = False  # a blank line stood behind the last row, or within its graph
    prose: bool = False  # and something that is no part of it

    @property
    def is_hierarchy(self) -> bool:
        return any(" / " in name for name in self.columns)


def read_listings(lines: Sequence[str]) -> tuple[Profile, ...]:
    """Return the listings that `lines` hold, in order, whatever else stands around them."""
    if not any("%" in line for line in lines):
        return ()
    reader = _Reader([_Listing()])
    for line in _joined(lines):
        reader.take(line)
    found = [part for one in reader.listings if one.rows for part in _columns(one)]
    return tuple(_profile(listing) for listing in found)


@dataclass(slots=True)
class _Reader:
    listings: list[_Listing]
    prose: str = ""  # the last line of it
    titled: bool = False  # and it says that another variant follows

    def take(self, line: str) -> None:
        listing = self.listings[-1]
        if len(line) > _LONGEST:
            listing.prose = True
        elif row := _row(line):
            self._row(listing, row, pointed=row.string != line or _is_pointed(row["arrow"]))
        elif _is_head(line):
            self._head(listing, line)
        elif not line:
            listing.blank = True
        elif listing.rows and _is_drawn(line, listing):
            listing.graphs[-1].append(line)
            listing.blank = False
        elif listing.rows and (_BROKEN.fullmatch(line) or is_graph(line)):
            listing.unread.append(line)
        elif listing.is_hierarchy and (level := _LEVEL.fullmatch(line)):
            listing.level = level["name"]
        elif not line.lstrip().startswith("#"):
            listing.prose = True
            if any(character.isalpha() for character in line):
                self.prose = line.strip()
                self.titled = bool(_TITLE.fullmatch(line))

    def _row(self, listing: _Listing, row: re.Match[str], pointed: bool) -> None:
        shares = [float(share.replace(",", ".")) for share in _SHARE.findall(row["shares"])]
        branches = _BRANCHES.search(row["rest"]) and "Data Symbol" not in listing.columns
        if max(shares) > 100 or branches:
            listing.unread.append(row[0])
            return
        # The rows of a listing fall; where they rise behind something else, another one begins.
        # Of short ones the first row may be below the last one before: but it is listed again.
        made = _made(listing, row, shares, pointed)
        again = (made.symbol, made.command) in listing.seen
        begins = shares[0] > listing.last or again or self.titled
        if begins and listing.rows and _is_behind_something(listing):
            listing = _Listing(listing.tool, listing.event, columns=listing.columns)
            self.listings.append(listing)
        if not listing.rows:
            listing.title = self.prose
        listing.last, listing.blank, listing.prose = shares[0], False, False
        self.titled = False
        listing.rows.append(made)
        listing.shares.append(tuple(shares))
        listing.seen.add((made.symbol, made.command))
        listing.graphs.append([])

    def _head(self, listing: _Listing, line: str) -> None:
        if listing.rows:
            listing = _Listing(event=listing.event)
            self.listings.append(listing)
        _take_head(listing, line)


def _is_behind_something(listing: _Listing) -> bool:
    # A report has blank lines between its rows, and with --hierarchy they rise.
    if listing.tool is Tool.REPORT and listing.columns:
        return listing.prose and not listing.is_hierarchy
    return listing.blank or listing.prose


def _row(line: str) -> re.Match[str] | None:
    if "%" not in line or len(line) > _LONGEST:
        return None
    if pointed := _POINTED.search(line):
        line = line[: pointed.start()]
    return _ROW.fullmatch(line) or _UNMARKED.fullmatch(line)


def _is_drawn(line: str, listing: _Listing) -> bool:
    if listing.prose:
        return False
    # Below the first line of a graph stand symbols alone on their lines.
    goes_on = bool(listing.graphs[-1]) and not listing.blank
    return is_graph(line) or (goes_on and bool(re.match(r"[\s|]{5,}[^\s|]", line)))


def _joined(lines: Iterable[str]) -> Iterator[str]:
    # Mail programs wrap rows: behind the mark or before it.
    waiting: str | None = None
    for line in lines:
        if waiting is not None and not line.strip():
            continue
        if waiting is not None:
            joined = f"{waiting.rstrip()} {line.strip()}"
            if _row(joined) and not _row(line):
                waiting = None
                yield joined
                continue
            yield waiting
            waiting = None
        if "%" in line and _BEGUN.match(line) and not _row(line):
            waiting = line
        else:
            yield line
    if waiting is not None:
        yield waiting


def _is_head(line: str) -> bool:
    return any(form.fullmatch(line) for form in (_HEADER, _SAMPLES, _COUNTED, _TOP))


def _take_head(listing: _Listing, line: str) -> None:
    if match := _HEADER.fullmatch(line):
        listing.columns = tuple(re.split(r"\s{2,}|\s*,\s*", match["columns"].strip()))
        listing.tool = Tool.REPORT if match["hash"] else listing.tool
    elif match := _SAMPLES.fullmatch(line):
        listing.event, listing.samples = match["event"], match["samples"]
        listing.tool = Tool.REPORT if match["hash"] else listing.tool
    elif match := _COUNTED.fullmatch(line):
        listing.event, listing.samples = match["event"] or "", match["samples"]
        listing.tool = Tool.REPORT
    elif match := _TOP.fullmatch(line):
        listing.event = (match["event"] or listing.event).strip()


def _is_pointed(arrow: str | None) -> bool:
    # The browser draws + and -; a mail program quotes with >.
    return arrow not in (None, "+", "-", ">")


def _made(listing: _Listing, row: re.Match[str], shares: Sequence[float], pointed: bool) -> Row:
    own, with_callees = _own(listing.columns, shares)
    kernel = _GUEST_OR_KERNEL[row["mark"]]
    middle = row["middle"].replace(",", " ").split()
    # Names of C++ and Rust have commas and blanks, unless a comma is what parts the columns.
    parts = r"\s{2,}|\s*,\s*|\t" if _SEPARATED.match(row[0]) else r"\s{2,}|\t"
    written, *behind = re.split(parts, row["rest"])
    if kernel and "::" not in written:
        written, *more = row["rest"].replace(",", " ").split()
        behind = [word for word in more if word.startswith("[")]
    said = " ".join(listing.columns)  # mails leave one blank between columns
    if listing.columns and "Shared Object" not in said:
        middle = [*middle, ""]  # what stands there is something else
    elif "Shared Object / Symbol" in said:
        middle = [*middle, listing.level]
    bracketed = [word for word in middle if word.startswith("[")]
    within = next(iter((*bracketed, *middle[-1:], *behind)), "").strip()
    before = middle[: middle.index(within)] if within in middle else []
    words = [word for word in before if not word.isdigit()]
    one = symbol(written, within, kernel)
    return Row(one, own, with_callees, " ".join(words), pointed)


def _own(columns: Sequence[str], shares: Sequence[float]) -> tuple[float, float | None]:
    named = [name for name in columns if name in _SHARES][: len(shares)]
    if "Self" in named and "Children" in named:
        return shares[named.index("Self")], shares[named.index("Children")]
    if named or len(shares) != 2:
        return shares[0], None
    return shares[1], shares[0]  # no header: two shares are what `perf report -g` has


def _columns(listing: _Listing) -> Iterator[_Listing]:
    # Two variants or more beside each other: a listing for each.
    count = len(listing.shares[0])
    if not _are_beside(listing, count):
        yield listing
        return
    named = _BESIDE.fullmatch(listing.title)
    titles = [named["first"], named["second"]] if named and count == 2 else [listing.title] * count
    for i, title in enumerate(titles):
        rows = [
            replace(row, percent=shares[i], with_callees=None)
            for row, shares in zip(listing.rows, listing.shares, strict=True)
        ]
        yield replace(listing, title=title, rows=rows, graphs=[[] for _ in rows])


def _are_beside(listing: _Listing, count: int) -> bool:
    # What a function has by itself is never more than what it has with all that it called.
    if listing.columns or count < 2 or any(len(one) != count for one in listing.shares):
        return False
    more = any(one[1] > one[0] for one in listing.shares)
    return count > 2 or more or bool(_BESIDE.fullmatch(listing.title))


def _profile(listing: _Listing) -> Profile:
    graphs = [read_graph(lines) for lines in listing.graphs]
    unread = [*listing.unread, *(line for graph in graphs for line in graph.unread)]
    return Profile(
        tool=listing.tool,
        event=listing.event,
        samples=listing.samples,
        title=listing.title,
        rows=tuple(listing.rows),
        stacks=tuple(_stacks(listing, graphs)),
        unread=len(unread),
        first_unread=unread[0] if unread else "",
    )


def _stacks(listing: _Listing, graphs: Sequence[Graph]) -> Iterator[Stack]:
    rows = listing.rows
    relative = is_relative((g, _drawn(row)) for g, row in zip(graphs, rows, strict=True))
    drawn = [
        (row, tuple(paths(graph, _drawn(row), relative)))
        for graph, row in zip(graphs, rows, strict=True)
    ]
    callers_first = _is_callers_first(drawn)
    known = {row.symbol.written: row.symbol for row in rows}
    unnamed = bool(listing.columns) and not {"Command", "Shared Object"} & set(listing.columns)
    for row, found in drawn:
        # In a graph of callees, the row's own samples and those of its callees run together.
        part = 1.0 if callers_first or not _drawn(row) else row.percent / _drawn(row)
        for path in found:
            names = _innermost_first(path, row.symbol.written, callers_first, unnamed)
            percent = path.percent * part
            if names and percent > 0:
                yield Stack(_symbols(row.symbol, names, known), percent, not path.cut)


def _drawn(row: Row) -> float:
    return row.percent if row.with_callees is None else row.with_callees


def _is_callers_first(drawn: Sequence[tuple[Row, tuple[Path, ...]]]) -> bool:
    # Only rows that call nothing themselves tell the two orders apart.
    votes = 0
    for row, found in drawn:
        if _drawn(row) > row.percent + 0.005:
            continue
        for names in (path.names for path in found if len(path.names) > 1):
            votes += names[-1] == row.symbol.written
            votes -= names[0] == row.symbol.written
    return votes > 0


def _innermost_first(
    path: Path, own: str, callers_first: bool, unnamed: bool
) -> tuple[str, ...] | None:
    if callers_first:
        ends_there = path.names[-1:] == (own,) and (len(path.names) > 1 or not path.cut)
        return tuple(reversed(path.names)) if ends_there else None
    names = path.names
    first = next((name for name in names if not name.endswith(" (inlined)")), "")
    if own == first:
        return names
    # Sorted by symbol alone, perf does not repeat it at the root.
    return (own, *names) if unnamed else None


def _symbols(own: Symbol, names: Sequence[str], known: dict[str, Symbol]) -> tuple[Symbol, ...]:
    return split_at_entry([_named(own, name, known) for name in names])


def _named(own: Symbol, name: str, known: dict[str, Symbol]) -> Symbol:
    if name == own.written:
        return own
    if name.endswith(" (inlined)"):
        return symbol(name.removesuffix(" (inlined)"), "", None, inlined=True)
    return known.get(name) or symbol(name, "", None)
