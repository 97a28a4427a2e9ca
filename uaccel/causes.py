# SPDX-License-Identifier: GPL-2.0-only
"""Which function a comparison is about: named, marked, known from a tree, or what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from uaccel.accessors import bare, plain
from uaccel.errors import UserError
from uaccel.moves import HALF, QUARTER, Move, Runs, have_chains, known, moves, stands_out, told
from uaccel.shares import (
    Key,
    bound,
    is_copy,
    is_idle,
    is_interrupt,
    is_memory,
    is_named,
    share,
)

MARKED = "marked in the text"
_KERNEL = 10.0  # percent: where it has more, it is the kernel's function that is looked for
_SEEN = 0.005  # points of percent: less is no change with two digits
_TELLING = 5  # characters of a name that may stand in another one by kinship
_WHOLE = 0.1  # percent: a listing that shows all that has more than this is a whole one

Holders = Mapping[str, tuple[str, ...]]  # functions with clusters, and those they may be inside of


@dataclass(frozen=True, slots=True)
class Cause:
    """The functions that a group is about; none when nothing says which."""

    functions: tuple[Key, ...]  # the one that names the group first
    whys: Mapping[Key, str]  # why each of them belongs to it
    chosen: str  # how they were found: one sentence
    notes: tuple[str, ...] = ()


def cause(
    variants: Sequence[Runs], names: Sequence[str], asked: Sequence[str], holders: Holders | None
) -> Cause:
    """Return what the comparison of `variants`, called `names`, is about.

    It is what was `asked` for, else what a person marked, else one of the `holders` that the
    profiles name, else what moved beside all others.
    """
    every = known(variants)
    if not every:
        return Cause((), {}, "no profile was given, so no function is looked for")
    if asked:
        return _asked(every, asked)
    if marked := _marked(variants):
        word = " and ".join(key.name for key in marked)
        said = f"{word} {'are' if len(marked) > 1 else 'is'} {MARKED}"
        return Cause(marked, dict.fromkeys(marked, MARKED), said)
    guests = _guests(variants)
    notes: tuple[str, ...] = ()
    if holders is not None:
        families = tuple(_held(variants, holders))
        if found := _of_tree(variants, names, families):
            return found
        notes = (_no_holder(families),)
    families = tuple(_families(variants, every, guests))
    return _moved(variants, names, families, guests, notes)


def _called(keys: Iterable[Key], name: str) -> list[Key]:
    # The kernel's function first, and by the name of a system call too: libc has one of that name.
    name = bare(name)
    same = [key for key in keys if key.name == name]
    kernel = [key for key in same if key.side != "user"]
    calls = [key for key in keys if key.side != "user" and plain(key.name) == plain(name)]
    return kernel or calls or same


def _asked(keys: Iterable[Key], asked: Sequence[str]) -> Cause:
    functions: dict[Key, None] = {}
    for name in asked:
        found = _called(keys, name)
        if not found:
            raise UserError(f"no listing names a function {name}")
        functions.update(dict.fromkeys(found))
    return Cause(tuple(functions), dict.fromkeys(functions, "the function"), "named by --function")


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
    for key in known([runs]):
        if key.side != "user" and share(runs, key) is not None:
            index.setdefault(plain(key.name), []).append(key)
    return index


def _of_tree(
    variants: Sequence[Runs], names: Sequence[str], families: Sequence[tuple[Key, ...]]
) -> Cause | None:
    if len(families) == 1:
        said = "the only function of the tree with a cluster that the profiles name"
        return Cause(families[0], dict.fromkeys(families[0], "holds a cluster"), said)
    found = moves(variants, families, {})
    if not stands_out(found):
        return None
    family = found[0].functions
    said = f"of {len(families)} functions of the tree with clusters, {told(found, names)}"
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
    for key in known(variants):
        shares = [share(runs, key) for runs in variants]
        gone = [runs for runs, one in zip(variants, shares, strict=True) if one is None]
        if not gone or max(one or 0.0 for one in shares) < HALF or is_copy(key) or is_memory(key):
            continue
        callers = {
            caller for runs in variants for run in runs for caller in run.called.get(key, {})
        }
        (only,) = callers if len(callers) == 1 else (None,)
        if only is None or bound_of(gone) > _WHOLE or not _stays(variants, only):
            continue
        if _took_in(variants, only, key):
            found[key] = only
    return found


def _took_in(variants: Sequence[Runs], host: Key, guest: Key) -> bool:
    # Where the guest is inlined the host has more, beside all else, than where it calls the guest;
    # else it is just not called there.
    with_guest: list[float] = []
    without: list[float] = []
    for runs in variants:
        own, other = share(runs, host) or 0.0, share(runs, guest)
        rest = max(100 - own - (other or 0.0), 1.0)
        (without if other is None else with_guest).append(own / rest)
    return min(without) >= QUARTER * max(with_guest)


def bound_of(variants: Iterable[Runs]) -> float:
    """Return what a symbol that none of `variants` lists has at most in any of them."""
    return max((bound(runs) for runs in variants), default=0.0)


def _stays(variants: Sequence[Runs], key: Key) -> bool:
    return is_named(key) and all(share(runs, key) is not None for runs in variants)


def _families(
    variants: Sequence[Runs], keys: Iterable[Key], guests: Mapping[Key, Key]
) -> Iterator[tuple[Key, ...]]:
    held = (is_kernel_heavy(runs) for runs in variants if runs)
    pool = {"kernel"} if any(held) else {"kernel", "user", ""}
    heavy = [key for key in keys if _may_be(key) and _most(variants, key) >= HALF]
    lasting = [key for key in heavy if _stays([runs for runs in variants if runs], key)]
    for key in heavy:
        # What is a symbol in some variants only may be inlined in the others into its namesake.
        newcomer = key not in lasting and any(are_related(key, one) for one in lasting)
        if key.side in pool and key not in guests and not newcomer:
            yield (key, *(guest for guest, host in guests.items() if host == key))


def are_related(one: Key, other: Key) -> bool:
    """Return whether the name of one contains that of the other, as a part of a function would."""
    first, second = one.name, other.name
    if one.side != other.side or first == second or min(len(first), len(second)) < _TELLING:
        return False
    return first in second or second in first


def is_kernel_heavy(runs: Runs) -> bool:
    """Return whether the kernel has so much of the samples that it is what was measured."""
    shares = (share(runs, key) or 0.0 for key in known([runs]) if key.side == "kernel")
    return sum(shares) >= _KERNEL


def _may_be(key: Key) -> bool:
    other = is_copy(key) or is_memory(key) or is_idle(key) or is_interrupt(key)
    return is_named(key) and not other


def _moved(
    variants: Sequence[Runs],
    names: Sequence[str],
    families: Sequence[tuple[Key, ...]],
    guests: Mapping[Key, Key],
    notes: tuple[str, ...],
) -> Cause:
    found = moves(variants, families, guests)
    if not stands_out(found):
        return Cause((), {}, _unknown(variants, found, names), notes)
    family = found[0].functions
    whys = dict.fromkeys(family, f"{family[0].name} alone calls it")
    whys[family[0]] = "its share changed most"
    return Cause(family, whys, told(found, names), notes)


def _unknown(variants: Sequence[Runs], found: Sequence[Move], names: Sequence[str]) -> str:
    said = "unknown which function it is"
    if len([runs for runs in variants if runs]) < 2:
        return f"{said}: one listing alone does not show what changes; --function names it"
    if not found:
        return f"{said}: no symbol has half a percent; --function names it"
    if found[0].points < _SEEN:
        return f"{said}: no symbol moved; --function names it"
    return f"{said}, none stands out: {told(found, names)}; --function names it"
