# SPDX-License-Identifier: GPL-2.0-only
"""Compare what perf wrote of several variants: sort files into variants and runs, then judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from statistics import median

from uaccel.attribution import OBJECT
from uaccel.compare import compare
from uaccel.errors import UserError
from uaccel.flow.attributed import attributed
from uaccel.model.annotation import Annotation
from uaccel.model.attribution import Attribution
from uaccel.model.comparison import Comparison, Counted, Taken, Variant
from uaccel.model.machine import Arch
from uaccel.model.profile import Profile, Tool
from uaccel.model.scan import Scan
from uaccel.model.stat import Stat
from uaccel.read.perfannotate import read_annotations
from uaccel.read.perfstat import read_stats
from uaccel.read.profile import read_profiles
from uaccel.remarks import is_time

STDIN = "-"
_LOOSE = (Tool.SCRIPT, Tool.FOLDED)  # what these print has no head and no percent
Annotate = Callable[[str, str], str]  # path of a recording, symbol: what perf annotate says


@dataclass(frozen=True, slots=True)
class Given:
    """One file as it was given."""

    name: str | None  # of its variant; None: the file's own
    path: str
    text: str  # what perf says of it
    recorded: bool  # it is what perf record writes

    @property
    def file(self) -> str:
        """Return the name of the file, without its folder."""
        return PurePath(self.path).name


@dataclass(frozen=True, slots=True)
class Question:
    """What to compare, and how."""

    given: tuple[Given, ...]
    functions: tuple[str, ...]  # that the group is about; (): find them
    holders: Mapping[str, tuple[str, ...]] | None  # of a tree; None: no tree was named
    arches: tuple[Arch, ...]  # that an annotated listing may be of
    annotate: Annotate | None  # None: recordings are not annotated
    command: str  # the line that reproduces it
    objects: tuple[tuple[str, bytes], ...] = ()  # files that may hold the annotated functions


@dataclass(slots=True)
class _Sorted:
    # What the files hold, variant by variant.
    taken: dict[str, Taken] = field(default_factory=dict)
    loose: list[Attribution] = field(default_factory=list)  # of annotated listings: no variant's
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, more: Taken) -> None:
        known = self.taken.get(name, Taken(name))
        self.taken[name] = Taken(
            name=name,
            sources=(*known.sources, *more.sources),
            profiles=(*known.profiles, *more.profiles),
            counts=merged((*known.counts, *more.counts)),
            attributions=(*known.attributions, *more.attributions),
        )


def comparison(question: Question) -> Comparison:
    """Return what the files of `question` say side by side."""
    found = _sorted(question)
    if len(found.taken) == 1:
        found.notes.append("one variant alone: there is nothing to compare it with")
    told = compare(
        tuple(found.taken.values()),
        asked=question.functions,
        holders=question.holders,
        command=question.command,
        notes=found.notes,
    )
    told = replace(told, attributions=tuple(found.loose))
    if question.annotate is not None:
        told = _annotated(told, question, question.annotate)
    return replace(told, notes=(*told.notes, *_about_objects(told, question)))


def _about_objects(told: Comparison, question: Question) -> Iterator[str]:
    each = (*told.attributions, *(one for v in told.variants for one in v.attributions))
    if question.objects and not each:
        yield "no annotated function was given, so the objects tell nothing"
    plain = {one.annotation.symbol or "a function without a name": None for one in each}
    for one in each:
        if OBJECT in one.how:
            plain.pop(one.annotation.symbol, None)
    if question.objects and plain:
        yield f"no object was found to hold {', '.join(plain)}: patterns of instructions tell"


def holders(scan: Scan) -> dict[str, tuple[str, ...]]:
    """Return the functions of a tree that hold clusters, each with those it may be inlined into."""
    found: dict[str, dict[str, None]] = {}
    for survey in scan.surveys:
        for seen in survey.sightings:
            if seen.function:
                found.setdefault(seen.function, {}).update(dict.fromkeys(seen.callers))
    return {name: tuple(callers) for name, callers in found.items()}


def merged(counts: Iterable[Counted]) -> tuple[Counted, ...]:
    """Return `counts` with the runs of one event together."""
    runs: dict[tuple[str, str], list[Counted]] = {}
    for one in counts:
        runs.setdefault((one.event, one.unit), []).append(one)
    return tuple(_merged(ones) for ones in runs.values())


def _merged(runs: Sequence[Counted]) -> Counted:
    if len(runs) == 1:
        return runs[0]
    values = tuple(value for one in runs for value in one.values)
    return Counted(runs[0].event, runs[0].unit, median(values), values)


def _counts(stat: Stat) -> Iterator[Counted]:
    for one in stat.events:
        if one.value is not None:
            known = one.variation is not None and stat.runs > 1
            error = abs(one.value) * (one.variation or 0.0) / 100 if known else None
            yield Counted(one.name, one.unit, one.value, (one.value,), stat.runs, error)


def _sorted(question: Question) -> _Sorted:
    found = _Sorted()
    names = _names(question.given)
    _expect_runs(question.given)
    for given, name in zip(question.given, names, strict=True):
        many = name if given.name or len(question.given) > 1 else "listing"
        stats = () if given.recorded else read_stats(given.text)
        counts = tuple(tuple(_counts(one)) for one in stats)
        listings = () if given.recorded else read_annotations(given.text)
        others = bool(counts or listings)
        profiles, notes = _of_one_event(given, _profiles(given, others))
        found.notes += notes
        if not profiles and not counts and not listings:
            raise UserError(
                f"{given.path}: no profile was found, no annotated listing and no counts of "
                "perf stat; `uaccel compare --help` says what it reads"
            )
        _sort(found, given, many if len(profiles) > 1 else name, profiles)
        if counts:
            _sort_counts(found, given, name, (len(profiles), counts))
        told = [attributed(one, question.arches, question.objects) for one in listings]
        _sort_attributions(found, given, name, (len(profiles), told))
    return found


def _expect_runs(given: Sequence[Given]) -> None:
    # What stands twice is one measurement, and would be counted as the scatter of two.
    known: dict[tuple[str, str], str] = {}
    for one in given:
        if one.name is None:
            continue
        same = known.setdefault((one.name, one.text), one.path)
        if same is not one.path:
            raise UserError(f"{same} and {one.path} are one run of {one.name}: they hold the same")


def _profiles(given: Given, others: bool) -> tuple[Profile, ...]:
    try:
        found = read_profiles(given.text)
    except UserError:
        return ()  # it may hold something else that perf wrote
    # Lines of counts and of annotated functions look like samples and stacks, a few of them.
    return tuple(one for one in found if not others or one.tool not in _LOOSE)


def _of_one_event(
    given: Given, profiles: tuple[Profile, ...]
) -> tuple[tuple[Profile, ...], list[str]]:
    # Events of one recording are no variants.
    events = [profile.event for profile in profiles]
    if len(profiles) < 2 or "" in events or len(set(events)) < len(events):
        return profiles, []
    # Time first; and of a recording not what happened to occur first, which runs differ in.
    order = {one: (not is_time(one), one if given.recorded else "") for one in events}
    chosen = min(profiles, key=lambda one: order[one.event])
    rest = ", ".join(event for event in events if event != chosen.event)
    return (chosen,), [f"{given.file}: {chosen.event} is compared; it also holds {rest}"]


def _names(given: Sequence[Given]) -> list[str]:
    # Files of one name in different folders are different variants: their paths tell them apart.
    stems = Counter(_stem(one.path) for one in given if one.name is None)
    seen: Counter[str] = Counter()
    names: list[str] = []
    for one in given:
        name = one.name or (_stem(one.path) if stems[_stem(one.path)] == 1 else one.path)
        seen[name] += one.name is None
        again = one.name is None and seen[name] > 1
        names.append(f"{name} ({seen[name]})" if again else name)
    return names


def _stem(path: str) -> str:
    return "stdin" if path == STDIN else PurePath(path).stem or path


def _sort(found: _Sorted, given: Given, name: str, profiles: Sequence[Profile]) -> None:
    for number, profile in enumerate(profiles, 1):
        source = given.path if len(profiles) == 1 else f"{given.path}, listing {number}"
        called = _numbered(name, number, len(profiles))
        found.add(called, Taken(called, sources=(source,), profiles=(profile,)))


def _numbered(name: str, number: int, count: int) -> str:
    return name if count == 1 else f"{name} {number}".strip()


def _sort_counts(
    found: _Sorted, given: Given, name: str, held: tuple[int, Sequence[tuple[Counted, ...]]]
) -> None:
    profiles, runs = held
    if profiles > 1:
        found.notes.append(f"{given.file}: its counts of perf stat belong to none of its listings")
        return
    for number, counts in enumerate(runs, 1):
        called = _numbered(name, number, 1 if profiles else len(runs))
        found.add(called, Taken(called, counts=counts))


def _sort_attributions(
    found: _Sorted, given: Given, name: str, held: tuple[int, Sequence[Attribution]]
) -> None:
    profiles, told = held
    if profiles and (profiles > 1 or len(told) > 1):
        found.loose += told
        if told:
            count = len(told)
            found.notes.append(
                f"{given.file}: nothing says which of its listings its {count} annotated "
                f"function{'s' * (count != 1)} belong{'s' * (count == 1)} to"
            )
        return
    for number, one in enumerate(told, 1):
        called = _numbered(name, number, len(told))
        found.add(called, Taken(called, attributions=(one,)))


# Recordings, annotated


def _annotated(told: Comparison, question: Question, annotate: Annotate) -> Comparison:
    recorded = {given.path for given in question.given if given.recorded}
    variants, notes = [], []
    for variant in told.variants:
        listings: list[Annotation] = []
        for source, symbol in _wanted(variant, recorded):
            try:
                listings += read_annotations(annotate(source, symbol))
            except UserError as error:  # the figures stand all the same
                notes.append(str(error))
        more = (attributed(one, question.arches, question.objects) for one in listings)
        variants.append(replace(variant, attributions=(*variant.attributions, *more)))
    if not recorded:
        notes.append("only recordings can be annotated, and none was given")
    return replace(told, variants=tuple(variants), notes=(*told.notes, *notes))


def _wanted(variant: Variant, recorded: set[str]) -> Iterator[tuple[str, str]]:
    # The first run stands for all: an annotation shows where the time goes, and is no measurement.
    source = next((source for source in variant.sources if source in recorded), None)
    for row in variant.groups[0].rows if source is not None and variant.groups else ():
        if not row.why.startswith("copies"):
            yield source or "", row.symbol
