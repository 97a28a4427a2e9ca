# SPDX-License-Identifier: GPL-2.0-only
"""What one booted kernel executed: per call by two ways, or per symbol over a program's life."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from uaccel.host.files import put_bytes, scratch
from uaccel.host.qemu import Hung, Load
from uaccel.model.boot import BootRun, Call, Kernel, Machine
from uaccel.model.executed import Linked, Places, Stretch
from uaccel.model.machine import RoleRow
from uaccel.read.clientlog import Called, read_calls
from uaccel.read.executed import toggles
from uaccel.traceshares import is_kernel, shares, span_counts

PLAIN = "plain"  # the kind of call whose figures stand for all
Answer = TypeVar("Answer")
Seen = tuple[Called, Stretch]  # a call as the client tells of it, and what it executed
_STEPPED = 3  # calls of each kind that are stepped through: nothing disturbs them
_PLUGGED = 20  # that the plugin counts: some hold a tick of the timer


@dataclass(frozen=True, slots=True)
class Setting:
    """One kernel with all that is needed to count in it."""

    machine: Machine
    kernel: Linked
    image: str  # path
    client: Client
    places: Places
    roles: tuple[RoleRow, ...]
    functions: tuple[str, ...]  # that it is about
    plugin: Plugin
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
            return _whole_run(setting, blank)
        return _calls(setting, blank, progress)
    except Hung as error:
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

    got = _in(setting, _PLUGGED, lambda load: plugged(load, setting.plugin, around(own)))
    by_plugin = _by_kind(got)
    by_steps = _by_kind(_in(setting, _STEPPED, lambda load: stepped(load, own, told)))
    calls = tuple(_call(setting, kind, seen) for kind, seen in by_steps.items())
    plain = next((call for call in calls if call.what == PLAIN), None)
    differ = dict(differing(by_steps, by_plugin))
    why = differ.pop(PLAIN, "")
    usual_one = _usual(by_steps.get(PLAIN, ()))
    return replace(
        blank,
        way=f"{STEPPED} and {PLUGGED}",
        calls=calls,
        symbols=shares(usual_one.rows, setting.places) if usual_one else (),
        instructions=usual_one.instructions if usual_one else 0,
        instructions_per_call=plain.instructions if plain and not why else None,
        toggles_per_call=plain.toggles if plain and not why else None,
        reached=_reached(setting, usual_one) if usual_one else (),
        why=why,
        notes=(*blank.notes, *_beside(setting, differ.values())),
    )


def _whole_run(setting: Setting, blank: BootRun) -> BootRun:
    name, functions = setting.client.name, " or ".join(setting.functions)
    where = from_first(setting.kernel, setting.functions, setting.client.linked)
    if not where.begins:
        raise UserError(f"the kernel has no function of its own {functions}: it was inlined")
    got = _in(setting, 0, lambda load: plugged(load, setting.plugin, where, steady=True))
    read_calls(got.console)  # only to ask whether the client ended well
    if not got.stretches:
        raise UserError(f"{name} never calls {functions}")
    run = got.stretches[0]
    found, why = _followed(setting)
    one = usual_of(found.calls)
    return replace(
        blank,
        way=f"{PLUGGED} and icount, from the first call on; {STEPPED} for a call",
        symbols=shares(run.rows, setting.places),
        instructions=run.instructions,
        instructions_per_call=one.instructions if one else None,
        toggles_per_call=toggles(setting.kernel, one.rows, setting.roles) if one else None,
        reached=_reached(setting, run),
        chain=found.chain,
        why="" if one else why or f"no call of {name} could be followed from its begin to its end",
    )


def _followed(setting: Setting) -> tuple[Reached, str]:
    # Shares stand without it.
    asked = setting.kernel, setting.functions, setting.places
    try:
        return _in(setting, 0, lambda load: reached(load, *asked)), ""
    except Hung as error:
        return Reached((), ()), error.why
    except UserError as error:
        return Reached((), ()), str(error)


def _in(setting: Setting, calls: int, count: Callable[[Load], Answer]) -> Answer:
    with scratch() as folder:
        initrd = f"{folder}/initrd.gz"
        put_bytes(folder, "initrd.gz", setting.client.initrd(calls))
        return count(
            Load(setting.machine, setting.image, initrd, setting.kernel.big, setting.seconds)
        )


def _by_kind(got: Counted) -> dict[str, tuple[Seen, ...]]:
    called = read_calls(got.console)
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
    inside = tuple(row for row in rows if is_kernel(row, setting.places))
    result = usual(tuple(called.result for called, _ in seen))
    return Call(
        what=kind,
        result=0 if result is None else result,
        instructions=one.instructions if one else 0,
        toggles=toggles(setting.kernel, inside, setting.roles),
        user_bytes=seen[-1][0].bytes,
        user_instructions=sum(row.count for row in rows) - sum(row.count for row in inside),
    )


def _beside(setting: Setting, clauses: Iterable[str]) -> Iterator[str]:
    # Of calls that fault, what a machine's own memory management does may come on top.
    if clauses := tuple(clauses):
        yield f"{setting.machine.name}: {'; '.join(clauses)}"


def _reached(setting: Setting, run: Stretch) -> tuple[tuple[str, int], ...]:
    return tuple((name, span_counts(run.rows, name, setting.places)) for name in setting.functions)
