# SPDX-License-Identifier: GPL-2.0-only
"""What is worked out from C is what compilers lay out; what is odd is unknown, never wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uaccel.host.run import find_program, run
from uaccel.model.source import Layout, Layouts
from uaccel.read.conditions import MODELS, all_hold, directives, holds
from uaccel.read.definitions import read_header
from uaccel.read.structs import read_structs
from uaccel.read.types import read_layouts

WIDE, COMPAT, NARROW, PACKED_WIDE = MODELS
PRELUDE = """
typedef unsigned char u8;
typedef unsigned short __u16;
typedef __u16 __le16;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;
typedef u64 __attribute__((aligned(4))) compat_u64;
typedef struct { u8 b[16]; } guid_t;
typedef u32 compat_uptr_t;
typedef int (*callback_t)(void *cookie, int level);
enum colour { RED, GREEN = 4, BLUE = 1 << 5 };
struct inner { u8 a; u64 b; };
#define COUNT 3
#define __packed __attribute__((packed))
"""
SCALARS = (
    "char", "signed char", "unsigned char", "short", "unsigned short int", "int", "unsigned",
    "long", "unsigned long", "long long", "u8", "__u16", "__le16", "u32", "s64", "u64",
    "compat_u64", "compat_uptr_t", "enum colour", "float", "double", "_Bool", "callback_t",
)  # fmt: skip
COMPILERS = (
    (("gcc", "-m64"), WIDE),
    (("gcc", "-m32"), PACKED_WIDE),
    (("powerpc-linux-gnu-gcc",), NARROW),
    (("arm-linux-gnueabihf-gcc",), NARROW),
    (("s390x-linux-gnu-gcc",), WIDE),
)


def compiled(argv: tuple[str, ...], folder: Path, text: str, tags: tuple[str, ...]) -> Layouts:
    """Return how the compiler `argv` lays the structs `tags` of `text` out."""
    (folder / "case.c").write_text(text)
    command = (*argv, "-g", "-w", "-fno-eliminate-unused-debug-types", "-c", "case.c")
    said = run(command, folder=folder, timeout=60)
    if said.status:
        pytest.skip(f"{argv} does not compile: {said.stderr[:200]}")
    return read_layouts((folder / "case.o").read_bytes(), "", tags)


def ours(text: str, *tags: str, model: int = 0, names: tuple[str, ...] = ()) -> Layouts:
    """Return how we lay the structs `tags` of `text` out."""
    return read_structs((read_header(text.encode()),), MODELS[model], tags, names)


def size_of(text: str, model: int = 0) -> int | None:
    """Return the size of struct `x` of `text`, None when it is unknown."""
    layout = ours(PRELUDE + text, "x", model=model).find("x")
    return layout.size if layout is not None else None


@st.composite
def members(draw: st.DrawFn, depth: int = 2, plain: bool = False) -> str:
    """Draw the lines between a struct's braces."""
    count = draw(st.integers(1, 5))
    prefix = "abcdefgh"[depth]
    lines = []
    for number in range(count):
        name = f"{prefix}{draw(st.integers(0, 10**6))}_{number}"
        lines.append(draw(_member(name, depth, plain)))
    return "\n".join(lines)


@st.composite
def _member(draw: st.DrawFn, name: str, depth: int, plain: bool) -> str:
    kinds = ["scalar", "scalar", "pointer", "array", "struct"]
    kinds += [] if plain else ["bits", "aligned"]
    kinds += ["inside"] if depth else []
    kind = draw(st.sampled_from(kinds))
    type_ = draw(st.sampled_from(SCALARS))
    match kind:
        case "pointer":
            return f"const {type_} *{name};"
        case "array":
            return f"{type_} {name}[{draw(st.sampled_from(('2', 'COUNT', '0x4', 'COUNT + 1')))}];"
        case "struct":
            return f"{draw(st.sampled_from(('struct inner', 'guid_t')))} {name};"
        case "bits":
            whole = draw(st.sampled_from(("u8", "__u16", "u32", "int")))
            return f"{whole} {name}:{draw(st.integers(1, 8))}, {name}_:{draw(st.integers(1, 7))};"
        case "aligned":
            return f"{type_} {name} __attribute__((aligned({draw(st.sampled_from((2, 8, 16)))})));"
        case "inside":
            inner = draw(members(depth - 1, plain))
            word = draw(st.sampled_from(("struct", "union")))
            return f"{word} {{\n{inner}\n}}{draw(st.sampled_from(('', f' {name}')))};"
    return f"{type_} {name};"


@st.composite
def structs(draw: st.DrawFn) -> str:
    """Draw a struct without its tag."""
    end = draw(st.sampled_from(("", "", "__packed", "__attribute__((aligned(8)))")))
    return f"{{\n{draw(members(plain=end == '__packed'))}\n}} {end};"


