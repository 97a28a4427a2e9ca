# SPDX-License-Identifier: GPL-2.0-only
"""What a command gives back to the shell."""

from __future__ import annotations

from dataclasses import dataclass

FINE, FOUND, UNUSABLE = 0, 1, 2  # exit statuses


@dataclass(frozen=True, slots=True)
class Answer:
    """Text for stdout, sentences for stderr, and the exit status."""

    text: str
    status: int = FINE
    remarks: tuple[str, ...] = ()
