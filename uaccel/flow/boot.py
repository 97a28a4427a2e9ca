# SPDX-License-Identifier: GPL-2.0-only
"""Boot real kernels, one per machine and style, let a client call, and count what is executed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import uaccel.arch
import uaccel.machines
from uaccel.catalog import catalog
from uaccel.errors import UserError
from uaccel.flow.alike import alike
from uaccel.flow.brought import Patch, brought
from uaccel.flow.clients import Client, Elsewhere, chosen
from uaccel.flow.counting import Plugin, places
from uaccel.flow.ground import Ground
from uaccel.flow.measured import measured
from uaccel.flow.setting import Image, Setting
from uaccel.flow.summed import comparisons, summed
from uaccel.flow.targets import Target, load
from uaccel.flow.written import Base, Linked, Way, base, linked
from uaccel.host.files import put
from uaccel.host.kernels import recipe
from uaccel.host.run import find_program
from uaccel.host.store import key
from uaccel.host.tcg import plugin
from uaccel.host.toolchain import find_toolchain
from uaccel.model.boot import Booted, BootRun, Machine
from uaccel.model.machine import Arch, RoleRow, Unbuilt
from uaccel.traceshares import listing

MACHINES = catalog(uaccel.machines, Machine)
_ARCHES = catalog(uaccel.arch, Arch)
STYLES = ("fieldwise", "window", "structcopy")
TARGETS = (
    "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat",
    "sound/core/pcm_native.c:snd_pcm_sync_ptr",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to boot."""

    machines: tuple[Machine, ...]
    styles: tuple[str, ...]
    client: str  # "ours", "aplay", or the words of a command
    userland: str  # "" for the first one that has the client
    targets: tuple[str, ...]
    seconds: float  # that one boot may take
    profiles: str  # folder
    command: str  # the line that reproduces it
    patches: tuple[Patch, ...] = ()  # further ways of writing the targets
    repetitions: bool = False  # in shares, each repetition of a string instruction counts
    every: bool = False  # no machine was named: one that runs no such program is left out


def boot(ground: Ground, request: Request) -> Booted:
    """Return what each style of the targets executes on each machine."""
    started = time.monotonic()
    targets = load(ground.tree, request.targets)
    ways = (
        *(Way(style) for style in request.styles),
        *brought(ground.tree, request.patches, targets),
    )
    runs: list[BootRun] = []
    unbuilt: list[tuple[str, Unbuilt]] = []
    left_out: list[str] = []
    for machine in request.machines:
        try:
            for style, run in _of_machine(ground, request, machine, targets, ways):
                if isinstance(run, Unbuilt):
                    unbuilt.append((style, run))
                else:
                    runs.append(run)
        except Elsewhere as error:  # of machines that nobody named, some run it
            left_out.append(f"{machine.name} is left out: {error}")
    if not runs:
        reasons = (*(_sentence(*one) for one in unbuilt), *left_out)
        raise UserError("; ".join(dict.fromkeys(reasons)))
    return Booted(
        tree=ground.tree,
        command=request.command,
        runs=summed(runs),
        unbuilt=tuple(unbuilt),
        notes=tuple(dict.fromkeys((*left_out, *(note for run in runs for note in run.notes)))),
        comparisons=comparisons(runs),
        alike=alike(runs),
        seconds=time.monotonic() - started,
    )


def _sentence(style: str, unbuilt: Unbuilt) -> str:
    return f"{unbuilt.arch}, {style}: {unbuilt.why}" if style else unbuilt.why


def room(machines: tuple[Machine, ...]) -> str:
    """Return what kernels of `machines` take that are built from nothing: one sentence."""
    megabytes = sum(one.megabytes for one in machines)
    minutes = -(-sum(one.seconds for one in machines) // 60)
    return (
        f"kernels that are not built yet take up to {megabytes} MB and {minutes} minutes on two "
        f"cores ({', '.join(one.name for one in machines)}); a further style takes seconds"
    )


def _of_machine(
    ground: Ground,
    request: Request,
    machine: Machine,
    targets: tuple[Target, ...],
    ways: tuple[Way, ...],
) -> Iterator[tuple[str, BootRun | Unbuilt]]:
    if find_program(machine.emulator) is None:
        why = f"{machine.emulator} is not in PATH: install {machine.emulator_package}"
        yield "", Unbuilt(machine.name, why)
        return
    # What fails on one machine, or in one way of writing, takes nothing from the others.
    try:
        client = chosen(machine, request.client, request.userland, ground.store, ground.progress)
        toolchain = find_toolchain(recipe(machine), ground.environment, ground.compiler)
        if isinstance(toolchain, Unbuilt):
            yield "", toolchain
            return
        built = base(ground, machine, toolchain, targets, ways)
    except UserError as error:
        if isinstance(error, Elsewhere) and request.every:
            raise
        yield "", Unbuilt(machine.name, str(error))
        return
    if isinstance(built, Unbuilt):
        yield "", built
        return
    for way in ways:
        try:
            yield way.name, _of_way(ground, request, built, way, client)
        except UserError as error:
            yield way.name, Unbuilt(machine.name, str(error))


def _of_way(
    ground: Ground, request: Request, built: Base, way: Way, client: Client
) -> BootRun | Unbuilt:
    made = linked(ground, built, way)
    if isinstance(made, Unbuilt):
        return made
    # What a whole program executes is counted in the kernel that a user would run.
    plain = linked(ground, built, way, symbols=False) if client.arguments else None
    if isinstance(plain, Unbuilt):
        return plain
    ground.progress(f"{built.machine.name}: booting {way.name} with {client.name}", 0, 0)
    setting = Setting(
        machine=built.machine,
        kept=_image(made, client),
        plain=_image(plain, client) if plain else None,
        client=client,
        roles=_roles(built.machine),
        functions=tuple(target.function.name for target in built.targets),
        plugin=Plugin(plugin(ground.store), _repeats(built.machine)),
        repetitions=request.repetitions,
        seconds=request.seconds,
        notes=made.notes,
    )
    run = measured(setting, made.kernel, ground.progress)
    return _kept(request, client, run)


def _image(made: Linked, client: Client) -> Image:
    kernel = made.code
    return Image(kernel, made.kernel.image, places(kernel, client.linked, "client", client.name))


def _kept(request: Request, client: Client, run: BootRun) -> BootRun:
    if not run.symbols:
        return run
    title = f"{run.style} on {run.machine}, {run.client}: executed instructions"
    text = listing(run.symbols, run.client, title)
    name = f"{run.style or 'tree'}.txt"
    # What is asked of another function, or with other words, is not written over it.
    words = (*request.targets, str(request.repetitions), *client.arguments, run.toolchain)
    asked = key(*words)[:8]
    folder = f"{request.profiles}/{run.machine}-{run.userland}-{run.client}-{asked}"
    return replace(run, profile=put(folder, name, text))


def _roles(machine: Machine) -> tuple[RoleRow, ...]:
    return machine.rows or _ARCHES[machine.arch].rows


def _repeats(machine: Machine) -> bool:
    emulation = _ARCHES[machine.arch].emulation if machine.arch else None
    return emulation is not None and bool(emulation.repeats)
