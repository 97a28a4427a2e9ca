# SPDX-License-Identifier: GPL-2.0-only
"""Read what `perf stat` printed: its table, or lines for a program (`-x,`, `-j`), in a mail too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from uaccel.model.stat import Event, Stat
from uaccel.read.perffigures import number
from uaccel.read.perftext import plain_lines

_LONGEST = 4000  # characters of a line; what is longer is something else
_HEAD = re.compile(r"\s*Performance counter stats for (?P<what>.+)")
_HEAD_END = re.compile(r"(?P<command>.*?)(?:\s+\((?P<runs>\d{1,9}) runs\))?:")
_WRAPPED_HEAD = 8  # lines that a mail program may make of it
_INTERVALS = re.compile(r"\s*#\s+time\s+(?:\S+\s+){0,3}counts\s+unit\s+events")
_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d+)?|\d[\d.,']*"
_ROW = re.compile(
    r"\s*(?P<where>(?:CPU\d+|[SNDCL]\d+(?:-\w+)*(?:\s+\d+)?|\S+-\d+)\s+)?"
    rf"(?P<value>{_NUMBER}|<not counted>|<not supported>)\s+(?P<what>[^#\s(<][^#]*?)"
    r"(?P<metric>\s+#.*)?"
)
_TIME = re.compile(
    rf"\s*(?P<value>{_NUMBER})(?:\s+\+-\s+[\d.,]+)?\s+seconds\s+"
    r"(?P<name>time elapsed|user|sys)(?:\s.*)?"
)
_VARIATION = re.compile(r"\(\s*\+-\s*(?P<percent>[\d.,]+)%\s*\)")
_RUNNING = re.compile(r"\(\s*(?P<percent>\d[\d.,]*)%\s*\)\s*$")
_CLOCK = re.compile(r"\s*(?P<time>\d+[.,]\d{9})\s(?P<rest>.*)")
_UNITS = {"msec", "sec", "ns", "usec", "Joules", "mJ", "KB", "MB", "GB", "MiB", "GiB", "KiB"}
_UNIT_BEHIND = re.compile(r"(?P<name>\S+) \((?P<unit>[A-Za-z]+)\)")
_NAME = re.compile(r"[A-Za-z_][^\s\"']*")
_OLD_NAME = re.compile(r"[A-Za-z]+(?: [A-Za-z]+){1,3}")  # before 2.6.32: "CPU cycles"
_LOOKS = re.compile(r"\s*(?:\d[\d.,' ]*|<not \w+>)\s{2,}\S.*|.*\S\s+#\s+\d.*")
_SEPARATORS = (",", ";", "|", "\t", ":")
_COUNTED = re.compile(r"\s*(?:-?\d+(?:\.\d+)?|<not counted>|<not supported>)")


def read_stats(text: str) -> tuple[Stat, ...]:
    """Return what `perf stat` printed in `text`, block by block in its order; () for nothing."""
    reader = _Reader()
    for line in plain_lines(text):
        reader.take(line)
    return tuple(_stat(block) for block in reader.blocks if block.events)


@dataclass(slots=True)
class _Block:
    kind: str  # "table", "lines"
    command: str = ""
    title: str = ""
    runs: int = 0
    events: list[Event] = field(default_factory=list)
    parts: dict[str, int] = field(default_factory=dict)  # where the sum of a CPU's parts stands
    intervals: bool = False
    unread: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    blocks: list[_Block] = field(default_factory=list)
    title: str = ""
    head: list[str] = field(default_factory=list)  # of a block, when a mail program wrapped it
    apart: bool = True  # something else stands behind the last line for a program

    def take(self, line: str) -> None:
        if len(line) > _LONGEST:
            return
        if self.head:
            self._goes_on(line)
        elif match := _HEAD.fullmatch(line):
            self.head = [match["what"]]
            self._goes_on("")
        elif found := _for_programs(line):
            self._line(*found)
        elif _INTERVALS.match(line):
            self.blocks.append(_Block("table", title=self._titled(), intervals=True, runs=1))
        elif not self._in_table(line):
            self._prose(line)

    def _goes_on(self, line: str) -> None:
        self.head += [line.strip()] if line.strip() else []
        whole = " ".join(self.head)
        match = _HEAD_END.fullmatch(whole)
        if match:
            block = _Block("table", _unquoted(match["command"]), self._titled())
            block.runs = int(match["runs"] or 1)
            self.blocks.append(block)
        if match or len(self.head) > _WRAPPED_HEAD:
            self.head = []

    def _titled(self) -> str:
        title, self.title = self.title, ""
        self.apart = True
        return title

    def _in_table(self, line: str) -> bool:
        block = self.blocks[-1] if self.blocks else None
        if block is None or block.kind != "table":
            return False
        if match := _TIME.fullmatch(line):
            value = number(match["value"], decimal=True)
            block.events.append(Event(match["name"], value, "seconds", _variation(line), None))
            return True
        clock = _CLOCK.fullmatch(line) if block.intervals else None
        match = _ROW.fullmatch(clock["rest"] if clock else line)
        event = _event(match, line) if match else None
        if match and event:
            _add(block, event, bool(match["where"]) or block.intervals)
        elif _LOOKS.fullmatch(line) and not line.lstrip().startswith("#"):
            block.unread.append(line)
        return bool(event)

    def _line(self, event: Event, part: bool) -> None:
        block = self.blocks[-1] if self.blocks else None
        again = block is not None and not part and event.name in [e.name for e in block.events]
        if block is None or block.kind != "lines" or (self.apart and not part) or again:
            # A variation of no run is not printed.
            block = _Block("lines", title=self._titled(), runs=0 if event.variation else 1)
            self.blocks.append(block)
        if event.variation is not None:
            block.runs = 0
        _add(block, event, part)
        self.apart = False

    def _prose(self, line: str) -> None:
        if line.strip():
            self.apart = True
            if not line.lstrip().startswith("#"):
                self.title = line.strip()


def _add(block: _Block, event: Event, part: bool) -> None:
    at = block.parts.get(event.name)
    if not part or at is None:
        block.parts.setdefault(event.name, len(block.events))
        block.events.append(event)
        return
    before = block.events[at]
    values = [value for value in (before.value, event.value) if value is not None]
    block.events[at] = replace(before, value=sum(values) if values else None)


def _event(match: re.Match[str], line: str) -> Event | None:
    what = _RUNNING.sub("", _VARIATION.sub("", match["what"])).strip()
    unit, _, name = what.partition(" ")
    if unit not in _UNITS or not name.strip():
        unit, name = "", what
    elif not name.strip():
        return None
    name = " ".join(name.split())
    if behind := _UNIT_BEHIND.fullmatch(name):
        name, unit = behind["name"], behind["unit"]
    if not _NAME.fullmatch(name) and not (match["metric"] and _OLD_NAME.fullmatch(name)):
        return None
    running = _RUNNING.search(line)
    counted = None if match["value"].startswith("<") else number(match["value"])
    if counted is None and not match["value"].startswith("<"):
        return None
    percent = number(running["percent"], decimal=True) if running else None
    return Event(name, counted, unit, _variation(line), percent)


def _variation(line: str) -> float | None:
    match = _VARIATION.search(line)
    return number(match["percent"], decimal=True) if match else None


def _unquoted(command: str) -> str:
    command = command.strip()
    quoted = len(command) > 1 and command[0] == command[-1] == "'"
    return command[1:-1] if quoted else command


def _for_programs(line: str) -> tuple[Event, bool] | None:
    if '"counter-value"' in line:
        return _json(line)
    for separator in _SEPARATORS:
        if line.count(separator) >= 4 and (found := _fields(line.split(separator))):
            return found
    return None


def _fields(fields: list[str]) -> tuple[Event, bool] | None:
    # The time of an interval, a CPU and how many there are may stand before the value.
    for skipped in range(4):
        value, unit, name, *more = (*fields[skipped:], "", "", "")
        before = fields[:skipped]
        if not _COUNTED.fullmatch(value) or not _NAME.fullmatch(name) or not _is_unit(unit):
            continue
        if any(not re.fullmatch(r"\s*[\w.-]+", one) for one in before):
            continue
        variation = next((one for one in more[:1] if one.endswith("%")), None)
        figures = [one for one in more[1 if variation else 0 :] if one][:2]
        if len(figures) != 2 or not all(re.fullmatch(r"\d+(?:\.\d+)?", one) for one in figures):
            continue
        counted = None if "<" in value else float(value)
        spread = number(variation[:-1], decimal=True) if variation else None
        return Event(name, counted, unit, spread, float(figures[1])), bool(before)
    return None


def _is_unit(unit: str) -> bool:
    return not unit or bool(re.fullmatch(r"[A-Za-z%/]+", unit))


def _json(line: str) -> tuple[Event, bool] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("event"), str):
        return None
    counted = str(said.get("counter-value", ""))
    if not _COUNTED.fullmatch(counted):
        return None
    part = any(
        key in said for key in ("interval", "cpu", "core", "socket", "die", "node", "thread")
    )
    value = None if "<" in counted else float(counted)
    figures = list(_figures(said, "variance", "pcnt-running"))
    return Event(said["event"], value, str(said.get("unit", "")), figures[0], figures[1]), part


def _figures(said: dict[str, object], *keys: str) -> Iterator[float | None]:
    for key in keys:
        value = said.get(key)
        yield float(value) if isinstance(value, int | float) else None


def _stat(block: _Block) -> Stat:
    return Stat(
        command=block.command,
        title=block.title,
        runs=block.runs,
        events=tuple(block.events),
        unread=len(block.unread),
        first_unread=block.unread[0] if block.unread else "",
    )
