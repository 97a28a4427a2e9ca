# SPDX-License-Identifier: GPL-2.0-only
"""What is built once for all tests of one run, and kept in the cache for the next."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.boot.whole import whole_copy
from tests.replay import MACHINES
from uaccel.flow.boot import Request, boot
from uaccel.flow.brought import Patch
from uaccel.flow.ground import Ground
from uaccel.flow.targets import load
from uaccel.flow.written import Base, Linked, Way, base, linked
from uaccel.host.kernels import recipe
from uaccel.host.run import obey_signals
from uaccel.host.store import Store, cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import open_tree
from uaccel.model.boot import BootRun, Kernel
from uaccel.model.machine import Unbuilt

TARGETS = (
    "sound/core/pcm_native.c:snd_pcm_sync_ptr",
    "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat",
)
Kernels = Callable[[str, str], Kernel]  # of a machine, in a style
Runs = Callable[[str, str, str], BootRun]  # of a machine, in a style, of a client
WHOLE = "whole"  # the copy that was measured before this program was: a patch
SECONDS = 300.0  # for one boot


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder: it builds and boots."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.boot)


@pytest.fixture(scope="session", autouse=True)
def obedient() -> Iterator[None]:
    """End make and the emulator with us, whatever signal ends us: pytest knows but Ctrl-C."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = [signal.getsignal(number) for number in numbers]
    obey_signals()
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def ground(tree_6_12: Path) -> Ground:
    """Return the tree and the user's own cache: a kernel takes minutes."""
    return Ground(
        tree=open_tree(tree_6_12),
        store=Store(cache_folder(os.environ)),
        environment=os.environ,
        arches=(),
        compiler="gcc",
        jobs=os.cpu_count() or 1,
        progress=lambda *_: None,
    )


@pytest.fixture(scope="session")
def kernels(ground: Ground) -> Kernels:
    """Return what gives the kernel of a machine in a style; "" is the tree as it stands."""
    built = cache(lambda machine: _built(ground, machine))

    def given(machine: str, style: str) -> Kernel:
        made = linked(ground, built(machine), Way(style))
        assert isinstance(made, Linked), made
        return made.kernel

    return given


def _built(ground: Ground, name: str) -> Base:
    machine = MACHINES[name]
    toolchain = find_toolchain(recipe(machine), ground.environment, ground.compiler)
    assert not isinstance(toolchain, Unbuilt), toolchain
    made = base(ground, machine, toolchain, load(ground.tree, TARGETS))
    assert not isinstance(made, Unbuilt), made
    return made


@pytest.fixture(scope="session")
def runs(ground: Ground, tree_6_12: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return what boots a machine in a style with a client and counts, each only once."""
    profiles = tmp_path_factory.mktemp("profiles")
    patch = Patch(WHOLE, "whole.patch", whole_copy(tree_6_12))

    @cache
    def counted(machine: str, style: str, client: str) -> BootRun:
        request = asked(machine, style, client, str(profiles))
        if style == WHOLE:
            request = replace(request, styles=(), patches=(patch,))
        (run,) = boot(ground, request).runs
        return run

    return counted


def asked(machine: str, style: str, client: str, profiles: str) -> Request:
    """Return what asks for one run of the functions of the mail."""
    return Request(
        machines=(MACHINES[machine],),
        styles=(style,),
        client=client,
        userland="",
        targets=TARGETS,
        seconds=SECONDS,
        profiles=profiles,
        command="",
        repetitions=True,
    )
