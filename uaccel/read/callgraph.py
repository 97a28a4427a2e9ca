# SPDX-License-Identifier: GPL-2.0-only
"""Read the call graphs that `perf report` draws below the rows of a listing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_PERCENT = r"(?P<share>\d{1,3}(?:\.\d+)?)%"
# `               |--5.43%--__getsockopt`, ` --5.05%--ioctl`, `---do_syscall_64`
_BRANCH = re.compile(rf"(?P<lead>[\s|]*)--{_PERCENT}--\s?(?P<name>\S.*)")
_ROOT = re.compile(r"(?P<lead>[\s|]*)---\s?(?P<name>[^\s-].*)")
# `   - 45.70% do_syscall_64`, as the browser shows and mails quote it
_BROWSED = re.compile(rf"(?P<lead>\s*)[-+]\s(?:{_PERCENT}\s)?(?P<name>[^\s\d].*)")
_FLAT = re.compile(rf"(?P<lead>\s+){_PERCENT}\s*")
# `5.43% do_syscall_64;entry_SYSCALL_64_after_hwframe;read`
_FOLDED = re.compile(rf"(?P<lead>){_PERCENT}\s(?P<name>[^\s\[;]+(?:;[^;]+)*)")
_NAME = re.compile(r"(?P<lead>[\s|]*)(?P<name>[^\s|].*)")
_NOTHING = re.compile(r"[\s|]*")
_COUNTS = re.compile(r"[\s|]*--\d+--\s?\S.*")
# Keys of a graph by address: `do_syscall_64 +70`, `read read.c:26`
_PLACE = re.compile(r"\s+(?:\+\d+|\S+:\d+)$")
_DEPTH = 200  # perf keeps 127 levels unless told otherwise


@dataclass(slots=True)
class Branch:
    """One branch of a drawn tree: symbols that share their samples."""

    column: int
    share: float | None  # percent as drawn; None: all that its parent has
    names: list[str]
    branches: list[Branch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Path:
    """Symbols from the root of a graph on, and the share that ends there."""

    names: tuple[str, ...]
    percent: float
    cut: bool  # the graph goes on below its limit


@dataclass(frozen=True, slots=True)
class Graph:
    """All that is drawn below one row."""

    roots: tuple[Branch, ...]
    unread: tuple[str, ...]


def is_graph(line: str) -> bool:
    """Return whether `line` can only be the part of a call graph."""
    drawn = (_BRANCH, _ROOT, _BROWSED, _FLAT, _FOLDED, _COUNTS)
    return any(form.fullmatch(line) for form in drawn) or bool(re.match(r"\s+\|", line))


def read_graph(lines: Iterable[str]) -> Graph:
    """Return the graph that is drawn by `lines`."""
    drawn = tuple(lines)
    if any(_COUNTS.fullmatch(line) for line in drawn):  # they are counts, of a sum that is not said
        return Graph((), tuple(line for line in drawn if not _NOTHING.fullmatch(line)))
    roots: list[Branch] = []
    opened: list[Branch] = []
    unread = []
    for line in drawn:
        if _NOTHING.fullmatch(line):
            continue
        branch = _branch(line)
        name = None if branch else _NAME.fullmatch(line)
        column = branch.column if branch else len(name["lead"]) if name else 0
        while opened and opened[-1].column >= column:
            opened.pop()
        if branch is not None and len(opened) < _DEPTH:
            (opened[-1].branches if opened else roots).append(branch)
            opened.append(branch)
        elif name and opened and not opened[-1].branches:
            opened[-1].names.append(_clean(name["name"]))
        else:
            unread.append(line)
    return Graph(tuple(roots), tuple(unread))


def _branch(line: str) -> Branch | None:
    if match := _BRANCH.fullmatch(line):
        # The pipe of the last branch is left out.
        return Branch(len(match["lead"]) - 1, float(match["share"]), [_clean(match["name"])])
    if match := _ROOT.fullmatch(line):
        return Branch(len(match["lead"]), None, [_clean(match["name"])])
    if match := _BROWSED.fullmatch(line):
        share = float(match["share"]) if match["share"] else None
        return Branch(len(match["lead"]), share, [_clean(match["name"])])
    if match := _FLAT.fullmatch(line):
        return Branch(len(match["lead"]), float(match["share"]), [])
    if match := _FOLDED.fullmatch(line):
        names = [_clean(name) for name in match["name"].split(";")]
        return Branch(0, float(match["share"]), names)
    return None


def _clean(name: str) -> str:
    return _PLACE.sub("", name.strip())


def is_relative(graphs: Iterable[tuple[Graph, float]]) -> bool:
    """Return whether branches say their share of the parent's, not of all samples.

    Each graph comes with what its row has, in percent of all samples.  A share of all samples is
    never more than its parent's.
    """
    votes = [more for graph, percent in graphs for more in _votes(graph.roots, percent)]
    return sum(votes) * 2 > len(votes)


def _votes(branches: Sequence[Branch], percent: float) -> Iterator[bool]:
    for branch in branches:
        if branch.share is not None:
            yield branch.share > percent * 1.1 + 0.01
        share = percent if branch.share is None else branch.share
        yield from _votes(branch.branches, share)


def paths(graph: Graph, percent: float, relative: bool) -> Iterator[Path]:
    """Yield the paths of `graph`, whose row has `percent` of all samples; they never have more."""
    yield from _paths(graph.roots, (), percent, relative)


def _paths(
    branches: Sequence[Branch], before: tuple[str, ...], percent: float, relative: bool
) -> Iterator[Path]:
    shares = [_share(branch, percent, relative) for branch in branches]
    scale = min(1.0, percent / sum(shares)) if sum(shares) > 0 else 0.0
    for branch, share in zip(branches, shares, strict=True):
        names = (*before, *branch.names)
        own = share * scale
        inner = tuple(_paths(branch.branches, names, own, relative))
        yield from inner
        left = own - sum(path.percent for path in inner)
        if left > 0:
            yield Path(names, left, cut=bool(branch.branches))


def _share(branch: Branch, percent: float, relative: bool) -> float:
    if branch.share is None:
        return percent
    return percent * branch.share / 100 if relative else min(branch.share, percent)
