# SPDX-License-Identifier: GPL-2.0-only
"""Both variants, executed, do the same, or only otherwise what the style declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome
from uaccel.model.run import Called, Pair, Run, UserAccess
from uaccel.model.source import Direction
from uaccel.stories import story, told

_EFAULT = -14
_UPPER = 0xFFFFFFFF00000000  # of a word, when a sign was extended
_POINTER = 0x10000  # no object lies at a lower address
_LEAST = -4095  # no error is less (MAX_ERRNO of include/linux/err.h): it is an address
_WORD = 32  # bits of a word of the machines that return two of them
_BYTES = 8  # of the largest value
_LINE = 64  # bytes that a copy may read before it writes them
_WAYS = {"read": Direction.READ.value, "written": Direction.WRITE.value}


@dataclass(frozen=True, slots=True)
class _Permit:
    """What one declared sentence permits."""

    pattern: str  # of the sentence
    holds: Callable[[Pair], bool]  # whether a pair differs in no more than that


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when no pair of runs differs in more than is declared, FAIL with the first."""
    if evidence.pairs is None:
        return Judgement(Outcome.UNKNOWN, "nothing was executed")
    known = [pair for pair in evidence.pairs if not unfit(pair.before, pair.guarded)]
    if not known:
        why = next((f": {unfit(pair.before, pair.guarded)}" for pair in evidence.pairs), "")
        return Judgement(Outcome.UNKNOWN, f"no call of it tells anything{why}")
    permits = [one for one in PERMITS if any(re.match(one.pattern, s) for s in evidence.declared)]
    said = (re.match(BOTH, sentence) for sentence in evidence.declared)
    both = frozenset(_WAYS[one[1]] for one in said if one is not None)
    declared = 0
    for pair in known:
        broken = _broken(pair.after, pair, both=both)
        other = broken or _difference(pair)
        if other and (broken or not any(one.holds(pair) for one in permits)):
            return Judgement(Outcome.FAIL, f"when {pair.what}: {other}", tuple(story(pair)))
        declared += bool(other)
    left = len(evidence.pairs) - len(known)
    more = f", {declared} of them other as declared" if declared else ""
    more += f", {left} left out, for it cannot be called so as it stood" if left else ""
    return Judgement(Outcome.PASS, f"{len(known)} call{'s' if len(known) > 1 else ''}{more}")


def unfit(run: Run, guarded: tuple[Direction, ...]) -> str:
    """Return why a run of the function as it stood tells nothing, "" when it does.

    `guarded` are the directions that need an opening.
    """
    if run.ended:
        return run.ended
    bare = next((one for one in run.accesses if one.step < 0), None)
    if bare is not None:
        return f"{told(bare)} that nothing guards"
    outside = _outside(run, guarded)
    return f"{told(outside)} outside of any window, as it stood" if outside is not None else ""


def _outside(run: Run, guarded: tuple[Direction, ...]) -> UserAccess | None:
    return next((one for one in run.accesses if one.direction in guarded and not one.open), None)


def _broken(run: Run, pair: Pair, *, both: frozenset[str]) -> str:
    # The rules of a window, which no declaration lifts but the one that it is open both ways.
    if run.ended:
        return f"it does not return: {run.ended}"
    if run.open:
        return "it returns with user memory open"
    called = next((one.name for one in run.calls if one.open), None)
    if called is not None and not any(one.open for one in pair.before.calls):
        return f"it calls {called} with user memory open"
    more = sorted(_wider(run, pair.before, both))
    if more and pair.before.opened and not (pair.fault or pair.outside):
        return f"it opens user memory for a {more[0]} as well"
    outside = _outside(run, pair.guarded)
    return f"{told(outside)} outside of any window" if outside is not None else ""


def _wider(run: Run, before: Run, both: frozenset[str]) -> set[str]:
    # What a window is open for besides what any one was as it stood: which of those it stands for
    # is not known, so that either may say so.
    found: set[str] = set()
    for ways in run.opened:
        more = [{way.value for way in ways - one} for one in before.opened]
        if not any(some <= both for some in more):
            found = found.union(*more)
    return found


