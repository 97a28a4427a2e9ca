# SPDX-License-Identifier: GPL-2.0-only
"""An exhibit as compact JSON: texts once, rows as columns of numbers; a script draws it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from uaccel.model.exhibit import Code, Exhibit, Met, Passage
from uaccel.report.pages.once import Once
from uaccel.report.pages.tokens import Lines, rows


def exhibited(exhibit: Exhibit | None, best: Mapping[tuple[str, str], str]) -> dict[str, object]:
    """Return passages, code and runs of `exhibit` for the script of the page.

    `best` is a style for each function and architecture: what is shown first.
    """
    known = exhibit or Exhibit((), (), ())
    functions: Once[str] = Once(_busiest(known))
    styles: Once[str] = Once(code.style for code in known.codes)
    arches: Once[str] = Once(code.arch for code in known.codes)
    texts: Once[str] = Once([""])
    lines = Lines()
    passages = [_passage(one, functions, styles, lines) for one in known.passages]
    codes = [_code(one, functions, styles, arches, texts) for one in known.codes]
    met = [_met(one, functions, styles, arches, texts) for one in known.met]
    first = [
        (functions.of(function), arches.of(arch), styles.of(style))
        for (function, arch), style in best.items()
        if any((c.function, c.arch, c.style) == (function, arch, style) for c in known.codes)
    ]
    return {
        "functions": functions.told,
        "styles": styles.told,
        "arches": arches.told,
        "texts": texts.told,
        "lines": lines.told,
        "passages": passages,
        "codes": codes,
        "met": met,
        "first": first,
    }


def _busiest(exhibit: Exhibit) -> list[str]:
    # The most accesses first: there is most to be seen.
    most: dict[str, int] = {one.function: 0 for one in exhibit.passages}
    for code in exhibit.codes:
        accesses = sum(len(some) for some in code.accesses)
        most[code.function] = max(most.get(code.function, 0), accesses)
    return sorted(most, key=lambda name: -most[name])


def _passage(
    one: Passage, functions: Once[str], styles: Once[str], lines: Lines
) -> dict[str, object]:
    before, after = lines.number(one.before), lines.number(one.after)
    return {
        "f": functions.of(one.function),
        "s": styles.of(one.style),
        "line": [one.line, one.after_line or one.line],
        "before": before,
        "after": after,
        "also": one.also,
        "rows": [number for row in rows(before, after) for number in row],
    }


def _code(
    one: Code, functions: Once[str], styles: Once[str], arches: Once[str], texts: Once[str]
) -> dict[str, object]:
    insns = one.insns
    addresses = [0, *(insn.address for insn in insns)]
    return {
        "f": functions.of(one.function),
        "s": styles.of(one.style),
        "a": arches.of(one.arch),
        "compiler": one.compiler,
        "config": one.config,
        "clusters": one.clusters,
        "accesses": one.accesses,
        "steps": [after - before for before, after in pairwise(addresses)],
        "text": [texts.of(insn.text) for insn in insns],
        "role": [texts.of(insn.role) for insn in insns],
        "cluster": [_number(insn.cluster) for insn in insns],
        "access": [_number(insn.access) for insn in insns],
        "window": [_number(insn.window) for insn in insns],
        "flags": [insn.touches + 2 * insn.counted for insn in insns],
        "line": [insn.line for insn in insns],
    }


def _met(
    one: Met, functions: Once[str], styles: Once[str], arches: Once[str], texts: Once[str]
) -> tuple[int | None, ...]:
    # As faults.js takes it apart again.
    return (
        functions.of(one.function),
        arches.of(one.arch),
        styles.of(one.style),
        texts.of(one.what),
        texts.of(one.outcome),
        texts.of(one.why),
        *one.results,
        *one.reached,
        _number(one.step),
        one.sticky + 2 * one.closed,
        one.alike,
    )


def _number(value: int | None) -> int:
    return -1 if value is None else value
