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
IGNORED = """\
	u32 a = n;

	get_user(a, &arg->level);
	get_user(lamp->table[1], &arg->flags);
	lamp_tick(a);
	lamp->level = a;
	return 0;
}
"""
IGNORED_WINDOW = """\
	u32 a = n;

	if (!user_read_access_begin(arg, sizeof(*arg)))
		goto read_failed;
	unsafe_get_user(a, &arg->level, read_fault);
	unsafe_get_user(lamp->table[1], &arg->flags, read_fault);
	user_read_access_end();
	if (0) {
read_fault:
		user_read_access_end();
read_failed:
		a = 0;
	}
	lamp_tick(a);
	lamp->level = a;
	return 0;
}
"""
TWO = """\
	if (put_user(n, &arg->level) || put_user(n, &more->flags)) {
		lamp_tick(2);
		return -EFAULT;
	}
	return 0;
}
"""
TWO_WINDOW = """\
	if (!access_ok(more, sizeof(*more)) || !user_write_access_begin(arg, sizeof(*arg))) {
		lamp_tick(2);
		return -EFAULT;
	}
	unsafe_put_user(n, &arg->level, write_fault);
	unsafe_put_user(n, &more->flags, write_fault);
	user_write_access_end();
	return 0;

write_fault:
	user_write_access_end();
	lamp_tick(2);
	return -EFAULT;
}
"""
LEFT = """\
	int err;

	err = copy_to_user(&arg->now, lamp->table, sizeof(arg->now));
	if (err)
		return err;
	err = put_user(n, &arg->level);
	if (err)
		return err;
	return 0;
}
"""
LEFT_WINDOW = """\
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_copy_to_user(&arg->now, lamp->table, sizeof(arg->now), write_fault);
	unsafe_put_user(n, &arg->level, write_fault);
	user_write_access_end();
	return 0;

write_fault:
	user_write_access_end();
	return -EFAULT;
}
"""
HOLED = """\
	struct lamp_sync sync;

	sync.level = n;
	sync.now.colour = 7;
	if (put_user(sync.level, &arg->level) || put_user(sync.now.colour, &arg->now.colour))
		return -EFAULT;
	return 0;
}
"""
HOLED_COPY = """\
	struct lamp_sync sync;

	memset(&sync, 0, sizeof(sync));
	sync.level = n;
	sync.now.colour = 7;
	if (copy_to_user(arg, &sync, sizeof(sync)))
		return -EFAULT;
	return 0;
}
"""
WHOLE = (
    "The range check now covers all of `*arg`: a pointer whose object lies only in part within "
    "user space fails before the first access."
)
KEPT = "After a fault `lamp->level` may keep what it held; `get_user()` sets it to 0."
EVERY = (
    "Every pointer is checked before the first access: when a later one is bad, nothing is moved."
)
STOPS = "The first fault ends the accesses; those that follow were still made before."
NOUGHT = "After a fault `a` is 0, also when it was read before that."
KEPT_TOO = "After a fault `lamp->table[1]` may keep what it held; `get_user()` sets it to 0."
NUMBER = "After a fault of a copy `err` is -EFAULT instead of the number of bytes left."
LATER = "What `copy_to_user()` had copied before a fault may end in the middle of a field."
AT_ONCE = (
    "All of struct lamp_sync is checked at once: one that lies only in part within user space "
    "fails before the first byte."
)
PADDING = "The padding of struct lamp_sync is written as zero; field by field it was left alone."
READS_SAID = (WHOLE, KEPT, KEPT_TOO)
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
    ("another value for a bad range", "))\n\t\treturn -EFAULT", "))\n\t\treturn -EINVAL"),
    ("a bad range goes unnoticed", "))\n\t\treturn -EFAULT", "))\n\t\treturn 0"),
    ("a range of two objects", "sizeof(*arg)", "2 * sizeof(*arg)"),
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
    ("the clean-up twice", "out:\n\tlamp_tick(2);\n", "out:\n\tlamp_tick(2);\n\tlamp_tick(2);\n"),
    ("the clean-up of something else", "out:\n\tlamp_tick(2);", "out:\n\tlamp_tick(3);"),
    ("a bad range skips the clean-up", "))\n\t\tgoto out", "))\n\t\treturn -EFAULT"),
    ("a call made twice", "flags = lamp_next(n)", "flags = (lamp_next(n), lamp_next(n))"),
)
OTHER_MUTANTS = (
    ("not set to 0", "\t\ta = 0;\n", "\t\t;\n"),
    ("set to something else", "\t\ta = 0;\n", "\t\ta = 1;\n"),
    (
        "set to 0 unless the range is bad",
        "read_failed:\n\t\ta = 0;",
        "\t\ta = 0;\nread_failed:\n\t\t;",
    ),
    ("a fault leaves", "\t\ta = 0;\n", "\t\ta = 0;\n\t\treturn 0;\n"),
    ("what follows a fault is done twice", "\t\ta = 0;\n", "\t\ta = 0;\n\t\tlamp_tick(a);\n"),
    ("more set to 0", "\t\ta = 0;\n", "\t\ta = 0;\n\t\tlamp->table[2] = 0;\n"),
)
TWO_MUTANTS = (
    (
        "a bad pointer has no clean-up",
        "sizeof(*arg))) {\n\t\tlamp_tick(2);\n",
        "sizeof(*arg))) {\n",
    ),
    ("a bad pointer gives another value", "\t\treturn -EFAULT;\n", "\t\treturn -EINVAL;\n"),
    ("a check of two objects", "sizeof(*more)", "2 * sizeof(*more)"),
)
LEFT_MUTANTS = (
    (
        "half of the number left",
        "write_fault:\n\tuser_write_access_end();\n\treturn -EFAULT",
        "write_fault:\n\tuser_write_access_end();\n\treturn 1",
    ),
    ("less copied", "lamp->table, sizeof(arg->now)", "lamp->table, sizeof(u32)"),
)
HOLED_MUTANTS = (
    ("the stack is leaked", "\tmemset(&sync, 0, sizeof(sync));\n", ""),
    ("holes filled with ones", "&sync, 0,", "&sync, 1,"),
    ("a copy that goes on", "(arg, &sync, sizeof(sync))", "(arg, &sync, sizeof(sync) + 4)"),
)
TABLES = (
    (READS, READ_WINDOW, READ_MUTANTS, READS_SAID),
    (WRITES, WRITE_WINDOW, WRITE_MUTANTS, (WHOLE, HOISTED)),
    (IGNORED, IGNORED_WINDOW, OTHER_MUTANTS, (WHOLE, STOPS, NOUGHT, KEPT_TOO)),
    (TWO, TWO_WINDOW, TWO_MUTANTS, (WHOLE, EVERY)),
    (LEFT, LEFT_WINDOW, LEFT_MUTANTS, (WHOLE, NUMBER)),
    (HOLED, HOLED_COPY, HOLED_MUTANTS, (LATER, AT_ONCE, PADDING)),
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
    for before, window, table, said in TABLES:
        assert all(right in window for _, right, _ in table)
        wrong = [window.replace(right, other, 1) for _, right, other in table]
        right, *rest = told(before, [window, *wrong], said, folder).values()
        found[""] += right
        found |= {what: stories for (what, _, _), stories in zip(table, rest, strict=True)}
    return found


def test_right_windows_pass(mutants: dict[str, list[Story]]) -> None:
    assert not mutants[""]


@pytest.mark.parametrize("what", [row[0] for _, _, table, _ in TABLES for row in table])
def test_a_wrong_window_is_found_out(what: str, mutants: dict[str, list[Story]]) -> None:
    assert mutants[what]


@pytest.mark.parametrize("missing", READS_SAID)
def test_a_difference_that_is_not_declared_is_found_out(missing: str, tmp_path: Path) -> None:
    said = tuple(sentence for sentence in READS_SAID if sentence != missing)
    (found,) = told(READS, [READ_WINDOW], said, tmp_path).values()
    assert {story.what for story in found} == {"difference"}


def test_what_does_not_compile_is_told_and_the_others_run(tmp_path: Path) -> None:
    broken = READ_WINDOW.replace("lamp->level, &", "bulb, &")
    bad, good = told(READS, [broken, READ_WINDOW], READS_SAID, tmp_path).values()
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


def test_what_only_one_configuration_refuses_is_told(tmp_path: Path) -> None:
    """The second build has CONFIG_LAMP; what stands behind it must compile too."""
    nonsense = "#ifdef CONFIG_LAMP\n\tnonsense;\n#endif\n\treturn 0;"
    wrong = WRITE_WINDOW.replace("\treturn 0;", nonsense, 1)
    (stories,) = told(WRITES, [wrong], (WHOLE, HOISTED), tmp_path).values()
    assert [one.what for one in stories] == ["does not compile"]
