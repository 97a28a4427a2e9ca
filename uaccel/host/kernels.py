# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that boot: built once by Kbuild, linked anew for each way of writing some objects.

The `O=` folder is that of kbuild.py; a file `uaccel.kernel` in it says that all of it was made.
Without that file make goes on where it was stopped.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from uaccel.errors import BrokenInvariant
from uaccel.host.kbuild import Prepared, environment_for, locked, prepare, why_failed
from uaccel.host.run import run, uninterrupted
from uaccel.host.store import Store, explained, key, write_atomically
from uaccel.host.variant import compile_variant
from uaccel.host.watching import watched
from uaccel.model.boot import Kernel, Machine
from uaccel.model.command import Command
from uaccel.model.dossier import Tree
from uaccel.model.machine import Recipe, Toolchain, Unbuilt

Progress = Callable[[str, int, int], None]  # what, done, of how many (0 when not known)

_TIMEOUT = 7200  # seconds for one kernel on a slow machine
_MADE = "uaccel.kernel"
_TRIES = 3  # of make for one link
_ORIGINALS = ".uaccel-originals"
_KIND = "kernel"
# What else would stand in the kernel: when and where it was linked.
_ALIKE = {
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "KBUILD_BUILD_VERSION": "1",
    "KBUILD_BUILD_USER": "uaccel",
    "KBUILD_BUILD_HOST": "uaccel",
}


@dataclass(frozen=True, slots=True)
class Written:
    """How one object is written for a kernel: the texts that stand in the place of files."""

    prepared: Prepared
    texts: Mapping[PurePosixPath, bytes]


def recipe(machine: Machine) -> Recipe:
    """Return how the kernel of `machine` is configured."""
    return Recipe(
        name=machine.name,
        kernel=machine.kernel,
        srcarch=machine.srcarch,
        triplet=machine.triplet,
        package=machine.package,
        config=machine.config,
    )


def kernel(  # noqa: PLR0913, PLR0917
    tree: Tree,
    machine: Machine,
    toolchain: Toolchain,
    object: str,
    store: Store,
    jobs: int,  # of make, at once
    progress: Progress,
) -> Prepared | Unbuilt:
    """Return the folder of a kernel that is built and of which `object` is a part."""
    if toolchain.path:
        # The wheel has no objcopy; kbuild.py makes do with a copy, for one object does not need it.
        return Unbuilt(
            machine.name,
            f"{toolchain.name} makes objects, not kernels: it has no objcopy (install "
            f"{machine.package})",
        )
    prepared = prepare(
        tree, recipe(machine), toolchain, object, store, lambda what: progress(what, 0, 0)
    )
    if isinstance(prepared, Unbuilt):
        return prepared
    folder = Path(prepared.folder)
    with explained(folder), locked(folder.with_suffix(".lock")) as lock:
        _restore(folder)
        if (folder / _MADE).is_file():
            return prepared
        size = f"about {machine.megabytes} MB and {machine.seconds} s from nothing on two cores"
        what = f"{machine.name}: building a kernel ({size})"

        def tell() -> None:
            progress(what, min(_objects_in(folder), machine.objects), machine.objects)

        with watched(tell, 1.0):
            said = _make(prepared, machine, jobs, lock)
        if said.status != 0 or not (folder / machine.image).is_file():
            return Unbuilt(machine.name, f"its kernel was not built: {why_failed(said, tree)}")
        write_atomically(folder / _MADE, b"")
    return prepared


def relink(  # noqa: PLR0913, PLR0917
    tree: Tree,
    machine: Machine,
    style: str,
    written: tuple[Written, ...],  # of the folder that kernel() gave
    store: Store,
    jobs: int,  # of make, at once
    progress: Progress,
) -> Kernel | Unbuilt:
    """Return the kernel of `machine` in which the objects are as they are `written`."""
    started = time.monotonic()
    texts = (part for one in written for path, text in one.texts.items() for part in (path, text))
    parts = (part if isinstance(part, bytes) else str(part) for part in texts)
    identities = (one.prepared.identity for one in written)
    entry = key(machine.name, _made_from(written[0].prepared), *identities, *parts)
    reused = store.find(_KIND, entry) is not None
    if not reused:
        progress(f"{machine.name}: linking {style or 'the tree as it stands'}", 0, 0)
        trouble = _link(tree, machine, written, entry, store, jobs)
        if trouble is not None:
            return Unbuilt(machine.name, trouble)
    found = store.find(_KIND, entry)
    if found is None:
        raise BrokenInvariant(f"kernel {entry} was filled and is not there")
    return Kernel(
        machine=machine.name,
        style=style,
        vmlinux=str(found / "vmlinux"),
        image=str(found / PurePosixPath(machine.image).name),
        toolchain=written[0].prepared.toolchain,
        seconds=time.monotonic() - started,
        reused=reused,
    )


