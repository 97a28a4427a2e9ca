# SPDX-License-Identifier: GPL-2.0-only
"""C for the tests, written for them in the kernel's idiom; and a generator of more of it."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

MIXED = """\
// get_user(comment, nothing)
/* put_user(comment, nothing) */
#define lamp_get_flags(x, p) get_user(x, &(p)->flags)
#define LAMP_BOTH(a, b, p)				\\
	(get_user(a, &(p)->level) ||			\\
	 get_user(b, &(p)->flags))

static const char *name = "put_user(\\"string\\", x)";

static int chain(struct lamp *lamp, struct lamp_sync __user *arg)
{
	if (get_user(lamp->level, &arg->level) || /* why */
	    get_user(lamp->flags, &arg->flags))
		return -EFAULT;
	if (LAMP_BOTH(lamp->level, lamp->flags, arg))
		return -EFAULT;
	return lamp_get_flags(lamp->flags, arg);
}

static int shapes(struct lamp *lamp, struct lamp_sync __user *arg, void __user *any)
{
	int err = get_user(lamp->level, &arg->level);

	err |= put_user(lamp->flags, &arg->flags);
	if (err) return -EFAULT; else err = put_user(0, &arg->flags);
	while (!get_user(lamp->level, &arg->level) && lamp->level)
		err = copy_to_user(any, lamp, sizeof(*lamp)) ? -EFAULT : 0;
	if (get_user(lamp->level, &arg->level) ||
#ifdef CONFIG_LAMP_FLAGS
	    get_user(lamp->flags, &arg->flags) ||
#endif
	    get_user(lamp->colour, &arg->colour))
		return -EFAULT;
	switch (err) {
	case 0 ... 3:
		if (clear_user(arg, sizeof(*arg)))
			return -EFAULT;
		break;
	default:
		return put_user(err, &arg->err);
	}
	return 0;
}

SYSCALL_DEFINE2(lamp, int, fd, struct lamp_sync __user *, arg)
{
	scoped_guard(mutex, &lamp_lock)
		return __put_user(fd, &arg->fd) ? -EFAULT : 0;
	if (!user_write_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_put_user(fd, &arg->fd, fault);
	unsafe_put_user(0, &arg->flags, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	unsafe_get_user(fd, &arg->fd, fault);
	return -EFAULT;
}
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A generated function and what a reader must find in it."""

    text: bytes
    transfers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    # per cluster: "get_user" or "put_user", and value and pointer of each access, in order


FIELDS = ("level", "flags", "now.colour", "now.on", "state.when.tv_sec")
VALUES = ("a", "lamp->level", "state.when", "table[2]", "x.y.z")
TYPES = ("", "", "(unsigned __user *)", "(u32 __user *)")
GAPS = (
    "",
    "\tlamp_reset(lamp);\n",
    "\t/* get_user(x, y) is only talked of */\n\ta++;\n",
    "\tscoped_guard(spinlock_irq, &lamp->lock) {\n\t\tlamp->level = a;\n\t}\n",
    "\tfor (a = 0; a < 3; a++)\n\t\tlamp_step(lamp, a);\n",
    "\tif (a)\n\t\tgoto read_fault;\n",
    "\tguard(mutex)(&lamp->lock);\n",
)
SIGNATURES = (
    "static int f(struct lamp *lamp, struct lamp_sync __user *arg)",
    "int f(struct lamp *lamp,\n      const struct lamp_sync __user *arg)",
    "SYSCALL_DEFINE2(f, int, a, struct lamp_sync __user *, arg)",
    "COMPAT_SYSCALL_DEFINE1(f, struct lamp_sync __user *, arg)",
)
ENDS = ("\treturn 0;\n}\n", "\n\treturn a;\n}\n", "\treturn 0;\nread_fault:\n\treturn -EIO;\n}\n")


@st.composite
def accesses(draw: st.DrawFn, accessor: str) -> tuple[str, str]:
    """Draw value and pointer of one access of `arg`."""
    field = draw(st.sampled_from(FIELDS))
    pointer = f"{draw(st.sampled_from(TYPES))}&arg->{field}"
    value = draw(st.sampled_from(VALUES if accessor == "get_user" else (*VALUES, "0", "a + 1")))
    return value, pointer


@st.composite
def functions(draw: st.DrawFn) -> Sample:
    """Draw a function with one to three chains, with other statements between them."""
    lines = ["/* before */\n", draw(st.sampled_from(SIGNATURES)), "\n{\n\tint a = 0;\n\n"]
    transfers = []
    for _ in range(draw(st.integers(1, 3))):
        accessor = draw(st.sampled_from(("get_user", "put_user")))
        made = tuple(draw(st.lists(accesses(accessor), min_size=2, max_size=5)))
        deep = draw(st.booleans())
        tab = "\t\t" if deep else "\t"
        joined = f" ||\n{tab}    ".join(f"{accessor}({value}, {at})" for value, at in made)
        chain = f"{tab}if ({joined})\n{tab}\treturn -EFAULT;\n"
        lines += [f"\tif (a) {{\n{chain}\t}}\n" if deep else chain, "\ta = 1;\n"]
        lines.append(draw(st.sampled_from(GAPS)))
        transfers.append((accessor, made))
    lines += [draw(st.sampled_from(ENDS)), "\nint after;\n"]
    text = "".join(lines)
    if draw(st.booleans()):  # the last chain right before the last return
        text = text.replace("\ta = 1;\n\treturn", "\treturn")
    return Sample(text.encode(), tuple(transfers))
