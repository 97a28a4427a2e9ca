# SPDX-License-Identifier: GPL-2.0-only
"""A draft as a patch, and what the tree's own tools say of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import uaccel.checks
from uaccel.catalog import catalog
from uaccel.flow.asking import CHECKPATCH, TIMEOUT, checkpatch, environment
from uaccel.flow.drafts import Draft
from uaccel.host.memory import remembered
from uaccel.host.run import find_program, run
from uaccel.host.store import Store
from uaccel.host.tree import read_file
from uaccel.model.command import Command
from uaccel.model.dossier import Patch, Tree
from uaccel.model.judgement import Check, Evidence, Judgement
from uaccel.report.patch import diff

CHECKS = catalog(uaccel.checks, Check)


def patch(made: Draft) -> Patch:
    """Return the unified diff from the tree to the draft."""
    source = made.target.reading.source
    said = dict.fromkeys(text for rewrite in made.rewrites for text in rewrite.differences)
    return Patch(
        style=made.style,
        function=made.target.name.partition(":")[2],
        file=str(source.path),
        text=diff(source.path, source.text, made.text) + _others(made),
        path=None,
        differences=tuple(said),
    )


def _others(made: Draft) -> str:
    return "".join(diff(PurePosixPath(one.path), one.before, one.after) for one in made.others)


def patch_name(one: Patch) -> str:
    """Return the name of the file for a patch: no two functions of a tree share it."""
    file = one.file.replace("/", "-").removesuffix(".c")
    return f"{file}-{one.function}-{one.style}.patch"


def judge(tree: Tree, store: Store, made: Draft, text: str) -> tuple[tuple[str, Judgement], ...]:
    """Return what `git apply --check` and checkpatch make of the patch `text`, by check."""
    pristine = made.target.reading.source.text
    script = read_file(tree, CHECKPATCH).text
    git = ("git", "apply", "--check", "-v", "-")
    beside = tuple(one.before for one in made.others)
    asked: tuple[bytes | str, ...] = ("git", tree.path, pristine, *beside, text)
    applies = _remembered(store, asked, lambda: _git(tree, git, text))
    clean = _remembered(store, ("perl", script, text), lambda: checkpatch(tree, text))
    return tuple(
        (check, CHECKS[check].judge(Evidence(command=said)))
        for check, said in (("applies", applies), ("checkpatch", clean))
    )


def _remembered(
    store: Store, parts: tuple[bytes | str, ...], ask: Callable[[], Command | None]
) -> Command | None:
    if find_program(str(parts[0])) is None:
        return None
    return remembered(store, "said", parts, ask)


def _git(tree: Tree, argv: tuple[str, ...], text: str) -> Command:
    return run(
        argv,
        folder=Path(tree.path),
        timeout=TIMEOUT,
        environment=environment(tree.path),
        stdin=text.encode(errors="surrogateescape"),
    )
