# SPDX-License-Identifier: GPL-2.0-only
"""Whether the lines under an #if are compiled, as far as the data model alone decides it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_LINE = re.compile(
    rb"^[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif|include|define|undef)\b"
    rb"((?:[^\n\\]|\\\r?\n|\\[^\n])*)",
    re.MULTILINE,
)
_TOKEN = re.compile(r"\s*(defined|\w+|&&|\|\||[!=<>]=|[!<>()]|.)", re.DOTALL)
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*")
_COMPARED = {
    "==": int.__eq__,
    "!=": int.__ne__,
    "<": int.__lt__,
    ">": int.__gt__,
    "<=": int.__le__,
    ">=": int.__ge__,
}


@dataclass(frozen=True, slots=True)
class DataModel:
    """How wide types are and where they may start, on all architectures of a kind."""

    name: str  # in words, for a sentence
    word: int  # bytes of a pointer and of a long
    wide: int  # alignment in bytes of a type of 8 bytes
    macros: tuple[tuple[str, int | None], ...]  # what is known to be defined; None: to be not


@dataclass(frozen=True, slots=True)
class Directive:
    """A preprocessor line and the conditions that it stands under."""

    start: int  # byte offset of its line
    end: int
    word: str  # "include", "define", "if", ...
    rest: str
    under: tuple[str, ...]  # expressions that must hold; of an `if` itself, without its own


# The kernel's own C is meant, whatever may include the same header besides.
_KERNEL = ("__KERNEL__",)
_NOT_C = ("__ASSEMBLY__", "__ASSEMBLER__", "__cplusplus", "__CHECKER__")
_ON_64 = ("CONFIG_64BIT", "__LP64__", "_LP64")  # on every architecture of that width
_ONLY_64 = ("CONFIG_X86_64", "CONFIG_PPC64", "__x86_64__", "__powerpc64__")
_ONLY_32 = ("CONFIG_X86_32", "CONFIG_PPC32", "CONFIG_32BIT", "__ILP32__", "__i386__")
_BITS = ("BITS_PER_LONG", "__BITS_PER_LONG")
_COMPAT_AT_4 = "CONFIG_COMPAT_FOR_U64_ALIGNMENT"


def _model(name: str, word: int, wide: int, *, compat_at_4: bool = False) -> DataModel:
    long = word == 8
    defined = (*_KERNEL, *(_ON_64 if long else ()), *((_COMPAT_AT_4,) if compat_at_4 else ()))
    absent = (*_NOT_C, *(_ONLY_32 if long else (*_ON_64, *_ONLY_64)))
    macros = (
        *((one, 1) for one in defined),
        *((one, 8 * word) for one in _BITS),
        *((one, None) for one in absent),
        *(() if compat_at_4 else ((_COMPAT_AT_4, None),)),
    )
    return DataModel(name, word, wide, macros)


MODELS = (
    _model("64-bit", 8, 8),
    _model("64-bit with compat u64 at 4 bytes", 8, 8, compat_at_4=True),
    _model("32-bit", 4, 8),
    _model("32-bit with u64 at 4 bytes", 4, 4),
)


def directives(text: bytes) -> Iterator[Directive]:
    """Yield the preprocessor lines of a `text` without comments, with what each stands under."""
    stack: list[list[str]] = []  # of each open #if: what must hold in its present branch
    for found in _LINE.finditer(text):
        word = found[1].decode()
        rest = found[2].decode("latin1").replace("\\\n", " ").strip()
        if word in ("elif", "else", "endif") and not stack:
            continue
        under = tuple(one for branch in stack for one in branch)
        yield Directive(found.start(), found.end(), word, rest, under)
        match word:
            case "if" | "ifdef" | "ifndef":
                stack.append([_expression(word, rest)])
            case "elif":
                stack[-1] = [*stack[-1][:-1], f"!({stack[-1][-1]})", rest]
            case "else":
                stack[-1] = [*stack[-1][:-1], f"!({stack[-1][-1]})"]
            case "endif":
                stack.pop()


def _expression(word: str, rest: str) -> str:
    name = next(iter(rest.split(maxsplit=1)), "")
    return {"ifdef": f"defined({name})", "ifndef": f"!defined({name})"}.get(word, rest)


def all_hold(under: tuple[str, ...], model: DataModel) -> bool | None:
    """Return whether every condition holds under `model`, None when it does not decide that."""
    answers = {holds(one, model) for one in under}
    if False in answers:
        return False
    return None if None in answers else True


@lru_cache(maxsize=1 << 16)
def holds(expression: str, model: DataModel) -> bool | None:
    """Return whether `expression` is true under `model`, None when it does not decide that."""
    found = _Expression(_TOKEN.findall(expression.strip()), dict(model.macros))
    value = found.either()
    return None if value is None or found.rest else bool(value)


class _Expression:
    """An #if expression, read from the left; what is not understood is unknown."""

    def __init__(self, tokens: list[str], macros: dict[str, int | None]) -> None:
        self.rest = tokens
        self._macros = macros

    def either(self) -> int | None:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = 1 if value or other else None if None in (value, other) else 0
        return value

    def _both(self) -> int | None:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = 0 if 0 in (value, other) else None if None in (value, other) else 1
        return value

    def _compared(self) -> int | None:
        value = self._one()
        while self.rest and self.rest[0] in _COMPARED:
            compare = _COMPARED[self.rest.pop(0)]
            other = self._one()
            value = None if value is None or other is None else int(compare(value, other))
        return value

    def _one(self) -> int | None:
        token = self.rest.pop(0) if self.rest else ""
        number = _NUMBER.fullmatch(token)
        if token == "!":
            value = self._one()
            return None if value is None else int(not value)
        if token == "(":
            value = self.either()
            return value if self._take(")") else None
        if token in ("defined", "IS_ENABLED"):
            return self._defined()
        if number is not None:
            return int(number[1], 0) if number[1][1:2] in "xX" else int(number[1])
        if self.rest[:1] == ["("] or not token.isidentifier():
            self._skip()
            return None
        return self._macros.get(token) if token in self._macros else None

    def _defined(self) -> int | None:
        bracket = self._take("(")
        name = self.rest.pop(0) if self.rest else ""
        if bracket and not self._take(")"):
            return None
        if name not in self._macros:
            return None
        return int(self._macros[name] is not None)

    def _take(self, token: str) -> bool:
        if self.rest[:1] != [token]:
            return False
        self.rest.pop(0)
        return True

    def _skip(self) -> None:
        # The arguments of a macro that is called.
        depth = 0
        while self.rest:
            depth += {"(": 1, ")": -1}.get(self.rest[0], 0)
            if depth < 0:
                return
            self.rest.pop(0)
            if depth == 0:
                return
