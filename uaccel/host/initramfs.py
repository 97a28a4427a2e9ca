# SPDX-License-Identifier: GPL-2.0-only
"""The first file system of a kernel: a cpio archive (newc) in memory, which needs no root."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import fsencode
from pathlib import PurePosixPath

from uaccel.errors import BrokenInvariant

_TRAILER = "TRAILER!!!"
_LEVEL = 6  # of gzip: what the kernel unpacks is read once


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive, owned by root."""

    path: str  # below the root, without a slash before it
    mode: int  # kind and rights, as of stat(2)
    content: bytes = b""  # of a link: where it leads
    device: tuple[int, int] = (0, 0)  # major and minor number


def program(path: str, content: bytes) -> Entry:
    """Return a file that may be executed."""
    return Entry(path, stat.S_IFREG | 0o755, content)


def plain(path: str, content: bytes) -> Entry:
    """Return a file that may be read."""
    return Entry(path, stat.S_IFREG | 0o644, content)


def link(path: str, leads: str) -> Entry:
    """Return a symbolic link."""
    return Entry(path, stat.S_IFLNK | 0o777, leads.encode(errors="surrogateescape"))


def with_client(
    client: bytes, arguments: tuple[str, ...], others: tuple[Entry, ...] = ()
) -> tuple[Entry, ...]:
    """Return a file system whose first program is our client, called with `arguments`."""
    if wrong := [one for one in arguments if not one or "\n" in one]:
        raise BrokenInvariant(f"no argument of the client: {wrong[0]!r}")
    words = "".join(f"{one}\n" for one in arguments)
    console = Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    own = program("init", client), plain("uaccel.arguments", fsencode(words))
    return (console, *own, *others)


def pack(entries: Iterable[Entry]) -> bytes:
    """Return the compressed archive of `entries`; the folders that they stand in come before."""
    rows = (*_complete(tuple(entries)), Entry(_TRAILER, 0))
    archive = b"".join(_row(number, entry) for number, entry in enumerate(rows, start=1))
    return gzip.compress(archive, _LEVEL, mtime=0)


def _complete(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    there: set[str] = set()
    for entry in entries:
        for folder in reversed(PurePosixPath(entry.path).parents[:-1]):
            if str(folder) not in there:
                there.add(str(folder))
                yield Entry(str(folder), stat.S_IFDIR | 0o755)
        if entry.path in there:
            raise BrokenInvariant(f"{entry.path} stands twice in the archive")
        there.add(entry.path)
        yield entry


def _row(number: int, entry: Entry) -> bytes:
    name = entry.path.encode(errors="surrogateescape") + b"\0"
    fields = (
        *(number, entry.mode, 0, 0, 1, 0, len(entry.content)),  # inode to size; root, no time
        *(0, 0, *entry.device, len(name), 0),
    )
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return _padded(head) + _padded(entry.content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
