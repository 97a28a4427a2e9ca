# SPDX-License-Identifier: GPL-2.0-only
"""Ours beside people's: what is said of each, which of it is a failure, and the sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from corpus.places import Writing
from corpus.tables import version
from uaccel.count import PathCount
from uaccel.flow.transfers import counterparts, is_same
from uaccel.model.source import Cluster, Direction, Form

COLUMNS = (
    *("tree", "file", "function", "cluster", "accesses", "stands", "style", "by", "range"),
    *("arch", "path_instructions", "path_toggles", "function_instructions", "result", "as_people"),
)
# What opens a window by its own begin and end; the other style with an opening is the scope.
_WINDOWS = (Form.WINDOW.value, Form.MASKED.value, Form.HELPER.value)


class Result(Enum):
    """What became of one cluster."""

    STANDS = "stands"  # people's
    NO_MORE = "no more"
    MORE = "more"
    FAILS = "fails"  # it does not compile where people's does
    BROKEN = "broken"  # our bug
    REFUSED = "refused"
    UNKNOWN = "unknown"


FAILURES = (Result.FAILS, Result.BROKEN)
COUNTED = (Result.NO_MORE, Result.MORE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one cluster, and what it holds for."""

    result: Result
    why: str = ""
    note: str = ""  # what it holds for, where that is not all of it in its own tree

    @property
    def cell(self) -> str:
        """Return it as the table has it."""
        said = f"{self.result.value}: {self.why}" if self.why else self.result.value
        return f"{said}, {self.note}" if self.note else said


@dataclass(frozen=True, slots=True)
class Counted:
    """One cluster of a writing on one architecture."""

    writing: Writing
    number: int  # of the cluster in the function as it stands
    arch: str
    path: PathCount | None
    function: int | None  # instructions
    verdict: Verdict
    later: Form | None = None  # of people's in the later tree, when that is what it is beside

    @property
    def cluster(self) -> Cluster:
        """Return it as it stands."""
        return self.writing.target.function.clusters[self.number]

    @property
    def decides(self) -> bool:
        """Return whether ours and people's are of one style, so that more is a failure."""
        return _kind(self.writing.style) == _kind((self.later or self.cluster.form).value)

    @property
    def place(self) -> tuple[str, str]:
        """Return its file and function."""
        return str(self.writing.target.path), self.writing.target.function.name


def clusters_of(writing: Writing, number: int) -> tuple[Cluster, ...]:
    """Return what the cluster `number` of the function as it stands became in `writing`."""
    made = writing.made
    if made is None or not writing.style:
        return (writing.target.function.clusters[number],)
    return counterparts(writing.target.function, made.written.function, number)


def left(writing: Writing) -> Verdict:
    """Return what is said of a `writing` that was not made."""
    return Verdict(Result.BROKEN if writing.broken else Result.REFUSED, writing.why)


def compared(people: PathCount | str, ours: PathCount | str, note: str = "") -> Verdict:
    """Return whether `ours` needs more instructions than `people`; a sentence is no count."""
    for who, one in (("people's", people), ("ours", ours)):
        if isinstance(one, str):
            return Verdict(Result.UNKNOWN, f"{who}, {one}", note)
        if one.instructions is None and not one.uncounted:
            return Verdict(Result.UNKNOWN, f"{who}, {one.why}", note)
    assert isinstance(people, PathCount) and isinstance(ours, PathCount)
    if sorted(people.uncounted) != sorted(ours.uncounted):
        why = f"{_calls(ours)} is called and by people {_calls(people)}"
        return Verdict(Result.UNKNOWN, why, note)
    result = Result.NO_MORE if ours.at_least <= people.at_least else Result.MORE
    return Verdict(result, note=note)


def beside_later(rows: Iterable[Counted]) -> tuple[Counted, ...]:
    """Return `rows`; ours is compared with what people wrote later where nothing stood before."""
    rows = tuple(rows)
    later = {
        (row.writing.target.name, row.cluster.direction, row.arch): row
        for row in reversed(rows)
        if not row.writing.style and row.cluster.stands
    }
    return tuple(_later(row, later) for row in rows)


def cells(one: Counted) -> tuple[str, ...]:
    """Return the row of the table, in the order of COLUMNS."""
    writing, path, cluster = one.writing, one.path, one.cluster
    target, made = writing.target, writing.made
    where = f"{cluster.direction.value}@{target.reading.source.line(cluster.start)}"
    figure = ""
    if path is not None:
        figure = str(path.instructions) if path.instructions is not None else f">={path.at_least}"
    toggles = path.toggles if path is not None else None
    alike = ""
    if made is not None:
        alike = "same" if is_same(made.written.function, writing.people.function, ()) else "other"
    return (
        *(version(writing.tree), *one.place),
        *(where, str(len(cluster.accesses)), cluster.form.value, writing.style or "as it stands"),
        *(writing.by, _range(writing, one.number), one.arch, figure),
        *("" if count is None else str(count) for count in (toggles, one.function)),
        *(one.verdict.cell.replace(f"{writing.tree.path}/", ""), alike),
    )


def judged(text: str) -> frozenset[tuple[str, str]]:
    """Return file and function of each row of people-judged.tsv, which is `text`."""
    rows = [row.split("\t") for row in text.splitlines()[1:]]
    return frozenset((row[0], name) for row in rows for name in row[1].split(", "))


def failed(rows: Iterable[Counted], known: frozenset[tuple[str, str]]) -> tuple[Counted, ...]:
    """Return those of ours that are a failure: `known` functions may need more than people's."""
    return tuple(
        row
        for row in rows
        if row.writing.style
        and (
            row.verdict.result in FAILURES
            or (row.verdict.result is Result.MORE and row.decides and row.place not in known)
        )
    )


def sums(rows: Iterable[Counted], known: frozenset[tuple[str, str]]) -> Iterator[str]:
    """Yield one line a result: how many of ours, beside which style, and how many are judged."""
    ours = [row for row in rows if row.writing.style]
    for result in Result:
        some = [row for row in ours if row.verdict.result is result]
        if result is Result.STANDS:
            continue
        if result not in COUNTED:
            yield f"{result.value}: {len(some)}"
            continue
        same = [row for row in some if row.decides]
        said = f"{len(same)} beside people's of the same style"
        if result is Result.MORE:
            said += f", of them {sum(row.place in known for row in same)} in judged functions"
        yield f"{result.value}: {said}; {len(some) - len(same)} beside another style"


def _kind(style: str) -> str:
    return Form.WINDOW.value if style in _WINDOWS else style


def _calls(one: PathCount) -> str:
    return " and ".join(one.uncounted) or "nothing"


def _later(row: Counted, later: Mapping[tuple[str, Direction, str], Counted]) -> Counted:
    writing = row.writing
    if not writing.style or row.cluster.stands or row.verdict.result not in COUNTED:
        return row
    people = later.get((writing.people.name, row.cluster.direction, row.arch))
    if people is None or people.path is None or row.path is None:
        why = f"of the later tree; than before: {row.verdict.cell}"
        return replace(row, verdict=Verdict(Result.UNKNOWN, why))
    said = compared(people.path, row.path, "than in the later tree")
    return replace(row, verdict=said, later=people.cluster.form)


def _range(writing: Writing, number: int) -> str:
    found = [one.scaffold.covers for one in clusters_of(writing, number) if one.scaffold]
    return " and ".join(found) if writing.made is not None else ""
