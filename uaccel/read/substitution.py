# SPDX-License-Identifier: GPL-2.0-only
"""Put arguments in the place of a macro's parameters, as the preprocessor would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from uaccel.model.source import Source, Span
from uaccel.read.calls import CALL, is_pure
from uaccel.read.csource import closing, without_comments
from uaccel.read.macros import DEFINE

_TOKEN = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|\d[\w.]*|##|->|\+\+|--|<<=?|>>=?"
    r"|[-+*/%&|^=<>!]=|&&|\|\||\s+|.",
    re.DOTALL,
)
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:(?:->|\.)\w+)*")
_BEHIND_VALUE = ("->", ".", "[", ",", ")", ";", "=", "|=", "||", "&&")  # never behind a cast
_CHANGES = ("++", "--", "=", "|=", "&=", "+=", "-=", "*=", "/=", "%=", "^=", "<<=", ">>=")
_MERGED = frozenset(("++", "--", "&&", "||", "<<", ">>", "==", "->", "//", "/*", "##"))
_MERGED_BEFORE_EQUALS = "-+*/%&|^<>!"
_AROUND = 5  # tokens: two on either side of a parameter


@dataclass(frozen=True, slots=True)
class Definition:
    """A macro with arguments, as the file defines it."""

    name: str
    parameters: tuple[str, ...]
    body: str  # on one line
    lines: Span  # where it stands, with the newline behind
    until: int  # where it is undefined, or the file ends
    undefined: Span | None  # the line that does it


def definition(source: Source, clean: bytes, name: str, at: int) -> Definition | str | None:
    """Return the macro `name` as it is in force at `at`, or what forbids to write it out.

    None when the file defines no such macro.
    """
    every = [found for found in DEFINE.finditer(clean) if found[1].decode() == name and found[2]]
    above = [found for found in every if found.start() < at]
    if not above:
        return None
    last = above[-1]
    undefining = _undefining(clean, name)
    gone = next((one for one in undefining if one.start > last.start()), None)
    if gone is not None and gone.start < at:
        return "is undefined again before"
    for one, other in pairwise(above):
        if not any(one.start() < line.start < other.start() for line in undefining):
            return "is defined in several ways"
    around = conditions(clean, last.start())
    if around != conditions(clean, at)[: len(around)]:
        return "is defined under a condition of its own"
    return _definition(source, clean, last, gone)


def conditions(clean: bytes, at: int) -> tuple[int, ...]:
    """Return where the branches of #if begin that are open at `at`."""
    opened: list[int] = []
    for found in _CONDITION.finditer(clean, 0, at):
        if found[1] in (b"elif", b"else", b"endif") and opened:
            opened.pop()
        if found[1] != b"endif":
            opened.append(found.start())
    return tuple(opened)


def against(macro: Definition, arguments: tuple[str, ...]) -> str | None:
    """Return what forbids to put `arguments` into `macro`, None when nothing does."""
    tokens = _tokens(macro.body)
    if "#" in tokens:
        return "makes a string of an argument"
    if len(arguments) != len(macro.parameters) or not all(arguments):
        return "is called with other arguments than it has"
    if macro.name in tokens or any(macro.name in _tokens(one) for one in arguments):
        return "is used within itself"
    if any(_changed(tokens, name) for name in macro.parameters):
        return "changes one of its arguments"
    for name, argument in zip(macro.parameters, arguments, strict=True):
        if tokens.count(name) > 1 and _has_effects(argument):
            return "repeats an argument that calls or changes something"
    text = substituted(macro, arguments)
    return None if "##" not in _tokens(text) else "pastes what is no name"


def substituted(macro: Definition, arguments: tuple[str, ...]) -> str:
    """Return the text of `macro` with `arguments` in it, on one line."""
    given = dict(zip(macro.parameters, arguments, strict=True))
    text, glued, before = "", False, False
    for token in _without_parentheses(macro, given):
        if token == "##":
            glued = True
            continue
        put = given.get(token, token)
        joins = re.search(r"\w$", text) and re.match(r"\w", put)
        if glued and not joins:
            text += "##"
        elif not glued and (before or token in given) and _merge(text, put):
            text += " "
        text += put
        glued, before = False, token in given
    return text


