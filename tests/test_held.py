# SPDX-License-Identifier: GPL-2.0-only
"""A window that people wrote, unmade and made again: what the tree vouched for is kept."""

from __future__ import annotations

from pathlib import PurePosixPath

from uaccel.flow.drafts import Draft, draft
from uaccel.flow.targets import Target
from uaccel.model.dialect import Dialect
from uaccel.model.source import Source
from uaccel.paths import leaving_edges
from uaccel.read.csource import parse
from uaccel.read.reading import read_source

ALL = Dialect(True, True, True, True, True, (17, 0, 1))


def again(text: str, style: str = "window") -> Draft:
    """Return the one window of `text`, unmade and written in `style`."""
    reading = read_source(Source(PurePosixPath("case.c"), text.encode()))
    target = Target(reading, (), reading.functions[0], ALL)
    bare = draft(target, "fieldwise", ())
    assert bare.rewrites and "_access_begin" not in bare.text.decode()
    made = draft(bare.written, style, ())
    assert made.rewrites
    return made


def lines(made: Draft) -> list[str]:
    """Return the lines of a draft without white space around them."""
    return [line.strip() for line in made.text.decode().split("\n")]


LOOP = """static int f(struct lamp *lamp, struct lamp_pair __user *arg, unsigned int count)
{
	unsigned int i;

	if (!user_write_access_begin(arg, count * sizeof(*arg)))
		return -EFAULT;
	for (i = 0; i < count; i++, arg++) {
		unsafe_put_user(lamp_level(lamp, i), &arg->first, efault);
		unsafe_put_user(i, &arg->second, efault);
	}
	user_write_access_end();
	return 0;
efault:
	user_write_access_end();
	return -EFAULT;
}
"""


def test_a_loop_keeps_the_range_of_all_its_passes() -> None:
    made = lines(again(LOOP))
    assert made.count("if (!user_write_access_begin(arg, count * sizeof(*arg)))") == 1
    assert made.index("for (i = 0; i < count; i++, arg++) {") > made.index(
        "if (!user_write_access_begin(arg, count * sizeof(*arg)))"
    )
    assert "unsafe_put_user(lamp_level(lamp, i), &arg->first, write_fault);" in made
    assert not any("access_ok(" in line for line in made)


def test_what_was_in_no_window_gets_none_for_that() -> None:
    text = LOOP.replace(
        "	unsigned int i;\n", "	unsigned int i;\n\n	lamp_tick(lamp);\n	count++;\n"
    )
    made = lines(again(text))
    assert made.index("count++;") < made.index(
        "if (!user_write_access_begin(arg, count * sizeof(*arg)))"
    )


def test_a_range_that_changes_within_is_that_of_its_begin() -> None:
    text = LOOP.replace("	for (i", "	count /= 2;\n	for (i")
    made = lines(again(text))
    begin = made.index("if (!user_write_access_begin(arg, count * sizeof(*arg)))")
    assert begin < made.index("count /= 2;")


def test_a_copy_of_any_size_stays_in_the_window() -> None:
    made = again(
        """static int f(struct lamp *lamp, struct lamp_name __user *arg, unsigned int size)
{
	if (!user_write_access_begin(arg, size))
		goto out;
	unsafe_put_user(lamp->level, &arg->level, efault);
	unsafe_copy_to_user(arg->name, lamp->name, size - sizeof(*arg), efault);
	user_write_access_end();
	return 0;
efault:
	user_write_access_end();
out:
	return -EFAULT;
}
"""
    )
    assert len([line for line in lines(made) if "unsafe_copy_to_user(" in line]) == 1
    # The landing falls into the label that the failed begin goes to.
    assert lines(made)[-7:-2] == [
        "return 0;",
        "write_fault:",
        "user_write_access_end();",
        "out:",
        "return -EFAULT;",
    ]


def test_a_failed_begin_leaves_as_it_left() -> None:
    text = LOOP.replace(
        "sizeof(*arg)))\n		return -EFAULT", "sizeof(*arg)))\n		return count"
    )
    made = lines(again(text))
    at = made.index("if (!user_write_access_begin(arg, count * sizeof(*arg)))")
    assert made[at + 1] == "return count;"


def test_two_windows_are_not_joined() -> None:
    made = lines(
        again(
            """static int f(struct lamp *lamp, struct lamp_pair __user *arg, u32 __user *more)
{
	if (put_user(lamp->flags, more))
		return -EFAULT;
	if (!arg)
		return 0;
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_put_user(lamp->level, &arg->first, efault);
	unsafe_put_user(0, &arg->second, efault);
	user_write_access_end();
	return 0;
efault:
	user_write_access_end();
	return -EFAULT;
}
"""
        )
    )
    assert made.index("if (!arg)") < made.index("if (!user_write_access_begin(arg, sizeof(*arg)))")


