# SPDX-License-Identifier: GPL-2.0-only
"""Executed instructions become shares of symbols, and text that `compare` reads back."""

from __future__ import annotations

from dataclasses import replace

from uaccel.model.boot import SymbolShare
from uaccel.model.executed import Code, Executed, Linked, Places, Stretch
from uaccel.read.executed import read_stretches, toggles
from uaccel.read.profile import read_profiles
from uaccel.tables import roles
from uaccel.traceshares import KERNEL, is_kernel, listing, shares, spans

SYMBOLS = (("entry", 0xC0000100, 0x40), ("ioctl", 0xC0000200, 0), ("__put_user_4", 0xC0000300, 8))
PLACES = Places(
    symbols=spans(SYMBOLS, 0xC0000400),
    first=0xC0000000,
    unmapped=0xC0000000,
    programs=(("client", (Code(0x10000100, b"\x44\x00\x00\x02" * 8), Code(0x100, b"abcd"))),),
    other="aplay",
    code=(Code(0xC0000100, b"\x60\x00\x00\x00" * 0x80),),
)


def executed(address: int, count: int = 1, code: bytes = b"\x60\x00\x00\x00") -> Executed:
    return Executed(address, code, count)


def test_a_symbol_without_a_size_reaches_to_the_next_one() -> None:
    found = {span.name: (span.start, span.end) for span in PLACES.symbols}
    assert found["ioctl"] == (0xC0000200, 0xC0000300)
    assert found["entry"] == (0xC0000100, 0xC0000140)


def test_of_two_names_of_a_place_the_one_with_a_size_stands() -> None:
    (span,) = spans((("__start", 16, 0), ("zeroes", 16, 8)), 32)
    assert (span.name, span.end) == ("zeroes", 24)
    (span,) = spans((("beta", 16, 8), ("alpha", 16, 8)), 32)
    assert span.name == "alpha"


def test_no_symbols_are_no_spans() -> None:
    assert spans((), 0) == ()


def test_shares_are_of_all_that_was_executed_the_largest_first() -> None:
    rows = (executed(0xC0000200, 5), executed(0xC0000204, 1), executed(0xC0000300, 3))
    user = executed(0x30000000, 1)
    found = shares((*rows, user), PLACES)
    assert [(one.symbol, one.object, one.instructions) for one in found] == [
        ("ioctl", KERNEL, 6),
        ("__put_user_4", KERNEL, 3),
        ("user_side", "aplay", 1),
    ]
    assert [one.percent for one in found] == [60.0, 30.0, 10.0]


def test_what_lies_between_symbols_is_unknown_and_not_the_one_before() -> None:
    (found,) = shares((executed(0xC0000150),), PLACES)
    assert (found.symbol, found.object) == ("unknown", KERNEL)


def test_code_of_the_client_is_the_clients_also_where_the_kernel_runs_unmapped() -> None:
    """A static program may lie at the addresses at which an exception begins."""
    own, entry = executed(0x100, code=b"abcd"), executed(0x100)
    assert not is_kernel(own, PLACES) and is_kernel(entry, PLACES)
    assert [one.object for one in shares((own,), PLACES)] == ["client"]
    assert [(one.symbol, one.object) for one in shares((entry,), PLACES)] == [("entry", KERNEL)]


def test_a_program_where_the_kernel_runs_unmapped_is_no_function_of_it() -> None:
    """A large static program of x86_64 reaches to where the kernel lies in memory."""
    rows = tuple(executed(0x200 + 4 * at, code=b"\x48\x8b\x00\xc3") for at in range(4))
    assert not any(is_kernel(one, PLACES) for one in rows)
    assert [(one.symbol, one.object) for one in shares(rows, PLACES)] == [("user_side", "aplay")]


def test_what_the_kernel_patched_at_boot_is_the_kernels() -> None:
    """Most around it is as it was linked; of a stepped one the bytes behind it are known."""
    patched = executed(0x200, code=b"\x48\x00\x01\x10")
    (found,) = shares((patched, executed(0x204), executed(0x208)), PLACES)
    assert (found.symbol, found.object, found.instructions) == ("ioctl", KERNEL, 3)
    assert is_kernel(replace(patched, code=patched.code + b"\x60\x00\x00\x00" * 3), PLACES)


def test_the_listing_is_read_back_as_it_was_written() -> None:
    found = (
        SymbolShare("snd_pcm_ioctl", KERNEL, 600, 60.0),
        SymbolShare("user_side", "aplay", 400, 40.0),
    )
    (profile,) = read_profiles(listing(found, "aplay", "fieldwise on a machine"))
    assert [(row.symbol.name, row.symbol.kernel, row.percent) for row in profile.rows] == [
        ("snd_pcm_ioctl", True, 60.0),
        ("user_side", False, 40.0),
    ]
    assert (profile.samples, profile.event) == ("1000", "instructions")


TEXT = """\
stretch 0 5
c0000200 60000000 3
c0000204 7c0004ac 2
stretch 1 1
c0000200 60000000 1
"""


def test_stretches_are_read_in_order() -> None:
    first, second = read_stretches(TEXT)
    assert first == Stretch(
        5, (executed(0xC0000200, 3), Executed(0xC0000204, bytes.fromhex("7c0004ac"), 2))
    )
    assert second.instructions == 1


def test_a_stretch_that_was_not_written_to_its_end_is_left_out() -> None:
    assert len(read_stretches(TEXT[: TEXT.index("c0000204")])) == 0
    assert len(read_stretches(TEXT.removesuffix("c0000200 60000000 1\n"))) == 1
    assert read_stretches("") == ()


ROLES = roles(
    r"""
    toggles | mtsr(in)? .* | a segment
    calls   | bl .*        | link register written
    """
)


def test_openings_and_closings_are_counted_as_often_as_they_ran() -> None:
    linked = Linked("EM_PPC", True, 32, (), (), 0, 0, 0)
    rows = (
        Executed(0, bytes.fromhex("7c0021e4"), 9),  # mtsrin r0, r4
        Executed(4, bytes.fromhex("4800 0005"), 7),  # bl
        Executed(8, bytes.fromhex("60000000"), 5),
        Executed(12, b"", 3),
    )
    assert toggles(linked, rows, ROLES) == 9
