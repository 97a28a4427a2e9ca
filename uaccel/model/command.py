# SPDX-License-Identifier: GPL-2.0-only
"""A program that was run; alone here, so that whoever only runs one loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A program that was run: enough to run it again, and what it said."""

    argv: tuple[str, ...]
    folder: str
    status: int  # exit status; negative when a signal ended it
    stdout: str
    stderr: str
