# SPDX-License-Identifier: GPL-2.0-only
"""Our plugin of QEMU: built with the host's compiler, kept in the store, and asked to count."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.files import content
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


def counting(
    path: str, out: str, begin: int | None = None, end: int | None = None, code: bytes = b""
) -> tuple[str, ...]:
    """Return the words that make QEMU count into the file `out`.

    A stretch is from `begin`, whose bytes start with `code`, to `end`; the whole run without them.
    """
    given = [f"{path}", f"out={out}"]
    given += [f"begin={begin:x}"] if begin is not None else []
    given += [f"end={end:x}"] if end is not None else []
    given += [f"code={code.hex()}"] if code else []
    # A comma within a word is written twice.
    return ("-plugin", ",".join(word.replace(",", ",,") for word in given))


def counted(out: str) -> str:
    """Return what QEMU wrote there; UserError when it wrote nothing."""
    text = content(out).decode()
    if not text:
        raise UserError("the emulator counted nothing: where counting begins was never reached")
    return text
