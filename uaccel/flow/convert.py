# SPDX-License-Identifier: GPL-2.0-only
"""Write targets in one style: what becomes of each file, of each cluster, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from pathlib import PurePosixPath

from uaccel.edits import apply, longest
from uaccel.errors import BrokenInvariant
from uaccel.flow import figures
from uaccel.flow.bench import Trial
from uaccel.flow.drafts import STYLES, Draft, draft, needs_layouts
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.flow.layouts import layouts_of, tells_all
from uaccel.flow.patches import judge, patch
from uaccel.flow.scan import Request as Search
from uaccel.flow.scan import scan
from uaccel.flow.study import declined
from uaccel.flow.support import supports
from uaccel.flow.survey import survey
from uaccel.flow.targets import Target, has_object, is_folder, load, sift, subjects
from uaccel.flow.trials import Stand, drafts, stands, try_drafts
from uaccel.gain import gain
from uaccel.model.dossier import Declined, Patch
from uaccel.model.judgement import Measurement, Verdict
from uaccel.model.rewrite import Edit
from uaccel.model.scan import Filters, Place
from uaccel.model.series import Change, Done
from uaccel.model.source import Layouts, Source, Span
from uaccel.model.support import Gain
from uaccel.read.reading import read_source

_SECONDS = 10.0  # of processor time for reading one file of a folder


@dataclass(frozen=True, slots=True)
class Request:
    """What to convert, and what to know of it."""

    named: tuple[str, ...]  # folders, FILE, FILE:FUNCTION as the user named them
    style: str
    counted: bool = False  # build the functions before and after, and count
    judged: bool = True  # each function is a patch of its own: ask git and checkpatch


@dataclass(frozen=True, slots=True)
class Conversion:
    """One target in the style that was asked for."""

    draft: Draft
    patch: Patch | None  # None when there is nothing to write
    done: tuple[Done, ...]  # the clusters that the style wrote
    refusals: tuple[Declined, ...]
    verdicts: tuple[Verdict, ...]  # what git and checkpatch say of the patch
    counted: bool  # figures were asked for
    measurements: tuple[Measurement, ...]  # of all its clusters, before and after

    @property
    def target(self) -> str:
        """Return how the user names it."""
        return self.draft.target.name

    @property
    def file(self) -> str:
        """Return the path of its file in the tree."""
        return str(self.draft.target.path)


@dataclass(frozen=True, slots=True)
class Converted:
    """All that was converted, and what could not even be read."""

    made: tuple[Conversion, ...]
    notes: tuple[str, ...]  # one sentence each

    @property
    def done(self) -> tuple[tuple[str, Done], ...]:
        """Return every cluster that was written, with its style."""
        return tuple((one.draft.style, done) for one in self.made for done in one.done)

    @property
    def refusals(self) -> tuple[Declined, ...]:
        """Return what the style refused, of all targets."""
        return tuple(refusal for one in self.made for refusal in one.refusals)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return what git and checkpatch say of the patches, of all targets."""
        return tuple(verdict for one in self.made for verdict in one.verdicts)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Return what was counted, of all targets."""
        return tuple(figure for one in self.made for figure in one.measurements)


def convert(ground: Ground, request: Request) -> Converted:
    """Return each target written in the style that was asked for.

    What has to be built for it is: struct layouts that the headers do not tell, and figures when
    they were asked for.
    """
    named, below, notes = _targets(ground, request.named)
    targets = (*named, *below)
    built = (*named, *(one for one in below if has_object(ground.tree, one)))
    known = {one.name: layouts_of(ground.tree, one) for one in targets}
    needy = tuple(one for one in built if request.counted or _asks(one, request.style, known))
    standing = {one.target.name: one for one in stands(ground, needy)} if needy else {}
    made = tuple(
        _draft(one, standing.get(one.name), request.style, known[one.name]) for one in targets
    )
    gains = _gains(ground, made)
    opinions = _opinions(ground, made) if request.judged else [()] * len(made)
    return Converted(
        tuple(
            Conversion(
                draft=one,
                patch=patch(one) if one.rewrites else None,
                done=tuple(_done(one, gains)),
                refusals=tuple(_declined(one, of_folder=one.target in below)),
                verdicts=said,
                counted=request.counted,
                measurements=_measured(ground, one, standing) if request.counted else (),
            )
            for one, said in zip(made, opinions, strict=True)
        ),
        notes,
    )


def changes(made: tuple[Conversion, ...]) -> tuple[Change, ...]:
    """Return each file that changes, with all its conversions applied."""
    files: dict[str, list[_Version]] = {}
    for one in (each.draft for each in made if each.draft.rewrites):
        target = one.target
        version = _Version(target.reading.source, target.includers, one.text)
        files.setdefault(str(target.path), []).append(version)
        for other in one.others:
            beside = Source(PurePosixPath(other.path), other.before)
            files.setdefault(other.path, []).append(_Version(beside, (), other.after))
    return tuple(_joined(path, many) for path, many in files.items())


def _targets(
    ground: Ground, named: tuple[str, ...]
) -> tuple[tuple[Target, ...], tuple[Target, ...], tuple[str, ...]]:
    folders = tuple(name for name in named if is_folder(ground.tree, name))
    targets = load(ground.tree, tuple(name for name in named if name not in folders))
    if not folders:
        return targets, (), ()
    search = Search(Filters(folders, (), None, None, 2, None), ground.jobs, _SECONDS, "", None)
    found = scan(ground.tree, ground.store, search, ground.progress)
    files = tuple(dict.fromkeys(place.file for place in found.places))
    below, unread = sift(ground.tree, files)
    known = {target.name for target in targets}
    skipped = (f"{one.path} was not read: {one.why}" for one in found.skipped)
    return targets, tuple(one for one in below if one.name not in known), (*skipped, *unread)


def _asks(target: Target, style: str, known: dict[str, tuple[Layouts, ...]]) -> bool:
    # What the tree's headers tell needs no object.
    told = not STYLES[style].needs_layouts and tells_all(target, known[target.name])
    return needs_layouts(target, style) and not told


def _draft(target: Target, stand: Stand | None, style: str, known: tuple[Layouts, ...]) -> Draft:
    return drafts(stand, (style,))[0] if stand is not None else draft(target, style, known)


def _declined(made: Draft, of_folder: bool) -> Iterator[Declined]:
    # Who names a folder asks for what could share a window, not for every access that is alone.
    pairs = zip(subjects(made.target), made.target.function.clusters, strict=True)
    left = {one.id for one, cluster in pairs if of_folder and not cluster.shares}
    yield from (one for one in declined(made) if one.cluster not in left)


def _opinions(ground: Ground, made: tuple[Draft, ...]) -> list[tuple[Verdict, ...]]:
    def job(one: Draft) -> Job[tuple[Verdict, ...]]:
        return f"checking {one.target.function.name}", lambda: _judged(ground, one)

    return list(at_once(ground, tuple(job(one) for one in made)))


def _judged(ground: Ground, made: Draft) -> tuple[Verdict, ...]:
    if not made.rewrites:
        return ()
    said = judge(ground.tree, ground.store, made, patch(made).text)
    return tuple(
        Verdict(check, made.target.name, made.style, None, one.outcome, one.why)
        for check, one in said
    )


def _done(made: Draft, gains: dict[str, tuple[Gain, ...]]) -> Iterator[Done]:
    known = subjects(made.target)
    for rewrite in made.rewrites:
        at = made.target.function.clusters.index(rewrite.cluster)
        # The source tells what a window saves, and nothing of any other way of writing.
        told = any(cluster.stands for cluster in made.clusters_in(at))
        saved = gains.get(known[at].id, ()) if told else ()
        yield Done(known[at], saved, rewrite.differences, made.left_of(at))


def _gains(ground: Ground, made: tuple[Draft, ...]) -> dict[str, tuple[Gain, ...]]:
    offered = supports(ground.tree, ground.arches)
    sources = {one.target.path: one.target.reading.source for one in made if one.rewrites}
    places = (Place(str(p), s) for p, text in sources.items() for s in survey(text).sightings)
    return {
        place.id: tuple(gain(place.file, place.sighting, one) for one in offered)
        for place in places
    }


def _measured(ground: Ground, made: Draft, standing: dict[str, Stand]) -> tuple[Measurement, ...]:
    stand = standing.get(made.target.name)
    if stand is None or not made.rewrites:
        return ()
    trials: tuple[Trial, ...] = (*stand.trials, *try_drafts(ground, stand, (made,)))
    return tuple(one for trial in trials for one in figures.measurements(trial))


@dataclass(frozen=True, slots=True)
class _Version:
    source: Source  # as it stands in the tree
    includers: tuple[Source, ...]
    after: bytes  # with the conversion of one function


def _joined(path: str, made: list[_Version]) -> Change:
    source, includers = made[0].source, made[0].includers
    before = source.text
    # Functions that share a macro each bring it: the same edit is made once.
    edits = longest(edit for one in made for edit in _edits(before, one.after))
    after = apply(before, edits)
    again = read_source(Source(source.path, after), includers)
    if len(again.broken) > len(read_source(source, includers).broken):
        raise BrokenInvariant(f"the conversions of {path} together leave C that does not parse")
    return Change(path, before, after)


def _edits(before: bytes, after: bytes) -> Iterator[Edit]:
    left, right = _lines(before), _lines(after)
    head = sum(1 for _ in takewhile(_equal, zip(left, right, strict=False)))
    rest = zip(reversed(left[head:]), reversed(right[head:]), strict=False)
    tail = sum(1 for _ in takewhile(_equal, rest))
    old, new = left[head : len(left) - tail], right[head : len(right) - tail]
    starts = [sum(map(len, left[:head]))]
    for line in old:
        starts.append(starts[-1] + len(line))
    for kind, start, end, its_start, its_end in SequenceMatcher(
        None, old, new, False
    ).get_opcodes():
        if kind != "equal":
            text = b"".join(new[its_start:its_end]).decode(errors="surrogateescape")
            yield Edit(Span(starts[start], starts[end]), text)


def _lines(text: bytes) -> list[bytes]:
    return re.findall(rb"[^\n]*\n|[^\n]+", text)


def _equal(pair: tuple[bytes, bytes]) -> bool:
    return pair[0] == pair[1]
