# SPDX-License-Identifier: GPL-2.0-only
"""What a series of patches makes of a tree, worked out on copies of the files that it names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from uaccel.errors import UserError
from uaccel.flow.asking import TIMEOUT, environment
from uaccel.flow.wanted import Wanted
from uaccel.host.files import put, scratch
from uaccel.host.run import run
from uaccel.host.tree import read_file
from uaccel.host.walk import content, is_read
from uaccel.model.dossier import Tree
from uaccel.read.mails import diffs, named

_APPLY = ("git", "apply", "-p1", "--whitespace=nowarn", "-")


def patched(tree: Tree, patches: tuple[tuple[str, bytes], ...]) -> Wanted:
    """Return the files that `patches` (name and text), in this order, touch in `tree`, as patched.

    The tree is not written to.
    """
    before: dict[str, bytes] = {}
    with scratch() as own:
        for name, text in patches:
            parts = diffs(text)
            if not parts:
                raise UserError(f"{name} holds no patch")
            for number, part in enumerate(parts, start=1):
                fresh = [path for path in named(part) if path not in before]
                before |= {path: _copied(tree, own, path) for path in fresh}
                _apply(own, f"{name}, mail {number}," if len(parts) > 1 else name, part)
        after = {path: _content(own, path) for path in before}
    # What is gone is empty to whoever includes it.
    replaced = {path: text or b"" for path, text in after.items() if text != before[path]}
    judged = {path: text for path, text in replaced.items() if is_read(path) and after[path]}
    names = tuple(name for name, _ in patches)
    return Wanted((), (), judged, replaced=replaced, patches=names)


def _copied(tree: Tree, folder: str, path: str) -> bytes:
    try:
        text = read_file(tree, path).text
    except (UserError, OSError, ValueError):  # it is new, or was never meant as a file
        return b""
    place = Path(folder, path)
    put(str(place.parent), place.name, text.decode(errors="surrogateescape"))
    return text


def _content(folder: str, path: str) -> bytes:
    with suppress(UserError, OSError):
        return content(folder, path)
    return b""


def _apply(folder: str, name: str, text: bytes) -> None:
    said = run(
        _APPLY,
        folder=Path(folder),
        timeout=TIMEOUT,
        environment=environment(folder, folder),
        stdin=text,
    )
    if said.status:
        reasons = [line.removeprefix("error: ") for line in said.stderr.splitlines()]
        raise UserError(f"{name} does not apply: git says {'; '.join(dict.fromkeys(reasons))}")
