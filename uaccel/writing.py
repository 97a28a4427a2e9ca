# SPDX-License-Identifier: GPL-2.0-only
"""Answer for every cluster of a function, whatever kind of window a style draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from uaccel.changes import changes
from uaccel.drawing import accesses, around, closings, replaced
from uaccel.landings import behind, entered, landing
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite
from uaccel.model.source import Cluster, Function, Layouts
from uaccel.orphans import orphans, silenced
from uaccel.windows import FEW, WORDS, Ground, Window, windows

STANDS = "it is one window already"
WRAPPED = "its accesses stand in "  # a macro or function: read/forms.py
ALONE = "one access alone opens and closes once in any style"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a style draws its windows."""

    edits: Callable[[Window], list[Edit]]
    bound: Callable[[Window], Window | str]  # as it is drawn, or why it cannot be
    masked: bool  # it opens without a range check where the machine can
    scoped: bool = False  # it may take the place of a block


def written(
    function: Function, layouts: tuple[Layouts, ...], dialect: Dialect, drawing: Drawing
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its windows or the reason against them."""
    taken = frozenset(function.names)
    answers: list[Rewrite | Refusal] = []
    every: list[Window] = []
    landed: frozenset[str] = frozenset()
    for cluster in function.clusters:
        if (why := _reason_against(cluster)) or cluster.stretch is None:
            answers.append(Refusal(cluster, why or ALONE))
            continue
        ground = Ground(function, cluster.stretch, layouts, dialect, taken)
        ground = replace(ground, masked=drawing.masked, scoped=drawing.scoped)
        made = windows(ground, WORDS[cluster.direction], drawing.bound)
        if isinstance(made, str) and dialect.lent is not None:
            ground = replace(ground, dialect=dialect.extended)
            made = windows(ground, WORDS[cluster.direction], drawing.bound)
        if isinstance(made, str):
            alone = made == FEW and len(cluster.accesses) == 1
            answers.append(Refusal(cluster, ALONE if alone else made))
            continue
        edits: list[Edit] = []
        for one in made:
            here = replace(one, ground=replace(one.ground, landed=landed))
            edits += drawing.edits(here)
            landed |= entered(here)
        every += made
        said = [sentence for one in made for sentence in changes(one, masked=drawing.masked)]
        answers.append(Rewrite(cluster, tuple(edits), tuple(dict.fromkeys(said))))
        taken = taken.union(*(one.names for one in made))
    return _tidied(function, answers, every)


def drawn(made: Window, begin: list[str], end: str) -> list[Edit]:
    """Return the edits of a window that the lines of `begin` open and the statement `end` closes.

    No line of the statements within moves to the right.
    """
    source = made.ground.function.source
    edits = closings(made, end)
    for step in made.stretch.steps:
        edits += replaced(source, step, accesses(made, step, step.indent, end))
    edits += around(made, begin, behind(made, end))
    edits += landing(made, end)
    return edits


def _tidied(
    function: Function, answers: list[Rewrite | Refusal], made: list[Window]
) -> tuple[Rewrite | Refusal, ...]:
    # What no window leaves a use for goes: assignments where they stand, declarations at last.
    edits = [edit for one in answers if isinstance(one, Rewrite) for edit in one.edits]
    quiet = silenced(function, edits, made)
    tidied = [_with(answer, quiet) for answer in answers]
    unused = orphans(function, [quiet.get(edit, edit) for edit in edits], made)
    rewrites = [(at, one) for at, one in enumerate(tidied) if isinstance(one, Rewrite)]
    if rewrites and unused:
        at, last = rewrites[-1]
        tidied[at] = replace(last, edits=(*last.edits, *unused))
    return tuple(tidied)


def _with(answer: Rewrite | Refusal, quiet: dict[Edit, Edit]) -> Rewrite | Refusal:
    if isinstance(answer, Refusal):
        return answer
    return replace(answer, edits=tuple(quiet.get(edit, edit) for edit in answer.edits))


def _reason_against(cluster: Cluster) -> str | None:
    if cluster.stands:
        return STANDS
    if cluster.stretch is None:
        wrapped = cluster.obstacle is not None and cluster.obstacle.startswith(WRAPPED)
        return cluster.obstacle if wrapped else ALONE
    copies = any(access.copies for access in cluster.accesses)
    few = len(cluster.accesses) < 2 and not cluster.looped and not copies
    return ALONE if few else None
