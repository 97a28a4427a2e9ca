# SPDX-License-Identifier: GPL-2.0-only
"""Scan a tree: every candidate line accounted for, files that changed read, the others recalled."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from uaccel.errors import UserError
from uaccel.flow.dialect import dialects_of
from uaccel.flow.filereading import Progress, Read, Reader, read_files
from uaccel.flow.looking import look_through
from uaccel.flow.territory import Territory, territory
from uaccel.host.pool import Broken
from uaccel.host.store import Store
from uaccel.host.surveys import NOTHING, Index, keep, recall
from uaccel.host.walk import Held, Walker, is_settled
from uaccel.model.dossier import Tree
from uaccel.model.scan import Filters, Place, Scan, Skipped, Totals
from uaccel.model.survey import Kind, Survey

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan, and how."""

    filters: Filters  # its targets as the user named them
    jobs: int  # processes
    seconds: float  # of processor time for one file
    command: str  # the line that reproduces it
    stdin: bytes | None  # the text of the target `-`


@dataclass(frozen=True, slots=True)
class _Walked:
    stamps: Mapping[str, Mapping[str, bytes]]  # of what lies there, by folder and name
    fresh: frozenset[str]  # paths of the files that were opened
    held: Mapping[str, Held]  # of those, the ones with candidates, by path
    skipped: tuple[Skipped, ...]


def scan(tree: Tree, store: Store | None, request: Request, progress: Progress) -> Scan:
    """Return what the files of `tree` hold; without a `store` nothing is recalled or kept."""
    began, started = time.monotonic(), time.time()
    land = territory(tree, request.filters.targets, besides=(STDIN,))
    given = {} if request.stdin is None else {STDIN: request.stdin}
    reader = Reader(tree.path, given, request.jobs, request.seconds, dialects_of(tree))
    before = recall(store, tree) if store else NOTHING
    walked = _walk(tree, before, land, request, progress)
    known = dict(_still_true(before, walked))
    files = [(held.path, held.size) for held in walked.held.values() if held.path not in known]
    files += ((name, len(text)) for name, text in given.items())
    answers = dict(read_files(reader, files, progress))
    read = {path: one for path, one in answers.items() if isinstance(one, Read)}
    odd = [reader.odd(path, b.why) for path, b in answers.items() if isinstance(b, Broken)]
    notes = _kept(store, tree, before, _index(before, land, walked, known | read, started))
    surveys = [one.survey for one in (*known.values(), *read.values())]
    surveys += [survey for survey, _ in odd]
    surveys = [one for one in surveys if one.candidates or one.sightings]
    surveys.sort(key=lambda one: one.path)
    skipped = (*walked.skipped, *(one for _, one in odd))
    _refuse_unread(land, skipped)
    return Scan(
        tree=tree,
        command=request.command,
        filters=replace(request.filters, targets=land.names),
        surveys=tuple(surveys),
        totals=totals(surveys),
        places=tuple(_places(surveys, land, request.filters)),
        skipped=tuple(sorted(skipped, key=lambda one: one.path)),
        walked=sum(map(len, walked.stamps.values())) + len(given),
        reused=len(known),
        notes=(*notes, *_absent(land, surveys)),
        seconds=time.monotonic() - began,
    )


def only(found: Scan, kind: Kind | None) -> Scan:
    """Return `found` with no candidate lines but those of `kind`; None keeps all."""
    surveys = (
        replace(one, candidates=tuple(c for c in one.candidates if kind in (None, c.kind)))
        for one in found.surveys
    )
    return replace(found, surveys=tuple(surveys))


def totals(surveys: Iterable[Survey]) -> Totals:
    """Return how many candidate lines of `surveys` there are of each kind, and in all."""
    counts = Counter(one.kind for survey in surveys for one in survey.candidates)
    return Totals(counts.total(), tuple((kind, counts[kind]) for kind in Kind))


def _walk(
    tree: Tree, before: Index, land: Territory, request: Request, progress: Progress
) -> _Walked:
    stamps: dict[str, Mapping[str, bytes]] = {}
    fresh: set[str] = set()
    held: dict[str, Held] = {}
    skipped: list[Skipped] = []
    walker = Walker(tree.path, before.stamps)
    for look, seen in look_through(walker, land.looks, request.jobs):
        if isinstance(seen, Broken):
            skipped.append(Skipped(look.folder or ".", seen.why, 0))
            continue
        progress(f"looking through {look.folder or tree.path}", 0, 0)
        known = before.stamps.get(look.folder, {})
        stamps[look.folder] = known if seen.stamps is None else seen.stamps
        fresh.update(seen.fresh)
        held |= {one.path: one for one in seen.held}
        skipped += (Skipped(path, why, 0) for path, why in seen.skipped)
    return _Walked(stamps, frozenset(fresh), held, tuple(skipped))


def _still_true(before: Index, walked: _Walked) -> Iterator[tuple[str, Read]]:
    for path, (digest, survey) in before.surveys.items():
        folder, _, name = path.rpartition("/")
        held = walked.held.get(path)
        untouched = path not in walked.fresh and name in walked.stamps.get(folder, {})
        if untouched or (held is not None and held.digest == digest):
            yield path, Read(digest, survey)


def _index(
    before: Index,
    land: Territory,
    walked: _Walked,
    surveys: Mapping[str, Read],
    started: float,
) -> Index:
    # What was not looked at stays as it was; a file that could not be read has no stamp.
    def lasts(path: str, stamp: bytes) -> bool:
        if path not in walked.fresh:
            return True
        return is_settled(stamp, started) and (path not in walked.held or path in surveys)

    stamps = {f: n for f, n in before.stamps.items() if not land.holds_folder(f)}
    for folder, names in walked.stamps.items():
        if names is before.stamps.get(folder):
            stamps[folder] = names
            continue
        lasting = {n: s for n, s in names.items() if lasts(f"{folder}/{n}" if folder else n, s)}
        stamps[folder] = {**stamps.get(folder, {}), **lasting}
    kept = {path: known for path, known in before.surveys.items() if not land.holds(path)}
    kept |= {path: (one.digest, one.survey) for path, one in surveys.items() if path != STDIN}
    return Index(stamps, kept)


def _kept(store: Store | None, tree: Tree, before: Index, after: Index) -> tuple[str, ...]:
    if store is None or after == before:
        return ()
    try:
        keep(store, tree, after)
    except UserError as error:
        return (f"what was read is not kept for the next scan: {error}",)
    return ()


def _places(surveys: list[Survey], land: Territory, filters: Filters) -> Iterator[Place]:
    for survey in surveys:
        for seen in survey.sightings:
            if (
                land.asks_for(survey.path, seen.function)
                and seen.accesses >= filters.min_accesses
                and filters.direction in (None, seen.direction)
                and filters.form in (None, seen.form)
            ):
                yield Place(survey.path, seen)


def _refuse_unread(land: Territory, skipped: Iterable[Skipped]) -> None:
    # In a folder it is one of many and listed; who names a file wants that one.
    for one in skipped:
        if one.path in land.files and not one.candidates:
            raise UserError(f"{one.path} cannot be scanned: {one.why}")


def _absent(land: Territory, surveys: list[Survey]) -> Iterator[str]:
    seen = {(survey.path, one.function) for survey in surveys for one in survey.sightings}
    for path, functions in land.files.items():
        for function in sorted(functions):
            if (path, function) not in seen:
                yield f"{path}: no cluster was found in a function called {function}"
