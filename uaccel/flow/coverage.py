# SPDX-License-Identifier: GPL-2.0-only
"""How much of a tree a style writes: every cluster asked, every refusal with its sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from functools import partial
from pathlib import PurePosixPath

from uaccel.edits import apply, longest, whole
from uaccel.flow.dialect import dialects_of
from uaccel.flow.drafts import STYLES, Draft, draft
from uaccel.flow.filereading import Progress
from uaccel.flow.layouts import layouts_of
from uaccel.flow.scan import Request, scan
from uaccel.flow.targets import Target, every_target
from uaccel.host.pool import Broken, Pool
from uaccel.host.store import Store
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree
from uaccel.model.scan import Filters
from uaccel.model.series import Change
from uaccel.model.source import Cluster, Form, Function, Layouts, Source

FEW = 2  # accesses: one alone opens and closes once in any style
_SECONDS = 60.0  # of processor time for one file


class Fate(Enum):
    """What became of one cluster."""

    WRITTEN = "written"
    REFUSED = "refused"
    BROKEN = "broken"  # our bug


@dataclass(frozen=True, slots=True)
class Answer:
    """One cluster and what a style made of it."""

    file: str
    function: str
    line: int
    accesses: int
    fate: Fate
    why: str  # "" when it was written
    left: int = 0  # accesses that stand outside of what was written
    lent: bool = False  # its file needs a change to the tree's header


@dataclass(frozen=True, slots=True)
class Covered:
    """One file in one style."""

    path: str
    style: str
    answers: tuple[Answer, ...]  # in the order of the lines
    before: bytes
    after: bytes  # with every cluster that the style writes
    functions: tuple[str, ...]  # that changed
    others: tuple[Change, ...] = ()  # files compiled with it that change too


@dataclass(frozen=True, slots=True)
class Share:
    """How many clusters of a folder, or of all, were written."""

    folder: str  # two components deep
    clusters: int
    written: int
    part: int  # of the written ones, those that have accesses outside still
    lent: int  # of the written ones, those that need a change to the tree's header

    @property
    def percent(self) -> str:
        """Return the written ones in a hundred, to one place."""
        return f"{100 * self.written / self.clusters:.1f}" if self.clusters else "-"


def offered(tree: Tree) -> tuple[str, ...]:
    """Return the styles that `tree` has the words for."""
    known = dialects_of(tree).everywhere
    has = {Form.SCOPED.value: known.scoped, Form.MASKED.value: known.masked}
    return tuple(name for name in STYLES if has.get(name, True))


def asked(style: str, cluster: Cluster) -> bool:
    """Return whether `cluster` is one that `style` is expected to write."""
    if cluster.stands_as(style) or len(cluster.accesses) < FEW or not cluster.shares:
        return False
    return not cluster.stands or style == Form.FIELDWISE.value


def files(
    tree: Tree, store: Store | None, glob: str, jobs: int, progress: Progress
) -> tuple[str, ...]:
    """Return the files of `tree` that hold clusters of two and more accesses, sorted."""
    filters = Filters((), (), None, None, FEW, 1)
    found = scan(tree, store, Request(filters, jobs, _SECONDS, "", None), progress)
    paths = {place.file for place in found.places}
    # What the scan could not read is asked all the same: it must not fall out of the sum.
    paths |= {one.path for one in found.skipped if one.candidates}
    return tuple(sorted(path for path in paths if fnmatchcase(path, glob)))


def coverage(
    tree: Tree, style: str, paths: Iterable[str], jobs: int, progress: Progress
) -> tuple[Covered, ...]:
    """Return what `style` makes of each of `paths`, sorted; nothing is built for it."""
    wanted = tuple(paths)
    answers: dict[str, Covered] = {}
    with Pool(partial(cover, tree, style), jobs, _SECONDS) as pool:
        for path in wanted:
            pool.put(path)
        for done, (path, said) in enumerate(pool.answers(), start=1):
            answers[path] = _given_up(path, style, said) if isinstance(said, Broken) else said
            progress(f"{style}: {path}", done, len(wanted))
    return tuple(answers[path] for path in sorted(answers))


def cover(tree: Tree, style: str, path: str, layouts: tuple[Layouts, ...] = ()) -> Covered:
    """Return the file at `path` with all that `style` writes in it."""
    answers: list[Answer] = []
    made: list[Draft] = []
    for function, target in every_target(tree, path):
        if not any(asked(style, cluster) for cluster in function.clusters):
            continue
        written = _draft(tree, target, style, layouts)
        if isinstance(written, Draft):
            made += (written,) if written.rewrites else ()
            answers += _answers(written)
        else:
            answers += _alike(style, function, *written)
    text = read_file(tree, path).text
    return _merged(Covered(path, style, tuple(answers), text, text, ()), made)


def shares(covered: Iterable[Covered]) -> tuple[Share, ...]:
    """Return one row a folder, sorted by its name."""
    found: dict[str, list[Answer]] = {}
    for one in covered:
        folder = "/".join(PurePosixPath(one.path).parent.parts[:2])
        found.setdefault(folder, []).extend(one.answers)
    return tuple(_share(name, found[name]) for name in sorted(found))


def _share(name: str, answers: list[Answer]) -> Share:
    written = [one for one in answers if one.fate is Fate.WRITTEN]
    part = sum(one.left > 0 for one in written)
    return Share(name, len(answers), len(written), part, sum(one.lent for one in written))


def total(rows: Iterable[Share]) -> Share:
    """Return the sum of `rows`."""
    rows = tuple(rows)
    return Share(
        folder="",
        clusters=sum(one.clusters for one in rows),
        written=sum(one.written for one in rows),
        part=sum(one.part for one in rows),
        lent=sum(one.lent for one in rows),
    )


def sentences(covered: Iterable[Covered]) -> tuple[tuple[str, int], ...]:
    """Return each sentence against a cluster, names left out, the most frequent first."""
    said = Counter(
        f"{'' if answer.fate is Fate.REFUSED else 'BROKEN: '}{_nameless(answer.why)}"
        for answer in left(covered)
    )
    return tuple(sorted(said.items(), key=lambda pair: (-pair[1], pair[0])))


def left(covered: Iterable[Covered]) -> Iterator[Answer]:
    """Yield the clusters that were not written."""
    for one in covered:
        yield from (answer for answer in one.answers if answer.fate is not Fate.WRITTEN)


def _draft(
    tree: Tree, target: Target | str, style: str, layouts: tuple[Layouts, ...]
) -> Draft | tuple[Fate, str]:
    if isinstance(target, str):
        return Fate.REFUSED, target
    # Whatever it is, it is our bug; the other functions are still asked.
    try:
        return draft(target, style, layouts or layouts_of(tree, target))
    except Exception as error:
        return Fate.BROKEN, f"{type(error).__name__}: {error}"


def _answers(made: Draft) -> Iterator[Answer]:
    refused = {one.cluster: one.why for one in made.refusals}
    written = {one.cluster for one in made.rewrites}
    lent = made.target.dialect.lent in made.others
    for number, cluster in enumerate(made.target.function.clusters):
        if not asked(made.style, cluster):
            continue
        if cluster in written:
            answer = _answer(made.target, cluster, Fate.WRITTEN, "")
            yield replace(answer, left=made.left_of(number), lent=lent)
        else:
            yield _answer(made.target, cluster, Fate.REFUSED, refused[cluster])


def _answer(target: Target, cluster: Cluster, fate: Fate, why: str) -> Answer:
    source, name = target.reading.source, target.function.name
    return _row(source, name, cluster, fate, why)


def _row(source: Source, name: str, cluster: Cluster, fate: Fate, why: str) -> Answer:
    line = source.line(cluster.start)
    return Answer(str(source.path), name, line, len(cluster.accesses), fate, why)


def _alike(style: str, function: Function, fate: Fate, why: str) -> Iterator[Answer]:
    for cluster in function.clusters:
        if asked(style, cluster):
            yield _row(function.source, function.name, cluster, fate, why)


def _merged(covered: Covered, made: list[Draft]) -> Covered:
    names = tuple(dict.fromkeys(one.target.function.name for one in made))
    covered = replace(covered, others=tuple(_beside(made)))
    if len(made) == 1:
        return replace(covered, after=made[0].text, functions=names)
    # What several functions of a file write alike, a macro they share, is written once.
    edits = longest(edit for one in made for edit in one.edits)
    try:
        after = apply(covered.before, edits)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        answers = (
            replace(one, fate=Fate.BROKEN, why=why) if one.fate is Fate.WRITTEN else one
            for one in covered.answers
        )
        return replace(covered, answers=tuple(answers))
    return replace(covered, after=after, functions=names)


def _beside(made: list[Draft]) -> Iterator[Change]:
    every = [other for one in made for other in one.others]
    for path, before in {other.path: other.before for other in every}.items():
        added = (whole(before, other.after) for other in every if other.path == path)
        yield Change(path, before, apply(before, longest(added)))


def _given_up(path: str, style: str, said: Broken) -> Covered:
    return Covered(path, style, (Answer(path, "", 1, 0, Fate.BROKEN, said.why),), b"", b"", ())


def _nameless(why: str) -> str:
    return re.sub(r"`[^`]*`", "`...`", re.sub(r"^\S+\.[ch]:\d+: ", "", why))
