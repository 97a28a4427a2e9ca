# SPDX-License-Identifier: GPL-2.0-only
"""A draft as a patch, and what the tree's own tools say of it."""

from __future__ import annotations

import os
from pathlib import Path

import uaccel.checks
from uaccel.catalog import catalog
from uaccel.flow.drafts import Draft
from uaccel.host.memory import remembered
from uaccel.host.run import find_program, run
from uaccel.host.store import Store
from uaccel.host.tree import read_file
from uaccel.model.dossier import Patch, Tree
from uaccel.model.judgement import Check, Evidence, Judgement
from uaccel.model.machine import Command
from uaccel.report.patch import diff

CHECKS = catalog(uaccel.checks, Check)
_TIMEOUT = 120  # seconds
_CHECKPATCH = "scripts/checkpatch.pl"


def patch(made: Draft) -> Patch:
    """Return the unified diff from the tree to the draft."""
    source = made.target.reading.source
    said = dict.fromkeys(text for rewrite in made.rewrites for text in rewrite.differences)
    return Patch(
        style=made.style,
        function=made.target.function.name,
        file=str(source.path),
        text=diff(source.path, source.text, made.text),
        path=None,
        differences=tuple(said),
    )


def judge(tree: Tree, store: Store, made: Draft, text: str) -> tuple[tuple[str, Judgement], ...]:
    """Return what `git apply --check` and checkpatch make of the patch `text`, by check."""
    pristine = made.target.reading.source.text
    script = read_file(tree, _CHECKPATCH).text
    asked = (
        ("applies", "git", ("apply", "--check", "-v", "-"), pristine),
        ("checkpatch", "perl", (_CHECKPATCH, "--strict", "-"), script),
    )
    answers = []
    for check, program, arguments, tool in asked:
        evidence = _asked(tree, store, text, (program, *arguments), tool)
        answers.append((check, CHECKS[check].judge(evidence)))
    return tuple(answers)


def _asked(tree: Tree, store: Store, text: str, argv: tuple[str, ...], depends: bytes) -> Evidence:
    if find_program(argv[0]) is None:
        return Evidence()

    def ask() -> Command:
        return run(
            argv,
            folder=Path(tree.path),
            timeout=_TIMEOUT,
            environment=_environment(tree),
            stdin=text.encode(errors="surrogateescape"),
        )

    return Evidence(command=remembered(store, "said", (tree.path, depends, text, *argv), ask))


def _environment(tree: Tree) -> dict[str, str]:
    # git must not take the tree for a folder of a repository further up.
    return {**os.environ, "GIT_CEILING_DIRECTORIES": str(Path(tree.path).parent)}
