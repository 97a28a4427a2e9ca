# SPDX-License-Identifier: GPL-2.0-only
"""Run a rewritten function beside the one that stood there, on inputs that lead everywhere."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from uaccel.checks.same import CHECK
from uaccel.flow.bench import Trial
from uaccel.flow.beside import Variants, paired, pairs
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
from uaccel.model.kinds import Prototype
from uaccel.model.machine import Listing, Unbuilt
from uaccel.model.run import Coverage, Image, Pair, Run
from uaccel.read.prototypes import Prototypes

TRIES = 400  # inputs that are looked at
SEED = 1
_SECONDS = 120.0  # of processor time for one pair of variants
# Each emulator reserves a gigabyte and uses little of it.
_RUNNING = Task("running", "ran", 24_000_000_000)
_ROUNDS = 6  # times that an input is completed by what only a fault looks at
_HALVES = (16, 12)  # bits by which the upper part of a constant is shifted: ppc and arm, riscv
_NUMBER = re.compile(r"-?0x[0-9a-f]+|(?<![\w.])-?\d+(?!\w)")


@dataclass(frozen=True, slots=True)
class Proof:
    """What running both showed."""

    judgement: Judgement
    before: Coverage | None = None  # None when nothing was run
    after: Coverage | None = None
    plain: tuple[Run, Run] | None = None  # one call without a fault, the same for all
    inputs: int = 0  # that every fault was tried on
    runs: int = 0  # of both variants


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
                found[number] = (_unknown(answer.why),) * len(afters)
            else:
                found[number] = answer
            name = f"{before.bench.arch.name}: running {before.draft.target.function.name}"
            ground.progress(name, len(found), len(groups))
    return tuple(found[number] for number in range(len(groups)))


def _prove_one(groups: Sequence[Group], number: int) -> tuple[Proof, ...]:
    gc.collect()  # the emulators of the group before know themselves
    return prove(*groups[number])


def _unknown(why: str) -> Proof:
    return Proof(Judgement(Outcome.UNKNOWN, why))


def _told(trial: Trial) -> tuple[str, ...]:
    return tuple(one for rewrite in trial.draft.rewrites for one in rewrite.differences)


def _proofs(before: Trial, afters: tuple[Trial, ...]) -> tuple[Proof, ...]:
    first = _side(before)
    if isinstance(first, str):
        return (_unknown(first),) * len(afters)
    sides = tuple(_side(one, first.listing.symbol) for one in afters)
    run = tuple(one for one in sides if isinstance(one, _Side))
    proofs = iter(_run((first, *run)) if run else ())
    return tuple(_unknown(one) if isinstance(one, str) else next(proofs) for one in sides)


def _run(sides: tuple[_Side, ...]) -> tuple[Proof, ...]:
    rig = _rig(sides)
    if isinstance(rig, str):
        return (_unknown(rig),) * (len(sides) - 1)
    found = tuple(rig.explorer.explore(TRIES, SEED))
    if rig.explorer.why:
        return (_unknown(rig.explorer.why),) * (len(sides) - 1)
    kept = chosen(found)
    return tuple(_proof(rig, number, found, kept) for number in range(1, len(sides)))


def _proof(rig: _Rig, number: int, found: tuple[Found, ...], kept: tuple[Found, ...]) -> Proof:
    before, after = rig.sides[0], rig.sides[number]
    plain = _plain(kept)
    every = tuple(_every(rig, number, found, kept))
    said = CHECK.judge(Evidence(pairs=every, declared=_told(after.trial)))
    met = coverage(after.image, after.listing.symbol, (pair.after for pair in every))
    if said.outcome is Outcome.PASS and met.entries and not met.reached:
        said = Judgement(Outcome.UNKNOWN, f"no run came to an access of {after.listing.symbol}")
    return Proof(
        judgement=said,
        before=coverage(before.image, before.listing.symbol, (pair.before for pair in every)),
        after=met,
        plain=(plain.runs[0], plain.runs[number]) if plain else None,
        inputs=len(kept),
        runs=2 * len(every),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    trial: Trial
    image: Image
    listing: Listing


def _side(trial: Trial, symbol: str = "") -> _Side | str:
    if trial.build.path is None or trial.listing is None:
        return "no object holds the function"
    if symbol not in ("", trial.listing.symbol):
        return f"{symbol} became {trial.listing.symbol}"
    made = image(trial)
    return made.why if isinstance(made, Unbuilt) else _Side(trial, made, trial.listing)


class _Rig:
    """The variants on machines of their own, and what calls them."""

    __slots__ = ("_bits", "_emulators", "_namings", "explorer", "sides")

    def __init__(self, sides: tuple[_Side, ...], types: Prototypes, prototype: Prototype) -> None:
        self.sides = sides
        first = sides[0]
        names = {e.name for one in sides for e in one.image.externals if e.called}
        known = (callee(first.image, types, name) for name in sorted(names))
        callees = {one.name: one for one in known if one is not None}
        self._emulators = tuple(Emulator(one.image) for one in sides)
        self._namings = tuple(Naming(one.image, callees) for one in sides)
        self._bits = 8 * types.kind(prototype.result).size
        told = hints(first.trial.draft.target.function)
        world = World(first.image, Leaves(types), told, types.locals(prototype.name))
        world.constants = tuple(sorted(set(_constants(one.listing for one in sides))))
        self.explorer = Explorer(self._emulators, world, types, prototype, callees.values())

    def variants(self, number: int) -> Variants:
        """Return the function as it stood beside the variant of that number."""
        return Variants(
            function=self.sides[0].listing.symbol,
            before=self._emulators[0],
            after=self._emulators[number],
            bits=self._bits,
            namings=(self._namings[0], self._namings[number]),
        )


def _rig(sides: tuple[_Side, ...]) -> _Rig | str:
    first = sides[0]
    types = Prototypes(content(first.trial.build.path or ""))
    prototype = types.function(first.listing.symbol)
    if prototype is None:
        return f"nothing tells what {first.listing.symbol} is called with"
    return _Rig(sides, types, prototype)


def _plain(kept: tuple[Found, ...]) -> Found | None:
    # Of the calls in which nothing faults and all is well, the one that makes most accesses.
    fine = [
        one
        for one in kept
        if not any(run.faults or run.ended for run in one.runs) and one.runs[0].accesses
    ]
    if not fine:
        return None
    return max(fine, key=lambda one: (len(one.runs[0].accesses), -one.runs[0].instructions))


def _every(
    rig: _Rig, number: int, found: tuple[Found, ...], kept: tuple[Found, ...]
) -> Iterator[Pair]:
    variants = rig.variants(number)
    for one in found:
        runs = one.runs[0], one.runs[number]
        yield paired(variants, runs, one.given, "nothing faults", fault=False)
    for at, one in enumerate(kept):
        yield from _pairs(rig.explorer, variants, one, thorough=at == 0)


def _pairs(
    explorer: Explorer, variants: Variants, found: Found, *, thorough: bool
) -> tuple[Pair, ...]:
    # A fault may lead to memory of the kernel that nothing looked at before.
    made: tuple[Pair, ...] = ()
    for _ in range(_ROUNDS):
        given = explorer.trimmed(found)
        made = tuple(pairs(variants, given, explorer.size, thorough=thorough))
        grown = [explorer.demands(run) for pair in made for run in (pair.before, pair.after)]
        if not any(grown):
            break
    return made


def _constants(listings: Iterable[Listing]) -> Iterator[int]:
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
