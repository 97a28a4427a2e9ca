# SPDX-License-Identifier: GPL-2.0-only
"""Ways of writing that the user brings: what patches make of files of a kernel that boots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from uaccel.errors import UserError
from uaccel.flow.patched import patched
from uaccel.flow.targets import Target
from uaccel.flow.written import Way
from uaccel.host.kbuild import object_of
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch as it was given."""

    name: str  # that it is shown under
    file: str  # path, as the user named it
    text: bytes  # a diff, or mails with diffs


def brought(tree: Tree, patches: tuple[Patch, ...], targets: tuple[Target, ...]) -> tuple[Way, ...]:
    """Return each of `patches` as a way of writing `targets`.

    UserError for one that does not apply, or that touches what is not linked anew: a header, a
    file that is not there before and after, or no file of the targets.
    """
    return tuple(_way(tree, patch, targets) for patch in patches)


def _way(tree: Tree, patch: Patch, targets: tuple[Target, ...]) -> Way:
    found = patched(tree, ((patch.file, patch.text),)).replaced
    for path, text in found.items():
        if not path.endswith(".c") or not text:
            raise UserError(
                f"{patch.file} touches {path}: a kernel is linked anew of changed .c files only"
            )
        read_file(tree, path)
    texts = {PurePosixPath(path): text for path, text in found.items()}
    mine = {object_of(tree, target.path) for target in targets}
    if not mine & {object_of(tree, path) for path in texts}:
        files = ", ".join(found) or "nothing"
        names = ", ".join(target.name for target in targets)
        raise UserError(f"{patch.file} changes {files}, where none of {names} is: name a --target")
    return Way(patch.name, texts)
