# SPDX-License-Identifier: GPL-2.0-only
"""Write a function in a style, and check the writing before anybody sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import uaccel.styles
from uaccel.catalog import catalog
from uaccel.ctext import address, one_line
from uaccel.edits import apply
from uaccel.errors import BrokenInvariant
from uaccel.flow.targets import Target, reread
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Cluster, Form, Layouts, Reading, Span

STYLES = catalog(uaccel.styles, Style)


@dataclass(frozen=True, slots=True)
class Draft:
    """A function in one style; clusters that the style refused stand as they stood."""

    target: Target  # as it stands in the tree
    style: str
    written: Target  # as it was read again from `text`
    text: bytes  # of the whole file
    rewrites: tuple[Rewrite, ...]
    refusals: tuple[Refusal, ...]

    def cluster_in(self, number: int) -> Cluster | None:
        """Return how the cluster of that number stands in this draft, if it is of this style."""
        cluster = self.written.function.clusters[number]
        return cluster if cluster.form.value == self.style else None


def as_it_is(target: Target) -> Draft:
    """Return the function unchanged, as a draft in no style of its own."""
    return Draft(target, "", target, target.reading.source.text, (), ())


def draft(target: Target, style: str, layouts: tuple[Layouts, ...]) -> Draft:
    """Return `target` written in `style`."""
    answers = STYLES[style].plan(target.function, layouts)
    rewrites = tuple(answer for answer in answers if isinstance(answer, Rewrite))
    refusals = tuple(answer for answer in answers if isinstance(answer, Refusal))
    if not rewrites:
        return Draft(target, style, target, target.reading.source.text, (), refusals)
    edits = tuple(_ended(target, edit) for rewrite in rewrites for edit in rewrite.edits)
    text = apply(target.reading.source.text, edits)
    made = Draft(target, style, reread(target, text), text, rewrites, refusals)
    _examine(made, edits, layouts)
    return made


def needs_layouts(target: Target, style: str) -> bool:
    """Return whether writing `target` in `style` asks how structs are laid out."""
    copies = any(access.copies for c in target.function.clusters for access in c.accesses)
    return STYLES[style].needs_layouts or copies


def kept_as_symbols(reading: Reading, names: tuple[str, ...]) -> bytes:
    """Return the text to compile: the functions `names` marked `noinline`, no line moved."""
    marks = (f.noinline for f in reading.functions if f.name in names and f.noinline is not None)
    edits = tuple(Edit(Span(at, at), "noinline ") for at in marks)
    return apply(reading.source.text, edits)


def _ended(target: Target, edit: Edit) -> Edit:
    # A style ends lines as the kernel does; a file that ends them with CR LF stays as it is.
    crlf = b"\r\n" in target.reading.source.text
    return replace(edit, text=edit.text.replace("\n", "\r\n")) if crlf else edit


def _examine(made: Draft, edits: tuple[Edit, ...], layouts: tuple[Layouts, ...]) -> None:
    before, after = made.target.reading, made.written.reading
    if len(after.broken) > len(before.broken):
        raise BrokenInvariant(f"{made.style} left C that does not parse in {made.target.name}")
    if not _same_clusters(made):
        raise BrokenInvariant(f"{made.style} lost or changed an access of {made.target.name}")
    again = STYLES[made.style].plan(made.written.function, layouts)
    if any(isinstance(answer, Rewrite) for answer in again):
        raise BrokenInvariant(f"{made.style} finds more to do in {made.target.name} when run twice")
    undone = sum(
        len(e.text.encode(errors="surrogateescape")) - (e.span.end - e.span.start) for e in edits
    )
    if len(made.text) - len(before.source.text) != undone:
        raise BrokenInvariant(f"{made.style} changed bytes of {made.target.name} outside its edits")


def _same_clusters(made: Draft) -> bool:
    old, new = made.target.function, made.written.function
    if len(old.clusters) != len(new.clusters):
        return False
    rewritten = {rewrite.cluster for rewrite in made.rewrites}
    for before, after in zip(old.clusters, new.clusters, strict=True):
        if before.direction is not after.direction:
            return False
        if before in rewritten and after.form.value != made.style:
            return False
        if Form.STRUCTCOPY in (before.form, after.form):
            continue  # fields and copies are compared by the run, not by their text
        if _transfers(made.target, before) != _transfers(made.written, after):
            return False
    return True


def _transfers(target: Target, cluster: Cluster) -> tuple[tuple[str, str], ...]:
    quote = target.function.source.quote
    return tuple((one_line(quote(a.value)), address(quote(a.pointer))) for a in cluster.accesses)