@pytest.mark.parametrize(("argv", "model"), COMPILERS, ids=lambda one: str(one)[:40])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies=st.lists(structs(), min_size=20, max_size=20))
def test_it_is_what_the_compiler_does(
    tmp_path: Path, argv: tuple[str, ...], model: object, bodies: list[str]
) -> None:
    """Every member of every struct, its offset, size and kind; unknown only where C is odd."""
    if find_program(argv[0]) is None:
        pytest.skip(f"there is no {argv[0]}")
    tags = tuple(f"x{number}" for number in range(len(bodies)))
    text = PRELUDE + "".join(f"struct {t} {b}\n" for t, b in zip(tags, bodies, strict=True))
    theirs = compiled(argv, tmp_path, text, tags)
    mine = ours(text, *tags, model=[*MODELS].index(model))  # type: ignore[arg-type]
    unknown = 0
    for tag, body in zip(tags, bodies, strict=True):
        layout = mine.find(tag)
        unknown += layout is None
        assert layout is None or layout == theirs.find(tag), body
    assert unknown <= len(tags) // 2


@pytest.mark.parametrize(
    "text",
    [
        "struct x { u32 a; DECLARE_FLEX_ARRAY(u8, b); };",
        "struct x { u32 a; FIELDS };",
        "struct x { absent_t a; };",
        "struct x { struct absent a; };",
        "struct x { u32 a[ABSENT]; };",
        "struct x { u32 a; } __randomize_layout;",
        "struct x {\n#ifdef CONFIG_LAMP\n\tu32 a;\n#endif\n\tu32 b;\n};",
        "#pragma pack(1)\nstruct x { u8 a; u32 b; };",
        "struct x { u32 a; };\nstruct x { u64 a; };",
        "#define x y\nstruct x { u32 a; };",
        "enum far { HERE, THERE = 1ULL << 40 };\nstruct x { enum far a; };",
        "struct x { u32 a; } SOMEHOW;",
        "struct x { u32 a:40; };",
        "struct x { struct inner; };",
    ],
)
def test_what_is_odd_is_unknown(text: str) -> None:
    """A wrong layout would move the wrong bytes."""
    assert size_of(text) is None


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("struct x { u32 a; compat_u64 b; };", (12, 12, 12, 12)),
        ("struct x { u32 a; u64 b; };", (16, 16, 16, 12)),
        ("struct x { void *a; absent_t *b; struct absent *c; };", (24, 24, 12, 12)),
        ("struct x { u64 a; u32 b; u8 c[]; };", (16, 16, 16, 12)),
        ("struct x {\n#ifdef CONFIG_64BIT\n\tu64 a;\n#else\n\tu32 a;\n#endif\n};", (8, 8, 4, 4)),
        ("struct x { u32 a; };\nstruct x { __u32 a; };\ntypedef unsigned int __u32;", (4,) * 4),
    ],
)
def test_each_data_model_has_its_sizes(text: str, sizes: tuple[int, ...]) -> None:
    """A pointer, a long and what is aligned like them."""
    assert tuple(size_of(text, number) for number in range(len(MODELS))) == sizes


def test_a_definition_that_the_model_rules_out_does_not_count() -> None:
    """include/asm-generic/compat.h has two of compat_u64."""
    text = (
        "typedef unsigned long long u64;\n#ifdef CONFIG_COMPAT_FOR_U64_ALIGNMENT\n"
        "typedef u64 __attribute__((aligned(4))) c64;\n#else\ntypedef u64 c64;\n#endif\n"
        "struct x { int a; c64 b; };"
    )
    found = [ours(text, "x", model=number).find("x") for number in range(2)]
    assert [one.size for one in found if one is not None] == [16, 12]


def test_integer_types_are_told_by_name() -> None:
    """Not what is a pointer, a struct, a truth value, or aligned in its own way."""
    names = ("u32", "unsigned long", "callback_t", "guid_t", "_Bool", "compat_u64", "absent_t")
    assert ours(PRELUDE, names=names).integers == (("u32", 4), ("unsigned long", 8))


def test_members_know_whether_they_are_integers() -> None:
    """A pointer of the same size is none."""
    layout = ours(PRELUDE + "struct x { u64 a; void *b; };", "x").find("x")
    assert isinstance(layout, Layout)
    assert [member.integer for member in layout.members] == [True, False]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("defined(__KERNEL__)", True),
        ("!defined(__KERNEL__) && defined(CONFIG_LAMP)", False),
        ("defined(CONFIG_LAMP)", None),
        ("defined CONFIG_LAMP || BITS_PER_LONG == 64", True),
        ("__BITS_PER_LONG != 64", False),
        ("IS_ENABLED(CONFIG_64BIT)", True),
        ("LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)", None),
        ("", None),
    ],
)
def test_conditions_are_decided_by_the_model_alone(expression: str, answer: bool | None) -> None:
    """Three answers: what a configuration decides is not known."""
    assert holds(expression, WIDE) is answer


def test_the_branches_of_an_if_rule_each_other_out() -> None:
    """The one after #else stands where none before it holds."""
    text = b"#if BITS_PER_LONG == 64\nA\n#define a\n#elif CONFIG_B\n#define b\n#else\n#define c\n"
    under = {one.rest: one.under for one in directives(text + b"#endif\n") if one.word == "define"}
    assert [all_hold(under[name], WIDE) for name in "abc"] == [True, False, False]
    assert [all_hold(under[name], NARROW) for name in "abc"] == [False, None, None]
