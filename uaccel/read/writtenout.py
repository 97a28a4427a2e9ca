# SPDX-License-Identifier: GPL-2.0-only
"""The text of a function with macros written out, each byte knowing where it stood.

It is meant for reading what a function does, not for writing it back: white space and comments
are not kept.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from uaccel.model.flowgraph import Place
from uaccel.read.macros import DEFINE
from uaccel.read.opening import begins, ends, scopes

_TOKEN = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[A-Za-z_]\w*|\.?\d[\w.]*|##|->|\+\+|--"
    r"|\\\r?\n|\s+|.",
    re.DOTALL,
)
_MOST = 120_000  # tokens of one function: of more it would be no kernel code
_VARIADIC = "__VA_ARGS__"


@dataclass(frozen=True, slots=True)
class File:
    """A file that macros and functions come from."""

    path: str  # relative to the tree
    clean: bytes  # its text without comments, and without what stands between quotes
    quoted: tuple[str, ...] = ()  # files that it includes with quotes

    def place(self, offset: int) -> Place:
        """Return where the byte at `offset` stands."""
        line = self.clean.count(b"\n", 0, offset) + 1
        return Place(self.path, line, offset - self.clean.rfind(b"\n", 0, offset))


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro as one file defines it."""

    name: str
    parameters: tuple[str, ...] | None  # None when it has none: a plain name
    body: tuple[Token, ...]
    file: File
    start: int  # of its definition


@dataclass(frozen=True, slots=True)
class Token:
    """One token, and where it was written."""

    text: str
    file: File
    at: int


@dataclass(frozen=True, slots=True)
class Text:
    """What was written out."""

    text: bytes
    starts: tuple[int, ...]  # of the tokens in it, rising
    tokens: tuple[Token, ...]
    used: frozenset[str]  # macros that were written out

    def place(self, offset: int) -> Place:
        """Return where the byte at `offset` was written."""
        number = max(bisect_right(self.starts, offset) - 1, 0)
        token = self.tokens[number]
        return token.file.place(token.at + min(offset - self.starts[number], len(token.text)))


@lru_cache(maxsize=256)
def macros_of(file: File) -> tuple[Macro, ...]:
    """Return the macros that `file` defines, in the order of its text."""
    return tuple(filter(None, (_macro(file, found) for found in DEFINE.finditer(file.clean))))


def _macro(file: File, found: re.Match[bytes]) -> Macro | None:
    name = found[1].decode()
    start, whole = found.start(3), found[3].decode("latin1")
    if not found[2]:
        return Macro(name, None, tuple(_tokens(file, start, whole)), file, found.start())
    given, closed, body = whole.partition(")")
    if not closed:
        return None
    named = given.replace("\\\n", " ").replace("\\\r\n", " ").split(",")
    parameters = tuple(one.strip() for one in named if one.strip())
    if not all(one.removesuffix("...").isidentifier() or one == "..." for one in parameters):
        return None
    at = start + len(given) + 1
    return Macro(name, parameters, tuple(_tokens(file, at, body)), file, found.start())


def written_out(file: File, start: int, text: bytes, macros: Mapping[str, Macro]) -> Text:
    """Return `text`, which stands at `start` of `file`, with `macros` in it written out."""
    given = tuple(_tokens(file, start, text.decode("latin1")))
    used: set[str] = set()
    made = _expanded(given, macros, frozenset(), used, [_MOST])
    return _assembled(made, frozenset(used))


def of_macro(macro: Macro, macros: Mapping[str, Macro]) -> Text:
    """Return the body of `macro` as the body of a function."""
    used: set[str] = set()
    hidden = frozenset((macro.name,))
    body = _expanded(macro.body, macros, hidden, used, [_MOST])
    first = Token("{", macro.file, macro.start)
    last = macro.body[-1] if macro.body else first
    ending = (Token(";", last.file, last.at), Token("}", last.file, last.at))
    return _assembled([first, *body, *ending], frozenset(used))


def _assembled(tokens: list[Token], used: frozenset[str]) -> Text:
    kept, starts, parts, at = [], [], [], 0
    for token in tokens:
        text = token.text.encode("latin1")
        kept.append(token)
        starts.append(at)
        parts.append(text)
        at += len(text)
    return Text(b"".join(parts), tuple(starts), tuple(kept), used)


