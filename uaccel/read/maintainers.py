# SPDX-License-Identifier: GPL-2.0-only
"""MAINTAINERS and what scripts/get_maintainer.pl says: bytes to records."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import PurePosixPath

from uaccel.model.series import Entry, Ident, Recipient

_FIELD = re.compile(r"([A-Z]):\s*(.*?)\s*$")
_RECIPIENT = re.compile(r"(?P<who>.*?<[^<>]+>|\S+@\S+)(?: \((?P<role>[^:()]+)(?::.*)?\))?$")
_LITERAL = re.compile(r"[*?]|/$")
_EVERYTHING = ("*", "*/")


def entries(text: bytes) -> tuple[Entry, ...]:
    """Return the sections of a MAINTAINERS file that name files, in their order."""
    found: list[Entry] = []
    title, fields = "", list[tuple[str, str]]()
    for line in (*text.decode(errors="replace").splitlines(), ""):
        field = _FIELD.match(line)
        if field:
            fields.append((field[1], field[2]))
            continue
        files = tuple(value for letter, value in fields if letter == "F")
        if files:
            found.append(Entry(title, files, tuple(v for letter, v in fields if letter == "X")))
        title, fields = line.strip() or title, []
    return tuple(found)


def nearest(known: tuple[Entry, ...], path: str) -> Entry | None:
    """Return the section whose pattern leads deepest towards `path`, None when none names it."""
    ranked = [(depth, entry) for entry in known if (depth := _depth(entry, path)) > 0]
    return max(ranked, key=lambda one: one[0])[1] if ranked else None


def folder(known: tuple[Entry, ...], path: str) -> str | None:
    """Return the deepest folder above `path` that a section names with all that lies in it."""
    found = {
        pattern.rstrip("*").rstrip("/")
        for entry in known
        for pattern in entry.files
        if pattern.endswith(("/", "/*")) and _holds(pattern, path)
    }
    plain = (name for name in found if name and not re.search(r"[*?\[]", name))
    return max(plain, key=len, default=None)


def recipients(text: str) -> tuple[Recipient, ...]:
    """Return whom the output of `get_maintainer.pl --roles --no-rolestats` names."""
    found = (_RECIPIENT.match(line.strip()) for line in text.splitlines())
    return tuple(_recipient(one["who"], one["role"] or "") for one in found if one)


def ident(text: str) -> Ident | None:
    """Return who `Name <address>` is; None when it is not written so."""
    name, address = parseaddr(text)
    spelled = re.fullmatch(r"\s*[^<>\n]*\S\s*<[^<>\s@]+@[^<>\s@]+>\s*", text)
    return Ident(name, address) if spelled and name and address else None


def _recipient(who: str, role: str) -> Recipient:
    name, address = parseaddr(who)
    return Recipient(Ident(name, address), role)


def _depth(entry: Entry, path: str) -> int:
    # As get_maintainer.pl ranks them: slashes of the pattern, one more when it names files.
    if any(_holds(pattern, path) for pattern in entry.excluded):
        return 0
    found = (p for p in entry.files if p not in _EVERYTHING and _holds(p, path))
    return max((p.count("/") + (not p.endswith("/")) for p in found), default=0)


def _holds(pattern: str, path: str) -> bool:
    # file_match_pattern() of get_maintainer.pl, and a folder that lacks its slash.
    if not path.startswith(_LITERAL.split(pattern, maxsplit=1)[0]):
        return False
    if re.match(_expression(pattern), path):
        return pattern.endswith("/") or pattern.count("/") == path.count("/")
    return False if pattern.endswith("/") else PurePosixPath(path).is_relative_to(pattern)


def _expression(pattern: str) -> str:
    return pattern.replace(".", r"\.").replace("*", ".*").replace("?", ".").replace("+", r"\+")
