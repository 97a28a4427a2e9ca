# SPDX-License-Identifier: GPL-2.0-only
"""Find the macros of a file that wrap user accesses: the form that was merged for the seed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tree_sitter import Node

from uaccel.model.source import Direction, Form
from uaccel.read.accesses import COPIES, SCALARS
from uaccel.read.csource import annotated, parse, text_of
from uaccel.read.shared import Shared, shared

DEFINE = re.compile(
    rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(\(?)((?:[^\n\\]|\\\r?\n|\\[^\n])*)", re.MULTILINE
)
# As DEFINE, but only plain names whose text opens a parenthesis.
_DEFINES_CALL = re.compile(rb"#[ \t]*define[ \t]+(\w+)()(?=[ \t])((?:[^\n\\]|\\\r?\n|\\[^\n])*)")
_CALL = re.compile(r"\b(\w+)\s*\(")
_FORKS = re.compile(r"\bif\b|\?")
_FORKED = ("if_statement", "conditional_expression")
_CONTINUED = re.compile(r"\\\r?\n")
_NO_CALLS = ("sizeof", "typeof", "__typeof__", "offsetof")
_BEGIN = re.compile(
    r"\b(?:(?:masked_)?user_(?:read_|write_|rw_)?access_begin|scoped_user_\w+)\s*\("
)


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro with arguments, or a function, whose body accesses user memory."""

    name: str
    accessors: tuple[str, ...]  # in the order of its text: "unsafe_get_user", ...
    form: Form
    direction: Direction  # of its first access
    kind: str  # "macro" or "function": how a sentence calls it
    joins: bool  # several of them could share a window
    longest: int  # accesses on one path
    looped: bool  # it repeats some of them
    start: int  # of its definition in the file; 0 when that is another one
    shared: Shared | None = None  # of a macro that holds a whole window


def wrappers(clean: bytes) -> tuple[Macro, ...]:
    """Return the macros of another file, which has no comments, that wrap user accesses."""
    found = (_macro(0, *match.groups()) for match in DEFINE.finditer(clean))
    return tuple(macro for macro in found if macro is not None)


def wrapper_at(clean: bytes, start: int) -> Macro | None:
    """Return the macro whose definition starts at `start`, None when it wraps no user access."""
    match = DEFINE.match(clean, start)
    return _macro(start, *match.groups()) if match is not None else None


def calling(clean: bytes) -> tuple[str, ...]:
    """Return the macros of `clean` that look like plain names and call something."""
    found = (match.groups() for match in _DEFINES_CALL.finditer(clean))
    return tuple(
        name.decode()
        for name, bracket, rest in found
        if not bracket and _calls(rest.decode("latin1"))
    )


def _calls(body: str) -> bool:
    return any(name not in _NO_CALLS for name in _CALL.findall(body))


def _macro(start: int, name: bytes, bracket: bytes, rest: bytes) -> Macro | None:
    body = rest.decode(errors="surrogateescape")
    accessors = tuple(call for call in _CALL.findall(body) if _accesses(call))
    if not bracket or not accessors:
        return None
    copies = any(accessor in COPIES for accessor in accessors)
    form = Form.STRUCTCOPY if copies else Form.FIELDWISE
    held = None
    if _BEGIN.search(body):
        parameters, _, text = body.partition(")")
        held = shared(parameters, text)
        form = Form.WINDOW if held is None else Form.HELPER
    ways = {SCALARS.get(accessor) or COPIES[accessor] for accessor in accessors}
    first = SCALARS.get(accessors[0]) or COPIES[accessors[0]]
    joins = form not in (Form.WINDOW, Form.HELPER) and len(ways) == 1
    return Macro(
        name=name.decode(),
        accessors=accessors,
        form=form,
        direction=first,
        kind="macro",
        joins=joins,
        longest=_longest(body, len(accessors)),
        looped=False,
        start=start,
        shared=held,
    )


def _longest(body: str, every: int) -> int:
    # Of `if (a) ACCESS; else ACCESS;` one is made.  All, where its text is no statement.
    _, _, text = body.partition(")")
    if every < 2 or not _FORKS.search(text):
        return every
    plain = f"void f(void) {{ {_CONTINUED.sub(' ', text)}; }}"
    root = parse(annotated(plain.encode(errors="surrogateescape")))
    return every if root.has_error else min(every, _made(root))


def _made(node: Node) -> int:
    name = node.child_by_field_name("function")
    own = node.type == "call_expression" and name is not None and _accesses(text_of(name))
    arms = [node.child_by_field_name(one) for one in ("consequence", "alternative")]
    forked = [arm for arm in arms if arm is not None and node.type in _FORKED]
    chosen = {arm.id for arm in forked}
    rest = sum(_made(child) for child in node.named_children if child.id not in chosen)
    return int(own) + rest + max(map(_made, forked), default=0)


def _accesses(name: str) -> bool:
    return name in SCALARS or name in COPIES
