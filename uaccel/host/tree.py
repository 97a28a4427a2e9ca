# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees: found where they lie, never written to; fetched ones are kept in the cache."""

from __future__ import annotations

import difflib
import lzma
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from uaccel.errors import UserError
from uaccel.host.apt import Progress, download
from uaccel.host.run import run
from uaccel.host.store import Store, cache_folder, full
from uaccel.model.dossier import Tree
from uaccel.model.source import Source

SEED = "6.12"  # holds the functions of the seed as they were before their conversion

# top_of_kernel_tree() of scripts/checkpatch.pl asks for these.
_MARKS = (
    *("COPYING", "CREDITS", "Kbuild", "MAINTAINERS", "Makefile", "README", "Documentation"),
    *("arch", "include", "drivers", "fs", "init", "ipc", "kernel", "lib", "scripts"),
)
_KIND = "trees"
_ROOM = 2_300_000_000  # bytes that a tree and its package need while they are unpacked
_UNPACK_SECONDS = 1800
_PIECE = 1 << 20  # bytes


def is_tree(folder: Path) -> bool:
    """Return whether `folder` is the top of a kernel tree, by checkpatch's marks."""
    return all((folder / mark).exists() for mark in _MARKS)


def version(folder: Path) -> str:
    """Return what `make kernelversion` would say of the tree in `folder`."""
    text = (folder / "Makefile").read_text(errors="replace")
    pairs = re.finditer(r"^(\w+) =[ \t]*(\S*)", text, re.MULTILINE)
    fields: dict[str, str] = {match[1]: match[2] for match in pairs}
    numbers = (fields.get(name) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    return ".".join(number for number in numbers if number) + fields.get("EXTRAVERSION", "")


def open_tree(folder: Path) -> Tree:
    """Return the kernel tree in `folder`."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder, so no kernel tree either")
    if not is_tree(folder):
        missing = next(mark for mark in _MARKS if not (folder / mark).exists())
        raise UserError(f"{folder} is no kernel tree: it has no {missing}")
    if not version(folder):
        raise UserError(f"{folder} is no kernel tree: its Makefile names no VERSION")
    return Tree(str(folder.resolve()), version(folder))


def find_tree(
    named: str | None, target: Path | None, environment: Mapping[str, str] = os.environ
) -> Tree:
    """Return the tree to work on.

    It is the `named` one, else the one around `target` or the working folder, else $KDIR, else
    the best that was fetched.
    """
    found = tree_at_hand(named, target, environment)
    if found is None:
        raise UserError(
            f"there is no kernel tree here; `uaccel tree fetch {SEED}` gets one, --tree names one"
        )
    return found


def tree_at_hand(
    named: str | None, target: Path | None, environment: Mapping[str, str]
) -> Tree | None:
    """Return the tree that find_tree() finds, None when there is none."""
    if named is not None:
        return open_tree(Path(named))
    for start in (target, Path()):
        if start is not None and (around := tree_around(start)) is not None:
            return around
    if environment.get("KDIR"):
        return open_tree(Path(environment["KDIR"]))
    return next(iter(cached(environment)), None)


def tree_around(start: Path) -> Tree | None:
    """Return the tree that the file or folder `start` lies in, None when it lies in none."""
    if not start.exists():
        return None
    place = start.resolve()
    tops = (folder for folder in (place, *place.parents) if is_tree(folder))
    return next((open_tree(top) for top in tops), None)


def read_file(tree: Tree, relative: str | PurePosixPath) -> Source:
    """Return the file of `tree` at `relative`."""
    root = Path(tree.path).resolve()
    path = root / relative
    if ".." in PurePosixPath(relative).parts or not path.resolve().is_relative_to(root):
        raise UserError(f"{relative} lies outside the kernel tree {tree.path}")
    if not path.exists():
        raise UserError(f"{tree.path} has no {relative}{_nearest(root, path)}")
    if path.is_dir():
        raise UserError(f"{relative} is a folder, not a file")
    try:
        return Source(PurePosixPath(path.relative_to(root)), path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def cached(environment: Mapping[str, str] = os.environ) -> tuple[Tree, ...]:
    """Return the trees that were fetched: the seed's version first, then the newest first."""
    store = Store(cache_folder(environment))
    names = sorted(store.keys(_KIND), key=_order)
    return tuple(tree for name in names if (tree := _fetched(store, name)) is not None)


def fetch(wanted: str, progress: Progress, environment: Mapping[str, str] = os.environ) -> Tree:
    """Return the tree of kernel version `wanted` (X.Y) in the cache, downloaded if need be."""
    match = re.fullmatch(r"v?(\d+\.\d+)", wanted)
    if match is None:
        raise UserError(f"{wanted} is no kernel version; write it as X.Y, for instance {SEED}")
    store = Store(cache_folder(environment))
    if (tree := _fetched(store, match[1])) is not None:
        return tree
    with store.filling(_KIND, match[1]) as folder:
        _need_room(folder)
        package, package_version = download(f"linux-source-{match[1]}", folder, progress)
        unpack(package, folder, progress)
        (folder / "package").write_text(f"{package.name} {package_version}\n")
    tree = _fetched(store, match[1])
    if tree is None:
        raise UserError(f"the package of Linux {match[1]} holds no kernel tree")
    return tree


def unpack(package: Path, folder: Path, progress: Progress) -> None:
    """Return when `folder` holds the tree out of Debian's `package` and nothing else."""
    what = f"unpacking {package.name}"
    progress(what, 0.0)
    opened = folder / "opened"
    _must("dpkg-deb", "-x", str(package), str(opened), folder=folder)
    archives = tuple(opened.glob("usr/src/linux-source-*.tar.xz"))
    if len(archives) != 1:
        raise UserError(f"{package.name} holds {len(archives)} archives of kernel source, not one")
    place = folder / "tree"
    place.mkdir()
    with _unpressed(archives[0], lambda share: progress(what, share)) as stream:
        _must("tar", "--extract", "--file=-", "--no-same-owner", folder=place, stdin=stream)
    (top,) = place.iterdir()
    kept = top.rename(folder / "linux")
    for other in folder.iterdir():
        if other != kept:
            _remove(other)
    progress(what, 1.0)


def _fetched(store: Store, name: str) -> Tree | None:
    entry = store.find(_KIND, name)
    if entry is None or not (entry / "package").is_file() or not is_tree(entry / "linux"):
        return None
    return open_tree(entry / "linux")


def _order(name: str) -> tuple[bool, tuple[int, ...]]:
    return name != SEED, tuple(-int(number) for number in re.findall(r"\d+", name))


def _nearest(root: Path, path: Path) -> str:
    folder = next(parent for parent in path.parents if parent.is_dir())
    missing = path.relative_to(folder).parts[0]
    names = [entry.name for entry in folder.iterdir()]
    close = difflib.get_close_matches(missing, names, n=3)
    if not close:
        return ""
    place = folder.relative_to(root)
    return "; near it: " + ", ".join(str(place / name) for name in close)


def _must(*argv: str, folder: Path, stdin: BinaryIO | None = None) -> None:
    command = run(argv, folder=folder, timeout=_UNPACK_SECONDS, stdin=stdin)
    if command.status == 0:
        return
    if "No space left on device" in command.stderr:
        raise full(folder)
    said = command.stderr.strip().splitlines() or [f"exit status {command.status}"]
    raise UserError(f"{argv[0]} could not unpack the kernel: {said[0]}")


@contextmanager
def _unpressed(archive: Path, progress: Callable[[float], None]) -> Iterator[BinaryIO]:
    # Python's own lzma: a fresh machine has no xz, and `tar` writes while this thread inflates.
    outlet, inlet = os.pipe()
    damage: list[str] = []
    feeder = threading.Thread(target=_feed, args=(archive, inlet, progress, damage), daemon=True)
    feeder.start()
    with os.fdopen(outlet, "rb") as stream:
        try:
            yield stream
        finally:
            stream.close()  # a feeder whose reader is gone stops with a broken pipe
            feeder.join()
    if damage:
        raise UserError(f"{archive.name} is damaged: {damage[0]}")


def _feed(archive: Path, inlet: int, progress: Callable[[float], None], damage: list[str]) -> None:
    size = archive.stat().st_size
    try:
        with (
            os.fdopen(inlet, "wb") as pipe,
            archive.open("rb") as packed,
            lzma.open(packed) as inflated,
        ):
            while piece := inflated.read(_PIECE):
                pipe.write(piece)
                progress(packed.tell() / size)
    except BrokenPipeError:
        return
    except (lzma.LZMAError, EOFError, OSError) as error:
        damage.append(str(error))


def _need_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM:
        raise UserError(
            f"a kernel tree needs {_ROOM / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB left; "
            f"UACCEL_CACHE names another folder"
        )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
