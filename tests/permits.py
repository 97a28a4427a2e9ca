# SPDX-License-Identifier: GPL-2.0-only
"""What a rewrite may do otherwise, because it says so: one row per sentence that a style declares.

A row is a pattern of the sentence, what the machine lets the original do for it (the names of
`tests/shim/machine.c`), and a function that looks at what is then still different.  A sentence
without a row fails: what it permits must be decided by a person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_NAMES = "KEEP WHOLE CHECK STOP NARROW ZERO LEFT TAIL BYTES LOOK EARLY NOUGHT"
KNOBS = {name: 1 << bit for bit, name in enumerate(_NAMES.split())}
KEEP, WHOLE, CHECK, STOP, NARROW, ZERO, LEFT, TAIL, BYTES, LOOK, EARLY, NOUGHT = KNOBS.values()
Difference = dict[str, Any]  # a line that the machine prints, see print_difference()
ARGUMENT_CALLS = (2, 3)  # lamp_next() and lamp_ready(): foreign functions that give a value


@dataclass(frozen=True, slots=True)
class Permit:
    """What one sentence permits."""

    pattern: str  # of the whole sentence
    knobs: int  # what the original may be made to do
    also: Callable[[Difference], bool] | None = None  # whether the rest is permitted


def only_in_the_middle(found: Difference) -> bool:
    """Return whether only what a fault leaves behind differs, and each byte is one of two runs.

    A byte of either memory is as before the function, as without a fault, or as in the original.
    """
    before, after = found["before"], found["after"]
    if found["kind"] == "no fault" or _results_and_calls(before) != _results_and_calls(after):
        return False
    return _is_of(found, "user", ()) and _is_of(found, "kernel", (0,))


def only_zeroes(found: Difference) -> bool:
    """Return whether only bytes of the user's differ that were left alone, and are 0."""
    return _only_untouched(found, zero=True)


def only_the_same(found: Difference) -> bool:
    """Return whether bytes of the user's that the original never wrote are written as they were."""
    return _only_untouched(found, zero=False)


def _only_untouched(found: Difference, *, zero: bool) -> bool:
    before, after = found["before"], found["after"]
    if only_in_the_middle(found):
        return True
    if _results_and_calls(before) != _results_and_calls(after) or (
        before["kernel"] != after["kernel"]
    ):
        return False
    times = [Counter(_written(run)) for run in (before, after)]
    one, other = bytes.fromhex(before["user"]), bytes.fromhex(after["user"])
    changed = {at for at in range(len(one)) if one[at] != other[at]}
    # What another copy had written is written once more, as 0 too.
    again = all(times[1][at] > times[0][at] for at in changed)
    return again and (zero or not changed) and all(other[at] == 0 for at in changed)


def _written(run: Difference) -> Iterator[int]:
    return (one >> 8 & 0xFFFF for one in run["bytes"] if one >> 24 == ord("w"))


def only_order_of_calls(found: Difference) -> bool:
    """Return whether calls in arguments came earlier, and on a fault more of them."""
    before, after = found["before"], found["after"]
    if before["result"] != after["result"] or before["kernel"] != after["kernel"]:
        return False
    moved = _bytes if found["copies"] else _accesses
    if moved(before) != moved(after) or before["user"] != after["user"]:
        return False
    if found["kind"] == "no fault":
        return _calls(before) == _calls(after)
    firm, others = (
        [one for one in _calls(run) if one[0] not in ARGUMENT_CALLS] for run in (before, after)
    )
    made = Counter(one for one in _calls(after) if one[0] in ARGUMENT_CALLS)
    made.subtract(one for one in _calls(before) if one[0] in ARGUMENT_CALLS)
    return firm == others and all(number >= 0 for number in made.values())


def was_not_asked(found: Difference) -> bool:
    """Return whether a bad range ends what made no access: all that was done, was done before."""
    if found["kind"] not in ("pointer outside", "object ends outside"):
        return False
    rest = iter(_accesses(found["before"]))
    return all(entry in rest for entry in _accesses(found["after"]))


def only_found_later(found: Difference) -> bool:
    """Return whether a bad range ends as it did, behind accesses that were made before it now."""
    before, after = found["before"], found["after"]
    if found["kind"] not in ("pointer outside", "object ends outside"):
        return False
    if _results_and_calls(before) != _results_and_calls(after):
        return False
    rest = iter(_accesses(after))
    both = all(entry in rest for entry in _accesses(before))
    return both and _is_of(found, "user", ()) and _is_of(found, "kernel", (0,))


def only_other_reads(found: Difference) -> bool:
    """Return whether the result and both memories agree, or a fault came before."""
    before, after = found["before"], found["after"]
    same = all(before[what] == after[what] for what in ("result", "user", "kernel"))
    same = same and _calls(before) == _calls(after)
    return same or only_in_the_middle(found)


