# SPDX-License-Identifier: GPL-2.0-only
"""The success path of a cluster is found in a listing and counted."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import uaccel.arch
from tests.test_listing import function, read
from uaccel.catalog import catalog
from uaccel.count import PathCount, count_path, floor
from uaccel.model.machine import Arch, Insn, Listing
from uaccel.model.source import Direction

ARCHES: Mapping[str, Arch] = catalog(uaccel.arch, Arch)
FIELDWISE, WINDOW, BY_CALL = (108, 109), (117, 119, 120, 121, 122), (132, 133)


def count(name: str, symbol: str, lines: tuple[int, ...]) -> PathCount:
    """Return the count of a cluster of two accesses in tests/objects/NAME.o."""
    return count_path(function(name, symbol), "window.c", lines, 2)


def listing(text: str, arch: str = "ppc8xx", symbol: str = "f") -> Listing:
    """Return a listing of rows `line [A] insn [-> target]`, four bytes each; line 0 is none."""
    insns = []
    for number, row in enumerate(text.strip().splitlines()):
        line, _, rest = row.strip().partition(" ")
        access, rest = rest.startswith("A "), rest.removeprefix("A ")
        code, _, target = rest.partition(" -> ")
        mnemonic, _, operands = code.partition(" ")
        where = int(target) * 4 if target.isdigit() else target or None
        stack = (("/linux/a.c", int(line)),)
        insns.append(Insn(number * 4, 4, mnemonic, operands, where, stack, access))
    return Listing(ARCHES[arch], symbol, tuple(insns), 4 * len(insns), 0)


@pytest.mark.parametrize(
    ("name", "fieldwise", "window"),
    [
        ("ppc8xx", (17, 4), (9, 2)),
        ("riscv64", (13, 4), (7, 2)),
        ("arm", (19, 4), (10, 2)),
        ("arm64", (12, 4), (7, 2)),
        ("s390x", (7, 0), (4, 0)),
        ("x86_64", (11, 4), (6, 2)),
        ("x86_64-old", (11, 4), (6, 2)),
    ],
)
def test_a_window_opens_once(
    name: str, fieldwise: tuple[int, int], window: tuple[int, int]
) -> None:
    """Figures counted by hand in the disassembly of tests/objects."""
    before, after = count(name, "fieldwise", FIELDWISE), count(name, "window", WINDOW)
    assert (before.instructions, before.toggles) == fieldwise
    assert (after.instructions, after.toggles) == window
    assert before.accesses == after.accesses == 2


def test_an_accessor_out_of_line_is_counted_with_its_caller() -> None:
    """Twice five instructions around a call, and eight in __put_user_4 up to its ret."""
    found = count("x86_64", "by_call", BY_CALL)
    assert (found.instructions, found.toggles, len(found.addresses)) == (26, 4, 10)


def test_a_callee_that_is_not_at_hand_leaves_the_count_unknown() -> None:
    """A lower bound is told, and what is missing in it."""
    found = count("ppc8xx", "by_call", BY_CALL)
    assert (found.instructions, found.toggles, found.at_least) == (None, None, 10)
    assert found.at_least == 10
    assert found.why == (
        "and what __put_user_4 (2 times) executes, which is not known before it runs"
    )


def test_the_epilogue_is_not_the_cluster_s() -> None:
    """Compilers attribute the restores to the last line; they would be there without it."""
    found = count_path(
        listing(
            """
            7 lis r9, -0x2400
            7 mtspr 0x31a, r9
            7 A stw r3, 0(r4)
            7 lis r9, -0x2200
            7 mtspr 0x31a, r9
            7 lwz r31, 0xc(r1)
            8 blr
            """
        ),
        *("a.c", (7,), 1),
    )
    assert (found.instructions, found.toggles, found.addresses) == (5, 2, (0, 4, 8, 12, 16))


def test_the_path_goes_through_every_access() -> None:
    """A failed range check skips the second store and is shorter: it is not the success path."""
    found = count_path(
        listing(
            """
            7 A stw r3, 0(r4)
            8 cmplw r5, r6
            8 bgt 0x14 -> 5
            8 A stw r3, 4(r4)
            9 blr
            10 li r3, -14
            9 blr
            """
        ),
        *("a.c", (7, 8), 2),
    )
    assert (found.instructions, found.accesses) == (4, 2)


def test_the_path_goes_on_to_the_closing() -> None:
    """After the last get_user, the way out with an error is shorter, and not meant."""
    found = count_path(
        listing(
            """
            7 mtspr 0x31a, r9
            8 A lwz r3, 0(r4)
            8 cmpwi r3, 0
            8 bne 0x1c -> 7
            9 mtspr 0x31a, r9
            10 addi r3, r3, 1
            10 blr
            12 blr
            """
        ),
        *("a.c", (7, 8, 9), 1),
    )
    assert (found.instructions, found.toggles) == (5, 2)


def test_a_loop_is_run_once() -> None:
    """How often it repeats is not known from an object."""
    found = count_path(
        listing(
            """
            6 li r5, 4
            7 A stw r3, 0(r4)
            7 addi r4, r4, 4
            7 bdnz 0x4 -> 1
            8 blr
            """
        ),
        *("a.c", (7,), 1),
    )
    assert found.instructions == 3


def test_a_merged_closing_is_followed() -> None:
    """Compilers merge equal tails: the closing then stands on the other cluster's line."""
    found = count_path(
        listing(
            """
            7 mtspr 0x31a, r9
            7 A stw r3, 0(r4)
            7 b 0x14 -> 5
            3 mtspr 0x31a, r9
            3 A stw r3, 0(r4)
            3 mtspr 0x31a, r8
            9 blr
            """
        ),
        *("a.c", (7,), 1),
    )
    assert (found.instructions, found.toggles) == (4, 2)


