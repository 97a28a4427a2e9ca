# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel tree knows of user access, read once."""

from __future__ import annotations

from functools import lru_cache

from uaccel.dialects import COMPILERS, dialects
from uaccel.host.headers import accessor_headers, architectures, headers
from uaccel.lending import LINUX
from uaccel.model.dialect import Dialects
from uaccel.model.dossier import Tree


@lru_cache(maxsize=8)
def dialects_of(tree: Tree) -> Dialects:
    """Return what may be written in the files of `tree`."""
    texts = {one.path: one.text or "" for one in headers(tree, (LINUX, COMPILERS))}
    arches = tuple((name, accessor_headers(tree, name)) for name in architectures(tree))
    return dialects(texts.get(LINUX, ""), texts.get(COMPILERS, ""), arches)
