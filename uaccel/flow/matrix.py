# SPDX-License-Identifier: GPL-2.0-only
"""What came of each fault, run by run: rows small enough to be remembered with a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uaccel.checks.same import CHECK, returned
from uaccel.model.judgement import Evidence, Judgement, Outcome
from uaccel.model.run import Pair, Run

SAME, DECLARED, DIFFERENT = "same", "declared", "different"
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_ALIKE = 60  # rows that stand for several runs each


@dataclass(frozen=True, slots=True)
class Row:
    """One run of a variant beside the function as it stands; the fields are those of `Met`."""

    what: str
    step: int | None
    sticky: bool
    results: tuple[int | None, int | None]
    reached: tuple[int, int]
    closed: bool
    outcome: str
    why: str
    alike: int


def rows(
    pairs: Sequence[Pair], every: Sequence[Pair], declared: tuple[str, ...], said: Judgement
) -> tuple[Row, ...]:
    """Return what came of the `pairs` of one input: of each fault, and of each other kind of run.

    Of accesses that one instruction makes, and of other runs that differ in nothing but numbers,
    the first stands for all.  `said` is what was made of `every` pair: of those, the first that
    differs in more than is declared has a row too.
    """
    alike: dict[tuple[object, ...], Row] = {}
    for row in (row for pair in pairs for row in _row(pair, declared)):
        known = alike.setdefault(_kind(row), row)
        if known is not row:
            alike[_kind(row)] = replace(known, alike=known.alike + 1)
    plain, *rest = alike.values() or (None,)
    steps = (row for row in rest if row.step is not None)
    others = [row for row in rest if row.step is None]
    found = (*((plain,) if plain else ()), *steps, *others[:_ALIKE])
    if said.outcome is not Outcome.FAIL or any(row.outcome == DIFFERENT for row in found):
        return found
    wrong = (row for pair in every for row in _row(pair, declared) if row.outcome == DIFFERENT)
    return (*found, *(row for row in (next(wrong, None),) if row is not None))


def _kind(row: Row) -> tuple[object, ...]:
    words = (_NUMBER.sub("", text) for text in (row.what, row.why))
    return (*words, row.step, row.sticky, row.results, row.reached, row.closed, row.outcome)


def _row(pair: Pair, declared: tuple[str, ...]) -> Iterator[Row]:
    bare = CHECK.judge(Evidence(pairs=(pair,)))
    if bare.outcome is Outcome.UNKNOWN:
        return  # as it stood, it cannot be called so
    outcome, why = (SAME, "") if bare.outcome is Outcome.PASS else _other(pair, bare, declared)
    fault = pair.given.fault if pair.given is not None else None
    yield Row(
        what=pair.what,
        step=fault.step if fault is not None else None,
        sticky=fault is not None and fault.sticky,
        results=(_result(pair.before, pair.bits), _result(pair.after, pair.bits)),
        reached=(len(pair.before.accesses), len(pair.after.accesses)),
        closed=not pair.after.open,
        outcome=outcome,
        why=why.removeprefix(f"when {pair.what}: "),
        alike=1,
    )


def _other(pair: Pair, bare: Judgement, declared: tuple[str, ...]) -> tuple[str, str]:
    said = CHECK.judge(Evidence(pairs=(pair,), declared=declared))
    if said.outcome is Outcome.FAIL:
        return DIFFERENT, said.why
    # Where several sentences would do, which of them is meant cannot be told.
    enough = [one for one in declared if _permits(pair, one)]
    return DECLARED, f"{bare.why}, as declared: {enough[0]}" if len(enough) == 1 else bare.why


def _permits(pair: Pair, sentence: str) -> bool:
    return CHECK.judge(Evidence(pairs=(pair,), declared=(sentence,))).outcome is Outcome.PASS


def _result(run: Run, bits: int) -> int | None:
    return None if run.ended else returned(run, bits)