def _made_from(prepared: Prepared) -> str:
    # A digest of all that make looks at: an edit of any other file of the tree is linked too.
    # With the files read anew each time (0.2 s), no two styles are of different trees.
    folder = Path(prepared.folder)
    own = re.compile(rf"{re.escape(prepared.tree)}/[^\s\\:()]+")
    files: set[str] = set()
    with explained(folder), locked(folder.with_suffix(".lock")):
        for place, _, names in os.walk(folder):
            commands = [name for name in names if name.endswith(".cmd")]
            for name in commands:
                files.update(own.findall(Path(place, name).read_text(errors="surrogateescape")))
            if commands:
                beside = Path(prepared.tree, Path(place).relative_to(folder))
                files |= {str(beside / name) for name in ("Makefile", "Kbuild")}
    return key(*(stamp for file in sorted(files) for stamp in _stamp(file)))


def _stamp(file: str) -> Iterator[str]:
    # What a command names besides files, as folders of headers, has none.
    with suppress(OSError):
        seen = Path(file).stat()
        if stat.S_ISREG(seen.st_mode):
            yield f"{file} {seen.st_size} {seen.st_mtime_ns}"


def _link(  # noqa: PLR0913, PLR0917
    tree: Tree,
    machine: Machine,
    written: tuple[Written, ...],
    entry: str,
    store: Store,
    jobs: int,
) -> str | None:
    places: list[tuple[str, str]] = []
    for one in written:
        build = compile_variant(one.prepared, tree, one.texts, store)
        if build.path is None:
            return f"{one.prepared.object} was not compiled: {_first(build.log)}"
        places.append((one.prepared.object, build.path))
    prepared = written[0].prepared
    folder = Path(prepared.folder)
    with explained(folder), locked(folder.with_suffix(".lock")) as lock:
        _restore(folder)
        # A link that is stopped takes the one before away.
        linked = folder / "vmlinux"
        before = linked.stat().st_mtime_ns if linked.is_file() else 0
        names = ", ".join(name for name, _ in places)
        with _in_place(folder, tuple(places)):
            for _ in range(_TRIES):
                said = _make(prepared, machine, jobs, lock)
                if said.status != 0:
                    return f"its kernel was not linked: {why_failed(said, tree)}"
                if _put_anew(folder, places) == 0:
                    break
            else:
                return f"its kernel was not linked: make makes {names} anew each time"
            if linked.stat().st_mtime_ns == before:
                return f"its kernel has no part of {names}: another machine may have"
            with store.filling(_KIND, entry) as kept:
                for made in {"vmlinux", machine.image}:
                    shutil.copyfile(folder / made, kept / PurePosixPath(made).name)
    return None


def _put_anew(folder: Path, objects: Iterable[tuple[str, str]]) -> int:
    # What make compiled itself, for it knew of something newer, is not what shall be linked.
    lost = [
        (name, made)
        for name, made in objects
        if (folder / name).read_bytes() != Path(made).read_bytes()
    ]
    for name, made in lost:
        _put(Path(made), folder / name)
    return len(lost)


def _first(log: str) -> str:
    lines = log.splitlines()
    return next((line for line in lines if "error:" in line), lines[0] if lines else "no word")


@contextmanager
def _in_place(folder: Path, objects: tuple[tuple[str, str], ...]) -> Iterator[None]:
    # The folder is never left with another style: what stood there waits beside it, and whoever
    # takes the lock next puts it back if we could not.
    with uninterrupted():
        for name, _ in objects:
            _put(folder / name, folder / _ORIGINALS / name)
    try:
        for name, made in objects:
            _put(Path(made), folder / name)
        yield
    finally:
        with uninterrupted():
            _restore(folder)


def _restore(folder: Path) -> None:
    originals = folder / _ORIGINALS
    # With the time of now: what was linked of the other one is older, and so made again.
    for file in [one for one in originals.rglob("*.o") if one.is_file()]:
        _put(file, folder / file.relative_to(originals))
    shutil.rmtree(originals, ignore_errors=True)


def _put(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(place, source.read_bytes())


def _make(prepared: Prepared, machine: Machine, jobs: int, lock: int) -> Command:
    target = PurePosixPath(machine.image).name
    return run(
        (*prepared.make, f"-j{jobs}", target),
        folder=Path("/"),
        timeout=_TIMEOUT,
        environment={**environment_for(prepared.path), **_ALIKE},
        passed=(lock,),
    )


def _objects_in(folder: Path) -> int:
    return sum(name.endswith(".o") for _, _, names in os.walk(folder) for name in names)
