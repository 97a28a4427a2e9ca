# SPDX-License-Identifier: GPL-2.0-only
"""Run a rewritten function beside the one that stood there, on inputs that lead everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from uaccel.checks.same import CHECK
from uaccel.flow.bench import Trial
from uaccel.flow.beside import Variants, pairs
from uaccel.flow.exploring import Explorer, Found, chosen
from uaccel.flow.ground import Ground
from uaccel.flow.hints import hints
from uaccel.flow.images import image, made_of
from uaccel.flow.leaves import Leaves
from uaccel.flow.naming import Naming, callee
from uaccel.flow.reach import coverage
from uaccel.flow.world import World
from uaccel.host.emulator import Emulator
from uaccel.host.files import content
from uaccel.host.memory import remembered
from uaccel.host.pool import Broken, Pool, Task
from uaccel.model.judgement import Evidence, Judgement, Outcome
from uaccel.model.machine import Listing, Unbuilt
from uaccel.model.run import Coverage, Image, Pair, Run
from uaccel.read.prototypes import Prototypes

TRIES = 400  # inputs that are looked at
SEED = 1
_SECONDS = 120.0  # of processor time for one pair of variants
# Each emulator reserves a gigabyte and uses little of it.
_RUNNING = Task("running", "ran", 6_000_000_000)
_ROUNDS = 6  # times that an input is completed by what only a fault looks at
_HALVES = (16, 12)  # bits by which the upper part of a constant is shifted: ppc and arm, riscv
_NUMBER = re.compile(r"-?0x[0-9a-f]+|(?<![\w.])-?\d+(?!\w)")


@dataclass(frozen=True, slots=True)
class Proof:
    """What running both showed."""

    judgement: Judgement
    before: Coverage | None = None  # None when nothing was run
    after: Coverage | None = None
    plain: tuple[Run, Run] | None = None  # one call in which nothing faults; None without one
    inputs: int = 0  # that every fault was tried on
    runs: int = 0  # of both variants


def prove(before: Trial, after: Trial) -> Proof:
    """Return what runs of `after` beside `before`, on the same architecture, show."""
    if None in (before.listing, after.listing, before.build.path, after.build.path):
        return _unknown("no object holds the function")
    draft = before.draft
    told: tuple[bytes | str, ...] = (draft.target.name, draft.target.reading.source.text)
    parts = (*made_of(before), *made_of(after), *told, *_told(after))
    return remembered(before.bench.ground.store, "proofs", parts, lambda: _proof(before, after))


def prove_all(ground: Ground, pairs: Sequence[tuple[Trial, Trial]]) -> tuple[Proof, ...]:
    """Return what runs of each pair show, in their order, some of them made side by side."""
    found: dict[int, Proof] = {}
    work = partial(_prove_one, pairs)
    with Pool(work, ground.jobs, _SECONDS, _RUNNING) as pool:
        for number in range(len(pairs)):
            pool.put(number)
        for number, answer in pool.answers():
            found[number] = _unknown(answer.why) if isinstance(answer, Broken) else answer
            ground.progress(f"running {_named(pairs[number][1])}", len(found), len(pairs))
    return tuple(found[number] for number in range(len(pairs)))


def _prove_one(pairs: Sequence[tuple[Trial, Trial]], number: int) -> Proof:
    return prove(*pairs[number])


def _unknown(why: str) -> Proof:
    return Proof(Judgement(Outcome.UNKNOWN, why))


def _named(trial: Trial) -> str:
    name = trial.draft.target.function.name
    return f"{trial.bench.arch.name}: {name} as {trial.draft.style}"


def _told(trial: Trial) -> tuple[str, ...]:
    return tuple(one for rewrite in trial.draft.rewrites for one in rewrite.differences)


def _proof(before: Trial, after: Trial) -> Proof:
    sides = _side(before), _side(after)
    for one in sides:
        if isinstance(one, str):
            return _unknown(one)
    first, then = sides
    assert isinstance(first, _Side) and isinstance(then, _Side)
    explorer = _explorer(first, then)
    if isinstance(explorer, str):
        return _unknown(explorer)
    found = tuple(explorer.explore(TRIES, SEED))
    if explorer.why:
        return _unknown(explorer.why)
    kept = chosen(found)
    tried = tuple(pair for n, one in enumerate(kept) for pair in _pairs(explorer, one, n == 0))
    every = (*(one.pair for one in found), *tried)
    said = CHECK.judge(Evidence(pairs=every, declared=_told(after)))
    met = coverage(then.image, then.listing.symbol, (pair.after for pair in every))
    if said.outcome is Outcome.PASS and met.entries and not met.reached:
        said = Judgement(Outcome.UNKNOWN, f"no run came to an access of {then.listing.symbol}")
    return Proof(
        judgement=said,
        before=coverage(first.image, first.listing.symbol, (pair.before for pair in every)),
        after=met,
        plain=_plain(kept),
        inputs=len(kept),
        runs=2 * len(every),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    trial: Trial
    image: Image
    listing: Listing


def _side(trial: Trial) -> _Side | str:
    made = image(trial)
    if isinstance(made, Unbuilt):
        return made.why
    if trial.listing is None:
        return "no object holds the function"
    return _Side(trial, made, trial.listing)


def _plain(kept: tuple[Found, ...]) -> tuple[Run, Run] | None:
    # Of the calls in which nothing faults, the one that makes most accesses.
    fine = [one.pair for one in kept if not one.pair.before.faults and not one.pair.after.ended]
    if not fine:
        return None
    best = max(fine, key=lambda pair: (len(pair.before.accesses), -pair.before.instructions))
    return best.before, best.after


def _explorer(before: _Side, after: _Side) -> Explorer | str:
    symbol = before.listing.symbol
    types = Prototypes(content(before.trial.build.path or ""))
    prototype = types.function(symbol)
    if prototype is None:
        return f"nothing tells what {symbol} is called with"
    if after.listing.symbol != symbol:
        return f"{symbol} became {after.listing.symbol}"
    names = {e.name for one in (before, after) for e in one.image.externals if e.called}
    known = (callee(before.image, types, name) for name in sorted(names))
    callees = {one.name: one for one in known if one is not None}
    variants = Variants(
        function=symbol,
        before=Emulator(before.image),
        after=Emulator(after.image),
        bits=8 * types.kind(prototype.result).size,
        namings=(Naming(before.image, callees), Naming(after.image, callees)),
    )
    told = hints(before.trial.draft.target.function)
    world = World(before.image, Leaves(types), told, types.locals(symbol))
    world.constants = tuple(sorted(_constants((before.listing, after.listing))))
    return Explorer(variants, world, types, prototype, callees.values())


def _pairs(explorer: Explorer, found: Found, thorough: bool) -> tuple[Pair, ...]:
    # A fault may lead to memory of the kernel that nothing looked at before.
    made: tuple[Pair, ...] = ()
    for _ in range(_ROUNDS):
        given = explorer.trimmed(found).given
        made = tuple(pairs(explorer.variants, given, explorer.size, thorough=thorough))
        grown = [explorer.demands(run) for pair in made for run in (pair.before, pair.after)]
        if not any(grown):
            break
    return made


def _constants(listings: tuple[Listing, ...]) -> Iterator[int]:
    # What the code may compare with: every number in it, and those that it makes of two.
    for listing in listings:
        last = 0
        for insn in listing.insns:
            shown = [int(one, 0) for one in _NUMBER.findall(insn.operands)]
            if insn.target is None and shown:
                yield shown[-1]
                for shift in _HALVES:
                    yield (last << shift) + shown[-1] & 0xFFFFFFFF
                last = shown[-1]
