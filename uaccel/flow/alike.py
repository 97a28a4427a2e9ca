# SPDX-License-Identifier: GPL-2.0-only
"""Whether a program can tell one way of writing from another: by results, by bytes it gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uaccel.model.boot import BootRun, Call

_NAMES = "the tree"  # of a run without a style


def alike(runs: Sequence[BootRun]) -> tuple[str, ...]:
    """Return a sentence for each run of our client that stands beside a first one."""
    groups: dict[tuple[str, str, str], list[BootRun]] = {}
    for run in runs:
        if run.calls:
            groups.setdefault((run.machine, run.userland, run.client), []).append(run)
    return tuple(_sentence(group[0], other) for group in groups.values() for other in group[1:])


def _sentence(first: BootRun, other: BootRun) -> str:
    names = other.style or _NAMES, first.style or _NAMES
    known = {call.what: call for call in first.calls}
    pairs = [(known[call.what], call) for call in other.calls if call.what in known]
    kinds = known.keys() ^ {call.what for call in other.calls}
    missing = [f"only one of them was seen in {', '.join(sorted(kinds))}"] if kinds else []
    told = [*_differences(pairs), *missing]
    if not told:
        return (
            f"{other.machine}: {names[0]} returns what {names[1]} does and leaves the same bytes, "
            f"in {len(pairs)} kinds of calls"
        )
    return f"{other.machine}: {names[0]} is not like {names[1]}: {'; '.join(told)}"


def _differences(pairs: Sequence[tuple[Call, Call]]) -> Iterator[str]:
    for one, other in pairs:
        if one.result != other.result:
            yield f"{one.what} returns {other.result}, not {one.result}"
    bytes = {one.what: _bytes(one.user_bytes, other.user_bytes) for one, other in pairs}
    for count in sorted(set(bytes.values()) - {0}):
        kinds = ", ".join(kind for kind, found in bytes.items() if found == count)
        yield f"{count} bytes of the user's struct are others after {kinds}"


def _bytes(one: str, other: str) -> int:
    # Two hexadecimal digits are a byte.
    places = range(0, max(len(one), len(other)), 2)
    return sum(one[at : at + 2] != other[at : at + 2] for at in places)
