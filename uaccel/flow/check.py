# SPDX-License-Identifier: GPL-2.0-only
"""Judge the windows of many files side by side; whatever happens in one of them is said of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from uaccel.errors import UserError
from uaccel.flow.filereading import Progress, batches
from uaccel.flow.judge import RULES, Ground, judge_file, prepare
from uaccel.flow.looking import look_through
from uaccel.flow.wanted import Wanted
from uaccel.host.pool import Broken, Pool, Task
from uaccel.host.walk import Look, Walker, content, why_not
from uaccel.model.checked import Checked, Looked, Unread
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Doubted, Found, Judged
from uaccel.sites import may_hold_window

_JUDGING = Task("judging", "judged", 400_000_000)
_MANY = 10  # files
_NOTHING = "the patches leave no .c or .h file that is judged"
_Said = TypeVar("_Said", Found, Doubted)
_LEVELS = tuple(Level)  # the worst first


@dataclass(frozen=True, slots=True)
class Request:
    """How to check."""

    rules: tuple[str, ...]  # names of those to ask
    jobs: int  # processes
    seconds: float  # of processor time for one file
    command: str  # the line that reproduces it


@dataclass(frozen=True, slots=True)
class _Seen:
    files: int  # that were looked at
    held: Mapping[str, tuple[str, str, int]]  # root, path and size of what may hold a window
    skipped: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class _Judge:
    ground: Ground
    held: Mapping[str, tuple[str, str, int]]
    texts: Mapping[str, bytes]

    def judge(self, path: str) -> Judged:
        try:
            text = self.texts[path] if path in self.texts else content(*self.held[path][:2])
        except OSError as error:
            return Judged(path, 0, 0, (), (), skipped=why_not(error))
        except UserError as error:
            return Judged(path, 0, 0, (), (), skipped=str(error))
        return judge_file(self.ground, path, text)


def check(tree: Tree | None, wanted: Wanted, request: Request, progress: Progress) -> Checked:
    """Return what the rules find in the files of `wanted`."""
    began = time.monotonic()
    seen = _look(wanted, request.jobs, progress)
    judged = sorted(_judged(tree, wanted, seen, request, progress), key=lambda one: one.path)
    findings = _each(wanted, ((file.path, one) for file in judged for one in file.findings))
    doubts = _each(wanted, ((file.path, one) for file in judged for one in file.doubts))
    skipped = (*seen.skipped, *(Unread(one.path, one.skipped) for one in judged if one.skipped))
    return Checked(
        tree=tree,
        command=request.command,
        targets=wanted.targets,
        patches=wanted.patches,
        rules=tuple((name, rule.summary) for name, rule in RULES.items()),
        findings=findings,
        known=0,
        gone=0,
        doubts=doubts,
        skipped=tuple(sorted(skipped, key=lambda one: one.path)),
        looked=Looked(
            seen.files + len(wanted.texts),
            len(judged),
            sum(one.functions for one in judged),
            sum(one.windows for one in judged),
        ),
        names=tuple(wanted.names.items()),
        alone=wanted.alone,
        notes=(_NOTHING,) if wanted.patches and not wanted.texts else (),
        seconds=time.monotonic() - began,
    )


def at_least(found: Checked, level: Level) -> Checked:
    """Return `found` with no findings but those of `level` and worse."""
    shown = _LEVELS[: _LEVELS.index(level) + 1]
    return replace(found, findings=tuple(one for one in found.findings if one.level in shown))


def _look(wanted: Wanted, jobs: int, progress: Progress) -> _Seen:
    files = 0
    held: dict[str, tuple[str, str, int]] = {}
    skipped: list[Unread] = []
    for land in wanted.lands:
        walker = Walker(land.root, {}, may_hold_window)
        for look, seen in look_through(walker, map(Look, land.folders), jobs):
            if isinstance(seen, Broken):
                skipped.append(Unread(f"{land.prefix}{look.folder}" or ".", seen.why))
                continue
            progress(f"looking through {f'{land.prefix}{look.folder}' or land.root}", 0, 0)
            files += len(seen.stamps or ())
            for one in seen.held:
                held[f"{land.prefix}{one.path}"] = land.root, one.path, one.size
            skipped += (Unread(f"{land.prefix}{path}", why) for path, why in seen.skipped)
    return _Seen(files, held, tuple(skipped))


def _judged(
    tree: Tree | None, wanted: Wanted, seen: _Seen, request: Request, progress: Progress
) -> Iterator[Judged]:
    sizes = [(path, size) for path, (_, _, size) in seen.held.items()]
    named = ((path, text, len(text)) for path, text in wanted.texts.items())
    sizes += [(path, size) for path, text, size in named if may_hold_window(text, size)]
    ground = Ground(tree, wanted.replaced, request.rules)
    if len(sizes) >= _MANY:
        # What all files are judged beside is read once, before the workers are forked.
        with suppress(Exception):
            prepare(ground)
    judge = _Judge(ground, seen.held, wanted.texts)
    with Pool(judge.judge, request.jobs, request.seconds, _JUDGING) as pool:
        for batch in batches(sizes):
            pool.put(*batch)
        for done, (path, one) in enumerate(pool.answers(), start=1):
            progress(f"judging {path}", done, len(sizes))
            if isinstance(one, Broken):
                yield Judged(path, 0, 0, (), (), skipped=one.why)
            else:
                yield one


def _each(wanted: Wanted, found: Iterator[tuple[str, _Said]]) -> tuple[_Said, ...]:
    # What stands in a header is found once for each file that includes it.
    once: dict[tuple[Place, str, str], _Said] = {}
    for path, one in found:
        if wanted.asks_for(path, one.function):
            said = one.message if isinstance(one, Found) else one.why
            once.setdefault((one.place, one.rule, said), one)
    return tuple(once[key] for key in sorted(once))