def _difference(pair: Pair) -> str:
    before, after = pair.before, pair.after
    if returned(before, pair.bits) != returned(after, pair.bits):
        return f"it returns {returned(after, pair.bits)}, not {returned(before, pair.bits)}"
    names = _names(before), _names(after)
    if names[0] != names[1]:
        return f"it calls {_listed(names[1])}, not {_listed(names[0])}"
    for was, now in zip(before.calls, after.calls, strict=True):
        if was.arguments != now.arguments:
            return f"it calls {_call(now)}, not {_call(was)}"
        if was.seen != now.seen:
            return f"{now.name} finds {_seen(now)}, not {_seen(was)}"
    for kind, one, other in (
        ("user", before.user, after.user),
        ("kernel", before.kernel, after.kernel),
    ):
        # The same bytes may come in other stretches.
        if one != other and _bytes(one) != _bytes(other):
            return _byte(kind, one, other)
    return ""


def _call(call: Called) -> str:
    return f"{call.name}({', '.join(f'{one:#x}' for one in call.arguments)})"


def _seen(call: Called) -> str:
    return " and ".join(f"{content.hex(' ', 4)} at argument {at}" for at, content in call.seen)


def _byte(
    kind: str, one: tuple[tuple[int, bytes], ...], other: tuple[tuple[int, bytes], ...]
) -> str:
    was, now = _bytes(one), _bytes(other)
    at = min(at for at in was.keys() | now.keys() if was.get(at) != now.get(at))
    told = [
        f"{value:#04x}" if value is not None else "as it was"
        for value in (now.get(at), was.get(at))
    ]
    return f"the {kind}'s byte at {at:#x} is {told[0]}, not {told[1]}"


def _bytes(memory: tuple[tuple[int, bytes], ...]) -> dict[int, int]:
    return {at + i: byte for at, content in memory for i, byte in enumerate(content)}


def returned(run: Run, bits: int) -> int:
    """Return the result of a run as the signed number of so many bits that it is."""
    held = run.wide if bits > _WORD and run.wide is not None else run.result
    low = (held or 0) & ((1 << bits) - 1)
    return low - (1 << bits) if bits and low >> (bits - 1) else low


def _listed(names: list[str]) -> str:
    return " and ".join(names) if names else "nothing"


def _fails_early(pair: Pair) -> bool:
    # A bad range ends it before accesses that were still made; what was done, was done before.
    # A range check fails without a fault.
    early = pair.outside and not pair.after.faults and _is_refusal(pair)
    if not (early and _moves_no_more(pair)):
        return False
    # Of two that fail, the one that fails earlier calls nothing that the other one does not; one
    # that went well has nothing to undo.
    failed = returned(pair.before, pair.bits) == returned(pair.after, pair.bits)
    return not failed or (_is_within(_calls(pair.after), _calls(pair.before)) and _keeps(pair))


def _refuses(pair: Pair) -> bool:
    # What is refused may not have been looked at before: it went on, or faulted elsewhere.
    early = pair.outside and not pair.after.faults and _is_refusal(pair)
    return early and _moves_no_more(pair)


def _moves_no_more(pair: Pair) -> bool:
    if _is_within(_moved(pair.after), _moved(pair.before)):
        return True
    # Of two that move the same bytes one may do so by larger words.
    reads = [
        {at for one in run.accesses if one.value is None for at in _span(one)}
        for run in (pair.before, pair.after)
    ]
    was, now = _written(pair.before), _written(pair.after)
    return reads[1] <= reads[0] and now <= was and not _changed(pair) & now


def _span(access: UserAccess) -> range:
    return range(access.address, access.address + access.size)


def _is_refusal(pair: Pair) -> bool:
    # What it returns for a fault, or the same error; nothing; NULL where it was a pointer.
    was, now = returned(pair.before, pair.bits), returned(pair.after, pair.bits)
    error = now in (_EFAULT, pair.refusal) or now == was < 0
    pointed = was > _POINTER or was < _LEAST
    return error or not pair.bits or (now == 0 and pointed)


