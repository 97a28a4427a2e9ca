# SPDX-License-Identifier: GPL-2.0-only
"""Read folded stacks: `command;outer;inner 123`, as flame graphs are made from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from uaccel.model.profile import Profile, Symbol, Tool
from uaccel.read.samples import profile_of
from uaccel.read.symbols import split_at_entry, symbol

# Prose has a blank behind its semicolons.
_LINE = re.compile(r"((?!.*; )\S.*) (\d{1,18}(?:\.\d+)?)")
# What stackcollapse-perf.pl appends with --all: kernel, just-in-time, inlined.
_SUFFIX = re.compile(r"_\[([kji])\]$")


def read_folded(lines: Iterable[str]) -> tuple[Profile, ...]:
    """Return the profile that `lines` are as folded stacks, () when they are none."""
    stacks: Counter[tuple[Symbol, ...]] = Counter()
    unread = []
    samples = 0.0
    is_folded = False
    memory: dict[str, tuple[Symbol, ...]] = {}
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if match is None:
            unread += [line] if line.strip() else []
            continue
        frames, count = match[1], float(match[2])
        is_folded = is_folded or ";" in frames or "_[k]" in frames
        if frames not in memory:
            memory[frames] = _symbols(frames)
        stacks[memory[frames]] += count  # type: ignore[assignment]  # Counter adds floats too
        samples += count
    if not is_folded or len(unread) > len(memory) or not samples:
        return ()
    return (profile_of(Tool.FOLDED, "", f"{samples:.0f}", dict(stacks), unread),)


def _symbols(frames: str) -> tuple[Symbol, ...]:
    # A frame that is `-` parts user and kernel frames (bcc's --delimited).
    names = [name for name in frames.split(";") if name not in ("", "-", "--")]
    marked = any(_SUFFIX.search(name) for name in names)
    inner = [_symbol(name, marked) for name in reversed(names)]
    return split_at_entry(inner)


def _symbol(name: str, marked: bool) -> Symbol:
    suffix = _SUFFIX.search(name)
    bare = _SUFFIX.sub("", name)
    kind = suffix[1] if suffix else ""
    if kind == "i":  # inlined, nobody says where
        return symbol(bare, "", None, inlined=True)
    kernel = kind == "k" if kind or marked else None
    return symbol(bare, "", kernel)
