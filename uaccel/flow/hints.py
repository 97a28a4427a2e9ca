# SPDX-License-Identifier: GPL-2.0-only
"""What the text of a function says that debug information does not: which pointers are a user's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.source import Function

_DECLARED = re.compile(r"__user\s*\*\s*(?:const\s+|restrict\s+)?(\w+)")
_LISTED = re.compile(r"__user\s*\*\s*\w+\s*((?:,\s*\*\s*\w+\s*)+);")
_PASSED = re.compile(r"__user\s*\*\s*,\s*(\w+)")  # of a system call: its type, then its name
_DOUBLE = re.compile(r"__user\s*\*\s*\*\s*(\w+)")
_TURNED = re.compile(r"(?:compat_ptr|u64_to_user_ptr)\s*\(\s*([\w.>\[\]-]+)")
_CAST = re.compile(r"__user\s*\*+\s*\)\s*\(?(?:\([\w\s]+\)\s*)?&?([\w.>\[\]-]+)")
_TAGGED = re.compile(r"struct\s+(\w+)\s+__user\s*\*+\s*\)\s*&?(\w+)")
_CHAIN = re.compile(r"\w+(?:\[[^\]]*\])?(?:(?:->|\.)\s*\w+(?:\[[^\]]*\])?)+")
_MEMBER = re.compile(r"(?:->|\.)\s*(\w+)")
_ADDRESSES = re.compile(r"compat_uptr_t|compat_caddr_t")
_SAYS = re.compile(r"user|(?<![a-z])u(?:ptr|addr|buf|arg)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hints:
    """Names by which a function knows user memory."""

    names: frozenset[str]  # of variables that lead there
    members: frozenset[str]  # of members of structs that do
    tags: tuple[tuple[str, str], ...]  # (name of a variable, tag of the struct it leads to)
    doubles: frozenset[str] = frozenset()  # of variables that lead to such a variable

    def leads(self, name: str, kind: str, *, member: bool) -> bool:
        """Return whether what has that name, and a type called `kind`, leads to user memory."""
        if _ADDRESSES.fullmatch(kind):
            return True
        known = self.members if member else self.names
        return name in known or (member and bool(_SAYS.search(name)))


def hints(function: Function) -> Hints:
    """Return what the text of `function` tells of its pointers."""
    text = function.source.quote(function.span)
    turned = [one[1] for how in (_TURNED, _CAST) for one in how.finditer(text)]
    names = {one[1] for how in (_DECLARED, _PASSED) for one in how.finditer(text)}
    names |= {one for many in _LISTED.findall(text) for one in re.findall(r"\w+", many)}
    names |= {one for one in turned if one.isidentifier()}
    said = [line for line in re.split(r"[;{}]", text) if "__user" in line]
    chains = (one for line in (*turned, *said) for one in _CHAIN.findall(line))
    members = {_MEMBER.findall(one)[-1] for one in chains}  # what stands before it leads there
    for cluster in function.clusters:
        for access in cluster.accesses:
            members |= set(_led(function.source.quote(access.pointer), names))
    tags = (*function.pointers, *((one[2], one[1]) for one in _TAGGED.finditer(text)))
    doubles = frozenset(_DOUBLE.findall(text))
    return Hints(frozenset(names), frozenset(members), tags, doubles)


def _led(pointer: str, names: set[str]) -> Iterator[str]:
    # `&msg->control->level` says of `control` that it leads to the user; `level` lies there.
    bare = pointer.strip().strip("()")
    if re.split(r"\W", bare.lstrip("&"))[0] in names:
        return
    yield from re.findall(r"(?:->|\.)\s*(\w+)\s*->", bare)
    if not bare.startswith("&"):
        yield from _MEMBER.findall(bare)[-1:]
