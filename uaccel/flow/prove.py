# SPDX-License-Identifier: GPL-2.0-only
"""Run a rewritten function beside the one that stood there, on inputs that lead everywhere."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import partial

from uaccel.flow.bench import Trial
from uaccel.flow.ground import Ground
from uaccel.flow.hints import hints
from uaccel.flow.images import image, made_of
from uaccel.flow.rig import Proof, Side, prove_sides, unknown
from uaccel.host.files import content
from uaccel.host.memory import remembered
from uaccel.host.pool import Broken, Pool, Task
from uaccel.model.machine import Listing, Unbuilt

__all__ = ["Group", "Proof", "prove", "prove_all"]

_SECONDS = 120.0  # of processor time for one function in all styles on one architecture
# Each emulator reserves a gigabyte and uses little of it.
_RUNNING = Task("running", "ran", 24_000_000_000)
Group = tuple[Trial, tuple[Trial, ...]]  # a function as it stands, and what was made of it


def prove(before: Trial, afters: tuple[Trial, ...]) -> tuple[Proof, ...]:
    """Return what runs of each of `afters` beside `before`, on the same architecture, show."""
    draft, store = before.draft, before.bench.ground.store
    parts: list[bytes | str] = [draft.target.name, draft.target.reading.source.text]
    for one in (before, *afters):
        parts += (*made_of(one), *_told(one))
    return remembered(store, "proofs", tuple(parts), lambda: _proofs(before, afters))


def prove_all(ground: Ground, groups: Sequence[Group]) -> tuple[tuple[Proof, ...], ...]:
    """Return what `prove` says of each group, in their order, some of them run side by side."""
    found: dict[int, tuple[Proof, ...]] = {}
    with Pool(partial(_prove_one, groups), ground.jobs, _SECONDS, _RUNNING) as pool:
        for number in range(len(groups)):
            pool.put(number)
        for number, answer in pool.answers():
            before, afters = groups[number]
            if isinstance(answer, Broken):
                found[number] = (unknown(answer.why),) * len(afters)
            else:
                found[number] = answer
            name = f"{before.bench.arch.name}: running {before.draft.target.function.name}"
            ground.progress(name, len(found), len(groups))
    return tuple(found[number] for number in range(len(groups)))


def _prove_one(groups: Sequence[Group], number: int) -> tuple[Proof, ...]:
    gc.collect()  # the emulators of the group before know themselves
    return prove(*groups[number])


def _told(trial: Trial) -> tuple[str, ...]:
    return tuple(one for rewrite in trial.draft.rewrites for one in rewrite.differences)


def _proofs(before: Trial, afters: tuple[Trial, ...]) -> tuple[Proof, ...]:
    first = _side(before)
    if isinstance(first, str):
        return (unknown(first),) * len(afters)
    sides = tuple(_side(one, first.listing.symbol) for one in afters)
    run = tuple(one for one in sides if isinstance(one, Side))
    told = hints(before.draft.target.function)
    proofs = iter(prove_sides((first, *run), content(before.build.path or ""), told) if run else ())
    return tuple(unknown(one) if isinstance(one, str) else next(proofs) for one in sides)


def _side(trial: Trial, symbol: str = "") -> Side | str:
    listing = _listing(trial, symbol)
    if trial.build.path is None or listing is None:
        return f"no object holds {symbol or 'the function'}"
    made = image(trial)
    return made.why if isinstance(made, Unbuilt) else Side(made, listing, _told(trial))


def _listing(trial: Trial, symbol: str) -> Listing | None:
    # A system call makes several symbols: which of them holds most of its lines may change.
    if not symbol or trial.object is None:
        return trial.listing
    return next((one for one in trial.object.listings if one.symbol == symbol), None)
