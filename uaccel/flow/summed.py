# SPDX-License-Identifier: GPL-2.0-only
"""What share of all that was executed the functions have in each run, as `compare` sums it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from shlex import quote

from uaccel.compare import compare
from uaccel.model.boot import BootRun
from uaccel.model.comparison import Taken
from uaccel.model.profile import Profile
from uaccel.read.profile import read_profiles
from uaccel.traceshares import listing

Group = tuple[BootRun, ...]  # what stands beside each other: one machine, one client


def summed(runs: Iterable[BootRun]) -> tuple[BootRun, ...]:
    """Return `runs` with the share that the functions have of what a whole program executes."""
    runs = tuple(runs)
    shares = {id(run): share for group in groups(runs) for run, share in _shares(group)}
    return tuple(replace(run, share=shares.get(id(run))) for run in runs)


def comparisons(runs: Iterable[BootRun]) -> tuple[str, ...]:
    """Return the command lines that show the profiles of `runs` side by side."""
    return tuple(_command(group) for group in groups(tuple(runs)))


def groups(runs: Sequence[BootRun]) -> tuple[Group, ...]:
    """Return those of `runs` that have a profile, group by group."""
    found: dict[tuple[str, str, str], list[BootRun]] = {}
    for run in runs:
        if run.profile:
            found.setdefault((run.machine, run.userland, run.client), []).append(run)
    return tuple(map(tuple, found.values()))


def _shares(group: Group) -> Iterable[tuple[BootRun, float | None]]:
    # Of all runs: where one style is inlined and another is not, both symbols are asked about.
    functions = _functions(group)
    if not functions or any(run.calls for run in group):  # those are of one call alone
        return ((run, None) for run in group)
    taken = [Taken(str(at), profiles=_profiles(run)) for at, run in enumerate(group)]
    told = compare(taken, asked=functions).variants
    return ((run, one.groups[0].percent) for run, one in zip(group, told, strict=True))


def _profiles(run: BootRun) -> tuple[Profile, ...]:
    return read_profiles(listing(run.symbols, run.client, run.style))


def _functions(group: Group) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for run in group for name in run.holders))


def _command(group: Group) -> str:
    about = (word for name in _functions(group) for word in ("--function", name))
    files = (quote(f"{run.style or 'tree'}={run.profile}") for run in group)
    return " ".join(("uaccel compare", *about, *files))
