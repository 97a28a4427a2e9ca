# SPDX-License-Identifier: GPL-2.0-only
"""Read what our client says on the console of a machine, among what the kernel says."""

from __future__ import annotations

import re
from typing import NamedTuple

from uaccel.errors import UserError

_CALL = re.compile(
    r"uaccel-client: call=(?P<kind>\S+) number=\d+ flags=\d+ result=(?P<result>-?\d+)"
    r" bytes=(?P<bytes>(?:[0-9a-f]{2})*)"
)
_END = re.compile(r"uaccel-client: ends status=0")
_FAILED = re.compile(r"uaccel-client: ((?:failed|killed|exited status=[1-9]).*)")


class Called(NamedTuple):
    """One call of the client, as it says."""

    kind: str
    result: int
    bytes: str  # of the user's struct afterwards, in hexadecimal


def read_calls(console: str) -> tuple[Called, ...]:
    """Return the calls that the client tells of, in order; UserError when it did not end well."""
    if failed := _FAILED.search(console):
        raise UserError(f"the client did not succeed: {failed[1]}")
    if not _END.search(console):
        raise UserError("the client did not end: the console does not tell that it did")
    return tuple(
        Called(one["kind"], int(one["result"]), one["bytes"]) for one in _CALL.finditer(console)
    )
