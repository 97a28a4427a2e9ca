# SPDX-License-Identifier: GPL-2.0-only
"""What perf printed, freed of what it was pasted into: quoting, colours, a mail's encoding."""

from __future__ import annotations

import quopri
import re
from email import message_from_string

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUOTED = re.compile(r"(?:> ?)+")
_BARRED = re.compile(r"\|(?: (?!\s*[-|])|$)")  # a call graph goes on with a branch or another bar
_BORDER = re.compile(r"\s[▒◆░▓█]\s*$")  # the scroll bar of perf's browser
_ENCODED = re.compile(
    r"^Content-Transfer-Encoding:[ \t]*(?P<how>base64|quoted-printable)[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
# No-break spaces, the narrow one, the thin one, the one as wide as a figure.
_BLANKS = str.maketrans(dict.fromkeys("\xa0\u202f\u2009\u2007", " "))


def plain_lines(text: str) -> list[str]:
    """Return the lines of `text` as perf printed them, blanks at their ends gone."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if encoded := _ENCODED.search(text[:1_000_000]):
        text = _decoded(text, encoded["how"].lower())
    lines = [_BORDER.sub("", line).rstrip() for line in text.translate(_BLANKS).split("\n")]
    if not any(line.startswith((">", "|")) for line in lines):
        return lines
    return [_unquoted(line) for line in lines]


def _unquoted(line: str) -> str:
    while prefix := _QUOTED.match(line) or _BARRED.match(line):
        line = line[prefix.end() :]
    return line


def _decoded(text: str, how: str) -> str:
    if how == "quoted-printable":
        return quopri.decodestring(text.encode(errors="replace")).decode(errors="replace")
    bodies = []
    for part in message_from_string(text).walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes) and part.get_content_maintype() == "text":
            bodies.append(body.decode(errors="replace"))
    return "\n".join(bodies) or text
