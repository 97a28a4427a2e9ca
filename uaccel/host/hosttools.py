# SPDX-License-Identifier: GPL-2.0-only
"""The programs that Kbuild compiles for the host, kept per tree: they are half of its work.

They are copied with their times and their `.cmd` files, so make itself decides whether they serve;
what it finds changed it makes again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from uaccel.host.store import Store, key

_KIND = "hosttools"
_FOLDERS = ("scripts/basic", "scripts/kconfig", "scripts/dtc", "scripts/mod", "scripts")
# Made by the target's compiler, so another architecture has its own.
_OF_THE_TARGET = ("empty.", "devicetable-offsets.", "elfconfig.")


def lend(folder: Path, srcarch: str, tree: str, store: Store) -> None:
    """Return with the host programs that earlier builds of `tree` left copied into `folder`."""
    for name in _folders(srcarch):
        if kept := store.find(_KIND, key(tree, name)):
            _copy(kept, folder / name, deep=True)


def keep(folder: Path, srcarch: str, tree: str, store: Store) -> None:
    """Return with the host programs that make left in `folder` kept for the next build."""
    for name in _folders(srcarch):
        entry = key(tree, name)
        if store.find(_KIND, entry) or not _holds_program(folder / name):
            continue
        with store.filling(_KIND, entry) as kept:
            _copy(folder / name, kept, deep=name != "scripts")


def _folders(srcarch: str) -> tuple[str, ...]:
    return (*_FOLDERS, f"arch/{srcarch}/tools")


def _holds_program(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return any(file.is_file() and os.access(file, os.X_OK) for file in folder.iterdir())


def _copy(source: Path, place: Path, *, deep: bool) -> None:
    def skipped(within: str, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if name.removeprefix(".").startswith(_OF_THE_TARGET)
            or (not deep and Path(within, name).is_dir())
        ]

    shutil.copytree(source, place, symlinks=True, ignore=skipped, dirs_exist_ok=True)
