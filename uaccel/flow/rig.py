# SPDX-License-Identifier: GPL-2.0-only
"""Variants of one function on machines of their own: what is found where they are called."""

from __future__ import annotations

import re
from collections import ChainMap, Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from uaccel.checks.same import CHECK, unfit
from uaccel.flow.beside import PLAIN, Variants, astray, paired, pairs, ways
from uaccel.flow.exploring import Explorer, Found, chosen
from uaccel.flow.hints import Hints
from uaccel.flow.leaves import Leaves
from uaccel.flow.matrix import Row, rows
from uaccel.flow.naming import Naming, callee
from uaccel.flow.reach import coverage
from uaccel.flow.world import World
from uaccel.host.emulator import Emulator
from uaccel.model.judgement import Evidence, Judgement, Outcome
from uaccel.model.kinds import Prototype, Shape
from uaccel.model.machine import Listing
from uaccel.model.run import Coverage, Fault, Image, Pair, Run, bare
from uaccel.model.source import Direction
from uaccel.read.prototypes import Prototypes

TRIES = 800  # inputs that are looked at
SEED = 1
_LONGER = 4  # times that so many are looked at, where they do not come to every access
_EFAULT = -14
_SOME = 128  # pairs that are judged at once
_ROUNDS = 6  # times that an input is completed by what only a fault looks at
_HALVES = (16, 12, 0)  # bits by which the first part of a constant is shifted: ppc, riscv, arm
_COMPARES = re.compile(r"c(?!all)|sub|xor")  # every architecture's comparisons, and x86's others
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
    met: tuple[Row, ...] = ()  # what came of the faults, of the input that makes most accesses


@dataclass(frozen=True, slots=True)
class Side:
    """One variant of a function."""

    image: Image
    listing: Listing
    declared: tuple[str, ...]  # what its style says a user program could notice; () as it stood


def unknown(why: str) -> Proof:
    """Return that nothing is known, and why."""
    return Proof(Judgement(Outcome.UNKNOWN, why))


def prove_sides(sides: tuple[Side, ...], data: bytes, told: Hints) -> tuple[Proof, ...]:
    """Return what runs of all `sides` but the first show, each beside that.

    `data` is the object of the first, whose debug information tells what the function is called
    with, and `told` what its text says besides.
    """
    first = sides[0].listing.symbol
    types = Prototypes(data)
    prototype = types.function(first)
    if prototype is None:
        why = f"nothing tells what {first} is called with"
        return (unknown(why),) * (len(sides) - 1)
    returned = types.kind(prototype.result)
    if returned.shape is Shape.AGGREGATE and returned.size > 2 * sides[0].image.bits // 8:
        why = f"{first} returns a struct of {returned.size} bytes"
        return (unknown(why),) * (len(sides) - 1)
    rig = _Rig(sides, types, prototype, told)
    found = _found(rig)
    if rig.explorer.why:
        return (unknown(rig.explorer.why),) * (len(sides) - 1)
    image = sides[0].image
    rig.ways = ways(one.runs[0] for one in found)
    firsts = (astray(one.runs[0], rig.ways, image.emulation, one.runs[-1]) for one in found)
    pairs_of = zip(found, firsts, strict=True)
    found = tuple(replace(one, runs=(first, *one.runs[1:])) for one, first in pairs_of)
    kept = chosen(found, image.accesses_guarded)
    return tuple(_proof(rig, number, found, kept) for number in range(1, len(sides)))


def _found(rig: _Rig) -> tuple[Found, ...]:
    # Longer where an access was not made, as long as it leads on.
    found: tuple[Found, ...] = ()
    went = (-1, -1)
    for number in range(_LONGER):
        found += tuple(rig.explorer.explore(TRIES, SEED + number, found))
        told = [one for one in found if not unfit(one.runs[0], rig.sides[0].image.accesses_guarded)]
        met = [
            coverage(side.image, side.listing, (one.runs[at] for one in told))
            for at, side in enumerate(rig.sides)
        ]
        before, went = went, (sum(one.reached for one in met), sum(one.taken for one in met))
        if rig.explorer.why or went == before or went[0] == sum(one.entries for one in met):
            break
    return found


