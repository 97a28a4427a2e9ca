# SPDX-License-Identifier: GPL-2.0-only
"""Read and write plain files for those above."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from uaccel.errors import UserError
from uaccel.host.run import uninterrupted
from uaccel.host.store import explained, write_atomically


def content(path: str) -> bytes:
    """Return the bytes of the file at `path`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def scratch() -> Iterator[str]:
    """Give an empty folder that is gone afterwards."""
    with TemporaryDirectory(prefix="uaccel-") as folder:
        yield folder


def expect_folder(path: str) -> None:
    """Return when `path` is a folder or may become one; UserError before any work is done."""
    place = Path(path).absolute()
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{path} cannot be made: {there} does not take files from us")


def expect_file(path: str) -> None:
    """Return when `path` may become a file; UserError before any work is done for it."""
    place = Path(path)
    if place.is_dir():
        raise UserError(f"{path} is a folder, not a file")
    parent = next(folder for folder in place.absolute().parents if folder.exists())
    if not os.access(parent, os.W_OK | os.X_OK) or not parent.is_dir():
        raise UserError(f"{path} cannot be written: {parent} does not take files from us")


def put(folder: str, name: str, text: str) -> str:
    """Return the path of the file `name` in `folder`, which now holds `text`."""
    return put_bytes(folder, name, text.encode(errors="surrogateescape"))


def put_bytes(folder: str, name: str, content: bytes) -> str:
    """Return the path of the file `name` in `folder`, which now holds `content`."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    write_atomically(place / name, content)
    return str(place / name)


def put_together(folder: str, files: tuple[tuple[str, str], ...], replaced: str) -> tuple[str, ...]:
    """Return the paths of `files` (name and text) in `folder`, moved there once all are written.

    UserError when a file whose name matches `replaced` lies there and would not be replaced.
    """
    place = Path(folder)
    names = {name for name, _ in files}
    present = sorted(place.iterdir()) if place.is_dir() else []
    left = [one.name for one in present if re.fullmatch(replaced, one.name)]
    if stale := [name for name in left if name not in names]:
        raise UserError(f"{folder} holds {stale[0]} of another series; name another folder")
    with explained(place):
        place.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".uaccel-", dir=place) as fresh:
            for name, text in files:
                Path(fresh, name).write_bytes(text.encode(errors="surrogateescape"))
            with uninterrupted():
                for name, _ in files:
                    Path(fresh, name).replace(place / name)
    return tuple(str(place / name) for name, _ in files)