def hidden(clean: bytes, text: str) -> frozenset[str]:
    """Return the names that `text` means through macros of the file, but does not show."""
    bodies: dict[str, set[str]] = {}
    for found in DEFINE.finditer(clean):
        whole = found[3].decode(errors="surrogateescape")
        given, _, body = whole.partition(")") if found[2] else ("", "", whole)
        names = set(_NAME.findall(body)) - set(_NAME.findall(given))
        bodies.setdefault(found[1].decode(), set()).update(names)
    pending, seen = set(_NAME.findall(text)) & bodies.keys(), frozenset[str]()
    while pending:
        more = bodies[pending.pop()] - seen
        seen |= more
        pending |= more & bodies.keys()
    return seen


def split(text: str) -> tuple[str, ...]:
    """Return the arguments of a call, whose text between parentheses is given, each on one line."""
    depth, parts = 0, [""]
    for token in _tokens(text):
        depth += (token in "([{") - (token in ")]}")
        if token == "," and not depth:
            parts.append("")
        else:
            parts[-1] += " " if token.isspace() else token
    return tuple(part.strip() for part in parts)


def _undefining(clean: bytes, name: str) -> list[Span]:
    line = re.compile(
        rb"^[ \t]*#[ \t]*undef[ \t]+" + name.encode() + rb"[ \t]*\r?(?:\n|\Z)", re.MULTILINE
    )
    return [Span(found.start(), found.end()) for found in line.finditer(clean)]


def _definition(
    source: Source, clean: bytes, found: re.Match[bytes], gone: Span | None
) -> Definition | str:
    end = clean.find(b"\n", found.end())
    lines = Span(found.start(), end + 1 if end >= 0 else len(clean))
    shut = closing(clean, found.end(2) - 1)
    inner = clean[found.end(2) : shut].replace(b"\\\n", b"").replace(b"\\\r\n", b"")
    given = inner.decode(errors="surrogateescape")
    parameters = tuple(name.strip() for name in given.split(","))
    if not all(name.isidentifier() for name in parameters):
        return "takes any number of arguments"
    whole = source.text[lines.start : lines.end]
    if without_comments(source.text)[lines.start : lines.end] != whole:
        return "holds a comment, which would be lost"
    body = source.text[shut + 1 : lines.end].decode(errors="surrogateescape")
    body = _one_line(re.sub(r"\\\r?\n", " ", body))
    until = gone.start if gone is not None else len(clean)
    return Definition(found[1].decode(), parameters, body, lines, until, gone)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _one_line(text: str) -> str:
    return "".join(" " if token.isspace() else token for token in _tokens(text)).strip()


def _changed(tokens: list[str], name: str) -> bool:
    solid = ["", *(token for token in tokens if not token.isspace()), ""]
    return any(
        token == name and (after in _CHANGES or before in ("++", "--"))
        for before, token, after in zip(solid, solid[1:], solid[2:], strict=False)
    )


def _has_effects(argument: str) -> bool:
    if any(token in _CHANGES for token in _tokens(argument)):
        return True
    calls = (found[1] for found in CALL.finditer(argument.encode(errors="surrogateescape")))
    return any(name is None or not is_pure(name.decode()) for name in calls)


def _without_parentheses(macro: Definition, given: dict[str, str]) -> Iterator[str]:
    # `(p)->field` where the argument is a plain name, white space around ## dropped.
    tokens = _solid(_tokens(macro.body))
    skip: set[int] = set()
    solid = [at for at, token in enumerate(tokens) if not token.isspace()]
    for place, at in enumerate(solid):
        around = [tokens[one] for one in solid[max(place - 2, 0) : place + 3]]
        if tokens[at] not in given or not _PLAIN.fullmatch(given[tokens[at]]):
            continue
        if len(around) == _AROUND and _needless(around):
            skip |= {solid[place - 1], solid[place + 1]}
    return (token for at, token in enumerate(tokens) if at not in skip)


def _solid(tokens: list[str]) -> list[str]:
    # Without the white space around ##.
    beside = {place + one for place, token in enumerate(tokens) if token == "##" for one in (-1, 1)}
    return [token for at, token in enumerate(tokens) if at not in beside or not token.isspace()]


def _needless(around: list[str]) -> bool:
    before, left, _, right, after = around
    name = before[-1].isalnum() or before[-1] in "_)]"
    return left == "(" and right == ")" and not name and after in _BEHIND_VALUE


def _merge(text: str, put: str) -> bool:
    if not text or not put:
        return False
    if re.search(r"\w$", text) and re.match(r"\w", put):
        return True
    meet = text[-1] + put[0]
    return meet in _MERGED or (put[0] == "=" and text[-1] in _MERGED_BEFORE_EQUALS)
