# SPDX-License-Identifier: GPL-2.0-only
"""Where a tree holds what a file includes: one file, or one for each architecture."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from uaccel.errors import UserError
from uaccel.host.headers import architectures
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree

_GENERIC = "asm-generic"
_NAMED = re.compile(rb"(?<!\w)64BIT\b")
_ALWAYS = re.compile(rb"^config 64BIT\n[ \t]+def_bool y\b", re.MULTILINE)


@lru_cache(maxsize=1 << 14)
def included(tree: Tree, name: str, beside: str, arches: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that `#include` of `name` may mean, in the order they are searched.

    `beside` is the folder of the file that asks, "" when it asks with angle brackets; `arches` the
    folders below arch/ that it may be compiled for.  What is generated when a kernel is built is
    not there.
    """
    root = Path(tree.path)
    if beside:
        own = PurePosixPath(beside, name)
        if ".." not in own.parts and (root / own).is_file():
            return (str(own),)
    if ".." in PurePosixPath(name).parts:
        return ()
    if name.startswith(("asm/", "uapi/asm/")):
        return _of_architectures(root, name, arches)
    places = (f"include/{name}", f"include/uapi/{name}")
    return next(((place,) for place in places if (root / place).is_file()), ())


def _of_architectures(root: Path, name: str, arches: tuple[str, ...]) -> tuple[str, ...]:
    short = name.removeprefix("uapi/")
    folders = ("include/uapi",) if short != name else ("include", "include/uapi")
    heads = [f"arch/{one}" for one in arches]
    places = [[f"{head}/{folder}/{short}" for folder in folders] for head in heads]
    generic = short.replace("asm", _GENERIC, 1)
    places.append([f"{folder}/{generic}" for folder in folders])
    found = ([place for place in these if (root / place).is_file()][:1] for these in places)
    return tuple(place for one in found for place in one)


@lru_cache(maxsize=8)
def architectures_of(tree: Tree, *, wide: bool) -> tuple[str, ...]:
    """Return the folders below arch/ that can be compiled for 64 bits, or for 32 bits."""
    return tuple(name for name in architectures(tree) if _can_be(tree, name, wide=wide))


def _can_be(tree: Tree, arch: str, *, wide: bool) -> bool:
    text = text_of(tree, f"arch/{arch}/Kconfig")
    return _NAMED.search(text) is not None if wide else _ALWAYS.search(text) is None


@lru_cache(maxsize=1 << 13)
def text_of(tree: Tree, path: str) -> bytes:
    """Return the bytes of a file of `tree`, b"" when it cannot be read."""
    try:
        return read_file(tree, path).text
    except UserError:
        return b""