class _Rig:
    """The variants on machines of their own, and what calls them."""

    __slots__ = ("_bits", "_emulators", "_namings", "_truth", "explorer", "sides", "ways")

    def __init__(
        self, sides: tuple[Side, ...], types: Prototypes, prototype: Prototype, told: Hints
    ) -> None:
        self.sides = sides
        self.ways: dict[int, frozenset[Direction]] = {}
        first = sides[0]
        names = {e.name for one in sides for e in one.image.externals if e.called}
        known = (callee(first.image, types, name) for name in sorted(names))
        callees = {one.name: one for one in known if one is not None}
        self._emulators = tuple(Emulator(one.image) for one in sides)
        self._bits = 8 * types.kind(prototype.result).size
        self._truth = types.kind(prototype.result).truth
        world = World(first.image, Leaves(types), told, types.locals(prototype.name))
        world.statics = frozenset[str].intersection(*(_statics(one.image) for one in sides))
        numbers = dict(sorted(_constants(one.listing for one in sides)))
        world.constants = tuple(numbers)
        world.compared = tuple(value for value, compared in numbers.items() if compared)
        self.explorer = Explorer(self._emulators, world, types, prototype, callees.values())
        named = ChainMap(callees, self.explorer.pointed)
        self._namings = tuple(Naming(one.image, named, world.leaves) for one in sides)

    def refusal(self, kept: tuple[Found, ...]) -> int:
        """Return what the function as it stood returns where an access faults.

        `kept` are calls of it; where none of them tells, it is -EFAULT.
        """
        for one in kept:
            step = next((access.step for access in one.runs[0].accesses if access.step >= 0), None)
            if step is not None:
                given = replace(one.given, fault=Fault(step, sticky=True))
                run = self._emulators[0].execute(self.sides[0].listing.symbol, given)
                if run.faults and run.result is not None and not run.ended:
                    low = run.result & ((1 << self._bits) - 1)
                    low &= 1 if self._truth else -1
                    return low - (1 << self._bits) if self._bits and low >> self._bits - 1 else low
        return _EFAULT

    def variants(self, number: int) -> Variants:
        """Return the function as it stood beside the variant of that number."""
        return Variants(
            function=self.sides[0].listing.symbol,
            before=self._emulators[0],
            after=self._emulators[number],
            bits=self._bits,
            namings=(self._namings[0], self._namings[number]),
            ways=self.ways,
        )


def _proof(rig: _Rig, number: int, found: tuple[Found, ...], kept: tuple[Found, ...]) -> Proof:
    before, after = rig.sides[0], rig.sides[number]
    plain = _plain(kept)
    refusal = rig.refusal(kept)
    made_of = (
        (thorough, replace(one, refusal=refusal))
        for thorough, one in _every(rig, number, found, kept)
    )
    marked, said = _judged(made_of, after.declared)
    every = tuple(pair for _, pair in marked)
    main = tuple(pair for thorough, pair in marked if thorough)
    told = tuple(pair for pair in every if not unfit(pair.before, pair.guarded))
    met = coverage(after.image, after.listing, (pair.after for pair in told))
    made = any(pair.after.accesses for pair in told)
    if said.outcome is Outcome.PASS and not (met.reached if met.entries else made):
        said = Judgement(Outcome.UNKNOWN, f"no run made an access of {after.listing.symbol}")
    return Proof(
        judgement=said,
        before=coverage(before.image, before.listing, (pair.before for pair in told)),
        after=met,
        plain=(plain.runs[0], plain.runs[number]) if plain else None,
        inputs=len(kept),
        runs=2 * len(every),
        met=rows(main, every, after.declared, said),
    )


def _judged(
    pairs: Iterator[tuple[bool, Pair]], declared: tuple[str, ...]
) -> tuple[tuple[tuple[bool, Pair], ...], Judgement]:
    # What is made behind the first difference would not be looked at.
    every: list[tuple[bool, Pair]] = []
    while some := tuple(islice(pairs, _SOME)):
        every += some
        said = CHECK.judge(Evidence(pairs=tuple(pair for _, pair in some), declared=declared))
        if said.outcome is Outcome.FAIL:
            return tuple(every), said
    whole = tuple(pair for _, pair in every)
    return tuple(every), CHECK.judge(Evidence(pairs=whole, declared=declared))


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
) -> Iterator[tuple[bool, Pair]]:
    # Each with whether it is of the input on which everything is tried.
    variants = rig.variants(number)
    for one in found:
        runs = one.runs[0], one.runs[number]
        yield False, paired(variants, runs, one.given, PLAIN)
    for at, one in enumerate(kept):
        thorough = at == 0
        made = _pairs(rig.explorer, variants, one, thorough=thorough)
        yield from ((thorough, pair) for pair in made)


def _pairs(
    explorer: Explorer, variants: Variants, found: Found, *, thorough: bool
) -> tuple[Pair, ...]:
    # A fault may lead to memory of the kernel that nothing looked at before.
    made: tuple[Pair, ...] = ()
    for _ in range(_ROUNDS):
        given = explorer.trimmed(found)
        made = tuple(pairs(variants, given, explorer.size, explorer.extent, thorough=thorough))
        grown = [explorer.demands(run) for pair in made for run in (pair.before, pair.after)]
        if not any(grown):
            break
    return made


def _statics(image: Image) -> frozenset[str]:
    # Variables that may have other values, and whose bare name is no other one's.
    names = Counter(bare(name) for name, _, _ in image.data)
    writable = [one for one in image.segments if one.writable]
    kept = (name for name, at, _ in image.data if any(one.holds(at) for one in writable))
    return frozenset(bare(name) for name in kept if names[bare(name)] == 1)


def _constants(listings: Iterable[Listing]) -> Iterator[tuple[int, bool]]:
    # Every number in the code, and those that it makes of two; whether it compares with it.
    for listing in listings:
        last = 0
        for insn in listing.insns:
            shown = [int(one, 0) for one in _NUMBER.findall(insn.operands)]
            if insn.target is None and shown:
                yield shown[-1], _COMPARES.match(insn.mnemonic) is not None
                for shift in _HALVES:
                    yield (last << shift) + shown[-1] & 0xFFFFFFFF, False
                last = shown[-1]
