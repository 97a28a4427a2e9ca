# SPDX-License-Identifier: GPL-2.0-only
"""From what the user names, `FILE:FUNCTION` or `FILE`, to functions that were read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from uaccel.errors import UserError
from uaccel.flow.dialect import dialect_of
from uaccel.host.kbuild import object_of
from uaccel.host.tree import read_file
from uaccel.model.dialect import COMMON, Dialect
from uaccel.model.dossier import Subject, Tree
from uaccel.model.source import Cluster, Function, Held, Reading, Source
from uaccel.read.reading import read_source

_INCLUDED = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+\.c)"', re.MULTILINE)
# The functions of the mail that this project was created from; the one it measured comes last.
SEED = (
    "sound/core/pcm_native.c:snd_pcm_sync_ptr",
    "sound/core/pcm_compat.c:snd_pcm_ioctl_sync_ptr_x32",
    "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A function to work on, with the file that it stands in."""

    reading: Reading
    includers: tuple[Source, ...]  # files that include its file and are compiled instead of it
    function: Function
    dialect: Dialect = COMMON  # what its tree knows of user access
    included: tuple[Source, ...] = ()  # other files of C that are compiled together with it

    @property
    def path(self) -> PurePosixPath:
        """Return its file's path in the tree."""
        return self.reading.source.path

    @property
    def name(self) -> str:
        """Return how the user names it."""
        return f"{self.reading.source.path}:{self.function.name}"


def load(tree: Tree, named: tuple[str, ...]) -> tuple[Target, ...]:
    """Return the functions that `named` stands for, each once; UserError when one is not there."""
    found: dict[str, Target] = {}
    for text in named:
        for target in _targets(tree, text):
            found.setdefault(target.name, target)
    return tuple(found.values())


def sift(tree: Tree, files: tuple[str, ...]) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """Return the functions of `files` that hold clusters, and why others could not be read."""
    found: dict[str, Target] = {}
    notes: list[str] = []
    for file in files:
        source = read_file(tree, file)
        includers = _includers(tree, source.path)
        included = _included(tree, source, includers)
        reading = read_source(source, includers, included)
        for function in reading.functions:
            if not any(cluster.shares for cluster in function.clusters):
                continue
            try:
                _refuse_when_broken(reading, function)
            except UserError as error:
                notes.append(f"{error}; {function.name} is left out")
                continue
            dialect = dialect_of(tree, reading, includers)
            target = Target(reading, includers, function, dialect, included)
            found.setdefault(target.name, target)
    return tuple(found.values()), tuple(notes)


def every_target(tree: Tree, path: str) -> Iterator[tuple[Function, Target | str]]:
    """Yield each function of a file as a target, or one sentence why it is none.

    Where one function does not parse, the others are loaded one by one.
    """
    try:
        first = next(iter(load(tree, (path,))))
    except UserError:
        for function in read_source(read_file(tree, path)).functions:
            yield function, _alone(tree, function)
        return
    for function in first.reading.functions:  # of namesakes load() gives one
        yield function, replace(first, function=function)


def _alone(tree: Tree, function: Function) -> Target | str:
    source = function.source
    named = f"{source.path}:{function.name}@{source.line(function.span.start)}"
    try:
        return load(tree, (named,))[0]
    except UserError as error:
        return str(error)


def is_folder(tree: Tree, named: str) -> bool:
    """Return whether `named` is a folder of the tree: all files below it are meant."""
    return Path(tree.path, relative(tree, named)).is_dir() if ":" not in named else False


def has_object(tree: Tree, target: Target) -> bool:
    """Return whether Kbuild makes an object that holds the file of `target`."""
    try:
        object_of(tree, target.path)
    except UserError:
        return False
    return True


def subjects(target: Target) -> tuple[Subject, ...]:
    """Return the clusters of `target` as a report names them, in the order of the text."""
    return tuple(_subject(target, cluster) for cluster in target.function.clusters)


def _subject(target: Target, cluster: Cluster) -> Subject:
    source = target.reading.source
    line = source.line(cluster.start)
    way = cluster.direction.value
    return Subject(
        id=f"{target.name}:{way}@{line}",
        file=str(source.path),
        function=target.function.name,
        line=line,
        direction=way,
        form=cluster.reported.value,
        accesses=len(cluster.accesses),
    )


