# SPDX-License-Identifier: GPL-2.0-only
"""No path of the object leaves user memory open: not at a return, not at a call."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome
from uaccel.model.machine import Insn, Listing, Role
from uaccel.paths import edges_of

# What compilers put into any code, and what objtool lets pass (tools/objtool/check.c,
# uaccess_safe_builtin): none of it can sleep.  Save and restore of registers by a callee.
_HARMLESS = re.compile(
    r"__(?:tsan|asan|kasan|kcsan|kmsan|sanitizer|ubsan)_\w+|__(?:f?entry__|stack_chk_fail)"
    r"|_(?:save|rest)(?:gpr|fpr|32gpr)\w*|mcount|_mcount"
)
_BOTH = 2  # ways on from a jump that may be taken
_CONDITION = "cr0"
_KEEPS = re.compile(r"st\w*|b\w*|mt\w*|isync|lwsync|sync|eieio")  # writes no register named first
_ANSWERS = ("beq", "bne")  # what goes on, and what jumps, when the answer is yes
_TOGGLES = (Role.OPENS, Role.CLOSES, Role.TOGGLES)
# Where a return is mitigated against speculation, it is a jump to one of these.
_THUNK = re.compile(r"\w*(?:return_thunk|indirect_jump_r14)")


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when each path from an opening meets its closing before a call or a return."""
    listing = evidence.listing
    if listing is None:
        return Judgement(Outcome.UNKNOWN, "the function was not built as a symbol of its own")
    if not listing.arch.shortest_window:
        return Judgement(Outcome.PASS, "nothing opens or closes on this architecture")
    if any(_is_table(listing, insn) for insn in listing.insns):
        return Judgement(Outcome.UNKNOWN, "a switch jumps through a table that is not read")
    return _walked(listing)


def _is_table(listing: Listing, insn: Insn) -> bool:
    return insn.target is None and listing.arch.role(insn) is Role.BRANCHES


def _walked(listing: Listing) -> Judgement:
    way = _walk(listing, is_open=False, called=False)
    if way.broken:
        asked = (one for one in listing.foreign if re.fullmatch(listing.arch.switches, one))
        switch = next(asked, None)
        if switch is not None:
            why = f"{way.broken}, unless {switch}, which is asked there, answers alike each time"
            return Judgement(Outcome.UNKNOWN, why)
        return Judgement(Outcome.FAIL, way.broken)
    if not way.toggles:
        return Judgement(Outcome.PASS, "the function opens nothing itself")
    return Judgement(Outcome.PASS, f"closed on every path, of {way.toggles} openings and closings")


@dataclass(frozen=True, slots=True)
class _Way:
    broken: str  # the first thing that is wrong, "" when nothing is
    toggles: int = 0  # openings and closings that were passed
    ends: frozenset[bool] = frozenset()  # whether user memory is open where it returns


def _walk(listing: Listing, *, is_open: bool, called: bool) -> _Way:
    # With `called` user memory may be left open: what calls it is asked then.
    insns, edges, fixups = listing.insns, tuple(edges_of(listing)), landings(listing)
    own = {one.symbol: one for one in listing.callees if _toggles(one)}
    seen: set[tuple[int, bool, frozenset[str]]] = set()
    ends: set[bool] = set()
    pending = [(0, is_open, frozenset[str]())]
    while pending:
        state = at, now, answers = pending.pop()
        if state in seen:
            continue
        seen.add(state)
        insn = insns[at]
        within = own.get(str(insn.target)) if isinstance(insn.target, str) else None
        way = _called(within, now) if within else _stepped(listing, insn, now)
        why = way.broken
        leaves = _leaves(listing, insn)
        if leaves and True in way.ends and not called:
            why = why or "it returns with user memory open"
        if why:
            return _Way(f"{listing.symbol}+{_offset(listing, at):#x}: {why}")
        ends |= way.ends if leaves else set()
        # A fault comes before what the instruction does.
        pending += [(fixups[at], now, answers)] if at in fixups else []
        known, ways = told(listing, insn, answers), ways_on(insn, edges[at], answers)
        pending += [(to, later, known) for to in ways for later in way.ends]
    passed = {at for at, *_ in seen if _opens_or_closes(listing, insns[at], own)}
    return _Way("", len(passed), frozenset(ends))


