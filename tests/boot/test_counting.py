# SPDX-License-Identifier: GPL-2.0-only
"""What calls execute in real kernels: figures that were measured before this program was."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot.conftest import Kernels, Runs, asked
from tests.replay import MACHINES
from tests.test_run import python
from uaccel.cli.__main__ import main
from uaccel.flow.boot import boot
from uaccel.flow.clients import OURS, PLAYS, chosen
from uaccel.flow.ground import Ground
from uaccel.flow.summed import comparisons, summed
from uaccel.host.qemu import Hung, Load, booting

# Linux 6.12, gcc 12, the function kept as a symbol: kernel instructions of a plain SYNC_PTR call,
# and openings and closings.  The figures measured before were 55 more, the program's own side.
MEASURED = [
    ("g3beige", "fieldwise", 645, 18),
    ("g3beige", "window", 510, 2),
    ("g3beige", "whole", 820, 2),
    ("ppce500", "fieldwise", 629, 26),
    ("ppce500", "window", 524, 6),
    ("ppce500", "whole", 872, 8),
]
# Shares of the function with its accessors and copy routines over a playback, in percent, each
# byte of `rep movsb` counted; of the third, which is no part of its caller, nobody wrote whether
# that caller was counted with it.
SHARES = {"fieldwise": (13.1, 0.4), "window": (8.2, 0.4), "whole": (17.0, 1.0)}


@pytest.mark.parametrize(("machine", "style", "instructions", "toggles"), MEASURED)
def test_a_plain_call_executes_what_was_measured(
    machine: str, style: str, instructions: int, toggles: int, runs: Runs
) -> None:
    run = runs(machine, style, OURS)
    assert run.why == ""  # both ways agree
    plain = next(call for call in run.calls if call.what == "plain")
    assert run.instructions_per_call == pytest.approx(instructions, rel=0.02)
    assert plain.instructions == (run.instructions_per_call or 0) + plain.user_instructions
    assert run.toggles_per_call == toggles
    assert dict(run.reached)["snd_pcm_ioctl_sync_ptr_compat"] == 1


@pytest.mark.parametrize("machine", MACHINES)
def test_two_ways_of_counting_agree_on_every_machine(machine: str, runs: Runs) -> None:
    run = runs(machine, "window", OURS)
    assert run.why == ""
    assert (run.instructions_per_call or 0) > 300


@pytest.mark.parametrize(
    ("machine", "side", "function"),
    [
        ("arm64", "armhf", "snd_pcm_ioctl_sync_ptr_compat"),
        ("arm64", "arm64", "snd_pcm_sync_ptr"),
        ("arm64-ttbr0", "armhf", "snd_pcm_ioctl_sync_ptr_compat"),
    ],
)
def test_a_program_of_another_machine_reaches_its_own_function(
    machine: str, side: str, function: str, ground: Ground, tmp_path: Path
) -> None:
    request = asked(machine, "window", PLAYS, str(tmp_path))
    (run,) = boot(ground, replace(request, userland=side)).runs
    assert run.why == ""
    assert run.chains[0][-1] == function
    assert [name for name, times in run.reached if times > 1000] == [function]


@pytest.mark.parametrize("machine", ["g3beige", "ppce500"])
def test_copies_of_structs_cost_more_than_a_window(machine: str, runs: Runs) -> None:
    """The mail's point; and they open oftener."""
    copied, window = runs(machine, "structcopy", OURS), runs(machine, "window", OURS)
    assert copied.instructions_per_call is not None and window.instructions_per_call is not None
    assert copied.instructions_per_call > window.instructions_per_call
    assert (copied.toggles_per_call or 0) > (window.toggles_per_call or 0)


