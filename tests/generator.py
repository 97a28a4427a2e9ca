# SPDX-License-Identifier: GPL-2.0-only
"""Draw C functions in the kernel's idiom: structs, values, accesses, and what holds them together.

A case depends on its seed alone.  `tests/shapes.py` has the statements that it is made of;
`tests/shim/` runs it as a program.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from uaccel.model.source import Layout, Layouts, Member

T = TypeVar("T")
SIZES = {"u8": 1, "u16": 2, "u32": 4, "s32": 4, "u64": 8}
LEVELS = (
    (("u32", "bright"), ("u32", "colour")),
    (("u16", "bright"), ("u16", "gamma"), ("u32", "colour")),
    (("u8", "bright"), ("u32", "colour")),
    (("u64", "bright"), ("u16", "colour")),
)
MEMBERS = (
    *(("u32", "level", 0), ("u32", "flags", 0), ("u16", "mode", 0), ("u8", "on", 0)),
    *(("u64", "time", 0), ("s32", "offset", 0), ("lamp_level", "now", 0)),
    *(("u32", "table", 4), ("u8", "name", 6), ("lamp_level", "spots", 2)),
)
LAMP = """\
struct lamp {
	u32 level;
	u64 time;
	u16 mode;
	u8 on;
	s32 offset;
	u32 table[4];
	struct lamp_level now;
	struct {
		u32 kind : 3;
	} slots[2];
	u32 ready : 1;
	u32 kind : 5;
	volatile u32 status;
	int lock;
};
"""
LOCALS = (
    *(("a", "u32 a = n"), ("b", "u32 b = 7"), ("c", "u16 c = 3"), ("flag", "u8 flag = 1")),
    *(("wide", "u64 wide = 9"), ("err", "int err = 0"), ("ret", "int ret = 0"), ("i", "int i = 0")),
    ("value", "u32 value = 11"),
    ("reg", "volatile u32 *reg = out"),
)
PLAIN = (
    "a",
    "b",
    "c",
    "flag",
    "wide",
    "value",
    "lamp->level",
    "lamp->time",
    "lamp->table[1]",
    "*out",
)
TARGETS = (*PLAIN, "lamp->now.bright", "lamp->ready", "lamp->mode", "out[2]")
VALUES = (*PLAIN, "0", "a + 1", "lamp->kind", "lamp->now.colour", "(u32)wide", "!a", "-1", "a & 3")
CALLS = ("lamp_next(a)", "lamp_ready(b) ? 1 : 2", "lamp_next(lamp->level) & 7")
IMPURE = (
    *CALLS,
    "lamp->slots[a & 1].kind",
    "a++",
    "--b",
    "lamp->status",
    "*reg",
    "lamp->table[a & 3]",
)
LABELS = ("out", "fail", "efault", "read_fault", "write_fault", "Efault", "unlock", "write_fault2")


@dataclass(frozen=True, slots=True)
class Field:
    """A scalar of the user's struct."""

    path: str
    type: str
    offset: int  # bytes from the start of the struct


@dataclass(frozen=True, slots=True)
class Part:
    """Which lines of a case a shape has made."""

    shape: str
    first: int  # line, counted from 1
    last: int


@dataclass(frozen=True, slots=True)
class Case:
    """One generated file: a function and all that it needs."""

    seed: int
    parts: tuple[Part, ...]
    text: str
    size: int  # of the user's struct, bytes
    layouts: tuple[Layouts, ...]

    def shape_at(self, line: int) -> str:
        """Return the shape that made `line`, or the last one that begins above it."""
        made = [part.shape for part in self.parts if part.first <= line]
        return made[-1] if made else self.parts[0].shape


@dataclass(slots=True)
class Pen:
    """What is drawn so far; a shape asks it for accesses and labels."""

    rng: random.Random
    fields: tuple[Field, ...]
    members: dict[str, str]  # name of each member of the user's struct, and its type
    landings: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    cleanups: list[str] = field(default_factory=list)  # those labels that any fault may go to
    extra: list[str] = field(default_factory=list)  # declarations
    above: list[str] = field(default_factory=list)  # lines before the function
    pointers: tuple[str, ...] = ("arg",)
    impure: float = 0.0  # share of written values that call, assign or change

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return self.rng.choice(choices)

    def chance(self, share: float) -> bool:
        """Return whether something that happens so often happens now."""
        return self.rng.random() < share

    def way(self) -> str:
        """Return "get" or "put"."""
        return self.pick(("get", "put"))

    def place(self, pointer: str | None = None) -> tuple[str, Field]:
        """Return the address of a scalar of the user's, and the scalar."""
        one = self.pick(self.fields)
        text = f"&{pointer or self.pick(self.pointers)}->{one.path}"
        if self.chance(0.05):
            text = f"&({text.removeprefix('&')})"
        elif self.chance(0.07) and one.type in ("u32", "s32"):
            text = f"({self.pick(('u32', 's32'))} __user *){text}"
        return text, one

    def value(self) -> str:
        """Return what is written."""
        return self.pick(IMPURE) if self.chance(self.impure) else self.pick(VALUES)

    def target(self) -> str:
        """Return what is read into."""
        return self.pick(TARGETS)

    def access(self, way: str, under: str = "", pointer: str | None = None) -> str:
        """Return one access as an expression."""
        at, _ = self.place(pointer)
        kernel = self.target() if way == "get" else self.value()
        return f"{under}{way}_user({kernel}, {at})"

    def accesses(self, way: str, least: int = 2, most: int = 5, under: str = "") -> list[str]:
        """Return some accesses of one direction, mostly through one pointer."""
        pointer = None if self.chance(0.15) else self.pick(self.pointers)
        number = self.rng.randint(least, most)
        return [self.access(way, under, pointer) for _ in range(number)]

    def inside(self, way: str, label: str, least: int = 2, most: int = 4) -> list[str]:
        """Return statements that stand in a window on `arg`."""
        lines = []
        for _ in range(self.rng.randint(least, most)):
            at, _ = self.place("arg")
            kernel = self.target() if way == "get" else self.pick(VALUES)
            lines.append(f"unsafe_{way}_user({kernel}, {at}, {label});")
        return lines

    def label(self, landing: Sequence[str] | None = None) -> str:
        """Return a new label; `landing` or a clean-up of its own stands behind the function."""
        name = self.pick([one for one in LABELS if one not in self.labels])
        self.labels.append(name)
        leave = self.pick(
            ("return -EFAULT;", "lamp_tick(a);\n\treturn -EFAULT;", "return -EINVAL;")
        )
        text = "\n\t".join(landing) if landing is not None else leave
        self.landings.append(f"{name}:\n\t{text}")
        return name

    def leave(self) -> str:
        """Return how a fault leaves the function."""
        if self.chance(0.65):
            return "return -EFAULT;"
        if self.cleanups and self.chance(0.3):
            return f"goto {self.pick(self.cleanups)};"
        self.cleanups.append(self.label())
        return f"goto {self.cleanups[-1]};"

    def condition(self, calls: Sequence[str], head: str = "if (", tail: str = ")") -> list[str]:
        """Return `if (A || B ...)` on several lines."""
        joined = (
            " ||\n    ".join(calls) if len(calls) < 3 or self.chance(0.9) else " || ".join(calls)
        )
        return f"{head}{joined}{tail}".split("\n")

    def guarded(self, calls: Sequence[str], leave: str) -> list[str]:
        """Return an `if` with `leave` below it, in braces now and then."""
        if self.chance(0.15):
            return [*self.condition(calls, tail=") {"), f"\t{leave}", "}"]
        return [*self.condition(calls), f"\t{leave}"]


