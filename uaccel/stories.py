# SPDX-License-Identifier: GPL-2.0-only
"""Tell what two runs did, for who was not there."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.model.run import Faulted, Pair, Run, UserAccess

_SHOWN = 64  # bytes of the user's memory in a story


def told(access: UserAccess) -> str:
    """Return one access in words: "a write of 4 bytes at 0x1000 (0x2)"."""
    way = f"{access.direction.value} of {access.size} bytes at {access.address:#x}"
    return f"a {way}" + (f" ({access.value:#x})" if access.value is not None else "")


def story(pair: Pair) -> Iterator[str]:
    """Yield what a pair was called with, and where the two part: to see it without running it."""
    if pair.given is not None:
        yield f"called with {', '.join(f'{one:#x}' for one in pair.given.arguments) or 'nothing'}"
        for address, content in pair.given.user:
            shown = content[:_SHOWN].hex(" ", 4)
            more = f" and {len(content) - _SHOWN} more" if len(content) > _SHOWN else ""
            yield f"the user's memory at {address:#x}: {shown}{more}"
    yield from _parting("as it stood", pair.before, pair.after)
    yield from _parting("now", pair.after, pair.before)


def _parting(who: str, run: Run, beside: Run) -> Iterator[str]:
    own, other = (tuple(map(told, one.accesses)) for one in (run, beside))
    both = enumerate(zip(own, other, strict=False))
    at = next((n for n, (one, two) in both if one != two), min(len(own), len(other)))
    if at < len(own):
        yield f"{who}, access {at + 1} of {len(own)} is {own[at]}"
    elif at < len(other):
        yield f"{who}, there is no access {at + 1}"
    yield from (f"{who}, {_told_fault(one)}" for one in run.faults[:1])


def _told_fault(fault: Faulted) -> str:
    return f"{fault.address:#x} is not there for the instruction at {fault.place:#x}"
