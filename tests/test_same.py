# SPDX-License-Identifier: GPL-2.0-only
"""The seed's function in three styles, run side by side on ten architectures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

import uaccel.styles
from tests import replay
from tests.cases import cases
from tests.syncptr import FUNCTION, USER, Sample, samples
from uaccel.checks.same import BOTH, PERMITS, judge
from uaccel.flow.beside import Variants, pairs
from uaccel.flow.leaves import Leaves
from uaccel.flow.naming import Naming
from uaccel.host.emulator import Emulator
from uaccel.model.judgement import Evidence, Outcome
from uaccel.model.run import Input, Pair
from uaccel.read.prototypes import Prototypes

ARCHES = (
    *("x86_64", "i386", "arm64", "arm64-ttbr0", "riscv64", "ppc64le"),
    *("ppc8xx", "ppc32", "arm", "s390x"),
)
FLAGS = (0, 2, 4, 6)  # what of the control is taken from the user
READ = (*range(4), *range(68, 76))  # bytes of the user's: the flags, two fields of the control
# No range is checked to the byte: a page that nobody has lies behind, or mvcos finds out.
UNRANGED = ("x86_64", "s390x")


@pytest.fixture(scope="session")
def built(tree_6_12: Path) -> Mapping[tuple[str, str], Sample]:
    """Return the function by architecture and style."""
    found = samples(tree_6_12, ARCHES, ("fieldwise", "window", "structcopy"))
    return {(one.arch, one.style): one for one in found}


def runs(built: Mapping[tuple[str, str], Sample], arch: str, style: str) -> tuple[Pair, ...]:
    """Return all pairs of runs of the function as it stands and in `style`."""
    before, after = built[arch, "fieldwise"], built[arch, style]
    leaves = Leaves(Prototypes(Path(before.trial.build.path or "").read_bytes()))
    both = Variants(
        function=FUNCTION,
        before=Emulator(before.image),
        after=Emulator(after.image),
        bits=32,
        namings=(Naming(before.image, {}, leaves), Naming(after.image, {}, leaves)),
        ways={},
    )
    given = (busy(before, flags) for flags in FLAGS)
    return tuple(
        pair
        for one in given
        for pair in pairs(both, one, lambda _: 132, lambda _: 132, thorough=True)
    )


def busy(sample: Sample, flags: int) -> Input:
    """Return an input whose every user byte is told from zero, so that padding shows."""
    content = bytearray(byte or 0xA0 + at % 16 for at, byte in enumerate(sample.given.user[0][1]))
    content[:4] = flags.to_bytes(4, "big" if sample.image.big else "little")
    return replace(sample.given, user=((USER, bytes(content)),))


@pytest.mark.parametrize("arch", ARCHES)
def test_a_window_does_the_same_but_for_its_range(
    built: Mapping[tuple[str, str], Sample], arch: str
) -> None:
    made = runs(built, arch, "window")
    said = judge(Evidence(pairs=made, declared=built[arch, "window"].declared))
    assert said.outcome is Outcome.PASS, said.why
    assert said.why.startswith(f"{len(made)} calls")
    bare = judge(Evidence(pairs=made))
    if arch in UNRANGED:
        assert bare.outcome is Outcome.PASS
    else:
        where = "when the pointer stands 76 bytes before the end of user space"
        assert bare.why == f"{where}: it returns -14, not 0"


@pytest.mark.parametrize("arch", ARCHES)
def test_a_struct_copy_differs_in_what_it_declares(
    built: Mapping[tuple[str, str], Sample], arch: str
) -> None:
    made = runs(built, arch, "structcopy")
    said = judge(Evidence(pairs=made, declared=built[arch, "structcopy"].declared))
    assert said.outcome is Outcome.PASS, said.why
    bare = judge(Evidence(pairs=made))
    # The pad of the status, behind its state.
    assert bare.why == f"when nothing faults: the user's byte at {USER + 8:#x} is 0x00, not 0xa8"


@pytest.mark.parametrize("arch", ARCHES)
def test_every_access_and_every_byte_is_met(
    built: Mapping[tuple[str, str], Sample], arch: str
) -> None:
    made = runs(built, arch, "window")
    plain = [pair for pair in made if pair.what == "nothing faults"]
    assert len(plain) == len(FLAGS)
    assert {pair.before.result for pair in plain} == {0}
    faults = sum("faults" in pair.what for pair in made) - len(plain)
    guarded = sum(one.step >= 0 for pair in plain for one in pair.before.accesses)
    assert faults == 2 * guarded
    assert (
        sum("user memory ends" in pair.what for pair in made) == len(FLAGS) * 133
    )  # behind none of its bytes, and behind all
    assert sum("is another" in pair.what for pair in made) == len(FLAGS) * len(READ)
    assert any(pair.after.faults for pair in made)


# Sentences of which no run of ours shows anything.
UNSEEN = (
    "Behind the range check of ",  # speculation
    "A copy of more than INT_MAX bytes ",
    "The bytes of struct ",  # another thread would have to change them
)


@pytest.mark.parametrize("style", replay.STYLES)
def test_every_sentence_that_a_page_declares_permits_something(style: str) -> None:
    page = Path(uaccel.styles.__file__ or "").with_name(f"{style}.md").read_text()
    blocks = (block for case in cases(page) for block in case.of("differences"))
    for sentence in (line for block in blocks for line in block.text.splitlines()):
        known = any(re.match(how, sentence) for how in (BOTH, *(one.pattern for one in PERMITS)))
        assert known != sentence.startswith(UNSEEN), sentence
