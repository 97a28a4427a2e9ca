# SPDX-License-Identifier: GPL-2.0-only
"""Read the text of `perf annotate --stdio`, alone or pasted into a mail, several of them too."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from uaccel.model.annotation import Annotation
from uaccel.read.perflisting import Head, Listed, annotated
from uaccel.read.perfrows import (
    LONGEST_INSTRUCTION,
    LONGEST_LINE,
    NOWHERE,
    Raw,
    goes_on,
    read_bare,
    read_drawn,
    read_row,
)
from uaccel.read.perftext import plain_lines

# ` Percent |      Source code & Disassembly of vmlinux for cycles (1234 samples, ...)`
_HEAD = re.compile(
    r"\s*(?P<column>Percent|Samples|Period)\s*[|│:]\s*Source code & Disassembly of "
    r"(?P<object>\S+)(?:\s+for\s+(?P<event>.*?))?"
    r"(?:\s*\((?P<samples>\d+)(?:\s+samples?\b)?"
    r"(?:,\s*percent:\s*(?P<type>[a-z-]+ [a-z]+)?.*)?)?\)?\s*"
)
# What perf top prints before an annotated symbol, with the least share that it shows.
_SHOWING = re.compile(r"\s*Showing (?P<event>\S.*?) for (?P<symbol>\S+)\s*")
_FILTER = re.compile(r"\s*Events\s+Pcnt \(>=\d+%\)\s*")
# `entry_SYSCALL_64  /lib/modules/6.1/build/vmlinux`, above what the browser draws.
_DRAWN_HEAD = re.compile(
    r"\s*(?P<symbol>[A-Za-z_.$][\w.$]*)(?:\(\))?\s+(?P<object>/\S+|\[\S+\])\s*"
)
_DRAWN_COLUMN = re.compile(r"\s*Percent\s*[│|]?\s*")
_DRAWN_SAMPLES = re.compile(
    r"\s*Samples:\s*(?P<samples>[\d.]+[KMG]?)\s+of events?\s+'(?P<event>[^']*)'.*"
)
_BETWEEN = re.compile(r"\s*(?:\d{1,18}(?:[.,]\d{1,4})?\s+){0,16}[:│](?:\s(?P<rest>.*))?")
_UNREAD = re.compile(r"\s*\d{1,3}[.,]\d\d\s*[:│].*")
_NUMBERED = re.compile(r"(?P<line>\d{1,9})(?:\s(?P<rest>.*))?")
_SECTION = re.compile(r"\s*Disassembly of section \S+:")
_START = re.compile(r"\s*(?:\d+\s+)?(?:0x)?(?P<address>[0-9a-f]{1,16}) <(?P<name>[^<>]+)>:")
_FUNCTION = re.compile(r"(?P<name>[A-Za-z_.$][\w.$]*)\(\):")
_SOURCE_PLACE = re.compile(
    r"(?P<file>[\w./+~-]+\.(?:c|h|S|s|cc|cpp|rs|inc)):(?P<line>\d{1,9})(?: \(discriminator \d+\))?"
)
_CUT = re.compile(
    r"\s*(?:[\[(<]?\s*(?:\.\.\.+|…|snip(?:ped)?|cut|skip(?:ped)?)\s*[\])>]?"
    r"|[-=8%<>\s]*(?:snip|cut)[-=8%<>\s]*)\s*",
    re.IGNORECASE,
)
_SHORT = 100  # characters; what says that something is left out has less
_SUMMARY = re.compile(r"\s*(?:Sorted summary for file .*|[-=]{5,}|\d+\.\d+\s+\S+:\d+.*)\s*")


def read_annotations(text: str) -> tuple[Annotation, ...]:
    """Return the annotated listings that `text` holds, in its order; () when it holds none.

    Of a listing with several events there is one annotation per event that has a sample.
    """
    reader = _Reader()
    for line in plain_lines(text):
        reader.take(line)
    return tuple(one for listed in reader.done() for one in annotated(listed))


@dataclass(slots=True)
class _Reader:
    listings: list[Listed] = field(default_factory=lambda: [Listed(Head())])
    title: str = ""  # the last line of prose
    prose: bool = False  # prose stands behind the last row
    cut: bool = False  # something says that rows were left out behind the last one
    zeroes: bool = False
    opened: bool = False  # the last line was a row, so a wrapped rest may follow
    fresh: bool = True  # no line of source stands behind the last row yet
    place: tuple[tuple[str, int], ...] = ()  # where in the source the next rows are

    def take(self, line: str) -> None:
        if len(line) > LONGEST_LINE:
            self._prose("")
        elif row := read_row(line):
            self._row(row)
        elif not line.strip():
            pass
        elif self.opened and goes_on(self.listings[-1].rows[-1], line):
            self.listings[-1].rows[-1].rest += f" {line.strip()}"
        else:
            self.opened = False
            self._other(line)

    def done(self) -> list[Listed]:
        self._close()
        return [listing for listing in self.listings if listing.rows]

    def _other(self, line: str) -> None:
        listing = self.listings[-1]
        if self._head(line):
            return
        if len(line) < _SHORT and _CUT.fullmatch(line):
            self.cut = True
        elif line.endswith(">:") and (start := _START.fullmatch(line)):
            self._start(start)
        elif row := read_drawn(line):
            self._row(row)
        elif between := _BETWEEN.fullmatch(line):
            if listing.rows or listing.head.known:
                self._between(line, between["rest"] or "")
        elif not _SUMMARY.fullmatch(line):
            self._prose(line.strip())

    def _head(self, line: str) -> bool:
        # Most lines of a long text hold none of these words: they cost less than the patterns.
        if "Disassembly of" in line and (match := _HEAD.fullmatch(line)):
            before = self._begin()
            before.column, before.object = match["column"], match["object"]
            before.event = match["event"] or before.event
            before.samples = match["samples"] or ""
            before.global_shares = (match["type"] or "").startswith("global")
        elif "Showing" in line and (match := _SHOWING.fullmatch(line)):
            head = self._begin(anew=True)
            head.symbol, head.event = match["symbol"], match["event"]
        elif "Pcnt" in line and _FILTER.fullmatch(line):
            self._begin().filtered = True
        elif "Samples:" in line and (match := _DRAWN_SAMPLES.fullmatch(line)):
            head = self._begin(anew=True)
            head.event, head.samples = match["event"], match["samples"]
        elif match := _DRAWN_HEAD.fullmatch(line):
            head = self._begin()
            head.symbol, head.object = match["symbol"], match["object"]
        else:
            return "Percent" in line and bool(_DRAWN_COLUMN.fullmatch(line))
        return True

    def _begin(self, anew: bool = False) -> Head:
        # Several lines make the head of one listing.
        listing = self.listings[-1]
        if listing.rows or (anew and listing.head.known) or self.prose:
            listing = self._another()
        listing.head.known = True
        return listing.head

    def _another(self) -> Listed:
        self._close()
        self.listings.append(Listed(Head()))
        self.prose = self.cut = self.zeroes = False
        self.place, self.fresh = (), True
        return self.listings[-1]

    def _close(self) -> None:
        self.listings[-1].cut_at_end = self.cut

    def _start(self, match: re.Match[str]) -> None:
        listing = self.listings[-1]
        if listing.rows:
            listing = self._another()
            listing.head.column = self.listings[-2].head.column
        listing.head.known = True
        listing.start = int(match["address"], 16), match["name"]

    def _row(self, row: Raw) -> None:
        listing = self.listings[-1]
        if not listing.rows and not (row.shares or listing.head.known):
            return self._prose("")
        if listing.rows and not self._follows(listing.rows[-1], row):
            listing = self._another()
        if not listing.rows:
            listing.title = self.title
            self.title = ""
        row.gap, row.zeroes = self.cut, self.zeroes
        row.lines = row.lines or self.place
        listing.rows.append(row)
        self.cut = self.zeroes = self.prose = False
        self.opened = self.fresh = True
        return None

    def _follows(self, before: Raw, row: Raw) -> bool:
        if NOWHERE in (before.address, row.address):
            return before.address == row.address and not self.prose
        distance = row.address - before.address
        # Somebody's remark may stand between two rows that follow each other.
        return distance > 0 and (not self.prose or distance <= LONGEST_INSTRUCTION)

    def _between(self, line: str, rest: str) -> None:
        rows = self.listings[-1].rows
        if _UNREAD.fullmatch(line):
            bare = read_bare(line) if not rows or rows[-1].address == NOWHERE else None
            if bare is None:
                self.listings[-1].unread.append(line)
            else:
                self._row(bare)
            return
        numbered = _NUMBERED.fullmatch(rest.strip())
        words = ((numbered["rest"] or "") if numbered else rest).strip()
        if start := _START.fullmatch(words):
            self._start(start)
        elif words == "...":  # the disassembler's, for zeroes: nothing of the function is gone
            self.zeroes = True
        elif _SECTION.fullmatch(words) or not words:
            pass
        elif function := _FUNCTION.fullmatch(words):
            if not self.listings[-1].rows:
                self.listings[-1].function = function["name"]
        elif place := _SOURCE_PLACE.fullmatch(words):
            self.place, self.fresh = ((place["file"], int(place["line"])),), False
        elif numbered and self.fresh:
            # perf numbers a stretch of source from the line that the next instruction is of,
            # and does not say the file.
            self.place, self.fresh = (("", int(numbered["line"])),), False

    def _prose(self, line: str) -> None:
        self.prose = True
        self.opened = False
        self.title = line or self.title
