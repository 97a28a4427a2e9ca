# SPDX-License-Identifier: GPL-2.0-only
"""Say what a user program could notice of a window that took the place of single accesses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.ctext import one_line
from uaccel.landings import zeroed
from uaccel.lengths import varies
from uaccel.model.access import Access, Direction, Span
from uaccel.model.source import Function
from uaccel.model.steps import Step
from uaccel.ranges import Ranges
from uaccel.windows import Window

WHOLE_RANGE = (
    "The range check now covers all of `*{base}`: a pointer whose object lies only in part within "
    "user space fails before the first access."
)
EVERY_RANGE = (
    "Every pointer is checked before the first access: when a later one is bad, nothing is moved."
)
LOOPED = "A `{base}` outside of user space fails even when no pass of the loop is made."
UNASKED = (
    "A `{base}` outside of user space fails also where the function leaves before its accesses."
)
KEPT = "After a fault `{value}` may keep what it held; `{accessor}()` sets it to 0."
CHECKED = "The accesses get a range check that `{accessor}()` did not make."
STOPS = "The first fault ends the accesses; those that follow were still made before."
BYTES = "After a fault of a copy `{variable}` is -EFAULT instead of the number of bytes left."
SKIPPED = "After a fault the other statements among the accesses are not run either."
NOUGHT = "After a fault `{value}` is 0, also when it was read before that."
HOISTED = "Calls in the arguments are made before the first access, also when that one fails."
COPIED = (
    "After a fault of a copy, what it did not reach keeps what it held; it was set to 0 before."
)
TORN = "Where a copy stops on its way, it may have written another part than `{accessor}()`."
MASKED = (
    "Where the machine can mask a pointer no range is checked: a bad pointer fails at the first "
    "access that it reaches."
)
BOTH = "The window is open both ways: user memory could be {other} as well while it is."
BEGUN = "A range that is bad now ends as a fault does; it ended with `{begun}`."
RANGE = "The range check now covers `{new}`; it covered `{old}`."
ELEMENTS = "The range check now covers `{size}` bytes at `{base}` before the first access."
UNFENCED = (
    "Behind the range check of `{base}`, which is only known among the accesses, stands no "
    "speculation barrier; `{accessor}()` has one or masks the pointer."
)
LONG = "A copy of more than INT_MAX bytes is no longer refused with a warning."


def changes(made: Window, *, masked: bool) -> tuple[str, ...]:
    """Return what changes for the user of the interface, one sentence each.

    `masked` says that the window is opened without a range check where the machine can.
    """
    said = [*_said(made), *((MASKED,) if masked else ())]
    if masked and not (made.ground.scoped or made.ground.dialect.directed):
        other = "written" if made.direction is Direction.READ else "read"
        said.append(BOTH.format(other=other))
    return tuple(dict.fromkeys(said))


def _said(made: Window) -> Iterator[str]:
    stretch, ranges = made.stretch, made.unnamed or made.ranges
    begin = ranges.begin
    kept = ranges.kept and begin.size != f"sizeof(*{begin.pointer})"
    if ranges.checked:
        pass
    elif ranges.looped:
        yield LOOPED.format(base=begin.pointer)
    elif " * " in begin.size or kept:
        yield ELEMENTS.format(size=begin.size, base=begin.pointer)
    elif _is_widened(made, ranges):
        yield WHOLE_RANGE.format(base=begin.pointer)
    if ranges.before:
        yield EVERY_RANGE
    for one in ranges.unasked:
        yield UNASKED.format(base=one.pointer)
    if made.direction is Direction.READ and not made.fenced:
        for access, here in ranges.within:
            yield UNFENCED.format(base=here.pointer, accessor=access.accessor)
    unchecked = next((a for a in stretch.accesses if a.accessor.startswith("__")), None)
    checked = {f"!{one.check()}" for one in (begin, *ranges.before)}
    before = {one_line(text) for text in stretch.steps[0].checks} if stretch.steps else set()
    if unchecked is not None and not checked <= before:
        yield CHECKED.format(accessor=unchecked.accessor)
    if _stops(made):
        yield STOPS
    for fault, _ in made.labels:
        for statement in zeroed(made, fault):
            yield NOUGHT.format(value=statement.partition(" ")[0])
    for step in stretch.steps:
        if step.counts:
            yield BYTES.format(variable=step.variable)
    if _skips(made):
        yield SKIPPED
    if any(hoist.calls for hoist in made.hoists.every):
        yield HOISTED
    long = not made.ranges.kept and any(varies(made.ground.function, a) for a in stretch.accesses)
    if long:
        yield LONG
    for access in stretch.accesses:
        if access.copies and access.direction is Direction.WRITE:
            yield TORN.format(accessor=access.accessor)
    if made.direction is Direction.READ:
        if any(access.copies for access in stretch.accesses):
            yield COPIED
        yield from (KEPT.format(value=v, accessor=name) for v, name in _lasting(made))


def _is_widened(made: Window, ranges: Ranges) -> bool:
    # Whether an access reaches a part only of what is checked.
    quote, begin = made.ground.function.source.quote, ranges.begin
    if begin.size != f"sizeof(*{begin.pointer})":
        return False
    apart = {access for access, _ in ranges.within}
    if any(_is_part(made, one) for one in made.stretch.accesses if one not in apart):
        return True
    pointers = (quote(one.pointer) for one in made.stretch.accesses if one not in apart)
    return any("->" in one and re.search(rf"\b{begin.pointer}\b", one) for one in pointers)


def _is_part(made: Window, access: Access) -> bool:
    # Whether a copy by the pointer itself moves something else than what the pointer leads to.
    function, begin = made.ground.function, made.ranges.begin
    if access.size is None or one_line(function.source.quote(access.pointer)) != begin.pointer:
        return False
    size = one_line(function.source.quote(access.size))
    variable = re.fullmatch(r"sizeof *\(?(\w+)\)?", size)
    tag = dict(function.pointers).get(begin.pointer)
    text = function.source.quote(function.span)
    alike = {begin.size, f"sizeof(struct {tag})"}
    if variable and tag:
        declared = rf"struct\s+{tag}\s+(?:\w+,\s*)*{variable[1]}\s*[;,=]"
        alike |= {size} if re.search(declared, text) else set()
    return size not in alike


def _stops(made: Window) -> bool:
    # Whether an access was still made after another one had failed.
    steps = made.stretch.steps
    for at, step in enumerate(steps):
        later = [one for one in steps[at + 1 :] if not one.guarded]
        if step.falls and (later or step.looped or (step.each and len(step.accesses) > 1)):
            return True
    return False


def _skips(made: Window) -> bool:
    stretch = made.stretch
    falling = [step.span.start for step in stretch.steps if _goes_on(step)]
    loops = any(step.looped and _goes_on(step) for step in stretch.steps)
    return bool(falling) and (loops or any(one.start > min(falling) for one in stretch.among))


def _goes_on(step: Step) -> bool:
    # As it stood, what follows was run although it failed.
    return step.falls or not step.fault.leaves


def _lasting(made: Window) -> Iterator[tuple[str, str]]:
    # What a local holds after a `return` is lost with it; what others see, or a `goto`, is not.
    function, stretch = made.ground.function, made.stretch
    for step in stretch.steps:
        nought = zeroed(made, step.fault)
        fault = step.fault.text
        leaves = fault.rpartition("\n")[2].startswith("return")
        for access in step.accesses:
            if access.copies:
                continue
            value = function.source.quote(access.value)
            if f"{value} = 0;" in nought or stretch.loses(value, access.call):
                continue
            shared = "->" in value or "*" in value or "[" in value
            stays = not leaves or re.search(rf"\b{re.escape(value.partition('.')[0])}\b", fault)
            if stays or shared or not _is_own(function, stretch.extent, value):
                yield value, access.accessor


def _is_own(function: Function, extent: Span, value: str) -> bool:
    name = value.partition(".")[0].strip("( ")
    above = function.source.quote(Span(function.span.start, extent.start))
    declared = rf"[\w*,]\s*\b{re.escape(name)}\b\s*(?:\[[^\]]*\]\s*)?[;,=)]"
    return re.search(declared, above) is not None
