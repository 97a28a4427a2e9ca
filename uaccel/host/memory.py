# SPDX-License-Identifier: GPL-2.0-only
"""Remember what was worked out: records kept in the store under what they were made from."""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import uaccel
from uaccel.host.store import Store, key

Record = TypeVar("Record")
_FILE = "record.pickle"
_LIBRARIES = ("capstone", "pyelftools", "tree-sitter", "tree-sitter-c", "unicorn", "ziglang")


def remembered(
    store: Store, kind: str, parts: tuple[bytes | str, ...], make: Callable[[], Record]
) -> Record:
    """Return what `make()` returned when it was last asked with the same `parts`.

    The program's own text and its libraries are parts too: what another version worked out is
    not believed.
    """
    name = key(own_text(), *parts)
    known = store.find(kind, name)
    if known is not None:
        with (known / _FILE).open("rb") as file:
            record: Record = pickle.load(file)
            return record
    made = make()
    with store.filling(kind, name) as folder:
        (folder / _FILE).write_bytes(pickle.dumps(made))
    return made


@cache
def own_text() -> str:
    """Return what changes with the text of this program and with its libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for library in _LIBRARIES:
        digest.update(version(library).encode())
    for path in sorted(Path(uaccel.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
