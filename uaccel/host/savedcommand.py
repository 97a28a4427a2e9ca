# SPDX-License-Identifier: GPL-2.0-only
"""The command that Kbuild saved beside an object: text in, argument vectors out."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

# Older kernels say "cmd_", newer ones "savedcmd_".
_SAVED = re.compile(r"^(?:saved)?cmd_(\S+) := (.*)$", re.MULTILINE)
_DEPENDENCIES = re.compile(r"^deps_\S+ := \\\n((?:.*\\\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SavedCommand:
    """How Kbuild made one object."""

    compile: tuple[str, ...]
    objtool: tuple[str, ...] | None  # None when objtool does not look at this object
    dependencies: tuple[str, ...]  # files that were read, as the compiler named them


def parse(text: str) -> SavedCommand | None:
    """Return what a `.NAME.o.cmd` file says, or None when it holds no command."""
    saved = _SAVED.search(text)
    if saved is None:
        return None
    line = saved[2].replace("$(pound)", "#").replace("$$", "$")
    compiled, *more = (tuple(shlex.split(part)) for part in line.split(" ; "))
    if not compiled or "-o" not in compiled:
        return None
    objtool = next((argv for argv in more if argv and argv[0].endswith("objtool")), None)
    listed = _DEPENDENCIES.search(text)
    files = (line.rstrip("\\").strip() for line in listed[1].splitlines()) if listed else ()
    return SavedCommand(
        compiled,
        objtool,
        tuple(file for file in files if file and not file.startswith("$(wildcard")),
    )


def redirect(
    argv: tuple[str, ...], source: str, object: str, extra: tuple[str, ...]
) -> tuple[str, ...]:
    """Return `argv` as it compiles `source` to `object`, with `extra`, leaving no other file."""
    kept = [part for part in argv[:-1] if not part.startswith("-Wp,-M")]
    kept[kept.index("-o") + 1] = object
    return (*kept, *extra, source)
