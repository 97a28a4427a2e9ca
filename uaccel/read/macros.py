# SPDX-License-Identifier: GPL-2.0-only
"""Find the macros of a file that wrap user accesses: the form that was merged for the seed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uaccel.model.source import Direction, Form
from uaccel.read.accesses import COPIES, SCALARS
from uaccel.read.csource import without_comments

DEFINE = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(\(?)((?:[^\n\\]|\\\r?\n|\\[^\n])*)", re.MULTILINE
)
_CALL = re.compile(r"\b(\w+)\s*\(")
_NO_CALLS = ("sizeof", "typeof", "__typeof__", "offsetof")
_BEGIN = re.compile(r"\buser_(?:read_|write_)?access_begin\s*\(")


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro with arguments whose body accesses user memory."""

    name: str
    accessors: tuple[str, ...]  # in the order of its text: "unsafe_get_user", ...
    form: Form
    direction: Direction  # of its first access


def wrappers(text: bytes) -> tuple[Macro, ...]:
    """Return the macros of `text` that wrap user accesses, in the order of the file."""
    found = (_macro(*match.groups()) for match in DEFINE.finditer(without_comments(text)))
    return tuple(macro for macro in found if macro is not None)


def calling(text: bytes) -> tuple[str, ...]:
    """Return the macros of `text` that look like plain names and call something."""
    found = (match.groups() for match in DEFINE.finditer(without_comments(text)))
    return tuple(
        name.decode()
        for name, bracket, rest in found
        if not bracket and _calls(rest.decode("latin1"))
    )


def _calls(body: str) -> bool:
    return any(name not in _NO_CALLS for name in _CALL.findall(body))


def _macro(name: bytes, bracket: bytes, rest: bytes) -> Macro | None:
    body = rest.decode(errors="replace")
    accessors = tuple(call for call in _CALL.findall(body) if call in SCALARS or call in COPIES)
    if not bracket or not accessors:
        return None
    copies = any(accessor in COPIES for accessor in accessors)
    form = Form.STRUCTCOPY if copies else Form.FIELDWISE
    if _BEGIN.search(body):
        form = Form.WINDOW
    first = accessors[0]
    return Macro(name.decode(), accessors, form, SCALARS.get(first) or COPIES[first])