def test_an_instruction_without_a_line_serves_its_neighbours() -> None:
    """Clang gives constants that it made up line 0; one at the edge may belong to anything."""
    found = count_path(
        listing(
            """
            0 lis r9, -0x2400
            7 mtspr 0x31a, r9
            7 A stw r3, 0(r4)
            0 lis r9, -0x2200
            7 mtspr 0x31a, r9
            0 li r3, 0
            9 blr
            """
        ),
        *("a.c", (7,), 1),
    )
    assert found.addresses == (4, 8, 12, 16)


def test_a_copy_opens_once_in_its_callee() -> None:
    """Its instructions depend on the length; its openings do not."""
    caller = listing("7 bl 0x0 -> _copy_to_user\n7 cmpwi r3, 0\n7 bne 0x10 -> 4\n8 blr\n8 blr")
    copy = listing(
        """
        1 mtspr 0x31a, r9
        1 bl 0x0 -> __copy_tofrom_user
        1 mtspr 0x31a, r9
        1 blr
        """,
        symbol="_copy_to_user",
    )
    found = count_path(caller, "a.c", (7,), 9, (copy,))  # one call for nine fields
    assert (found.instructions, found.toggles, found.at_least) == (None, 2, 3)
    assert found.uncounted == ("_copy_to_user",)


def test_a_tail_call_is_a_call() -> None:
    """A copy may jump to the routine that does it: its opening is not seen, so not denied."""
    caller = listing("7 bl 0x0 -> _copy_to_user\n7 cmpwi r3, 0\n7 bne 0x10 -> 4\n8 blr\n8 blr")
    copy = listing(
        """
        1 cmplw r3, r4
        1 bgt 0xc -> 3
        1 b 0x0 -> __copy_tofrom_user
        1 blr
        """,
        symbol="_copy_to_user",
    )
    found = count_path(caller, "a.c", (7,), 1, (copy,))
    assert (found.instructions, found.toggles) == (None, None)


def test_what_is_called_in_a_window_opens_none() -> None:
    """Where the copy is inlined, its opening stands in the function itself."""
    caller = listing(
        """
        7 mtspr 0x31a, r9
        7 bl 0x0 -> __copy_tofrom_user
        7 mtspr 0x31a, r9
        8 blr
        """
    )
    assert count_path(caller, "a.c", (7,), 1).toggles == 2


def test_a_callee_that_touches_no_user_memory_opens_nothing() -> None:
    """A memset in front of a copy adds instructions, never an opening."""
    found = count_path(
        listing(
            "7 bl 0x0 -> memset\n7 mtspr 0x31a, r9\n7 A stw r3, 0(r4)\n7 mtspr 0x31a, r9\n8 blr"
        ),
        *("a.c", (7,), 1),
    )
    assert (found.instructions, found.toggles, found.uncounted) == (None, 2, ("memset",))


def test_a_cluster_that_is_not_there_is_unknown() -> None:
    """Never a zero: nobody measured it."""
    found = count_path(listing("7 blr"), "a.c", (7,), 1)
    assert (found.instructions, found.toggles) == (None, None)
    assert found.why == "no access of the cluster was found in f"


def test_missing_accesses_make_the_count_unknown() -> None:
    """A path that misses one of them is not the cluster's."""
    found = count_path(listing("7 A stw r3, 0(r4)\n8 blr"), "a.c", (7,), 2)
    assert found.why == "only 1 of its 2 accesses lie on one path"


def test_another_file_of_the_same_end_is_another_file() -> None:
    """`a.c` is not `extra.c`, and paths are compared by whole components."""
    assert count_path(listing("7 A stw r3, 0(r4)\n8 blr"), "xa.c", (7,), 1).instructions is None


def test_the_floor_is_one_instruction_per_access_and_one_window() -> None:
    """9 + 4 on 8xx; where reading needs no opening there is only the access."""
    assert floor(ARCHES["ppc8xx"], 9) == 13
    assert floor(ARCHES["ppc32"], 3, Direction.READ) == 3
    assert floor(ARCHES["s390x"], 9) == 9


@pytest.mark.parametrize("name", ["arm64", "ppc8xx", "riscv64", "s390x", "x86_64"])
def test_no_window_is_below_the_floor(name: str) -> None:
    """A floor that a compiler can undercut would be none."""
    for one in read(name, ("window",)).listings:
        found = count_path(one, "window.c", WINDOW, 2)
        assert found.instructions is not None
        assert found.instructions >= floor(one.arch, 2)
