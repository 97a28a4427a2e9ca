# SPDX-License-Identifier: GPL-2.0-only
"""Where people wrote windows and scopes between two trees, and how else the same may be written."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from uaccel.errors import UserError
from uaccel.flow.drafts import UNMADE, Draft, as_it_is, draft
from uaccel.flow.layouts import layouts_of
from uaccel.flow.targets import Target, load
from uaccel.model.dossier import Tree

_BEGINS = re.compile(rb"user_(?:\w+_)?access_begin|scoped_user_\w+|masked_user_\w+")
_INCLUDED = re.compile(rb'^#include "([^"/\n]+\.c)"', re.M)
_FOLDERS = ("arch", "drivers", "fs", "include", "io_uring", "kernel", "lib", "mm", "net", "sound")
_OLD = ("window", "masked", "structcopy", UNMADE)
_NEW = ("scoped", "window", UNMADE)
# What has another name or place in the old tree, found by reading both.
_RENAMED = {
    "rseq_set_ids_get_csaddr": "kernel/rseq.c:rseq_update_cpu_node_id",
    "rseq_reset_ids": "kernel/rseq.c:rseq_reset_rseq_cpu_node_id",
    "rseq_update_user_cs": "kernel/rseq.c:rseq_get_rseq_cs",
    "rseq_handle_cs": "kernel/rseq.c:clear_rseq_cs",
    "rseq_register": "kernel/rseq.c:rseq",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A function that people rewrote."""

    new: Target
    old: Target | None  # None where the old tree has no such function
    why: str  # why there is no old one; "" when there is


@dataclass(frozen=True, slots=True)
class Writing:
    """A function of one tree as people or we wrote it."""

    tree: Tree
    style: str  # "" as it stands
    target: Target
    made: Draft | None  # None when it was refused
    why: str  # of a refusal
    people: Target  # as the function stands in the new tree
    base: Target  # what it was written from: without the window that stands
    broken: bool = False  # not refused: `why` is our bug

    @property
    def by(self) -> str:
        """Return who wrote it."""
        return "ours" if self.style else "people"


def places(old: Tree, new: Tree, glob: str) -> Iterator[Place]:
    """Yield the functions of `new` with a window or scope that none of `old` had, by file."""
    for path in _files(new):
        if not fnmatchcase(path, glob):
            continue
        for target in _targets(new, path):
            forms = {one.form for one in target.function.clusters if one.stands}
            before = _before(old, path, target.function.name) if forms else ""
            if isinstance(before, str):
                if forms:
                    yield Place(target, None, before)
            elif forms - {one.form for one in before.function.clusters}:
                yield Place(target, before, "")


def writings(old: Tree, new: Tree, place: Place) -> Iterator[Writing]:
    """Yield the function in both trees, as it stands and in each style that is tried there."""
    if place.old is not None:
        yield Writing(old, "", place.old, as_it_is(place.old), "", place.new, place.old)
        yield from _written(old, place.old, _OLD, place.new)
    yield Writing(new, "", place.new, as_it_is(place.new), "", place.new, place.new)
    yield from _written(new, place.new, _NEW, place.new)


def _files(tree: Tree) -> Iterator[str]:
    root = Path(tree.path)
    found = {one for name in _FOLDERS for one in (root / name).rglob("*.[ch]") if one.is_file()}
    for one in sorted(found):
        text = one.read_bytes()
        if _BEGINS.search(text) and not one.name.startswith("uaccess"):
            yield str(one.relative_to(root))
            for name in _INCLUDED.findall(text):  # what it defines is used there too
                yield str((one.parent / name.decode()).relative_to(root))


def _targets(tree: Tree, path: str) -> tuple[Target, ...]:
    try:
        first = load(tree, (path,))[0]
    except UserError as error:
        if "does not parse" in str(error):
            print(f"people.py: {error}", file=sys.stderr)
        return ()
    return tuple(replace(first, function=one) for one in first.reading.functions)


def _before(tree: Tree, path: str, name: str) -> Target | str:
    named = _RENAMED.get(name, f"{path}:{name}")
    try:
        return load(tree, (named,))[0]
    except UserError as error:
        return str(error)


def _written(
    tree: Tree, target: Target, styles: tuple[str, ...], people: Target
) -> Iterator[Writing]:
    bare, base = None, target
    try:
        if any(cluster.stands for cluster in target.function.clusters):
            bare = draft(target, UNMADE, layouts_of(tree, target))
            left = [one.why for one in bare.refusals if one.cluster.stands]
            if left:
                yield from (Writing(tree, s, target, None, left[0], people, base) for s in styles)
                return
            base = bare.written
    except Exception as error:  # ours, whatever it is: the others are still asked
        why = f"unmade, {type(error).__name__}: {error}"
        yield from (Writing(tree, s, target, None, why, people, base, broken=True) for s in styles)
        return
    for style in styles:
        if style == UNMADE and bare is not None:
            yield Writing(tree, style, target, bare, "", people, base)
            continue
        try:
            made = draft(base, style, layouts_of(tree, base))
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            yield Writing(tree, style, target, None, why, people, base, broken=True)
            continue
        why = "; ".join(dict.fromkeys(one.why for one in made.refusals))
        yield Writing(tree, style, target, made if made.rewrites else None, why, people, base)
