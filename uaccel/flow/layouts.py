# SPDX-License-Identifier: GPL-2.0-only
"""How the structs of a function are laid out, from the tree's headers: nothing is built."""

from __future__ import annotations

from uaccel.fields import asked_structs, named_types
from uaccel.flow.inclusions import headers_of
from uaccel.flow.targets import Target
from uaccel.model.dossier import Tree
from uaccel.model.source import Layouts
from uaccel.read.conditions import MODELS
from uaccel.read.structs import read_structs


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
        read_structs(headers_of(tree, starts, model), model, tags, names) for model in MODELS
    )


def tells_all(target: Target, known: tuple[Layouts, ...]) -> bool:
    """Return whether `known` holds every struct that the copies of `target` go through."""
    function = target.function
    pointers = dict(function.pointers)
    accesses = [access for cluster in function.clusters for access in cluster.accesses]
    asked = {pointers.get(access.base or "") for access in accesses if access.copies} - {None}
    return bool(known) and all(one.find(tag or "") is not None for one in known for tag in asked)
