# SPDX-License-Identifier: GPL-2.0-only
"""Drop the declaration of a variable that nobody names any more.

`err = get_user(...); if (err) return -EFAULT;` needs no `err` within a window, and a variable
that nothing uses is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from uaccel.edits import apply
from uaccel.model.rewrite import Edit
from uaccel.model.source import Function, Span
from uaccel.windows import Window

_EMPTY = re.compile(r"(\w:)\n([ \t]*)}")  # a label stands before a statement
_BRACED = re.compile(r"\) \{\n([ \t]*)((?:return|goto|break|continue)\b[^\n;]*;)\n[ \t]*\}")
_VALUE = rb"(?:[ \t]*=[ \t]*[-\w]+)?"
_WORDS = rb"^[ \t]*(?:(?:unsigned|signed|register|const|volatile|struct) )*\w+[ \t]+"
_ALONE = _WORDS + rb"%s\b" + _VALUE + rb"[ \t]*;[ \t]*\n"
_FIRST = rb"(?<=[ \t])%s\b" + _VALUE + rb"[ \t]*,[ \t]*(?=[\w*])"
_LATER = rb",[ \t]*%s\b" + _VALUE + rb"(?=[ \t]*[,;])"


def silenced(function: Function, edits: list[Edit], made: Iterable[Window]) -> dict[Edit, Edit]:
    """Return those of `edits`, with what replaces them, that set a variable nobody reads then."""
    found: dict[Edit, Edit] = {}
    for name in sorted({s.variable for one in made for s in one.stretch.steps if s.variable}):
        if not name.isidentifier() or not _is_only_set(function, name, edits):
            continue
        line = re.compile(rf"(?:^|\n)[ \t]*{name} \|?= (?:0|1|-EFAULT);(?=\n|$)")
        declared = re.compile(rf"^(?:\w+ )+{name};\n+[ \t]*")
        for edit in edits:
            text = line.sub("", found.get(edit, edit).text)
            text = _EMPTY.sub(r"\1\n\2\t;\n\2}", declared.sub("", text))
            text = _BRACED.sub(r")\n\1\2", text)
            if text != edit.text:
                found[edit] = replace(edit, text=text)
    return found


def _is_only_set(function: Function, name: str, edits: list[Edit]) -> bool:
    text = function.source.text
    after = apply(text, edits)
    end = function.span.end + len(after) - len(text)
    body = after[function.span.start : end]
    word = re.escape(name.encode())
    ours = rb"^[ \t]*%s \|?= (?:0|1|-EFAULT);$" % word
    left = re.sub(ours, b"", body, flags=re.MULTILINE)
    return len(re.findall(rb"\b%s\b" % word, left)) == 1


def orphans(function: Function, edits: list[Edit], made: Iterable[Window]) -> list[Edit]:
    """Return the edits that remove declarations which `edits` leave without a use."""
    variables = {step.variable for one in made for step in one.stretch.steps if step.variable}
    found: list[Edit] = []
    for name in sorted(variables):
        at = _declaration(function, name, edits)
        if at is not None:
            found.append(Edit(at, ""))
    return found


def _declaration(function: Function, name: str, edits: list[Edit]) -> Span | None:
    if not name.isidentifier():
        return None
    text = function.source.text
    after = apply(text, edits)
    grown = len(after) - len(text)
    word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
    body = after[function.span.start : function.span.end + grown]
    if len(word.findall(body)) != 1:
        return None
    for pattern in (_ALONE, _FIRST, _LATER):
        spelled = pattern % re.escape(name.encode())
        match = re.compile(spelled, re.MULTILINE).search(
            text, function.body.start, function.body.end
        )
        if match is not None and _stands_alone(match, edits):
            return _line(text, match, edits)
    return None


def _stands_alone(match: re.Match[bytes], edits: list[Edit]) -> bool:
    # A new declaration may stand right behind it.
    end = match.end() - match[0].endswith(b"\n")
    return all(e.span.end < match.start() or e.span.start >= end for e in edits)


def _line(text: bytes, match: re.Match[bytes], edits: list[Edit]) -> Span:
    if not match[0].endswith(b"\n"):
        return Span(match.start(), match.end())
    # The line goes with the newline before it; of a block that declares nothing more, the blank
    # line behind it too.
    line = Span(match.start() - 1, match.end() - 1)
    first = text[: line.start].rstrip(b" \t").endswith(b"{")
    blank = text[line.end : line.end + 2] == b"\n\n"
    taken = any(e.span.start <= line.end <= e.span.end for e in edits)
    return Span(line.start, line.end + 1) if first and blank and not taken else line
