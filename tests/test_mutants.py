# SPDX-License-Identifier: GPL-2.0-only
"""The mistakes people made in windows, made again: each is noticed, the historical one too."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.frames import frames
from corpus.mistakes import MISTAKES, Mutant, mutants
from corpus.mutants import judged
from corpus.mutated import Fate, Subject, answers, mutated, written
from tests.replay import ARCHES
from uaccel.flow.bench import Bench, attempt, set_up
from uaccel.flow.drafts import Draft, as_it_is, draft
from uaccel.flow.ground import Ground
from uaccel.flow.prove import prove
from uaccel.flow.remake import MORE
from uaccel.flow.targets import Target, load
from uaccel.host.kbuild import object_of
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import open_tree
from uaccel.model.judgement import Outcome
from uaccel.model.machine import Arch

SEED = "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat"
CMSG = "net/core/scm.c:put_cmsg"
POINT = """\
static int toy_point(struct toy *toy, struct point __user *p)
{
	struct point at;

	if (!user_read_access_begin(p, sizeof(*p)))
		return -EFAULT;
	unsafe_get_user(at.x, &p->x, read_fault);
	unsafe_get_user(at.y, &p->y, read_fault);
	user_read_access_end();
	toy_move(toy, &at);
	if (!user_write_access_begin(p, sizeof(*p))) {
		toy->lost++;
		return -EFAULT;
	}
	unsafe_put_user(toy->x, &p->x, write_fault);
	unsafe_put_user(toy_y(toy, at.y), &p->y,
			write_fault);
	unsafe_put_user(toy->z, &p->z, write_fault);
	user_write_access_end();
	return 0;

read_fault:
	user_read_access_end();
	return -EFAULT;

write_fault:
	user_write_access_end();
	return -EFAULT;
}
"""
# Of the seed's function, on machines of which one checks ranges to the byte.
NOTICED = (
    *("swapped values", "wrong value", "range of the pointer", "closed although begin failed"),
    "call in the window",
)


def test_a_window_is_seen_with_its_ends_and_its_label() -> None:
    reads, writes = frames(POINT)
    assert (reads.label, writes.label) == ("read_fault", "write_fault")
    assert [len(one.accesses) for one in (reads, writes)] == [2, 3]
    assert [quote(one.arguments[0].start, one.arguments[0].end) for one in writes.accesses] == [
        *("toy->x", "toy_y(toy, at.y)", "toy->z")
    ]
    for one in (reads, writes):
        assert one.end is not None and one.fault is not None
        assert one.end.span.start < one.fault.span.start
    assert quote(writes.leave.start, writes.leave.end).endswith("return -EFAULT;\n\t}")


def quote(start: int, end: int) -> str:
    """Return that part of our function."""
    return POINT[start:end]


@pytest.mark.parametrize("mistake", [one.name for one in MISTAKES])
def test_each_mistake_changes_a_window(mistake: str) -> None:
    """Each mutant is another text, wrong from the line that it names on, with its braces."""
    made = [one for one in mutants(POINT) if one.mistake == mistake]
    assert made
    for one in made:
        assert one.text != POINT
        old, new = POINT.splitlines(), one.text.splitlines()
        assert old[: one.line] == new[: one.line] and old[one.line] != new[one.line]
        assert one.text.count("{") == one.text.count("}")
        assert one.text.count("(") == one.text.count(")")


def test_no_two_mutants_are_alike() -> None:
    texts = [one.text for one in mutants(POINT)]
    assert len(texts) == len(set(texts)) > 100


def test_the_stored_length_is_the_one_that_was_cut() -> None:
    """The historical mistake is among those that are made: another value in its place."""
    (one,) = (
        one
        for one in mutants(POINT)
        if "unsafe_put_user(toy->z, &p->x" in one.text and one.text.count("toy->z") == 2
    )
    assert one.mistake == "wrong value"


def test_a_text_without_a_window_has_no_mutants() -> None:
    assert mutants("int f(int __user *p)\n{\n\treturn put_user(1, p);\n}\n") == ()


def test_what_is_judged_is_a_table() -> None:
    row = "other order\tfs/a.c\tf\t7\tall\t{}\tbecause\n"
    head = "mistake\tfile\tfunction\tline\tarch\tjudged\twhy\n"
    assert judged(head + row.format("equivalent")) == {("other order", "fs/a.c", "f", "7")}
    assert judged(head + row.format("a hole")) == frozenset()


def ground(tree: Path, *arches: Arch) -> Ground:
    """Return the tree with the user's own store."""
    store = Store(cache_folder(os.environ))
    return Ground(open_tree(tree), store, os.environ, arches, "gcc", 2, lambda *_: None)


