# SPDX-License-Identifier: GPL-2.0-only
"""Say what a window can gain on an architecture, from the tree at hand."""

from __future__ import annotations

import re
from collections.abc import Mapping

from uaccel.ctext import one_line
from uaccel.model.machine import Arch
from uaccel.model.source import Direction
from uaccel.model.support import STANDING, Folder, Gain, Header, Openings, Support
from uaccel.model.survey import Sighting

# Gives every architecture without a begin of its own one that only checks the range, and
# unsafe_*() that are the plain accessors; aliases what an architecture defines in part only.
LINUX = "include/linux/uaccess.h"

_NOT_CODE = re.compile(r'("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
_FOLDER = re.compile(r"arch/(\w+)(?=/)")
_JOINED = re.compile(r"\\\r?\n")
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_GOTO_OUTPUT = re.compile(
    r"\bCONFIG_CC_HAS_ASM_GOTO_(?:TIED_)?OUTPUT\b|\basm_goto_output\s*\(|"
    r'\basm\s+(?:volatile\s+)?goto\s*\((?:[^:"]|"(?:\\.|[^"\\])*")*:\s*(?:\[\w+\]\s*)?"[=+]'
)
_MASKED: Mapping[str, str] = {
    "read": "masked_user_read_access_begin",
    "write": "masked_user_write_access_begin",
    "rw": "masked_user_access_begin",
}
_ALONE = "no path makes more than one of these accesses"
_TIMES = ("nothing", "once", "twice")


def wanted(arch: Arch) -> tuple[str, ...]:
    """Return the files of a tree that support() reads for `arch`."""
    rows = (row.file for row in arch.openings)
    return tuple(dict.fromkeys((LINUX, *arch.begin_header, *rows)))


def support(arch: Arch, headers: tuple[Header, ...]) -> Support:
    """Return what `arch` offers in the tree that has `headers`, and none that is not given."""
    given = {header.path: header for header in headers if header.path in wanted(arch)}
    own = _texts(given, arch.begin_header)
    linux = _texts(given, (LINUX,))
    names = None if own is None else _defined(own)
    shared = None if linux is None else _defined(linux)
    begin = None if names is None else "user_access_begin" in names
    reads, writes = (_openings(arch, given, way, begin) for way in Direction)
    return Support(
        arch=arch.name,
        folder=arch.srcarch,
        begin=begin,
        apart=None
        if names is None
        else {f"user_{w}_access_begin" for w in ("read", "write")} <= names,
        masked=_masked(names, shared),
        scoped=None if shared is None else "scoped_user_read_access" in shared,
        asm_goto_output=None if own is None else any(_GOTO_OUTPUT.search(text) for text in own),
        copies=_copies(names, shared),
        reads=reads,
        writes=writes,
        opens=_opens(arch, given),
        headers=tuple(path for path, header in given.items() if header.text is not None),
        why=_why(arch, given, begin, (reads, writes)),
    )


def folder(name: str, headers: tuple[Header, ...]) -> Folder:
    """Return whether the architecture `name` defines a begin of its own, from its `headers`."""
    given = {header.path: header for header in headers}
    own = _texts(given, tuple(given))
    begin = None if own is None else "user_access_begin" in _defined(own)
    return Folder(name, begin, tuple(given))


def gain(file: str, sighting: Sighting, offered: Support) -> Gain:
    """Return what one window would save of `sighting` in `file` where `offered` is what there is.

    In a loop it is what a second pass saves: more passes save more.  Of a pair that shares one
    window the half that comes second saves its opening too.
    """
    own = _FOLDER.match(file)
    if own is not None and own[1] != offered.folder:
        return Gain(offered.arch, 0, False, f"{own[0]} is not compiled for it")
    if sighting.form in STANDING:
        return Gain(offered.arch, 0, False, "it is one window already")
    openings = offered.openings(sighting.direction)
    if openings is None:
        return Gain(offered.arch, None, False, offered.why or f"not known: {offered.opens}")
    saved = openings.saved(sighting.longest + sighting.looped + _shared(sighting, offered))
    if openings.access > openings.inside:
        more = saved or sighting.looped
        return Gain(offered.arch, saved, sighting.looped, "" if more else _ALONE)
    way = "reading" if sighting.direction is Direction.READ else "writing"
    return Gain(offered.arch, 0, False, offered.why or f"{way} opens nothing here: {offered.opens}")


def _shared(sighting: Sighting, offered: Support) -> bool:
    if not sighting.joined or sighting.pair is None or sighting.pair > sighting.line:
        return False
    reads = sighting.direction is Direction.READ
    other = offered.openings(Direction.WRITE if reads else Direction.READ)
    return other is not None and other.access > other.inside


def _texts(given: Mapping[str, Header], paths: tuple[str, ...]) -> list[str] | None:
    # None when one of them cannot be read, or when there is none at all: nothing is known then.
    there = [given[path].text for path in paths if path in given]
    texts = [_code(text) for text in there if text is not None]
    return texts if texts and len(texts) == len(there) else None


def _code(text: str) -> str:
    return _JOINED.sub(" ", _NOT_CODE.sub(lambda found: found[1] or " ", text))


def _defined(texts: list[str]) -> set[str]:
    return {match[1] for text in texts for match in _DEFINE.finditer(text)}


def _masked(names: set[str] | None, shared: set[str] | None) -> tuple[str, ...] | None:
    if names is None or shared is None:
        return None
    if _MASKED["rw"] not in names:  # the generic ones are NULL then
        return ()
    return tuple(way for way, name in _MASKED.items() if name in names | shared)


def _copies(names: set[str] | None, shared: set[str] | None) -> bool | None:
    if names is None or ("user_access_begin" not in names and shared is None):
        return None
    known = names if "user_access_begin" in names else names | (shared or set())
    return "unsafe_copy_from_user" in known


def _openings(
    arch: Arch, given: Mapping[str, Header], way: Direction, begin: bool | None
) -> Openings | None:
    times = _times(arch, given, way)
    if times is None or (begin is None and times):
        return None
    return Openings(times, times if begin else 0, 0 if begin else times)


def _times(arch: Arch, given: Mapping[str, Header], way: Direction) -> int | None:
    for row in arch.openings:
        texts = _texts(given, (row.file,))
        if row.direction is way and texts and re.search(row.pattern, one_line(texts[0])):
            return row.times
    return None


def _opens(arch: Arch, given: Mapping[str, Header]) -> str:
    reads, writes = (_times(arch, given, way) for way in Direction)
    if reads is None or writes is None:
        files = " or ".join(dict.fromkeys(row.file for row in arch.openings))
        return f"what one access opens is not known: {files} is not as this workbench knows it"
    if reads == writes:
        return f"each access opens {_TIMES[reads]}: {arch.protection}"
    return f"a read opens {_TIMES[reads]}, a write {_TIMES[writes]}: {arch.protection}"


def _why(
    arch: Arch,
    given: Mapping[str, Header],
    begin: bool | None,
    openings: tuple[Openings | None, ...],
) -> str | None:
    where = " and ".join(arch.begin_header)
    verb = "defines" if len(arch.begin_header) == 1 else "define"
    if begin is None:
        return f"not known: {where} cannot be read in this tree"
    if None in openings:
        return f"not known: {_opens(arch, given)}"
    if not any(found.access for found in openings if found):
        return f"no opening to save: {arch.protection}"
    if begin:
        return None
    return (
        f"no opening to save: {where} {verb} no user_access_begin() in this tree, "
        f"so each unsafe_*() still opens and closes by itself"
    )
