# SPDX-License-Identifier: GPL-2.0-only
"""What a command gives back to the shell."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from shutil import get_terminal_size

FINE, FOUND, UNUSABLE = 0, 1, 2  # exit statuses


@dataclass(frozen=True, slots=True)
class Answer:
    """Text for stdout, sentences and lines for stderr, and the exit status."""

    text: str
    status: int = FINE
    remarks: tuple[str, ...] = ()
    log: str = ""  # for stderr as it is


def is_coloured(wanted: str, environment: Mapping[str, str]) -> bool:
    """Return whether to colour what goes to stdout, where `wanted` is auto, always or never."""
    return wanted == "always" or (
        wanted == "auto" and sys.stdout.isatty() and not environment.get("NO_COLOR")
    )


def width() -> int:
    """Return how many characters a line on stdout may have."""
    return get_terminal_size((100, 24)).columns
