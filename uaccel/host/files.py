# SPDX-License-Identifier: GPL-2.0-only
"""Read and write plain files for those above."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from uaccel.errors import UserError
from uaccel.host.store import write_atomically


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
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    write_atomically(place / name, text.encode(errors="surrogateescape"))
    return str(place / name)
