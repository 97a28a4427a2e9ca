# SPDX-License-Identifier: GPL-2.0-only
"""From what the user names to what a check judges: in a tree, outside of one, on stdin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from uaccel.errors import UserError
from uaccel.flow.territory import Territory, names_function, territory
from uaccel.host.tree import open_tree, tree_around, tree_at_hand
from uaccel.host.walk import SUFFIXES, text_of
from uaccel.model.dossier import Tree

STDIN = "-"
STDIN_PATH = "<stdin>"  # as findings name it


@dataclass(frozen=True, slots=True)
class Land:
    """Folders that are looked through for files."""

    root: str
    prefix: str  # of the paths that are judged, before what comes from `root`
    folders: tuple[str, ...]  # from `root`; "" is all of it

    def holds(self, path: str) -> bool:
        """Return whether the file that is judged as `path` is looked at, if it is there."""
        tops = (f"{self.prefix}{folder}/" if folder else self.prefix for folder in self.folders)
        return any(path.startswith(top) for top in tops)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be judged."""

    targets: tuple[str, ...]  # () for the whole tree
    lands: tuple[Land, ...]
    texts: Mapping[str, bytes]  # of the files that were named, by the path they are judged under
    functions: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of a file; none: all
    names: Mapping[str, str] = field(default_factory=dict)  # as the user named them, by path
    alone: frozenset[str] = frozenset()  # paths of files that lie in no tree
    replaced: Mapping[str, bytes] = field(default_factory=dict)  # files of the tree, as patched
    patches: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Return whether the file at `path` is judged, if it is there."""
        return path in self.texts or any(land.holds(path) for land in self.lands)

    def asks_for(self, path: str, function: str) -> bool:
        """Return whether what is found in `function` of the file at `path` was asked for."""
        functions = self.functions.get(path)
        return not functions or function in functions


def tree_of(named: str | None, targets: tuple[str, ...], given: Mapping[str, str]) -> Tree | None:
    """Return the tree to judge with; None when all targets lie outside of any, or none is here."""
    files = [Path(target.partition(":")[0]) for target in targets if target != STDIN]
    if named is None and files:
        around = next((tree for file in files if (tree := tree_around(file))), None)
        if around is not None or all(file.exists() for file in files):
            return around
    return tree_at_hand(named, None, given)


def wanted(tree: Tree | None, targets: tuple[str, ...], stdin: bytes | None) -> Wanted:
    """Return what `targets` stand for; UserError when one of them is not there."""
    named = [target for target in targets if target != STDIN]
    outside = [target for target in named if tree is None or _is_outside(tree, target)]
    inside = tuple(target for target in named if target not in outside)
    land = Territory((), (), {})
    if tree is not None and (inside or not targets):
        land = territory(tree, inside, besides=())
    root = "" if tree is None else tree.path
    parts = [target.partition(":") for target in outside]
    folders = [_folder(*part) for part in parts if Path(part[0]).is_dir()]
    files = dict(_files(part for part in parts if not Path(part[0]).is_dir()))
    texts = {path: text_of(path, root, path) for path in land.files}
    texts |= {path: text for path, (text, _) in files.items()}
    return Wanted(
        targets=(*land.names, *outside, *((STDIN,) if STDIN in targets else ())),
        lands=(*((Land(root, "", land.folders),) if land.folders else ()), *folders),
        texts=texts if stdin is None else texts | {STDIN_PATH: stdin},
        functions={**land.files, **{path: functions for path, (_, functions) in files.items()}},
        names=dict(_names(tree, reversed(inside))) if tree is not None else {},
        alone=frozenset(files),
    )


def in_build(
    named: str | None, file: str, environment: Mapping[str, str]
) -> tuple[Tree | None, Wanted]:
    """Return the tree that Kbuild builds, and `file`, the one that it has compiled."""
    tree = open_tree(Path(named)) if named else tree_around(Path(file))
    if tree is None and environment.get("srctree"):  # what was generated lies in O=, modules in M=
        tree = tree_around(Path(environment["srctree"]))
    place = Path(file).resolve()
    texts = {file: text_of(file, "", str(place))}
    if tree is None or not place.is_relative_to(tree.path):
        return tree, Wanted((file,), (), texts, alone=frozenset(texts))
    path = str(place.relative_to(tree.path))
    return tree, Wanted((file,), (), {path: texts[file]}, names={path: file})


def _is_outside(tree: Tree, target: str) -> bool:
    # What lies in another tree is refused, as a scan does: one tree at a time.
    file = Path(target.partition(":")[0])
    if not file.exists() or file.resolve().is_relative_to(tree.path):
        return False
    inside = Path(tree.path, file)  # the file itself when it is absolute
    meant = inside.exists() and inside.resolve().is_relative_to(tree.path)
    return not meant and tree_around(file) is None


def _folder(named: str, _colon: str, function: str) -> Land:
    if function:
        raise UserError(f"{named} is a folder; a function needs its file: FILE:{function}")
    prefix = "" if named == "." else f"{named.rstrip('/')}/"
    return Land(str(Path(named).resolve()), prefix, ("",))


def _files(
    parts: Iterator[tuple[str, str, str]],
) -> Iterator[tuple[str, tuple[bytes, frozenset[str]]]]:
    asked: dict[str, set[str]] = {}
    for file, _, function in parts:
        asked.setdefault(file, set()).add(function)
    for file, functions in asked.items():
        text = text_of(file, "", str(Path(file).resolve()))
        if not file.endswith(SUFFIXES):
            raise UserError(f"{file} is no .c or .h file")
        for function in functions:
            if function and not names_function(text, function):
                raise UserError(f"{file} names no function {function}")
        # A file that is named without a function is asked for as a whole.
        yield file, (text, frozenset() if "" in functions else frozenset(functions))


def _names(tree: Tree, targets: Iterator[str]) -> Iterator[tuple[str, str]]:
    for target in targets:
        for path in territory(tree, (target,), besides=()).files:
            yield path, target.partition(":")[0]
