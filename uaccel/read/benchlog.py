# SPDX-License-Identifier: GPL-2.0-only
"""What the module of `uaccel bench-module` said, out of a kernel log as people have it.

Each of its lines ends with ` ;`, so that one that was cut is known, and its last one says how many
there were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from uaccel.model.benched import Benched, BenchRun, Timed

_OURS = re.compile(r"uaccel-bench: (?P<rest>[^\n]*)")
_WHOLE = re.compile(r"v1 (?P<word>[a-z]+)(?P<pairs>(?: [a-z_]+=[^\s=]\S*)*) ;\s*")
_NUMBER = re.compile(r"\d{1,18}")
_TIMED = ("pass", "floor")

_Pairs = Mapping[str, str]


def bench_runs(source: str, text: str) -> tuple[BenchRun, ...]:
    """Return every run that `text` tells of, in the order in which they begin there."""
    runs: dict[str, list[tuple[str, _Pairs]]] = {}
    damaged: dict[str, None] = {}
    for found in _OURS.finditer(text):
        whole = _WHOLE.fullmatch(found["rest"].rstrip("\r"))
        pairs = dict(p.split("=", 1) for p in whole["pairs"].split()) if whole else {}
        if whole is None or "run" not in pairs:
            damaged[found["rest"]] = None
            continue
        said = runs.setdefault(pairs["run"], [])
        if (whole["word"], pairs) not in said:  # dmesg and a journal beside each other
            said.append((whole["word"], pairs))
    odd = _damage(tuple(damaged))
    if odd and not runs:
        return (BenchRun(source, "", "", "", False, (), odd),)
    return tuple(_run(source, name, said, odd) for name, said in runs.items())


def _damage(lines: tuple[str, ...]) -> tuple[str, ...]:
    if not lines:
        return ()
    first = lines[0] if len(lines[0]) <= 60 else f"{lines[0][:57]}..."
    others = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return (f"A line is cut, or not of a version that is known: {first!r}{others}.",)


def _run(source: str, name: str, said: list[tuple[str, _Pairs]], odd: tuple[str, ...]) -> BenchRun:
    begin = next((pairs for word, pairs in said if word == "begin"), {})
    end = next((pairs for word, pairs in said if word == "end"), None)
    counts = any(_number(pairs, "median_cycles") for word, pairs in said if word == "style")
    numbers = dict.fromkeys(p.get("cluster", "") for w, p in said if w in ("cluster", "style"))
    return BenchRun(
        source=source,
        run=name,
        machine=begin.get("machine", ""),
        release=begin.get("release", ""),
        slowed=begin.get("debug") == "1",
        clusters=tuple(_cluster(number, said, counts) for number in numbers),
        notes=(*_notes(said, begin, end), *odd),
    )


def _notes(said: list[tuple[str, _Pairs]], begin: _Pairs, end: _Pairs | None) -> tuple[str, ...]:
    notes: list[str] = []
    if not begin:
        notes.append("Its first line is lost: what machine and kernel it ran on is not known.")
    if end is None:
        notes.append("Its last line is lost: what is missing is not known.")
    else:
        told, there = _number(end, "lines"), sum(word != "end" for word, _ in said)
        if told is None or told != there:
            notes.append(f"{there} of its {'?' if told is None else told} lines are there.")
        if end.get("error", "0") != "0":
            notes.append(f"The module ended with error {end['error']}.")
    if begin.get("debug") == "1":
        notes.append("That kernel is configured with checks that slow every access.")
    if any(word == "uncounted" for word, _ in said):
        notes.append("get_cycles() stands still on that machine.")
    for word, pairs in said:
        if word == "moved":
            notes.append(
                f"{pairs.get('batches', '?')} batches moved to another processor; "
                f"taskset keeps them on one."
            )
    return tuple(notes)


def _cluster(number: str, said: list[tuple[str, _Pairs]], counts: bool) -> Benched:
    mine = [(word, pairs) for word, pairs in said if pairs.get("cluster") == number]
    head = next((pairs for word, pairs in mine if word == "cluster"), {})
    styles = {p["style"]: p for word, p in mine if word == "style" and "style" in p}
    return Benched(
        of=head.get("of", ""),
        direction=head.get("direction", ""),
        accesses=_number(head, "accesses"),
        bytes=_number(head, "bytes"),
        timed=tuple(_timed(name, pairs, counts) for name, pairs in styles.items()),
    )


def _timed(style: str, pairs: _Pairs, counts: bool) -> Timed:
    check = pairs.get("check", "")
    names = ("median_ns", "min_ns", "median_cycles", "min_cycles")
    calls = _number(pairs, "calls")
    figures = [_number(pairs, name) if check in _TIMED and calls else None for name in names]
    ns, least, cycles, least_cycles = (
        None if figure is None or not calls else figure / calls for figure in figures
    )
    if not counts:
        cycles = least_cycles = None
    return Timed(style, check, ns, least, cycles, least_cycles)


def _number(pairs: _Pairs, name: str) -> int | None:
    text = pairs.get(name, "")
    return int(text) if _NUMBER.fullmatch(text, 0) and text.isascii() else None
