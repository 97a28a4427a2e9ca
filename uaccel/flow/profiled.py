# SPDX-License-Identifier: GPL-2.0-only
"""Rank an account by a profile: shares of its samples in place of openings saved."""

from __future__ import annotations

from dataclasses import replace

from uaccel.errors import UserError
from uaccel.model.account import Account, Finding, Profiled
from uaccel.model.profile import Profile
from uaccel.model.scan import Place
from uaccel.rank import Weight, notes, weigh
from uaccel.read.profile import read_profiles

Chosen = tuple[Profile, tuple[str, ...]]  # a profile, and what is to be said of the choice


def choose(text: str, number: int) -> Chosen:
    """Return profile `number` (from 1) of those that `text` holds."""
    profiles = read_profiles(text)
    if number > len(profiles):
        raise UserError(f"there is no profile {number}: it holds {len(profiles)}")
    if len(profiles) == 1:
        return profiles[0], ()
    return profiles[number - 1], (f"it holds {len(profiles)} profiles; this is number {number}",)


def profiled(account: Account, name: str, profile: Profile, said: tuple[str, ...]) -> Account:
    """Return `account` ranked by the share that each cluster's function may have of `profile`.

    All clusters are weighed, not only those that passed the filters: others may claim a share too.
    """
    every = [Place(survey.path, one) for survey in account.scan.surveys for one in survey.sightings]
    ranking = weigh(profile, [(place.file, place.sighting) for place in every])
    weights = dict(zip(every, ranking.weights, strict=True))
    found = sorted(
        (_weighed(one, weights[one.place]) for one in account.findings),
        key=lambda one: (-one.weight, -(weights[one.place].percent or 0)),
    )  # what the profile does not tell apart stays in the order of the openings saved
    unnamed = sum(one.weight == 0 for one in found)
    said = (*said, f"{unnamed} clusters stand in functions that it does not name")
    left = Profiled(name, ranking.unattributed, (*said, *notes(profile, ranking)))
    return replace(account, findings=tuple(found), profile=left)


def _weighed(finding: Finding, weight: Weight) -> Finding:
    return replace(finding, weight=weight.at_most or 0.0, unit="percent", why=weight.why)
