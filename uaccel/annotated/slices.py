# SPDX-License-Identifier: GPL-2.0-only
"""Follow the instructions of an annotated listing: what may come after each, what led to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from uaccel.accessors import is_accessor
from uaccel.annotated.spelling import FLAGS, Spelled, is_like, registers, role_of, spelled
from uaccel.model.annotation import Annotation
from uaccel.model.machine import Insn, Role, Spelling

TOGGLES = (Role.OPENS, Role.CLOSES, Role.TOGGLES)
_WAYS = 2
_NEAR = 16  # instructions of one side of a choice
_FAR = 1 << 13  # instructions; a constant may be loaded once, where the function begins
_MOVES = 4  # from one register to the next, before a value is given up
_ANSWERS = ("beq", "bne")  # what goes on, and what jumps, when the answer is yes
_CONSTANT = re.compile(r"(?:lis|lui|auipc|adrp|movabs|movw|movt|addis \w+,r2,|mov \$).*")
_ZERO = re.compile(
    r"(?:li|lhi|lghi|mov\w?) [^,]+, ?#?(?:0x)?0|mov\w? \$0x0,.*|x(?:o?r|gr)\w? ([^,]+), ?\1"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One instruction of the listing, with all that is known of it."""

    read: Spelled
    role: Role | None
    insn: Insn | None  # of the object, where one was given that matches
    lines: tuple[tuple[str, int], ...]

    @property
    def toggles(self) -> bool:
        """Return whether it opens or closes."""
        return self.role in TOGGLES

    @property
    def calls_accessor(self) -> bool:
        """Return whether it calls an out-of-line accessor, or goes on there."""
        jumps = self.role in (Role.CALLS, Role.BRANCHES)
        return jumps and not self.read.offset and is_accessor(self.read.name)


