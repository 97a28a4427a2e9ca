# SPDX-License-Identifier: GPL-2.0-only
"""Give the clang of the ziglang wheel the names that Kbuild calls."""

from __future__ import annotations

import os
import shlex
from importlib.util import find_spec
from pathlib import Path

from uaccel.errors import BrokenInvariant
from uaccel.host.store import Store, key

# The wheel has no nm, readelf or strip: the host's own read the ELF files of every machine well
# enough for what one object needs of them.  `zig objcopy` answers "unimplemented", and the host's
# refuses some files of other machines; then a plain copy serves, since only the vdso is made with
# it, whose content an object does not depend on.
_COMMANDS = {
    "clang": "{zig} clang",
    "ld.lld": "{zig} ld.lld",
    "llvm-ar": "{zig} ar",
    "llvm-ranlib": "{zig} ranlib",
    "llvm-nm": "nm",
    "llvm-objdump": "objdump",
    "llvm-readelf": "readelf",
    "llvm-strip": "strip",
}


_COPY = """\
#!/bin/sh
objcopy "$@" 2>/dev/null && exit 0
for argument; do from=$into; into=$argument; done
exec cp -- "$from" "$into"
"""


def wheel() -> Path | None:
    """Return the program of the ziglang wheel, or None when it is not installed."""
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        return None
    zig = Path(spec.origin).with_name("zig")
    return zig if zig.is_file() else None


def in_store(store: Store) -> dict[str, str]:
    """Return our environment with the wheel's own cache in `store`."""
    cache = str(store.root / "zig-cache")
    return {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}


def wrappers(zig: Path, store: Store) -> Path:
    """Return a folder whose programs answer to the names of LLVM's tools."""
    cache = shlex.quote(str(store.root / "zig-cache"))
    head = f"#!/bin/sh\nexport ZIG_GLOBAL_CACHE_DIR={cache} ZIG_LOCAL_CACHE_DIR={cache}\n"
    quoted = shlex.quote(str(zig))
    scripts = {
        name: f'{head}exec {command.format(zig=quoted)} "$@"\n'
        for name, command in _COMMANDS.items()
    }
    scripts["llvm-objcopy"] = _COPY
    entry = key(*(part for item in scripts.items() for part in item))
    if found := store.find("zig", entry):
        return found
    with store.filling("zig", entry) as folder:
        for name, text in scripts.items():
            script = folder / name
            script.write_text(text)
            script.chmod(0o755)
    found = store.find("zig", entry)
    if found is None:
        raise BrokenInvariant(f"{entry} was filled and is not there")
    return found
