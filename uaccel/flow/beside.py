# SPDX-License-Identifier: GPL-2.0-only
"""Two variants of one function, called with the same, met by the same faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from uaccel.flow.moving import Memory, moved
from uaccel.flow.naming import Naming
from uaccel.flow.places import BETWEEN
from uaccel.flow.reach import extents
from uaccel.host.emulator import Emulator
from uaccel.model.access import Direction
from uaccel.model.run import Emulation, Fault, Input, Pair, Run

_HOW = {False: "once", True: "for good"}
_BORDERS = 32  # of what may be written, in one object
_SOME = 60  # bytes, and accesses, of an input that is not the first
_FAULTED = 120  # accesses of one run that fault, in turn
_T = TypeVar("_T")
_LARGE = 256  # bytes of an object that may end behind each of them; of a larger one behind few
_PAGE = 0x1000
_LINE = 64  # bytes
_ROUTINE = 0x800  # bytes of a routine that copies
_FIRST = 16 * _PAGE  # addresses that only a pointer of the kernel's that is NULL leads to
_WORD = 8  # bytes of the largest value
_EFAULT = 14
_INT = 32  # bits
_OURS = b"\xa5"  # what lies in memory of the kernel's that nobody may reach: to write it shows
_INSIDE = 0x200000  # bytes behind the code: addresses of the kernel where nothing else lies


@dataclass(frozen=True, slots=True)
class Case:
    """What is done to a call, and what of it is bad."""

    what: str  # one clause: "the 3rd access faults for good"
    fault: bool = False  # user memory is not all there
    outside: bool = False  # a pointer leads out of user space
    to: int = 0  # where that pointer, or another one, was made to lead


PLAIN = Case("nothing faults")


@dataclass(frozen=True, slots=True)
class Variants:
    """The same function in two objects, each on a machine of its own."""

    function: str
    before: Emulator
    after: Emulator
    bits: int  # of what it returns
    namings: tuple[Naming, Naming]
    ways: Mapping[int, frozenset[Direction]]  # what each instruction does with user memory, before


def pairs(
    variants: Variants,
    given: Input,
    size: Callable[[int], int],
    extent: Callable[[int], int],
    *,
    thorough: bool,
) -> Iterator[Pair]:
    """Yield the runs of both with `given`: as it is, each byte of it another, with each fault.

    `size` tells how many bytes the type of the user's object at an address has, `extent` how many
    any run has reached.  Without
    `thorough` memory ends where accesses begin and end, not behind every byte, and of many bytes
    and accesses some are left out.
    """
    most = _LARGE if thorough else _SOME
    whole = pair(variants, given, given, PLAIN)
    yield whole
    yield from _changed(variants, given, whole, most)
    yield from _faults(variants, given, whole, _FAULTED if thorough else _SOME)
    for address, content in given.user:
        full = max(len(content), size(address))
        edges = tuple(_few(sorted(_edges(whole, address, len(content))), most))
        all_of_it = thorough and len(content) <= _LARGE
        ends = tuple(range(len(content))) if all_of_it else edges
        yield from _ended(variants, given, (address, content), (*ends, len(content)), full)
        yield from _begun(variants, given, (address, content), edges)
        yield from _locked(variants, given, (address, content), whole)
        there = range(full + 1) if all_of_it and full <= _LARGE else (*edges, len(content), full)
        # Where nothing tells how large it is a range may be checked of more than is known.
        least = max(full if size(address) else full + 1, extent(address))
        there = tuple(dict.fromkeys(there))
        yield from _at_the_end(variants, given, (address, content), there, least)
        yield from _elsewhere(variants, given, (address, full))


def pair(variants: Variants, one: Input, other: Input, case: Case) -> Pair:
    """Return what the variant before does with `one`, and the variant after with `other`."""
    before = variants.before.execute(variants.function, one)
    after = variants.after.execute(variants.function, other)
    before = astray(before, variants.ways, variants.before.image.emulation, after)
    return paired(variants, (before, after), one, case)


def paired(variants: Variants, runs: tuple[Run, Run], given: Input, case: Case) -> Pair:
    """Return two `runs` that were made with `given`, in words that mean the same in both."""
    before, after = runs
    one_naming, other_naming = variants.namings
    if before.calls != after.calls:
        before, after = one_naming.called(before), other_naming.called(after)
    if before.user != after.user:
        users = _completed(given.user, before.user, after.user)
        before, after = replace(before, user=users[0]), replace(after, user=users[1])
    if before.kernel != after.kernel:
        kernels = _completed(given.kernel, before.kernel, after.kernel)
        before, after = replace(before, kernel=kernels[0]), replace(after, kernel=kernels[1])
        before, after = one_naming.kept(before), other_naming.kept(after)
    # Where the caller's pointers are bad by themselves, nothing else need take memory away.
    failed = bool(before.faults)
    refused = _is_efault(before, variants.bits) and not (failed or _is_told(before))
    return Pair(
        what=case.what,
        fault=case.fault or failed or refused,
        outside=case.outside or refused or _leads_out(variants, *runs, given, case.to),
        before=before,
        after=after,
        bits=variants.bits,
        guarded=variants.after.image.accesses_guarded,
        given=given,
    )


def ways(runs: Iterable[Run]) -> dict[int, frozenset[Direction]]:
    """Return what each instruction that `runs` went through does with user memory."""
    found: dict[int, set[Direction]] = {}
    for run in runs:
        for one in run.accesses:
            found.setdefault(one.place, set()).add(one.direction)
    return {place: frozenset(some) for place, some in found.items()}


def astray(
    run: Run,
    known: Mapping[int, frozenset[Direction]],
    emulation: Emulation,
    after: Run | None = None,
) -> Run:
    """Return a run of the function as it stood as one that did not end, where it led nowhere.

    `known` is what each instruction does with user memory, `after` the rewritten function's run.

    A copy's entry in the exception table catches a fault on the kernel's side as well: of memory
    that the kernel lacks nothing can be said, as where nothing guards the instruction.
    """
    every = frozenset[Direction]().union(*known.values())
    apart = emulation.user_end <= emulation.text  # no address is the user's and the kernel's
    for fault in run.faults:
        # What no run has got through may be the user's, unless NULL leads there.
        near = fault.place in known or fault.address < _FIRST
        other = near and every and fault.direction not in known.get(fault.place, every)
        # What the other one looked for without a guard, and no run reached here, is no user's.
        same = after is not None and bool(after.ended) and after.missing == fault.address
        other = other or (same and fault.place not in known)
        if other or (apart and fault.address >= emulation.text):
            return replace(run, ended=f"{fault.address:#x} of the kernel's is not there")
    return run


def _completed(given: Memory, *changed: Memory) -> tuple[Memory, ...]:
    # An object that one run alone changed is in the other one as it was laid.
    laid = dict(given)
    every = sorted({at for some in changed for at, _ in some})
    known = [{at: laid[at] for at in every if at in laid} | dict(some) for some in changed]
    return tuple(tuple((at, some[at]) for at in every if at in some) for some in known)


def _leads_out(variants: Variants, before: Run, after: Run, given: Input, to: int) -> bool:
    # Whether the rewritten function refuses what the other one went on with, and no more so once
    # the words at the end of user space and behind, of those that were read, lead to an object;
    # but for the pointer `to` that is looked at anyway.
    refused = _is_efault(after, variants.bits) and not after.faults and not _is_told(after)
    if not refused or not given.user or (_is_efault(before, variants.bits) and not before.faults):
        return False
    kernel = tuple(_mended_words(variants, given, to))
    mended = replace(given, user=tuple(_mended(variants, before, given)), kernel=kernel)
    if (mended.user, mended.kernel) == (given.user, given.kernel):
        return False
    again = variants.after.execute(variants.function, mended)
    return bool(again.faults) or not _is_efault(again, variants.bits)


def _mended_words(variants: Variants, given: Input, to: int) -> Iterator[tuple[int, bytes]]:
    # Pointers of the kernel's that lead to the very end of user space.
    image = variants.before.image
    word, end = image.bits // 8, image.emulation.user_end
    order: Literal["big", "little"] = "big" if image.big else "little"
    good = given.user[0][0].to_bytes(word, order)
    for address, content in given.kernel:
        made = bytearray(content)
        for at in range(0, len(content) - word + 1, word):
            held = int.from_bytes(content[at : at + word], order)
            if end - _PAGE < held <= end and held != to:
                made[at : at + word] = good
        yield address, bytes(made)


def _mended(variants: Variants, run: Run, given: Input) -> Iterator[tuple[int, bytes]]:
    image = variants.before.image
    word, last = image.bits // 8, image.emulation.user_end - _PAGE
    order: Literal["big", "little"] = "big" if image.big else "little"
    good = given.user[0][0].to_bytes(word, order)
    reads = [a for a in run.accesses if a.direction is Direction.READ and a.size == word]
    for address, content in given.user:
        made = bytearray(content)
        for at in (access.address - address for access in reads):
            held = content[at : at + word] if at >= 0 else b""
            padded = BETWEEN * (word // 2) in held
            if len(held) == word and not padded and int.from_bytes(held, order) > last:
                made[at : at + word] = good
        yield address, bytes(made)


def _is_efault(run: Run, bits: int) -> bool:
    known = run.result is not None and bits > 0
    return known and ((run.result or 0) + _EFAULT) & ((1 << min(bits, _INT)) - 1) == 0


def _is_told(run: Run) -> bool:
    # A callee may have said so.
    return any((call.result + _EFAULT) & ((1 << _INT) - 1) == 0 for call in run.calls)


def _faults(variants: Variants, given: Input, whole: Pair, most: int) -> Iterator[Pair]:
    # The same access in both, where both make the same; else memory that is missing must do.
    steps = [_steps(run) for run in (whole.before, whole.after)]
    if [place for place, _ in steps[0]] != [place for place, _ in steps[1]]:
        return
    both = tuple(enumerate(zip(*steps, strict=True), start=1))
    for number, ((_, one), (_, other)) in _few(both, most):
        for sticky in (False, True):
            what = f"access {number} of {len(steps[0])} faults {_HOW[sticky]}"
            faulty = [replace(given, fault=Fault(step, sticky)) for step in (one, other)]
            made = pair(variants, faulty[0], faulty[1], Case(what, fault=True))
            sides = (variants.before, made.before), (variants.after, made.after)
            if sticky or not any(_tries_again(variants.function, *one) for one in sides):
                yield made


def _few(every: Sequence[_T], most: int) -> Sequence[_T]:
    # The first and the last ones, and some in between, where they are too many.
    if len(every) <= most:
        return every
    third = most // 3
    step = (len(every) - 2 * third) // third + 1
    return (*every[:third], *every[third:-third:step], *every[-third:])


def _changed(variants: Variants, given: Input, whole: Pair, most: int) -> Iterator[Pair]:
    # Each byte that either reads of the user's must mean the same to both.
    read = {
        at
        for run in (whole.before, whole.after)
        for access in run.accesses
        if access.direction is Direction.READ and access.size <= _WORD
        for at in range(access.address, access.address + access.size)
    }
    for number, (address, content) in enumerate(given.user):
        inside = sorted(read & set(range(address, address + len(content))))
        for at in _few(inside, most):
            part = at - address
            other = content[:part] + bytes((content[part] ^ 1,)) + content[part + 1 :]
            user = (*given.user[:number], (address, other), *given.user[number + 1 :])
            made = replace(given, user=user)
            what = f"byte {part} of the user's object at {address:#x} is another"
            yield pair(variants, made, made, Case(what))


def _tries_again(function: str, emulator: Emulator, run: Run) -> bool:
    # A copy does, byte by byte or line by line, and a fault that is over by then was none.
    own = extents(emulator.image, function)
    for fault in run.faults:
        apart = not any(one.start <= fault.place < one.end for one in own)
        for access in run.accesses:
            again = access.address <= fault.address < access.address + access.size
            close = (
                abs(access.place - fault.place) < _ROUTINE
                and 0 <= (access.address - (fault.address & -_LINE)) < 2 * _LINE
            )
            if access.step > fault.step and (again or (apart and close)):
                return True
    return False


def _steps(run: Run) -> list[tuple[tuple[object, ...], int]]:
    made = (one for one in run.accesses if one.step >= 0)
    return [((one.direction, one.address, one.size), one.step) for one in made]


def _edges(whole: Pair, address: int, size: int) -> set[int]:
    # Bytes of the object where an access of either begins, ends, or is in its midst.
    found = {0}
    for run in (whole.before, whole.after):
        for access in run.accesses:
            first = access.address - address
            if 0 <= first < size:
                found |= {first, first + 1, first + access.size - 1, first + access.size}
    return {one for one in found if one < size}


def _ended(
    variants: Variants, given: Input, one: tuple[int, bytes], ends: Iterable[int], size: int
) -> Iterator[Pair]:
    # User memory comes in whole pages: the object is moved to end where its page does.
    address, content = one
    for there in ends:
        to = (address | _PAGE - 1) + 1 - there
        kept = moved(variants.before.image, given, address, to, slice(0, there))
        if kept is not None:
            what = f"user memory ends behind byte {there} of {len(content)}"
            yield pair(variants, kept, kept, Case(what, fault=there < size))


def _begun(
    variants: Variants, given: Input, one: tuple[int, bytes], starts: Iterable[int]
) -> Iterator[Pair]:
    address, content = one
    for lacking in starts:
        to = (address | _PAGE - 1) + 1 - lacking
        kept = moved(variants.before.image, given, address, to, slice(lacking, None))
        if lacking and kept is not None:
            what = f"the first {lacking} bytes of {len(content)} are not there"
            yield pair(variants, kept, kept, Case(what, fault=True))


def _locked(
    variants: Variants, given: Input, one: tuple[int, bytes], whole: Pair
) -> Iterator[Pair]:
    # What is read and then written may lie where it can be read alone.
    address, content = one
    made = [
        access
        for run in (whole.before, whole.after)
        for access in run.accesses
        if 0 <= access.address - address < len(content)
    ]
    if not any(access.direction is Direction.READ for access in made):
        return
    writes = [one for one in made if one.direction is Direction.WRITE]
    starts = {one.address - address for one in writes}
    ends = {one.address - address + one.size for one in writes}
    for at in _few(sorted(starts | ends), _BORDERS):
        border = (address | _PAGE - 1) + 1
        kept = moved(variants.before.image, given, address, border - at, slice(0, None))
        behind = tuple(range(border, border - at + len(content), _PAGE))
        before = tuple(range(border - at & -_PAGE, border, _PAGE))
        for way, pages in ((f"from byte {at} on", behind), (f"up to byte {at}", before)):
            if kept is not None and pages:
                what = f"the user's memory of {len(content)} bytes may not be written {way}"
                given_so = replace(kept, locked=pages)
                yield pair(variants, given_so, given_so, Case(what, fault=True))


def _at_the_end(
    variants: Variants, given: Input, one: tuple[int, bytes], there: tuple[int, ...], least: int
) -> Iterator[Pair]:
    emulation = variants.before.image.emulation
    end, gap = emulation.user_end, emulation.gap
    address, _ = one
    for inside in there:
        kept = moved(variants.before.image, given, address, end - inside, slice(0, inside))
        if kept is not None:
            # What is not checked to the byte would reach the kernel's own memory.
            beyond = () if gap else ((end, _OURS * _PAGE),)
            kept = replace(kept, kernel=(*kept.kernel, *beyond))
            what = f"the pointer stands {inside} bytes before the end of user space"
            bad = inside < least
            case = Case(what, fault=bad, outside=bad, to=end - inside)
            yield pair(variants, kept, kept, case)


def _elsewhere(variants: Variants, given: Input, one: tuple[int, int]) -> Iterator[Pair]:
    address, size = one
    bad = moved(variants.before.image, given, address, 0, slice(0, 0))
    if bad is not None:
        case = Case(f"the pointer is 0, not {address:#x}", fault=True, outside=True)
        yield pair(variants, bad, bad, case)
    kernel = variants.before.image.emulation.text + _INSIDE
    bad = moved(variants.before.image, given, address, kernel, slice(0, 0))
    if bad is not None:
        # It is there: an access that no range check kept from it would be made.
        bad = replace(bad, kernel=(*bad.kernel, (kernel, _OURS * (size + _PAGE))))
        case = Case(f"the pointer is the kernel's, not {address:#x}", fault=True, outside=True)
        yield pair(variants, bad, bad, case)
