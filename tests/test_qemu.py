# SPDX-License-Identifier: GPL-2.0-only
"""A boot ends with what started it; what hangs is ended in time, with its last words."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

import pytest

from tests.replay import MACHINES
from tests.test_run import LINGER, python, survivors
from uaccel.errors import UserError
from uaccel.host.qemu import Hung, Load, booting, command_line, debugging
from uaccel.host.run import beside
from uaccel.model.boot import Machine

MACHINE = next(iter(MACHINES.values()))


def load(folder: Path, script: str, seconds: float = 5.0) -> Load:
    """Return what boots a machine whose emulator is `script`."""
    emulator = folder / "emulator"
    emulator.write_text(f"#!/bin/sh\ncd {shlex.quote(str(folder))}\n{script}\n")
    emulator.chmod(0o755)
    fields = {name: getattr(MACHINE, name) for name in Machine.__dataclass_fields__}
    machine = Machine(**{**fields, "emulator": str(emulator)})
    return Load(machine, "vmlinux", "initrd.gz", big=False, seconds=seconds)


def test_the_console_is_whole_and_without_carriage_returns(tmp_path: Path) -> None:
    with booting(load(tmp_path, r"printf 'one\r\ntwo\r\n'; echo late >&2")) as guest:
        assert sorted(guest.finish().split()) == ["late", "one", "two"]


def test_the_command_line_names_kernel_initrd_and_console(tmp_path: Path) -> None:
    words = command_line(load(tmp_path, "true"), ("-S",))
    assert words[1 : 1 + len(MACHINE.options)] == MACHINE.options
    assert words[words.index("-kernel") + 1] == "vmlinux"
    assert words[words.index("-append") + 1].startswith(f"console={MACHINE.console} ")
    assert "-no-reboot" in words and words[-1] == "-S"


def test_a_hang_is_ended_with_the_last_lines(tmp_path: Path) -> None:
    script = f"seq 1 40; {LINGER}"
    with (
        pytest.raises(Hung, match=r"did not end the boot within 0\.4 seconds") as caught,
        booting(load(tmp_path, script, 0.4)) as guest,
    ):
        guest.finish()
    assert caught.value.console == "\n".join(map(str, range(29, 41)))
    assert survivors(tmp_path) == []


def test_a_hang_under_the_debugger_says_what_the_console_said(tmp_path: Path) -> None:
    with (
        pytest.raises(Hung, match="Oops"),
        debugging(load(tmp_path, f"echo Oops; {LINGER}", 0.4)),
    ):
        pass
    assert survivors(tmp_path) == []


def test_an_emulator_that_fails_is_named_with_its_words(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"emulator ended with status 1; .*: no such machine"),
        booting(load(tmp_path, "echo no such machine >&2; exit 1")) as guest,
    ):
        guest.finish()


def test_a_much_talking_machine_is_not_held_up(tmp_path: Path) -> None:
    """A pipe holds 64 kB: who does not read it stops the machine."""
    with booting(load(tmp_path, "seq 1 100000; echo end")) as guest:
        assert guest.finish().endswith("100000\nend\n")


def test_ctrl_c_ends_the_machine_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    said = python(
        f"""
import os, signal, threading
from pathlib import Path
from tests.test_qemu import load
from uaccel.host.files import scratch
from uaccel.host.qemu import booting
from uaccel.host.run import kill_all, obey_signals
os.environ["TMPDIR"] = {str(tmp_path / "temporary")!r}
obey_signals()
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    with scratch(), booting(load(Path({str(tmp_path)!r}), {LINGER!r}, 60.0)) as guest:
        guest.finish()
except KeyboardInterrupt:
    print("interrupted")
""",
        tmp_path,
    )
    assert said == "interrupted\n"
    assert survivors(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_file_is_passed_to_what_runs_beside(tmp_path: Path) -> None:
    ours, its = socket.socketpair()
    script = f"import socket; socket.socket(fileno={its.fileno()}).sendall(b'hello')"
    with ours, beside((sys.executable, "-c", script), folder=tmp_path, passed=(its.fileno(),)):
        its.close()
        assert ours.recv(5) == b"hello"
