# SPDX-License-Identifier: GPL-2.0-only
"""The program as a function of its words, for tests of commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

TOY = "drivers/toy/toy.c"
POINT = f"{TOY}:toy_get_point"


@dataclass(frozen=True, slots=True)
class Said:
    """What one command line gave back."""

    status: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """Return the one sentence on stderr, after it was looked at that there is only one."""
        lines = self.stderr.splitlines()
        assert self.status == 2
        assert self.stdout == ""
        assert len(lines) == 1, self.stderr
        assert lines[0].startswith("uaccel: error: ")
        return lines[0].removeprefix("uaccel: error: ")


Uaccel = Callable[..., Said]