@pytest.mark.parametrize("style", SHARES)
def test_a_playback_has_the_shares_that_were_measured(
    style: str, runs: Runs, tmp_path: Path
) -> None:
    """As `compare` reads them back, which finds itself what belongs to the function."""
    found = summed(runs("x86_64", name, PLAYS) for name in SHARES)
    document = tmp_path / "compare.json"
    (line,) = comparisons(found)
    assert main([*shlex.split(line)[1:], "--json", str(document)]) == 0
    told = json.loads(document.read_text())
    variant = next(one for one in told["variants"] if one["name"] == style)
    assert variant["groups"][0]["name"] == "snd_pcm_common_ioctl"  # the function is a part of it
    percent, points = SHARES[style]
    assert variant["groups"][0]["percent"] == pytest.approx(percent, abs=points)
    share = next(run.share for run in found if run.style == style)
    assert share == pytest.approx(variant["groups"][0]["percent"], abs=0.01)


def test_a_call_of_the_sound_library_is_followed_into_the_function(runs: Runs) -> None:
    """Figures measured before: 600 and 483, 13 and 3 pairs; kept as a symbol it is some more."""
    fieldwise, window = (runs("x86_64", style, PLAYS) for style in ("fieldwise", "window"))
    assert fieldwise.chains[0][-1] == "snd_pcm_ioctl_sync_ptr_compat"
    # Whose last instruction is a jump: the stack does not know of it.
    assert fieldwise.chains[0][-2] == "snd_pcm_common_ioctl"
    assert fieldwise.instructions_per_call == pytest.approx(600, rel=0.05)
    assert window.instructions_per_call == pytest.approx(483, rel=0.05)
    assert (fieldwise.toggles_per_call, window.toggles_per_call) == (26, 6)
    called = [dict(run.reached)["snd_pcm_ioctl_sync_ptr_compat"] for run in (fieldwise, window)]
    assert called[0] == called[1] > 6000  # the clock goes by instructions: every run is alike


def test_a_boot_that_takes_too_long_is_ended_with_the_last_lines(
    ground: Ground, kernels: Kernels, tmp_path: Path
) -> None:
    load = loaded(ground, kernels, tmp_path, 20.0)
    over = pytest.raises(Hung, match="did not end the boot within 20 seconds")
    with over as caught, booting(load) as guest:
        guest.finish()
    last = caught.value.console.splitlines()
    assert len(last) == 12
    assert any("uaccel-client: call=" in line for line in last)
    assert emulators(tmp_path) == []


def test_ctrl_c_leaves_no_emulator_and_no_file(
    ground: Ground, kernels: Kernels, tmp_path: Path
) -> None:
    load = loaded(ground, kernels, tmp_path, 60.0)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    said = python(
        f"""
import os, signal, threading
os.environ["TMPDIR"] = {str(temporary)!r}
from tests.replay import MACHINES
from uaccel.flow.counting import Plugin, plugged
from uaccel.host.qemu import Load
from uaccel.host.run import obey_signals
from uaccel.host.tcg import Marks, plugin
from uaccel.host.store import Store
from pathlib import Path
obey_signals()
load = Load(MACHINES["g3beige"], {load.image!r}, {load.initrd!r}, True, 60.0)
path = plugin(Store(Path({str(tmp_path / "store")!r})))
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    plugged(load, Plugin(path, False), Marks((0,), 0, b""))
except KeyboardInterrupt:
    print("interrupted")
""",
        tmp_path,
    )
    assert said == "interrupted\n"
    assert emulators(tmp_path) == []
    assert list(temporary.iterdir()) == []


def loaded(ground: Ground, kernels: Kernels, folder: Path, seconds: float) -> Load:
    """Return what boots our client on a small machine, many calls long."""
    machine = MACHINES["g3beige"]
    client = chosen(machine, OURS, "", ground.store, ground.progress)
    initrd = folder / "initrd.gz"
    initrd.write_bytes(client.initrd(5000))
    return Load(machine, kernels("g3beige", "").image, str(initrd), True, seconds)


def emulators(folder: Path) -> list[str]:
    """Return the command lines of programs that still use a file of `folder`."""
    time.sleep(0.1)
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words and "qemu" in words:
            found.append(words)
    return found