@dataclass(frozen=True, slots=True)
class Code:
    """The rows of one listing with the ways between them."""

    spelling: Spelling
    rows: tuple[Row, ...]
    following: tuple[tuple[int, ...], ...]  # what stands behind first, then where it jumps
    leading: tuple[tuple[int, ...], ...]
    opens: tuple[bool | None, ...]  # of each toggle; None of all else

    def line_before(self, at: int, taken: set[int]) -> Iterator[int]:
        """Yield what led to an instruction, backwards, as long as there was but one way."""
        seen = {at}
        while (step := self._before(at)) is not None:
            at = step
            row = self.rows[at]
            stops = row.toggles or row.role in (Role.CALLS, Role.RETURNS)
            if at in seen or at in taken or stops or is_like(self.spelling.alone, row.read.text):
                return
            seen.add(at)
            yield at

    def _before(self, at: int) -> int | None:
        ways = self.leading[at]
        if len(ways) == 1:
            return ways[0]
        fork = self._fork_before(at - 1) if at - 1 in ways else None
        if fork is not None and self._asks((fork, *self._straight(fork))):
            return at - 1  # what was chosen there comes together again
        # The check of an address is what jumps to an opening.
        checks = [one for one in ways if one != at - 1 and self.checks(one)]
        return checks[0] if len(checks) == 1 else None

    def _fork_before(self, at: int) -> int | None:
        if self.rows[at].role is Role.FORKS:
            return at
        for _ in range(_NEAR):
            ways = self.leading[at]
            if len(ways) != 1:
                return None
            at = ways[0]
            if self.rows[at].role is Role.FORKS:
                return at
        return None

    def checks(self, at: int) -> bool:
        """Return whether a jump asks how an address compares to a limit."""
        row, check = self.rows[at], self.spelling.check
        if row.role is not Role.FORKS:
            return False
        if is_like(check, row.read.text):
            return True
        asked = row.read.reads
        compared = next((i for i in self._straight(at) if self.rows[i].read.writes & asked), None)
        return compared is not None and is_like(check, self.rows[compared].read.text)

    def _straight(self, at: int) -> Iterator[int]:
        for _ in range(_NEAR * _NEAR):
            if len(self.leading[at]) != 1 or self.leading[at][0] > at:
                return
            at = self.leading[at][0]
            yield at

    def serving(
        self, line: Iterable[int], wanted: set[str], memory: Sequence[str] = (), deep: bool = True
    ) -> Iterator[int]:
        """Yield what of a line, backwards, makes the registers `wanted`, or checks an address."""
        steps = tuple(line)
        exit_of_check: int | None = None
        checked = False
        for place, at in enumerate(steps):
            row, text = self.rows[at], self.rows[at].read.text
            if row.role is Role.FORKS:
                again = checked and row.read.target == exit_of_check
                if not deep or not (self.checks(at) and (not checked or again)):
                    if not deep or not self._asks(steps[place:]):
                        return
                else:
                    checked, exit_of_check = True, row.read.target
                wanted = wanted | row.read.reads
                yield at
            elif self._makes(row, wanted, memory) or (deep and is_like(self.spelling.beside, text)):
                own = re.search(self.spelling.own, text)
                more = row.read.reads if deep and not own else set()
                wanted = (wanted - row.read.writes) | more
                if own and is_like(self.spelling.stores, text):
                    wanted |= row.read.reads - set(self._bases(text))
                yield at

    def _makes(self, row: Row, wanted: set[str], memory: Sequence[str]) -> bool:
        stored = is_like(self.spelling.stores, row.read.text)
        return bool(row.read.writes & wanted) or (
            stored and any(row.read.text.endswith(one) for one in memory)
        )

    def _bases(self, text: str) -> tuple[str, ...]:
        found = re.search(r"[(\[].*", text)
        return registers(self.spelling.register, found[0]) if found else ()

    def asking(self, region: set[int]) -> set[int]:
        """Return what of a stretch of code only asks whether user memory is guarded."""
        found: set[int] = set()
        for at in region:
            if is_like(self.spelling.asks, self.rows[at].read.text):
                wanted = set(self.rows[at].read.reads)
                for one in self._straight(at):
                    if self.rows[one].read.writes & wanted:
                        wanted = wanted - self.rows[one].read.writes | self.rows[one].read.reads
                        found.add(one)
        return found

    def _asks(self, line: tuple[int, ...]) -> bool:
        # What chooses how user memory is guarded here, as the code runs.
        wanted = set(self.rows[line[0]].read.reads)
        for at in line[1:]:
            row = self.rows[at]
            if row.read.writes & wanted:
                if is_like(self.spelling.asks, row.read.text):
                    return True
                wanted = wanted - row.read.writes | row.read.reads
        return False

    def answered(self, at: int, path: Iterable[int]) -> tuple[int, ...]:
        """Return the ways on from an instruction; `path` led there, backwards.

        Where it is asked whether user memory is guarded, it is.
        """
        row, ways = self.rows[at], self.following[at]
        if not self.spelling.asks or row.role is not Role.FORKS or len(ways) != _WAYS:
            return ways
        if not self._asks((at, *islice(path, _NEAR * _NEAR))):
            return ways
        mnemonic = row.read.text.partition(" ")[0].rstrip("+-")
        return (ways[_ANSWERS.index(mnemonic)],) if mnemonic in _ANSWERS else ways

    def fault_asked(self, ends: int, region: set[int], result: bool) -> Iterator[int]:
        """Yield what behind an access asks whether it has failed, and moves its value."""
        made = {one for i in region for one in self.rows[i].read.writes}
        waiting: list[int] = []
        compared: str | None = None
        for at in self._behind(ends):
            row, text = self.rows[at], self.rows[at].read.text
            asked = _asked(self.spelling, text)
            if compared is None and asked is not None:
                loaded = asked in made and not self._is_zero(asked, at)
                if not (result or (self._is_zero(asked, at) and not loaded)):
                    return
                compared = asked
            if compared is not None and row.role is Role.FORKS:
                yield from (*waiting, at)
                return
            kept = asked is not None or is_like(self.spelling.moves, text) or _is_zeroing(text)
            spilled = bool(re.search(self.spelling.own, text))
            if row.role is not None or not (kept or spilled) or len(waiting) > _MOVES:
                return
            waiting.append(at)

    def _behind(self, at: int) -> Iterator[int]:
        while self.following[at] and self.following[at][0] == at + 1:
            at += 1
            yield at

    def _is_zero(self, register: str, at: int) -> bool:
        makers = self.makers(register, at)
        return any(_is_zeroing(self.rows[one].read.text) for one in makers)

    def is_kernel(self, register: str, at: int, depth: int = _MOVES) -> bool:
        """Return whether a register holds an address that is a constant, or was loaded from one.

        No user's pointer is.
        """
        makers = self.makers(register, at, _NEAR * _NEAR)
        if not makers or not depth:
            return False
        return all(self._is_constant(one, depth - 1) for one in makers)

    def _is_constant(self, at: int, depth: int) -> bool:
        text = self.rows[at].read.text
        if _CONSTANT.fullmatch(text):
            return True
        loaded = is_like(self.spelling.loads, text) and not re.search(self.spelling.own, text)
        return loaded and all(self.is_kernel(one, at, depth) for one in self._bases(text) or "-")

    def makers(self, register: str, before: int, most: int = _FAR) -> frozenset[int]:
        """Return what may have written a register last, on any way; moves are followed.

        Where that is more than `most` instructions away, nothing is found.
        """
        found: set[int] = set()
        seen: set[tuple[int, str]] = set()
        pending = [(before, register)]
        while pending:
            if len(seen) > most:
                return frozenset()
            at, wanted = pending.pop()
            for i in self.leading[at]:
                if (i, wanted) in seen:
                    continue
                seen.add((i, wanted))
                read = self.rows[i].read
                if wanted not in read.writes:
                    pending.append((i, wanted))
                elif is_like(self.spelling.moves, read.text) and len(read.reads) == 1:
                    pending.append((i, next(iter(read.reads))))
                else:
                    found.add(i)
        return frozenset(found)


