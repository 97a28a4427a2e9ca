# SPDX-License-Identifier: GPL-2.0-only
"""Read and write plain files for those above."""

from __future__ import annotations

import os
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.store import write_atomically


def content(path: str) -> bytes:
    """Return the bytes of the file at `path`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


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
