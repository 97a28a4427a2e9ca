# SPDX-License-Identifier: GPL-2.0-only
"""What one booted kernel executed: per call by two ways, or per symbol over a program's life."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from uaccel.errors import UserError
from uaccel.flow.clients import Client
from uaccel.flow.counting import (
    PLUGGED,
    STEPPED,
    Counted,
    Plugin,
    around,
    from_first,
    plugged,
    stepped,
    usual,
    usual_of,
)
from uaccel.flow.ground import Progress
from uaccel.flow.reaching import Reached, reached
from uaccel.flow.symbols import entries_of, holder, symbols_of
from uaccel.host.files import put_bytes, scratch
from uaccel.host.qemu import Ended, Load
from uaccel.model.boot import BootRun, Call, Kernel, Machine
from uaccel.model.executed import Linked, Places, Stretch
from uaccel.model.machine import RoleRow
from uaccel.read.clientlog import Called, read_calls
from uaccel.read.executed import toggles
from uaccel.traceshares import is_kernel, shares

PLAIN = "plain"  # the kind of call whose figures stand for all
Answer = TypeVar("Answer")
Seen = tuple[Called, Stretch]  # a call as the client tells of it, and what it executed
_STEPPED = 3  # calls of each kind that are stepped through: nothing disturbs them
_PLUGGED = 20  # that the plugin counts: some hold a tick of the timer


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel as it is loaded."""

    kernel: Linked
    path: str
    places: Places


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of writing with all that is needed to count in it."""

    machine: Machine
    kept: Image  # in which each function is a symbol of its own
    plain: Image | None  # as the compiler likes it, with functions inlined; None: not asked for
    client: Client
    roles: tuple[RoleRow, ...]
    functions: tuple[str, ...]  # that it is about
    plugin: Plugin
    repetitions: bool  # in shares, each repetition of an instruction counts
    seconds: float  # that one boot may take
    notes: tuple[str, ...]


def measured(setting: Setting, kernel: Kernel, progress: Progress) -> BootRun:
    """Return what was counted; what could not be is None, with why."""
    blank = BootRun(
        style=kernel.style,
        machine=kernel.machine,
        client=setting.client.name,
        way="",
        calls=(),
        symbols=(),
        instructions_per_call=None,
        toggles_per_call=None,
        why="",
        userland=setting.client.userland.name,
        toolchain=kernel.toolchain,
        notes=setting.notes,
    )
    try:
        if setting.client.arguments:
            return _whole_run(setting, blank, progress)
        return _calls(setting, blank, progress)
    except Ended as error:
        return replace(blank, why=error.why, console=error.console)
    except UserError as error:
        return replace(blank, why=str(error))


def differing(
    steps: Mapping[str, Sequence[Seen]], plugin: Mapping[str, Sequence[Seen]]
) -> Iterator[tuple[str, str]]:
    """Yield kinds of calls of which the two ways, or the calls, do not agree, and how: a clause."""
    for kind, seen in steps.items():
        one = _usual(seen)
        # Ticks of the timer come on top there, of as many calls as the machine is slow.
        fewest = min((stretch.instructions for _, stretch in plugin.get(kind, ())), default=0)
        counts = one.instructions if one else 0, fewest
        results = tuple({c.result for c, _ in many} for many in (seen, plugin.get(kind, ())))
        if counts[0] != counts[1]:
            yield (
                kind,
                f"stepping counts {counts[0]} instructions of {kind}, the plugin {counts[1]}",
            )
        if len(results[0] | results[1]) != 1:
            yield kind, f"the {kind} calls do not all return the same"


def _calls(setting: Setting, blank: BootRun, progress: Progress) -> BootRun:
    own = setting.client.linked

    def told(what: str) -> None:
        progress(f"{setting.machine.name}: {what}", 0, 0)

    count = partial(plugged, plugin=setting.plugin, where=around(own))
    by_plugin = _by_kind(_in(setting, setting.kept, _PLUGGED, count))
    step = partial(stepped, client=own, told=told)
    by_steps = _by_kind(_in(setting, setting.kept, _STEPPED, step))
    calls = tuple(_call(setting, kind, seen) for kind, seen in by_steps.items())
    plain = next((call for call in calls if call.what == PLAIN), None)
    differ = dict(differing(by_steps, by_plugin))
    why = differ.pop(PLAIN, "")
    usual_one = _usual(by_steps.get(PLAIN, ()))
    called = _reached(setting, usual_one) if usual_one else ()
    if not any(times for _, times in called):
        names = " or ".join(setting.functions)
        raise UserError(f"the plain call of our client does not reach {names}: name a --client")
    return replace(
        blank,
        way=f"{STEPPED} and {PLUGGED}",
        calls=calls,
        symbols=shares(usual_one.rows, setting.kept.places) if usual_one else (),
        instructions=usual_one.instructions if usual_one else 0,
        instructions_per_call=plain.instructions if plain and not why else None,
        toggles_per_call=plain.toggles if plain and not why else None,
        reached=called,
        holders=tuple(name for name, times in called if times),
        why=why,
        notes=(*blank.notes, *_beside(setting, differ.values())),
    )


def _whole_run(setting: Setting, blank: BootRun, progress: Progress) -> BootRun:
    _expect_any(setting)
    progress(f"{setting.machine.name}: counting the calls of {blank.client}", 0, 0)
    calls = _from_first(setting, setting.kept, setting.functions)
    progress(f"{setting.machine.name}: following calls of {blank.client}", 0, 0)
    called = tuple(name for name, times in _reached(setting, calls) if times)
    found, why, console = _followed(replace(setting, functions=called))
    progress(f"{setting.machine.name}: counting all that {blank.client} executes", 0, 0)
    image, holders, notes = _played(setting, found.chains, calls)
    run = calls if image is setting.kept else _from_first(setting, image, holders)
    one = usual_of(found.calls)
    kernel = setting.kept.kernel
    if len(found.chains) > 1:
        each = ", ".join(chain[-1] for chain in found.chains)
        notes = (
            *notes,
            f"{setting.machine.name}: a call that reaches any of {each} is a call here",
        )
    return replace(
        blank,
        way=f"{PLUGGED} and icount, from the first call on; {STEPPED} for a call",
        symbols=shares(run.rows, image.places),
        instructions=run.instructions,
        instructions_per_call=one.instructions if one else None,
        toggles_per_call=toggles(kernel, one.rows, setting.roles) if one else None,
        reached=_reached(setting, calls),
        chains=found.chains,
        holders=holders,
        why="" if one else why or f"no call of {blank.client} could be followed to its end",
        console=console,
        notes=(*blank.notes, *notes),
    )


def _expect_any(setting: Setting) -> None:
    if not entries_of(setting.kept.kernel, setting.functions):
        names = " or ".join(setting.functions)
        raise UserError(f"the kernel has no symbol {names}: its configuration leaves it out")


def _from_first(setting: Setting, image: Image, functions: tuple[str, ...]) -> Stretch:
    where = from_first(entries_of(image.kernel, functions), setting.client.linked)
    counts_once = setting.plugin.repeats and not setting.repetitions
    plugin = replace(setting.plugin, repeats=counts_once)
    load = partial(plugged, plugin=plugin, where=where, steady=True)
    got = _in(setting, image, 0, load)
    _told(got)  # only to ask whether the client ended well
    if not got.stretches:
        raise UserError(f"{setting.client.name} never calls {' or '.join(functions)}")
    return got.stretches[0]


def _played(
    setting: Setting, chains: tuple[tuple[str, ...], ...], calls: Stretch
) -> tuple[Image, tuple[str, ...], tuple[str, ...]]:
    # The kernel whose shares stand, the symbols that the functions are in, and notes.
    named = tuple(name for name, times in _reached(setting, calls) if times)
    if setting.plain is None:
        return setting.kept, named, ()
    # Without a chain too, a function that is a symbol there is its own holder.
    ways = chains or ((),)
    held = ((holder(setting.plain.kernel, name, way) for way in ways) for name in named)
    found = tuple(dict.fromkeys(next(filter(None, one), None) for one in held))
    if None in found:
        # Whom else it was inlined into is not known.
        note = "shares are those of a kernel in which each function is a symbol of its own"
        return setting.kept, named, (f"{setting.machine.name}: {note}",)
    return setting.plain, tuple(one for one in found if one is not None), ()


def _followed(setting: Setting) -> tuple[Reached, str, str]:
    # Shares stand without it.
    kept = setting.kept
    names = tuple(one for name in setting.functions for one in symbols_of(kept.kernel, name))
    follow = partial(reached, kernel=kept.kernel, functions=names, places=kept.places)
    try:
        return _in(setting, kept, 0, follow), "", ""
    except Ended as error:
        return Reached((), ()), error.why, error.console
    except UserError as error:
        return Reached((), ()), str(error), ""


def _in(setting: Setting, image: Image, calls: int, count: Callable[[Load], Answer]) -> Answer:
    with scratch() as folder:
        initrd = f"{folder}/initrd.gz"
        put_bytes(folder, "initrd.gz", setting.client.initrd(calls))
        return count(Load(setting.machine, image.path, initrd, image.kernel.big, setting.seconds))


def _told(got: Counted) -> tuple[Called, ...]:
    try:
        return read_calls(got.console)
    except UserError as error:
        raise Ended(str(error), got.console) from None


def _by_kind(got: Counted) -> dict[str, tuple[Seen, ...]]:
    called = _told(got)
    if len(called) != len(got.stretches):
        raise UserError(f"the client tells of {len(called)} calls; {len(got.stretches)} were seen")
    both = tuple(zip(called, got.stretches, strict=True))
    return {
        kind: tuple(one for one in both if one[0].kind == kind)
        for kind in dict.fromkeys(one.kind for one in called)
    }


def _usual(seen: Sequence[Seen]) -> Stretch | None:
    return usual_of(tuple(stretch for _, stretch in seen))


def _call(setting: Setting, kind: str, seen: tuple[Seen, ...]) -> Call:
    one = _usual(seen)
    rows = one.rows if one else ()
    inside = tuple(row for row in rows if is_kernel(row, setting.kept.places))
    result = usual(tuple(called.result for called, _ in seen))
    return Call(
        what=kind,
        result=0 if result is None else result,
        instructions=one.instructions if one else 0,
        toggles=toggles(setting.kept.kernel, inside, setting.roles),
        user_bytes=seen[-1][0].bytes,
        user_instructions=sum(row.count for row in rows) - sum(row.count for row in inside),
    )


def _beside(setting: Setting, clauses: Iterable[str]) -> Iterator[str]:
    # Of calls that fault, what a machine's own memory management does may come on top.
    if clauses := tuple(clauses):
        yield f"{setting.machine.name}: {'; '.join(clauses)}"


def _reached(setting: Setting, run: Stretch) -> tuple[tuple[str, int], ...]:
    kernel = setting.kept.kernel
    return tuple((name, _times(run, entries_of(kernel, (name,)))) for name in setting.functions)


def _times(run: Stretch, entries: tuple[int, ...]) -> int:
    return sum(row.count for row in run.rows if row.address in entries)
