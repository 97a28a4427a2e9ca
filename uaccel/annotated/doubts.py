# SPDX-License-Identifier: GPL-2.0-only
"""Say what an annotated listing cannot tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from uaccel.annotated.kin import Kin
from uaccel.annotated.slices import Code
from uaccel.model.annotation import Annotation
from uaccel.model.attribution import Windowed
from uaccel.model.machine import Arch

_WHOLE = 99.0  # percent; the rest is rounding
_NOTABLE = 1.0  # percent; less is noise
_ROUNDED = 0.5  # percent; what prose gives has no decimals


def no_architecture(annotation: Annotation, arches: Sequence[Arch]) -> str:
    """Return why no architecture was found for a listing."""
    if not annotation.rows:
        return "the listing has no instructions"
    names = ", ".join(sorted(arch.name for arch in arches))
    return (
        f"nothing that opens, closes or reaches user memory on {names} stands in the listing,"
        " so it is not known where user accesses are, nor what they cost"
    )


def doubts(
    annotation: Annotation, kin: Kin, code: Code, windows: tuple[Windowed, ...]
) -> Iterator[str]:
    """Yield what cannot be known, a sentence each."""
    if not kin.name:
        yield f"which of {', '.join(kin.others)} it is the text does not tell"
    yield from _found(kin, code, windows)
    yield from _cut(annotation)
    yield from _claim(annotation, windows)
    yield from _figures(annotation, windows)
    yield from _stray(annotation, code, windows)
    yield from _outside(code, windows)
    yield from _skid(annotation, windows)


def _found(kin: Kin, code: Code, windows: tuple[Windowed, ...]) -> Iterator[str]:
    if not windows:
        why = "; where toggles are patched in at boot, a file on disk has padding" * kin.guards
        yield f"no opening, closing or user access was found in the listing{why}"
    elif kin.guards and not any(code.opens):
        yield "no opening was found: only calls of accessors and unprivileged accesses were counted"
    empty = [window.number for window in windows if not window.shares]
    if empty:
        yield f"no access was found in {_numbers('window', empty)}"
    ajar = [window.number for window in windows if not window.closed]
    if ajar:
        yield f"the closing of {_numbers('window', ajar)} is not in the listing"
    if kin.guards and not kin.guards_reads:
        yield f"reading opens nothing on {kin.name}: reads look like any load, and are not counted"


def _cut(annotation: Annotation) -> Iterator[str]:
    rest = max(0.0, 100.0 - annotation.shown)
    if annotation.cut:
        yield (
            "the listing is cut: how many more accesses the function has, and what they cost,"
            " is not known; a total that a text beside it gives cannot be checked"
        )
    if not annotation.begins:
        yield "the listing begins later than the function"
    if annotation.rows and annotation.shown < _WHOLE:
        yield (
            f"the listing shows {annotation.shown:.2f} % of the function's samples; where the"
            f" other {rest:.2f} % are is not known"
        )


def _claim(annotation: Annotation, windows: tuple[Windowed, ...]) -> Iterator[str]:
    total = sum(window.percent for window in windows)
    for said in re.findall(r"(\d+(?:\.\d+)?) ?%", annotation.title):
        if abs(float(said) - total) > _ROUNDED:
            yield f"the text says {said} %, which cannot be checked: {total:.2f} % are found here"


def _figures(annotation: Annotation, windows: tuple[Windowed, ...]) -> Iterator[str]:
    rows = [i for window in windows for i in window.rows]
    missing = sum(annotation.rows[i].percent is None for i in rows)
    if missing:
        yield f"{missing} of the {len(rows)} instructions that serve accesses have no percentage"
    if annotation.unread:
        yield f"{annotation.unread} lines of the listing could not be read"


def _stray(annotation: Annotation, code: Code, windows: tuple[Windowed, ...]) -> Iterator[str]:
    taken = {i for window in windows for i in window.rows}
    stray = [i for i, opens in enumerate(code.opens) if opens is False and i not in taken]
    if stray:
        percent = sum(annotation.rows[i].percent or 0.0 for i in stray)
        what = "closing belongs" if len(stray) == 1 else "closings belong"
        yield (
            f"{len(stray)} {what} to no window: a fault leads there, or the opening is not"
            f" shown; {percent:.2f} % of the samples"
        )


def _outside(code: Code, windows: tuple[Windowed, ...]) -> Iterator[str]:
    rows = (code.rows[i] for window in windows for i in window.rows)
    names = sorted({row.read.name for row in rows if row.calls_accessor})
    if names:
        yield (
            f"what {' and '.join(names)} cost is in other symbols, which the percentages of this"
            " function do not hold"
        )


def _skid(annotation: Annotation, windows: tuple[Windowed, ...]) -> Iterator[str]:
    taken = {i for window in windows for i in window.rows}
    for window in windows:
        most = max((annotation.rows[i].percent or 0.0 for i in window.rows), default=0.0)
        behind = max(window.rows) + 1
        if behind >= len(annotation.rows) or behind in taken or annotation.rows[behind].gap:
            continue
        row = annotation.rows[behind]
        if row.percent and row.percent > max(most, _NOTABLE):
            yield (
                f"{row.percent:.2f} % stand at the instruction right behind window"
                f" {window.number}: samples may have skidded there, and are not counted"
            )


def _numbers(what: str, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{what} {numbers[0]}"
    listed = ", ".join(map(str, numbers[:-1]))
    return f"{what}s {listed} and {numbers[-1]}"
