# SPDX-License-Identifier: GPL-2.0-only
"""Weigh the functions that hold clusters by a profile, or by the openings that a window saves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from uaccel.accessors import is_accessor, plain
from uaccel.model.account import Unattributed
from uaccel.model.profile import Profile, Stack, Symbol
from uaccel.model.support import STANDING
from uaccel.model.survey import Sighting

_NOTHING = 1e-9  # percent: what is left where floats do not add up


class How(Enum):
    """How a function came to a share of the samples."""

    OWN = "own"  # the symbol is the function's
    INLINED = "inlined"  # the stacks of the profile show it inlined into the symbol
    ACCESSORS = "accessor"  # the function calls the symbol, an out-of-line accessor
    THROUGH = "through"  # the symbol is a caller, and has it all if the function is inlined there


_HOW = {
    How.OWN: "own symbol {}",
    How.INLINED: "inlined into {}",
    How.ACCESSORS: "in {} that it calls",
    How.THROUGH: "at most through {} (inlined there)",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One share of a weight."""

    how: How
    symbol: str  # as the profile writes it: its own, the accessor's, or the caller's
    percent: float  # of all samples


@dataclass(frozen=True, slots=True)
class Weight:
    """What a function with a cluster weighs."""

    path: str
    function: str
    line: int  # of the cluster
    saved: int  # openings on the longest path that one window would save; 0 for a window
    at_least: bool  # a loop saves more
    percent: float | None  # of all samples, surely the function's; None: the profile has none
    at_most: float | None  # the same with all that may be its own, inlined into callers
    parts: tuple[Part, ...]  # surely its own first, then what it has at most; heaviest first
    elsewhere: tuple[str, ...]  # other files whose functions claim one of the same symbols

    @property
    def why(self) -> str:
        """Return how it came to its share; "" when the profile does not name it."""
        told = [f"{part.percent:.2f} % {_HOW[part.how].format(part.symbol)}" for part in self.parts]
        if self.elsewhere:
            told.append(f"it may be that of {', '.join(self.elsewhere)} too")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The weights, and what the profile has besides; shares are in percent of all samples."""

    weights: tuple[Weight, ...]  # in the order in which the functions were given
    samples: str  # in total, as the profile says; "" when it does not, or without a profile
    has_chains: bool
    says_kernel: bool  # false: it does not say which symbols are the kernel's, so all might be
    kernel: float  # symbols of the kernel: the three that follow, and what is unattributed
    held: float  # functions with clusters, and the accessors that they called
    possible: float  # functions into which one with clusters may be inlined, and their accessors
    others: float  # all other symbols, and the accessors that they called
    accessors: float  # out-of-line accessors, whoever called them
    unattributed: tuple[Unattributed, ...]  # those whose caller is not said, heaviest first


def weigh(profile: Profile | None, functions: Sequence[tuple[str, Sighting]]) -> Ranking:
    """Return the weight of each of `functions` (path and sighting) in `profile`.

    All clusters of one function have the weight of the function.  A function that the profile
    names is not looked for in its callers, unless what it names is a part that gcc split off.
    """
    claims = _Claims.of(functions)
    if profile is None:
        ledger, visible = _Ledger(says_kernel=False), frozenset[int]()
    else:
        ledger = _ledger(profile, claims)
        visible = _visible(profile, claims, ledger)
    shares = _Shares(claims, visible, ledger.opened)
    for charge in ledger.charges():
        shares.give(charge)
    left = tuple(_left(ledger, profile is not None and profile.has_chains))
    return Ranking(
        weights=tuple(shares.weight(i, *one) for i, one in enumerate(functions)),
        samples=profile.samples if profile else "",
        has_chains=profile is not None and profile.has_chains,
        says_kernel=ledger.says_kernel,
        kernel=shares.held + shares.possible + shares.others + sum(one.percent for one in left),
        held=shares.held,
        possible=shares.possible,
        others=shares.others,
        accessors=sum(ledger.accessors.values()),
        unattributed=left,
    )


def notes(profile: Profile, ranking: Ranking) -> tuple[str, ...]:
    """Return what to know of the profile beside its weights, a sentence each."""
    parts = (
        f"functions with clusters or windows {ranking.held:.2f} %",
        f"those that they may be inlined into {ranking.possible:.2f} %",
        f"accessors of unknown callers {sum(one.percent for one in ranking.unattributed):.2f} %",
        f"all others {ranking.others:.2f} %",
    )
    told = [
        ", ".join(filter(None, (profile.tool.value, profile.event, _samples(profile)))),
        f"the kernel has {ranking.kernel:.2f} % of all samples: {', '.join(parts)}",
    ]
    if not profile.has_chains:
        told.append("it has no call chains, so what is spent in accessors is given to no caller")
    if not ranking.says_kernel:
        told.append("it does not say which symbols are the kernel's, so any of them may be")
    if profile.unread:
        told.append(
            f"lines not understood: {profile.unread}, the first is `{profile.first_unread}`"
        )
    return tuple(told)


def _samples(profile: Profile) -> str:
    return f"{profile.samples} samples" if profile.samples else ""


Indices = tuple[int, ...]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class _Claims:
    # Which of the given functions answer to a name, by index.
    paths: tuple[str, ...]
    holders: dict[str, Indices]
    guests: dict[str, Indices]  # those that may be inlined into the function of that name

    @classmethod
    def of(cls, functions: Sequence[tuple[str, Sighting]]) -> _Claims:
        holders: dict[str, list[int]] = defaultdict(list)
        guests: dict[str, list[int]] = defaultdict(list)
        for i, (_, one) in enumerate(functions):
            for name in {one.function, plain(one.function)} - {""}:
                holders[name].append(i)
            for name in {*one.callers, *map(plain, one.callers)} - {one.function}:
                guests[name].append(i)
        return cls(tuple(path for path, _ in functions), _frozen(holders), _frozen(guests))

    def held(self, name: str) -> Indices:
        return self.holders.get(name) or self.holders.get(plain(name), ())

    def inside(self, name: str) -> Indices:
        return self.guests.get(name) or self.guests.get(plain(name), ())

    def rivals(self, name: str, index: int) -> set[str]:
        claimants = (*self.held(name), *self.inside(name))
        return {self.paths[i] for i in claimants} - {self.paths[index]}


def _frozen(lists: dict[str, list[int]]) -> dict[str, Indices]:
    return {name: tuple(indices) for name, indices in lists.items()}


@dataclass(frozen=True, slots=True)
class _Charge:
    # Samples that belong to the symbol `to`, and why.
    how: How
    to: Symbol
    symbol: str
    percent: float


@dataclass(slots=True)
class _Ledger:
    says_kernel: bool
    own: dict[Symbol, float] = field(default_factory=dict)
    more: dict[tuple[How, Symbol, str], float] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)  # whose inlined functions the profile shows
    accessors: dict[str, float] = field(default_factory=dict)
    charged: dict[str, float] = field(default_factory=dict)  # of them

    def kernel(self, one: Symbol) -> bool:
        return one.kernel is True or (not self.says_kernel and one.kernel is None)

    def charges(self) -> Iterator[_Charge]:
        for one, percent in self.own.items():
            if percent > 0:
                yield _Charge(How.OWN, one, one.written, percent)
        for (how, to, symbol), percent in self.more.items():
            yield _Charge(how, to, symbol, percent)


def _ledger(profile: Profile, claims: _Claims) -> _Ledger:
    ledger = _Ledger(any(one.kernel for one in _symbols(profile)))
    for row in profile.rows:
        if not ledger.kernel(row.symbol):
            continue
        if is_accessor(row.symbol.name):
            _count(ledger.accessors, row.symbol.written, row.percent)
        else:
            _count(ledger.own, row.symbol, row.percent)
    for stack in profile.stacks:
        _enter(ledger, stack, claims)
    return ledger


def _symbols(profile: Profile) -> Iterator[Symbol]:
    yield from (row.symbol for row in profile.rows)
    for stack in profile.stacks:
        yield from stack.symbols


def _enter(ledger: _Ledger, stack: Stack, claims: _Claims) -> None:
    groups = _groups(stack.symbols)
    if not groups or not ledger.kernel(groups[0][-1]):
        return
    leaf = groups[0][-1]
    ledger.opened |= {group[-1].name for group in groups if len(group) > 1}
    if not is_accessor(leaf.name):
        target = _nearest(groups[0], claims)
        if target.inlined and leaf in ledger.own:
            taken = min(stack.percent, ledger.own[leaf])
            ledger.own[leaf] -= taken
            _count(ledger.more, (How.INLINED, target, leaf.written), taken)
        return
    caller = next((group for group in groups if not is_accessor(group[-1].name)), None)
    if caller is None or caller[-1].kernel is False or caller[-1].name.startswith(("[", "0x")):
        return
    name = leaf.written
    percent = min(stack.percent, ledger.accessors.get(name, 0) - ledger.charged.get(name, 0))
    if percent > 0:
        _count(ledger.charged, name, percent)
        _count(ledger.more, (How.ACCESSORS, _nearest(caller, claims), name), percent)


def _count(sums: dict[Key, float], key: Key, percent: float) -> None:
    sums[key] = sums.get(key, 0) + percent


def _left(ledger: _Ledger, has_chains: bool) -> Iterator[Unattributed]:
    why = "the profile has no call chains" if not has_chains else "its call chains do not say"
    for name, percent in sorted(ledger.accessors.items(), key=lambda item: -item[1]):
        left = percent - ledger.charged.get(name, 0)
        if left > _NOTHING:
            yield Unattributed(name, left, f"an accessor, and who calls it is not known: {why}")


def _groups(symbols: Sequence[Symbol]) -> list[list[Symbol]]:
    # A symbol of the object closes the group of those inlined into it.
    groups: list[list[Symbol]] = [[]]
    for one in symbols:
        groups[-1].append(one)
        if not one.inlined:
            groups.append([])
    return [group for group in groups if group and not group[-1].inlined]


def _nearest(group: Sequence[Symbol], claims: _Claims) -> Symbol:
    return next((one for one in group if claims.held(one.name)), group[-1])


def _visible(profile: Profile, claims: _Claims, ledger: _Ledger) -> frozenset[int]:
    # A symbol of its own, and not only the part of it that gcc split off.
    return frozenset(
        i
        for one in set(_symbols(profile))
        if ledger.kernel(one) and not one.inlined and ".part." not in one.written
        for i in claims.held(one.name)
    )


@dataclass(slots=True)
class _Shares:
    claims: _Claims
    visible: frozenset[int]
    opened: set[str]
    sure: dict[int, list[Part]] = field(default_factory=lambda: defaultdict(list))
    maybe: dict[int, list[Part]] = field(default_factory=lambda: defaultdict(list))
    rivals: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    held: float = 0.0
    possible: float = 0.0
    others: float = 0.0

    def give(self, charge: _Charge) -> None:
        name = charge.to.name
        holders = self.claims.held(name)
        inside = () if name in self.opened else self.claims.inside(name)
        guests = [i for i in inside if i not in self.visible and i not in holders]
        for i in holders:
            self.sure[i].append(Part(charge.how, charge.symbol, charge.percent))
            self.rivals[i] |= self.claims.rivals(name, i)
        for i in guests:
            self.maybe[i].append(Part(How.THROUGH, charge.to.written, charge.percent))
            self.rivals[i] |= self.claims.rivals(name, i)
        if holders:
            self.held += charge.percent
        elif guests:
            self.possible += charge.percent
        else:
            self.others += charge.percent

    def weight(self, index: int, path: str, sighting: Sighting) -> Weight:
        sure, maybe = self.sure.get(index, []), self.maybe.get(index, [])
        percent = sum(part.percent for part in sure) if sure else None
        at_most = sum(part.percent for part in (*sure, *maybe)) if sure or maybe else None
        return Weight(
            path=path,
            function=sighting.function,
            line=sighting.line,
            saved=_saved(sighting),
            at_least=sighting.looped,
            percent=percent,
            at_most=at_most,
            parts=(*_merged(sure), *_merged(maybe)),
            elsewhere=tuple(sorted(self.rivals.get(index, ()))),
        )


def _merged(parts: Iterable[Part]) -> tuple[Part, ...]:
    sums: dict[tuple[How, str], float] = defaultdict(float)
    for part in parts:
        sums[part.how, part.symbol] += part.percent
    merged = [Part(how, symbol, percent) for (how, symbol), percent in sums.items()]
    return tuple(sorted(merged, key=lambda part: -part.percent))


def _saved(sighting: Sighting) -> int:
    return 0 if sighting.form in STANDING else max(0, sighting.longest - 1)
