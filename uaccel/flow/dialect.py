# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel tree knows of user access, read once."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from uaccel.dialects import COMPILERS, dialects, opens
from uaccel.elements import members
from uaccel.flow.inclusions import headers_of
from uaccel.host.headers import accessor_headers, architectures, headers
from uaccel.lending import LINUX
from uaccel.model.dialect import Dialect, Dialects
from uaccel.model.dossier import Tree
from uaccel.model.source import Reading, Source
from uaccel.read.bounds import unbound
from uaccel.read.conditions import MODELS


@lru_cache(maxsize=8)
def dialects_of(tree: Tree) -> Dialects:
    """Return what may be written in the files of `tree`."""
    texts = {one.path: one.text or "" for one in headers(tree, (LINUX, COMPILERS))}
    arches = tuple((name, accessor_headers(tree, name)) for name in architectures(tree))
    known = dialects(texts.get(LINUX, ""), texts.get(COMPILERS, ""), arches)
    opening = {name for name, given in arches if opens(given)}
    apart = ((name, replace(one, opens=name in opening)) for name, one in known.apart)
    return replace(known, apart=tuple(apart))


def dialect_of(tree: Tree, reading: Reading, includers: tuple[Source, ...]) -> Dialect:
    """Return what may be written in one file of `tree`, which may be compiled within others."""
    path = str(reading.source.path)
    known = dialects_of(tree).of(path)
    asked = frozenset(one for function in reading.functions for one in members(function))
    if not asked or not known.opens:
        return known
    starts = (path, *(str(one.path) for one in includers))
    headers = (one for model in MODELS for one in headers_of(tree, starts, model))
    return replace(known, unbound=unbound(tuple(headers), asked))
