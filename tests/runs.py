# SPDX-License-Identifier: GPL-2.0-only
"""Pairs of runs, written down for the pages of checks.

    bits N                      of what is returned from here on; 32 where nothing says so
    refusal N                   what is returned where an access faults; -14 where nothing says so
    declares SENTENCE           what the style says a user program could notice
    pair WHAT  or  fault WHAT   two runs with the same input; user memory was not all there
    outside WHAT                the same, where a pointer leads out of user space
    with ADDRESS... ADDRESS:BYTES...    its arguments, and the user's memory
    before WORD...              what the function did as it stood
    after WORD...               what it did as it was rewritten

The words of a run: `returns=N`, `ended=WHY` (then it did not), `calls=NAME` or `calls=NAME(N,N)`,
`calls-open=NAME` (with user memory open), `finds=BYTES` (what the first argument of that call
leads to), `faults=ADDRESS`, `read=ADDRESS:SIZE` and `write=ADDRESS:BYTES` in their order,
`bare-read` and `bare-write` outside of any window, `user=ADDRESS:BYTES` and
`kernel=ADDRESS:BYTES` for what memory holds at last where it changed, `opens=read` or
`opens=read,write` for what one window stood open for, `open` when user memory is left so.
Numbers and bytes are hexadecimal, but for what is returned.
"""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.judgement import Evidence
from uaccel.model.run import Called, Faulted, Input, Pair, Run, UserAccess
from uaccel.model.source import Direction

_BITS = 32


def evidence(text: str) -> Evidence:
    """Return the pairs of runs that `text` writes down, and what is declared of them."""
    declared: list[str] = []
    pairs: list[Pair] = []
    head = ("", "")
    before = _run("")
    given: Input | None = None
    bits, refusal = _BITS, -14
    for row in text.splitlines():
        word, _, rest = row.partition(" ")
        match word:
            case "declares":
                declared.append(rest)
            case "pair" | "fault" | "outside":
                head = word, rest
            case "bits":
                bits = int(rest)
            case "refusal":
                refusal = int(rest)
            case "with":
                given = _input(rest)
            case "before":
                before = _run(rest)
            case "after":
                guarded = (Direction.READ, Direction.WRITE)
                fault, outside = head[0] != "pair", head[0] == "outside"
                made = before, _run(rest), bits, guarded, given, outside, refusal
                pairs.append(Pair(head[1], fault, *made))
            case _:
                raise AssertionError(f"no row of runs: {row}")
    return Evidence(pairs=tuple(pairs), declared=tuple(declared))


def _run(text: str) -> Run:
    words = [word.partition("=")[::2] for word in text.split()]
    of = {name: [value for key, value in words if key == name] for name, _ in words}
    ended = of.get("ended", [""])[0].replace("_", " ")
    return Run(
        result=None if ended else int(of.get("returns", ["0"])[0]),
        ended=ended,
        accesses=tuple(_accesses(words)),
        calls=tuple(_calls(words)),
        faults=tuple(
            Faulted(0x40, "plain", int(at, 16), 0, Direction.WRITE) for at in of.get("faults", [])
        ),
        openings=0,
        closings=0,
        open="open" in of,
        instructions=0,
        kernel=_memory(of.get("kernel", [])),
        user=_memory(of.get("user", [])),
        passed=frozenset(),
        opened=frozenset(
            frozenset(map(Direction, ways.split(","))) for ways in of.get("opens", [])
        ),
    )


def _input(text: str) -> Input:
    words = text.split()
    arguments = tuple(int(one, 16) for one in words if ":" not in one)
    return Input(arguments, user=_memory([one for one in words if ":" in one]))


def _calls(words: list[tuple[str, str]]) -> Iterator[Called]:
    for number, (name, value) in enumerate(words):
        if name in ("calls", "calls-open"):
            called, _, given = value.rstrip(")").partition("(")
            arguments = tuple(int(one, 16) for one in given.split(",") if one)
            then = words[number + 1] if number + 1 < len(words) else ("", "")
            seen = ((0, bytes.fromhex(then[1])),) if then[0] == "finds" else ()
            yield Called(called, arguments, name == "calls-open", 0, seen)


def _accesses(words: list[tuple[str, str]]) -> Iterator[UserAccess]:
    for number, (name, value) in enumerate(words):
        way = name.removeprefix("bare-")
        if way not in ("read", "write"):
            continue
        at, _, rest = value.partition(":")
        data = bytes.fromhex(rest) if way == "write" else b""
        yield UserAccess(
            direction=Direction(way),
            address=int(at, 16),
            size=len(data) if way == "write" else int(rest, 16),
            value=int.from_bytes(data, "little") if way == "write" else None,
            open=name == way,
            place=0,
            step=number,
        )


def _memory(values: list[str]) -> tuple[tuple[int, bytes], ...]:
    cells = (value.partition(":") for value in values)
    return tuple((int(at, 16), bytes.fromhex(data)) for at, _, data in cells)
