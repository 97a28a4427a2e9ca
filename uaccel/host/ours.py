# SPDX-License-Identifier: GPL-2.0-only
"""Whether files in a folder of the user's are ours to replace."""

from __future__ import annotations

import stat
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.files import expect_folder

_HEAD = 400  # bytes in which a file of ours says so


def expect_ours(folder: str, names: tuple[str, ...], mark: str, never: tuple[str, ...]) -> None:
    """Return when each of `names` in `folder` is absent or bears `mark`; UserError otherwise.

    Files called `never` must be absent: with them, `names` would not mean what they say.
    """
    expect_folder(folder)
    for name in (*names, *never):
        path = Path(folder, name)
        try:
            kind = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if name in never or not stat.S_ISREG(kind) or mark.encode() not in _head(path):
            raise UserError(f"{path} is there and not ours; name another folder")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
