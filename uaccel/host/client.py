# SPDX-License-Identifier: GPL-2.0-only
"""Our own client as a static program of any machine, by the C compiler of the ziglang wheel."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.run import run
from uaccel.host.store import Store, key
from uaccel.host.zig import in_store, wheel
from uaccel.model.boot import Userland

_KIND = "client"
# The first program for a target builds the C library for it: a minute on a busy machine.
_TIMEOUT = 900  # seconds
# A program with fixed addresses: a debugger that stops in it needs no map.
# Its own place, where no other static program lies: an address tells that it is this one.
_PLACE = "-Wl,--image-base=0x20000000"
_HOW = ("-static", "-O2", "-g", "-Wall", "-Wextra", "-Werror", _PLACE)


def client(userland: Userland, store: Store) -> str:
    """Return the path of our client as a program of `userland`, with symbols."""
    zig = wheel()
    if zig is None:
        raise UserError("our client needs the ziglang wheel: pip install ziglang")
    source = files("uaccel.host.clients") / "client.c"
    stamp = str(zig.stat().st_mtime_ns)
    entry = key(source.read_bytes(), userland.zig_target, stamp, *_HOW)
    if found := store.find(_KIND, entry):
        return str(found / "client")
    with store.filling(_KIND, entry) as folder, as_file(source) as path:
        target = ("-target", userland.zig_target)
        argv = (str(zig), "cc", *target, *_HOW, "-o", str(folder / "client"), str(path))
        said = run(argv, folder=folder, timeout=_TIMEOUT, environment=in_store(store))
        if said.status != 0 or not (folder / "client").is_file():
            lines = said.stderr.splitlines() or ["no word"]
            telling = next((line for line in lines if "error:" in line), lines[0])
            raise UserError(f"our client was not compiled for {userland.name}: {telling}")
    made = store.find(_KIND, entry)
    if made is None:
        raise BrokenInvariant(f"client {entry} was filled and is not there")
    return str(Path(made) / "client")
