# SPDX-License-Identifier: GPL-2.0-only
"""Find a macro of the file that only wraps accesses of a window, and say what a call of it makes.

The one that fs/readdir.c has is the model: parameters are copied into variables, and the accesses
jump to a label that is a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.ctext import Call, address, arguments, one_line
from uaccel.model.source import Direction, Source
from uaccel.read.accesses import direction_of
from uaccel.read.csource import cleaned, span

_DO = re.compile(r"do\s*\{(?P<body>[^{}]*)\}\s*while\s*\(\s*0\s*\)")
_COPIED = re.compile(r"(?P<type>[\w\s]+?(?:\*\s*)?)\b(?P<name>\w+)\s*=\s*\(?\s*(?P<of>\w+)\s*\)?")
_MADE = re.compile(r"(?P<name>unsafe_(?:(?:get|put)_user|copy_(?:from|to)_user))\s*\((?P<of>.*)\)")
_PLAIN = re.compile(r"\w+(?:(?:->|\.)\w+)*")
_NAME = re.compile(r"(?<!->)(?<![.\w])[A-Za-z_]\w*")
_SIZES = ("size_t", "unsigned long")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A macro whose whole text is accesses that jump to a label."""

    parameters: tuple[str, ...]
    copies: Mapping[str, tuple[str, str]]  # of its variables: type and the parameter copied
    accesses: tuple[tuple[str, tuple[str, ...]], ...]  # accessor and arguments, the label last
    direction: Direction

    def calls(self, source: Source, call: Node) -> tuple[Call, ...] | None:
        """Return the checked accesses that a `call` of it makes; None when it must stay whole."""
        given = _given(source, call)
        if len(given) != len(self.parameters):
            return None
        known = dict(zip(self.parameters, given, strict=True))
        label = self.accesses[0][1][-1]
        if not all(_PLAIN.fullmatch(known[name]) for name in self.parameters if name != label):
            return None
        return tuple(self._call(name, arguments[:-1], known) for name, arguments in self.accesses)

    def _call(self, name: str, arguments: tuple[str, ...], known: Mapping[str, str]) -> Call:
        # A copy takes any pointer; for a scalar the type of the variable says how wide it is.
        cast = "copy" not in name
        written = (address(self._written(one, known, cast=cast)) for one in arguments)
        return name.removeprefix("unsafe_"), tuple(written)

    def _written(self, argument: str, known: Mapping[str, str], *, cast: bool) -> str:
        def put(found: re.Match[str]) -> str:
            name = found[0]
            kind, of = self.copies.get(name, ("", name))
            text = known.get(of, of)
            return f"({kind}){text}" if cast and kind.endswith("*") else text

        return re.sub(r"\s*\+\s*", " + ", _NAME.sub(put, argument))


def wrapper(source: Source, name: str) -> Wrapper | None:
    """Return the macro of the file that is called `name`, when it only wraps accesses."""
    define = re.compile(
        rb"^[ \t]*#[ \t]*define[ \t]+" + name.encode() + rb"\(([^()]*)\)((?:[^\n\\]|\\\r?\n|\\.)*)",
        re.MULTILINE,
    )
    found = define.findall(cleaned(source.text))
    if len(found) != 1:
        return None
    given, text = (part.decode(errors="surrogateescape") for part in found[0])
    parameters = tuple(one.strip() for one in given.split(","))
    body = one_line(re.sub(r"\\\r?\n", " ", text))
    whole = _DO.fullmatch(body)
    return _wrapper(parameters, (whole["body"] if whole else body).split(";"))


def _wrapper(parameters: tuple[str, ...], statements: list[str]) -> Wrapper | None:
    copies: dict[str, tuple[str, str]] = {}
    made: list[tuple[str, tuple[str, ...]]] = []
    for statement in (one.strip() for one in statements if one.strip()):
        access, copied = _MADE.fullmatch(statement), _COPIED.fullmatch(statement)
        if access is not None:
            made.append((access["name"], tuple(arguments(access["of"]))))
        elif copied is not None and not made and copied["of"] in parameters:
            copies[copied["name"]] = (copied["type"].strip(), copied["of"])
        else:
            return None
    ways = {direction_of(name) for name, _ in made}
    labels = {arguments[-1] for _, arguments in made}
    kept = all(kind.endswith("*") or kind in _SIZES for kind, _ in copies.values())
    way = ways.pop() if len(ways) == 1 else None
    if way is not Direction.WRITE or len(labels) != 1 or labels.pop() not in parameters or not kept:
        return None
    return Wrapper(parameters, copies, tuple(made), way)


def _given(source: Source, call: Node) -> list[str]:
    given = call.child_by_field_name("arguments")
    if given is None:
        return []
    return [one_line(source.quote(span(argument))) for argument in given.named_children]
