# SPDX-License-Identifier: GPL-2.0-only
"""A draft as a patch, and what the tree's own tools say of it."""

from __future__ import annotations

import os
from pathlib import Path

import uaccel.checks
from uaccel.catalog import catalog
from uaccel.flow.drafts import Draft
from uaccel.host.files import scratch
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
        function=made.target.name.partition(":")[2],
        file=str(source.path),
        text=diff(source.path, source.text, made.text),
        path=None,
        differences=tuple(said),
    )


def patch_name(one: Patch) -> str:
    """Return the name of the file for a patch: no two functions of a tree share it."""
    file = one.file.replace("/", "-").removesuffix(".c")
    return f"{file}-{one.function}-{one.style}.patch"


def judge(tree: Tree, store: Store, made: Draft, text: str) -> tuple[tuple[str, Judgement], ...]:
    """Return what `git apply --check` and checkpatch make of the patch `text`, by check."""
    pristine = made.target.reading.source.text
    script = read_file(tree, _CHECKPATCH).text
    git = ("git", "apply", "--check", "-v", "-")
    checkpatch = ("perl", f"{tree.path}/{_CHECKPATCH}", f"--root={tree.path}", "--strict", "-")
    evidence = (
        ("applies", _asked(store, text, git, pristine, tree.path)),
        ("checkpatch", _asked(store, text, checkpatch, script, None)),
    )
    return tuple((check, CHECKS[check].judge(said)) for check, said in evidence)


def _asked(
    store: Store, text: str, argv: tuple[str, ...], depends: bytes, folder: str | None
) -> Evidence:
    if find_program(argv[0]) is None:
        return Evidence()

    def ask() -> Command:
        # checkpatch keeps a list of names in its working folder, and obeys a file in $HOME.
        with scratch() as own:
            return run(
                argv,
                folder=Path(folder or own),
                timeout=_TIMEOUT,
                environment=_environment(folder or own, own),
                stdin=text.encode(errors="surrogateescape"),
            )

    parts: tuple[bytes | str, ...] = (folder or "", depends, text, *argv)
    return Evidence(command=remembered(store, "said", parts, ask))


def _environment(folder: str, home: str) -> dict[str, str]:
    # git must not take the tree for a folder of a repository further up.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "HOME": home, "GIT_CEILING_DIRECTORIES": str(Path(folder).parent)}
