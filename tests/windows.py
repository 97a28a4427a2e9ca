# SPDX-License-Identifier: GPL-2.0-only
"""Windows as people have written them, and whole cases made of every shape."""

from __future__ import annotations

import random

from tests.generator import Case, Part, Pen, declarations, indented, new_pen
from tests.shapes import EVERY, Shape

_WORDS = {"get": "read", "put": "write"}


def window(pen: Pen) -> list[str]:
    """Return a window whose label stands at the end of the function."""
    way = pen.way()
    word = _WORDS[way]
    label = pen.label((f"user_{word}_access_end();", "return -EFAULT;"))
    begin = f"if (!user_{word}_access_begin(arg, sizeof(*arg)))"
    return [begin, "\treturn -EFAULT;", *pen.inside(way, label), f"user_{word}_access_end();"]


def window_below(pen: Pen) -> list[str]:
    """Return a window that shares its label with code that jumps over it."""
    way = pen.way()
    word = _WORDS[way]
    label = f"done{sum(name.startswith('done') for name in pen.labels)}"
    pen.labels.append(label)
    inside = pen.inside(way, label)
    return [
        *(f"if (!user_{word}_access_begin(arg, sizeof(*arg)))", "\treturn -EFAULT;", *inside),
        *(f"user_{word}_access_end();", "if (0) {", f"{label}:"),
        *(f"\tuser_{word}_access_end();", f"\t{pen.leave()}", "}"),
    ]


def window_else(pen: Pen) -> list[str]:
    """Return a window in the branch that its begin opens."""
    way = pen.way()
    word = _WORDS[way]
    label = pen.label((f"user_{word}_access_end();", "lamp_tick(6);", "return -EFAULT;"))
    inner = [*pen.inside(way, label), f"user_{word}_access_end();"]
    begin = f"if (user_{word}_access_begin(arg, sizeof(*arg))) {{"
    return [begin, *indented(inner), "} else {", "\treturn -EFAULT;", "}"]


def window_both(pen: Pen) -> list[str]:
    """Return a window for reading and writing."""
    label = pen.label(("user_access_end();", "return -EFAULT;"))
    inner = [*pen.inside("get", label, 1, 2), *pen.inside("put", label, 1, 2)]
    begin = "if (!user_access_begin(arg, sizeof(*arg)))"
    return [begin, f"\t{pen.leave()}", *inner, "user_access_end();"]


def window_loop(pen: Pen) -> list[str]:
    """Return a window around a loop."""
    if "table" not in pen.members:
        return window(pen)
    way = pen.way()
    word = _WORDS[way]
    label = pen.label((f"user_{word}_access_end();", "return -EFAULT;"))
    begin = f"if (!user_{word}_access_begin(arg, sizeof(*arg)))"
    inner = f"\tunsafe_{way}_user(lamp->table[i], &arg->table[i], {label});"
    loop = ["for (i = 0; i < 4; i++)", inner]
    return [begin, "\treturn -EFAULT;", *loop, f"user_{word}_access_end();"]


def macro(pen: Pen) -> list[str]:
    """Return the form that was merged for SYNC_PTR: a statement expression with its own labels."""
    way = pen.way()
    word = _WORDS[way]
    name = f"lamp_{way}_fields{len(pen.above)}"
    at = [pen.place("arg")[0].replace("arg", "__arg") for _ in range(2)]
    rows = [f"unsafe_{way}_user(__{i}, {place}, failed);" for i, place in enumerate(at)]
    kernel = [pen.pick(("lamp->level", "lamp->table[1]", "lamp->time")) for _ in range(2)]
    rows = [row.replace(f"__{i}", f"({'xy'[i]})") for i, row in enumerate(rows)]
    lines = [
        *(f"#define {name}(p, x, y) ({{", "\t__label__ failed, none;", "\tint __err = -EFAULT;"),
        *(
            "\ttypeof(*(p)) __user *__arg = (p);",
            f"\tif (!user_{word}_access_begin(__arg, sizeof(*__arg)))",
        ),
        *(
            "\t\tgoto none;",
            *indented(rows),
            "\t__err = 0;",
            "failed:",
            f"\tuser_{word}_access_end();",
        ),
        *("none:", "\t__err;"),
    ]
    pen.above.append(" \\\n".join([*lines, "})"]) + "\n")
    return [f"if ({name}(arg, {kernel[0]}, {kernel[1]}))", f"\t{pen.leave()}"]


