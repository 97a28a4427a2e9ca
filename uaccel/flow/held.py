# SPDX-License-Identifier: GPL-2.0-only
"""Carry what a window of the tree vouched for to the text in which it is unmade."""

from __future__ import annotations

from collections.abc import Iterable

from uaccel.ctext import arguments
from uaccel.model.rewrite import Edit
from uaccel.model.source import Cluster, Held, Span


def held(clusters: Iterable[Cluster], edits: tuple[Edit, ...]) -> tuple[Held, ...]:
    """Return what the windows among `clusters` held, as it stands behind `edits`."""
    found: list[Held] = []
    for cluster in clusters:
        frame = cluster.scaffold
        if not cluster.stands or frame is None or frame.held.start >= frame.held.end:
            continue
        if frame.others:
            continue  # their checks go with it: what stood there says nothing of them
        given = tuple(arguments(frame.covers))
        pointer, size = given if len(given) == 2 else ("", "")
        checked = cluster.form.checks_range
        whole, opened = _moved(frame.held, edits), _moved(frame.open, edits)
        found.append(Held(whole, opened, pointer, size, frame.begun, checked))
    return tuple(found)


def _moved(here: Span, edits: tuple[Edit, ...]) -> Span:
    return Span(_at(here.start, edits), _at(here.end, edits))


def _at(offset: int, edits: tuple[Edit, ...]) -> int:
    # What lies within an edit comes behind what takes its place.
    moved = offset
    for edit in edits:
        grown = len(edit.text.encode(errors="surrogateescape"))
        if edit.span.end <= offset:
            moved += grown - (edit.span.end - edit.span.start)
        elif edit.span.start < offset:
            moved += grown - (offset - edit.span.start)
    return moved
