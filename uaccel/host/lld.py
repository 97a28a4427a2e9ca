# SPDX-License-Identifier: GPL-2.0-only
"""Link objects of the kernel to fixed addresses, with the lld of the ziglang wheel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.files import content, scratch
from uaccel.host.run import run
from uaccel.host.store import Store
from uaccel.host.zig import wheel, wrappers

_TIMEOUT = 120  # seconds; the wheel's linker is read from disk once


def link(
    objects: tuple[str, ...], text: int, symbols: Iterable[tuple[str, int]], store: Store
) -> bytes:
    """Return the program of `objects` at address `text`; `symbols` are what they lack."""
    zig = wheel()
    if zig is None:
        raise UserError("linking needs the ziglang wheel: pip install ziglang")
    linker = wrappers(zig, store) / "ld.lld"
    with scratch() as folder:
        lacking = "".join(f'"--defsym={name}={address:#x}"\n' for name, address in symbols)
        given, made = Path(folder, "symbols"), Path(folder, "linked")
        given.write_text(lacking)
        # An overflow or a symbol that is left is no reason to stop: what runs into it says so.
        how = ("-static", "--noinhibit-exec", "--no-relax", "--no-gc-sections", "--strip-debug")
        argv = (str(linker), *how, f"--image-base={text:#x}", f"@{given}", "-o", str(made))
        said = run((*argv, *objects), folder=Path(folder), timeout=_TIMEOUT)
        if said.status != 0 or not made.is_file():
            raise UserError(f"{objects[0]} could not be linked: {_why(said.stderr)}")
        return content(str(made))


def _why(words: str) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    return next((line for line in lines if "error:" in line), lines[0] if lines else "no word")