def scope(pen: Pen) -> list[str]:
    """Return a scope as 7.3 has them."""
    way = pen.way()
    label = pen.label(("return -EFAULT;",)) if pen.chance(0.7) else pen.label()
    inner = pen.inside(way, label)
    return [f"scoped_user_{_WORDS[way]}_access(arg, {label}) {{", *indented(inner), "}"]


def masked(pen: Pen) -> list[str]:
    """Return a window with a masked begin where the machine can."""
    way = pen.way()
    word = _WORDS[way]
    label = pen.label((f"user_{word}_access_end();", "return -EFAULT;"))
    return [
        *("if (can_do_masked_user_access())", f"\targ = masked_user_{word}_access_begin(arg);"),
        *(f"else if (!user_{word}_access_begin(arg, sizeof(*arg)))", "\treturn -EFAULT;"),
        *(*pen.inside(way, label), f"user_{word}_access_end();"),
    ]


STANDING: tuple[Shape, ...] = (
    *(window, window_below, window_else, window_both, window_loop, macro, scope, masked),
)
SHAPES: dict[str, Shape] = {shape.__name__: shape for shape in (*EVERY, *STANDING)}

_HEADS = (
    "static {type} lamp_ioctl(struct lamp *lamp, {user} __user *arg,\n"
    "\t\t      {user} __user *more, u32 *out, u32 n)\n",
    "static noinline {type} lamp_ioctl(struct lamp *lamp, {user} __user *arg, "
    "{user} __user *more, u32 *out, u32 n)\n",
)
_GAPS = (
    *(["lamp_tick(a);"], ["lamp_tick(n);"], ["lamp->level += lamp_step(b);"]),
    *(["if (lamp_idle(a))", "\treturn 7;"], ["lamp_tick(lamp->level);", "b = 2;"]),
)
# How a function ends: most tell nothing of what was moved, some the error or a value.
_ENDS = ("return 0;", "return 0;", "return 0;", "return err;", "return ret;", "return a;")


def case(seed: int, shape: str | None = None) -> Case:
    """Return the case of `seed`, of one shape when it is named."""
    rng = random.Random(seed)
    pen, structs, size, layouts = new_pen(rng)
    number = rng.choice((1, 1, 1, 2, 2, 3)) if shape is None else 1
    if rng.random() < 0.2:
        pen.pointers = ("arg", "arg", "arg", "more")
    names = [shape or rng.choice(tuple(SHAPES)) for _ in range(number)]
    pieces = [(name, _deeper(pen, SHAPES[name](pen))) for name in names]
    end = pen.pick(_ENDS)
    rest = "\n".join(pen.landings)
    body = "\n".join(line for _, lines in pieces for line in lines)
    gaps = [pen.pick(_GAPS) for _ in pieces]
    whole = "\n".join((body, *(line for gap in gaps for line in gap), end, rest))
    head = pen.pick(_HEADS).format(type=pen.pick(("int", "long")), user="struct lamp_sync")
    lines = f"{structs}\n{''.join(pen.above)}\n{head}".splitlines()
    lines += ["{", *indented(declarations(pen, whole)), ""]
    parts = []
    for at, (name, piece) in enumerate(pieces):
        if at or rng.random() < 0.5:
            lines += indented(gaps[at])
        parts.append(Part(name, len(lines) + 1, len(lines) + len(piece)))
        lines += indented(piece)
    lines += [*([""] if rng.random() < 0.5 else []), f"\t{end}", *rest.splitlines(), "}"]
    return Case(seed, tuple(parts), "\n".join(lines) + "\n", size, layouts)


def _deeper(pen: Pen, lines: list[str]) -> list[str]:
    if pen.chance(0.85):
        return lines
    return [pen.pick(("if (lamp->on & 1) {", "if (n > 1) {", "{")), *indented(lines), "}"]
