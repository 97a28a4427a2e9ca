# SPDX-License-Identifier: GPL-2.0-only
"""Statements that hold user accesses, and what else is done to the variable with the error."""

from __future__ import annotations

from tests.generator import Pen


def err_changed(pen: Pen) -> list[str]:
    """Return `err |= A;` several times, with a statement that works on err among them."""
    way, under = pen.way(), pen.pick(("", "__"))
    statement = pen.pick(
        (
            *("err |= (a | b) & 3;", "err += lamp->level & 1;", "err |= lamp->mode & 4;"),
            *("if (a > 3)\n\terr = 1;", "if (!err)\n\terr = b & 1;", "err = lamp->level & 5;"),
            *("err++;", "for (i = 0; i < 3; i++)\n\terr |= lamp->table[1];"),
        )
    )
    # The machine lets an original go on behind a fault where a foreign call stands.
    called = pen.chance(0.5)
    most = 3 if called else 1
    first, *rest = pen.accesses(way, 1, most, under)
    lines = [f"{pen.pick(('err = ', 'err |= '))}{first};", *(f"err |= {one};" for one in rest)]
    lines += ["lamp_tick(8);"] * called + statement.split("\n")
    lines += [f"err |= {one};" for one in pen.accesses(way, 1, most, under)]
    ends = pen.pick((("if (err)", f"\tgoto {pen.label()};"), ("if (err)", "\treturn err;")))
    return [*lines, *pen.pick((ends, ("if (n)", "\treturn err;"), ("lamp_tick(err);",)))]


def err_or_value(pen: Pen) -> list[str]:
    """Return accesses behind which `return err ?: f();` stands, or one of its kin."""
    calls = pen.accesses(pen.way(), 2, 4)
    lines = [f"{pen.pick(('err = ', 'err |= '))}{calls[0]};"]
    lines += [f"err |= {call};" for call in calls[1:]]
    value = pen.pick(("(int)lamp_next(3)", "(int)lamp->level", "5"))
    last = pen.pick(
        (
            *(f"return err ?: {value};", f"return err ? : {value};", f"return {value} ?: err;"),
            *(f"return (err) ? err : {value};", f"return err ? {value} : err;", "return err;"),
            *(f"return err ? err | 64 : {value};", f"return err ? -EINVAL : err + {value};"),
        )
    )
    return [*lines, "if (n & 1)", f"\t{last}"] if pen.chance(0.3) else [*lines, last]


def err_before(pen: Pen) -> list[str]:
    """Return `err |= A;` several times where err may hold something already."""
    calls = pen.accesses(pen.way(), 2, 4, pen.pick(("", "__")))
    first = pen.pick(("err |= lamp_next(5) & 6;", "err = a & 1;", "if (n)\n\terr = 16;", "err--;"))
    leave = pen.pick(("return err;", "return -EFAULT;", f"goto {pen.label(('return err;',))};"))
    last = pen.pick((["return err;"], ["if (err)", f"\t{leave}"], ["if (err < 0)", f"\t{leave}"]))
    return [*first.split("\n"), *(f"err |= {call};" for call in calls), *last]


def err_of_its_own(pen: Pen) -> list[str]:
    """Return accesses whose fault is another error than -EFAULT, and is tested."""
    joined = " || ".join(pen.accesses(pen.way(), 2, 3))
    value = pen.pick(("", " ? -EINVAL : 0", " ? 3 : 0"))
    value = f"({joined}){value}" if value else joined
    leave = pen.pick(("return err;", f"goto {pen.label(('return err;',))};"))
    test = pen.pick(("err", "err < 0", "err != 0"))
    last = pen.pick((["return err;"], [f"if ({test})", f"\t{leave}"], ["lamp_tick(err);"]))
    return [f"err = {value};", *last]


def err_way_out(pen: Pen) -> list[str]:
    """Return accesses with a way out among them, where err is looked at."""
    way, label = pen.way(), pen.label(("lamp_tick(6);", "return err;"))
    between = pen.pick(("goto {};", "return err;", "err = 9;", "err = lamp->level & 7;"))
    test = pen.pick(("a & 1", "lamp->level & 1", "b & 1", "!(a & 1)"))
    calls = [pen.access(way, pointer="arg") for _ in range(3)]
    lines = list[str]()
    for call in calls:
        lines += [f"err = {call};", "if (err)", f"\tgoto {label};"]
    at = 3 * pen.rng.randint(1, 3)
    lines[at:at] = [f"if ({test})", f"\t{between.format(label)}"]
    if pen.chance(0.3):  # then the way out may come before the first access
        lines[:3] = ["if (n & 2) {", *(f"\t{line}" for line in lines[:3]), "}"]
    return ["err = 5;", *lines, "lamp_tick(err);"]
