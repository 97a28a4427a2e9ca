# SPDX-License-Identifier: GPL-2.0-only
"""What a file of a tree is compiled with: itself and all that it includes."""

from __future__ import annotations

from functools import lru_cache

from uaccel.host.includes import architectures_of, included, text_of
from uaccel.model.dossier import Tree
from uaccel.read.conditions import DataModel, all_hold
from uaccel.read.definitions import Header, read_header

_WIDE = 8  # bytes of a word on a 64-bit architecture


@lru_cache(maxsize=32)
def headers_of(tree: Tree, starts: tuple[str, ...], model: DataModel) -> tuple[Header, ...]:
    """Return `starts` and what they include under `model`, as far as the tree has it."""
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
