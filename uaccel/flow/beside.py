# SPDX-License-Identifier: GPL-2.0-only
"""Run two variants of a function side by side, with a fault at every access."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from uaccel.host.emulator import Emulator
from uaccel.model.run import Fault, Input, Pair, Run

_HOW = {False: "once", True: "for good"}


@dataclass(frozen=True, slots=True)
class Variants:
    """A function as two objects have it."""

    function: str
    before: Emulator
    after: Emulator
    bits: int  # of what it returns


def pairs(variants: Variants, given: Input) -> Iterator[Pair]:
    """Yield the runs of both with `given`: as it is, with each fault, with each bad pointer."""
    whole = _pair(variants, given, given, "nothing faults", fault=False)
    yield whole
    yield from _faults(variants, given, whole)
    yield from _missing(variants, given)
    yield from _at_the_end(variants, given)


def _pair(variants: Variants, one: Input, other: Input, what: str, *, fault: bool) -> Pair:
    before, after = variants.before, variants.after
    return Pair(
        what=what,
        fault=fault,
        before=before.execute(variants.function, one),
        after=after.execute(variants.function, other),
        bits=variants.bits,
        guarded=after.image.accesses_guarded,
    )


def _faults(variants: Variants, given: Input, whole: Pair) -> Iterator[Pair]:
    # The same access in both, where both make the same; else memory that is missing must do.
    steps = [_steps(run) for run in (whole.before, whole.after)]
    if [place for place, _ in steps[0]] != [place for place, _ in steps[1]]:
        return
    for number, ((_, one), (_, other)) in enumerate(zip(*steps, strict=True), start=1):
        for sticky in (False, True):
            what = f"access {number} of {len(steps[0])} faults {_HOW[sticky]}"
            faulty = [replace(given, fault=Fault(step, sticky)) for step in (one, other)]
            yield _pair(variants, faulty[0], faulty[1], what, fault=True)


def _steps(run: Run) -> list[tuple[tuple[object, ...], int]]:
    made = (one for one in run.accesses if one.step >= 0)
    return [((one.direction, one.address, one.size), one.step) for one in made]


def _missing(variants: Variants, given: Input) -> Iterator[Pair]:
    # User memory comes in whole pages: the object is moved to end where its page does.
    for address, content in given.user:
        for there in range(len(content)):
            moved = _moved(given, address, (address | 0xFFF) + 1 - there)
            cut = tuple(
                (at, data[:there]) if data == content else (at, data) for at, data in moved.user
            )
            kept = replace(moved, user=tuple(one for one in cut if one[1]))
            what = f"user memory ends behind byte {there} of {len(content)}"
            yield _pair(variants, kept, kept, what, fault=True)


def _at_the_end(variants: Variants, given: Input) -> Iterator[Pair]:
    end = variants.before.image.emulation.user_end
    for address, content in given.user:
        for inside in range(len(content) + 1):
            moved = _moved(given, address, end - inside)
            cut = tuple(
                (at, data[:inside] if at == end - inside else data) for at, data in moved.user
            )
            kept = replace(moved, user=tuple(one for one in cut if one[1]))
            what = f"the pointer stands {inside} bytes before the end of user space"
            yield _pair(variants, kept, kept, what, fault=inside < len(content))


def _moved(given: Input, address: int, to: int) -> Input:
    # The same call with a user object at another place.
    return replace(
        given,
        arguments=tuple(to if one == address else one for one in given.arguments),
        user=tuple((to, data) if at == address else (at, data) for at, data in given.user),
    )
