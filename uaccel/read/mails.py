# SPDX-License-Identifier: GPL-2.0-only
"""Patches as people have them: plain diffs, mails around them, mailboxes of a whole series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes

# The line that begins a mail in a mailbox: "From 0123abc... Mon Sep 17 00:00:00 2001".
_MAIL = re.compile(rb"^From \S+ +\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r?$", re.MULTILINE)
_FIELD = re.compile(rb"From [^\n]*\n|[A-Za-z-]+:")
_ENCODED = re.compile(
    rb"^Content-Transfer-Encoding:[ \t]*(?:base64|quoted-printable)|^Content-Type:[ \t]*multipart/",
    re.MULTILINE | re.IGNORECASE,
)
_DIFF = re.compile(rb"^(?:diff --git |--- .*\n\+\+\+ .*\n@@ )", re.MULTILINE)
_QUOTED = rb'"(?:\\.|[^"\\\n])*"'
_SIDE = re.compile(rb"^(?:---|\+\+\+) (%b|[^\t\n]+)" % _QUOTED, re.MULTILINE)
_MOVED = re.compile(rb"^(?:rename|copy) (?:from|to) (%b|[^\n]+)" % _QUOTED, re.MULTILINE)
_SAME = re.compile(rb"^diff --git [^/\s]+/([^\n]*) [^/\s]+/\1$", re.MULTILINE)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def diffs(text: bytes) -> tuple[bytes, ...]:
    """Return the parts of `text` that hold a patch, decoded: of a mailbox the mails, in order."""
    starts = [0, *(match.start() for match in _MAIL.finditer(text) if match.start())]
    parts = (text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True))
    return tuple(plain for part in parts if _DIFF.search(plain := _plain(part)))


def named(diff: bytes) -> tuple[str, ...]:
    """Return the paths that `diff` names, below its first folder, each once; some may be no file.

    None leads out of a tree, or to where git keeps its own.
    """
    paths = dict.fromkeys(name.decode(errors="surrogateescape") for name in _names(diff))
    return tuple(path for path in paths if not {"", "..", ".git"} & set(path.split("/")))


def _plain(part: bytes) -> bytes:
    head = part.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if _FIELD.match(head) and _ENCODED.search(head):
        part = b"\n".join(_bodies(part))
    if part.count(b"\r\n") == part.count(b"\n"):  # a mail that was saved as it travelled
        return part.replace(b"\r\n", b"\n")
    return part


def _bodies(mail: bytes) -> Iterator[bytes]:
    for part in message_from_bytes(mail).walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes) and part.get_content_maintype() == "text":
            yield body


def _names(diff: bytes) -> Iterator[bytes]:
    for match in _SIDE.finditer(diff):
        yield _unquoted(match[1]).partition(b"/")[2]
    for pattern in (_MOVED, _SAME):
        for match in pattern.finditer(diff):
            yield _unquoted(match[1])


def _unquoted(name: bytes) -> bytes:
    if not name.startswith(b'"'):
        return name
    return _ESCAPED.sub(_meant, name[1:-1])


def _meant(escaped: re.Match[bytes]) -> bytes:
    if len(escaped[1]) == 3:
        return bytes([int(escaped[1], 8) & 0xFF])
    code = escaped[1][0]
    return bytes([_LETTERS.get(code, code)])
