# SPDX-License-Identifier: GPL-2.0-only
"""What scans of a tree found before: one file a tree in the store, whole or not believed."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.memory import own_text
from uaccel.host.store import Store, key, write_atomically
from uaccel.model.dossier import Tree
from uaccel.model.survey import Survey

_KIND = "surveys"
_DIGEST = 32  # bytes at the start of the file: of all that follow


@dataclass(frozen=True, slots=True)
class Index:
    """What is known of the files of a tree."""

    stamps: Mapping[str, Mapping[str, bytes]]  # by folder and name: of files that were read
    surveys: Mapping[str, tuple[bytes, Survey]]  # by path: digest of its bytes, what they hold


NOTHING = Index({}, {})


def recall(store: Store, tree: Tree) -> Index:
    """Return what a scan of `tree` by this very program kept; NOTHING when that is damaged."""
    try:
        kept = _place(store, tree).read_bytes()
    except OSError:
        return NOTHING
    if sha256(kept[_DIGEST:]).digest() != kept[:_DIGEST]:
        return NOTHING
    with _uncollected():
        index: Index = pickle.loads(memoryview(kept)[_DIGEST:])
    return index


def keep(store: Store, tree: Tree, index: Index) -> None:
    """Return when `index` is what the next scan of `tree` recalls; UserError when it cannot be."""
    place = _place(store, tree)
    with _uncollected():
        content = pickle.dumps(index, pickle.HIGHEST_PROTOCOL)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{place.parent} cannot be made: {error.strerror}") from None
    write_atomically(place, sha256(content).digest() + content)


def _place(store: Store, tree: Tree) -> Path:
    # Its own text is in the name: what another version found is not believed.
    return store.root / _KIND / key(own_text(), tree.path)


@contextmanager
def _uncollected() -> Iterator[None]:
    # Some hundred thousand records, none of them garbage: looking for it costs more than they do.
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
