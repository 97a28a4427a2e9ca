# SPDX-License-Identifier: GPL-2.0-only
"""What a C file includes and which types it defines, and under which conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from uaccel.read.conditions import DataModel, Directive, all_hold, directives
from uaccel.read.csource import without_comments

_INCLUDE = re.compile(r"([<\"])([^>\"]+)[>\"]")
_TAGGED = re.compile(rb"\b(struct|union|enum)\s+(?:__packed\s+)?(\w+)\s*(?=\{)")
_TYPEDEF = re.compile(rb"^[ \t]*typedef\b", re.MULTILINE)
_MACRO = re.compile(r"(\w+)(?!\()(?:\s+(.*))?", re.DOTALL)
_PRAGMA = re.compile(rb"#[ \t]*pragma[ \t]+pack\b")
_BRACE = re.compile(rb"[{};]")
_ATTRIBUTE = re.compile(r"\b(?:__attribute__|__aligned)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_FUNCTION = re.compile(r"\(\s*\*\s*(\w+)\s*\)\s*\(")
_NAME = re.compile(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$")
_LARGEST = 1 << 16  # bytes of one definition


@dataclass(frozen=True, slots=True)
class Definition:
    """One place where a name is given a meaning."""

    kind: str  # "struct", "union", "enum", "typedef" or "define"
    name: str
    text: str  # of a tag: `{ ... }` and what follows up to `;`; else what the name stands for
    under: tuple[str, ...]  # the conditions of the preprocessor


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One `#include`."""

    name: str
    quoted: bool  # the folder of the file is searched first
    under: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """One file, as far as types are concerned."""

    inclusions: tuple[Inclusion, ...]
    defined: Mapping[tuple[str, str], tuple[Definition, ...]]  # by kind and name


class Names:
    """What names mean in some headers under one data model."""

    def __init__(self, headers: tuple[Header, ...], model: DataModel) -> None:
        self.model = model
        self._headers = headers
        self._known: dict[tuple[str, str], tuple[Definition, ...]] = {}

    def of(self, kind: str, name: str) -> tuple[Definition, ...]:
        """Return the definitions of `name` that the model does not rule out, alike ones once."""
        key = (kind, name)
        if key not in self._known:
            every = (one for header in self._headers for one in header.defined.get(key, ()))
            held = (one for one in every if all_hold(one.under, self.model) is not False)
            self._known[key] = tuple(dict.fromkeys(held))
        return self._known[key]


@lru_cache(maxsize=1 << 13)
def read_header(text: bytes) -> Header:
    """Return what a file includes and defines."""
    clean = without_comments(text)
    lines = tuple(directives(clean))
    defined: dict[tuple[str, str], tuple[Definition, ...]] = {}
    packed = _PRAGMA.search(clean) is not None
    for one in (*_macros(lines), *_tags(clean, lines), *_typedefs(clean, lines)):
        # Under `#pragma pack` a body is no text that is understood.
        said = replace(one, text=f"{one.text} #pragma") if packed and "{" in one.text else one
        here = (one.kind, one.name)
        defined[here] = (*defined.get(here, ()), said)
    return Header(tuple(_inclusions(lines)), defined)


def live(text: str, model: DataModel) -> str | None:
    """Return `text` as the preprocessor leaves it, None when the model does not decide that."""
    if "#" not in text:
        return text
    raw = text.encode("latin1", errors="replace")
    kept, at = b"", 0
    for line in (*directives(raw), None):
        end = line.start if line is not None else len(raw)
        under = _under_at(raw, end)
        here = all_hold(under, model)
        if here is None:
            return None
        if line is not None and here and line.word in ("include", "define", "undef"):
            return None
        kept += raw[at:end] if here else b""
        at = line.end if line is not None else end
    return None if b"#" in kept else kept.decode("latin1")


def _under_at(text: bytes, at: int) -> tuple[str, ...]:
    # The conditions that hold right before byte `at`.
    *_, last = directives(text[:at] + b"\n#define END")
    return last.under


def _inclusions(lines: tuple[Directive, ...]) -> Iterator[Inclusion]:
    for line in lines:
        found = _INCLUDE.match(line.rest) if line.word == "include" else None
        if found is not None:
            yield Inclusion(found[2], found[1] == '"', line.under)


def _macros(lines: tuple[Directive, ...]) -> Iterator[Definition]:
    for line in lines:
        found = _MACRO.fullmatch(line.rest) if line.word == "define" else None
        # `#define x x` says only that x is there; a macro of several words is no type's name.
        if found is not None and found[2] and found[2].strip() != found[1]:
            yield Definition("define", found[1], found[2].strip(), line.under)


def _tags(clean: bytes, lines: tuple[Directive, ...]) -> Iterator[Definition]:
    for found in _TAGGED.finditer(clean):
        end = _end(clean, found.end())
        text = clean[found.end() : end].decode("latin1")
        packed = " __packed" if b"__packed" in found[0] else ""
        kind = found[1].decode()
        yield Definition(kind, found[2].decode(), text + packed, _conditions(lines, found.start()))


def _typedefs(clean: bytes, lines: tuple[Directive, ...]) -> Iterator[Definition]:
    for found in _TYPEDEF.finditer(clean):
        end = _end(clean, found.end())
        text = clean[found.end() : end].decode("latin1")
        under = _conditions(lines, found.start())
        for name in _names(text):
            yield Definition("typedef", name, text, under)


def _names(typedef: str) -> Iterator[str]:
    text = _ATTRIBUTE.sub(" ", typedef)
    _, brace, tail = text.rpartition("}")
    function = _FUNCTION.search(tail)
    if function is not None:
        yield function[1]
        return
    for part in (tail if brace else text).split(","):
        found = _NAME.search(part.strip())
        if found is not None:
            yield found[1]


def _end(clean: bytes, at: int) -> int:
    # The `;` that ends a declaration.
    depth = 0
    for found in _BRACE.finditer(clean, at, at + _LARGEST):
        depth += {b"{": 1, b"}": -1}.get(found[0], 0)
        if depth < 0:
            return found.start()
        if depth == 0 and found[0] == b";":
            return found.start()
    return at


def _conditions(lines: tuple[Directive, ...], at: int) -> tuple[str, ...]:
    # Those of the next line of the preprocessor behind it, before it changes them.
    following = next((line for line in lines if line.start >= at), None)
    return following.under if following is not None else ()
