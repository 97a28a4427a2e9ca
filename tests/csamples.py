# SPDX-License-Identifier: GPL-2.0-only
"""C for the tests, written for them in the kernel's idiom; and a generator of more of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

MIXED = (Path(__file__).parent / "samples" / "shapes.c").read_bytes()


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
    "\tif (a > 5)\n\t\tgoto read_fault;\n",
    "\tguard(mutex)(&lamp->lock);\n",
)
SIGNATURES = (
    "static int f(struct lamp *lamp, struct lamp_sync __user *arg)",
    "int f(struct lamp *lamp,\n      const struct lamp_sync __user *arg)",
    "SYSCALL_DEFINE2(f, int, fd, struct lamp_sync __user *, arg)",
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
    """Draw a function with one to three chains, with a call between them."""
    lines = ["/* before */\n", draw(st.sampled_from(SIGNATURES)), "\n{\n\tint a = 1;\n\n"]
    transfers = []
    for _ in range(draw(st.integers(1, 3))):
        accessor = draw(st.sampled_from(("get_user", "put_user")))
        made = tuple(draw(st.lists(accesses(accessor), min_size=2, max_size=5)))
        deep = draw(st.booleans())
        tab = "\t\t" if deep else "\t"
        joined = f" ||\n{tab}    ".join(f"{accessor}({value}, {at})" for value, at in made)
        chain = f"{tab}if ({joined})\n{tab}\treturn -EFAULT;\n"
        lines += [f"\tif (a) {{\n{chain}\t}}\n" if deep else chain, "\tlamp_tick();\n"]
        lines.append(draw(st.sampled_from(GAPS)))
        transfers.append((accessor, made))
    jumps = "goto read_fault" in "".join(lines)
    lines += [ENDS[-1] if jumps else draw(st.sampled_from(ENDS)), "\nint later;\n"]
    text = "".join(lines)
    if draw(st.booleans()):  # the last chain right before the last return
        text = text.replace("\tlamp_tick();\n\treturn", "\treturn")
    return Sample(text.encode(), tuple(transfers))
