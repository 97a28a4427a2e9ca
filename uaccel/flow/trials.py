# SPDX-License-Identifier: GPL-2.0-only
"""Targets times styles times architectures: set up, write, try, all at once."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.flow.bench import Bench, Trial, attempt, layouts, set_up
from uaccel.flow.drafts import STYLES, Draft, as_it_is, draft, needs_layouts
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.targets import Target
from uaccel.host.kbuild import object_of
from uaccel.model.machine import Arch, Unbuilt
from uaccel.model.source import Layouts


@dataclass(frozen=True, slots=True)
class Stand:
    """One target as it stands in the tree, on every bench that there is."""

    target: Target
    trials: tuple[Trial, ...]
    unbuilt: tuple[Unbuilt, ...]


def stands(ground: Ground, targets: tuple[Target, ...]) -> tuple[Stand, ...]:
    """Return each of `targets`, unchanged, built for every architecture at hand."""
    objects = {target.name: object_of(ground.tree, target.path) for target in targets}
    # What patches itself at boot has objtool to build first: the longest job must not come last.
    arches = sorted(ground.arches, key=lambda arch: not arch.features)
    asked = tuple((object, arch) for object in dict.fromkeys(objects.values()) for arch in arches)

    def job(object: str, arch: Arch) -> Job[tuple[Trial, ...] | Unbuilt]:
        mine = tuple(target for target in targets if objects[target.name] == object)
        return f"{arch.name}: {object}", lambda: _stand(ground, object, arch, mine)

    answers = at_once(ground, tuple(job(object, arch) for object, arch in asked))
    trials = [trial for one in answers if not isinstance(one, Unbuilt) for trial in one]
    failed = tuple(zip(asked, answers, strict=True))
    return tuple(
        Stand(
            target,
            tuple(trial for trial in trials if trial.draft.target is target),
            tuple(
                answer
                for (object, _), answer in failed
                if isinstance(answer, Unbuilt) and object == objects[target.name]
            ),
        )
        for target in targets
    )


def drafts(stand: Stand, styles: tuple[str, ...]) -> tuple[Draft, ...]:
    """Return the target in each of `styles` that can write it, with the refusals of each."""
    known = _layouts(stand) if any(needs_layouts(stand.target, style) for style in styles) else ()
    return tuple(draft(stand.target, style, known) for style in styles)


def try_drafts(ground: Ground, stand: Stand, made: tuple[Draft, ...]) -> tuple[Trial, ...]:
    """Return every draft that wrote something, built wherever its function is compiled."""
    benches = tuple(trial.bench for trial in stand.trials if _may_hold(trial))

    def job(one: Draft, bench: Bench) -> Job[Trial]:
        what = f"{bench.arch.name}: {one.target.function.name} as {one.style}"
        return what, lambda: attempt(bench, one)

    written = tuple(one for one in made if one.rewrites)
    return at_once(ground, tuple(job(one, bench) for one in written for bench in benches))


def _stand(
    ground: Ground, object: str, arch: Arch, targets: tuple[Target, ...]
) -> tuple[Trial, ...] | Unbuilt:
    bench = set_up(ground, arch, object, targets)
    if isinstance(bench, Unbuilt):
        return bench
    return tuple(attempt(bench, as_it_is(target)) for target in targets)


def _may_hold(trial: Trial) -> bool:
    # Where the target as it stands does not compile, its rewriting may, and says more.
    return trial.object is None or trial.listing is not None


def _layouts(stand: Stand) -> tuple[Layouts, ...]:
    function = stand.target.function
    tags = {tag for _, tag in function.pointers} | {local.struct for local in function.locals}
    found = (layouts(trial, tuple(sorted(tags))) for trial in stand.trials)
    return tuple(one for one in found if one is not None)


ALL_STYLES = tuple(STYLES)
