# SPDX-License-Identifier: GPL-2.0-only
"""Generated functions do the same in every style, whatever faults; and wrong ones are found out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.generated_cases import run_batch, write
from tests.generator import Case, Part
from tests.permits import permits
from tests.run_generated import Outcome, Story, Trial, Variant, execute
from tests.windows import SHAPES, case

Found = dict[int, list[Story]]
CASES = 240  # `python -m tests.generated_cases --cases 10000` takes minutes
SEED = 20261123
STRUCTS = """\
struct lamp_level {
	u32 bright;
	u32 colour;
};
struct lamp_sync {
	u32 level;
	u32 flags;
	struct lamp_level now;
};
struct lamp {
	u32 level;
	u32 table[4];
	int lock;
};

"""
HEAD = (
    "static int lamp_ioctl(struct lamp *lamp, struct lamp_sync __user *arg,\n"
    "\t\t      struct lamp_sync __user *more, u32 *out, u32 n)\n{\n"
)
READS = """\
	if (get_user(lamp->level, &arg->level) || get_user(lamp->table[1], &arg->now.colour))
		return -EFAULT;
	lamp_tick(lamp->level);
	return 0;
}
"""
READ_WINDOW = """\
	if (!user_read_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(lamp->level, &arg->level, read_fault);
	unsafe_get_user(lamp->table[1], &arg->now.colour, read_fault);
	user_read_access_end();
	lamp_tick(lamp->level);
	return 0;

read_fault:
	user_read_access_end();
	return -EFAULT;
}
"""
WRITES = """\
	if (put_user(lamp->level, &arg->level) || put_user(lamp_next(n), &arg->flags) ||
		put_user(7, &arg->now.colour))
		goto out;
	lamp_tick(1);
	return 0;
out:
	lamp_tick(2);
	return -EFAULT;
}
"""
WRITE_WINDOW = """\
	u32 flags = lamp_next(n);

	if (!user_write_access_begin(arg, sizeof(*arg)))
		goto out;
	unsafe_put_user(lamp->level, &arg->level, write_fault);
	unsafe_put_user(flags, &arg->flags, write_fault);
	unsafe_put_user(7, &arg->now.colour, write_fault);
	user_write_access_end();
	lamp_tick(1);
	return 0;

write_fault:
	user_write_access_end();
