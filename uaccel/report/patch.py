# SPDX-License-Identifier: GPL-2.0-only
"""Two texts to a unified diff that `git apply` and `patch -p1` take, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import takewhile
from pathlib import PurePosixPath

_CONTEXT = 3  # lines
_HEADING = 80  # characters of the line named behind `@@`, as git cuts it
_Opcode = tuple[str, int, int, int, int]

# What git's driver for C names behind `@@`: a line that starts a definition, no label.
_DEFINITION = re.compile(r"[A-Za-z_$](?!\w*:\s*(?:$|/[/*]))")
_ODD_NAME = re.compile(r'[\x00-\x1f"\\\x7f]')  # git quotes such a name as C would


def diff(path: PurePosixPath, before: bytes, after: bytes) -> str:
    """Return the unified diff from `before` to `after`, "" when they are equal.

    Bytes that are no UTF-8 are surrogates: encode it with `surrogateescape`.
    """
    if before == after:
        return ""
    left, right = _lines(before), _lines(after)
    head = sum(1 for _ in takewhile(_equal, zip(left, right, strict=False)))
    rest = zip(reversed(left[head:]), reversed(right[head:]), strict=False)
    tail = sum(1 for _ in takewhile(_equal, rest))
    skipped, above = max(head - _CONTEXT, 0), [(0, at) for at in range(min(head, _CONTEXT))]
    below = [(1, at) for at in range(min(tail, _CONTEXT))]
    # Context at the edges is no line like others: taken for a like one within, the last hunk would
    # end in what it adds, and git looks for such a hunk at the end of the file.
    one, other = ((*above, *side[head : len(side) - tail], *below) for side in (left, right))
    middle = SequenceMatcher(a=one, b=other, autojunk=False)
    ours, theirs = _name("a", path), _name("b", path)
    tab = "\t" if " " in str(path) else ""  # git ends a name that has a blank by a tab
    # checkpatch takes what stands above the first `diff --git` for a commit message.
    pieces = [f"diff --git {ours} {theirs}\n", f"--- {ours}{tab}\n", f"+++ {theirs}{tab}\n"]
    for group in middle.get_grouped_opcodes(_CONTEXT):
        pieces += _hunk([_shifted(opcode, skipped) for opcode in group], left, right)
    return "".join(pieces)


def _hunk(opcodes: list[_Opcode], left: list[str], right: list[str]) -> Iterator[str]:
    (_, left_start, _, right_start, _), (_, _, left_end, _, right_end) = opcodes[0], opcodes[-1]
    sides = f"-{_range(left_start, left_end)} +{_range(right_start, right_end)}"
    yield f"@@ {sides} @@{_heading(left[:left_start])}\n"
    for kind, start, end, its_start, its_end in opcodes:
        if kind == "equal":
            yield from (_line(" ", line) for line in left[start:end])
            continue
        yield from (_line("-", line) for line in left[start:end])
        yield from (_line("+", line) for line in right[its_start:its_end])


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"


def _heading(above: list[str]) -> str:
    found = next((line for line in reversed(above) if _DEFINITION.match(line)), "")
    return f" {found.rstrip()[:_HEADING].rstrip()}" if found else ""


def _range(start: int, end: int) -> str:
    # An empty range is said by the line before it; a range of one line by that line alone.
    if end - start == 1:
        return str(start + 1)
    return f"{start + (end > start)},{end - start}"


def _lines(text: bytes) -> list[str]:
    # Not splitlines(): a carriage return or a form feed ends no line of a patch.
    return re.findall(r"[^\n]*\n|[^\n]+", text.decode(errors="surrogateescape"))


def _name(side: str, path: PurePosixPath) -> str:
    name = f"{side}/{path}"
    if not _ODD_NAME.search(name):
        return name
    return '"' + _ODD_NAME.sub(lambda found: f"\\{ord(found[0]):03o}", name) + '"'


def _shifted(opcode: _Opcode, by: int) -> _Opcode:
    kind, *offsets = opcode
    start, end, its_start, its_end = (offset + by for offset in offsets)
    return kind, start, end, its_start, its_end


def _equal(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]
