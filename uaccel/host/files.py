# SPDX-License-Identifier: GPL-2.0-only
"""Read and write plain files for those above."""

from __future__ import annotations

from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.store import write_atomically


def content(path: str) -> bytes:
    """Return the bytes of the file at `path`."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def put(folder: str, name: str, text: str) -> str:
    """Return the path of the file `name` in `folder`, which now holds `text`."""
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}") from None
    write_atomically(place / name, text.encode(errors="surrogateescape"))
    return str(place / name)
