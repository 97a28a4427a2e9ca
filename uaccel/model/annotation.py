# SPDX-License-Identifier: GPL-2.0-only
"""An annotated function: the share of its samples at each instruction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Annotated:
    """One instruction of an annotated listing."""

    percent: float | None  # of the function's samples; None where the listing has no figure
    address: int  # -1 where the listing does not say it, as perf's browser draws it
    code: bytes  # as the listing shows them, in its order; b"" when it does not
    text: str  # as the disassembler wrote it: "mtspr 794,r9", AT&T or Intel on x86
    lines: tuple[
        tuple[str, int], ...
    ] = ()  # (file, line) where it says them; file "": the line alone
    gap: bool = False  # something was left out right before it


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotated listing."""

    symbol: str  # "snd_pcm_ioctl"; "" when it is not said
    object: str  # "vmlinux"; "" when it is not said
    event: str  # "cycles"; "" when it is not said
    samples: str  # how many, as the listing says it; "" when it does not
    title: str  # the line of prose before it, as a mail has one; "" when there is none
    rows: tuple[Annotated, ...]  # in the order of the text
    begins: bool  # its first row is where the function begins
    ends: bool  # nothing says that it goes on behind its last row
    unread: int  # lines that look like part of it and could not be read
    first_unread: str  # the first of them; "" when there is none

    @property
    def cut(self) -> bool:
        """Return whether the listing says itself that something of it was left out."""
        return not self.ends or any(row.gap for row in self.rows)

    @property
    def shown(self) -> float:
        """Return the percentages of all rows together."""
        return sum(row.percent or 0.0 for row in self.rows)
