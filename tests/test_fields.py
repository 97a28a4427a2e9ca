# SPDX-License-Identifier: GPL-2.0-only
"""Which copies are scalar transfers, when the layouts come from C."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from uaccel.fields import Whole, asked_structs, declared, named_types, scalars
from uaccel.model.source import Function, Layouts, Source
from uaccel.read.conditions import MODELS
from uaccel.read.definitions import read_header
from uaccel.read.reading import read_source
from uaccel.read.structs import read_structs

TYPES = """
typedef unsigned char u8;
typedef unsigned int u32;
typedef u32 __u32;
typedef unsigned long long u64;
struct lamp_level { u32 level; u32 colour; };
struct lamp_sync { u64 cookie; struct lamp_level now; u8 *name; u8 kind; };
struct lamp_odd { u8 kind; u32 level; } __attribute__((packed));
"""


def function(parameters: str, variables: str, copy: str) -> Function:
    """Return a function that makes one copy."""
    body = f"\t{variables}\n\n\tif ({copy})\n\t\treturn -EFAULT;\n\treturn 0;\n"
    text = f"{TYPES}\nint lamp({parameters})\n{{\n{body}}}\n"
    (found,) = read_source(Source(PurePosixPath("lamp.c"), text.encode())).functions
    return found


def known(one: Function) -> tuple[Layouts, ...]:
    """Return what its file says of its types."""
    header = read_header(one.source.text)
    tags = {*asked_structs(one), *(tag for _, tag in one.pointers)}
    return tuple(read_structs((header,), model, tags, named_types(one)) for model in MODELS)


def transfers(parameters: str, variables: str, copy: str) -> tuple[str, ...] | str:
    """Return the transfers of one copy, or why it stays whole."""
    one = function(parameters, variables, copy)
    (access,) = [access for cluster in one.clusters for access in cluster.accesses]
    made = scalars(one, access, known(one))
    if isinstance(made, Whole):
        return made.why
    return tuple(f"{part.value}, {part.pointer}" for part in made)


UNKNOWN = "a copy goes to a pointer whose struct is not known"


@pytest.mark.parametrize(
    ("parameters", "variables", "copy", "made"),
    [
        ("u32 __user *p", "u32 x;", "copy_from_user(&x, p, sizeof(x))", "x, p"),
        ("u32 __user *p", "__u32 x;", "copy_from_user(&x, p + 1, sizeof(u32))", "x, p + 1"),
        ("u32 __user *p", "u32 y, x;", "copy_from_user(&x, &p[2], 4)", "x, &p[2]"),
        ("u32 __user *p, u32 *x", "int i;", "copy_to_user(p, x, sizeof(*x))", "*x, p"),
        ("void __user *p", "u8 x;", "copy_from_user(&x, p, sizeof(x))", "x, (u8 __user *)p"),
        ("char __user *p", "u8 x;", "copy_from_user(&x, p + 1, 1)", "x, (u8 __user *)(p + 1)"),
        (
            "unsigned long p",
            "u32 x;",
            "copy_from_user(&x, (u32 __user *)p, sizeof(x))",
            "x, (u32 __user *)p",
        ),
        (
            "struct lamp_sync __user *p",
            "u64 x;",
            "copy_from_user(&x, &p->cookie, sizeof(x))",
            "x, &p->cookie",
        ),
        (
            "struct lamp_sync __user *p, struct lamp_level *k",
            "int i;",
            "copy_from_user(&k->level, &p->now.level, sizeof(p->now.level))",
            "k->level, &p->now.level",
        ),
    ],
)
def test_a_copy_of_one_integer_is_one_transfer(
    parameters: str, variables: str, copy: str, made: str
) -> None:
    """Both sides have one size under every data model, and so has the copy."""
    assert transfers(parameters, variables, copy) == (made,)


@pytest.mark.parametrize(
    ("parameters", "variables", "copy"),
    [
        ("void __user *p", "u32 x;", "copy_from_user(&x, p, sizeof(x))"),  # may lie unaligned
        ("u64 __user *p", "u32 x;", "copy_from_user(&x, p, sizeof(x))"),
        ("u32 __user *p", "u32 x;", "copy_from_user(&x, p, 2)"),
        ("u32 __user *p", "unsigned long x;", "copy_from_user(&x, p, sizeof(x))"),
        ("u32 __user *p", "u32 x[2];", "copy_from_user(&x, p, 4)"),
        ("u32 __user *p", "u32 *x;", "copy_from_user(&x, p, 4)"),
        ("u32 __user *p", "float x;", "copy_from_user(&x, p, sizeof(x))"),
        ("u32 __user **p", "u32 x;", "copy_from_user(&x, p, sizeof(x))"),
        ("u32 __user *p", "struct lamp_level x;", "copy_from_user(&x.level, p, 8)"),
    ],
)
def test_what_may_be_more_or_less_than_one_integer_stays(
    parameters: str, variables: str, copy: str
) -> None:
    """The bytes that a copy moves are never guessed."""
    assert transfers(parameters, variables, copy) == UNKNOWN


def test_a_packed_member_that_lies_unaligned_stays() -> None:
    """get_user() of it may trap; a copy cannot."""
    made = transfers("struct lamp_odd __user *p", "u32 x;", "copy_from_user(&x, &p->level, 4)")
    assert isinstance(made, str)


def test_a_pointer_of_the_kernel_s_is_followed() -> None:
    """Its struct is the one that it is declared to point to."""
    made = transfers(
        "struct lamp_level *k, struct lamp_level __user *p",
        "int i;",
        "copy_from_user(k, p, sizeof(*k))",
    )
    assert made == ("k->level, &p->level", "k->colour, &p->colour")


def test_a_pointer_to_another_struct_is_not_followed() -> None:
    """Fields of the same name would not be the same bytes."""
    made = transfers(
        "struct lamp_sync *k, struct lamp_level __user *p",
        "int i;",
        "copy_from_user(k, p, sizeof(*p))",
    )
    assert made == "the kernel's side of the copy is not known to be a struct lamp_level"


def test_a_name_that_is_declared_twice_is_not_known() -> None:
    """An inner variable hides an outer one: which is meant is not asked."""
    one = function("u32 __user *p", "u32 x; { u64 x; }", "copy_from_user(&x, p, 4)")
    assert {name: kind.type for name, kind in declared(one).items()} == {"p": "u32"}


def test_declarations_are_read_in_their_many_spellings() -> None:
    """Qualifiers, several in one line, initialisers, arrays."""
    one = function(
        "const u32 __user *p, struct lamp_level *k",
        "static const unsigned long a = f(1, 2), *b, c[4]; u8 d;",
        "copy_from_user(&d, p, 1)",
    )
    said = {
        name: f"{kind.type}{' *' * kind.pointer}{' []' * kind.array}"
        for name, kind in declared(one).items()
    }
    assert said == {
        "p": "u32 *",
        "k": "struct lamp_level *",
        "a": "unsigned long",
        "b": "unsigned long *",
        "c": "unsigned long []",
        "d": "u8",
    }
