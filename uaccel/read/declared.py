# SPDX-License-Identifier: GPL-2.0-only
"""What the text of a function declares: parameters, structs, pointers to user memory."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_]\w*")
_STRUCT = re.compile(
    r"\b(?:struct|union)\s+(\w+)\s+(?:(?:const|volatile|__\w+)\s+)*(\**)\s*"
    r"(?:(?:const|volatile|__\w+)\s+)*([A-Za-z_]\w*)\s*(?=[;,=)\[_])"
)
_SCALAR = re.compile(
    r"\b([a-z_]\w*)\s+(?:const\s+)?__user\s*\*\s*(?:const\s+)?([A-Za-z_]\w*)(?=\s*[,;=)])"
)
_STATIC_LOCAL = re.compile(r"\bstatic\s+(?:const\s+)?\Z")


def parameters(header: str) -> tuple[str, ...]:
    """Return the names of the parameters in the header of a function."""
    # The last parentheses of the header hold them; of SYSCALL_DEFINE2(name, int, fd, ...) too.
    end = header.rfind(")")
    start, depth = end, 0
    while start >= 0:
        depth += (header[start] == ")") - (header[start] == "(")
        if depth == 0:
            break
        start -= 1
    parts, one = [], ""
    for letter in header[start + 1 : end]:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(one)
            one = ""
        else:
            one += letter
    named = [_NAME.findall(part) for part in (*parts, one)]
    return tuple(words[-1] for words in named if words)


def structs(text: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return names with the tags of their structs, and which of them are no pointers."""
    # A name that stands for two things, in blocks of their own, stands for none here.
    found: dict[str, set[tuple[str, bool]]] = {}
    for match in _STRUCT.finditer(text):
        if not match[2] and _STATIC_LOCAL.search(text, max(match.start() - 30, 0), match.start()):
            continue  # what it does not name is zero
        found.setdefault(match[3], set()).add((match[1], bool(match[2])))
    sole = {name: next(iter(every)) for name, every in found.items() if len(every) == 1}
    variables = tuple(name for name, (_, pointer) in sole.items() if not pointer)
    return tuple((name, tag) for name, (tag, _) in sole.items()), variables


def scalars(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pointers to user memory of other types, and these types."""
    found: dict[str, set[str]] = {}
    for kind, name in _SCALAR.findall(text):
        found.setdefault(name, set()).add(kind)
    return tuple((name, kinds.pop()) for name, kinds in found.items() if len(kinds) == 1)
