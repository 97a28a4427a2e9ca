# SPDX-License-Identifier: GPL-2.0-only
"""Say what may be written in each file of a tree, from the tree's own headers.

Where an architecture has no `user_access_begin()`, include/linux/uaccess.h gives it every unsafe
accessor; where it has one, it has only those that it defines.
"""

from __future__ import annotations

import re

from uaccel.model.dialect import Dialect, Dialects
from uaccel.model.support import Header

LINUX = "include/linux/uaccess.h"
COMPILERS = "scripts/min-tool-version.sh"
_DEFINE = r"^[ \t]*#[ \t]*define[ \t]+{name}\b"
_CLANG = re.compile(r"^llvm\)(.*?);;", re.MULTILINE | re.DOTALL)
_VERSION = re.compile(r"echo (\d+(?:\.\d+)*)")


def dialects(
    linux: str, compilers: str, arches: tuple[tuple[str, tuple[Header, ...]], ...]
) -> Dialects:
    """Return the dialects of a tree.

    `linux` is the text of include/linux/uaccess.h and `compilers` that of the script that knows
    the oldest compilers, both "" when not there; `arches` the folders below arch/ with the
    headers of their accessors.
    """
    texts = [(name, "\n".join(one.text or "" for one in given)) for name, given in arches]
    copies = [(name, _copies(t, linux, "from"), _copies(t, linux, "to")) for name, t in texts]
    scoped = _defines(linux, "scoped_user_read_access")
    masked = _defines(linux, "masked_user_access_begin")
    directed = _defines(linux, "masked_user_read_access_begin")
    clang = _oldest(compilers)
    everywhere = Dialect(
        copies_from=bool(copies) and all(reads for _, reads, _ in copies),
        copies_to=bool(copies) and all(writes for _, _, writes in copies),
        scoped=scoped,
        masked=masked,
        directed=directed,
        clang=clang,
    )
    apart = (
        (name, Dialect(reads, writes, scoped, masked, directed, clang))
        for name, reads, writes in copies
    )
    return Dialects(everywhere, tuple(apart))


def _copies(own: str, linux: str, way: str) -> bool:
    name = f"unsafe_copy_{way}_user"
    if _defines(own, name):
        return True
    return not _defines(own, "user_access_begin") and _defines(linux, name)


def _defines(text: str, name: str) -> bool:
    return re.search(_DEFINE.format(name=name), text, re.MULTILINE) is not None


def _oldest(script: str) -> tuple[int, ...]:
    found = _CLANG.search(script)
    versions = _VERSION.findall(found[1]) if found is not None else []
    return min((tuple(map(int, one.split("."))) for one in versions), default=())
