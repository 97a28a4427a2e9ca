# SPDX-License-Identifier: GPL-2.0-only
"""Read the text of `perf script`: one sample after the other, with or without call chains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from uaccel.model.profile import Profile, Symbol, Tool
from uaccel.read.samples import profile_of
from uaccel.read.symbols import is_kernel, split_at_entry, symbol

# `ffffffff81b73c15 _copy_to_user+0x25 ([kernel.kallsyms])`; the offset and the object may lack.
_FRAME = re.compile(
    r"\s*(?P<address>[0-9a-f]{1,16})\s+(?P<name>\[unknown\]|(?!:|\d+\s|.*\s#\s)[^\s\[(][^\n]*?)"
    r"(?:\s+\((?P<within>[^()]*(?:\([^()]*\))?[^()]*)\))?\s*"
)
_SOURCE_LINE = re.compile(r"\s+(?:\S+:\d+|\?\?:0|\S+\[[0-9a-f]+\])\s*")
_TIME = re.compile(r"\s\d+\.\d+:(?=\s)")
_EVENT = re.compile(
    r"(?:^|\s)(?:(?P<period>\d{1,18})\s+)?(?P<event>[A-Za-z_]\S*):(?:\s+(?P<rest>\S.*))?\s*$"
)
# Fields left out: what stands last is the address and the symbol.
_TAIL = re.compile(
    r"(?:.*\s)?(?P<frame>[0-9a-f]{4,16}\s+(?:\[unknown\]|[A-Za-z_.$][^\s()]*)(?:\s+\([^()]*\))?)\s*$"
)
_LONGEST = 4000  # characters of a line; what is longer is something else


@dataclass(slots=True)
class _Samples:
    # What was counted of one event.
    weights: dict[tuple[Symbol, ...], float] = field(default_factory=dict)
    count: int = 0


def read_script(lines: Sequence[str]) -> tuple[Profile, ...]:
    """Return a profile per event that `lines` hold as `perf script` writes them; () for none."""
    reader = _Reader(chains=_has_chains(lines))
    for line in lines:
        reader.take(line)
    reader.close()
    return tuple(
        profile_of(Tool.SCRIPT, event, str(found.count), found.weights, reader.unread)
        for event, found in reader.events.items()
        if any(found.weights) and sum(found.weights.values()) > 0
    )


def _has_chains(lines: Iterable[str]) -> bool:
    # The frames of a chain stand on lines of their own below a line that has none, or a blank one.
    previous_is_frame = True
    for line in lines:
        if line.startswith("#") or len(line) > _LONGEST:
            continue
        bare = _is_bare_frame(line)
        if bare and not previous_is_frame:
            return True
        previous_is_frame = bare
    return False


def _is_bare_frame(line: str) -> bool:
    return line[:1].isspace() and bool(_FRAME.fullmatch(line)) and not _EVENT_IN_NAME.search(line)


# A sample on one line whose command looks like an address: `  cafe 4242 11823.8:  1 cycles: ...`.
_EVENT_IN_NAME = re.compile(r":\s+[0-9a-f]{4,16}\s|\s\d+\.\d{6,9}:\s")


@dataclass(slots=True)
class _Reader:
    chains: bool
    events: dict[str, _Samples] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    event: str = ""
    weight: float | None = None  # of the sample that is being read; None between samples
    frames: list[Symbol] = field(default_factory=list)
    memory: dict[str, Symbol | None] = field(default_factory=dict)

    def take(self, line: str) -> None:
        if self.weight is not None and line in self.memory:  # nearly all lines are like others
            self._frame(line)
        elif not line:
            self.close()
        elif len(line) > _LONGEST:
            self.unread.append(line[:_LONGEST])
        elif line.startswith("#") or " PERF_RECORD_" in line or _SOURCE_LINE.fullmatch(line):
            pass
        elif self.chains and _is_bare_frame(line):
            self._frame(line)
        else:
            self.close()
            self._sample(line)

    def close(self) -> None:
        if self.weight is None:
            return
        found = self.events.setdefault(self.event, _Samples())
        stack = _with_hosts(self.frames)
        found.weights[stack] = found.weights.get(stack, 0) + self.weight
        found.count += 1
        self.weight, self.frames = None, []

    def _frame(self, line: str) -> None:
        if self.weight is None:  # no field but the address and the symbol
            self.event, self.weight = "", 1
        if (one := self._symbol(line)) is not None:
            self.frames.append(one)

    def _sample(self, line: str) -> None:
        time = _TIME.search(line)
        match = _EVENT.search(line, time.end() if time else 0)
        if match is not None:
            self._begin(match["event"], float(match["period"] or 1), match["rest"] or "")
            return
        tail = _TAIL.match(line)
        if tail is not None and (one := self._symbol(tail["frame"])) is not None:
            self.event, self.weight, self.frames = "", 1, [one]
            self.close()
        elif (
            self.chains and not line[0].isspace()
        ):  # a line of fields without an event: its frames follow
            self.event, self.weight = "", 1
        else:
            self.unread.append(line)

    def _begin(self, event: str, period: float, rest: str) -> None:
        self.event, self.weight, self.frames = event, period, []
        one = self._symbol(rest) if rest else None
        if one is not None:
            self.frames = [one]
        if not self.chains:
            self.close()

    def _symbol(self, text: str) -> Symbol | None:
        if text not in self.memory:
            self.memory[text] = _symbol(text)
        return self.memory[text]


def _symbol(text: str) -> Symbol | None:
    match = _FRAME.fullmatch(text)
    if match is None or not _is_told(match):
        return None
    within = match["within"] or ""
    if within == "inlined":
        return symbol(match["name"], "", None, inlined=True)
    return symbol(match["name"], within, is_kernel(within, int(match["address"], 16)))


def _is_told(frame: re.Match[str]) -> bool:
    # `a` and `added` are numbers too: prose has no address before one word, or before an object.
    address, name = frame["address"], frame["name"]
    if frame["within"] or name == "[unknown]":
        return True
    long_enough = len(address) >= 4 and any(digit.isdigit() for digit in address)
    is_name = " " not in name or any(sign in name for sign in "(<")
    return long_enough and is_name and name[0] not in "|+-=*"


def _with_hosts(frames: Sequence[Symbol]) -> tuple[Symbol, ...]:
    # What is inlined belongs to the object of what it is inlined into.
    if not any(one.inlined for one in frames):
        return tuple(frames)
    return split_at_entry(tuple(reversed(tuple(_hosted(reversed(frames))))))


def _hosted(outermost_first: Iterable[Symbol]) -> Iterator[Symbol]:
    host: Symbol | None = None
    for one in outermost_first:
        if one.inlined and host is not None:
            yield replace(one, object=host.object, kernel=host.kernel)
        else:
            yield one
            host = one
