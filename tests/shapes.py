# SPDX-License-Identifier: GPL-2.0-only
"""Statements that hold user accesses, as kernel code writes them; each shape draws its details."""

from __future__ import annotations

from collections.abc import Callable

from tests.error_shapes import (
    err_before,
    err_changed,
    err_of_its_own,
    err_or_value,
    err_way_out,
)
from tests.generator import Pen, indented

Shape = Callable[[Pen], list[str]]


def chain(pen: Pen) -> list[str]:
    """Return one condition of accesses joined by ||."""
    return pen.guarded(pen.accesses(pen.way()), pen.leave())


def chain_goto(pen: Pen) -> list[str]:
    """Return a condition that goes to a clean-up."""
    return pen.guarded(pen.accesses(pen.way()), f"goto {pen.label()};")


def ifs(pen: Pen) -> list[str]:
    """Return several conditions in a row."""
    way, leave = pen.way(), pen.leave()
    rows = (pen.guarded(pen.accesses(way, 1, 2), leave) for _ in range(pen.rng.randint(2, 4)))
    return [line for row in rows for line in row]


def ifs_that_differ(pen: Pen) -> list[str]:
    """Return conditions in a row that leave in different ways."""
    way = pen.way()
    rows = (pen.guarded(pen.accesses(way, 1, 2), pen.leave()) for _ in range(2))
    return [*(line for row in rows for line in row), *pen.guarded(pen.accesses(way), "return 3;")]


def fault_block(pen: Pen) -> list[str]:
    """Return a condition whose fault does two things."""
    first = pen.pick(("err = -EFAULT;", "lamp_tick(b);", "lamp->level++;"))
    last = pen.pick((f"goto {pen.label()};", f"goto {pen.label(('return err;',))};", "return 2;"))
    lines = pen.condition(pen.accesses(pen.way()), tail=") {")
    return [*lines, f"\t{first}", f"\t{last}", "}"]


def err_rows(pen: Pen) -> list[str]:
    """Return `err = A; if (err) return err;` several times."""
    way, lines = pen.way(), list[str]()
    leave = pen.pick(("return err;", "return -EFAULT;", f"goto {pen.label(('return err;',))};"))
    for _ in range(pen.rng.randint(2, 4)):
        lines += [f"err = {pen.access(way, pointer='arg')};", "if (err)", f"\t{leave}"]
    return lines


def err_in_condition(pen: Pen) -> list[str]:
    """Return `if ((err = A)) return err;` several times, or joined."""
    way = pen.way()
    calls = [f"(err = {call})" for call in pen.accesses(way)]
    if pen.chance(0.5):
        return pen.guarded(calls, "return err;")
    return [line for call in calls for line in (f"if ({call})", "\treturn err;")]


def err_or(pen: Pen) -> list[str]:
    """Return `err |= A;` several times and a look at it."""
    way, under = pen.way(), pen.pick(("", "__", "__"))
    calls = pen.accesses(way, 2, 5, under)
    first = pen.pick(("err = ", "err |= "))
    ends = ("if (err)", f"\t{pen.pick(('return -EFAULT;', 'return err;', 'goto '))}")
    if ends[1].endswith("goto "):
        ends = ("if (err)", f"\tgoto {pen.label()};")
    lines = [f"{first}{calls[0]};", *(f"err |= {call};" for call in calls[1:])]
    return [*lines, *ends] if pen.chance(0.8) else [*lines, "return err ? -EFAULT : 0;"]


def return_access(pen: Pen) -> list[str]:
    """Return accesses of which the last is what the function returns."""
    way = pen.way()
    rows = pen.guarded(pen.accesses(way, 1, 3), "return -EFAULT;")
    last = f"if (n < 5)\n\treturn {pen.access(way, pointer='arg')};"
    return [*rows, *last.split("\n")] if pen.chance(0.5) else [*rows, last.split("\n\t")[1]]


def ignored(pen: Pen) -> list[str]:
    """Return accesses whose results nobody looks at."""
    return [f"{call};" for call in pen.accesses(pen.way(), 2, 4, pen.pick(("", "__")))]


def tested_first(pen: Pen) -> list[str]:
    """Return conditions that access only when a plain test holds."""
    way, leave, lines = pen.way(), pen.leave(), list[str]()
    for _ in range(pen.rng.randint(2, 3)):
        test = pen.pick(("a > 1", "lamp->level & 1", "n", "lamp"))
        lines += [f"if ({test} && {pen.access(way)})", f"\t{leave}"]
    return lines


