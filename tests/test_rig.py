# SPDX-License-Identifier: GPL-2.0-only
"""Whole proofs, on a function of our own whose rewritings are known to be right or wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.accesses import OWN, SAMPLES, compiled, imaged
from tests.replay import ARCHES
from uaccel.flow.hints import Hints
from uaccel.flow.rig import Proof, Side, prove_sides
from uaccel.model.judgement import Outcome
from uaccel.read.listing import read_object

HOWS = "STOOD WINDOW SWAPPED VALUE ARGUMENT STACK VARIABLE OBJECT OPEN OUTSIDE LOST".split()
TOLD = Hints(frozenset({"to"}), frozenset(), ())
every_arch = pytest.mark.parametrize("name", OWN)
# What is said of each that is wrong, in part.
WRONG = {
    "SWAPPED": "the user's byte at",
    "VALUE": "the user's byte at",
    "ARGUMENT": "it calls lamp_tell(",
    "STACK": "lamp_order finds ",
    "VARIABLE": "the kernel's byte at",
    "OBJECT": "the kernel's byte at",
    "OPEN": "it returns with user memory open",
    "OUTSIDE": "outside of any window",
    "LOST": "it returns 0, not -14",
}
UNTOGGLED = ("arm64", "s390x")  # nothing opens there


@cache
def sides(name: str) -> tuple[tuple[Side, ...], bytes]:
    """Return all variants on one architecture, and the object of the first."""
    made = [compiled(name, SAMPLES / "lamps.c", f"-DHOW={how}") for how in HOWS]
    known = tuple(
        Side(imaged(name, data), read_object(data, ARCHES[name], ("lamp_get",), {}).listings[0], ())
        for data in made
    )
    return known, made[0]


@cache
def proofs(name: str) -> dict[str, Proof]:
    """Return what is said of each variant on one architecture."""
    known, data = sides(name)
    return dict(zip(HOWS[1:], prove_sides(known, data, TOLD), strict=True))


@every_arch
def test_a_right_rewriting_passes_and_every_way_was_gone(name: str) -> None:
    proof = proofs(name)["WINDOW"]
    assert proof.judgement.outcome is Outcome.PASS, proof.judgement.why
    assert proof.after is not None and proof.before is not None
    assert (proof.after.taken, proof.after.missed) == (proof.after.ways, ())
    assert proof.after.entries == proof.after.met == 2
    assert proof.plain is not None
    assert [len(run.accesses) for run in proof.plain] == [2, 2]
    assert {run.result for run in proof.plain} == {0}
    opened = [run.openings for run in proof.plain]
    assert opened == ([0, 0] if name in UNTOGGLED else [2, 1])


@every_arch
@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_one_fails_and_says_where(name: str, how: str) -> None:
    judgement = proofs(name)[how].judgement
    if how in ("OPEN", "OUTSIDE") and name in UNTOGGLED:
        assert judgement.outcome is Outcome.PASS
        return
    assert judgement.outcome is Outcome.FAIL
    assert WRONG[how] in judgement.why
    assert judgement.story[0].startswith("called with 0x")


# What a style says of a window that reads and writes; none of it excuses what is wrong here.
DECLARED = (
    "The range check now covers all of `*to`: a pointer whose object lies only in part within "
    "user space fails before the first access.",
    "The first fault ends the accesses; those that follow were still made before.",
    "The padding of struct lamp is written as zero; field by field it was left alone.",
    "What `copy_to_user()` had copied before a fault may end in the middle of a field.",
    "Where the machine can mask a pointer no range is checked: a bad pointer fails at the first "
    "access that it reaches.",
)


@pytest.mark.parametrize("name", ["x86_64", "ppc8xx"])
@pytest.mark.parametrize("declared", DECLARED)
def test_what_is_declared_excuses_nothing_else(name: str, declared: str) -> None:
    known, data = sides(name)
    told = tuple(replace(one, declared=(declared,)) for one in known)
    said = dict(zip(HOWS[1:], prove_sides(told, data, TOLD), strict=True))
    outcomes = {how: proof.judgement.outcome for how, proof in said.items()}
    assert outcomes.pop("WINDOW") is Outcome.PASS
    assert set(outcomes.values()) == {Outcome.FAIL}, outcomes


def test_the_same_is_said_again() -> None:
    known, data = sides("x86_64")
    again = prove_sides(known, data, TOLD)
    assert dict(zip(HOWS[1:], again, strict=True)) == proofs("x86_64")


def test_what_nothing_tells_of_is_unknown() -> None:
    known, _ = sides("x86_64")
    bare = compiled("x86_64", Path(SAMPLES, "accesses.c"))
    (proof, *_rest) = prove_sides(known, bare, TOLD)
    assert proof.judgement.outcome is Outcome.UNKNOWN
    assert proof.judgement.why == "nothing tells what lamp_get is called with"
