# SPDX-License-Identifier: GPL-2.0-only
"""Draw the sample of clusters and single accesses that people judge by reading the code.

The draw depends on the seed and on each place alone: a reader that finds one cluster more
changes one row, not the sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from operator import itemgetter

from uaccel.model.source import Kind
from uaccel.model.support import STANDING
from uaccel.model.survey import Survey

SEED = "uaccel-2026-11"
NUMBER = 60  # of each

Row = tuple[str, str, int]  # what it is, file, line


def draw(surveys: Iterable[Survey]) -> tuple[Row, ...]:
    """Return 60 clusters, by their first line, and 60 single accesses."""
    known = tuple(surveys)
    clusters = {
        ("cluster", survey.path, seen.line)
        for survey in known
        for seen in survey.sightings
        if seen.form not in STANDING
    }
    singles = {
        ("single", survey.path, one.line)
        for survey in known
        for one in survey.candidates
        if one.kind is Kind.SINGLE
    }
    return (*_first(clusters), *_first(singles))


def _first(places: set[Row]) -> list[Row]:
    keyed = ((hashlib.sha256(f"{SEED} {place}".encode()).hexdigest(), place) for place in places)
    return [place for _, place in sorted(keyed, key=itemgetter(0))[:NUMBER]]
