# SPDX-License-Identifier: GPL-2.0-only
"""From what the user names, folders, FILE or FILE:FUNCTION, to what a scan looks at."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uaccel.errors import UserError
from uaccel.flow.targets import relative
from uaccel.host.tree import read_file
from uaccel.host.walk import LEFT_OUT, Look, is_read
from uaccel.model.dossier import Tree


@dataclass(frozen=True, slots=True)
class Territory:
    """The part of a tree that a scan looks at."""

    names: tuple[str, ...]  # of what was asked for, from the tree's top; () for all of it
    folders: tuple[str, ...]  # with all below them; "" is the top
    files: Mapping[str, frozenset[str]]  # outside of `folders`; the functions, none for all

    @property
    def looks(self) -> tuple[Look, ...]:
        """Return where to begin."""
        names = defaultdict(list)
        for path in self.files:
            folder, _, name = path.rpartition("/")
            names[folder].append(name)
        alone = (Look(folder, tuple(sorted(many))) for folder, many in sorted(names.items()))
        return (*(Look(folder) for folder in self.folders), *alone)

    def holds(self, path: str) -> bool:
        """Return whether the file at `path` is looked at, if it is there."""
        return path in self.files or any(_is_below(path, folder) for folder in self.folders)

    def holds_folder(self, folder: str) -> bool:
        """Return whether all of `folder` is looked at."""
        return any(folder == top or _is_below(folder, top) for top in self.folders)

    def asks_for(self, path: str, function: str) -> bool:
        """Return whether clusters of `function` in the file at `path` were asked for."""
        functions = self.files.get(path)
        return not functions or function in functions


def territory(tree: Tree, named: tuple[str, ...], besides: tuple[str, ...]) -> Territory:
    """Return what `named` stands for; UserError when one of them is not there.

    The words of `besides` stand for nothing in the tree.
    """
    if not named:
        return Territory((), ("",), {})
    parts = [_part(tree, text) for text in named if text not in besides]
    folders = {path for path, _, is_folder in parts if is_folder}
    top = tuple(sorted(f for f in folders if not any(_is_below(f, o) for o in folders - {f})))
    files: dict[str, frozenset[str]] = {}
    for path, function, is_folder in parts:
        if not is_folder and not any(_is_below(path, folder) for folder in top):
            chosen = {function} if function else set()
            known = files.get(path, chosen)
            # A file that is named without a function is asked for as a whole.
            files[path] = frozenset(known | chosen if known and chosen else ())
    names = [f"{path}:{function}" if function else path or "." for path, function, _ in parts]
    names += (text for text in named if text in besides)
    return Territory(tuple(dict.fromkeys(names)), top, files)


def names_function(text: bytes, function: str) -> bool:
    """Return whether the C in `text` names `function` anywhere."""
    name = re.escape(function.encode(errors="surrogateescape"))
    return re.search(rb"\b%b\b" % name, text) is not None


def _part(tree: Tree, text: str) -> tuple[str, str, bool]:
    root = Path(tree.path)
    file, _, function = text.partition(":")
    here = Path(file).resolve()
    if file.startswith(".") and here.is_relative_to(root):
        place = here
    else:
        place = (root / relative(tree, file)).resolve()
    if not place.is_relative_to(root):
        raise UserError(f"{file} lies outside the kernel tree {tree.path}")
    path = "" if place == root else str(place.relative_to(root))
    if path.partition("/")[0] in LEFT_OUT:
        raise UserError(f"{path} is not scanned: a scan leaves out {', '.join(LEFT_OUT)}")
    if place.is_dir():
        if function:
            raise UserError(f"{file} is a folder; a function needs its file: FILE:{function}")
        return path, "", True
    if not place.exists():
        read_file(tree, path)  # says what is near it
    if not is_read(path):
        raise UserError(f"{path} is no .c or .h file")
    if function and not names_function(read_file(tree, path).text, function):
        raise UserError(f"{path} names no function {function}")
    return path, function, False


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")
