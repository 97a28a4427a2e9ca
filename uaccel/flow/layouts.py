# SPDX-License-Identifier: GPL-2.0-only
"""How the structs of a function are laid out, from the tree's headers: nothing is built."""

from __future__ import annotations

from functools import lru_cache

from uaccel.fields import asked_structs, named_types
from uaccel.flow.targets import Target
from uaccel.host.includes import architectures_of, included, text_of
from uaccel.model.dossier import Tree
from uaccel.model.source import Layouts
from uaccel.read.conditions import MODELS, DataModel, all_hold
from uaccel.read.definitions import Header, read_header
from uaccel.read.structs import read_structs

_WIDE = 8  # bytes of a word on a 64-bit architecture


def layouts_of(tree: Tree, target: Target) -> tuple[Layouts, ...]:
    """Return the structs and integer types of `target` that are known, under each data model.

    () when it has no copy: nothing is asked of its structs then.
    """
    function = target.function
    accesses = [access for cluster in function.clusters for access in cluster.accesses]
    if not any(access.copies for access in accesses):
        return ()
    tags = {tag for _, tag in function.pointers} | {local.struct for local in function.locals}
    tags |= set(asked_structs(function))
    names = named_types(function)
    starts = (str(target.path), *(str(one.path) for one in target.includers))
    return tuple(
        read_structs(_headers(tree, starts, model), model, tags, names) for model in MODELS
    )


def tells_all(target: Target, known: tuple[Layouts, ...]) -> bool:
    """Return whether `known` holds every struct that the copies of `target` go through."""
    function = target.function
    pointers = dict(function.pointers)
    accesses = [access for cluster in function.clusters for access in cluster.accesses]
    asked = {pointers.get(access.base or "") for access in accesses if access.copies} - {None}
    return bool(known) and all(one.find(tag or "") is not None for one in known for tag in asked)


@lru_cache(maxsize=32)
def _headers(tree: Tree, starts: tuple[str, ...], model: DataModel) -> tuple[Header, ...]:
    parts = starts[0].split("/")
    of_arch = parts[0] == "arch" and len(parts) > 2
    wide = model.word == _WIDE
    arches = (parts[1],) if of_arch else architectures_of(tree, wide=wide)
    seen: dict[str, Header] = {}
    pending = list(starts)
    while pending:
        path = pending.pop()
        if path in seen:
            continue
        seen[path] = header = read_header(text_of(tree, path))
        folder = path.rpartition("/")[0]
        for one in header.inclusions:
            if all_hold(one.under, model) is not False:
                pending += included(tree, one.name, folder if one.quoted else "", arches)
    return tuple(seen.values())
