# SPDX-License-Identifier: GPL-2.0-only
"""A letter to the mail that `git format-patch` would make of it and `git am` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.charset import QP, Charset
from email.utils import format_datetime, formataddr
from hashlib import sha1
from pathlib import PurePosixPath

from uaccel import __version__
from uaccel.model.series import Change, Envelope, Ident, Letter, Mail, Recipient
from uaccel.report.patch import diff

# The line that `git format-patch --zero-commit` begins a mail with: there is no commit yet.
_FROM = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"
_NAME = 52  # characters of a subject that git takes for the name of a file
_STAT = 60  # characters of a line of a diffstat for the name of the file
_GRAPH = 40  # and for its plus and minus signs


def mail(
    letter: Letter, body: str, envelope: Envelope, number: int, to: tuple[Recipient, ...]
) -> Mail:
    """Return the patch `number` (from 1) of a series, addressed and signed."""
    signed = _signed(body, envelope.signer)
    changes = "".join(_diff(change) for change in letter.changes)
    content = f"{signed}---\n{stat(letter.changes)}\n{changes}-- \nuaccel {__version__}\n\n"
    subject = _tagged(letter.subject, number, envelope.count)
    text = f"{_head(subject, envelope, to, content)}\n{content}"
    return Mail(_file_name(number, letter.subject), text)


def cover_mail(subject: str, body: str, envelope: Envelope, to: tuple[Recipient, ...]) -> Mail:
    """Return the cover letter of a series."""
    base = f"\nbase-commit: {envelope.base}\n" if envelope.base else "\n"
    content = f"{body}\n{base}-- \nuaccel {__version__}\n\n"
    head = _head(_tagged(subject, 0, envelope.count), envelope, to, content)
    return Mail("0000-cover-letter.patch", f"{head}\n{content}")


def stat(changes: tuple[Change, ...]) -> str:
    """Return the diffstat of `changes`, as `git diff --stat` has it."""
    counts = [(change.path, *_lines(change)) for change in changes]
    widest = min(max((len(path) for path, _, _ in counts), default=0), _STAT)
    most = max((added + gone for _, added, gone in counts), default=0)
    rows = "".join(_stat_row(row, widest, most) for row in counts)
    added = sum(row[1] for row in counts)
    gone = sum(row[2] for row in counts)
    files = f"{len(counts)} file{'s' * (len(counts) != 1)} changed"
    more = f", {added} insertion{'s' * (added != 1)}(+)" if added else ""
    less = f", {gone} deletion{'s' * (gone != 1)}(-)" if gone else ""
    return f"{rows} {files}{more}{less}\n"


def written(who: Ident) -> str:
    """Return `Name <address>` as a trailer of a commit message has it."""
    return f"{who.name} <{who.address}>"


def _signed(body: str, signer: Ident | None) -> str:
    return f"{body}\n" if signer is None else f"{body}\n\nSigned-off-by: {written(signer)}\n"


def _tagged(subject: str, number: int, count: int) -> str:
    return f"[PATCH {number:0{len(str(count))}}/{count}] {subject}"


def _head(subject: str, envelope: Envelope, to: tuple[Recipient, ...], content: str) -> str:
    people = [one.ident for one in to if one.decides]
    others = [one.ident for one in to if not one.decides]
    # Without a maintainer the lists are whom it is for.
    lines = [
        f"From: {_address(envelope.author)}\n",
        f"Date: {format_datetime(envelope.date)}\n",
        f"Subject: {_encoded(subject)}\n",
        *_addressed("To", people or others),
        *_addressed("Cc", others if people else []),
    ]
    if not content.isascii():
        lines += ["MIME-Version: 1.0\n", "Content-Type: text/plain; charset=UTF-8\n"]
        lines += ["Content-Transfer-Encoding: 8bit\n"]
    return _FROM + "".join(lines)


def _addressed(name: str, people: list[Ident]) -> Iterator[str]:
    if people:
        yield f"{name}: {(',' + chr(10) + '    ').join(_address(one) for one in people)}\n"


def _address(who: Ident) -> str:
    return formataddr((who.name, who.address), _charset()) if who.name else who.address


def _encoded(subject: str) -> str:
    return subject if subject.isascii() else _charset().header_encode(subject)


def _charset() -> Charset:
    charset = Charset("utf-8")
    charset.header_encoding = QP  # as git writes a name that is not ASCII
    return charset


def _file_name(number: int, subject: str) -> str:
    slug = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._]+", "-", subject))[:_NAME]
    return f"{number:04}-{slug.strip('-.')}.patch"


def _diff(change: Change) -> str:
    text = diff(PurePosixPath(change.path), change.before, change.after)
    first, _, rest = text.partition("\n")
    # With the names of both blobs `git am -3` works on a tree that has moved on.
    return f"{first}\nindex {_blob(change.before)}..{_blob(change.after)} 100644\n{rest}"


def _blob(text: bytes) -> str:
    return sha1(b"blob %d\0" % len(text) + text, usedforsecurity=False).hexdigest()[:12]


def _lines(change: Change) -> tuple[int, int]:
    text = diff(PurePosixPath(change.path), change.before, change.after)
    body = [line for line in text.split("\n")[3:] if line[:1] in ("+", "-")]
    added = sum(line[0] == "+" for line in body)
    return added, len(body) - added


def _stat_row(row: tuple[str, int, int], widest: int, most: int) -> str:
    path, added, gone = row
    name = path if len(path) <= _STAT else f"...{path[-(_STAT - 3) :]}"
    share = min(1.0, _GRAPH / most) if most else 1.0
    signs = "+" * round(added * share) + "-" * round(gone * share)
    return f" {name:<{widest}} | {added + gone:>{len(str(most))}} {signs}\n"
