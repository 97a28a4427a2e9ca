# SPDX-License-Identifier: GPL-2.0-only
"""The main job: every target in every style on every architecture at hand, as one dossier."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from uaccel.flow import figures
from uaccel.flow.bench import Bench, Trial
from uaccel.flow.drafts import Draft
from uaccel.flow.exhibits import exhibit
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.patches import CHECKS, judge, patch, patch_name
from uaccel.flow.support import supports
from uaccel.flow.targets import Target, load, subjects
from uaccel.flow.trials import Stand, drafts, stands, try_drafts
from uaccel.flow.witness import witness
from uaccel.host.files import put
from uaccel.model.dossier import Declined, Dossier, Patch
from uaccel.model.dossier import Target as Shown
from uaccel.model.judgement import Evidence, Judgement, Verdict
from uaccel.model.machine import Unbuilt
from uaccel.model.source import Form


@dataclass(frozen=True, slots=True)
class Request:
    """What to study."""

    targets: tuple[str, ...]  # as the user named them
    styles: tuple[str, ...]
    command: str  # the line that reproduces it
    patches: str  # folder for the patches
    exhibit: bool = False  # gather what a page shows beside the figures


def study(ground: Ground, request: Request) -> Dossier:
    """Return what writing, building, counting and judging the targets showed."""
    started = time.monotonic()
    targets = load(ground.tree, request.targets)
    standing = stands(ground, targets)
    written = {stand.target.name: drafts(stand, request.styles) for stand in standing}
    tried = tuple(
        t for stand in standing for t in try_drafts(ground, stand, written[stand.target.name])
    )
    trials = (*(trial for stand in standing for trial in stand.trials), *tried)
    made = tuple(draft for many in written.values() for draft in many)
    witnessed = witness(ground, standing, tried)
    patches, opinions = _patches(ground, request, tuple(draft for draft in made if draft.rewrites))
    shown = exhibit(trials, made, witnessed.met) if request.exhibit else None
    fresh = {trial.build.command for trial in trials if not trial.build.reused}
    return Dossier(
        tree=ground.tree,
        command=request.command,
        subjects=tuple(one for target in targets for one in subjects(target)),
        targets=_shown(ground, trials),
        unbuilt=_unbuilt(standing),
        measurements=(
            *(one for trial in trials for one in figures.measurements(trial)),
            *witnessed.measurements,
        ),
        verdicts=(
            *(verdict for trial in trials for verdict in figures.verdicts(trial)),
            *witnessed.verdicts,
            *_branches(made, tried),
            *opinions,
        ),
        refusals=tuple(one for draft in made for one in declined(draft)),
        patches=patches,
        notes=tuple(_notes(targets, trials)),
        built=len(fresh),
        reused=len({trial.build.command for trial in trials} - fresh),
        seconds=time.monotonic() - started,
        exhibit=shown,
    )


def _patches(
    ground: Ground, request: Request, made: tuple[Draft, ...]
) -> tuple[tuple[Patch, ...], tuple[Verdict, ...]]:
    bare = tuple(patch(draft) for draft in made)

    def job(draft: Draft, text: str) -> Job[tuple[tuple[str, Judgement], ...]]:
        what = f"checking {draft.target.function.name} as {draft.style}"
        return what, lambda: judge(ground.tree, ground.store, draft, text)

    jobs = tuple(job(draft, one.text) for draft, one in zip(made, bare, strict=True))
    judged = at_once(ground, jobs)
    verdicts = tuple(
        Verdict(check, draft.target.name, draft.style, None, said.outcome, said.why)
        for draft, opinions in zip(made, judged, strict=True)
        for check, said in opinions
    )
    return tuple(_kept(request.patches, one) for one in bare), verdicts


def _kept(folder: str, one: Patch) -> Patch:
    return replace(one, path=put(folder, patch_name(one), one.text))


def _shown(ground: Ground, trials: tuple[Trial, ...]) -> tuple[Shown, ...]:
    benches = {trial.bench.arch.name: trial.bench for trial in trials}
    return tuple(_described(ground, bench) for bench in benches.values())


def _described(ground: Ground, bench: Bench) -> Shown:
    arch = bench.arch
    (offered,) = supports(ground.tree, (arch,))
    return Shown(
        arch=arch.name,
        title=arch.title,
        compiler=bench.toolchain.name,
        config=figures.config(bench),
        protection=arch.protection,
        gain=offered.why,
    )


def _unbuilt(standing: tuple[Stand, ...]) -> tuple[Unbuilt, ...]:
    return tuple(dict.fromkeys(one for stand in standing for one in stand.unbuilt))


def _branches(made: tuple[Draft, ...], tried: tuple[Trial, ...]) -> Iterator[Verdict]:
    for draft in made:
        if not draft.rewrites:
            continue
        mine = [trial for trial in tried if trial.draft is draft]
        on = tuple(trial.bench.arch.name for trial in mine if _holds_rewrites(trial))
        said = CHECKS["branch_compiled"].judge(Evidence(compiled_on=on if mine else None))
        yield Verdict(
            "branch_compiled", draft.target.name, draft.style, None, said.outcome, said.why
        )


def _holds_rewrites(trial: Trial) -> bool:
    # A function may be there and its branch not: an option that is off, a test that is constant.
    held = (
        {line for insn in trial.listing.insns for _, line in insn.lines} if trial.listing else set()
    )
    draft = trial.draft
    rewritten = {rewrite.cluster for rewrite in draft.rewrites}
    numbers = (n for n, one in enumerate(draft.target.function.clusters) if one in rewritten)
    made = (cluster for number in numbers for cluster in draft.clusters_in(number))
    return all(held & set(cluster.lines) for cluster in made)


def declined(draft: Draft) -> Iterator[Declined]:
    """Yield what a style refused; what stands in it already was not refused."""
    ids = [one.id for one in subjects(draft.target)]
    clusters = draft.target.function.clusters
    for refusal in draft.refusals:
        at = clusters.index(refusal.cluster)
        if not clusters[at].stands_as(draft.style):  # it stands so already: nothing was declined
            yield Declined(ids[at], draft.style, refusal.why)


def _notes(targets: tuple[Target, ...], trials: tuple[Trial, ...]) -> Iterator[str]:
    for target in targets:
        if all(cluster.reported is Form.WINDOW for cluster in target.function.clusters):
            where = dict.fromkeys(c.obstacle for c in target.function.clusters if c.obstacle)
            told = f" ({'; '.join(where)})" if where else ""
            yield f"{target.name}: every cluster is one window already; nothing to convert{told}"
        yield from _odd(target)
    yield from dict.fromkeys(
        f"{trial.bench.arch.name}: {note}"
        for trial in trials
        for note in trial.bench.prepared.notes
    )


def _odd(target: Target) -> Iterator[str]:
    source, function = target.reading.source, target.function
    first, last = source.line(function.span.start), source.line(function.span.end)
    for one in target.reading.not_understood:
        if first <= one.line <= last:
            yield f"{source.path}:{one.line}: {one.accessor}() is not in a cluster: {one.why}"