PERMITS = (
    Permit(r"The range check now covers all of `.+`: a pointer .+ fails before .+", WHOLE | EARLY),
    Permit(r"After a fault `(.+)` may keep what it held; `.+\(\)` sets it to 0\.", KEEP),
    Permit(r"The accesses get a range check that `.+\(\)` did not make\.", CHECK),
    Permit(
        r"A fault in the middle leaves the fields before it done and those after it not\.",
        BYTES,
        only_in_the_middle,
    ),
    Permit(
        r"What `copy_\w+_user\(\)` had copied before a fault may end in the middle of a field\.",
        BYTES,
        only_in_the_middle,
    ),
    Permit(
        r"All of struct \w+ is checked at once: .+ fails before the first byte\.",
        BYTES | EARLY,
    ),
    Permit(
        r"The padding of struct \w+ is written as zero; field by field it was left alone\.",
        BYTES,
        only_zeroes,
    ),
    Permit(
        r"The bytes of struct \w+ that no field carries are written back as they were read\.",
        BYTES,
        only_the_same,
    ),
    Permit(
        r"Each access checks its own range: .+, is found by the access that reaches it\.",
        NARROW | EARLY,
    ),
    Permit(
        r"A range that is bad now ends as a fault does; it ended with `.+`\.",
        NARROW | EARLY,
        only_found_later,
    ),
    Permit(
        r"All bytes of struct \w+ are read, also those that no field carries\.",
        BYTES,
        only_other_reads,
    ),
    Permit(r"Every pointer is checked before the first access: .+, nothing is moved\.", EARLY),
    Permit(
        r"A `.+` outside of user space fails even when no pass of the loop is made\.",
        EARLY,
        was_not_asked,
    ),
    Permit(
        r"A `.+` outside of user space fails also where the function leaves before its accesses\.",
        EARLY,
        was_not_asked,
    ),
    Permit(
        r"The range check now covers `.+` bytes at `.+` before the first access\.", WHOLE | EARLY
    ),
    Permit(r"The range check now covers `.+`; it covered `.+`\.", WHOLE | NARROW | EARLY),
    Permit(r"Where the machine can mask a pointer no range is checked: .+ it reaches\.", NARROW),
    Permit(
        r"After a fault of a copy, what it did not reach keeps what it held; .+ before\.",
        TAIL | BYTES,
    ),
    Permit(r"After a fault `(.+)` is 0, also when it was read before that\.", STOP | NOUGHT),
    Permit(r"The first fault ends the accesses; those that follow were still made before\.", STOP),
    Permit(
        r"After a fault of a copy `.+` is -EFAULT instead of the number of bytes left\.",
        LEFT | BYTES,
    ),
    Permit(r"After a fault the other statements among the accesses are not run either\.", STOP),
    Permit(
        r"Calls in the arguments are made before the first access, also when that one fails\.",
        0,
        only_order_of_calls,
    ),
    Permit(r"Behind the range check of `.+`, .+, stands no speculation barrier; .+", 0),
    Permit(r"A copy of more than INT_MAX bytes is no longer refused with a warning\.", 0),
    Permit(r"A read that faults sets its target to 0; in the window .+ keep what it held\.", ZERO),
    Permit(r"Where `get_user\(\)` extends the sign of a narrow field .+ does not\.", 0),
    Permit(
        r"Where a copy faults on its way, it may have done another part than in the window\.", BYTES
    ),
    Permit(r"The window is open both ways: user memory could be \w+ as well while it is\.", 0),
    Permit(
        r"Where a copy stops on its way, it may have written another part than `\w+\(\)`\.",
        BYTES,
        only_in_the_middle,
    ),
)


def permits(sentences: Iterable[str]) -> tuple[Permit, ...]:
    """Return the rows of `sentences`; KeyError with one that has none."""
    return tuple(_row(sentence) for sentence in sentences)


def _row(sentence: str) -> Permit:
    for permit in PERMITS:
        if re.fullmatch(permit.pattern, sentence, re.DOTALL):
            return permit
    raise KeyError(sentence)


def knobs(rows: Iterable[Permit]) -> int:
    """Return all that the original may be made to do for `rows`."""
    made = 0
    for row in rows:
        made |= row.knobs | (LOOK if row.also is not None else 0)
    return made


def targets(sentences: Iterable[str], knob: int) -> str:
    """Return what the sentences of `knob` name, as the machine takes it: "|a|b|", or ""."""
    found = [
        match[1]
        for sentence in sentences
        if _row(sentence).knobs & knob
        and (match := re.fullmatch(_row(sentence).pattern, sentence)) is not None
    ]
    return f"|{'|'.join(found)}|" if found else ""


def names(mask: int) -> str:
    """Return the names of what `mask` stands for."""
    return "+".join(name for name, bit in KNOBS.items() if mask & bit)


def _calls(run: Difference) -> list[tuple[int, int]]:
    return [(at, value) for kind, at, _, value, _ in run["log"] if kind == "c"]


def _accesses(run: Difference) -> list[list[Any]]:
    return [entry for entry in run["log"] if entry[0] != "c"]


def _bytes(run: Difference) -> list[Any]:
    # A copy goes over in as many pieces as it likes.
    return [one for one in run["bytes"] if one >> 24 != ord("c")]


def _results_and_calls(run: Difference) -> tuple[int, list[int]]:
    return run["result"], [at for at, _ in _calls(run)]


def _is_of(found: Difference, memory: str, also: tuple[int, ...]) -> bool:
    runs = [bytes.fromhex(found[run][memory]) for run in ("start", "fine", "before")]
    after = bytes.fromhex(found["after"][memory])
    # What is written twice is on its way what was written first.
    passed = {one & 0xFFFFFF for one in found["fine"]["bytes"] if one >> 24 == ord("w")}
    return all(
        value in also or value in seen or (memory == "user" and at << 8 | value in passed)
        for at, (value, *seen) in enumerate(zip(after, *runs, strict=True))
    )
