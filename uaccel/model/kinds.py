# SPDX-License-Identifier: GPL-2.0-only
"""Types of C as an object's debug information has them; each has a number, its place there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Shape(Enum):
    """What a type is, once names and qualifiers are taken off."""

    NUMBER = "number"
    POINTER = "pointer"
    CODE = "code"  # a function
    AGGREGATE = "aggregate"  # a struct or union
    ARRAY = "array"
    NOTHING = "nothing"  # void, or a struct that is only declared


@dataclass(frozen=True, slots=True)
class Part:
    """One member of a struct or union."""

    name: str  # "" for an anonymous struct or union
    offset: int  # bytes
    kind: int | None  # number of its type
    bits: bool = False  # a bit-field: `offset` is that of its first bit's byte


@dataclass(frozen=True, slots=True)
class Kind:
    """One type."""

    shape: Shape
    size: int  # bytes; 0 when it is not known
    name: str = ""  # its outermost name: "compat_uptr_t", a tag
    to: int | None = None  # type that a pointer leads to, of an element, of what a function returns
    parts: tuple[Part, ...] = ()  # of an aggregate
    constant: bool = False  # `const`
    signed: bool = False  # of a number
    truth: bool = False  # of a number: it is 0 or 1, whatever its name


@dataclass(frozen=True, slots=True)
class Prototype:
    """What a function is called with, and what it returns."""

    name: str
    parameters: tuple[tuple[str, int | None], ...]  # (name or "", number of its type)
    result: int | None  # number of the type; None for void
    variadic: bool = False  # more may follow
