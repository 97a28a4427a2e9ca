# SPDX-License-Identifier: GPL-2.0-only
"""What one booted kernel executed: per call by two ways, or per symbol over a program's life."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from uaccel.errors import UserError
from uaccel.flow.counting import (
    PLUGGED,
    STEPPED,
    Counted,
    around,
    plugged,
    stepped,
    usual,
    usual_of,
)
from uaccel.flow.ground import Progress
from uaccel.flow.played import whole_run
from uaccel.flow.setting import Setting, called, loaded, told
from uaccel.host.qemu import Ended
from uaccel.model.boot import BootRun, Call, Kernel
from uaccel.model.executed import Stretch
from uaccel.read.clientlog import Called
from uaccel.read.executed import toggles
from uaccel.traceshares import is_kernel, shares

PLAIN = "plain"  # the kind of call whose figures stand for all
Seen = tuple[Called, Stretch]  # a call as the client tells of it, and what it executed
_STEPPED = 3  # calls of each kind that are stepped through: nothing disturbs them
_PLUGGED = 20  # that the plugin counts: some hold a tick of the timer


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
            return whole_run(setting, blank, progress)
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
        results = {call.result for many in (seen, plugin.get(kind, ())) for call, _ in many}
        clauses = []
        if counts[0] != counts[1]:
            clauses.append(
                f"stepping counts {counts[0]} instructions of {kind}, the plugin {fewest}"
            )
        if len(results) != 1:
            clauses.append(f"the {kind} calls do not all return the same")
        if clauses:
            yield kind, ", and ".join(clauses)


def _calls(setting: Setting, blank: BootRun, progress: Progress) -> BootRun:
    own = setting.client.linked

    def tell(what: str) -> None:
        progress(f"{setting.machine.name}: {what}", 0, 0)

    step = partial(stepped, client=own, told=tell)
    by_steps = _by_kind(loaded(setting, setting.kept, _STEPPED, step))
    differ = dict(differing(by_steps, _by_plugin(setting, steady=False)))
    if PLAIN in differ:  # on a busy host each call may hold a tick of the timer
        differ = dict(differing(by_steps, _by_plugin(setting, steady=True)))
    counted = [_call(setting, kind, seen) for kind, seen in by_steps.items()]
    calls = tuple(replace(one, instructions=None) if one.what in differ else one for one in counted)
    plain = next((call for call in calls if call.what == PLAIN), None)
    why = differ.pop(PLAIN, "")
    usual_one = _usual(by_steps.get(PLAIN, ()))
    times = called(setting, usual_one) if usual_one else ()
    if not any(count for _, count in times):
        names = " or ".join(setting.functions)
        raise UserError(f"the plain call of our client does not reach {names}: name a --client")
    return replace(
        blank,
        way=f"{STEPPED} and {PLUGGED}",
        calls=calls,
        symbols=shares(usual_one.rows, setting.kept.places) if usual_one and not why else (),
        instructions=usual_one.instructions if usual_one and not why else 0,
        instructions_per_call=_of_kernel(plain),
        toggles_per_call=plain.toggles if plain and not why else None,
        reached=times,
        holders=tuple(name for name, count in times if count),
        why=why,
        notes=(*blank.notes, *_beside(setting, differ.values())),
    )


def _by_plugin(setting: Setting, *, steady: bool) -> dict[str, tuple[Seen, ...]]:
    where = around(setting.client.linked)
    count = partial(plugged, plugin=setting.plugin, where=where, steady=steady)
    return _by_kind(loaded(setting, setting.kept, _PLUGGED, count))


def _of_kernel(call: Call | None) -> int | None:
    if call is None or call.instructions is None:
        return None
    return call.instructions - call.user_instructions


def _by_kind(got: Counted) -> dict[str, tuple[Seen, ...]]:
    calls = told(got)
    if len(calls) != len(got.stretches):
        raise UserError(f"the client tells of {len(calls)} calls; {len(got.stretches)} were seen")
    both = tuple(zip(calls, got.stretches, strict=True))
    return {
        kind: tuple(one for one in both if one[0].kind == kind)
        for kind in dict.fromkeys(one.kind for one in calls)
    }


def _usual(seen: Sequence[Seen]) -> Stretch | None:
    return usual_of(tuple(stretch for _, stretch in seen))


def _call(setting: Setting, kind: str, seen: tuple[Seen, ...]) -> Call:
    one = _usual(seen)
    rows = one.rows if one else ()
    inside = tuple(row for row in rows if is_kernel(row, setting.kept.places))
    result = usual(tuple(one.result for one, _ in seen))
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
