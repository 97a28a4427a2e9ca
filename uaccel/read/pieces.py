# SPDX-License-Identifier: GPL-2.0-only
"""Cut a C file into the functions that hold accesses, without parsing the rest.

The kernel opens the body of a function with a brace in the first column and closes it with
another (Documentation/process/coding-style.rst, section 3).  Where a file does not, the
stretch between two such braces is parsed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.model.source import Span
from uaccel.read.csource import SPACES

_SYSCALL = re.compile(rb"(?:(?:COMPAT_)?SYSCALL(?:32)?_DEFINE|BPF_CALL_)[0-6x]\s*\(\s*(\w+)")
_PARENTHESES = re.compile(rb"[()]")
_LAST_WORD = re.compile(rb"([A-Za-z_]\w*+)\s*+\Z")
INLINE = re.compile(rb"\b(?!noinline)\w*inline\b")  # in the header of a function
_POINTED = re.compile(rb"\(\s*\*\s*(\w+)\s*\(")
_TYPES = frozenset(b"void char short int long float double unsigned signed bool".split())
# What may stand before the name of a function, with an argument of its own.
_NO_NAMES = frozenset(
    b"__attribute__ __printf __scanf __section __aligned __acquires __releases __must_hold "
    b"__alloc_size __malloc __no_sanitize __diag_ignore __cond_acquires __cond_lock "
    b"__bpf_kfunc typeof __typeof__".split()
)
_DIRECTIVE = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\\r?\n|\\[^\n])*", re.MULTILINE)
_DECLARED = 1000
_HEADER = re.compile(
    rb"(?!(?:typedef|struct|enum|union|else|do)\b[^()]*\{)[A-Za-z_][^;{}=#]*\)\s*\{"
)
_MOST_LINES = 400  # of a function, above what stands in it
_PROTOTYPE = re.compile(rb"(?=\s*+\w)[\w\s*]*(?<=[\s*])")


@dataclass(frozen=True, slots=True)
class Piece:
    """One function definition that holds accesses."""

    name: str
    header: Span  # from its first word to its opening brace
    body: Span  # braces included


def piece_at(clean: bytes, at: int) -> Piece | None:
    """Return the function whose body holds the byte at `at`, by braces in the first column.

    `clean` has no comments.  None when there is no such function, or its braces do not match.
    """
    above = clean.rfind(b"\n}", 0, at)
    while above >= 0 and directive_at(clean, above + 1) is not None:  # } while (0) of a macro
        above = clean.rfind(b"\n}", 0, above)
    opening = clean.rfind(b"\n{", max(above, 0), at) + 1
    closing = clean.find(b"\n}", at) + 1
    while closing and directive_at(clean, closing) is not None:
        closing = clean.find(b"\n}", closing) + 1
    if not opening or not closing:
        return None
    body = Span(opening, closing + 1)
    if not _balanced(clean, body):
        return None
    header = _header(clean, above + 2 if above >= 0 else 0, opening)
    name = name_of(clean[header.start : header.end])
    return Piece(name, header, body) if name else None


def stretch_at(clean: bytes, at: int, above: int) -> Span:
    """Return the text that holds `at`, from the brace `above` closing ones before it to the next.

    Only braces in the first column count.
    """
    start = at
    for _ in range(above):
        start = clean.rfind(b"\n}", 0, max(start, 0))
    closing = clean.find(b"\n}", at)
    return Span(start + 2 if start >= 0 else 0, closing + 2 if closing >= 0 else len(clean))


def name_of(header: bytes) -> str:
    """Return the name of the function that `header` introduces, "" when it names none."""
    if b"#" in header:
        header = _DIRECTIVE.sub(b"", header)
    call = _SYSCALL.search(header)
    if call is not None:
        return call[1].decode()
    depth, last, name = 0, 0, b""
    for found in _PARENTHESES.finditer(header):
        if depth == 0 and found[0] == b"(":
            word = _LAST_WORD.search(header, last, found.start())
            pointed = _POINTED.match(header, found.start())
            if pointed is not None and word is not None and word[1] in _TYPES:
                name = pointed[1]  # int (*name(arguments))(arguments)
            elif word is not None and word[1] not in _NO_NAMES:
                name = word[1]  # the last: EXPORT_SYMBOL(other) may stand before it
        depth += 1 if found[0] == b"(" else -1
        last = found.end()
    return name.decode()


def declares(clean: bytes, at: int) -> bool:
    """Return whether the accessor at `at`, outside any body, is declared or defined there."""
    nearest = max(at - _DECLARED, 0)  # bytes: no declaration is longer up to its name
    start = max(clean.rfind(mark, nearest, at) for mark in (b";", b"}", b"{", b")")) + 1
    start = max(start, nearest)
    above = _DIRECTIVE.sub(b" ", clean[start:at])
    return above.strip() == b"" or _PROTOTYPE.fullmatch(above) is not None


def directive_at(clean: bytes, at: int) -> int | None:
    """Return where the preprocessor line that holds `at` starts, None when it is no such line."""
    start = clean.rfind(b"\n", 0, at) + 1
    while clean[max(start - 3, 0) : start].rstrip(b"\r\n").endswith(b"\\"):
        start = clean.rfind(b"\n", 0, start - 1) + 1
    return start if clean[start:at].lstrip(b" \t").startswith(b"#") else None


def branches(text: bytes) -> Iterator[bytes]:
    """Yield `text` with the first, then the last branch of each #if kept, at equal length."""
    for last in (False, True):
        yield _one_branch(text, last)


