# SPDX-License-Identifier: GPL-2.0-only
"""Objects become listings: sections, relocations, lines, exception tables, alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import uaccel.arch
from uaccel.catalog import catalog
from uaccel.errors import UserError
from uaccel.model.machine import Arch, Insn, Listing, Object, Role
from uaccel.read.alternatives import cpu_features
from uaccel.read.elf import read_elf
from uaccel.read.listing import read_object

OBJECTS = Path(__file__).parent / "objects"
ARCHES: Mapping[str, Arch] = catalog(uaccel.arch, Arch)
SMAP = {"SMAP": 308}
NAMES = ("arm", "arm64", "ppc8xx", "riscv64", "s390x", "x86_64")


def read(name: str, symbols: tuple[str, ...] | None = None) -> Object:
    """Return what is read of tests/objects/NAME.o."""
    arch = ARCHES[name.partition("-")[0]]
    return read_object((OBJECTS / f"{name}.o").read_bytes(), arch, symbols, SMAP)


def function(name: str, symbol: str) -> Listing:
    """Return one function of tests/objects/NAME.o."""
    (listing,) = read(name, (symbol,)).listings
    return listing


def roles(listing: Listing) -> list[Role]:
    """Return the roles of the toggles in a listing."""
    toggles = (Role.OPENS, Role.CLOSES, Role.TOGGLES)
    found = (listing.arch.role(insn) for insn in listing.insns)
    return [role for role in found if role in toggles]


def at_line(listing: Listing, line: int) -> list[Insn]:
    """Return the instructions of a line of window.c, at any level of the inline stack."""
    return [insn for insn in listing.insns if ("/src/window.c", line) in insn.lines]


@pytest.mark.parametrize("name", NAMES)
def test_a_call_is_resolved_through_its_relocation(name: str) -> None:
    """An object's own bytes lead a call to itself: only the relocation knows the callee."""
    listing = function(name, "by_call")
    calls = [insn.target for insn in listing.insns if listing.arch.role(insn) is Role.CALLS]
    assert calls == ["elsewhere", "__put_user_4", "__put_user_4"]


@pytest.mark.parametrize("name", NAMES)
def test_an_exception_table_entry_marks_an_access(name: str) -> None:
    """Two stores are guarded, and nothing else: each architecture has its own entry format."""
    listing = function(name, "window")
    guarded = [insn for insn in listing.insns if insn.access]
    assert [insn.lines[0][1] for insn in guarded] == [120, 121]
    assert listing.extable_entries == 2


@pytest.mark.parametrize("name", NAMES)
def test_an_inlined_access_belongs_to_the_line_that_calls_it(name: str) -> None:
    """The store stands on line 94 of the accessor, which lines 108 and 109 call."""
    guarded = [insn for insn in function(name, "fieldwise").insns if insn.access]
    assert [[line for _, line in insn.lines] for insn in guarded] == [[94, 108], [94, 109]]


@pytest.mark.parametrize("name", NAMES)
def test_jumps_lead_to_an_instruction_of_the_function(name: str) -> None:
    """On riscv a jump within a function has a relocation too, since a linker may move it."""
    listing = function(name, "fieldwise")
    jumps = [i for i in listing.insns if listing.arch.role(i) in (Role.FORKS, Role.BRANCHES)]
    assert jumps
    assert {insn.target for insn in jumps} <= {insn.address for insn in listing.insns}


def test_alternatives_are_applied_for_the_features_of_the_architecture() -> None:
    """In the object three nops stand where stac and clac will."""
    assert roles(function("x86_64", "window")) == [Role.OPENS, Role.CLOSES, Role.CLOSES]


def test_both_sizes_of_alternatives_are_read() -> None:
    """Entries have 12 bytes in Linux 6.1 and 14 in 6.12; the relocations tell which."""
    old, new = function("x86_64-old", "window"), function("x86_64", "window")
    assert [str(insn) for insn in old.insns] == [str(insn) for insn in new.insns]


def test_alternatives_need_the_numbers_of_features() -> None:
    """Without them stac would silently be a nop, and every count wrong."""
    data = (OBJECTS / "x86_64.o").read_bytes()
    with pytest.raises(UserError, match="numbers of CPU features"):
        read_object(data, ARCHES["x86_64"], ("window",), {})


def test_no_operations_are_folded_away() -> None:
    """Padding costs nothing worth telling, and alternatives are padded."""
    for listing in read("x86_64").listings:
        assert all(listing.arch.role(insn) is not Role.NOP for insn in listing.insns)


def test_dwarf_4_gives_the_same_lines_as_dwarf_5() -> None:
    """A compiler may be asked for either."""
    old, new = function("x86_64-dwarf4", "fieldwise"), function("x86_64", "fieldwise")
    assert [insn.lines for insn in old.insns] == [insn.lines for insn in new.insns]


def test_lines_survive_relocations_in_the_line_table() -> None:
    """On riscv every step of the line table is the difference of two relocations."""
    assert [str(insn) for insn in at_line(function("riscv64", "window"), 119)] == [
        "lui a5, 0x40",
        "csrs sstatus, a5",
    ]


def test_a_callee_of_the_same_object_is_at_hand() -> None:
    """A compiler may leave an accessor out of line; then it is part of what is counted."""
    listing = function("x86_64", "by_call")
    assert [callee.symbol for callee in listing.callees] == ["__put_user_4"]


def test_without_names_every_function_is_read() -> None:
    """The objects of out-of-line accessors are read whole."""
    symbols = {listing.symbol for listing in read("ppc8xx").listings}
    assert symbols == {"fieldwise", "window", "by_call"}


def test_a_function_that_is_not_there_has_no_listing() -> None:
    """It was inlined, or never compiled: the caller says so."""
    assert read("ppc8xx", ("absent",)).listings == ()


def test_what_is_no_object_is_refused() -> None:
    """A file that a compiler left half written must not end in a traceback."""
    with pytest.raises(UserError, match="no object file"):
        read_elf(b"not ELF")


def test_features_are_read_from_the_header() -> None:
    """The number is word times 32 plus bit; anything else in the header is left alone."""
    header = (
        "#define X86_FEATURE_SMAP\t\t( 9*32+20) /* Supervisor Mode Access Prevention */\n"
        "#define X86_FEATURE_LFENCE_RDTSC (20*32+ 2)\n"
        '#define X86_FEATURE_NAME "x"\n'
    )
    assert cpu_features(header) == (("SMAP", 308), ("LFENCE_RDTSC", 642))


def test_listings_can_be_remembered() -> None:
    """They are keys and go to other processes."""
    assert hash(read("ppc8xx")) == hash(read("ppc8xx"))