def mixed_tests(pen: Pen) -> list[str]:
    """Return a condition of accesses and plain tests."""
    parts = pen.accesses(pen.way(), 2, 3)
    parts.insert(pen.rng.randrange(len(parts) + 1), pen.pick(("a > 3", "!lamp", "lamp->mode & 8")))
    if pen.chance(0.3):
        parts[0] = f"(b > 2 && {parts[0]})"
    return pen.guarded(parts, pen.leave())


def switch_break(pen: Pen) -> list[str]:
    """Return a switch whose cases break on a fault, or return."""
    way = pen.way()
    first = pen.guarded(pen.accesses(way), pen.pick(("break;", pen.leave())))
    second = [f"err = {pen.access(way)};", "if (err)", "\tbreak;"]
    second += [f"err = {pen.access(way)};"]
    tail = ["lamp_tick(1);", pen.pick(("return 4;", "break;"))]
    return [
        *("switch (n & 3) {", "case 0:", *indented([*first, *tail])),
        *("case 1:", *indented([*second, "break;"])),
        *("default:", "\tlamp_tick(2);", "}"),
    ]


def loop(pen: Pen) -> list[str]:
    """Return a loop over an array of the user's."""
    way = pen.way()
    array = pen.pick(("table", "name", "spots"))
    if array not in pen.members:
        return array_in_pointer(pen)
    most = {"table": "4", "name": "6", "spots": "2"}[array]
    bound = pen.pick((most, f"(int)(n % {most})"))
    rest = ".colour" if array == "spots" else ""
    kernel = "lamp->table[i & 3]" if way == "get" else pen.pick(("lamp->table[i & 3]", "i", "a"))
    access = f"{way}_user({kernel}, &arg->{array}[i]{rest})"
    leave = pen.pick((pen.leave(), "break;", "continue;", pen.leave()))
    inner = [f"if ({access})", f"\t{leave}"]
    if pen.chance(0.3):
        inner = [f"err = {access};", "if (err)", "\tbreak;"]
    elif pen.chance(0.2):
        inner.append("lamp_tick(i);")
    elif pen.chance(0.3):
        return [f"for (i = 0; i < {bound}; i++)", *indented(inner)]
    return [f"for (i = 0; i < {bound}; i++) {{", *indented(inner), "}"]


def array_in_pointer(pen: Pen) -> list[str]:
    """Return accesses through a pointer to scalars, moved or not."""
    way = pen.way()
    pen.extra.append(f"u32 __user *walk{len(pen.extra)} = (u32 __user *)arg;")
    name = f"walk{len(pen.extra) - 1}"
    kernels = [pen.target() if way == "get" else pen.value() for _ in range(3)]
    if pen.chance(0.4):
        places = pen.pick(((name, f"{name} + 1", f"&{name}[2]"), (f"{name}++",) * 3))
        rows = zip(kernels, places, strict=True)
        return pen.guarded([f"{way}_user({value}, {at})" for value, at in rows], pen.leave())
    if pen.chance(0.5):
        inner = [f"if ({way}_user({kernels[0]}, {name}++))", f"\t{pen.leave()}"]
        return ["for (i = 0; i < 4; i++)", *indented(inner)]
    left = f"left{len(pen.extra)}"
    pen.extra.append(f"u32 {left} = n;")
    inner = [f"if ({way}_user({kernels[0]}, {name}))", f"\t{pen.leave()}", f"{name}++;"]
    return [f"while ({left}--) {{", *indented(inner), "}"]


def reads_and_writes(pen: Pen) -> list[str]:
    """Return reads and writes of one object, in one condition or in two."""
    both = [pen.access("get", pointer="arg"), pen.access("put", pointer="arg")]
    if pen.chance(0.3):
        return pen.guarded([*both, pen.access(pen.way(), pointer="arg")], pen.leave())
    reads = pen.guarded(pen.accesses("get"), pen.leave())
    return [*reads, "lamp->level += a;", *pen.guarded(pen.accesses("put"), pen.leave())]


def several_pointers(pen: Pen) -> list[str]:
    """Return a condition over two objects."""
    way = pen.way()
    calls = [pen.access(way, pointer=name) for name in ("arg", "more", "arg", "more")]
    if pen.chance(0.5):
        calls.sort(key=lambda call: "more" in call)
    return pen.guarded(calls, pen.leave())


