# SPDX-License-Identifier: GPL-2.0-only
"""What a rewrite may do otherwise, because it says so: one row per sentence that a style declares.

A row is a pattern of the sentence, what the machine lets the original do for it (the names of
`tests/shim/machine.c`), and a function that looks at what is then still different.  A sentence
without a row fails: what it permits must be decided by a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

KEEP, WHOLE, CHECK, STOP, NARROW, ZERO, BYTES, LOOK = (1 << n for n in range(8))
KNOBS = {
    "KEEP": KEEP,
    "WHOLE": WHOLE,
    "CHECK": CHECK,
    "STOP": STOP,
    "NARROW": NARROW,
    "ZERO": ZERO,
    "BYTES": BYTES,
}
Difference = dict[str, Any]  # a line that the machine prints, see print_difference()
ARGUMENT_CALLS = (2, 3)  # lamp_next() and lamp_ready(): foreign functions that give a value


@dataclass(frozen=True, slots=True)
class Permit:
    """What one sentence permits."""

    pattern: str  # of the whole sentence
    knobs: int  # what the original may be made to do
    also: Callable[[Difference], bool] | None = None  # whether the rest is permitted


def only_in_the_middle(found: Difference) -> bool:
    """Return whether only what a fault leaves behind differs: the memory of both sides."""
    faulted = found["kind"] != "no fault"
    return faulted and _results_and_calls(found["before"]) == _results_and_calls(found["after"])


def only_untouched_bytes(found: Difference) -> bool:
    """Return whether only bytes of the user's differ that the original never wrote."""
    if only_in_the_middle(found):
        return True
    before, after = found["before"], found["after"]
    if _results_and_calls(before) != _results_and_calls(after) or (
        before["kernel"] != after["kernel"]
    ):
        return False
    written = {one >> 8 & 0xFFFF for one in before["bytes"] if one >> 24 == ord("w")}
    one, other = bytes.fromhex(before["user"]), bytes.fromhex(after["user"])
    changed = {at for at in range(len(one)) if one[at] != other[at]}
    return not changed & written


def only_order_of_calls(found: Difference) -> bool:
    """Return whether calls in arguments came earlier, and on a fault more of them."""
    before, after = found["before"], found["after"]
    if before["result"] != after["result"]:
        return False
    if _accesses(before) != _accesses(after) or before["user"] != after["user"]:
        return False
    if found["kind"] == "no fault":
        return _calls(before) == _calls(after) and before["kernel"] == after["kernel"]
    rest = iter(_calls(after))
    firm = [one for one in _calls(before) if one[0] not in ARGUMENT_CALLS]
    return all(any(one[0] == other[0] for other in rest) for one in firm)


def ranges_first(found: Difference) -> bool:
    """Return whether a range is found bad before accesses that were made, or were not to come."""
    if found["kind"] not in ("pointer outside", "object ends outside"):
        return False
    rest = iter(_accesses(found["before"]))
    return all(entry in rest for entry in _accesses(found["after"]))


def fewer_after_a_fault(found: Difference) -> bool:
    """Return whether after a fault some accesses and calls are left out, and nothing is added."""
    before, after = found["before"], found["after"]
    if found["kind"] == "no fault" or before["result"] != after["result"]:
        return False
    rest = iter(before["log"])
    return all(entry in rest for entry in after["log"])


def after_a_fault(found: Difference) -> bool:
    """Return whether all went alike until the first access that faulted, or a range was bad."""
    if found["kind"] == "no fault":
        return False
    if found["kind"] in ("pointer outside", "object ends outside"):
        return ranges_first(found)
    before, after = found["before"]["log"], found["after"]["log"]
    until = next((at for at, entry in enumerate(before) if entry[-1] and entry[0] != "c"), None)
    return until is not None and before[:until] == after[:until]


def a_bad_range(found: Difference) -> bool:
    """Return whether the pointer was bad as a whole: how that ends is what is declared."""
    return found["kind"] in ("pointer outside", "object ends outside")


