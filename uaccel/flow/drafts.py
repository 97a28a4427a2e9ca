# SPDX-License-Identifier: GPL-2.0-only
"""Write a function in a style, and check the writing before anybody sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import uaccel.styles
from uaccel.catalog import catalog
from uaccel.changes import BEGUN, BOTH, MASKED, RANGE, WHOLE_RANGE
from uaccel.edits import apply, longest, whole
from uaccel.errors import BrokenInvariant
from uaccel.flow.expand import Expanded, brought_back, expanded, narrowed
from uaccel.flow.held import held
from uaccel.flow.targets import Target, reread
from uaccel.flow.transfers import counterparts, is_same
from uaccel.lending import COPY
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.series import Change
from uaccel.model.source import Cluster, Form, Layouts, Reading, Source, Span

STYLES = catalog(uaccel.styles, Style)
_COVERS = WHOLE_RANGE.partition(" all of")[0]
_BEGUN = BEGUN.partition("{")[0]
_LENT = COPY.encode()
_ROUNDS = 8  # a function has few clusters that several windows share
UNMADE = Form.FIELDWISE.value  # what a window is turned into before it is written anew


@dataclass(frozen=True, slots=True)
class Draft:
    """A function in one style; clusters that the style refused stand as they stood."""

    target: Target  # as it stands in the tree
    style: str
    written: Target  # as it was read again from `text`
    text: bytes  # of the whole file
    rewrites: tuple[Rewrite, ...]  # of clusters as they stand in the tree
    refusals: tuple[Refusal, ...]
    edits: tuple[Edit, ...]  # from the file in the tree to `text`
    others: tuple[Change, ...] = ()  # files compiled with it that change too

    def became(self, number: int) -> tuple[Cluster, ...]:
        """Return all that the cluster of that number became: also what the style left alone."""
        if not self.style:
            return (self.target.function.clusters[number],)
        return counterparts(self.target.function, self.written.function, number)

    def clusters_in(self, number: int) -> tuple[Cluster, ...]:
        """Return what the cluster of that number became in this draft, where of this style."""
        if not self.style:
            return (self.target.function.clusters[number],)
        found = self.became(number)
        return tuple(cluster for cluster in found if cluster.form.value == self.style)

    def left_of(self, number: int) -> int:
        """Return how many accesses of the cluster of that number the style left outside."""
        inside = self.clusters_in(number)
        outside = (one for one in self.became(number) if one not in inside)
        # Of a struct that is copied at once no part stands in the style.
        return sum(len(one.accesses) for one in outside) if inside else 0


def as_it_is(target: Target) -> Draft:
    """Return the function unchanged, as a draft in no style of its own."""
    return Draft(target, "", target, target.reading.source.text, (), (), ())


def draft(target: Target, style: str, layouts: tuple[Layouts, ...]) -> Draft:
    """Return `target` written in `style`, macros written out and another window unmade first."""
    plain = expanded(target, style)
    while True:
        made = _drawn(plain.target, style, layouts)
        answers = brought_back(target, plain, (*made.rewrites, *made.refusals))
        fewer = narrowed(target, plain, answers)
        if fewer is None:
            return _with_lent(_in_place(target, plain, made, answers))
        plain = fewer


def _with_lent(made: Draft) -> Draft:
    # What the tree lacks comes with who uses it.
    lent, before = made.target.dialect.lent, made.target.reading.source.text
    if lent is None or made.text.count(_LENT) <= before.count(_LENT):
        return made
    return replace(made, others=(*made.others, lent))


def _drawn(target: Target, style: str, layouts: tuple[Layouts, ...]) -> Draft:
    bare = _unmade(target, style, layouts)
    made = _draft(bare.written, style, layouts) if bare.rewrites else _draft(target, style, layouts)
    return _joined(target, bare, made) if bare.rewrites else made


def needs_layouts(target: Target, style: str) -> bool:
    """Return whether writing `target` in `style` asks how structs are laid out."""
    copies = any(access.copies for c in target.function.clusters for access in c.accesses)
    return STYLES[style].needs_layouts or copies


def kept_as_symbols(reading: Reading, names: tuple[str, ...]) -> bytes:
    """Return the text to compile: the functions `names` marked `noinline`, no line moved."""
    marks = (at for name in dict.fromkeys(names) for at in _marks(reading, name))
    edits = tuple(Edit(Span(at, at), "noinline ") for at in marks)
    return apply(reading.source.text, edits)


def _marks(reading: Reading, name: str) -> Iterator[int]:
    read = [function for function in reading.functions if function.name == name]
    yield from (function.noinline for function in read if function.noinline is not None)
    if read or name not in reading.names:
        return
    # One without accesses of its own, as a patch may leave it, was not read.
    defined = rb"^(?!.*inline)[A-Za-z_][\w\s*]*\b%s\s*\([^;{}#]*\)\s*\{" % re.escape(name.encode())
    yield from (one.start() for one in re.finditer(defined, reading.source.text, re.MULTILINE))


def _in_place(
    target: Target, plain: Expanded, made: Draft, answers: tuple[Rewrite | Refusal, ...]
) -> Draft:
    refusals = tuple(answer for answer in answers if isinstance(answer, Refusal))
    if not plain.edits:
        return replace(made, refusals=refusals)
    if not made.rewrites:
        raise BrokenInvariant(f"{made.style} wrote macros of {target.name} out for nothing")
    rewrites = tuple(answer for answer in answers if isinstance(answer, Rewrite))
    edits = (whole(target.reading.source.text, made.text),)
    return replace(made, target=target, rewrites=rewrites, refusals=refusals, edits=edits)


def _unmade(target: Target, style: str, layouts: tuple[Layouts, ...]) -> Draft:
    windows = (cluster for cluster in target.function.clusters if cluster.stands)
    if style == UNMADE or all(cluster.stands_as(style) for cluster in windows):
        return as_it_is(target)
    answers = STYLES[UNMADE].plan(target.function, layouts, target.dialect)
    # Two windows may end at one label: they are unmade together.
    standing = [answer for answer in answers if answer.cluster.stands]
    return _written(target, UNMADE, standing)


def _draft(target: Target, style: str, layouts: tuple[Layouts, ...]) -> Draft:
    answers = STYLES[style].plan(target.function, layouts, target.dialect)
    made = _written(target, style, list(answers))
    if not made.rewrites:
        return made
    for _ in range(_ROUNDS):
        more = _again(made, layouts)
        if more is None:
            _examine_again(made, layouts)
            return made
        made = more
    raise BrokenInvariant(f"{style} finds more to do in {target.name} each time it is run")


def _again(made: Draft, layouts: tuple[Layouts, ...]) -> Draft | None:
    # Where a window could not hold a cluster whole, what is left of it may hold another one.
    written = made.written
    answers = STYLES[made.style].plan(written.function, layouts, written.dialect)
    if not any(isinstance(answer, Rewrite) for answer in answers):
        return None
    more = _written(written, made.style, list(answers))
    said: dict[Cluster, Rewrite] = {one.cluster: one for one in made.rewrites}
    for number, cluster in enumerate(made.target.function.clusters):
        found = counterparts(made.target.function, written.function, number)
        new = [one for one in more.rewrites if one.cluster in found]
        if new:
            old = said[cluster].differences if cluster in said else ()
            all_said = (*old, *(text for one in new for text in one.differences))
            said[cluster] = Rewrite(cluster, (), tuple(dict.fromkeys(all_said)))
    refusals = tuple(one for one in made.refusals if one.cluster not in said)
    edits = (whole(made.target.reading.source.text, more.text),)
    ordered = tuple(sorted(said.values(), key=lambda one: one.cluster.extent))
    return replace(
        made,
        written=more.written,
        text=more.text,
        edits=edits,
        rewrites=ordered,
        refusals=refusals,
        others=_both(made.others, more.others),
    )


def _written(target: Target, style: str, answers: list[Rewrite | Refusal]) -> Draft:
    rewrites = tuple(answer for answer in answers if isinstance(answer, Rewrite))
    refusals = tuple(answer for answer in answers if isinstance(answer, Refusal))
    if not rewrites:
        return Draft(target, style, target, target.reading.source.text, (), refusals, ())
    edits = longest(_ended(target, edit) for rewrite in rewrites for edit in rewrite.edits)
    text = apply(target.reading.source.text, edits)
    others = _others(target, rewrites)
    beside = tuple(Source(PurePosixPath(one.path), one.after) for one in others)
    vouched = held((one.cluster for one in rewrites), edits) if style == UNMADE else ()
    written = reread(target, text, beside, vouched)
    made = Draft(target, style, written, text, rewrites, refusals, edits, others)
    _examine(made)
    return made


def _joined(target: Target, bare: Draft, made: Draft) -> Draft:
    # The clusters of the tree, the text of the last stage.
    old = list(target.function.clusters)
    refused = {r.cluster: r.why for r in bare.refusals}
    answers: dict[Cluster, Rewrite | Refusal] = {}
    for number, cluster in enumerate(old):
        found = counterparts(target.function, made.target.function, number)
        written = [a for a in made.rewrites if a.cluster in found]
        declined = [a for a in made.refusals if a.cluster in found]
        if cluster in refused and cluster.stands:
            answers[cluster] = Refusal(cluster, refused[cluster])
        elif written:
            answers[cluster] = Rewrite(
                cluster, (), _differences(target, bare, made, number, written)
            )
        elif declined:
            answers[cluster] = Refusal(cluster, declined[0].why)
    rewrites = tuple(a for a in answers.values() if isinstance(a, Rewrite))
    refusals = tuple(a for a in answers.values() if isinstance(a, Refusal))
    if not rewrites or any(r.cluster.stands for r in refusals):
        # A window is not unmade for nothing.
        kept = tuple(
            Refusal(r.cluster, "another window of the function cannot be written so")
            for r in rewrites
        )
        source = target.reading.source.text
        return Draft(target, made.style, target, source, (), (*refusals, *kept), ())
    edits = (whole(target.reading.source.text, made.text),)
    return replace(made, target=target, rewrites=rewrites, refusals=refusals, edits=edits)


def _differences(
    target: Target, bare: Draft, made: Draft, number: int, written: list[Rewrite]
) -> tuple[str, ...]:
    # A window that is one window again, in another form, is compared with what it was.
    cluster = target.function.clusters[number]
    new = counterparts(target.function, made.written.function, number)
    said = [text for one in written for text in one.differences]
    if not cluster.stands:
        return tuple(dict.fromkeys(said))
    undone = [t for one in bare.rewrites if one.cluster == cluster for t in one.differences]
    if len(new) != 1 or not new[0].stands:
        return tuple(dict.fromkeys((*undone, *said)))
    masks = not cluster.form.checks_range
    own = (MASKED, *(BOTH.format(other=other) for other in ("read", "written")))
    kept = [text for text in said if text in own or (masks and text.startswith(_COVERS))]
    was = cluster.scaffold.covers if cluster.scaffold is not None else ""
    now = new[0].scaffold.covers if new[0].scaffold is not None else ""
    if new[0].fault != cluster.fault:
        kept += [text for text in undone if text.startswith(_BEGUN)]
    return (*kept, RANGE.format(new=now, old=was)) if was and now and was != now else tuple(kept)


def _others(target: Target, rewrites: tuple[Rewrite, ...]) -> tuple[Change, ...]:
    # A macro that several files share stands in the one that is compiled.
    changes = []
    for source in (*target.includers, *target.included):
        outside = (place for one in rewrites for place in one.outside)
        edits = tuple(dict.fromkeys(edit for path, edit in outside if path == source.path))
        if edits:
            changes.append(Change(str(source.path), source.text, apply(source.text, edits)))
    return tuple(changes)


def _both(first: tuple[Change, ...], then: tuple[Change, ...]) -> tuple[Change, ...]:
    begun = {one.path: one.before for one in first}
    last = {one.path: one.after for one in (*first, *then)}
    return tuple(
        Change(path, begun.get(path, one.before), last[path])
        for path, one in {one.path: one for one in (*then, *first)}.items()
    )


def _ended(target: Target, edit: Edit) -> Edit:
    # A style ends lines as the kernel does; a file that ends them with CR LF stays as it is.
    crlf = b"\r\n" in target.reading.source.text
    return replace(edit, text=edit.text.replace("\n", "\r\n")) if crlf else edit


def _examine(made: Draft) -> None:
    before, after = made.target.reading, made.written.reading
    name = made.target.name
    if len(after.broken) > len(before.broken):
        raise BrokenInvariant(f"{made.style} left C that does not parse in {name}")
    rewritten = tuple(rewrite.cluster for rewrite in made.rewrites)
    if not is_same(made.target.function, made.written.function, rewritten):
        raise BrokenInvariant(f"{made.style} lost or changed an access of {name}")
    for number, cluster in enumerate(made.target.function.clusters):
        if cluster in rewritten and made.style != UNMADE and not made.clusters_in(number):
            raise BrokenInvariant(f"{made.style} wrote {name} in another form")
    grown = sum(
        len(e.text.encode(errors="surrogateescape")) - (e.span.end - e.span.start)
        for e in made.edits
    )
    if len(made.text) - len(before.source.text) != grown:
        raise BrokenInvariant(f"{made.style} changed bytes of {name} outside its edits")


def _examine_again(made: Draft, layouts: tuple[Layouts, ...]) -> None:
    name, dialect = made.target.name, made.target.dialect
    back = STYLES[UNMADE].plan(made.written.function, layouts, dialect)
    new = set(_new(made))
    undone = [answer for answer in back if answer.cluster.stands]
    if not all(cluster.stands for cluster in new):
        return  # a struct copy is taken apart by the layouts alone
    frames = (cluster.scaffold for cluster in new if cluster.form is Form.HELPER)
    if any(frame is None or frame.obstacle for frame in frames):
        raise BrokenInvariant(f"the macro that {name} shares cannot be read back")
    if any(isinstance(answer, Refusal) for answer in undone):
        return  # it shares the function with a window of other hands
    bare = _written(made.written, UNMADE, undone)
    if not is_same(
        made.target.function, bare.written.function, tuple(r.cluster for r in made.rewrites)
    ):
        raise BrokenInvariant(f"{name} is another one when {made.style} is undone")


def _new(made: Draft) -> Iterator[Cluster]:
    rewritten = {rewrite.cluster for rewrite in made.rewrites}
    for number, cluster in enumerate(made.target.function.clusters):
        if cluster in rewritten:
            yield from made.clusters_in(number)
