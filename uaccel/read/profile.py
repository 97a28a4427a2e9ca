# SPDX-License-Identifier: GPL-2.0-only
"""Read profiles, whoever wrote them: what a text is, its content says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uaccel.errors import UserError
from uaccel.model.profile import Profile
from uaccel.read.folded import read_folded
from uaccel.read.perfdiff import Compared, read_diff, split_at_diffs
from uaccel.read.perfreport import read_listings
from uaccel.read.perfrows import is_annotated
from uaccel.read.perfscript import read_script
from uaccel.read.perftext import plain_lines


def read_profiles(text: str) -> tuple[Profile, ...]:
    """Return the profiles that `text` holds, in its order; at least one, else UserError."""
    if found := tuple(_found(plain_lines(text))):
        return found
    raise UserError(
        "no profile was found: expected is what perf script, perf report --stdio, perf top or "
        "perf diff print, or folded stacks (`command;outer;inner 123`)"
    )


def _found(lines: Sequence[str]) -> Iterator[Profile]:
    for part in split_at_diffs(lines):
        if isinstance(part, Compared):
            yield from read_diff(part)
        else:
            yield from _of_other_tools(part)


def _of_other_tools(lines: Sequence[str]) -> tuple[Profile, ...]:
    # An instruction with its share could be taken for a sample.
    lines = [line for line in lines if not is_annotated(line)]
    for read in (read_listings, read_script, read_folded):
        if found := read(lines):
            return found
    return ()
