# SPDX-License-Identifier: GPL-2.0-only
"""Give the percentages of an annotated function to its user accesses and their windows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from uaccel.annotated.doubts import doubts, no_architecture
from uaccel.annotated.kin import choose
from uaccel.annotated.matching import match
from uaccel.annotated.slices import Code, code_of
from uaccel.annotated.spelling import is_like, registers
from uaccel.model.annotation import Annotation
from uaccel.model.attribution import Attribution, Share, Windowed
from uaccel.model.machine import Arch, Listing, Role, Spelling

OBJECT = "the exception table of its object"  # said where an object told what an access is
_COPY = re.compile(r".*(?:copy|clear|movs|stos).*")
_WRITES = re.compile(r".*(?:put_user|to_user|clear_user|stos).*")
_READS = re.compile(r".*(?:get_user|from_user).*")


def attribute(
    annotation: Annotation,
    arches: Sequence[Arch],
    listing: Listing | None = None,
    file: str = "",
) -> Attribution:
    """Return what user access costs in an annotated function, each access and each window.

    Without more, the instruction pattern of the architecture tells: the one of `arches` whose
    openings, closings or accesses stand in the text.  `listing` is the same function from an
    object: its exception table says what an access is.  Where lines of `file` are known, of the
    listing or of the annotation, instructions belong together that stand on one line.
    """
    own = () if listing is None else (listing.arch,)
    kin = choose(annotation, own) or choose(annotation, arches)
    if kin is None:
        return Attribution(annotation, "", "", (), (no_architecture(annotation, arches),))
    matched = match(annotation, kin.spelling, listing)
    code = code_of(annotation, kin.spelling, matched.insns, matched.roles)
    found = _Search(code, matched.exact, kin.guards_reads).windows()
    lined = _lined(code, found, file)
    windows = tuple(_windowed(annotation, n, one) for n, one in enumerate(lined, start=1))
    how = f"by the instruction pattern of {kin.title}"
    if matched.exact:
        how += f" and {OBJECT}"
    if any(_line(row.lines, file) for row in code.rows):
        how = f"by line information, and {how}"
    told = (*matched.why, *doubts(annotation, kin, code, windows))
    return Attribution(annotation, kin.name, how, windows, told)


@dataclass(frozen=True, slots=True)
class _Found:
    accesses: tuple[int, ...]
    directions: tuple[str, ...]
    serving: tuple[frozenset[int], ...]  # of each access, what serves it alone
    rows: frozenset[int]
    first: int  # the opening, or the access where nothing opens
    last: int  # the closing
    closed: bool


class _Search:
    """The windows of one listing, found one after the other; each instruction belongs to one."""

    __slots__ = ("_code", "_exact", "_guards_reads", "_taken")

    def __init__(self, code: Code, exact: bool, guards_reads: bool) -> None:
        self._code = code
        self._exact = exact
        self._guards_reads = guards_reads
        self._taken: set[int] = set()

    def windows(self) -> tuple[_Found, ...]:
        """Return every window, and every access outside of one, in the order of the text."""
        opened = [at for at, opens in enumerate(self._code.opens) if opens]
        found = [(at, self._window(at)) for at in opened]
        alone = [(at, self._alone(at)) for at in self._lone() if at not in self._taken]
        return tuple(one for _, one in sorted(found + alone, key=lambda pair: pair[0]))

    def _lone(self) -> Iterator[int]:
        for at, row in enumerate(self._code.rows):
            way = self._direction(at, "")
            # What is guarded elsewhere and not here runs where nothing is guarded at all.
            guarded = any(self._code.opens) and (way == "write" or self._guards_reads)
            flagged = self._exact and self._is_flagged(at) and not guarded
            if row.calls_accessor or flagged or (not self._exact and self._unprivileged(at)):
                yield at

    def _unprivileged(self, at: int) -> bool:
        return is_like(self._code.spelling.alone, self._code.rows[at].read.text)

    def _window(self, opening: int) -> _Found:
        code = self._code
        region, closing = _region(code, opening, self._taken)
        self._taken |= region
        line = tuple(code.line_before(opening, self._taken))
        accesses = self._accesses(region, line)
        wanted = set(code.rows[opening].read.reads) | self._needed(region, accesses)
        before = set(code.serving(line, wanted))
        tail = set(_tail(code, closing, region, accesses)) if closing is not None else set()
        rows = frozenset(region | before | (tail - self._taken))
        self._taken |= rows
        last = max(region) if closing is None else closing
        serving = self._serving(accesses, region, rows)
        directions = tuple(self._direction(at, "write") for at in accesses)
        return _Found(accesses, directions, serving, rows, opening, last, closing is not None)

    def _needed(self, region: set[int], accesses: tuple[int, ...]) -> set[str]:
        # Registers that the accesses use as they were before.
        code = self._code
        needed: set[str] = set()
        written: set[str] = set()
        for at in sorted(region):
            if at in accesses:
                called = code.rows[at].calls_accessor
                uses = code.spelling.passed if called else code.rows[at].read.reads
                needed |= set(uses) - written
            written |= code.rows[at].read.writes
        return needed

    def _alone(self, at: int) -> _Found:
        code, row = self._code, self._code.rows[at]
        spelling = code.spelling
        self._taken.add(at)
        line = tuple(code.line_before(at, self._taken))
        if row.calls_accessor:
            given = spelling.arguments if _COPY.fullmatch(row.read.name) else spelling.passed
            rows = set(code.serving(line, set(given), deep=False))
        else:
            memory = [one for one in row.read.text.replace(" ", ",").split(",") if "(" in one]
            own = [one for one in memory if re.search(spelling.own, one)]
            rows = set(code.serving(line, {*row.read.reads, *spelling.passed}, own))
        rows |= {at, *code.fault_asked(at, {at}, row.calls_accessor)} - (self._taken - {at})
        self._taken |= rows
        direction = self._direction(at, "")
        return _Found((at,), (direction,), (frozenset(rows),), frozenset(rows), at, at, True)

    def _accesses(self, region: set[int], line: tuple[int, ...]) -> tuple[int, ...]:
        code = self._code
        order = sorted(region)
        if self._exact:
            return tuple(i for i in order if code.rows[i].calls_accessor or self._is_flagged(i))
        plain = [i for i in order if code.rows[i].calls_accessor or self._unprivileged(i)]
        if plain:
            return tuple(plain)
        asking = code.asking(region)
        moves = [i for i in order if self._direction(i, "") and not self._own(i)]
        moves = [i for i in moves if i not in asking]
        kinds = {self._direction(i, "") for i in moves}
        if len(kinds) < 2:
            return tuple(moves)
        checked = _addresses(code, line, order)
        based = [i for i in moves if _base(code, i) & checked]
        return tuple(based or (i for i in moves if self._direction(i, "") == "write"))

    def _is_flagged(self, at: int) -> bool:
        row = self._code.rows[at]
        # The exception table of some names jumps and what follows an access too.
        if row.insn is None or not row.insn.access or row.role is not None:
            return False
        return self._unprivileged(at) or bool(_base(self._code, at) and not self._own(at))

    def _own(self, at: int) -> bool:
        bases = _base(self._code, at)
        known = bool(bases) and all(self._code.is_kernel(one, at) for one in bases)
        return known or bool(re.search(self._code.spelling.own, self._code.rows[at].read.text))

    def _direction(self, at: int, otherwise: str) -> str:
        row, spelling = self._code.rows[at], self._code.spelling
        if row.calls_accessor:
            name = row.read.name
            return "write" if _WRITES.fullmatch(name) else "read" if _READS.fullmatch(name) else ""
        return _moved(spelling, row.read.text) or otherwise

    def _serving(
        self, accesses: tuple[int, ...], region: set[int], rows: frozenset[int]
    ) -> tuple[frozenset[int], ...]:
        if len(accesses) == 1:
            return (rows,)
        found: list[frozenset[int]] = []
        taken = {*accesses}
        for at in accesses:
            wanted = set(self._code.rows[at].read.reads)
            line = [i for i in self._code.line_before(at, taken) if i in region]
            own = {at, *self._code.serving(line, wanted)}
            asked = set(self._code.fault_asked(at, {at}, self._code.rows[at].calls_accessor))
            own |= (asked & region) - taken
            taken |= own
            found.append(frozenset(own))
        return tuple(found)


def _moved(spelling: Spelling, text: str) -> str:
    # What is written for the user stands there with the word for storing, if with any.
    alone = is_like(spelling.alone, text)
    if is_like(spelling.stores, text) or (alone and text.startswith("st")):
        return "write"
    if is_like(spelling.loads, text) or (alone and text.startswith("ld")):
        return "read"
    return "either" if alone or is_like(spelling.copies, text) else ""


def _region(code: Code, opening: int, taken: set[int]) -> tuple[set[int], int | None]:
    parents: dict[int, int] = {opening: opening}
    pending = [opening]
    closing: int | None = None
    while pending:
        at = pending.pop()
        if code.opens[at] is False:
            closing = at if closing is None else closing  # a fault leads away by jumps
            continue
        for to in reversed(code.answered(at, _path(parents, at, opening))):
            if to in parents or to in taken or code.opens[to]:
                continue
            parents[to] = at
            pending.append(to)
    if closing is None:
        return _to_the_end(code, opening), None
    back, waiting = {closing}, [closing]
    while waiting:
        for to in code.leading[waiting.pop()]:
            if to in parents and to not in back:
                back.add(to)
                waiting.extend([to] if to != opening else [])
    return back | {opening}, closing


def _path(parents: dict[int, int], at: int, opening: int) -> Iterator[int]:
    while at != opening:
        at = parents[at]
        yield at


def _to_the_end(code: Code, opening: int) -> set[int]:
    at, rows = opening, {opening}
    while code.following[at] and code.following[at][0] == at + 1:
        at += 1
        row = code.rows[at]
        if row.toggles or row.role is Role.RETURNS or (row.role and not row.calls_accessor):
            break
        rows.add(at)
    return rows


def _base(code: Code, at: int) -> set[str]:
    found = re.search(r"[(\[].*", code.rows[at].read.text)
    return set(registers(code.spelling.register, found[0])) if found else set()


def _addresses(code: Code, line: tuple[int, ...], order: list[int]) -> set[str]:
    # Registers that the check compares, and what is computed from them.
    checks = [i for i in line if code.checks(i)]
    known: set[str] = set()
    for check in checks:
        asked = code.rows[check].read.reads
        compares = [i for i in line if i < check and code.rows[i].read.writes & asked]
        known |= {one for i in (check, *compares[:1]) for one in code.rows[i].read.reads}
    for i in (*reversed(line), *order):
        read = code.rows[i].read
        if read.reads & known and not is_like(code.spelling.loads, read.text):
            known |= read.writes
    return known


def _tail(code: Code, closing: int, region: set[int], accesses: tuple[int, ...]) -> Iterator[int]:
    at = closing
    while code.following[at] and is_like(
        code.spelling.beside, code.rows[code.following[at][0]].read.text
    ):
        at = code.following[at][0]
        yield at
    called = any(code.rows[i].calls_accessor for i in accesses)
    yield from code.fault_asked(at, region, called)


def _lined(code: Code, found: tuple[_Found, ...], file: str) -> tuple[_Found, ...]:
    # The outermost line of the file: where the access was written, not the header's.
    stands = [_line(row.lines, file) for row in code.rows]
    if not any(stands):
        return found
    taken = {i for one in found for i in one.rows}
    made: list[_Found] = []
    for one in found:
        mine = {stands[i] for i in one.accesses} - {None}
        near = {i for i, line in enumerate(stands) if line in mine and i not in taken}
        more = _reaching(code, one, near)
        taken |= more
        held = Counter(stands[i] for i in one.accesses)
        serving = tuple(
            own | {i for i in more if stands[i] == stands[at] and held[stands[at]] == 1}
            for own, at in zip(one.serving, one.accesses, strict=True)
        )
        made.append(replace(one, rows=one.rows | more, serving=serving))
    return tuple(made)


def _reaching(code: Code, found: _Found, near: set[int]) -> set[int]:
    # The shortest ways through `near` to the window, and behind it as far as something is asked:
    # what restores registers, and where a fault lands, stands on these lines too.
    near = {i for i in near if not code.rows[i].toggles}
    whole = near | found.rows
    before = _ways(code.leading, found.first, whole)
    after = _ways(code.following, found.last, whole)
    entries = (i for i in before if any(one not in whole for one in code.leading[i]))
    asks = (i for i in after if code.rows[i].role is Role.FORKS)
    steps = [*_steps(before, entries), *_steps(after, asks)]
    return near & set(steps)


def _ways(edges: tuple[tuple[int, ...], ...], start: int, inside: set[int]) -> dict[int, int]:
    parents = {start: start}
    pending = [start]
    for at in pending:
        for to in edges[at]:
            if to in inside and to not in parents:
                parents[to] = at
                pending.append(to)
    return parents


def _steps(parents: dict[int, int], starts: Iterable[int]) -> Iterator[int]:
    for start in starts:
        at = start
        while parents[at] != at:
            yield at
            at = parents[at]


def _line(lines: tuple[tuple[str, int], ...], file: str) -> int | None:
    own = [line for path, line in lines if line and (path == file or path.endswith("/" + file))]
    return own[-1] if own else None


def _windowed(annotation: Annotation, number: int, found: _Found) -> Windowed:
    rows = annotation.rows
    shares = tuple(
        Share(
            number=count,
            what=" ".join(rows[at].text.split()),
            direction=direction if direction in ("read", "write") else "",
            percent=_percent(annotation, own),
            rows=tuple(sorted(own)),
        )
        for count, (at, direction, own) in enumerate(
            zip(found.accesses, found.directions, found.serving, strict=True), start=1
        )
    )
    return Windowed(
        number=number,
        shares=shares,
        percent=_percent(annotation, found.rows),
        rows=tuple(sorted(found.rows)),
        closed=found.closed,
    )


def _percent(annotation: Annotation, rows: frozenset[int]) -> float:
    return sum(annotation.rows[i].percent or 0.0 for i in rows)
