# SPDX-License-Identifier: GPL-2.0-only
"""Read profiles, whoever wrote them: what a text is, its content says."""

from __future__ import annotations

import re

from uaccel.errors import UserError
from uaccel.model.profile import Profile
from uaccel.read.folded import read_folded
from uaccel.read.perfreport import read_listings
from uaccel.read.perfscript import read_script

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_QUOTED = re.compile(r"(?:> ?)+")


def read_profiles(text: str) -> tuple[Profile, ...]:
    """Return the profiles that `text` holds, in its order; at least one, else UserError."""
    lines = _plain(text)
    for read in (read_listings, read_script, read_folded):
        if found := read(lines):
            return found
    raise UserError(
        "no profile was found: expected is what perf script, perf report --stdio or perf top "
        "print, or folded stacks (`command;outer;inner 123`)"
    )


def _plain(text: str) -> list[str]:
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    lines = [line.rstrip() for line in text.replace("\xa0", " ").split("\n")]
    if not any(line.startswith(">") for line in lines):
        return lines
    return [_QUOTED.sub("", line, count=1) if line.startswith(">") else line for line in lines]
