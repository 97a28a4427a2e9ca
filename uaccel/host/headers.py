# SPDX-License-Identifier: GPL-2.0-only
"""The headers of a tree that say how an architecture reaches user memory."""

from __future__ import annotations

from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree
from uaccel.model.support import Header


def headers(tree: Tree, names: tuple[str, ...]) -> tuple[Header, ...]:
    """Return those files of `tree` among `names` that are there."""
    root = Path(tree.path)
    there = (name for name in names if (root / name).exists())
    return tuple(Header(name, _text(tree, name)) for name in there)


def accessor_headers(tree: Tree, folder: str) -> tuple[Header, ...]:
    """Return what arch/`folder` of `tree` has for accessors, by its file names."""
    root = Path(tree.path)
    found = (root / "arch" / folder / "include" / "asm").glob("**/*uaccess*.h")
    return headers(tree, tuple(sorted(str(path.relative_to(root)) for path in found)))


def architectures(tree: Tree) -> tuple[str, ...]:
    """Return the names of the folders below arch/ of `tree`, in alphabetical order."""
    try:
        return tuple(sorted(p.name for p in (Path(tree.path) / "arch").iterdir() if p.is_dir()))
    except OSError:
        return ()


def _text(tree: Tree, name: str) -> str | None:
    if not (Path(tree.path) / name).is_file():
        return None
    try:
        return read_file(tree, name).text.decode(errors="replace")
    except UserError:  # unreadable, or a link that leaves the tree
        return None