out:
	lamp_tick(2);
	return -EFAULT;
}
"""
WHOLE = (
    "The range check now covers all of `*arg`: a pointer whose object lies only in part within "
    "user space fails before the first access."
)
KEPT = "After a fault `lamp->level` may keep what it held; `get_user()` sets it to 0."
HOISTED = "Calls in the arguments are made before the first access, also when that one fails."
END = "\tuser_read_access_end();\n"
WRITE_END = "\tuser_write_access_end();\n"
BEGIN = "\tif (!user_write_access_begin(more, sizeof(*more)))\n\t\tgoto out;\n"
MORE = "\tunsafe_get_user(n, &arg->flags, read_fault);\n"
WRONG = "if (get_user(lamp->table[1], &arg->now.colour))\n\t\tgoto read_fault"

# What people have got wrong, or nearly: what stands in the right window, and in the wrong one.
READ_MUTANTS = (
    ("fields swapped", "&arg->level, read", "&arg->flags, read"),
    ("targets swapped", "(lamp->level, &", "(lamp->table[2], &"),
    ("no end on success", f"{END}\tlamp_tick", "\tlamp_tick"),
    ("no end on a fault", f"{END}\treturn -EFAULT", "\treturn -EFAULT"),
    ("end after a begin that failed", "))\n\t\treturn -EFAULT", "))\n\t\tgoto read_fault"),
    ("begin inverted", "if (!user", "if (user"),
    ("the size of the pointer", "sizeof(*arg)", "sizeof(arg)"),
    ("the other pointer checked", "begin(arg, sizeof(*arg))", "begin(more, sizeof(*more))"),
    ("mode of the other direction", "user_read_access_begin", "user_write_access_begin"),
    ("a call inside", "\tunsafe_get_user(lamp->t", "\tlamp_tick(3);\n\tunsafe_get_user(lamp->t"),
    (
        "an ordinary accessor",
        "unsafe_get_user(lamp->table[1], &arg->now.colour, read_fault)",
        WRONG,
    ),
    ("another value returned", "\treturn -EFAULT;\n}", "\treturn -EINVAL;\n}"),
    ("an access after the end", f"{END}\tlamp", f"{END}{MORE}\tlamp"),
)
WRITE_MUTANTS = (
    ("an access dropped", "\tunsafe_put_user(flags, &arg->flags, write_fault);\n", ""),
    ("a wrong value", "(7, ", "(8, "),
    ("a wrong label", "&arg->flags, write_fault)", "&arg->flags, out)"),
    ("another order", "(lamp->level, &arg->level,", "(7, &arg->now.colour,"),
    ("a narrower store", "&arg->flags, write", "(u16 __user *)&arg->flags, write"),
    ("the clean-up left out", "out:\n\tlamp_tick(2);\n", "out:\n"),
    ("two ends", f"{WRITE_END}out", f"{WRITE_END}{WRITE_END}out"),
    ("a window inside", "\tunsafe_put_user(7", f"{BEGIN}\tunsafe_put_user(7"),
)


def told(before: str, after: Sequence[str], sentences: tuple[str, ...], folder: Path) -> Found:
    """Return what is wrong with each of `after` as another way to write `before`."""
    made = Case(1, (Part("by hand", 1, 99),), STRUCTS + HEAD + before, 16, ())
    texts = (STRUCTS + HEAD + text for text in after)
    variants = tuple(Variant(f"hand{at}", text, sentences) for at, text in enumerate(texts))
    found: Found = {at: [] for at in range(len(variants))}
    for story in execute((Trial(made, variants),), folder).stories:
        found[int(story.variant.removeprefix("hand"))].append(story)
    return found


@pytest.fixture(scope="module")
def mutants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Story]]:
    """Return what is wrong with each mutant, by what was done to it; "" is the right one."""
    folder = tmp_path_factory.mktemp("mutants")
    found: dict[str, list[Story]] = {"": []}
    for before, window, table, said in (
        (READS, READ_WINDOW, READ_MUTANTS, (WHOLE, KEPT)),
        (WRITES, WRITE_WINDOW, WRITE_MUTANTS, (WHOLE, HOISTED)),
    ):
        assert all(right in window for _, right, _ in table)
        wrong = [window.replace(right, other, 1) for _, right, other in table]
        right, *rest = told(before, [window, *wrong], said, folder).values()
        found[""] += right
        found |= {what: stories for (what, _, _), stories in zip(table, rest, strict=True)}
    return found


def test_right_windows_pass(mutants: dict[str, list[Story]]) -> None:
    assert not mutants[""]


@pytest.mark.parametrize("what", [row[0] for row in (*READ_MUTANTS, *WRITE_MUTANTS)])
def test_a_wrong_window_is_found_out(what: str, mutants: dict[str, list[Story]]) -> None:
    assert mutants[what]


@pytest.mark.parametrize("missing", [WHOLE, KEPT])
def test_a_difference_that_is_not_declared_is_found_out(missing: str, tmp_path: Path) -> None:
    said = tuple(sentence for sentence in (WHOLE, KEPT) if sentence != missing)
    (found,) = told(READS, [READ_WINDOW], said, tmp_path).values()
    assert {story.what for story in found} == {"difference"}


def test_what_does_not_compile_is_told_and_the_others_run(tmp_path: Path) -> None:
    broken = READ_WINDOW.replace("lamp->level, &", "bulb, &")
    bad, good = told(READS, [broken, READ_WINDOW], (WHOLE, KEPT), tmp_path).values()
    assert [story.what for story in bad] == ["does not compile"]
    assert "bulb" in bad[0].text
    assert not good


def test_a_sentence_that_nobody_has_judged_fails(tmp_path: Path) -> None:
    ((story,),) = told(READS, [READ_WINDOW], (WHOLE, "The moon is full."), tmp_path).values()
    assert story.what == "an unknown sentence"
    with pytest.raises(KeyError):
        permits(("The moon is full.",))


def test_a_case_depends_on_its_seed_alone() -> None:
    assert [case(seed) for seed in range(40)] == [case(seed) for seed in range(40)]
    assert len({case(seed).text for seed in range(40)}) == 40


def test_every_shape_is_c_that_keeps_the_rules_itself(tmp_path: Path) -> None:
    trials = [
        Trial(case(100 * at + seed, shape), ())
        for at, shape in enumerate(SHAPES)
        for seed in range(8)
    ]
    made: Outcome = execute(trials, tmp_path)
    assert not made.stories, made.stories[0].text
    assert made.runs > 20 * made.skipped


@pytest.mark.parametrize("part", range(3))
def test_generated_functions_do_the_same_in_every_style(part: int) -> None:
    number = CASES // 3
    made = run_batch(range(SEED + part * number, SEED + (part + 1) * number))
    told = [
        f"seed {one.seed}, {one.variant}: {one.what}\n{one.text}" for one in made.outcome.stories
    ]
    assert not told, "\n\n".join(told[:3])
    assert made.variants and made.outcome.runs


def test_some_of_every_style_is_written() -> None:
    writings = [write(case(seed)) for seed in range(SEED, SEED + 120)]
    styles = {style for one in writings for _, style, came in one.rows if came == "written"}
    assert {"fieldwise", "structcopy", "window"} <= styles
