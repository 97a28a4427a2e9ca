# SPDX-License-Identifier: GPL-2.0-only
"""One file as it stands or with a mistake in it: what objtool says of its object, and we of it."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import PurePosixPath

from corpus.balance import BALANCE
from corpus.mistakes import MISTAKES, Mutant, mutants
from uaccel.flow import judge
from uaccel.flow.coverage import cover
from uaccel.host.allmod import Allmod, original, prepared, rebuilt
from uaccel.host.tree import read_file
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level
from uaccel.model.judged import Found
from uaccel.model.machine import Build
from uaccel.model.series import Change
from uaccel.model.source import Function, Source
from uaccel.read.reading import read_source

# What is wrong with a value, a size or a mode, no x86 object shows.
_SEEN = (
    *("no end where all went well", "no end where it faulted", "end twice"),
    *("end before the last access", "wrong label", "begin inverted", "begin ignored"),
    *("no begin", "access before the begin", "closed although begin failed"),
    *("window in a window", "call in the window", "ordinary accessor"),
)
VISIBLE = (*(one for one in MISTAKES if one.name in _SEEN), *BALANCE)
STANDS = "stands"
WRITTEN = "window"  # the style


class Agreement(Enum):
    """Who of the two says that something is wrong."""

    BOTH = "both"
    NEITHER = "neither"
    OBJTOOL = "objtool only"
    CHECK = "check only"
    UNKNOWN = "unknown"  # it does not compile, or is not built


@dataclass(frozen=True, slots=True)
class Text:
    """One file without a mistake of ours: as it stands, or as a style wrote it."""

    path: str
    origin: str  # STANDS or WRITTEN
    text: bytes
    others: tuple[Change, ...]  # files that change with it
    functions: tuple[Function, ...]  # that hold windows


@dataclass(frozen=True, slots=True)
class Case:
    """One mistake in one function of a text."""

    text: Text
    function: Function
    mutant: Mutant

    @property
    def bytes(self) -> bytes:
        """Return the file with the mistake in it."""
        span, text = self.function.span, self.text.text
        return text[: span.start] + self.mutant.text.encode() + text[span.end :]

    @property
    def line(self) -> int:
        """Return where it differs, in the file as it was before the mistake."""
        return self.function.source.line(self.function.span.start) + self.mutant.line


@dataclass(frozen=True, slots=True)
class Row:
    """What both say of one function."""

    file: str
    function: str  # "-" for a file in which neither says anything
    origin: str
    mistake: str  # "-" without one
    line: int  # 0 without a mistake
    agreement: Agreement
    said: str  # objtool's first line; why it is unknown
    findings: tuple[Found, ...]  # of ours that were not there without the mistake
    doubts: tuple[str, ...] = ()  # likewise, of what could not be judged
    broken: str = ""  # why we have no answer: a defect of ours


def standing_text(tree: Tree, path: str) -> Text:
    """Return the file at `path` as it stands."""
    source = read_file(tree, path)
    return Text(path, STANDS, source.text, (), _functions(path, source.text))


def written_text(tree: Tree, path: str) -> Text:
    """Return the file at `path` with all windows that the style writes; only their functions."""
    made = cover(tree, WRITTEN, path)
    every = _functions(path, made.after)
    mine = tuple(one for one in every if one.name in made.functions)
    return Text(path, WRITTEN, made.after, made.others, mine)


def _functions(path: str, text: bytes) -> tuple[Function, ...]:
    every = read_source(Source(PurePosixPath(path), text)).functions
    return tuple(one for one in every if b"access_begin" in text[one.span.start : one.span.end])


def choose(texts: Iterable[Text], most: int) -> tuple[Case, ...]:
    """Return so many cases: of each function by turns, those first whose mistake was made least."""
    made: Counter[str] = Counter()
    left = [
        (text, function, _kinds(function, chance), chance)
        for text in texts
        for function in text.functions
        for chance in (random.Random(f"{text.path}:{function.name}:{text.origin}"),)
    ]
    found: list[Case] = []
    while any(kinds for _, _, kinds, _ in left) and len(found) < most:
        for text, function, kinds, chance in left:
            if kinds and len(found) < most:
                name = min(kinds, key=lambda one: made[one])
                made[name] += 1
                found.append(Case(text, function, chance.choice(kinds.pop(name))))
    return tuple(found)


def _kinds(function: Function, chance: random.Random) -> dict[str, list[Mutant]]:
    kinds: dict[str, list[Mutant]] = {}
    for mutant in mutants(function.source.quote(function.span), VISIBLE):
        kinds.setdefault(mutant.mistake, []).append(mutant)
    names = sorted(kinds)
    chance.shuffle(names)
    return {name: kinds[name] for name in names}


@dataclass(frozen=True, slots=True)
class Ours:
    """What the rules say of one file."""

    findings: tuple[Found, ...]
    doubts: tuple[str, ...]  # rule, function and why
    failed: str = ""  # why there is no answer


def build(allmod: Allmod, object: str | None, text: Text, now: bytes) -> Build | str:
    """Return what the saved command makes of `now` in the place of `text`, or why nothing."""
    made = prepared(allmod, object) if object else None
    if made is None:
        return "not built by this configuration"
    if now == text.text and text.origin == STANDS:
        found = original(allmod, made)
    else:
        found = rebuilt(allmod, made, PurePosixPath(text.path), now, text.others)
    if found.path is None:
        errors = (line for line in found.log.splitlines() if ": error: " in line)
        return next(errors, "it does not compile")
    return found


def only_built(allmod: Allmod, object: str | None, text: Text) -> Text:
    """Return `text` with those of its functions alone that the compiler sees."""

    def seen(function: Function) -> bool:
        at = function.span.start
        broken = b'%b\n#error "seen"\n%b' % (text.text[:at], text.text[at:])
        return isinstance(build(allmod, object, text, broken), str)

    if isinstance(build(allmod, object, text, text.text), str):
        return replace(text, functions=())
    return replace(text, functions=tuple(filter(seen, text.functions)))


def judged(tree: Tree, text: Text, now: bytes) -> Ours:
    """Return what the rules say of `now` in the place of `text`."""
    given = {one.path: one.after for one in text.others}
    try:
        said = judge.judge_file(judge.Ground(tree, given), text.path, now)
    except Exception as error:  # a defect of ours, to be told beside the others
        return Ours((), (), f"{type(error).__name__}: {error}")
    doubts = (f"{one.rule}: {one.function}: {_numberless(one.why)}" for one in said.doubts)
    return Ours(said.findings, tuple(doubts))


def of_text(text: Text, made: Build | str, ours: Ours) -> tuple[Row, ...]:
    """Return what both say of `text` without a mistake, a row for each function said of."""
    row = Row(text.path, "-", text.origin, "-", 0, Agreement.UNKNOWN, "", ())
    if isinstance(made, str) or ours.failed:
        why = made if isinstance(made, str) else ours.failed
        return (replace(row, said=why, broken=ours.failed),)
    words = tuple(_said(made))
    spoken = [one for one in ours.findings if _speaks(one)]
    names = dict.fromkeys((*map(_symbol, words), *(one.function for one in spoken)))
    return tuple(_of_function(replace(row, function=one), words, spoken) for one in names or ("-",))


def _of_function(row: Row, words: Iterable[str], spoken: Iterable[Found]) -> Row:
    mine = tuple(one for one in spoken if one.function == row.function)
    said = [one for one in words if _symbol(one) == row.function]
    return replace(row, agreement=agree(bool(said), mine), said="".join(said[:1]), findings=mine)


def of_case(case: Case, builds: tuple[Build | str, Build | str], ours: tuple[Ours, Ours]) -> Row:
    """Return what both say of a mistake that they did not say without it; each pair is that."""
    row = Row(
        *(case.text.path, case.function.name, case.text.origin, case.mutant.mistake),
        *(case.line, Agreement.UNKNOWN, "", ()),
    )
    before, after = builds
    if isinstance(before, str) or isinstance(after, str):
        return replace(row, said=str(after))
    words = tuple((Counter(_said(after)) - Counter(_said(before))).elements())
    findings = _fresh(*ours)
    doubts = tuple((Counter(ours[1].doubts) - Counter(ours[0].doubts)).elements())
    return replace(
        row,
        agreement=agree(bool(words), findings),
        said="".join(words[:1]),
        findings=findings,
        doubts=doubts,
        broken=next((one.failed for one in ours if one.failed), ""),
    )


def _fresh(before: Ours, after: Ours) -> tuple[Found, ...]:
    known = Counter(map(_told, before.findings))
    fresh = []
    for one in after.findings:
        known[_told(one)] -= 1
        fresh += [one] if known[_told(one)] < 0 else []
    return tuple(fresh)


def agree(objtool: bool, findings: Iterable[Found]) -> Agreement:
    """Return who speaks; a note of ours is no word that something is wrong."""
    ours = any(map(_speaks, findings))
    if objtool:
        return Agreement.BOTH if ours else Agreement.OBJTOOL
    return Agreement.CHECK if ours else Agreement.NEITHER


def _speaks(found: Found) -> bool:
    return found.level is not Level.NOTE


def _told(found: Found) -> tuple[str, str, str]:
    # Lines move with a mistake.
    return found.rule, found.function, _numberless(found.message)


def _numberless(words: str) -> str:
    return re.sub(r"\d+", "N", words)


def _said(build: Build) -> Iterator[str]:
    for line in (build.objtool or "").splitlines():
        # Whatever it is: beside a wrong window it may stop before it gets to that.
        _, found, words = line.partition("objtool: ")
        if found:
            yield re.sub(r"\+0x[0-9a-f]+", "+N", words)


def _symbol(said: str) -> str:
    # "do_sys_poll.isra.0+N: return with UACCESS enabled"
    name = said.partition("+N:")[0].partition(".")[0]
    return re.sub(r"\A__(?:se|do|x64|ia32)(?:_compat)?_sys_", "", name)
