# SPDX-License-Identifier: GPL-2.0-only
"""Everything that a style writes in some files, run beside what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from uaccel.errors import BrokenInvariant, UserError
from uaccel.flow.bench import Bench, Trial, attempt, set_up
from uaccel.flow.coverage import asked
from uaccel.flow.drafts import Draft, as_it_is, draft
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.layouts import layouts_of
from uaccel.flow.prove import Proof, prove_all
from uaccel.flow.targets import Target, every_target
from uaccel.host.allmod import Allmod, make, prepared
from uaccel.model.judgement import Judgement, Outcome
from uaccel.model.machine import Arch, Unbuilt

_SURE = "lib/usercopy.o"  # every configuration makes it
NOT_BUILT = "not built by this configuration"
LEAN = "allmodconfig without sanitizers, checks and tracers"
# A clone of a function is called with less, and nothing tells with what.
_WHOLE = ("-fno-ipa-sra", "-fno-ipa-cp")
APART = "it is included by a file of another folder"
FAILS = "it does not compile as it stands"


@dataclass(frozen=True, slots=True)
class Ran:
    """One function in one style on one architecture."""

    file: str
    function: str
    clusters: int  # written
    arch: str
    compiler: str
    proof: Proof


def run_files(
    ground: Ground, allmod: Allmod, arch: Arch, style: str, paths: tuple[str, ...]
) -> tuple[Ran, ...]:
    """Return what running each function of `paths` that `style` writes shows."""
    objects = {path: allmod.object_of(path) for path in paths}

    def said(what: str) -> None:
        ground.progress(what, 0, 0)

    make(allmod, tuple(one for one in objects.values() if one), ground.jobs, said)
    base = set_up(ground, arch, _SURE, ())
    if isinstance(base, Unbuilt):
        raise UserError(base.why)
    named = replace(base.arch, config_name=LEAN)

    def job(path: str) -> Job[tuple[tuple[Draft, Trial, Trial] | tuple[Draft, str], ...]]:
        bench = _bench(base, named, allmod, objects[path])
        return f"building {path}", lambda: tuple(_tried(ground, bench, path, style))

    built = [one for some in at_once(ground, tuple(map(job, paths))) for one in some]
    groups = [(one[1], (one[2],)) for one in built if len(one) == 3]
    proofs = iter(proof for (proof,) in prove_all(ground, groups))
    rows = []
    for one in built:
        proof = next(proofs) if len(one) == 3 else Proof(Judgement(Outcome.UNKNOWN, one[1]))
        made = one[0]
        rows.append(
            Ran(
                file=str(made.target.path),
                function=made.target.function.name,
                clusters=len(made.rewrites),
                arch=arch.name,
                compiler=allmod.first.toolchain,
                proof=proof,
            )
        )
    return tuple(rows)


def _bench(base: Bench, arch: Arch, allmod: Allmod, object: str | None) -> Bench | None:
    kept = prepared(allmod, object) if object else None
    if kept is None:
        return None
    compiler, *rest = kept.compile
    plain = replace(
        kept, compile=(compiler, *_WHOLE, *rest), identity=f"{kept.identity} {' '.join(_WHOLE)}"
    )
    return replace(base, prepared=plain, arch=arch)


def _tried(
    ground: Ground, bench: Bench | None, path: str, style: str
) -> Iterator[tuple[Draft, Trial, Trial] | tuple[Draft, str]]:
    drafts = tuple(_drafts(ground, path, style))
    if bench is None:
        yield from ((one, NOT_BUILT) for one in drafts)
        return
    beside = PurePosixPath(bench.prepared.source).parent
    if PurePosixPath(path).parent != beside and "include" not in PurePosixPath(path).parts:
        yield from ((one, APART) for one in drafts)
        return
    bench = replace(bench, targets=tuple(one.target for one in drafts))
    for one in drafts:
        before = attempt(bench, as_it_is(one.target))
        if before.object is None:
            yield one, FAILS
            continue
        after = attempt(bench, one)
        if before.listing is None:
            yield one, "this configuration does not compile the function"
        elif after.object is None:
            yield one, "it does not compile"
        else:
            yield one, before, after


def _drafts(ground: Ground, path: str, style: str) -> Iterator[Draft]:
    for _, target in every_target(ground.tree, path):
        if isinstance(target, Target) and any(asked(style, c) for c in target.function.clusters):
            try:
                made = draft(target, style, layouts_of(ground.tree, target))
            except (BrokenInvariant, UserError):  # said by corpus/styles.py
                continue
            if made.rewrites:
                yield made
