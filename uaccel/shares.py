# SPDX-License-Identifier: GPL-2.0-only
"""What each symbol has of a profile, so that the profiles of several variants can be compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from uaccel.accessors import bare, is_accessor
from uaccel.model.profile import Profile, Stack, Symbol, Tool

# What the copies of lib/usercopy.c call to check the kernel's side: mm/usercopy.c.
_CHECKS = re.compile(
    r"__check_object_size|_*check_(?:heap|stack|kernel_text)_object|check_bogus_\w+"
)
_MAYBE = re.compile(r"_*mem(?:cpy|move|set)\w*|_*pi_mem(?:cpy|move|set)\w*")
# A processor that has nothing to do is no function that got slower.
_IDLE = re.compile(
    r"\w*(?:safe_halt|mwait_idle\w*|cpu_idle\w*|default_idle\w*|idle_enter\w*|do_idle|poll_idle)"
    r"|cpuidle_\w+|acpi_\w*idle\w*|intel_idle\w*|power\w*_idle|psci_\w*enter\w*|snooze_loop"
)
# Entries of interrupts and what runs behind them: the machine does that by itself.
_INTERRUPT = re.compile(
    r"(?:asm_)?sysvec_\w+|(?:asm_)?common_interrupt|irqentry_\w+|\w*irq_(?:enter|exit)\w*"
    r"|\w*do_softirq\w*|handle_softirqs|run_(?:timer|rebalance)\w*|\w*hrtimer_interrupt"
    r"|(?:el[01]\w*|gic\w*|bad)_(?:irq|interrupt)\w*|timer_interrupt|do_IRQ"
)
_SAMPLES = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)")
_UNITS = {"": 1, "K": 1000, "M": 1000_000, "G": 1000_000_000}


class Key(NamedTuple):
    """A function, however it is written: its parts that compilers split off are with it."""

    side: str  # "kernel", "user", or "" when no profile says it
    name: str


@dataclass(frozen=True, slots=True)
class Tally:
    """One run of one variant.  Shares are in percent of all samples."""

    own: Mapping[Key, float]  # what each symbol has by itself
    named: Mapping[Key, Symbol]  # how it is written, of several the heaviest
    copied: Mapping[Key, Mapping[Key, float]]  # copies charged to who called them; with chains
    called: Mapping[Key, Mapping[Key, float]]  # what a symbol has, by who called it right there
    marked: frozenset[Key]  # by a person
    unread: int  # lines that could not be read
    samples: int | None
    bound: float  # what it does not list has at most so much
    has_chains: bool

    @property
    def listed(self) -> float:
        """Return what all its symbols have together."""
        return sum(self.own.values())


def is_copy(key: Key) -> bool:
    """Return whether `key` is an out-of-line accessor, or what the copies call themselves."""
    named = is_accessor(key.name) or bool(_CHECKS.fullmatch(key.name))
    return key.side != "user" and named


def is_memory(key: Key) -> bool:
    """Return whether `key` moves or fills memory of any kind: it may serve a copy, or not."""
    return bool(_MAYBE.fullmatch(key.name))


def is_idle(key: Key) -> bool:
    """Return whether `key` is where a processor waits that has nothing to do."""
    return key.side != "user" and bool(_IDLE.fullmatch(key.name))


def is_interrupt(key: Key) -> bool:
    """Return whether `key` serves interrupts, which no call of a program makes."""
    return key.side != "user" and bool(_INTERRUPT.fullmatch(key.name))


def is_named(key: Key) -> bool:
    """Return whether `key` is a function, and no address that the profile has no name for."""
    return not key.name.startswith(("[", "0x")) and not re.fullmatch(r"[0-9a-f]{8,16}", key.name)


def tallies(variants: Sequence[Sequence[Profile]]) -> tuple[tuple[Tally, ...], ...]:
    """Return a tally of each run of each variant; one function has the same key in all."""
    sides: dict[str, set[str]] = defaultdict(set)
    for runs in variants:
        for profile in runs:
            for one in _symbols(profile):
                sides[bare(one.name)].add(_side(one))
    keys = _Keys({name: seen - {""} for name, seen in sides.items()})
    return tuple(tuple(_tally(profile, keys) for profile in runs) for runs in variants)


def share(runs: Iterable[Tally], key: Key) -> float | None:
    """Return the median share of `key`; None when most of the runs do not list it."""
    values = [run.own.get(key) for run in runs]
    if 2 * values.count(None) >= len(values):
        return None
    return median(value or 0.0 for value in values)


def bound(runs: Iterable[Tally]) -> float:
    """Return what a symbol that the runs do not list has at most."""
    return max((run.bound for run in runs), default=0.0)


def samples(said: str) -> int | None:
    """Return how many samples a profile says that it has, at least; None when it does not."""
    match = _SAMPLES.fullmatch(said)
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


@dataclass(frozen=True, slots=True)
class _Keys:
    sides: Mapping[str, set[str]]  # on which sides a name was seen

    def of(self, one: Symbol) -> Key:
        name, side = bare(one.name), _side(one)
        known = self.sides.get(name, set())
        # A profile that does not say it means the one that the others name, if they name one.
        return Key(side or (next(iter(known)) if len(known) == 1 else ""), name)


def _side(one: Symbol) -> str:
    return {True: "kernel", False: "user", None: ""}[one.kernel]


def _symbols(profile: Profile) -> Iterator[Symbol]:
    yield from (row.symbol for row in profile.rows)
    for stack in profile.stacks:
        yield from stack.symbols


def _tally(profile: Profile, keys: _Keys) -> Tally:
    own: dict[Key, float] = defaultdict(float)
    heaviest: dict[Key, tuple[float, Symbol]] = {}
    for row in profile.rows:
        key = keys.of(row.symbol)
        own[key] += row.percent
        if key not in heaviest or row.percent > heaviest[key][0]:
            heaviest[key] = row.percent, row.symbol
    copied, called = _charged(profile, keys, own)
    return Tally(
        own=dict(own),
        named={key: symbol for key, (_, symbol) in heaviest.items()},
        copied=copied,
        called=called,
        marked=_marked(profile, keys),
        unread=profile.unread,
        samples=samples(profile.samples),
        bound=_bound(profile),
        has_chains=profile.has_chains,
    )


def _marked(profile: Profile, keys: _Keys) -> frozenset[Key]:
    marked = [row.symbol for row in profile.rows if getattr(row, "marked", False)]
    # Marks on most of the rows are the tool's, and point at nothing.
    return frozenset(map(keys.of, marked)) if 2 * len(marked) <= len(profile.rows) else frozenset()


def _bound(profile: Profile) -> float:
    # A listing is cut below its smallest row, and all that is left is what it does not show.
    # With callees, they are what it is sorted and cut by; perf diff sorts by what changed.
    rest = max(0.0, 100 - sum(row.percent for row in profile.rows))
    if profile.tool is Tool.DIFF:
        return rest
    ends = (row.percent if row.with_callees is None else row.with_callees for row in profile.rows)
    return min((*ends, rest))


Charges = dict[Key, dict[Key, float]]


def _charged(
    profile: Profile, keys: _Keys, own: Mapping[Key, float]
) -> tuple[Mapping[Key, Mapping[Key, float]], Mapping[Key, Mapping[Key, float]]]:
    copied: Charges = defaultdict(lambda: defaultdict(float))
    called: Charges = defaultdict(lambda: defaultdict(float))
    left = dict(own)
    for stack in profile.stacks:
        hosts = _hosts(stack, keys)
        if not hosts:
            continue
        leaf, callers = hosts[0], hosts[1:]
        if callers:
            called[leaf][callers[0]] += stack.percent
        if not (is_copy(leaf) or is_memory(leaf)):
            continue
        caller = next((one for one in callers if not is_copy(one)), None)
        # A report rounds its graphs: no more is charged than the symbol has.
        percent = min(stack.percent, left.get(leaf, 0.0))
        if caller is not None and is_named(caller) and percent > 0:
            copied[caller][leaf] += percent
            left[leaf] -= percent
    return copied, called


def _hosts(stack: Stack, keys: _Keys) -> list[Key]:
    # What is inlined is no symbol of the object.
    return [keys.of(one) for one in stack.symbols if not one.inlined]
