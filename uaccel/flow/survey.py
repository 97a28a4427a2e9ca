# SPDX-License-Identifier: GPL-2.0-only
"""Survey one file: what every candidate line is, and which clusters it holds."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.fields import UNBUILT
from uaccel.model.rewrite import Refusal
from uaccel.model.source import Cluster, Function, Source
from uaccel.model.support import STANDING
from uaccel.model.survey import Sighting, Survey
from uaccel.read.reading import read_clusters
from uaccel.styles import window


def survey(source: Source) -> Survey:
    """Return what is known of one file without building it."""
    reading = read_clusters(source)
    found = [one for function in reading.functions for one in _sightings(function)]
    ordered = tuple(sorted(found, key=lambda one: (one.line, one.column)))
    return Survey(str(source.path), reading.candidates, ordered)


def _sightings(function: Function) -> Iterator[Sighting]:
    answers = window.plan(function, ())
    for cluster, answer in zip(function.clusters, answers, strict=True):
        if not _is_seen(cluster):
            continue
        why = answer.why if isinstance(answer, Refusal) else ""
        yield _sighting(function, cluster, why)


def _is_seen(cluster: Cluster) -> bool:
    # What stands alone is counted by its line; a pair of one read and one write is not alone.
    return cluster.form in STANDING or cluster.longest > 1 or cluster.looped or cluster.joined


def _sighting(function: Function, cluster: Cluster, why: str) -> Sighting:
    source = function.source
    start, end = cluster.start, cluster.extent.end
    bases = {access.base for access in cluster.accesses if access.base is not None}
    return Sighting(
        function=function.name,
        line=source.line(start),
        column=start - source.text.rfind(b"\n", 0, start),
        last_line=source.line(max(end - 1, start)),
        direction=cluster.direction,
        form=cluster.form,
        accesses=len(cluster.accesses),
        longest=cluster.longest,
        looped=cluster.looped,
        pointers=tuple(sorted(bases)),
        pair=source.line(cluster.pair) if cluster.pair is not None else None,
        convertible=None if UNBUILT in why else not why,
        why=why,
        callers=function.callers,
    )
