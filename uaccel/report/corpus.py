# SPDX-License-Identifier: GPL-2.0-only
"""A scan to one line a file: what the corpus keeps, so that a changed reader shows as a diff."""

from __future__ import annotations

from collections import Counter

from uaccel.model.scan import Scan
from uaccel.model.support import STANDING
from uaccel.model.survey import Kind, Survey
from uaccel.report.plain import line

COLUMNS = ("path", "lines", *(kind.value for kind in Kind), "clusters", "windows")


def corpus(scan: Scan) -> str:
    """Return the table, tabs between its columns: files with candidates, sorted by path."""
    rows = (COLUMNS, *(_row(survey) for survey in scan.surveys))
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def _row(survey: Survey) -> tuple[str | int, ...]:
    kinds = Counter(one.kind for one in survey.candidates)
    windows = sum(one.form in STANDING for one in survey.sightings)
    clusters = len(survey.sightings) - windows
    counts = (kinds[kind] for kind in Kind)
    return line(survey.path), len(survey.candidates), *counts, clusters, windows
