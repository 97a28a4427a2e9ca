# SPDX-License-Identifier: GPL-2.0-only
"""Everything that a style writes, compiled by the kernel's own build beside what stood there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath

from uaccel.checks.compiles import judge as judge_compiled
from uaccel.flow.coverage import Covered, Fate, asked, cover
from uaccel.flow.drafts import STYLES
from uaccel.flow.ground import Ground, Job, at_once
from uaccel.host.allmod import Allmod, make, original, prepared, rebuilt
from uaccel.host.files import content
from uaccel.host.kbuild import Prepared
from uaccel.host.memory import remembered
from uaccel.host.tree import read_file
from uaccel.model.judgement import Evidence
from uaccel.model.machine import Build
from uaccel.model.source import Function, Layouts, Source
from uaccel.read.reading import read_source
from uaccel.read.types import read_layouts


class Result(Enum):
    """What became of one rewritten file."""

    OK = "ok"
    FAILS = "fails"
    WARNS = "warns"
    NOT_BUILT = "not built by this configuration"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One file in one style on one architecture."""

    file: str
    style: str
    arch: str
    compiler: str
    clusters: int  # written
    functions: tuple[str, ...]
    result: Result
    message: str  # of the compiler or of objtool, "" when there is none
    reused: bool  # it was built in an earlier run


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """One run over many files."""

    rows: tuple[Rebuilt, ...]  # by style and file; files in which nothing was written have none
    covered: tuple[Covered, ...]  # where a style needs layouts, with those of the objects


def rebuild(
    ground: Ground, allmod: Allmod, styles: tuple[str, ...], paths: tuple[str, ...]
) -> Rebuilding:
    """Return what the compiler of `allmod` makes of each of `paths` in each of `styles`."""

    def said(what: str) -> None:
        ground.progress(what, 0, 0)

    objects = {path: allmod.object_of(path) for path in paths}
    make(allmod, tuple(one for one in objects.values() if one), ground.jobs, said)

    def job(path: str) -> Job[tuple[tuple[Covered, Rebuilt | None], ...]]:
        return path, lambda: _file(allmod, styles, path, objects[path])

    answers = [one for some in at_once(ground, tuple(map(job, paths))) for one in some]
    answers.sort(key=lambda pair: (pair[0].style, pair[0].path))
    rows = tuple(row for _, row in answers if row is not None)
    return Rebuilding(rows, tuple(covered for covered, _ in answers))


def compared(before: Build, after: Build) -> tuple[Result, str]:
    """Return what the compiler and objtool say of `after` that they did not say of `before`."""
    if after.path is None:
        return Result.FAILS, judge_compiled(Evidence(build=after)).why
    fresh = Counter(_warnings(after))
    fresh.subtract(Counter(_warnings(before)))
    more = [text for text, times in fresh.items() if times > 0]
    return (Result.WARNS, more[0]) if more else (Result.OK, "")


def _file(
    allmod: Allmod, styles: tuple[str, ...], path: str, object: str | None
) -> tuple[tuple[Covered, Rebuilt | None], ...]:
    made = prepared(allmod, object) if object else None
    why = "" if made else "Kbuild makes no object of it" if not object else "as it stands it fails"
    before = original(allmod, made) if made else None
    if before is not None and before.path is None:
        made, why = None, f"as it stands it fails: {judge_compiled(Evidence(build=before)).why}"
    answers = []
    for style in styles:
        layouts = _layouts(allmod, style, path, before) if made and before else ()
        covered = cover(allmod.tree, style, path, layouts)
        answers.append((covered, _row(allmod, covered, made, before, why)))
    return tuple(answers)


def _row(
    allmod: Allmod, covered: Covered, made: Prepared | None, before: Build | None, why: str
) -> Rebuilt | None:
    written = sum(one.fate is Fate.WRITTEN for one in covered.answers)
    if covered.after == covered.before:
        return None
    result, message, reused = Result.NOT_BUILT, why, False
    if made is not None and before is not None:
        path = PurePosixPath(covered.path)
        after = rebuilt(allmod, made, path, covered.after, covered.others)
        result, message = compared(before, after)
        where = _within(covered, after) if result is Result.FAILS else ""
        message, reused = f"{message}{where}", after.reused
    first = allmod.first
    return Rebuilt(
        file=covered.path,
        style=covered.style,
        arch=first.arch,
        compiler=first.toolchain,
        clusters=written,
        functions=covered.functions,
        result=result,
        message=message,
        reused=reused,
    )


def _within(covered: Covered, build: Build) -> str:
    # The error may stand in a header: whose macro was expanded is said below it.
    lines = re.search(rf"^{re.escape(covered.path)}:(\d+):\d+: (?:error|note): ", build.log, re.M)
    if lines is None:
        return ""
    source = Source(PurePosixPath(covered.path), covered.after)
    for one in read_source(source).functions:
        if source.line(one.span.start) <= int(lines[1]) <= source.line(one.span.end):
            return f" (in {one.name})"
    return ""


def _layouts(allmod: Allmod, style: str, path: str, before: Build) -> tuple[Layouts, ...]:
    # What copies are made of is read in the headers, as it is for `uaccel convert`.
    if before.path is None or not STYLES[style].needs_layouts:
        return ()
    functions = read_source(read_file(allmod.tree, path)).functions
    mine = tuple(f for f in functions if any(asked(style, c) for c in f.clusters))
    if not mine:
        return ()
    data = content(before.path)
    tags = tuple(sorted(set(_tags(mine))))
    arch = allmod.first.arch
    return (
        remembered(
            allmod.store,
            "objects",
            ("layouts", data, arch, *tags),
            lambda: read_layouts(data, arch, tags),
        ),
    )


def _tags(functions: Iterable[Function]) -> Iterator[str]:
    for function in functions:
        yield from (tag for _, tag in function.pointers)
        yield from (local.struct for local in function.locals)


def _warnings(build: Build) -> Iterator[str]:
    # Where it stands may move, and so may how many bytes a frame has.
    for line in f"{build.log}\n{build.objtool or ''}".splitlines():
        place, found, text = line.partition(": warning: ")
        if found:
            file = place.partition(":")[0]
            yield f"{file}: {re.sub(r'0x[0-9a-f]+|[0-9]+', 'N', text)}"