def with_copy(pen: Pen) -> list[str]:
    """Return single accesses and a small copy."""
    way, name = pen.way(), pen.pick(("now", "table"))
    if name not in pen.members:
        return struct_copy(pen)
    kernel = "&lamp->now" if name == "now" else "lamp->table"
    user = "&arg->now" if name == "now" else "arg->table"
    size = f"sizeof({kernel.removeprefix('&')})"
    copy = f"copy_from_user({kernel}, {user}, {size})"
    if way == "put":
        copy = f"copy_to_user({user}, {kernel}, {size})"
    calls = pen.accesses(way, 1, 3)
    calls.insert(pen.rng.randrange(len(calls) + 1), copy)
    return pen.guarded(calls, pen.leave())


def record(pen: Pen) -> list[str]:
    """Return a record: a head of single accesses, and a tail of any length."""
    if "table" not in pen.members:
        return chain(pen)
    head = [pen.access("put", pointer="arg") for _ in range(pen.rng.randint(2, 3))]
    user = pen.pick(("arg->table", "arg->table + 1", "(u8 __user *)arg->table + (n & 1)"))
    kernel = pen.pick(("lamp->table", "lamp->table + 1", "(u8 *)lamp->table + 1"))
    copy = f"copy_to_user({user}, {kernel}, {pen.pick(('n & 7', '(n & 1) * sizeof(u32)'))})"
    leave = pen.leave()
    if pen.chance(0.3):
        return [*pen.guarded(head, leave), f"if ({copy})", f"\t{leave}"]
    if pen.chance(0.2):
        copy = f"(lamp->level && {copy})"
    return pen.guarded([*head, copy], leave)


def struct_copy(pen: Pen) -> list[str]:
    """Return a struct that is copied whole, by way of a local."""
    tag, user = pen.pick((("lamp_sync", "arg"), ("lamp_level", "&arg->now")))
    if tag == "lamp_level" and "now" not in pen.members:
        tag, user = "lamp_sync", "arg"
    name = f"whole{len(pen.extra)}"
    pen.extra.append(f"struct {tag} {name};")
    under = pen.pick(("", "", "", "__"))
    leave = pen.leave()
    if pen.chance(0.5):
        call = f"{under}copy_from_user(&{name}, {user}, sizeof({name}))"
        return [f"if ({call})", f"\t{leave}", f"lamp_show(&{name}, sizeof({name}));"]
    size = pen.pick((f"sizeof({name})", f"sizeof(struct {tag})"))
    call = f"{under}copy_to_user({user}, &{name}, {size})"
    return [f"lamp_fill(&{name}, sizeof({name}));", f"if ({call})", f"\t{leave}"]


def copy_result(pen: Pen) -> list[str]:
    """Return copies whose outcome is kept, or made a fault of."""
    parts = (("now", "lamp->now"), ("table", "lamp->table"))
    rows = [f"copy_to_user(&arg->{n}, &{k}, sizeof({k}))" for n, k in parts if n in pen.members]
    rows += [pen.access("put", pointer="arg") for _ in range(2)]
    if pen.chance(0.5):
        leave = pen.pick(("return err;", "return -EFAULT;"))
        return [line for row in rows for line in (f"err = {row};", "if (err)", f"\t{leave}")]
    lines = [line for row in rows for line in (f"if ({row})", "\terr = -EFAULT;")]
    return [*lines, "if (err)", f"\t{pen.leave()}"]


def local_struct(pen: Pen) -> list[str]:
    """Return fields of a local struct that mirror fields of the user's."""
    if "now" not in pen.members:
        return chain(pen)
    name, way = f"level{len(pen.extra)}", pen.way()
    pen.extra.append(f"struct lamp_level {name};")
    calls = [f"{way}_user({name}.{part}, &arg->now.{part})" for part in ("bright", "colour")]
    if way == "get":
        after = [f"lamp_tick({name}.bright);", f"lamp->level = {name}.colour;"]
        return [*pen.guarded(calls, pen.leave()), *after]
    before = [f"{name}.bright = lamp->level;", f"{name}.colour = a;"]
    return [*before, *pen.guarded(calls, pen.leave())]


def with_comment(pen: Pen) -> list[str]:
    """Return a chain that somebody has explained."""
    lines = pen.condition(pen.accesses(pen.way(), 3, 4))
    at = pen.rng.randrange(len(lines))
    lines[at] += pen.pick((" /* get_user(x, y) is meant */", " // so it is"))
    return [*lines, f"\t{pen.leave()}"]