def only_other_reads(found: Difference) -> bool:
    """Return whether the result and both memories agree, or a fault came before."""
    before, after = found["before"], found["after"]
    same = all(before[what] == after[what] for what in ("result", "user", "kernel"))
    same = same and _calls(before) == _calls(after)
    return same or only_in_the_middle(found) or ranges_first(found)


def only_the_number_left(found: Difference) -> bool:
    """Return whether only what is made of a copy's result differs, after a fault."""
    before, after = found["before"], found["after"]
    if found["kind"] == "no fault" or before["user"] != after["user"]:
        return False
    return [b for b in before["bytes"] if b >> 24 != ord("c")] == [
        b for b in after["bytes"] if b >> 24 != ord("c")
    ]


PERMITS = (
    # Two windows of one function may both find the range bad: a knob is turned once in a run.
    Permit(
        r"The range check now covers all of `.+`: a pointer .+ fails before .+", WHOLE, ranges_first
    ),
    Permit(r"After a fault `.+` may keep what it held; `.+\(\)` sets it to 0\.", KEEP),
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
        r"The padding of struct \w+ is written as zero; field by field it was left alone\.",
        BYTES,
        only_untouched_bytes,
    ),
    Permit(
        r"The bytes of struct \w+ that no field carries are written back as they were read\.",
        BYTES,
        only_untouched_bytes,
    ),
    Permit(
        r"Each access checks its own range: .+, is found by the access that reaches it\.", NARROW
    ),
    Permit(
        r"A range that is bad now ends as a fault does; it ended with `.+`\.", NARROW, a_bad_range
    ),
    Permit(
        r"All bytes of struct \w+ are read, also those that no field carries\.",
        BYTES,
        only_other_reads,
    ),
    Permit(
        r"Every pointer is checked before the first access: .+, nothing is moved\.", 0, ranges_first
    ),
    Permit(
        r"A `.+` outside of user space fails even when no pass of the loop is made\.",
        0,
        ranges_first,
    ),
    Permit(r"The range check now covers `.+` bytes at `.+` before the first access\.", WHOLE),
    Permit(r"The range check now covers `.+`; it covered `.+`\.", WHOLE | NARROW),
    Permit(r"Where the machine can mask a pointer no range is checked: .+ it reaches\.", NARROW),
    Permit(
        r"After a fault of a copy, what it did not reach keeps what it held; .+ before\.",
        KEEP | BYTES,
        only_in_the_middle,
    ),
    Permit(r"After a fault `.+` is 0, also when it was read before that\.", STOP, after_a_fault),
    Permit(
        r"The first fault ends the accesses; those that follow were still made before\.",
        STOP,
        fewer_after_a_fault,
    ),
    Permit(
        r"After a fault of a copy `.+` is -EFAULT instead of the number of bytes left\.",
        BYTES,
        only_the_number_left,
    ),
    Permit(
        r"After a fault the other statements among the accesses are not run either\.",
        STOP,
        fewer_after_a_fault,
    ),
    Permit(
        r"Calls in the arguments are made before the first access, also when that one fails\.",
        0,
        only_order_of_calls,
    ),
    Permit(r"A copy of more than INT_MAX bytes is no longer refused with a warning\.", 0),
    Permit(r"A read that faults sets its target to 0; in the window .+ keep what it held\.", ZERO),
    Permit(
        r"Where a copy faults on its way, it may have done another part than in the window\.",
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


def names(mask: int) -> str:
    """Return the names of what `mask` stands for."""
    return "+".join(name for name, bit in KNOBS.items() if mask & bit)


def _calls(run: Difference) -> list[tuple[int, int]]:
    return [(at, value) for kind, at, _, value, _ in run["log"] if kind == "c"]


def _accesses(run: Difference) -> list[list[Any]]:
    return [entry for entry in run["log"] if entry[0] != "c"]


def _results_and_calls(run: Difference) -> tuple[int, list[int]]:
    return run["result"], [at for at, _ in _calls(run)]
