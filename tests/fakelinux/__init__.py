# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree of our own, small enough to be made for one test, and machines that lack programs.

`tree/` holds C that we wrote in the kernel's idiom; nothing of it comes from a kernel.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from shutil import copy2, copytree

from tests.test_tree import plant

OWN = Path(__file__).parent / "tree"


def grow(folder: Path) -> Path:
    """Return `folder` as the smallest kernel tree that holds our own C."""
    return copytree(OWN, plant(folder), dirs_exist_ok=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below `folder`."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def machine_without(folder: Path, pattern: str) -> str:
    """Return a PATH that offers all programs of this machine but those that match `pattern`."""
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            known = folder / program.name
            if not re.fullmatch(pattern, program.name) and not known.is_symlink():
                known.symlink_to(program)
    return str(folder)


def overlay(tree: Path, folder: Path, *own: str) -> Path:
    """Return `folder` as `tree` with copies of the files and folders `own`; the rest are links."""
    folder.mkdir()
    for entry in tree.iterdir():
        here = [name for name in own if name.split("/")[0] == entry.name]
        place = folder / entry.name
        if not here:
            place.symlink_to(entry)
        elif entry.name not in here:
            overlay(entry, place, *(name.partition("/")[2] for name in here))
        elif entry.is_dir():
            copytree(entry, place, symlinks=True)
        else:
            copy2(entry, place)
    return folder