def _fails_late(pair: Pair) -> bool:
    # What the window found before its first access is found by the access that reaches it, if any.
    bad = pair.outside and returned(pair.before, pair.bits) == _EFAULT
    return bad and _is_part(pair.before, pair.after)


def _stops(pair: Pair) -> bool:
    # The result is the same; of what comes behind the first fault nothing is made, all before it.
    same = _is_same_result(pair) and _is_part(pair.after, pair.before) and _keeps(pair)
    return pair.fault and same and _is_within(_before_fault(pair.before), _moved(pair.after))


def _counts(pair: Pair) -> bool:
    # The number of bytes that were left is an error now, wherever it goes.
    known = _is_same_result(pair) or returned(pair.after, pair.bits) == _EFAULT
    return pair.fault and known and _is_part(pair.after, pair.before)


def _ends_alike(pair: Pair) -> bool:
    # Both find the range bad before the first access; how they end is declared.
    runs = pair.before, pair.after
    return pair.outside and not any(run.accesses or run.faults for run in runs)


def _calls_first(pair: Pair) -> bool:
    # More is called behind a fault, for it is called before it.
    same = _is_same_result(pair) and pair.before.user == pair.after.user
    return pair.fault and same and _is_within(_names(pair.before), _names(pair.after))


def _reads_all(pair: Pair) -> bool:
    # Bytes that no field carries are not there.
    same = pair.before.user == pair.after.user and _names(pair.before) == _names(pair.after)
    return pair.fault and same and returned(pair.after, pair.bits) == _EFAULT


def _keeps_values(pair: Pair) -> bool:
    # Only what lies in the kernel's memory differs, and only behind a fault.
    same = _is_same_result(pair) and pair.before.user == pair.after.user
    return pair.fault and same and _names(pair.before) == _names(pair.after)


def _extends(pair: Pair) -> bool:
    # __get_user_asm() of arch/riscv/include/asm/uaccess.h loads into the variable's own type.
    calls = _names(pair.before) == _names(pair.after)
    words = zip(_words(pair.before), _words(pair.after), strict=False)
    memory = zip(_told_bytes(pair.before), _told_bytes(pair.after), strict=False)
    # A struct that is copied may be padded as well.
    same = _is_same_result(pair) and _is_padded(pair) and calls
    values = all(one == two or one ^ two == _UPPER for one, two in words)
    return same and values and all(one == two or {one, two} == {0, 0xFF} for one, two in memory)


def _words(run: Run) -> list[int]:
    return [word for call in run.calls for word in call.arguments]


def _told_bytes(run: Run) -> list[int]:
    seen = [byte for call in run.calls for _, content in call.seen for byte in content]
    return [*seen, *(byte for _, content in run.kernel for byte in content)]


def _is_same_result(pair: Pair) -> bool:
    return returned(pair.before, pair.bits) == returned(pair.after, pair.bits)


def _names(run: Run) -> list[str]:
    return [one.name for one in run.calls]


def _before_fault(run: Run) -> Iterator[tuple[object, ...]]:
    first = run.faults[0].step if run.faults else 0
    return _moved(replace(run, accesses=tuple(a for a in run.accesses if a.step < first)))


def _calls(run: Run) -> list[tuple[object, ...]]:
    return [(one.name, one.arguments) for one in run.calls]


def _keeps(pair: Pair) -> bool:
    # What was not read from the user is in the kernel's memory as it was.
    runs = pair.before, pair.after
    reads = any(one.value is None for run in runs for one in run.accesses)
    return reads or pair.before.kernel == pair.after.kernel


def _is_part(less: Run, more: Run) -> bool:
    return _is_within(_moved(less), _moved(more)) and _is_within(_calls(less), _calls(more))


def _is_within(less: Iterable[object], more: Iterable[object]) -> bool:
    rest = iter(more)
    return all(one in rest for one in less)


