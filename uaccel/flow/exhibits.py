# SPDX-License-Identifier: GPL-2.0-only
"""What a page shows of a study beside its figures: every rewriting, and every instruction of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from uaccel.ctext import one_line
from uaccel.flow.bench import Trial
from uaccel.flow.drafts import Draft
from uaccel.flow.figures import config, counted_path, style_of, together
from uaccel.flow.targets import subjects
from uaccel.model.exhibit import Code, Exhibit, Met, Passage, Shown
from uaccel.model.machine import Insn, Listing
from uaccel.model.source import Access, Cluster, Function, Source, Span
from uaccel.report.patch import diff
from uaccel.ties import Site, Tie, ties

# Comments, attributes and macros on lines of their own right above a function.
_FRONT = re.compile(
    rb"(?:^(?:[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*|(?![ \t#}/])[^\n;{}]+)\n)+\Z",
    re.MULTILINE | re.DOTALL,
)
_FAR = 8192  # bytes above a function in which they are looked for


def exhibit(trials: Sequence[Trial], made: Sequence[Draft], met: tuple[Met, ...]) -> Exhibit:
    """Return the C of each of the drafts `made`, the code of each trial, and the runs' outcomes."""
    codes = (code(trial, trial.listing) for trial in trials if trial.listing is not None)
    return Exhibit(tuple(passage(draft) for draft in made if draft.rewrites), tuple(codes), met)


def passage(draft: Draft) -> Passage:
    """Return the function of `draft` before and after, and what changes outside of it as a diff."""
    old, new = draft.target.function, draft.written.function
    before, after = draft.target.reading.source, Source(draft.target.path, draft.text)
    one, other = whole(before.text, old), whole(after.text, new)
    kept = before.text[one.start : one.end]
    rest = after.text[: other.start] + kept + after.text[other.end :]
    beside = (diff(PurePosixPath(more.path), more.before, more.after) for more in draft.others)
    return Passage(
        function=draft.target.name,
        style=draft.style,
        line=before.line(one.start),
        before=before.quote(one),
        after=after.quote(other),
        after_line=after.line(other.start),
        also=diff(before.path, before.text, rest) + "".join(beside),
    )


def whole(text: bytes, function: Function) -> Span:
    """Return where a function stands, with the comments and attributes in front of it."""
    start = text.rfind(b"\n", 0, function.span.start) + 1
    above = text.find(b"\n", max(start - _FAR, 0), start) + 1 if start > _FAR else 0
    front = _FRONT.search(text[above:start])
    return Span(above + front.start() if front is not None else start, function.span.end)


def code(trial: Trial, listing: Listing) -> Code:
    """Return the instructions of `listing`, the function of `trial`, with what each serves."""
    draft, bench = trial.draft, trial.bench
    clusters = tuple(draft.became(n) for n in range(len(draft.target.function.clusters)))
    sites = tuple(_site(trial, listing, some) for some in clusters)
    file, function = str(draft.target.path), draft.written.function
    served = zip(listing.insns, ties(listing, file, sites, bench.helpers), strict=True)
    own = _lines(function.source, function.span)
    return Code(
        function=draft.target.name,
        style=style_of(trial),
        arch=bench.arch.name,
        compiler=bench.toolchain.name,
        config=config(bench),
        clusters=tuple(one.id for one in subjects(draft.target)),
        accesses=tuple(
            tuple(_written(draft, number, some)) for number, some in enumerate(clusters)
        ),
        insns=tuple(_shown(listing, insn, tie, _line(file, own, insn)) for insn, tie in served),
    )


def _site(trial: Trial, listing: Listing, clusters: tuple[Cluster, ...]) -> Site:
    if not clusters:
        return Site((), ())  # it has no counterpart in this text
    cluster, source = together(clusters), trial.draft.written.function.source
    return Site(
        lines=cluster.lines,
        accesses=tuple(tuple(_lines(source, access.call)) for access in cluster.accesses),
        counted=counted_path(trial, listing, cluster).addresses,
    )


def _lines(source: Source, span: Span) -> range:
    return range(source.line(span.start), source.line(span.end - 1) + 1)


def _written(draft: Draft, number: int, clusters: tuple[Cluster, ...]) -> Iterator[str]:
    source, origin = draft.written.function.source, draft.target.function
    made = tuple(access for cluster in clusters for access in cluster.accesses)
    stood = origin.clusters[number].accesses
    for at, access in enumerate(made):
        text = one_line(source.quote(access.call))
        if access.pointer == access.call and len(made) == len(stood):
            text = _spelled(origin.source, access, stood[at], text)
        yield text


def _spelled(source: Source, access: Access, stood: Access, text: str) -> str:
    # A macro that makes all accesses shows none of them; it makes those that stood there.
    if stood.pointer == stood.call:
        return text
    given = source.quote(Span(stood.call.start + len(stood.accessor), stood.call.end))
    return one_line(access.accessor + given)


def _shown(listing: Listing, insn: Insn, tie: Tie, line: int) -> Shown:
    role = listing.arch.role(insn)
    return Shown(
        address=insn.address - listing.insns[0].address,
        text=str(insn),
        role=role.value if role is not None else "",
        cluster=tie.cluster,
        access=tie.access,
        window=tie.window,
        touches=tie.touches,
        counted=tie.counted,
        line=line,
    )


def _line(file: str, inside: range, insn: Insn) -> int:
    # The function's own line, where what it calls there was inlined; else any of the file.  Of a
    # system call, whose body is itself inlined at its name, the innermost.
    known = [line for path, line in insn.lines if f"/{path}".endswith(f"/{file}") and line]
    own = (line for line in known if line in inside)
    return next(own, known[-1] if known else 0)