def reread(
    target: Target,
    text: bytes,
    others: tuple[Source, ...] = (),
    held: tuple[Held, ...] = (),
) -> Target:
    """Return `target` as it is read from another text of its file, and of `others` beside it.

    `held` are the windows that were unmade in that text.
    """
    source = Source(target.reading.source.path, text)
    texts = {one.path: one for one in others}
    includers = tuple(texts.get(one.path, one) for one in target.includers)
    included = tuple(texts.get(one.path, one) for one in target.included)
    reading = read_source(source, includers, included, held)
    # SYSCALL_DEFINE and COMPAT_SYSCALL_DEFINE, or two branches of #ifdef, may share a name.
    place = _namesakes(target.reading, target.function.name).index(target.function)
    function = next(iter(_namesakes(reading, target.function.name)[place:]), None)
    if function is None:
        raise UserError(f"{target.name} has no user access any more after the rewriting")
    return replace(
        target, reading=reading, includers=includers, function=function, included=included
    )


def _namesakes(reading: Reading, name: str) -> list[Function]:
    return [function for function in reading.functions if function.name == name]


def _targets(tree: Tree, named: str) -> Iterator[Target]:
    file, _, name = named.partition(":")
    path = relative(tree, file)
    source = read_file(tree, path)
    includers = _includers(tree, path)
    included = _included(tree, source, includers)
    reading = read_source(source, includers, included)
    chosen = reading.functions if not name else (_function(reading, name),)
    if not chosen:
        raise UserError(f"{path} holds no user access that could be read")
    for function in chosen:
        if function.clusters or name:
            _refuse_when_broken(reading, function)
            dialect = dialect_of(tree, reading, includers)
            yield Target(reading, includers, function, dialect, included)


def _includers(tree: Tree, path: PurePosixPath) -> tuple[Source, ...]:
    try:
        compiled = PurePosixPath(object_of(tree, path)).with_suffix(".c")
    except UserError:  # a header, or a file that no object is made of: still C to read
        return ()
    return () if compiled == path else (read_file(tree, compiled),)


def _included(tree: Tree, source: Source, includers: tuple[Source, ...]) -> tuple[Source, ...]:
    # sound/core/pcm_native.c ends with `#include "pcm_compat.c"`.
    whole = includers[0] if includers else source
    found = _INCLUDED.findall(whole.text)
    names = dict.fromkeys(name.decode(errors="surrogateescape") for name in found)
    paths = (whole.path.parent / name for name in names)
    there = (path for path in paths if path != source.path and ".." not in path.parts)
    return tuple(read_file(tree, one) for one in there if Path(tree.path, one).is_file())


def relative(tree: Tree, file: str) -> PurePosixPath:
    """Return `file` as a path inside `tree`: as it is meant from here, else from the tree's top."""
    root = Path(tree.path).resolve()
    try:
        here = Path(file).resolve()
    except (OSError, RuntimeError):  # links that go round
        raise UserError(f"{file} cannot be followed to a file") from None
    if here.is_relative_to(root) and (here.exists() or Path(file).is_absolute()):
        return PurePosixPath(here.relative_to(root))
    if (root / file).exists() and not Path(file).is_absolute():
        return PurePosixPath(file)
    if here.exists() or Path(file).is_absolute():
        raise UserError(f"{file} lies outside the kernel tree {tree.path}")
    return PurePosixPath(file)


def _function(reading: Reading, name: str) -> Function:
    path = reading.source.path
    name, _, at = name.partition("@")
    alike = sorted((f for f in reading.functions if f.name == name), key=lambda f: not f.clusters)
    if at:
        alike = [f for f in alike if str(reading.source.line(f.span.start)) == at]
    function = alike[0] if alike else None  # of namesakes, one that has clusters
    if function is not None and function.clusters:
        return function
    if name in reading.names:
        odd = _odd_within(reading, function)
        if function is not None and odd:
            raise UserError(f"{path}:{odd[0]}: no access of {name} could be read: {odd[1]}")
        raise UserError(f"{path}: {name} makes no user access")
    near = get_close_matches(name, reading.names, 3, 0.4)
    if reading.broken:
        line, why = reading.broken[0]
        raise UserError(
            f"{path}:{line}: {name} was not found, and the C here does not parse: {why}"
        )
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise UserError(f"{path} defines no function {name}{hint}")


def _odd_within(reading: Reading, function: Function | None) -> tuple[int, str] | None:
    if function is None:
        return None
    first = reading.source.line(function.span.start)
    last = reading.source.line(function.span.end)
    found = (odd for odd in reading.not_understood if first <= odd.line <= last)
    return next(((odd.line, odd.why) for odd in found), None)


def _refuse_when_broken(reading: Reading, function: Function) -> None:
    source = reading.source
    for line, why in reading.broken:
        for cluster in function.clusters:
            if source.line(cluster.extent.start) <= line <= source.line(cluster.extent.end):
                raise UserError(f"{source.path}:{line}: the C does not parse: {why}")
