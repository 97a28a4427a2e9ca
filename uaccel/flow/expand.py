# SPDX-License-Identifier: GPL-2.0-only
"""Write macros that make a function's accesses out, before a style writes what they make."""

from __future__ import annotations

from dataclasses import dataclass, replace

from uaccel.edits import apply
from uaccel.flow.targets import Target, reread
from uaccel.flow.transfers import counterparts
from uaccel.model.expansion import Expansion
from uaccel.model.rewrite import Edit, Refusal, Rewrite
from uaccel.model.source import Cluster, Direction, Function
from uaccel.read.expansions import expansions, unused

_OTHER = "its accesses stand in a macro that makes others than it seems to"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A function whose clusters stand there without macros, as far as they can."""

    target: Target  # as it was read again
    edits: tuple[Edit, ...]  # from the file in the tree to its text
    expansions: tuple[Expansion, ...]  # of clusters as they stand in the tree
    refusals: tuple[Refusal, ...]  # of those too


def expanded(target: Target, style: str) -> Expanded:
    """Return `target` with all macros written out that make accesses `style` could write."""
    answers = [answer for answer in expansions(target.function) if _asked(answer.cluster, style)]
    made = tuple(answer for answer in answers if isinstance(answer, Expansion))
    refusals = tuple(answer for answer in answers if isinstance(answer, Refusal))
    found = _applied(target, made, refusals)
    if found is not None:
        return found
    odd = tuple(one for one in made if _applied(target, (one,), ()) is None)
    said = (*refusals, *(Refusal(one.cluster, _OTHER) for one in odd))
    rest = tuple(one for one in made if one not in odd)
    return _applied(target, rest, said) or Expanded(target, (), (), said)


def narrowed(
    target: Target, plain: Expanded, answers: tuple[Rewrite | Refusal, ...]
) -> Expanded | None:
    """Return `plain` without the clusters that a style refused; None when it wrote all of them.

    `answers` are of clusters as they stand in the tree.
    """
    whys = {answer.cluster: answer.why for answer in answers if isinstance(answer, Refusal)}
    kept = tuple(one for one in plain.expansions if one.cluster not in whys)
    if len(kept) == len(plain.expansions):
        return None
    left = (one.cluster for one in plain.expansions if one.cluster in whys)
    said = (*plain.refusals, *(Refusal(one, f"{_out(one, target)}{whys[one]}") for one in left))
    return _applied(target, kept, said) or Expanded(target, (), (), said)


def brought_back(
    target: Target, plain: Expanded, answers: tuple[Rewrite | Refusal, ...]
) -> tuple[Rewrite | Refusal, ...]:
    """Return `answers`, given to clusters of `plain`, for the clusters of `target`."""
    told = {one.cluster: one for one in plain.refusals}
    if not plain.edits:
        return tuple(told.get(answer.cluster, answer) for answer in answers)
    made: list[Rewrite | Refusal] = []
    for number, cluster in enumerate(target.function.clusters):
        found = counterparts(target.function, plain.target.function, number)
        mine = [answer for answer in answers if answer.cluster in found]
        written = [answer for answer in mine if isinstance(answer, Rewrite)]
        if written:
            said = dict.fromkeys(text for one in written for text in one.differences)
            made.append(Rewrite(cluster, (), tuple(said)))
        elif cluster in told:
            made.append(told[cluster])
        else:
            made += [replace(answer, cluster=cluster) for answer in mine[:1]]
    return tuple(made)


def _asked(cluster: Cluster, style: str) -> bool:
    return not cluster.stands and cluster.form.value != style


def _out(cluster: Cluster, target: Target) -> str:
    name = target.function.source.quote(cluster.accesses[0].call).partition("(")[0].strip()
    return f"its accesses stand in the macro {name}; written out, "


def _applied(
    target: Target, made: tuple[Expansion, ...], refusals: tuple[Refusal, ...]
) -> Expanded | None:
    # None when the function would make other accesses.
    if not made:
        return Expanded(target, (), (), refusals)
    edits = (*(edit for one in made for edit in one.edits), *unused(target.function, made))
    text = apply(target.reading.source.text, edits)
    again = reread(target, text)
    if _made(target.function) != _made(again.function):
        return None
    if len(again.reading.broken) > len(target.reading.broken):
        return None
    return Expanded(again, edits, made, refusals)


def _made(function: Function) -> list[tuple[str, Direction]]:
    every = [access for cluster in function.clusters for access in cluster.accesses]
    return [(one.accessor, one.direction) for one in sorted(every, key=lambda one: one.call)]