def bench(on: Ground, arch: Arch, target: Target) -> Bench:
    """Return the bench of `arch` for the object of `target`; a test without it is skipped."""
    made = set_up(on, arch, object_of(on.tree, target.path), (target,))
    if not isinstance(made, Bench):
        pytest.skip(made.why)
    return made


def test_the_length_that_put_cmsg_stored_is_noticed(tree_6_12: Path) -> None:
    """38ebcf5096a8 stored `len`; a day later e7ad33fa7bc5 said that it must be `cmlen`."""
    x86 = ARCHES["x86_64"]
    on = ground(tree_6_12, x86)
    (target,) = load(on.tree, (CMSG,))
    stands = as_it_is(target)
    at = bench(on, replace(x86, config=(*x86.config, *MORE)), target)
    old, new = (f"unsafe_put_user({name}, &cm->cmsg_len," for name in ("cmlen", "len"))
    assert old in written(stands)
    wrong = attempt(at, mutated(stands, written(stands).replace(old, new)))
    assert wrong.build.path is not None and not wrong.build.log
    (proof,) = prove(attempt(at, stands), (wrong,))
    said = proof.judgement
    assert said.outcome is Outcome.FAIL
    assert said.why.startswith("when nothing faults: the user's byte at ")
    # A header of 16 bytes lies before what is stored; the fourth argument is `len`.
    given = said.story[0].removeprefix("called with ").split(", ")
    stored = [line.rpartition("(")[2].rstrip(")") for line in said.story if "write of 8" in line]
    assert stored[1] == given[3] != stored[0]
    assert f"is {int(stored[1], 16) & 0xFF:#04x}, not {int(stored[0], 16) & 0xFF:#04x}" in said.why


def subject(made: Draft, names: tuple[str, ...], *benches: Bench) -> Subject:
    """Return the function with the first mutant of each of these mistakes."""
    stands = tuple((attempt(one, as_it_is(made.target)), attempt(one, made)) for one in benches)
    first: dict[str, Mutant] = {}
    for one in mutants(written(made)):
        first.setdefault(one.mistake, one)
    return Subject(made, stands, tuple(first[name] for name in names))


def test_mistakes_in_the_seeds_function_are_noticed(tree_6_12: Path) -> None:
    arches = tuple(ARCHES[name] for name in ("x86_64", "ppc8xx"))
    on = ground(tree_6_12, *arches)
    (target,) = load(on.tree, (SEED,))
    made = draft(target, "window", ())
    one = subject(made, NOTICED, *(bench(on, arch, target) for arch in arches))
    fates: dict[Mutant, set[Fate]] = {}
    for row in answers(on, (one,)):
        fates.setdefault(row.mutant, set()).add(row.fate)
    alive = [m.mistake for m, some in fates.items() if not any(fate.kills for fate in some)]
    assert alive == []


def test_a_window_that_checks_no_range_is_noticed_on_one_machine(tree_6_12: Path) -> None:
    """CVE-2017-5123 was that: a pointer of the kernel's led to memory that was there."""
    x86 = ARCHES["x86_64"]
    on = ground(tree_6_12, x86)
    (target,) = load(on.tree, (SEED,))
    made = draft(target, "window", ())
    (row,) = answers(on, (subject(made, ("range of nothing",), bench(on, x86, target)),))
    assert (row.fate, row.by) == (Fate.RUN, "same")
    assert "the pointer is the kernel's" in row.why
