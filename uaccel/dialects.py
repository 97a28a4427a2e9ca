# SPDX-License-Identifier: GPL-2.0-only
"""Say what may be written in each file of a tree, from the tree's own headers.

Where an architecture has no `user_access_begin()`, include/linux/uaccess.h gives it every unsafe
accessor; where it has one, it has only those that it defines.  It masks pointers where it defines
`masked_user_access_begin()`; elsewhere a scope checks the range and has its barrier behind that.
"""

from __future__ import annotations

import re
from dataclasses import replace

from uaccel.lending import COPY, LINUX, lending
from uaccel.model.dialect import Dialect, Dialects
from uaccel.model.series import Change
from uaccel.model.support import Header

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
    lent = _lent(linux, [text for _, text in texts])
    whole = Dialect(
        copies_from=bool(copies) and all(reads for _, reads, _ in copies),
        copies_to=bool(copies) and all(writes for _, _, writes in copies),
        scoped=_defines(linux, "scoped_user_read_access"),
        masked=_defines(linux, "masked_user_access_begin"),
        directed=_defines(linux, "masked_user_read_access_begin"),
        clamps=_defines(linux, "mask_user_address") and "barrier_nospec()" in linux,
        fences="barrier_nospec()" in linux,
        clang=_oldest(compilers),
    )
    if not whole.copies_from:
        whole = replace(whole, lent=lent)
    apart = ((name, _apart(whole, text, linux, lent)) for name, text in texts)
    return Dialects(whole, tuple(apart))


def _apart(whole: Dialect, own: str, linux: str, lent: Change | None) -> Dialect:
    reads = _copies(own, linux, "from")
    return replace(
        whole,
        copies_from=reads,
        copies_to=_copies(own, linux, "to"),
        masks=_defines(own, "masked_user_access_begin"),
        lent=None if reads else lent,
    )


def _lent(linux: str, arches: list[str]) -> Change | None:
    # Who opens windows of its own must have what the copy is made of.
    own = [text for text in arches if _defines(text, "user_access_begin")]
    after = lending(linux)
    if after is None or not all(_defines(text, "unsafe_get_user") or _arches(text) for text in own):
        return None
    return Change(LINUX, _bytes(linux), _bytes(after))


def _arches(text: str) -> bool:
    # Linux 7.3: include/linux/uaccess.h makes one of the other.
    return _defines(text, "arch_unsafe_get_user")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def opens(headers: tuple[Header, ...]) -> bool:
    """Return whether an architecture with these headers has a `user_access_begin()` of its own."""
    return any(_defines(one.text or "", "user_access_begin") for one in headers)


def _copies(own: str, linux: str, way: str) -> bool:
    name = COPY.replace("from", way)
    if _defines(own, name):
        return True
    return not _defines(own, "user_access_begin") and _defines(linux, name)


def _defines(text: str, name: str) -> bool:
    return re.search(_DEFINE.format(name=name), text, re.MULTILINE) is not None


def _oldest(script: str) -> tuple[int, ...]:
    found = _CLANG.search(script)
    versions = _VERSION.findall(found[1]) if found is not None else []
    return min((tuple(map(int, one.split("."))) for one in versions), default=())
