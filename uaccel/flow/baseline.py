# SPDX-License-Identifier: GPL-2.0-only
"""What is known already: a text that outlives lines that move, sorted so that its changes show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from uaccel.errors import UserError
from uaccel.flow.wanted import Wanted
from uaccel.model.checked import Baseline, Checked, Entry
from uaccel.model.judged import Found

_HEAD = """\
# Findings of `uaccel check` that are known: one a line, tab-separated.
# rule\tfile\tfunction\thow often\tthe line of the source
"""
_COLUMNS = 5
_PLAIN = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SPELLED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def baseline(findings: Iterable[Found]) -> Baseline:
    """Return `findings` as what is known."""
    counts = Counter(map(entry, findings))
    return Baseline(tuple(sorted(counts.items(), key=lambda one: _row(*one))))


def entry(found: Found) -> Entry:
    """Return what `found` is told from others by."""
    return Entry(found.rule, found.place.file, found.function, found.text)


def written(known: Baseline) -> str:
    """Return `known` as a text."""
    return _HEAD + "".join("\t".join(_row(*one)) + "\n" for one in known.entries)


def read(name: str, text: str) -> Baseline:
    """Return the baseline that `text`, of the file `name`, holds."""
    counts: Counter[Entry] = Counter()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.startswith("#"):
            continue
        try:
            one, count = _read(line)
        except ValueError as error:
            raise UserError(f"{name}:{number}: this is no line of a baseline: {error}") from None
        if one in counts:
            raise UserError(f"{name}:{number}: this finding stands there twice")
        counts[one] = count
    return Baseline(tuple(counts.items()))


def without(found: Checked, known: Baseline, asks: Callable[[Entry], bool]) -> Checked:
    """Return `found` without what is `known`, which counts where `asks` says so."""
    left = Counter({one: count for one, count in known.entries if asks(one)})
    before = left.total()
    fresh = []
    for one in found.findings:
        if left[entry(one)] > 0:
            left[entry(one)] -= 1
        else:
            fresh.append(one)
    gone = left.total()
    return replace(found, findings=tuple(fresh), known=before - gone, gone=gone)


def asked(found: Checked, wanted: Wanted, rules: tuple[str, ...]) -> Callable[[Entry], bool]:
    """Return whether a finding would be in `found` if it were there still."""
    unread = {one.path for one in found.skipped}

    def asks(one: Entry) -> bool:
        judged = wanted.holds(one.file) and one.file not in unread
        return judged and one.rule in rules and wanted.asks_for(one.file, one.function)

    return asks


def _row(one: Entry, count: int) -> tuple[str, ...]:
    return tuple(
        part.translate(_PLAIN) for part in (one.rule, one.file, one.function, str(count), one.text)
    )


def _read(line: str) -> tuple[Entry, int]:
    parts = line.split("\t")
    if len(parts) != _COLUMNS:
        raise ValueError(f"it has {len(parts)} columns, not {_COLUMNS}")
    rule, file, function, count, text = (_SPELLED.sub(_plain, part) for part in parts)
    if not re.fullmatch(r"[1-9][0-9]{0,8}", count):
        raise ValueError(f"{count!r} is no number of findings")
    return Entry(rule, file, function, text), int(count)


def _plain(spelled: re.Match[str]) -> str:
    if spelled[1] not in _MEANT:
        raise ValueError(f"{spelled[0]!r} stands for nothing")
    return _MEANT[spelled[1]]
