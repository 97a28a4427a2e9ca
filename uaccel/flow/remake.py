# SPDX-License-Identifier: GPL-2.0-only
"""Windows that stand in a tree: unmade, made again, and both forms built and counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from uaccel.count import PathCount, count_path
from uaccel.edits import apply, whole
from uaccel.errors import BrokenInvariant
from uaccel.flow.bench import Bench, Trial, attempt, set_up
from uaccel.flow.drafts import STYLES, UNMADE, Draft, as_it_is, draft
from uaccel.flow.ground import Ground
from uaccel.flow.layouts import layouts_of
from uaccel.flow.rebuild import Result, compared
from uaccel.flow.targets import Target, every_target, reread
from uaccel.flow.transfers import counterparts
from uaccel.host.allmod import Allmod, original, prepared, rebuilt
from uaccel.host.kbuild import Prepared
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Listing, Unbuilt
from uaccel.model.rewrite import Edit
from uaccel.model.source import Cluster, Form, Function, Span
from uaccel.paths import Leaving
from uaccel.read.csource import cleaned

LOST = "the accesses do not tell which window it became"
LEFT = "it is in no window again"
NOT_BUILT = "not built by this configuration"
HEADER = "a window in a header is in all that include it"
ANEW = "it opens anew for accesses that people's window held"
AGAIN = "it is opened anew in each pass of a loop"
BOTH = "it opens one way alone, where people's opens both: that takes a shorter constant"
_BRACE = re.compile(rb"[{}]")
_LOOP = re.compile(rb"\n[ \t]*(?:\} )?(?:for|while|do|\w*for_each\w*)\b[^{}\n]*\Z")
_LEAVES = re.compile(rb"\b(?:return|goto)\b[^;]*;")
# A branch within a window that leaves it: its lines.
_EARLY = re.compile(rb"(?<=\{\n)([^{}]*\b(?:return|goto)\b[^{};]*;)\s*\}")
QUIET = "allmodconfig without sanitizers"
MORE = (
    "CONFIG_NET=y",
    "CONFIG_EPOLL=y",
    "CONFIG_RSEQ=y",
    "CONFIG_IO_URING=y",
)  # what a study leaves out
_SURE = "lib/usercopy.o"  # every configuration makes it
_SANITIZERS = ("-fsanitize", "-fasan-shadow-offset")
_NOTHING = (Result.NOT_BUILT, "")


@dataclass(frozen=True, slots=True)
class Window:
    """One window of the tree, and what became of it."""

    function: Function
    number: int  # of the cluster in its function
    target: Target | None  # None where the function cannot be rewritten
    unmade: str  # why it cannot be unmade; "" when it was
    remade: str  # why no window was written from that; "" when one was

    @property
    def cluster(self) -> Cluster:
        """Return it as it stands in the tree."""
        return self.function.clusters[self.number]

    @property
    def line(self) -> int:
        """Return where it begins."""
        return self.function.source.line(self.cluster.start)

    @property
    def done(self) -> bool:
        """Return whether it was unmade and made again."""
        return not self.unmade and not self.remade


@dataclass(frozen=True, slots=True)
class Remade:
    """One file that holds windows."""

    path: str
    windows: tuple[Window, ...]  # in the order of the text
    before: bytes
    unmade: bytes  # with no window that can be unmade
    after: bytes  # with a window wherever one was unmade


@dataclass(frozen=True, slots=True)
class Figure:
    """One window on one architecture."""

    arch: str
    compiler: str
    config: str  # of what was counted; "" when nothing was
    unmade: tuple[Result, str]  # what is said of the file fieldwise, and was not said before
    remade: tuple[Result, str]  # and of it as it was made again
    was: PathCount | None  # of the window as it stands; None when it was not counted
    now: PathCount | None
    why: str  # why nothing was counted, or what the count does not show; ""

    @property
    def verdict(self) -> str:
        """Return `no more`, `more`, or `unknown: ` with the reason."""
        if self.was is None or self.now is None:
            return f"unknown: {self.why}"
        for name, count in (("as it stands", self.was), ("made again", self.now)):
            if count.instructions is None and not count.uncounted:
                return f"unknown: {name}: {count.why}"
        if self.why:
            return f"more: {self.why}"
        called = Counter(self.now.uncounted)
        called.subtract(self.was.uncounted)
        more, fewer = ([f for f, n in called.items() if n * sign > 0] for sign in (1, -1))
        if not fewer and self.now.at_least > self.was.at_least:
            return "more"
        if more:
            return f"unknown: it calls {' and '.join(more)}, and what that executes is not known"
        if fewer:
            return f"unknown: what it no longer calls, {' and '.join(fewer)}, stands in the window"
        return "no more" if self.now.at_least <= self.was.at_least else "more"


def remake(tree: Tree, path: str) -> Remade:
    """Return the file at `path` with every window unmade, and made again from what is left."""
    text = read_file(tree, path).text
    first: list[Edit] = []
    last: list[Edit] = []
    windows: list[Window] = []
    for function, target in every_target(tree, path):
        if not any(cluster.stands for cluster in function.clusters):
            continue
        if isinstance(target, str):
            windows += _refused(function, target)
            continue
        try:
            bare = draft(target, UNMADE, layouts_of(tree, target))
            made = _made(tree, bare)
        except BrokenInvariant as error:  # our bug, and none of the other windows
            windows += _refused(function, f"BROKEN: {error}")
            continue
        first += bare.edits
        last += (whole(text, made.text),) if bare.rewrites else ()
        windows += _windows(target, bare, made)
    unmade, after = (apply(text, tuple(dict.fromkeys(edits))) for edits in (first, last))
    return Remade(path, tuple(windows), text, unmade, after)


def figures(
    ground: Ground, allmod: Allmod, arch: Arch, made: Remade
) -> tuple[tuple[Window, Figure], ...]:
    """Return each window of `made` that was unmade, with what `arch` makes of it.

    Warnings are those of the configuration that builds nearly everything; instructions are counted
    as `uaccel study` counts them, or where its configuration cannot make the object, in the same
    that builds nearly everything, without the sanitizers that call before each access.
    """
    windows = tuple(window for window in made.windows if not window.unmade)
    object = allmod.object_of(made.path) if windows else None
    kept = prepared(allmod, object) if object else None
    nothing = Figure(
        arch.name, allmod.first.toolchain, "", _NOTHING, _NOTHING, None, None, NOT_BUILT
    )
    if kept is None:
        return tuple((window, nothing) for window in windows)
    path = PurePosixPath(made.path)
    stands = original(allmod, kept)
    unmade, again = (
        compared(stands, rebuilt(allmod, kept, path, text)) for text in (made.unmade, made.after)
    )
    said = replace(nothing, unmade=unmade, remade=again)
    targets = {window.function.name: window.target for window in windows if window.target}
    bench = _bench(ground, arch, kept, tuple(targets.values()))
    if isinstance(bench, Unbuilt):
        why = bench.why.replace(f"{ground.tree.path}/", "")
        return tuple((window, replace(said, why=why)) for window in windows)
    said = replace(said, config=bench.arch.config_name)
    return tuple((window, _counted(bench, window, made, said)) for window in windows)


def _refused(function: Function, why: str) -> Iterator[Window]:
    for number, cluster in enumerate(function.clusters):
        if cluster.stands:
            yield Window(function, number, None, why, "")


def _made(tree: Tree, bare: Draft) -> Draft:
    # In the form that it had, where that can be written; else as a window.
    if not bare.rewrites:
        return bare
    layouts = layouts_of(tree, bare.written)
    stood = (one.cluster.form.value for one in bare.rewrites if one.cluster.stands)
    made = bare
    for style in dict.fromkeys((*stood, Form.WINDOW.value)):
        made = draft(bare.written, style, layouts) if style in STYLES else made
        if made.rewrites and made is not bare:
            return made
    return made


def _windows(target: Target, bare: Draft, made: Draft) -> Iterator[Window]:
    refused = {one.cluster: one.why for one in bare.refusals}
    for number, cluster in enumerate(target.function.clusters):
        if cluster.stands:
            why = refused.get(cluster, "")
            missing = "" if why else _missing(target, bare, made, number)
            yield Window(target.function, number, target, why, missing)


def _missing(target: Target, bare: Draft, made: Draft, number: int) -> str:
    if _again(target, made.written, number):
        return ""
    mine = counterparts(target.function, bare.written.function, number)
    whys = [one.why for one in made.refusals if one.cluster in mine]
    return whys[0] if whys else LEFT if mine else LOST


def _again(target: Target, written: Target, number: int) -> tuple[Cluster, ...]:
    found = counterparts(target.function, written.function, number)
    return tuple(cluster for cluster in found if cluster.stands)


def _bench(
    ground: Ground, arch: Arch, kept: Prepared, targets: tuple[Target, ...]
) -> Bench | Unbuilt:
    # Some objects cannot be made where nearly everything is off.
    more = replace(
        arch, config=(*arch.config, *MORE), config_name=f"{arch.config_name}, NET, IO_URING, RSEQ"
    )
    for wanted in (arch, more):
        made = set_up(ground, wanted, kept.object, targets)
        if not isinstance(made, Unbuilt):
            return made
    other = set_up(ground, arch, _SURE, targets)
    if isinstance(other, Unbuilt):
        return other
    plain = tuple(part for part in kept.compile if not part.startswith(_SANITIZERS))
    quiet = replace(kept, compile=plain, identity=f"{kept.identity} {QUIET}")
    return replace(other, prepared=quiet, arch=replace(arch, config_name=QUIET))


def _counted(bench: Bench, window: Window, made: Remade, said: Figure) -> Figure:
    target = window.target
    if target is None or not window.done:
        return replace(said, why=window.remade)
    if PurePosixPath(made.path).parent != PurePosixPath(bench.prepared.source).parent:
        return replace(said, why=HEADER)
    written = reread(target, made.after)
    old, new = _same(target.function, written.function, window.number)
    if not any(cluster.stands for cluster in new):
        return replace(said, why=LOST)
    before = attempt(bench, as_it_is(target))
    after = attempt(bench, Draft(target, new[0].form.value, written, made.after, (), (), ()))
    if before.object is None or after.object is None:
        return replace(said, why="it does not compile")
    if before.listing is None or after.listing is None:
        return replace(said, why=NOT_BUILT)
    was, now = _both(
        (before, before.listing, target.function, old),
        (after, after.listing, written.function, new),
    )
    held = _is_looped(written.function, new) and not _is_looped(target.function, old)
    why = AGAIN if held else _reason(was, now, _opens_both(target.function, old))
    return replace(said, was=was, now=now, why=why)


def _reason(was: PathCount, now: PathCount, both: bool) -> str:
    # Why ours needs more, where that can be told.
    if now.at_least <= was.at_least or Counter(now.uncounted) != Counter(was.uncounted):
        return ""
    if was.toggles is not None and now.toggles is not None and now.toggles > was.toggles:
        return ANEW
    return BOTH if both else ""


def _opens_both(function: Function, clusters: tuple[Cluster, ...]) -> bool:
    begins = (function.source.quote(one.extent) for one in clusters if one.stands)
    return any(re.search(r"\buser_access_begin\(", text) for text in begins)


def _same(old: Function, new: Function, number: int) -> tuple[tuple[Cluster, ...], ...]:
    # What one function has in one window, the other one may have in several clusters.
    mine = [counterparts(old, new, at) for at in range(len(old.clusters))]
    wanted, found = {number}, set(mine[number])
    while more := {at for at, some in enumerate(mine) if found & set(some)} - wanted:
        wanted |= more
        found |= {cluster for at in more for cluster in mine[at]}
    return tuple(old.clusters[at] for at in sorted(wanted)), tuple(
        sorted(found, key=lambda one: one.start)
    )


_Counted = tuple[Trial, Listing, Function, tuple[Cluster, ...]]


def _both(old: _Counted, new: _Counted) -> tuple[PathCount, PathCount]:
    # Without the jumps of faults, where both can be followed to their end so.
    was, now = _count(*old, _leaving(*old[2:])), _count(*new, _leaving(*new[2:]))
    if all(one.instructions is not None or one.uncounted for one in (was, now)):
        return was, now
    return _count(*old, None), _count(*new, None)


def _count(
    trial: Trial,
    listing: Listing,
    function: Function,  # noqa: ARG001
    clusters: tuple[Cluster, ...],
    leaving: Leaving | None,
) -> PathCount:
    lines = tuple(line for cluster in clusters for line in cluster.lines)
    accesses = sum(len(cluster.accesses) for cluster in clusters)
    path = str(trial.draft.target.path)
    return count_path(listing, path, lines, accesses, trial.bench.helpers, leaving)


def _leaving(function: Function, clusters: tuple[Cluster, ...]) -> Leaving:
    # On a machine without asm goto with outputs a fault is a jump like any other.
    calls = [access.call for cluster in clusters for access in cluster.accesses]
    tests = frozenset(line for call in calls for line in _lines(function, call))
    landed = {line for call in calls for line in _landing(function, call)}
    for cluster in clusters:
        text = function.source.text[cluster.extent.start : cluster.extent.end]
        for found in _EARLY.finditer(text):
            here = Span(cluster.extent.start + found.start(1), cluster.extent.start + found.end(1))
            landed |= set(_lines(function, here))
    return Leaving(tests, frozenset(landed))


def _lines(function: Function, here: Span) -> range:
    return range(function.source.line(here.start), function.source.line(here.end) + 1)


def _landing(function: Function, call: Span) -> range:
    # From the label that the access jumps to, to the statement that leaves.
    label = function.source.quote(call).rpartition(",")[2].strip(" )\n\t")
    text, end = function.source.text, function.span.end
    start = dict(function.entries).get(label)
    if start is None:  # control may come there without a fault
        return range(0)
    leaves = _LEAVES.search(text, start, end)
    return _lines(function, Span(start, leaves.end() if leaves is not None else end))


def _is_looped(function: Function, clusters: tuple[Cluster, ...]) -> bool:
    # Whether the first window begins inside of a loop's braces.
    begin = next(one.start for one in clusters if one.stands)
    above = cleaned(function.source.text)[function.body.start : begin]
    heads: list[bool] = []
    for brace in _BRACE.finditer(above):
        if brace[0] == b"{":
            heads.append(_LOOP.search(above[: brace.start()]) is not None)
        elif heads:
            heads.pop()
    return any(heads)