def with_ifdef(pen: Pen) -> list[str]:
    """Return rows of conditions with a branch for one configuration."""
    way, leave = pen.way(), pen.leave()
    rows = [pen.guarded(pen.accesses(way, 1, 2), leave) for _ in range(3)]
    return [*rows[0], "#ifdef CONFIG_LAMP", *rows[1], "#endif", *rows[2]]


def checked_before(pen: Pen) -> list[str]:
    """Return accesses without a check behind one access_ok()."""
    calls = pen.accesses(pen.way(), 2, 4, "__")
    return [
        "if (!access_ok(arg, sizeof(*arg)))",
        "\treturn -EFAULT;",
        *pen.guarded(calls, pen.leave()),
    ]


def value_later(pen: Pen) -> list[str]:
    """Return a result that is set before the accesses and returned later."""
    label = pen.label(("lamp_tick(4);", "return ret;"))
    return ["ret = -EFAULT;", *pen.guarded(pen.accesses(pen.way()), f"goto {label};"), "ret = 0;"]


def nested_block(pen: Pen) -> list[str]:
    """Return a block with a declaration of its own."""
    way = pen.way()
    calls = pen.accesses(way, 1, 2)
    at, _ = pen.place("arg")
    calls.append(f"{way}_user(inner, {at})")
    inner = ["u32 inner = 5;", "", *pen.guarded(calls, pen.leave()), "lamp->level ^= inner;"]
    return [pen.pick(("{", "if (lamp->mode & 1) {")), *indented(inner), "}"]


def unless_err(pen: Pen) -> list[str]:
    """Return accesses of which each is made when those before it went well."""
    calls = pen.accesses(pen.way(), 2, 4)
    lines = [f"err = {calls[0]};"]
    for call in calls[1:]:
        lines += ["if (!err)", f"\terr = {call};"]
    return [*lines, *pen.pick((["if (err)", "\treturn err;"], ["if (n)", "\treturn err;"]))]


def joined_value(pen: Pen) -> list[str]:
    """Return a chain whose outcome is a value."""
    joined = " || ".join(pen.accesses(pen.way(), 2, 3))
    return pen.pick(
        (
            [f"err = {joined};", "if (err)", "\treturn -EFAULT;"],
            [f"err = {joined} ? -EFAULT : 0;", "if (err)", f"\t{pen.leave()}"],
            ["if (n)", f"\treturn {joined} ? -EFAULT : 0;"],
        )
    )


def branches(pen: Pen) -> list[str]:
    """Return two objects, of which one is accessed."""
    way = pen.way()
    one = pen.guarded([pen.access(way, pointer="arg") for _ in range(2)], pen.leave())
    two = pen.guarded([pen.access(way, pointer="more") for _ in range(3)], pen.leave())
    return ["if (n & 1) {", *indented(one), "} else {", *indented(two), "}"]


def with_else(pen: Pen) -> list[str]:
    """Return a condition with an else branch."""
    return [*pen.condition(pen.accesses(pen.way())), f"\t{pen.leave()}", "else", "\tlamp->level++;"]


def single(pen: Pen) -> list[str]:
    """Return one access that is alone."""
    return pen.guarded([pen.access(pen.way())], pen.leave())


def guarded(pen: Pen) -> list[str]:
    """Return a chain below a guard, or in its scope."""
    calls = pen.guarded(pen.accesses(pen.way()), pen.leave())
    if pen.chance(0.5):
        return ["scoped_guard(mutex, &lamp->lock) {", *indented(calls), "}"]
    return ["{", *indented(["guard(mutex)(&lamp->lock);", "", *calls]), "}"]


EVERY: tuple[Shape, ...] = (
    *(chain, chain_goto, ifs, ifs_that_differ, fault_block, err_rows, err_in_condition, err_or),
    *(err_changed, err_or_value, err_before, err_of_its_own, err_way_out),
    *(return_access, ignored, tested_first, mixed_tests, switch_break, loop, array_in_pointer),
    *(
        reads_and_writes,
        several_pointers,
        with_copy,
        record,
        struct_copy,
        copy_result,
        local_struct,
        with_comment,
    ),
    *(with_ifdef, checked_before, value_later, nested_block, unless_err, joined_value, branches),
    *(with_else, single, guarded),
)
