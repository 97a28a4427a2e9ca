# SPDX-License-Identifier: GPL-2.0-only
"""An initramfs is what the kernel's own unpacker would take, read here by a reader of our own."""

from __future__ import annotations

import gzip
import stat

import pytest

from uaccel.errors import BrokenInvariant
from uaccel.host.initramfs import Entry, link, pack, plain, program, with_client


def unpacked(data: bytes) -> list[tuple[str, int, bytes, tuple[int, int]]]:
    """Return name, mode, content and device of each file, as the format's page tells them."""
    archive, at = gzip.decompress(data), 0
    found: list[tuple[str, int, bytes, tuple[int, int]]] = []
    while True:
        assert archive[at : at + 6] == b"070701" and at % 4 == 0
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + length]
        assert name[-1:] == b"\0"
        start = -(-(at + 110 + length) // 4) * 4
        if name == b"TRAILER!!!\0":
            assert start == len(archive)
            return found
        assert fields[2:4] == [0, 0]  # root owns it
        found.append(
            (name[:-1].decode(), mode, archive[start : start + size], (fields[9], fields[10]))
        )
        at = -(-(start + size) // 4) * 4


def test_what_is_packed_comes_out_again() -> None:
    """Sizes that are no multiple of four, a link, and each folder once before what lies in it."""
    files = (
        plain("usr/share/a", b"12345"),
        program("usr/bin/b", b"\x7fELF"),
        link("bin", "usr/bin"),
    )
    assert unpacked(pack(files)) == [
        ("usr", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("usr/share", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("usr/share/a", stat.S_IFREG | 0o644, b"12345", (0, 0)),
        ("usr/bin", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("usr/bin/b", stat.S_IFREG | 0o755, b"\x7fELF", (0, 0)),
        ("bin", stat.S_IFLNK | 0o777, b"usr/bin", (0, 0)),
    ]


def test_the_same_files_are_the_same_bytes() -> None:
    assert pack((plain("a", b"1"),)) == pack((plain("a", b"1"),))
    assert pack((plain("a", b"1"),)) != pack((plain("a", b"2"),))


def test_our_client_is_the_first_program_and_finds_its_arguments() -> None:
    """The kernel opens /dev/console before anything is mounted; without it no word is printed."""
    files = unpacked(pack(with_client(b"client", ("run", "/usr/bin/aplay", "-q"))))
    named = {name: (mode, content, device) for name, mode, content, device in files}
    assert named["dev/console"] == (stat.S_IFCHR | 0o600, b"", (5, 1))
    assert named["init"] == (stat.S_IFREG | 0o755, b"client", (0, 0))
    assert named["uaccel.arguments"][1] == b"run\n/usr/bin/aplay\n-q\n"


def test_an_argument_that_is_no_text_comes_as_it_was_typed() -> None:
    files = unpacked(pack((*with_client(b"client", ("run", "/x", "\udcff")), link("l", "\udcfe"))))
    contents = {name: content for name, _, content, _ in files}
    assert contents["uaccel.arguments"] == b"run\n/x\n\xff\n"
    assert contents["l"] == b"\xfe"


@pytest.mark.parametrize("argument", ["", "two\nlines"])
def test_an_argument_that_the_client_would_read_otherwise_is_refused(argument: str) -> None:
    with pytest.raises(BrokenInvariant):
        with_client(b"client", ("run", argument))


def test_a_file_that_stands_twice_is_refused() -> None:
    with pytest.raises(BrokenInvariant, match="a stands twice"):
        pack((Entry("a", 0o100644), Entry("a", 0o100644)))
