# SPDX-License-Identifier: GPL-2.0-only
"""What each architecture offers to a window, read from the tree at hand."""

from __future__ import annotations

from uaccel import gain
from uaccel.host.headers import accessor_headers, architectures, headers
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch
from uaccel.model.support import Folder, Support


def supports(tree: Tree, arches: tuple[Arch, ...]) -> tuple[Support, ...]:
    """Return what `tree` offers on each of `arches`, in their order."""
    return tuple(gain.support(arch, headers(tree, gain.wanted(arch))) for arch in arches)


def folders(tree: Tree, known: tuple[Arch, ...]) -> tuple[Folder, ...]:
    """Return the architectures of `tree` that none of `known` stands for."""
    described = {arch.srcarch for arch in known}
    others = (name for name in architectures(tree) if name not in described)
    return tuple(gain.folder(name, accessor_headers(tree, name)) for name in others)