def _asked(spelling: Spelling, text: str) -> str | None:
    found = re.fullmatch(spelling.zero, text)
    name = next((group for group in found.groups() if group), "") if found else ""
    return next(iter(_named(spelling, name)), None)


def _named(spelling: Spelling, name: str) -> tuple[str, ...]:
    # A pattern may take the number of a register alone, or all of its name.
    return registers(spelling.register, name) or ((name,) if name else ())


def _is_zeroing(text: str) -> bool:
    return _ZERO.fullmatch(text) is not None


def code_of(
    annotation: Annotation,
    spelling: Spelling,
    insns: Sequence[Insn | None],
    roles: Sequence[Role | None],
) -> Code:
    """Return the rows of a listing with the ways between them."""
    read = tuple(spelled(spelling, row.text) for row in annotation.rows)
    rows = tuple(
        Row(one, role, insn, row.lines or (insn.lines if insn else ()))
        for one, role, insn, row in zip(read, roles, insns, annotation.rows, strict=True)
    )
    following = list(_following(annotation, rows))
    jumped = {to for at, ways in enumerate(following) for to in ways if to != at + 1}
    for at, row in enumerate(rows):
        # Padding that nothing leads to goes nowhere.
        if row.role is Role.NOP and at and at not in jumped and at not in following[at - 1]:
            following[at] = ()
    leading: list[list[int]] = [[] for _ in rows]
    for at, ways in enumerate(following):
        for to in ways:
            leading[to].append(at)
    code = Code(spelling, rows, tuple(following), tuple(map(tuple, leading)), ())
    return replace(code, opens=tuple(_directions(code)))


def _following(annotation: Annotation, rows: tuple[Row, ...]) -> Iterator[tuple[int, ...]]:
    places = {row.address: i for i, row in enumerate(annotation.rows)}
    start = annotation.rows[0].address if annotation.rows else 0
    for at, row in enumerate(rows):
        ends = row.role in (Role.RETURNS, Role.BRANCHES) or at + 1 == len(rows)
        ends = ends or annotation.rows[at + 1].gap
        ways = () if ends else (at + 1,)
        if row.role in (Role.BRANCHES, Role.FORKS):
            target, offset = row.read.target, row.read.offset
            near = start + offset if offset is not None and annotation.begins else None
            # perf annotate may write the distance from where the function begins.
            far = start + target if target is not None and annotation.begins else None
            known = (places[one] for one in (target, near, far) if one in places)
            to = next(known, None)
            ways = ways if to is None or to in ways else (*ways, to)
        yield ways


def _directions(code: Code) -> Iterator[bool | None]:
    known = [_direction(code, at) for at in range(len(code.rows))]
    last: bool | None = None
    for at, row in enumerate(code.rows):
        if not row.toggles:
            yield None
            continue
        if known[at] is None:
            later = (one for i, one in enumerate(known) if i > at and one is not None)
            following = next(later, None)
            # What is opened is closed before it is opened again.
            known[at] = not last if last is not None or following is None else not following
        last = known[at]
        yield last


def _direction(code: Code, at: int) -> bool | None:
    row, values = code.rows[at], code.spelling.values
    if row.role in (Role.OPENS, Role.CLOSES):
        return row.role is Role.OPENS
    if row.role is not Role.TOGGLES:
        return None
    own = role_of(values, row.read.text)
    operands = registers(code.spelling.register, row.read.text.partition(" ")[2])
    made = code.makers(operands[0], at) if own is None and operands else frozenset()
    told = {own, *(role_of(values, code.rows[one].read.text) for one in made)} - {None}
    return told.pop() is Role.OPENS if len(told) == 1 else None


__all__ = ["FLAGS", "TOGGLES", "Code", "Row", "code_of"]
