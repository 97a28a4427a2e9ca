# SPDX-License-Identifier: GPL-2.0-only
"""Walk a tree for the C files that hold candidates; nothing but regular files is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from struct import Struct

from uaccel.errors import UserError
from uaccel.sites import opens_windows, sites

# At the top of the tree: what is no kernel code, and what git keeps for itself.
LEFT_OUT = ("Documentation", "tools", "scripts", ".git")
SUFFIXES = (".c", ".h")

LARGEST = 64 << 20  # bytes of a file that is read
NOT_REGULAR = "it is no regular file"
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_RACY = 2  # seconds in which a file may change twice and keep its time stamp
_ROOM = 1 << 18  # bytes; what fits into a core's own cache is searched fastest
_STAMP = Struct("<QqqQ")


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at: a folder, or only some files in it."""

    folder: str  # from the tree's top, with forward slashes; "" is the top
    names: tuple[str, ...] = ()  # () for all that lies there


@dataclass(frozen=True, slots=True)
class Held:
    """A file that was read and holds what is looked for."""

    path: str
    size: int  # bytes
    digest: bytes  # of its bytes


def names_access(text: bytearray, size: int) -> bool:
    """Return whether the first `size` bytes of `text` hold candidates, or what opens a window."""
    # An accessor, or `__user` at least: no file opens a window without either, and one search
    # through all files is what a scan has time for.
    if text.find(b"_user", 0, size) < 0:
        return False
    return next(sites(text, size), None) is not None or opens_windows(text, size)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look showed."""

    folders: tuple[str, ...]  # below it, still to be looked at
    stamps: Mapping[str, bytes] | None  # of every .c and .h file by name; None: as was known
    fresh: tuple[str, ...]  # paths of those that were opened; the others are as they were
    held: tuple[Held, ...]  # of those that were read
    skipped: tuple[tuple[str, str], ...]  # path and why


class Walker:
    """Looks at folders of one tree; what it reads goes into one piece of memory, used again."""

    def __init__(
        self,
        root: str,
        known: Mapping[str, Mapping[str, bytes]],
        holds: Callable[[bytearray, int], bool] = names_access,
    ) -> None:
        self._root = root
        self._known = known  # stamps, by folder and name
        self._holds = holds  # whether a file of these bytes, and of so many, is looked for
        self._room = bytearray(_ROOM)

    def look(self, at: Look) -> Seen:
        """Return what lies there; a file whose stamp is known is not opened."""
        folders: list[str] = []
        names: list[str] = []
        skipped: list[tuple[str, str]] = []
        try:
            with os.scandir(_join(self._root, at.folder)) as entries:
                for entry in entries:
                    if not at.names or entry.name in at.names:
                        self._sort(entry, _join(at.folder, entry.name), folders, names, skipped)
        except OSError as error:
            skipped.append((at.folder or ".", f"it cannot be listed: {error.strerror}"))
        known = self._known.get(at.folder, {})
        stamps: dict[str, bytes] = {}
        fresh: list[str] = []
        held: list[Held] = []
        for name in names:
            path = _join(at.folder, name)
            try:
                stamp = _stamp(os.lstat(_join(self._root, path))) if name in known else None
                if stamp is None or stamp != known[name]:
                    stamp, size = self._read(path)
                    fresh.append(path)
                    if self._holds(self._room, size):  # most files end here
                        held.append(Held(path, size, digest(memoryview(self._room)[:size])))
                stamps[name] = stamp
            except OSError as error:
                skipped.append((path, why_not(error)))
            except UserError as error:
                skipped.append((path, str(error)))
        changed = None if stamps == known else stamps
        return Seen(tuple(folders), changed, tuple(fresh), tuple(held), tuple(skipped))

    def _sort(
        self,
        entry: os.DirEntry[str],
        path: str,
        folders: list[str],
        names: list[str],
        skipped: list[tuple[str, str]],
    ) -> None:
        if entry.is_symlink():
            skipped += ((path, why) for why in self._why_not_followed(path))
        elif entry.is_dir(follow_symlinks=False):
            folders += () if path in LEFT_OUT else (path,)
        elif not entry.name.endswith(SUFFIXES):
            return
        elif entry.is_file(follow_symlinks=False):
            names.append(entry.name)
        else:
            skipped.append((path, NOT_REGULAR))

    def _why_not_followed(self, path: str) -> Iterator[str]:
        # What it leads to is read under its own name, if that is a file of this tree.
        target = os.path.realpath(_join(self._root, path))
        try:
            mode = Path(target).stat().st_mode
        except OSError:
            if path.endswith(SUFFIXES):
                yield "it is a link that leads nowhere"
            return
        if not stat.S_ISDIR(mode) and not path.endswith(SUFFIXES):
            return
        inside = target.removeprefix(f"{self._root}/")
        if inside == target != self._root:
            yield "it is a link out of the tree"
        elif not stat.S_ISDIR(mode) and not is_read(inside):
            yield f"it is a link to {inside}, which is not read"

    def _read(self, path: str) -> tuple[bytes, int]:
        handle, status = _opened(_join(self._root, path))
        try:
            if status.st_size > len(self._room):
                self._room = bytearray(status.st_size)
            size = got = os.readv(handle, (self._room,))
            while size < status.st_size and got:
                got = os.readv(handle, (memoryview(self._room)[size:],))
                size += got
        finally:
            os.close(handle)
        return _stamp(status), min(size, status.st_size)


def is_read(path: str) -> bool:
    """Return whether a file of this name, from the tree's top, is one to look for candidates in."""
    return path.endswith(SUFFIXES) and path.partition("/")[0] not in LEFT_OUT


def content(root: str, path: str) -> bytes:
    """Return the bytes of a regular file; OSError or UserError when it is no such file any more."""
    handle, _ = _opened(_join(root, path))
    with os.fdopen(handle, "rb") as file:
        return file.read(LARGEST)


def text_of(named: str, root: str, path: str) -> bytes:
    """Return the bytes of the file at `path`; UserError, of the file as `named`, without them."""
    try:
        return content(root, path)
    except UserError as error:
        raise UserError(f"{named} cannot be judged: {error}") from None
    except OSError as error:
        raise UserError(f"{named} cannot be read: {error.strerror}") from None


def digest(text: bytes | memoryview) -> bytes:
    """Return what only these bytes have."""
    return blake2b(text, digest_size=16).digest()


def why_not(error: OSError) -> str:
    """Return why a file was not read, as one sentence."""
    if isinstance(error, FileNotFoundError):
        return "it vanished while the tree was read"
    return f"it cannot be read: {error.strerror}"


def is_settled(stamp: bytes, started: float) -> bool:
    """Return whether a file of this `stamp` cannot have changed since unseen (git's racy rule).

    `started`, in seconds of the clock, is when the scan that read it began.
    """
    latest: int = max(_STAMP.unpack(stamp)[1:3])  # of its content and of its inode
    return latest < (started - _RACY) * 1e9


def _opened(path: str) -> tuple[int, os.stat_result]:
    handle = os.open(path, _FLAGS)
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST:
        return handle, status
    os.close(handle)
    if not stat.S_ISREG(status.st_mode):
        raise UserError(NOT_REGULAR)
    raise UserError(f"it has {status.st_size / 1e6:.0f} MB, more than is read of a file")


def _stamp(status: os.stat_result) -> bytes:
    return _STAMP.pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
