# SPDX-License-Identifier: GPL-2.0-only
"""What runs add to a study: a verdict on each rewriting, and what one call of it executes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from uaccel.flow.bench import Trial
from uaccel.flow.figures import executions, style_of
from uaccel.flow.ground import Ground
from uaccel.flow.prove import Group, Proof, prove_all
from uaccel.flow.trials import Stand
from uaccel.model.exhibit import Met
from uaccel.model.judgement import Measurement, Outcome, Verdict
from uaccel.model.run import Run

CHECK = "same"
NO_CALL = "no call was found in which nothing faults"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What the runs of a study showed."""

    verdicts: tuple[Verdict, ...]
    measurements: tuple[Measurement, ...]
    met: tuple[Met, ...]  # what came of each fault


def witness(ground: Ground, standing: Sequence[Stand], tried: Sequence[Trial]) -> Witnessed:
    """Return what running each of `tried` beside the function as it stands shows."""
    groups = tuple(_groups(standing, tried))
    proven = tuple(zip(groups, prove_all(ground, groups), strict=True))
    return Witnessed(
        verdicts=tuple(
            _verdict(after, proof)
            for (_, afters), proofs in proven
            for after, proof in zip(afters, proofs, strict=True)
        ),
        measurements=tuple(
            figure for group, proofs in proven for figure in _executed(group, proofs)
        ),
        met=tuple(
            one
            for (_, afters), proofs in proven
            for after, proof in zip(afters, proofs, strict=True)
            for one in _met(after, proof)
        ),
    )


def _groups(standing: Sequence[Stand], tried: Sequence[Trial]) -> Iterator[Group]:
    for stand in standing:
        for before in stand.trials:
            afters = tuple(one for one in tried if _is_of(one, before))
            if before.listing is not None and afters:
                yield before, afters


def _is_of(trial: Trial, before: Trial) -> bool:
    same = trial.draft.target is before.draft.target
    return same and trial.bench is before.bench and trial.object is not None


def _verdict(trial: Trial, proof: Proof) -> Verdict:
    said = proof.judgement
    return Verdict(
        check=CHECK,
        cluster=trial.draft.target.name,
        style=style_of(trial),
        arch=trial.bench.arch.name,
        outcome=said.outcome,
        why=f"{said.why}{_reach(proof)}" if said.outcome is Outcome.PASS else said.why,
        story=said.story,
        coverage=proof.after,
    )


def _met(trial: Trial, proof: Proof) -> Iterator[Met]:
    name, style, arch = trial.draft.target.name, style_of(trial), trial.bench.arch.name
    return (Met(name, style, arch, **asdict(row)) for row in proof.met)


def _reach(proof: Proof) -> str:
    met = proof.after
    if met is None:
        return ""
    if not met.ways and not met.entries:
        return "; all that it does is in functions that it calls, whose jumps are not counted"
    guarded = f", {met.met} of {met.entries} guarded instructions faulted" if met.entries else ""
    return f"; {met.taken} of {met.ways} ways on from its jumps were taken{guarded}"


def _executed(group: Group, proofs: Sequence[Proof]) -> Iterator[Measurement]:
    before, afters = group
    plain = next((proof.plain for proof in proofs if proof.plain), None)
    yield from executions(before, plain[0] if plain else None, _why(proofs[0], plain))
    for after, proof in zip(afters, proofs, strict=True):
        run = proof.plain[1] if proof.plain else None
        yield from executions(after, run, _why(proof, proof.plain))


def _why(proof: Proof, plain: tuple[Run, Run] | None) -> str:
    if plain is not None:
        return ""
    return proof.judgement.why if proof.judgement.outcome is Outcome.UNKNOWN else NO_CALL
