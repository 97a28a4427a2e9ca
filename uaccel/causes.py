# SPDX-License-Identifier: GPL-2.0-only
"""Which function a comparison is about: named, marked, known from a tree, or what moved."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from uaccel.accessors import plain
from uaccel.errors import UserError
from uaccel.shares import Key, Tally, bound, is_copy, is_memory, is_named, share

TWICE = 2.0  # what stands out has moved so many times as much as the next
QUARTER = 1.25  # and is so many times what it would be had it moved like the others, or a part
HALF = 0.5  # points of percent: less is not looked at
SURE = 3.3  # standard errors of sampling, where the number of samples is known: one in a thousand
_KERNEL = 10.0  # percent: where it has more, it is the kernel's function that is looked for
_SLIGHT = 0.05  # percent: rows below are too few samples to tell how all the others moved
_WHOLE = 0.1  # percent: a listing that shows all that has more than this is a whole one
# A processor that has nothing to do is no function that got slower.
_IDLE = re.compile(
    r"\w*(?:safe_halt|mwait_idle\w*|cpu_idle\w*|default_idle\w*|idle_enter\w*|do_idle|poll_idle)"
    r"|cpuidle_\w+|acpi_\w*idle\w*|intel_idle\w*|power\w*_idle|psci_\w*enter\w*|snooze_loop"
)

Runs = Sequence[Tally]
Holders = Mapping[str, tuple[str, ...]]  # functions with clusters, and those they may be inside of


@dataclass(frozen=True, slots=True)
class Cause:
    """The functions that a group is about; none when nothing says which."""

    functions: tuple[Key, ...]  # the one that names the group first
    whys: Mapping[Key, str]  # why each of them belongs to it
    chosen: str  # how they were found: one sentence
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Move:
    # How much a family changed between two variants beside all others.
    functions: tuple[Key, ...]
    score: float  # in units of the square root of a percent; see docs/compare.md
    before: float
    after: float
    expected: float  # had it changed like the others
    pair: tuple[int, int]  # of variants
    listed: tuple[bool, bool]  # in them; what is not is bounded by where the listing ends
    sigmas: float | None  # of sampling; None where the number of samples is not known

    @property
    def is_much(self) -> bool:
        ratio = (self.after or 0.005) / (self.expected or 0.005)
        far = max(ratio, 1 / ratio) >= QUARTER and abs(self.after - self.expected) >= HALF
        return far and (self.sigmas is None or self.sigmas >= SURE)


def cause(
    variants: Sequence[Runs], names: Sequence[str], asked: Sequence[str], holders: Holders | None
) -> Cause:
    """Return what the comparison of `variants`, called `names`, is about.

    It is what was `asked` for, else what a person marked, else one of the `holders` that the
    profiles name, else what moved beside all others.
    """
    known = _known(variants)
    if not known:
        return Cause((), {}, "no profile was given, so no function is looked for")
    if asked:
        return _asked(known, variants, names, asked)
    if marked := _marked(variants):
        word = ", ".join(key.name for key in marked)
        return Cause(marked, dict.fromkeys(marked, "marked in the text"), f"{word}: marked there")
    guests = _guests(variants)
    notes: tuple[str, ...] = ()
    if holders is not None:
        families = tuple(_held(variants, holders))
        if found := _of_tree(variants, names, families):
            return found
        notes = (_no_holder(families),)
    families = tuple(_families(variants, known, guests))
    return _moved(variants, names, families, guests, notes)


def copies(runs: Runs, functions: Collection[Key], chains: bool) -> dict[Key, tuple[float, ...]]:
    """Return the copies that belong to `functions`, run by run: with chains what they called."""
    if not chains:
        found = {key for run in runs for key in run.own if is_copy(key)}
        return {key: tuple(run.own.get(key, 0.0) for run in runs) for key in sorted(found)}
    charged = [_charged(run, functions) for run in runs]
    keys = sorted({key for one in charged for key in one})
    return {key: tuple(one.get(key, 0.0) for one in charged) for key in keys}


def have_chains(variants: Sequence[Runs]) -> bool:
    """Return whether each run of each variant says who called what."""
    runs = [run for one in variants for run in one]
    return bool(runs) and all(run.has_chains for run in runs)


def _charged(run: Tally, functions: Collection[Key]) -> dict[Key, float]:
    sums: dict[Key, float] = {}
    for function in functions:
        for key, percent in run.copied.get(function, {}).items():
            sums[key] = sums.get(key, 0.0) + percent
    return sums


def _known(variants: Sequence[Runs]) -> dict[Key, None]:
    return {key: None for runs in variants for run in runs for key in run.own}


def _called(known: Iterable[Key], name: str) -> list[Key]:
    same = [key for key in known if key.name == name]
    return same or [key for key in known if key.side != "user" and plain(key.name) == plain(name)]


def _asked(
    known: Iterable[Key], variants: Sequence[Runs], names: Sequence[str], asked: Sequence[str]
) -> Cause:
    functions: dict[Key, None] = {}
    for name in asked:
        found = _called(known, name)
        if not found:
            raise UserError(f"no listing names a function {name}")
        functions.update(dict.fromkeys(found))
    notes = tuple(_absent(functions, variants, names))
    return Cause(
        tuple(functions), dict.fromkeys(functions, "the function"), "named by --function", notes
    )


def _absent(
    functions: Iterable[Key], variants: Sequence[Runs], names: Sequence[str]
) -> Iterator[str]:
    for key in functions:
        for runs, name in zip(variants, names, strict=True):
            if runs and share(runs, key) is None:
                most = f"it has at most {bound(runs):.2f} % there"
                yield f"{key.name} is not listed in {name}: {most}, or is inlined"


def _marked(variants: Sequence[Runs]) -> tuple[Key, ...]:
    marked = {key for runs in variants for run in runs for key in run.marked}
    functions = (key for key in marked if not is_copy(key) and is_named(key))
    return tuple(sorted(functions, key=lambda key: (-_most(variants, key), key)))


def _most(variants: Sequence[Runs], key: Key) -> float:
    return max((share(runs, key) or 0.0 for runs in variants if runs), default=0.0)


# What a tree knows


def _held(variants: Sequence[Runs], holders: Holders) -> Iterator[tuple[Key, ...]]:
    # A function that some profile names is itself; where none does, it is in its nearest caller.
    indices = [_by_name(runs) for runs in variants if runs]
    seen = set()
    for function, callers in holders.items():
        family: dict[Key, None] = {}
        for index in indices:
            near = (index.get(plain(name)) for name in (function, *callers))
            family.update(dict.fromkeys(next(filter(None, near), ())))
        whole = tuple(sorted(family, key=lambda key: plain(key.name) != plain(function)))
        if whole and whole not in seen:
            seen.add(whole)
            yield whole


def _by_name(runs: Runs) -> dict[str, list[Key]]:
    index: dict[str, list[Key]] = {}
    for key in _known([runs]):
        if key.side != "user" and share(runs, key) is not None:
            index.setdefault(plain(key.name), []).append(key)
    return index


def _of_tree(
    variants: Sequence[Runs], names: Sequence[str], families: Sequence[tuple[Key, ...]]
) -> Cause | None:
    if len(families) == 1:
        said = "the only function of the tree with a cluster that the profiles name"
        return Cause(families[0], dict.fromkeys(families[0], "holds a cluster"), said)
    moves = _moves(variants, families, {})
    if not _stands_out(moves):
        return None
    family = moves[0].functions
    said = f"of {len(families)} functions of the tree with clusters, {_told(moves, names)}"
    return Cause(family, dict.fromkeys(family, "holds a cluster"), said)


def _no_holder(families: Sequence[tuple[Key, ...]]) -> str:
    if not families:
        return "the profiles name no function of the tree that holds a cluster"
    named = ", ".join(family[0].name for family in families[:3])
    return f"functions of the tree that hold clusters ({named}, ...): no share of theirs stands out"


# What moved beside all others


def _guests(variants: Sequence[Runs]) -> dict[Key, Key]:
    # What only some variants have as a symbol, and one function alone calls there, is a part of
    # that function: the others have it inlined, or do without it.
    if len(variants) < 2 or not have_chains(variants):
        return {}
    found = {}
    for key in _known(variants):
        shares = [share(runs, key) for runs in variants]
        gone = [runs for runs, one in zip(variants, shares, strict=True) if one is None]
        if not gone or max(one or 0.0 for one in shares) < HALF or is_copy(key) or is_memory(key):
            continue
        callers = {
            caller for runs in variants for run in runs for caller in run.called.get(key, {})
        }
        (only,) = callers if len(callers) == 1 else (None,)
        if only is not None and bound_of(gone) <= _WHOLE and _stays(variants, only):
            found[key] = only
    return found


def bound_of(variants: Iterable[Runs]) -> float:
    """Return what a symbol that none of `variants` lists has at most in any of them."""
    return max((bound(runs) for runs in variants), default=0.0)


def _stays(variants: Sequence[Runs], key: Key) -> bool:
    return is_named(key) and all(share(runs, key) is not None for runs in variants)


def _families(
    variants: Sequence[Runs], known: Iterable[Key], guests: Mapping[Key, Key]
) -> Iterator[tuple[Key, ...]]:
    held = (is_kernel_heavy(runs) for runs in variants if runs)
    pool = {"kernel"} if any(held) else {"kernel", "user", ""}
    for key in known:
        if key.side not in pool or key in guests or not _may_be(key):
            continue
        if _most(variants, key) >= HALF:
            yield (key, *(guest for guest, host in guests.items() if host == key))


def is_kernel_heavy(runs: Runs) -> bool:
    """Return whether the kernel has so much of the samples that it is what was measured."""
    shares = (share(runs, key) or 0.0 for key in _known([runs]) if key.side == "kernel")
    return sum(shares) >= _KERNEL


def _may_be(key: Key) -> bool:
    idle = key.side != "user" and _IDLE.fullmatch(key.name)
    return is_named(key) and not (is_copy(key) or is_memory(key) or idle)


def _moved(
    variants: Sequence[Runs],
    names: Sequence[str],
    families: Sequence[tuple[Key, ...]],
    guests: Mapping[Key, Key],
    notes: tuple[str, ...],
) -> Cause:
    moves = _moves(variants, families, guests)
    if not _stands_out(moves):
        return Cause((), {}, _unknown(variants, moves, names), notes)
    family = moves[0].functions
    whys = dict.fromkeys(family, f"{family[0].name} alone calls it")
    whys[family[0]] = "its share changed most"
    return Cause(family, whys, _told(moves, names), notes)


def _moves(
    variants: Sequence[Runs], families: Sequence[tuple[Key, ...]], guests: Mapping[Key, Key]
) -> list[_Move]:
    chains = have_chains(variants)
    pairs = [
        pair for pair in combinations(range(len(variants)), 2) if all(variants[i] for i in pair)
    ]
    beside = {pair: _beside(variants, pair, guests) for pair in pairs}
    best = [
        max((_move(variants, pair, family, beside[pair], chains) for pair in pairs), key=_score)
        for family in families
        if pairs
    ]
    return sorted(best, key=_score, reverse=True)


def _score(move: _Move) -> float:
    return move.score


def _stands_out(moves: Sequence[_Move]) -> bool:
    if not moves or not moves[0].is_much:
        return False
    return len(moves) == 1 or moves[0].score >= TWICE * moves[1].score


Logs = Mapping[Key, tuple[float, float]]  # logarithm of the ratio of a symbol's shares, its weight


def _beside(variants: Sequence[Runs], pair: tuple[int, int], guests: Mapping[Key, Key]) -> Logs:
    logs = {}
    for key in _known([variants[pair[0]]]):
        before, after = (share(variants[i], key) or 0.0 for i in pair)
        if min(before, after) >= _SLIGHT and is_named(key) and key not in guests:
            # The ratio of two counts has the error sqrt(1/a + 1/b).
            weight = math.sqrt(before * after / (before + after))
            logs[key] = math.log(after / before), weight
    return logs


def _move(
    variants: Sequence[Runs],
    pair: tuple[int, int],
    family: tuple[Key, ...],
    logs: Logs,
    chains: bool,
) -> _Move:
    before, after = (_value(variants[i], family, chains) for i in pair)
    others = [one for key, one in logs.items() if key not in family and not is_copy(key)]
    factor = math.exp(_middle(others))
    listed = before is not None, after is not None
    # What a listing does not show is taken for what makes the change smallest.
    if before is None:
        before = min((after or 0.0) / factor, bound(variants[pair[0]]))
    if after is None:
        after = min(before * factor, bound(variants[pair[1]]))
    expected = before * factor
    error = math.sqrt(after + expected)  # of two counts' difference, but for their number
    score = abs(after - expected) / error if error else 0.0
    counts = [sum(run.samples or 0 for run in variants[i]) for i in pair]
    sigmas = score * math.sqrt(min(counts) / 100) if all(counts) else None
    return _Move(family, score, before, after, expected, pair, listed, sigmas)


def _value(runs: Runs, family: tuple[Key, ...], chains: bool) -> float | None:
    shares = [share(runs, key) for key in family]
    if all(one is None for one in shares):
        return None
    charged = copies(runs, family, chains=True).values() if chains else ()
    return sum(one or 0.0 for one in shares) + sum(sorted(c)[len(c) // 2] for c in charged)


def _middle(weighed: Sequence[tuple[float, float]]) -> float:
    half, below = sum(weight for _, weight in weighed) / 2, 0.0
    for value, weight in sorted(weighed):
        below += weight
        if below >= half:
            return value
    return 0.0


def _told(moves: Sequence[_Move], names: Sequence[str]) -> str:
    first = moves[0]
    shares = [
        f"{'' if listed else 'at most '}{value:.2f} % in {names[at]}"
        for listed, value, at in zip(
            first.listed, (first.before, first.after), first.pair, strict=True
        )
    ]
    told = (
        f"{first.functions[0].name} moved most: {', '.join(shares)}, where it would have "
        f"{first.expected:.2f} % had it changed like the others"
    )
    if len(moves) < 2 or not moves[1].score:
        return told
    times = first.score / moves[1].score
    return f"{told}; that is {times:.1f} times what {moves[1].functions[0].name}, the next, moved"


def _unknown(variants: Sequence[Runs], moves: Sequence[_Move], names: Sequence[str]) -> str:
    told = "unknown which function it is"
    if len([runs for runs in variants if runs]) < 2:
        return f"{told}: one listing alone does not show what changes; --function names it"
    if not moves:
        return f"{told}: no symbol has half a percent; --function names it"
    told = f"{told}, none stands out: {_told(moves, names)}"
    return f"{told}; --function names it"