def _balanced(clean: bytes, span: Span) -> bool:
    if clean.count(b"{", span.start, span.end) == clean.count(b"}", span.start, span.end):
        return True
    if clean.find(b"\n#", span.start, span.end) < 0:
        return False
    # An #if may open a block that its #else opens too.
    body = clean[span.start : span.end]
    return any(one.count(b"{") == one.count(b"}") for one in branches(body))


def _header(clean: bytes, start: int, end: int) -> Span:
    start = max(start, clean.rfind(b";", start, end) + 1)
    directive = directive_at(clean, start)
    whole = _DIRECTIVE.match(clean, directive) if directive is not None else None
    if whole is not None:  # that brace or semicolon stands in a macro: } while (0)
        start = min(whole.end(), end)
    text = clean[start:end]
    if b"#" in text:  # the lines of an #ifdef around the header, or around its arguments
        text = _DIRECTIVE.sub(lambda found: found[0].translate(SPACES), text)
    return Span(start + len(text) - len(text.lstrip()), end)


CONDITION = re.compile(
    rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)?\b((?:[^\n\\]|\\\r?\n|\\[^\n])*)",
    re.MULTILINE,
)


def _one_branch(text: bytes, last: bool) -> bytes:
    plain = bytearray(text)
    depth: list[tuple[bool, int]] = []  # keeps the branch that is open; where its text starts
    for found in CONDITION.finditer(text):
        word = found[1]
        if word in (b"if", b"ifdef", b"ifndef"):
            depth.append((True, found.end()))
        elif word in (b"elif", b"else") and depth:
            start = depth[-1][1]
            if last or not depth[-1][0]:
                blank(plain, start, found.start())
            depth[-1] = (last, found.end())
        elif word == b"endif" and depth:
            keeps, start = depth.pop()
            if not keeps:
                blank(plain, start, found.start())
        blank(plain, found.start(), found.end())
    return bytes(plain)


def blank(text: bytearray, start: int, end: int) -> None:
    """Return with spaces in the place of a part of `text`; its lines stay."""
    text[start:end] = text[start:end].translate(SPACES)


def ended_line(clean: bytes, at: int) -> Piece | None:
    """Return the function around `at` whose opening brace ends a line, or that is one line."""
    start = at
    for _ in range(_MOST_LINES):
        start = clean.rfind(b"\n", 0, start)
        line = clean[start + 1 : clean.find(b"\n", start + 1) if start + 1 < len(clean) else None]
        found = _HEADER.match(line)
        if found is not None:
            opening = start + 1 + found.end() - 1
            end = _shut(clean, opening)
            if not opening < at < end:
                return None
            header = Span(start + 1, opening)
            name = name_of(clean[header.start : header.end])
            return Piece(name, header, Span(opening, end)) if name else None
        if start < 0:
            return None
    return None


def _shut(clean: bytes, opening: int) -> int:
    depth = 0
    for brace in re.compile(rb"[{}]").finditer(clean, opening):
        depth += 1 if brace[0] == b"{" else -1
        if depth == 0:
            return brace.end()
    return opening
