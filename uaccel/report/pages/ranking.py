# SPDX-License-Identifier: GPL-2.0-only
"""Which style costs least on which machine, of every function of a dossier."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Dossier, Subject
from uaccel.model.judgement import Measurement, Outcome
from uaccel.report.figures import EXECUTED, PATH, Machine

Index = dict[tuple[str, str, Machine, str], Measurement]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a dossier with its clusters."""

    title: str  # "sound/core/pcm_native.c:snd_pcm_sync_ptr"
    subjects: tuple[Subject, ...]

    @property
    def name(self) -> str:
        """Return its name without the file."""
        return self.subjects[0].function

    @property
    def form(self) -> str:
        """Return the style that stands for the function as it is in the tree."""
        forms = dict.fromkeys(subject.form for subject in self.subjects)
        return next(iter(forms))

    @property
    def ids(self) -> frozenset[str]:
        """Return what verdicts and figures call it or its clusters."""
        return frozenset((self.title, *(subject.id for subject in self.subjects)))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one style costs on one machine."""

    style: str
    least: int  # instructions: as many or, unless `exact`, more
    exact: bool
    toggles: int | None  # openings and closings; None: not known


@dataclass(frozen=True, slots=True)
class Place:
    """How the styles of one function rank on one machine."""

    machine: Machine
    ran: bool  # told by what was executed; else by the success paths of its clusters
    best: tuple[Cost, ...]  # alike; () when it is not decided
    before: Cost | None  # of the style that changes are told against
    stands: Cost | None  # of the function as it is in the tree
    why: str  # it is not decided; else ""
    failed: tuple[str, ...]  # styles left out, for a check fails there
    absent: bool  # the build of that machine does not hold the function


def functions(dossier: Dossier) -> tuple[Function, ...]:
    """Return the functions of `dossier` in the order of its clusters."""
    grouped: dict[str, list[Subject]] = {}
    for subject in dossier.subjects:
        grouped.setdefault(f"{subject.file}:{subject.function}", []).append(subject)
    return tuple(Function(title, tuple(found)) for title, found in grouped.items())


def ranking(dossier: Dossier, function: Function, reference: str) -> tuple[Place, ...]:
    """Return how its styles rank on every machine that has a figure of it."""
    index = {
        (m.cluster, m.style, (m.arch, m.compiler, m.config), m.what): m
        for m in dossier.measurements
        if m.cluster in function.ids
    }
    machines = dict.fromkeys(key[2] for key in index)
    return tuple(_place(dossier, function, index, machine, reference) for machine in machines)


def _place(
    dossier: Dossier, function: Function, index: Index, machine: Machine, reference: str
) -> Place:
    styles = tuple(dict.fromkeys(key[1] for key in index if key[2] == machine))
    failed = tuple(style for style in styles if _fails(dossier, function, style, machine[0]))
    ran = [_executed(function, index, style, machine) for style in styles]
    # What ran is the stronger evidence, where every style of it ran.
    all_ran = bool(ran) and all(cost is not None and cost.exact for cost in ran)
    refused = {(declined.cluster, declined.style) for declined in dossier.refusals}
    found = ran if all_ran else [_paths(function, index, s, machine, refused) for s in styles]
    costs = [cost for cost in found if cost is not None]
    fit = [cost for cost in costs if cost.style not in failed]
    best, why = _cheapest(fit)
    if not any(map(_is_told, fit)) and any(map(_is_told, costs)):
        why = "every style that has a figure fails a check"
    told = [m for key, m in index.items() if key[2] == machine and m.what in (*PATH, *EXECUTED)]
    absent = next((m for m in told if m.absent), None)
    if absent is not None and not best:
        why = absent.why
    exact = {cost.style: cost for cost in costs if cost.exact}
    before, stands = exact.get(reference), exact.get(function.form)
    return Place(machine, all_ran, best, before, stands, why, failed, absent is not None)


def _cheapest(costs: list[Cost]) -> tuple[tuple[Cost, ...], str]:
    exact = [cost.least for cost in costs if cost.exact]
    if not exact:
        bounds = any(map(_is_told, costs))
        return (), f"no style has {'more than a lower bound' if bounds else 'a figure'} there"
    least = min(exact)
    open_ = [cost.style for cost in costs if not cost.exact and cost.least <= least]
    if open_:
        return (), f"what {' and '.join(open_)} costs is not known"
    return tuple(cost for cost in costs if cost.exact and cost.least == least), ""


def _is_told(cost: Cost) -> bool:
    return cost.exact or cost.least > 0


def _fails(dossier: Dossier, function: Function, style: str, arch: str) -> bool:
    return any(
        verdict.outcome is Outcome.FAIL
        and verdict.style == style
        and verdict.arch in (arch, None)
        and verdict.cluster in function.ids
        for verdict in dossier.verdicts
    )


def _executed(function: Function, index: Index, style: str, machine: Machine) -> Cost | None:
    whole = index.get((function.title, style, machine, EXECUTED[0]))
    toggles = index.get((function.title, style, machine, EXECUTED[1]))
    return _cost(style, [whole], [toggles])


def _paths(
    function: Function, index: Index, style: str, machine: Machine, refused: set[tuple[str, str]]
) -> Cost | None:
    ways: tuple[list[Measurement | None], list[Measurement | None]] = ([], [])
    for subject in function.subjects:
        # What a style refuses stays as it is in the tree.
        written = subject.form if (subject.id, style) in refused else style
        for way, what in zip(ways, PATH, strict=True):
            way.append(index.get((subject.id, written, machine, what)))
    return _cost(style, *ways)


def _cost(
    style: str, paths: list[Measurement | None], toggles: list[Measurement | None]
) -> Cost | None:
    if any(m is None for m in paths):
        return None
    told = [m for m in paths if m is not None]
    exact = all(m.value is not None for m in told)
    least = sum(m.at_least or 0 if m.value is None else m.value for m in told)
    values = [m.value if m is not None else None for m in toggles]
    known = [value for value in values if value is not None]
    return Cost(style, least, exact, sum(known) if len(known) == len(values) else None)