def indented(lines: Sequence[str], depth: int = 1) -> list[str]:
    """Return `lines` with `depth` tabs more; what belongs at the margin stays there."""
    return [line if line.startswith("#") or not line else "\t" * depth + line for line in lines]


def new_pen(rng: random.Random) -> tuple[Pen, str, int, tuple[Layouts, ...]]:
    """Return a pen with structs of its own, their C, the size of the user's, and how they lie."""
    level = rng.choice(LEVELS)
    count = rng.randint(4, len(MEMBERS))
    members = rng.sample(MEMBERS, count)
    if not any(kind in SIZES and not number for kind, _, number in members):
        members.append(MEMBERS[0])
    inner = _laid_out("lamp_level", tuple((kind, name, 0) for kind, name in level), {})
    outer = _laid_out("lamp_sync", tuple(members), {"lamp_level": inner})
    structs = _struct(inner, {}) + _struct(outer, {m[1]: m for m in members})
    fields = tuple(_scalars(outer, tuple(members), inner, level))
    if rng.random() < 0.6:
        fields = tuple(one for one in fields if "[" not in one.path) or fields
    pen = Pen(rng, fields, {name: kind for kind, name, _ in members})
    pen.impure = rng.choice((0, 0, 0, 0.3))
    known = (Layouts("host", (inner, outer)),)
    return pen, structs + LAMP, outer.size, known


def declarations(pen: Pen, body: str) -> list[str]:
    """Return the declarations that a body needs."""
    lines = [f"{text};" for name, text in LOCALS if re.search(rf"\b{name}\b", body)]
    if "reg" in body and not re.search(r"\breg\b", body):
        lines = [line for line in lines if "reg" not in line]
    return [*lines, *pen.extra]


def _laid_out(
    tag: str, members: tuple[tuple[str, str, int], ...], structs: dict[str, Layout]
) -> Layout:
    at, most, made = 0, 1, []
    for kind, name, number in members:
        struct = structs.get(kind)
        one = struct.size if struct is not None else SIZES[kind]
        align = _alignment(struct) if struct is not None else one
        at = -(-at // align) * align
        most = max(most, align)
        size = one * (number or 1)
        what = "array" if number else "struct" if struct is not None else "scalar"
        inside = struct.members if struct is not None and not number else ()
        tagged = struct.struct if struct is not None and not number else None
        made.append(Member(name, at, size, what, tagged, inside))
        at += size
    return Layout(tag, -(-at // most) * most, tuple(made))


def _alignment(struct: Layout) -> int:
    return max(member.size for member in struct.members)


def _struct(layout: Layout, members: dict[str, tuple[str, str, int]]) -> str:
    words = {1: "u8", 2: "u16", 4: "u32", 8: "u64"}
    rows = []
    for one in layout.members:
        kind, name, number = members.get(one.name, (words.get(one.size, ""), one.name, 0))
        word = f"struct {kind}" if kind == "lamp_level" else kind
        rows.append(f"\t{word} {name}{f'[{number}]' if number else ''};\n")
    return f"struct {layout.struct} {{\n{''.join(rows)}}};\n"


def _scalars(
    outer: Layout,
    members: tuple[tuple[str, str, int], ...],
    inner: Layout,
    level: tuple[tuple[str, str], ...],
) -> list[Field]:
    found = []
    for (kind, name, number), one in zip(members, outer.members, strict=True):
        for index in range(number or 1):
            path = f"{name}[{index}]" if number else name
            at = one.offset + index * (one.size // (number or 1))
            if kind in SIZES:
                found.append(Field(path, kind, at))
                continue
            rows = zip(level, inner.members, strict=True)
            found += [Field(f"{path}.{sub}", word, at + row.offset) for (word, sub), row in rows]
    return found
