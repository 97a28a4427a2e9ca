# SPDX-License-Identifier: GPL-2.0-only
"""What a function compares leads the search for inputs: to numbers, bits, tables, lists."""

from __future__ import annotations

import pytest

from tests.accesses import OWN, SAMPLES, compiled, imaged
from tests.replay import ARCHES
from uaccel.flow.hints import Hints
from uaccel.flow.rig import Proof, Side, prove_sides
from uaccel.flow.wishes import Wishes
from uaccel.model.judgement import Outcome
from uaccel.model.machine import Insn
from uaccel.model.run import Comparison
from uaccel.read.comparisons import comparisons
from uaccel.read.listing import read_object

TOLD = Hints(frozenset({"to"}), frozenset(), ())


def proof(name: str) -> Proof:
    """Return what running the sample beside itself shows."""
    data = compiled(name, SAMPLES / "doors.c")
    listing = read_object(data, ARCHES[name], ("door_open",), {}).listings[0]
    side = Side(imaged(name, data), listing, ())
    return prove_sides((side, side), data, TOLD)[0]


@pytest.mark.parametrize("name", OWN)
def test_the_search_gets_through_every_door(name: str) -> None:
    found = proof(name)
    assert found.judgement.outcome is Outcome.PASS, found.judgement.why
    assert found.after is not None and found.before is not None
    assert (found.after.entries, found.after.reached, found.after.met) == (1, 1, 1)
    # The end of a list that holds something: where it begins lies elsewhere in another variant.
    assert len(found.after.missed) == 1 and found.after.missed[0].endswith("doors.c:62)")
    assert found.plain is not None and found.plain[0].result == 0


def test_without_wishes_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above is none of luck."""
    monkeypatch.setattr(Wishes, "of", lambda *_: iter(()))
    monkeypatch.setattr(Wishes, "lists", lambda *_: iter(()))
    found = proof("x86_64")
    assert found.judgement.outcome is Outcome.UNKNOWN
    assert found.judgement.why == "no run made an access of door_open"


# What capstone says, the bits of a word, and what that compares: bytes, sides, whether bits.
SAID = (
    ("cmp esi, 0x4202", 64, (4, ("esi", 0x4202), False)),
    ("cmp rax, rbp", 64, (8, ("rax", "rbp"), False)),
    ("cmp byte ptr [rax + 1], 5", 64, (1, (None, 5), False)),
    ("cmp ax, 7", 32, (2, ("ax", 7), False)),
    ("test edx, edx", 64, (4, ("edx", 0), False)),
    ("test byte ptr [rip + 3], 2", 64, (1, (None, 2), True)),
    ("cmpwi cr7, r9, -5", 64, (4, ("r9", -5), False)),
    ("cmpld r3, r4", 64, (8, ("r3", "r4"), False)),
    ("andi. r10, r9, 0x10", 64, (8, ("r9", 0x10), True)),
    ("cmp w0, #5", 64, (4, ("w0", 5), False)),
    ("cbnz x19, #0x40", 64, (8, ("x19", 0), False)),
    ("tbz w1, #3, #0x20", 64, (4, ("w1", 8), True)),
    ("c.beqz a5, 0x8c", 64, (8, ("a5", 0), False)),
    ("bltu a0, a5, 0x10", 64, (8, ("a0", "a5"), False)),
    ("c %r4, 0(%r2)", 64, (4, ("r4", None), False)),
    ("cgij %r1, 9, 8, 0x20", 64, None),  # what is asked stands between: not read
    ("cije %r1, 9, 0x20", 64, (8, ("r1", 9), False)),
    ("cmp r0, #1, lsl #12", 32, None),
    ("add eax, 5", 64, None),
    ("beq cr7, 0x10", 64, None),
    ("test eax, ebx", 64, None),
)


@pytest.mark.parametrize(("said", "bits", "expected"), SAID)
def test_what_an_instruction_compares(
    said: str, bits: int, expected: tuple[int, tuple[object, object], bool] | None
) -> None:
    mnemonic, _, operands = said.partition(" ")
    insn = Insn(0x40, 4, mnemonic, operands, None, (), access=False)
    found: tuple[Comparison, ...] = tuple(comparisons((insn,), bits))
    told = [(one.size, one.sides, one.bits) for one in found]
    assert told == ([expected] if expected is not None else [])
