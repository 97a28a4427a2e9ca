# SPDX-License-Identifier: GPL-2.0-only
"""Every machine of the catalogue boots, runs our client and the distribution's own program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.boot.conftest import Kernels
from tests.replay import MACHINES
from uaccel.flow.clients import OURS, PLAYS, chosen
from uaccel.flow.ground import Ground
from uaccel.host.qemu import Load, booting
from uaccel.read.clientlog import Called, read_calls

EFAULT = -14
SECONDS = 120.0  # a boot takes one to seven
GOOD = ("plain", "HWSYNC", "appl_ptr", "avail_min", "both")
BAD = ("unmapped", "across-the-edge", "end-of-user-space", "kernel", "read-only")
# Every byte of the user's struct that nobody writes keeps what the client filled in.
FILLED = "a5"
SIDES = [(name, side.name) for name, one in MACHINES.items() for side in one.userlands]
PLAYERS = [
    (name, side.name) for name, one in MACHINES.items() for side in one.userlands if side.packages
]
Console = Callable[[str, str, str, str], str]


@pytest.fixture(scope="module")
def console(ground: Ground, kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> Console:
    """Return what boots a machine in a style with a client of a userland, and gives its console."""

    def booted(name: str, style: str, wanted: str, side: str) -> str:
        machine = MACHINES[name]
        client = chosen(machine, wanted, side, ground.store, ground.progress)
        initrd = tmp_path_factory.mktemp("boot") / "initrd.gz"
        initrd.write_bytes(client.initrd(2))
        load = Load(machine, kernels(name, style).image, str(initrd), False, SECONDS)
        with booting(load) as guest:
            return guest.finish()

    return booted


def by_kind(calls: tuple[Called, ...]) -> dict[str, list[Called]]:
    """Return the calls of each kind, in order."""
    return {kind: [one for one in calls if one.kind == kind] for kind in {c.kind for c in calls}}


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_our_client_gets_what_the_kernel_promises(name: str, side: str, console: Console) -> None:
    """Good pointers work, each bad one is an EFAULT, and the kernel is as it stands in the tree."""
    calls = by_kind(read_calls(console(name, "", OURS, side)))
    assert set(calls) == {*GOOD, *BAD, "short"}
    assert all(len(many) == 2 for many in calls.values())
    assert all(one.result == 0 for kind in GOOD for one in calls[kind])
    assert all(one.result == EFAULT for kind in BAD for one in calls[kind])
    # What was asked for came in: the state is "prepared", avail_min one period.
    assert all(one.bytes != calls["read-only"][0].bytes for one in calls["plain"])
    assert FILLED * 40 in calls["read-only"][0].bytes


@pytest.mark.parametrize("name", MACHINES)
def test_a_window_leaves_what_one_by_one_leaves(name: str, console: Console) -> None:
    """Results and every byte of the user's struct, for good pointers and for bad ones."""
    side = MACHINES[name].userlands[0].name
    fieldwise = read_calls(console(name, "fieldwise", OURS, side))
    assert read_calls(console(name, "window", OURS, side)) == fieldwise


@pytest.mark.parametrize("name", ["g3beige", "arm64-ttbr0"])
def test_a_struct_copy_clears_what_nobody_wrote(name: str, console: Console) -> None:
    """The same results; bytes differ only where the others left what the user had there."""
    side = MACHINES[name].userlands[0].name
    fieldwise = by_kind(read_calls(console(name, "fieldwise", OURS, side)))
    copied = by_kind(read_calls(console(name, "structcopy", OURS, side)))
    for kind in GOOD:
        (one, _), (other, _) = fieldwise[kind], copied[kind]
        assert other.result == one.result and other.bytes != one.bytes
        pairs = zip(octets(one.bytes), octets(other.bytes), strict=True)
        assert {pair for pair in pairs if pair[0] != pair[1]} == {(FILLED, "00")}
    assert [[one.result for one in copied[kind]] for kind in BAD] == [[EFAULT] * 2] * len(BAD)


def octets(text: str) -> list[str]:
    """Return the bytes of a hexadecimal text."""
    return [text[at : at + 2] for at in range(0, len(text), 2)]


@pytest.mark.parametrize(("name", "side"), PLAYERS)
def test_alsa_lib_plays(name: str, side: str, console: Console) -> None:
    """The distribution's aplay opens the card, plays five seconds and ends with success."""
    said = console(name, "", PLAYS, side).splitlines()
    assert "uaccel-client: exited status=0" in said
    assert "uaccel-client: ends status=0" in said