def test_no_landing_leaves_a_guard() -> None:
    text = b"""static int f(struct lamp *lamp, struct lamp_pair __user *arg)
{
	scoped_guard(mutex, &lamp->lock) {
		if (put_user(lamp->level, &arg->first) || put_user(0, &arg->second))
			goto out;
	}
	return 0;
out:
	return -EFAULT;
}
"""
    reading = read_source(Source(PurePosixPath("case.c"), text))
    made = draft(Target(reading, (), reading.functions[0], ALL), "window", ())
    found = lines(made)
    assert found.index("user_write_access_end();", found.index("write_fault:")) < found.index(
        "return 0;"
    )


def test_assembler_with_macros_in_its_template_parses() -> None:
    text = b"""static int f(u32 __user *p)
{
	asm volatile("1: nop\\n2:\\n" _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0)
		: "+r" (err) : "m" (*p));
	return 0;
}
"""
    assert not parse(text).has_error


def test_a_jump_that_only_a_fault_takes_is_no_way_on() -> None:
    edges = ((1,), (2, 4), (3,), (), (3,))
    own = frozenset((0, 1, 2, 3))
    assert leaving_edges(edges, own, frozenset((1,)), frozenset()) == {(1, 4)}
    assert leaving_edges(edges, own, frozenset(), frozenset((2,))) == {(1, 2)}
    assert not leaving_edges(edges, own, frozenset(), frozenset())


def test_what_is_read_before_the_check_is_said() -> None:
    made = again(
        """static int f(struct lamp *lamp, struct lamp_sync __user *arg)
{
	u32 level;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(level, &arg->level, efault);
	unsafe_put_user(level + 1, &arg->level, efault);
	unsafe_put_user(0, &arg->flags, efault);
	user_access_end();
	return 0;
efault:
	user_access_end();
	return -EFAULT;
}
"""
    )
    assert "if (get_user(level, &arg->level))" in lines(made)
    said = [text for one in made.rewrites for text in one.differences]
    assert any(text.startswith("The range check now covers all of") for text in said)


NAMESAKE = b"""\
static int lamp_turn(struct lamp *lamp, struct lamp_sync __user *arg, u32 *out)
{
	if (!user_access_begin(arg, sizeof(*arg)))
		goto out;
	unsafe_get_user(*out, &arg->mode, fault);
	unsafe_put_user(lamp->on, &arg->on, fault);
	unsafe_put_user(lamp->off, &arg->off, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
out:
	return -EINVAL;
}
"""


def test_a_label_that_went_with_its_window_is_not_a_parameter_of_its_name() -> None:
    reading = read_source(Source(PurePosixPath("lamp.c"), NAMESAKE))
    bare = draft(Target(reading, (), reading.functions[0]), "fieldwise", ()).written
    made = draft(bare, "window", ())
    assert made.rewrites
    assert b"goto out;" not in made.text


OVER_A_BLOCK = """static int f(struct lamp *lamp, struct lamp_pair __user *arg, unsigned int count)
{
	int i, ret = -EFAULT;

	scoped_user_write_access_size(arg, count * sizeof(*arg), out) {
		struct lamp_pair __user *to = arg;

		for (i = 0; i < count; i++, to++) {
			unsafe_put_user(lamp->level, &to->first, out);
			unsafe_put_user(i, &to->second, out);
		}
	}
	ret = 0;
out:
	return ret;
}
"""


def test_a_scope_takes_the_place_of_the_block_that_declares_its_other_pointer() -> None:
    made = again(OVER_A_BLOCK, "scoped")
    assert made.text.decode() == OVER_A_BLOCK
    # What is worked out otherwise is not the pointer that the scope masks.
    other = OVER_A_BLOCK.replace("to = arg;", "to = arg + lamp_next(lamp);")
    assert "scoped_user_write_access(to, out) {" in lines(again(other, "scoped"))


ALIAS = """static int lamp_levels(struct lamp *lamp, struct lamp_sync __user *arg, u32 count)
{
	u32 i;

	scoped_user_write_access_size(arg, count * sizeof(*arg), efault) {
		struct lamp_sync __user *_arg = arg;

		for (i = 0; i < count; i++, _arg++)
			unsafe_put_user(lamp->level, &_arg->level, efault);
	}
	return 0;
efault:
	return -EFAULT;
}
"""


def test_no_masked_begin_vouches_for_another_name_of_its_pointer() -> None:
    begin = "if (!user_write_access_begin(arg, count * sizeof(*arg)))"
    assert begin in lines(again(ALIAS))
    # Behind a begin that masks arg, _arg must be made of that.
    scoped = again(ALIAS, "scoped").text.decode()
    assert scoped.index("scoped_user_write_access_size(arg, ") < scoped.index("_arg = arg;")
    alone = ALIAS.replace("\t\tstruct lamp_sync __user *_arg = arg;\n\n", "")
    alone = alone.replace("u32 i;\n", "struct lamp_sync __user *_arg = arg;\n\tu32 i;\n")
    reading = read_source(Source(PurePosixPath("case.c"), alone.encode()))
    bare = draft(Target(reading, (), reading.functions[0], ALL), "fieldwise", ()).written
    assert not draft(bare, "scoped", ()).rewrites
