# SPDX-License-Identifier: GPL-2.0-only
"""A program that the user names is refused with a reason, and its words reach it as typed."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from uaccel.errors import UserError
from uaccel.flow.clients import chosen
from uaccel.host.store import Store
from uaccel.machines import g3beige
from uaccel.read.dynamic import dynamic
from uaccel.read.vmlinux import read_vmlinux

# The header of an ELF file whose program headers lie where no file reaches.
DAMAGED = b"\x7fELF\2\1\1" + bytes(9)
DAMAGED += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 1 << 63, 0, 0, 64, 56, 1, 64, 0, 0)


def given(wanted: str, folder: Path) -> None:
    """Return when `wanted` was taken for a client."""
    chosen(g3beige.MACHINE, wanted, "", Store(folder), lambda *_: None)


def test_a_word_that_is_no_text_is_no_traceback(tmp_path: Path) -> None:
    """A byte of the command line that is no UTF-8 comes as half of a pair."""
    (tmp_path / "x").write_bytes(b"#!/bin/sh\n")
    with pytest.raises(UserError, match="no linked program"):
        given(f"{tmp_path}/x \udcff", tmp_path)


def test_such_bytes_are_counted_as_what_was_typed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="60 words or 4000 bytes"):
        given("x " + "\udcff" * 4000, tmp_path)


def test_a_damaged_program_is_none() -> None:
    """Its offsets do not fit into what Python seeks with."""
    assert dynamic(DAMAGED) is None
    with pytest.raises(UserError, match="this is no linked program"):
        read_vmlinux(DAMAGED)