def _tokens(file: File, start: int, text: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(text):
        word = found[0]
        if word.startswith("\\") and word.endswith("\n"):
            word = " " * len(word)
        yield Token(word, file, start + found.start())


def _expanded(
    tokens: tuple[Token, ...] | list[Token],
    macros: Mapping[str, Macro],
    hidden: frozenset[str],
    used: set[str],
    room: list[int],
) -> list[Token]:
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        macro = macros.get(token.text)
        if macro is None or token.text in hidden or room[0] <= 0:
            made.append(token)
            continue
        given, end = _arguments(tokens, at) if macro.parameters is not None else ((), at)
        filled = _filled(macro, given) if given is not None else None
        if filled is None:
            made.append(token)
            continue
        at = end
        used.add(macro.name)
        ready = {name: _expanded(one, macros, hidden, used, room) for name, one in filled.items()}
        room[0] -= sum(len(ready.get(one.text, ())) + 1 for one in macro.body)
        if room[0] <= 0:
            made.append(token)
            continue
        body = _put(_located(macro, token), ready, token)
        inner = _expanded(body, macros, hidden | {macro.name}, used, room)
        made += [Token(" ", token.file, token.at), *inner, Token(" ", token.file, token.at)]
    return made


def _located(macro: Macro, call: Token) -> Macro:
    # A whole window is wrong where it is written; a part of one, where it is used.
    if is_whole(macro):
        return macro
    return replace(macro, body=tuple(Token(t.text, call.file, call.at) for t in macro.body))


def is_whole(macro: Macro) -> bool:
    """Return whether a macro opens a window and closes it."""
    words = [token.text for token in macro.body]
    opens = any(begins(word) for word in words) and any(ends(word) for word in words)
    return opens or any(scopes(word) for word in words)


def _arguments(
    tokens: tuple[Token, ...] | list[Token], at: int
) -> tuple[tuple[tuple[Token, ...], ...] | None, int]:
    # The arguments of a call whose name stood before `at`, and where it ends.
    while at < len(tokens) and tokens[at].text.isspace():
        at += 1
    if at >= len(tokens) or tokens[at].text != "(":
        return None, at
    depth, parts = 0, list[tuple[Token, ...]]()
    one: list[Token] = []
    for number in range(at, len(tokens)):
        text = tokens[number].text
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if depth == 0:
            parts.append(tuple(one))
            return tuple(parts), number + 1
        if text == "," and depth == 1:
            parts.append(tuple(one))
            one = []
        elif number > at:
            one.append(tokens[number])
    return None, at


def _filled(
    macro: Macro, given: tuple[tuple[Token, ...], ...]
) -> dict[str, tuple[Token, ...]] | None:
    names = macro.parameters
    if names is None:
        return {}
    rest = next((name for name in names if name.endswith("...")), None)
    if rest is None:
        if not names and all(not _solid(one) for one in given):
            return {}
        return dict(zip(names, given, strict=True)) if len(names) == len(given) else None
    plain = names[:-1]
    filled = dict(zip(plain, given, strict=False))
    more: list[Token] = []
    for one in given[len(plain) :]:
        more += [*([Token(",", one[0].file, one[0].at)] if more and one else []), *one]
    return {**filled, rest.removesuffix("...") or _VARIADIC: tuple(more)}


def _solid(tokens: tuple[Token, ...]) -> bool:
    return any(not token.text.isspace() for token in tokens)


def _put(macro: Macro, given: Mapping[str, list[Token]], call: Token) -> list[Token]:
    made: list[Token] = []
    body = macro.body
    for number, token in enumerate(body):
        if token.text == "##":
            while made and made[-1].text.isspace():
                made.pop()
            made.append(token)
            continue
        if made and made[-1].text == "##" and token.text.isspace():
            continue
        if token.text in given:
            before = next((t.text for t in reversed(body[:number]) if not t.text.isspace()), "")
            if before == "#":
                made[-1:] = [Token('""', token.file, token.at)]
                continue
            made += _stripped(given[token.text])
        else:
            made.append(token)
    return _pasted(made, call)


def _stripped(tokens: list[Token]) -> list[Token]:
    start, end = 0, len(tokens)
    while start < end and tokens[start].text.isspace():
        start += 1
    while end > start and tokens[end - 1].text.isspace():
        end -= 1
    return tokens[start:end]


def _pasted(tokens: list[Token], call: Token) -> list[Token]:
    made: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.text == "##" and made and at + 1 < len(tokens):
            left = made.pop()
            made.append(Token(left.text + tokens[at + 1].text, call.file, call.at))
            at += 2
            continue
        if token.text != "##":
            made.append(token)
        at += 1
    return made
