# SPDX-License-Identifier: GPL-2.0-only
"""Survey one file: what every candidate line is, and which clusters it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.fields import UNBUILT
from uaccel.model.dialect import COMMON, Dialect
from uaccel.model.rewrite import Refusal
from uaccel.model.source import Access, Cluster, Function, Source
from uaccel.model.survey import Sighting, Survey
from uaccel.read.reading import read_clusters
from uaccel.styles import window

_CAST = re.compile(r"\((?:const |unsigned |struct )*\w+ *(?:__user|__force| )*\*+ *\)")
_NAME = re.compile(r"[A-Za-z_]\w*(?:(?:\.|->)\w+)*")


def survey(source: Source, dialect: Dialect = COMMON) -> Survey:
    """Return what is known of one file without building it; `dialect` is what its tree knows."""
    reading = read_clusters(source)
    found = [one for function in reading.functions for one in _sightings(function, dialect)]
    ordered = tuple(sorted(found, key=lambda one: (one.line, one.column)))
    return Survey(str(source.path), reading.candidates, ordered)


def _sightings(function: Function, dialect: Dialect) -> Iterator[Sighting]:
    answers = window.plan(function, (), dialect)
    for cluster, answer in zip(function.clusters, answers, strict=True):
        if cluster.shares:  # what stands alone is counted by its line
            why = answer.why if isinstance(answer, Refusal) else ""
            yield _sighting(function, cluster, why)


def _sighting(function: Function, cluster: Cluster, why: str) -> Sighting:
    source = function.source
    start, end = cluster.start, cluster.extent.end
    return Sighting(
        function=function.name,
        line=source.line(start),
        column=start - source.text.rfind(b"\n", 0, start),
        last_line=source.line(max(end - 1, start)),
        direction=cluster.direction,
        form=cluster.reported,
        accesses=len(cluster.accesses),
        longest=cluster.longest,
        looped=cluster.looped,
        pointers=_objects(function, cluster),
        pair=source.line(cluster.pair) if cluster.pair is not None else None,
        joined=cluster.joined and cluster.pair is not None,
        convertible=None if UNBUILT in why else not why,
        why=why,
        callers=function.callers,
    )


def _objects(function: Function, cluster: Cluster) -> tuple[str, ...]:
    plain = {access.base for access in cluster.accesses if access.base is not None}
    found = {_object(function, access) for access in cluster.accesses if access.base is None}
    # `frame->retcode` may be an array in what `frame` points to, if that is an object too.
    others = {name for name in found if name.partition("->")[0] not in plain}
    return tuple(sorted((plain | others) - {""}))


def _object(function: Function, access: Access) -> str:
    # `buf` of `(u32 __user *)buf + i`, `arg` of `&arg->field[i]`, `arg->ptr` of `arg->ptr + 1`.
    if access.pointer == access.call:  # it stands in a macro or helper
        return ""
    text = _CAST.sub("", function.source.quote(access.pointer)).lstrip("( ")
    found = _NAME.match(text.lstrip("& (*"))
    if found is None or text[found.end() + len(text) - len(text.lstrip("& (*")) :][:1] == "(":
        return ""
    return found[0].partition("->")[0] if text.startswith("&") else found[0]