def _called(listing: Listing, is_open: bool) -> _Way:
    way = _walk(listing, is_open=is_open, called=True)
    return replace(way, broken=way.broken and f"{listing.symbol}() is called: {way.broken}")


def _toggles(listing: Listing) -> bool:
    return any(listing.arch.role(insn) in _TOGGLES for insn in listing.insns)


def _opens_or_closes(listing: Listing, insn: Insn, own: Mapping[str, Listing]) -> bool:
    return listing.arch.role(insn) in _TOGGLES or insn.target in own


def _stepped(listing: Listing, insn: Insn, is_open: bool) -> _Way:
    why = _against(listing, insn, is_open)
    return _Way(why, ends=frozenset({is_open_behind(listing, insn, is_open)}))


def _leaves(listing: Listing, insn: Insn) -> bool:
    # A jump to another function is a call behind which nothing comes.
    role = listing.arch.role(insn)
    return role is Role.RETURNS or (isinstance(insn.target, str) and role is not Role.CALLS)


def told(listing: Listing, insn: Insn, answers: frozenset[str]) -> frozenset[str]:
    """Return which registers hold, behind `insn`, whether the CPU guards user memory.

    `answers` are those before it; a CPU is asked only where the code is for several.
    """
    if not listing.arch.asks:
        return answers
    first = insn.operands.partition(",")[0]
    asked = re.fullmatch(listing.arch.asks, str(insn))
    if insn.mnemonic.startswith("cmp"):
        tells = first in answers and insn.operands.endswith(", 0")
        other = first.startswith("cr")  # another part of the condition register
        return answers if other else answers - {_CONDITION} | ({_CONDITION} if tells else set())
    kept = answers - {first} if not _KEEPS.match(insn.mnemonic) else answers
    kept = kept - {_CONDITION} if insn.mnemonic.endswith(".") else kept
    if listing.arch.role(insn) is Role.CALLS:
        kept = frozenset(one for one in kept if re.fullmatch(r"r(1[4-9]|2\d|3[01])", one))
    if asked is None:
        return kept
    return kept | {asked[1]} | ({_CONDITION} if insn.mnemonic.endswith(".") else set())


def ways_on(insn: Insn, after: tuple[int, ...], answers: frozenset[str]) -> tuple[int, ...]:
    """Return which of the indices `after` may follow `insn` on a CPU that guards user memory."""
    # What is asked is answered with yes: where nothing is guarded nothing need be closed.
    known = _CONDITION in answers and len(after) == _BOTH and "," not in insn.operands
    return (after[_ANSWERS.index(insn.mnemonic)],) if known and insn.mnemonic in _ANSWERS else after


def landings(listing: Listing) -> dict[int, int]:
    """Return the index of where a fault goes on, by that of the instruction that faults."""
    addresses = [(insn.address, i) for i, insn in enumerate(listing.insns)]
    addresses.sort()
    found: dict[int, int] = {}
    for i, insn in enumerate(listing.insns):
        at = bisect_left(addresses, (insn.fixup, 0)) if insn.fixup is not None else len(addresses)
        if at < len(addresses):
            found[i] = addresses[at][1]
    return found


def is_open_behind(listing: Listing, insn: Insn, is_open: bool) -> bool:
    """Return whether a window stands open behind `insn`, of which one does before it or not."""
    role = listing.arch.role(insn)
    if role is Role.TOGGLES:
        return not is_open
    return role is Role.OPENS or (is_open and role is not Role.CLOSES)


def _against(listing: Listing, insn: Insn, is_open: bool) -> str:
    role = listing.arch.role(insn)
    if role is Role.CLOSES and not is_open:
        return "it is closed where it is not open"
    if role is Role.OPENS and is_open:
        return "it is opened where it is open"
    if not is_open:
        return ""
    away = isinstance(insn.target, str) and not _THUNK.fullmatch(insn.target)
    if role is Role.CALLS or (away and role is not Role.RETURNS):
        name = str(insn.target) if insn.target is not None else "what a pointer names"
        known = _HARMLESS.fullmatch(name) or re.fullmatch(listing.arch.inside, name)
        return "" if known else f"it calls {name} with user memory open"
    return ""


def _offset(listing: Listing, at: int) -> int:
    return listing.insns[at].address - listing.insns[0].address


CHECK = Check(
    summary="on no path of the object user memory is open at a call or a return", judge=judge
)
