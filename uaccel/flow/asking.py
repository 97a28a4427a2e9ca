# SPDX-License-Identifier: GPL-2.0-only
"""Ask git and the tree's own scripts: who the user is, who maintains what, whether it is clean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.files import content, put, scratch
from uaccel.host.run import find_program, run
from uaccel.model.command import Command
from uaccel.model.dossier import Tree
from uaccel.model.series import Ident, Recipient
from uaccel.read import maintainers

TIMEOUT = 120  # seconds
CHECKPATCH = "scripts/checkpatch.pl"
_GET_MAINTAINER = "scripts/get_maintainer.pl"
# The file's own history is not asked: who touched it once is not who wants the patch.
_WHO = ("--roles", "--no-rolestats", "--no-git", "--no-git-fallback", "--no-git-chief-penguins")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who a patch goes to, or why that is not known."""

    recipients: tuple[Recipient, ...]
    why: str  # one sentence; "" when it is known


def environment(folder: str, home: str | None = None) -> dict[str, str]:
    """Return our environment for a tool that works in `folder`, with another $HOME if one is given.

    Git takes only the repository whose top `folder` is, none further up.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = {"HOME": home} if home is not None else {}
    return {**kept, **own, "GIT_CEILING_DIRECTORIES": str(Path(folder).parent)}


def checkpatch(tree: Tree, text: str, ignored: tuple[str, ...] = ()) -> Command | None:
    """Return what checkpatch --strict says of `text`, but for `ignored`; None without perl."""
    if find_program("perl") is None:
        return None
    options = (f"--root={tree.path}", "--strict", *(("--ignore", *ignored) if ignored else ()))
    # It keeps a list of names in its working folder, and obeys a file in $HOME.
    with scratch() as own:
        return run(
            ("perl", f"{tree.path}/{CHECKPATCH}", *options, "-"),
            folder=Path(own),
            timeout=TIMEOUT,
            environment=environment(own, own),
            stdin=text.encode(errors="surrogateescape"),
        )


def recipients(tree: Tree, text: str) -> Asked:
    """Return whom the tree's get_maintainer.pl names for the patch `text`."""
    if find_program("perl") is None:
        return Asked((), "perl is not here, so nobody was asked who should get the patches")
    if not Path(tree.path, _GET_MAINTAINER).is_file():
        return Asked((), f"the tree has no {_GET_MAINTAINER}, so To: and Cc: are missing")
    with scratch() as own:
        patch = put(own, "patch", text)
        said = run(
            ("perl", f"{tree.path}/{_GET_MAINTAINER}", *_WHO, patch),
            folder=Path(tree.path),  # it reads MAINTAINERS there, and writes nothing
            timeout=TIMEOUT,
            environment=environment(tree.path, own),
        )
    if said.status:
        return Asked((), f"{_GET_MAINTAINER} failed: {_first(said.stderr)}")
    found = maintainers.recipients(said.stdout)
    return Asked(found, "" if found else f"{_GET_MAINTAINER} names nobody")


def date(given: Mapping[str, str]) -> datetime:
    """Return what mails are dated: $SOURCE_DATE_EPOCH, else now."""
    told = given.get("SOURCE_DATE_EPOCH")
    if not told:
        return datetime.now().astimezone().replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(told), UTC)
    except (ValueError, OverflowError, OSError):
        raise UserError(f"SOURCE_DATE_EPOCH={told} is no number of seconds since 1970") from None


def ident(tree: Tree, which: str) -> Ident:
    """Return git's own ident of the user, `which` is AUTHOR or COMMITTER; UserError without one."""
    help_text = '`git config --global user.name` and user.email set it, --from "Name <mail>" too'
    if which == "COMMITTER":
        help_text = "`git config --global user.name` and user.email set it"
    if find_program("git") is None:
        raise UserError(f"git is not here to say who the {which.lower()} is; {help_text}")
    # What git would guess from the names of the machine and its user is nobody's address.
    argv = ("git", "-c", "user.useConfigOnly=true", "var", f"GIT_{which}_IDENT")
    said = run(argv, folder=Path(tree.path), timeout=TIMEOUT)
    found = maintainers.ident(said.stdout.rpartition(">")[0] + ">") if not said.status else None
    if found is None:
        raise UserError(f"git does not know who the {which.lower()} is; {help_text}")
    return found


def base(tree: Tree, files: tuple[str, ...]) -> str:
    """Return the commit that the `files` of the tree stand at; "" where there is none."""
    if find_program("git") is None:
        return ""

    def git(*words: str) -> Command:
        place = Path(tree.path)
        return run(("git", *words), folder=place, timeout=TIMEOUT, environment=_real(tree))

    head = git("rev-parse", "--verify", "--quiet", "HEAD")
    if head.status or git("diff", "--quiet", "HEAD", "--", *files).status:
        return ""
    tracked = git("ls-files", "--error-unmatch", "--", *files)
    return "" if tracked.status else head.stdout.strip()


def _real(tree: Tree) -> dict[str, str]:
    # `git diff` would refresh the index, which is a write into the tree.
    return {**environment(tree.path), "GIT_OPTIONAL_LOCKS": "0"}


def applied(
    patches: tuple[str, ...], files: Mapping[str, bytes]
) -> tuple[tuple[Command | None, ...], dict[str, bytes] | None]:
    """Return what `git apply --check` says of each of `patches`, and what they make of `files`.

    Each is tried upon those before it, on a copy of the files.  None where git is not.
    """
    if find_program("git") is None:
        return (None,) * len(patches), None
    with scratch() as own:
        for path, text in files.items():
            folder, _, name = f"{own}/{path}".rpartition("/")
            put(folder, name, text.decode(errors="surrogateescape"))
        said = tuple(_applied(own, text) for text in patches)
        return said, {path: content(f"{own}/{path}") for path in files}


def _applied(folder: str, text: str) -> Command:
    def git(*options: str) -> Command:
        return run(
            ("git", "apply", *options, "-v", "-"),
            folder=Path(folder),
            timeout=TIMEOUT,
            environment=environment(folder, folder),
            stdin=text.encode(errors="surrogateescape"),
        )

    said = git("--check")
    return said if said.status else git()


def _first(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[0] if lines else "it said nothing"
