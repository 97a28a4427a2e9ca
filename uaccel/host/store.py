# SPDX-License-Identifier: GPL-2.0-only
"""What is kept between runs: folders named after what they were made from, whole or not there."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from uaccel.errors import UserError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Store:
    """Entries are folders at root/KIND/KEY; one that can be found is complete."""

    root: Path

    def find(self, kind: str, key: str) -> Path | None:
        """Return the folder of an entry, or None when there is none."""
        entry = self.root / kind / key
        return entry if entry.is_dir() else None

    def keys(self, kind: str) -> tuple[str, ...]:
        """Return the keys of all entries of `kind`, sorted."""
        folder = self.root / kind
        return tuple(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ()

    @contextmanager
    def filling(self, kind: str, key: str) -> Iterator[Path]:
        """Give an empty folder that becomes the entry when the block ends without an error.

        Whoever fills the same entry first wins; the others' folders are dropped.
        """
        entry = self.root / kind / key
        with _room(self.root), self._own_folder() as folder:
            yield folder
            entry.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.rename(entry)
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise

    @contextmanager
    def _own_folder(self) -> Iterator[Path]:
        nursery = self.root / ".filling"
        folder = nursery / f"{os.getpid()}-{secrets.token_hex(6)}"
        with explained(self.root):
            nursery.mkdir(parents=True, exist_ok=True)
        with explained(self.root), _locked(nursery / ".lock"):
            abandoned = tuple(_adopt(nursery))
            folder.mkdir()
            lock = _lock(folder)
        try:
            for orphan, its_lock in abandoned:
                _remove(orphan)
                os.close(its_lock)
            yield folder
        finally:
            _remove(folder)
            if lock is not None:
                os.close(lock)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return where everything that can be made again is kept."""
    if own := environment.get("UACCEL_CACHE"):
        return Path(own).absolute()
    if shared := environment.get("XDG_CACHE_HOME"):
        return Path(shared).absolute() / "uaccel"
    return Path.home() / ".cache" / "uaccel"


def key(*parts: bytes | str) -> str:
    """Return a name that only the same parts in the same order have."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Return when `path` holds `content`; on any failure it holds what it held before."""
    with explained(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(content)  # a device or a pipe cannot be replaced
            return
        place = path.resolve()
        fresh = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
        try:
            fresh.write_bytes(content)
            if place.exists():
                fresh.chmod(place.stat().st_mode & 0o7777)
            fresh.replace(place)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the file system at `path` into one sentence for the user."""
    try:
        with _room(path):
            yield
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def full(path: Path) -> UserError:
    """Return the sentence for a disk that has no room left at `path`."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 1e6
    return UserError(f"the disk is full: {there} has {free:.0f} MB left")


@contextmanager
def _room(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise full(path) from None
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        with suppress(OSError):  # a file system without locks: nobody adopts anything there
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _adopt(nursery: Path) -> Iterator[tuple[Path, int]]:
    # The lock of a folder is gone exactly when the process that was filling it is gone.
    for folder in nursery.iterdir():
        lock = None if folder.name == ".lock" else _lock(folder)
        if lock is not None:
            yield folder, lock


def _lock(folder: Path) -> int | None:
    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if handle is not None:
            os.close(handle)
        return None
    return handle


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
