# SPDX-License-Identifier: GPL-2.0-only
"""Mutants of what a style wrote: chosen, built, checked, run beside what stood there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from corpus.mistakes import Mutant, mutants
from uaccel.flow.bench import Trial, attempt
from uaccel.flow.drafts import Draft
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.patches import CHECKS
from uaccel.flow.prove import Proof, prove_all
from uaccel.flow.rebuild import Result, compared
from uaccel.model.judgement import Evidence, Outcome

_GROUP = 8  # mutants that share one search for inputs: each has an emulator
_STATIC = ("closed", "objtool")


class Fate(Enum):
    """What became of a mutant on one architecture; the first that holds."""

    BUILD = "build"  # it does not compile, or the compiler warns
    CHECK = "check"  # of the object
    RUN = "run"
    IDENTICAL = "identical"  # the compiler makes the same instructions of it
    SURVIVES = "survives"
    UNKNOWN = "unknown"

    @property
    def kills(self) -> bool:
        """Return whether the mutant was noticed."""
        return self in (Fate.BUILD, Fate.CHECK, Fate.RUN)


@dataclass(frozen=True, slots=True)
class Subject:
    """A function as a style wrote it, and the mutants chosen of it."""

    draft: Draft
    stands: tuple[tuple[Trial, Trial], ...]  # an architecture each: as it stood, as it was written
    mutants: tuple[Mutant, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One mutant on one architecture."""

    subject: Subject
    mutant: Mutant
    arch: str
    fate: Fate
    by: str  # what noticed it; "" when nothing did
    why: str  # one sentence

    @property
    def line(self) -> int:
        """Return where it differs, in the file as the style wrote it."""
        function = self.subject.draft.written.function
        return function.source.line(function.span.start) + self.mutant.line


def written(draft: Draft) -> str:
    """Return the function as the style wrote it."""
    return draft.written.function.source.quote(draft.written.function.span)


def choose(subjects: Iterable[Subject], most: int) -> tuple[Subject, ...]:
    """Return `subjects` with at most so many mutants each: mistakes that were rare come first."""
    made: Counter[str] = Counter()
    found = []
    for one in subjects:
        chance = random.Random(one.draft.target.name)
        every: dict[str, list[Mutant]] = {}
        for mutant in mutants(written(one.draft)):
            every.setdefault(mutant.mistake, []).append(mutant)
        rank = {name: chance.random() for name in every}
        names = sorted(every, key=lambda name: (made[name], rank[name]))[:most]
        made.update(names)
        found.append(replace(one, mutants=tuple(chance.choice(every[name]) for name in names)))
    return tuple(found)


def mutated(draft: Draft, text: str) -> Draft:
    """Return `draft` with its function in that text; what it declares stays declared."""
    span = draft.written.function.span
    made = draft.text[: span.start] + text.encode() + draft.text[span.end :]
    reading, grown = draft.written.reading, len(made) - len(draft.text)
    # It is not read anew: what is wrong with it must not keep it from the compiler.
    moved = tuple(
        replace(one, noinline=one.noinline + grown)
        if one.noinline is not None and one.noinline >= span.end
        else one
        for one in reading.functions
    )
    source = replace(reading.source, text=made)
    written = replace(draft.written, reading=replace(reading, source=source, functions=moved))
    return replace(draft, written=written, text=made)


def answers(ground: Ground, subjects: Sequence[Subject]) -> tuple[Answer, ...]:
    """Return what became of every mutant of `subjects` on each of their architectures."""
    asked = tuple(
        (one, stand, mutant) for one in subjects for mutant in one.mutants for stand in one.stands
    )
    tried = at_once(ground, tuple(_job(*one) for one in asked))
    told: dict[int, Answer] = {}
    left: list[tuple[int, Trial, Trial]] = []
    for number, ((one, stand, mutant), trial) in enumerate(zip(asked, tried, strict=True)):
        fate, by, why = _noticed(stand[1], trial)
        told[number] = Answer(one, mutant, stand[0].bench.arch.name, fate, by, why)
        if fate is Fate.UNKNOWN:
            left.append((number, stand[0], trial))
    for number, trial, proof in _proven(ground, left):
        stand = asked[number][1]
        fate, by, why = _ran(stand[1], trial, proof)
        told[number] = replace(told[number], fate=fate, by=by, why=why)
    return tuple(told[number] for number in range(len(asked)))


def _job(subject: Subject, stand: tuple[Trial, Trial], mutant: Mutant) -> Job[Trial]:
    bench, draft = stand[1].bench, mutated(subject.draft, mutant.text)
    name = draft.target.function.name
    return f"{bench.arch.name}: {name}: {mutant.mistake}", lambda: attempt(bench, draft)


def _noticed(right: Trial, trial: Trial) -> tuple[Fate, str, str]:
    # Without a run.
    builds = (replace(one.build, objtool=None) for one in (right, trial))
    result, message = compared(*builds)
    if result is not Result.OK:
        return Fate.BUILD, "compiler" if result is Result.FAILS else "warning", message
    found = [(name, *_judged(name, trial)) for name in _STATIC]
    failed = [
        (name, why)
        for name, outcome, why in found
        if outcome is Outcome.FAIL and _judged(name, right)[0] is not Outcome.FAIL
    ]
    if failed:
        return Fate.CHECK, ", ".join(name for name, _ in failed), failed[0][1]
    return Fate.UNKNOWN, "", "not run"


def _judged(name: str, trial: Trial) -> tuple[Outcome, str]:
    said = CHECKS[name].judge(Evidence(build=trial.build, listing=trial.listing))
    return said.outcome, said.why


def _proven(
    ground: Ground, left: Sequence[tuple[int, Trial, Trial]]
) -> list[tuple[int, Trial, Proof]]:
    # Those of one function on one architecture, some at a time.
    together: dict[int, list[tuple[int, Trial, Trial]]] = {}
    for one in left:
        together.setdefault(id(one[1]), []).append(one)
    groups = [
        some[at : at + _GROUP] for some in together.values() for at in range(0, len(some), _GROUP)
    ]
    proofs = prove_all(ground, [(some[0][1], tuple(one[2] for one in some)) for some in groups])
    return [
        (number, trial, proof)
        for some, many in zip(groups, proofs, strict=True)
        for (number, _, trial), proof in zip(some, many, strict=True)
    ]


def _ran(right: Trial, trial: Trial, proof: Proof) -> tuple[Fate, str, str]:
    said = proof.judgement
    if said.outcome is Outcome.FAIL:
        return Fate.RUN, "same", said.why
    if _code(right) == _code(trial):
        return Fate.IDENTICAL, "", "the same instructions"
    return (Fate.SURVIVES if said.outcome is Outcome.PASS else Fate.UNKNOWN), "", said.why


def _code(trial: Trial) -> tuple[tuple[object, ...], ...]:
    # Addresses count from the function: what lies before it may have another size.
    if trial.listing is None:
        return ((trial.build.command,),)
    insns = trial.listing.insns
    first = insns[0].address
    return tuple(
        (
            one.mnemonic,
            one.operands if one.target is None else one.operands.rpartition(",")[0],
            one.target - first if isinstance(one.target, int) else one.target,
            one.access,
            one.fixup - first if one.fixup is not None else None,
        )
        for one in insns
    )
