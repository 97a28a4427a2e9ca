# SPDX-License-Identifier: GPL-2.0-only
"""Our plugin of QEMU: built with the host's compiler, kept in the store, and asked to count."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.run import find_program, run
from uaccel.host.store import Store, key

_SOURCE = "uaccel_count.c"
_MADE = "uaccel_count.so"
_KIND = "plugin"
_OPTIONS = ("-std=gnu11", "-O2", "-Wall", "-fPIC", "-shared", "-fvisibility=hidden")
_SECONDS = 60
_COMPILERS = ("gcc", "cc", "clang")


def plugin(store: Store) -> str:
    """Return the path of the plugin; UserError where no compiler of the host makes it."""
    text = (files("uaccel.host") / "plugin" / _SOURCE).read_bytes()
    compiler = next(filter(None, map(find_program, _COMPILERS)), None)
    if compiler is None:
        raise UserError("no compiler of this machine is here to build the plugin that counts: gcc")
    version = run((compiler, "--version"), folder=Path("/"), timeout=_SECONDS).stdout
    entry = key(text, compiler, version, *_OPTIONS)
    if found := store.find(_KIND, entry):
        return str(found / _MADE)
    with store.filling(_KIND, entry) as folder:
        (folder / _SOURCE).write_bytes(text)
        words = (compiler, *_OPTIONS, "-o", _MADE, _SOURCE)
        made = run(words, folder=folder, timeout=_SECONDS)
        if made.status != 0:
            raise UserError(f"the plugin that counts cannot be built: {made.stderr.strip()}")
    found = store.find(_KIND, entry)
    if found is None:
        raise BrokenInvariant(f"plugin {entry} was filled and is not there")
    return str(found / _MADE)


@dataclass(frozen=True, slots=True)
class Marks:
    """Where counting begins and ends."""

    begins: tuple[int, ...]  # addresses: the first instruction of any that counts
    end: int  # address of the first one that does not
    code: bytes  # of where it begins, b"" when no address can mean another thing elsewhere


def counting(path: str, out: str, marks: Marks, *, repeats: bool) -> tuple[str, ...]:
    """Return the words that make QEMU count into the file `out`, from mark to mark.

    `repeats` says that the machine has instructions that repeat themselves: each counts once.
    """
    given = (
        *(path, f"out={out}", f"end={marks.end:x}"),
        *(f"begin={one:x}" for one in marks.begins),
        *((f"code={marks.code.hex()}",) if marks.code else ()),
        *(("repeats=on",) if repeats else ()),
    )
    # A comma within a word is written twice.
    return ("-plugin", ",".join(word.replace(",", ",,") for word in given))
