# SPDX-License-Identifier: GPL-2.0-only
"""What a program asks of its machine's libraries before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment


@dataclass(frozen=True, slots=True)
class Dynamic:
    """The dynamic section of a program or library."""

    interpreter: str  # path of its loader; "" for none
    needed: tuple[str, ...]  # names of libraries, as they stand there


def dynamic(data: bytes) -> Dynamic | None:
    """Return what the ELF file `data` needs, None when it is no such file or needs nothing."""
    if data[:4] != b"\x7fELF":
        return None
    try:
        segments = tuple(ELFFile(BytesIO(data)).iter_segments())
        loaders = [one.get_interp_name() for one in segments if isinstance(one, InterpSegment)]
        tables = [one for one in segments if isinstance(one, DynamicSegment)]
        tags = (cast(Any, tag) for table in tables for tag in table.iter_tags("DT_NEEDED"))
        needed = tuple(str(tag.needed) for tag in tags)
    except (ELFError, ValueError, KeyError, OverflowError, AssertionError):
        return None
    return Dynamic(loaders[0] if loaders else "", needed) if loaders or tables else None