def _partly(pair: Pair) -> bool:
    # A copy that faults on its way may have moved another part of the object.
    same = _is_same_result(pair) and _calls(pair.before) == _calls(pair.after)
    return pair.fault and same and _keeps(pair)


def _tears(pair: Pair) -> bool:
    # What one of them wrote beyond the other ends where memory does, but for part of a word; a
    # copy may have cleared the line that it was about to write (dcbz of ppc).
    if not _partly(pair):
        return False
    was, now = _written(pair.before), _written(pair.after)
    ends = {fault.address for run in (pair.before, pair.after) for fault in run.faults}
    alone = was ^ now
    torn: set[int] = set()
    for end in ends:
        at = next((at for at in range(end, end - _BYTES, -1) if at - 1 in was | now), end)
        while at - 1 in alone and (pair.outside or end - at < _LINE):
            at -= 1
            torn.add(at)
    held = _bytes(pair.before.user)
    lines = {at for end in ends for at in range(end & -_LINE, (end & -_LINE) + _LINE)}
    cleared = {at for at in lines - now if held.get(at) == 0}
    return _changed(pair) <= torn | cleared


def _pads(pair: Pair) -> bool:
    # Bytes that the function as it stood left alone are zero now.
    same = (pair.before.calls, pair.before.kernel) == (pair.after.calls, pair.after.kernel)
    return _is_padded(pair) and same and _is_same_result(pair)


def _is_padded(pair: Pair) -> bool:
    now, changed = _bytes(pair.after.user), _changed(pair)
    untouched = not changed & _written(pair.before)
    return untouched and all(now.get(at) == 0 for at in changed)


def _changed(pair: Pair) -> set[int]:
    was, now = _bytes(pair.before.user), _bytes(pair.after.user)
    return {at for at in was.keys() | now.keys() if was.get(at) != now.get(at)}


def _written(run: Run) -> set[int]:
    return {at for access in run.accesses if access.value is not None for at in _span(access)}


def _moved(run: Run) -> Iterator[tuple[object, ...]]:
    return ((one.direction, one.address, one.size, one.value) for one in run.accesses)


PERMITS = (
    _Permit(r"The range check now covers ", _fails_early),
    _Permit(r"Every pointer is checked before the first access: ", _fails_early),
    _Permit(r"A `.+` outside of user space fails ", _refuses),
    _Permit(r"All of struct \w+ is checked at once: ", _fails_early),
    _Permit(r"The accesses get a range check that ", _fails_early),
    _Permit(r"All bytes of struct \w+ are read, ", _reads_all),
    _Permit(r"Where the machine can mask a pointer no range is checked: ", _fails_late),
    _Permit(r"Each access checks its own range: ", _fails_late),
    _Permit(r"A range that is bad now ends as a fault does; ", _ends_alike),
    _Permit(r"Where `get_user\(\)` extends the sign of a narrow field ", _extends),
    _Permit(r"The first fault ends the accesses; ", _stops),
    _Permit(r"After a fault the other statements among the accesses ", _stops),
    _Permit(r"After a fault of a copy `.+` is -EFAULT ", _counts),
    _Permit(r"Calls in the arguments are made before the first access, ", _calls_first),
    _Permit(r"A read that faults sets its target to 0; ", _keeps_values),
    _Permit(r"After a fault of a copy, what it did not reach ", _keeps_values),
    _Permit(r"After a fault `.+` may keep what it held; ", _keeps_values),
    _Permit(r"After a fault `.+` is 0, ", _keeps_values),
    _Permit(r"A fault in the middle leaves the fields ", _partly),
    _Permit(r"Where a copy faults on its way, ", _partly),
    _Permit(r"Where a copy stops on its way, ", _tears),
    _Permit(r"What `copy_\w+_user\(\)` had copied before a fault ", _partly),
    _Permit(r"The padding of struct \w+ is written as zero; ", _pads),
)

# Pattern of the sentence that lifts a rule.
BOTH = r"The window is open both ways: user memory could be (read|written) as well "

CHECK = Check(summary="both variants, executed, do the same or what is declared", judge=judge)
