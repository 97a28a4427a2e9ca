# SPDX-License-Identifier: GPL-2.0-only
"""Headers of a tree that hold some words: only what every file may include is looked through."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from uaccel.host.headers import architectures
from uaccel.model.dossier import Tree


def headers_with(tree: Tree, word: bytes, pattern: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return the path and bytes of each header below include/ and arch/*/include with `pattern`.

    Only headers that hold `word` are searched for the regular expression.
    """
    wanted = re.compile(pattern)
    return tuple(one for one in _headers(tree) if word in one[1] and wanted.search(one[1]))


@lru_cache(maxsize=1)
def _headers(tree: Tree) -> tuple[tuple[str, bytes], ...]:
    # 56 MB in 6.12: they are read once, and searched often.
    tops = ("include", *(f"arch/{name}/include" for name in architectures(tree)))
    return tuple(sorted(one for top in tops for one in _below(Path(tree.path), top)))


def _below(root: Path, top: str) -> Iterator[tuple[str, bytes]]:
    for folder, _, names in os.walk(root / top):
        here = folder[len(str(root)) + 1 :]
        for name in names:
            if name.endswith(".h"):
                yield f"{here}/{name}", _bytes(f"{folder}/{name}")


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # a link that leads nowhere
        return b""
