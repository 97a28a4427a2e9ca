# SPDX-License-Identifier: GPL-2.0-only
"""Programs end with what started them, whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from uaccel.errors import UserError
from uaccel.host.run import find_program, run

# Writes its own number and that of a grandchild, then waits for longer than any test.
LINGER = "sleep 300 & echo $$ $! > pids; wait"


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def survivors(folder: Path) -> list[int]:
    """Name the lingering processes that still run, after the time that a signal may take."""
    pids = [int(pid) for file in folder.rglob("pids") for pid in file.read_text().split()]
    assert pids
    deadline = time.monotonic() + 2
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in pids if lives(pid)]


def python(script: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    argv = (sys.executable, "-c", script)
    command = run(argv, folder=folder, timeout=30, environment=environment)
    return command.stdout + command.stderr


def test_a_command_keeps_what_was_said(tmp_path: Path) -> None:
    argv = ("sh", "-c", "cat; pwd; echo $LC_ALL >&2; exit 3")
    command = run(argv, folder=tmp_path, timeout=5, stdin=b"in\n")
    assert (command.argv, command.folder, command.status) == (argv, str(tmp_path), 3)
    assert (command.stdout, command.stderr) == (f"in\n{tmp_path}\n", "C\n")


def test_a_file_can_be_the_input(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"one two\n")
    with (tmp_path / "words").open("rb") as words:
        assert run(("cat",), folder=tmp_path, timeout=5, stdin=words).stdout == "one two\n"


def test_bytes_that_are_no_utf8_are_replaced(tmp_path: Path) -> None:
    assert (
        run(("printf", r"\377"), folder=tmp_path, timeout=5).stdout == "\N{REPLACEMENT CHARACTER}"
    )


def test_the_given_environment_is_the_whole_one(tmp_path: Path) -> None:
    command = run(("/usr/bin/env",), folder=tmp_path, timeout=5, environment={"ARCH": "um"})
    assert sorted(command.stdout.split()) == ["ARCH=um", "LC_ALL=C"]


def test_an_outer_make_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-j8 --jobserver-auth=3,4")
    assert "MAKEFLAGS" not in run(("/usr/bin/env",), folder=tmp_path, timeout=5).stdout


def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sh -c .* did not end within 0\.3 seconds"):
        run(("sh", "-c", LINGER), folder=tmp_path, timeout=0.3)
    assert survivors(tmp_path) == []


def test_a_program_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        run(("sh", "-c", f"trap '' TERM; {LINGER}"), folder=tmp_path, timeout=0.3)
    assert survivors(tmp_path) == []


def test_what_a_program_leaves_behind_is_ended(tmp_path: Path) -> None:
    script = "sleep 300 >&- 2>&- & echo $! > pids"
    assert run(("sh", "-c", script), folder=tmp_path, timeout=5).status == 0
    assert survivors(tmp_path) == []


def test_ctrl_c_ends_the_whole_group(tmp_path: Path) -> None:
    said = python(
        f"""
import os, signal, threading
from pathlib import Path
from uaccel.host.run import run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it for a job
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    run(("sh", "-c", {LINGER!r}), folder=Path(), timeout=60)
except KeyboardInterrupt:
    print("interrupted")
""",
        tmp_path,
    )
    assert said == "interrupted\n"
    assert survivors(tmp_path) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_ends_the_programs_of_worker_threads(tmp_path: Path, name: str) -> None:
    said = python(
        f"""
import os, signal, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uaccel.host.run import obey_signals, run
def work(number):
    Path(str(number)).mkdir()
    run(("sh", "-c", {LINGER!r}), folder=Path(str(number)), timeout=60)
obey_signals()
threading.Timer(0.5, os.kill, (os.getpid(), signal.{name})).start()
try:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(4)))
except KeyboardInterrupt:
    print("interrupted")
print(len(list(Path().rglob("pids"))), "were started")
""",
        tmp_path,
    )
    assert said == "interrupted\n2 were started\n"
    assert survivors(tmp_path) == []


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the program no-such-cc is not here"):
        run(("no-such-cc", "-c"), folder=tmp_path, timeout=5)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gone is no folder"):
        run(("true",), folder=tmp_path / "gone", timeout=5)


def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text")
    with pytest.raises(UserError, match="text cannot be started: Permission denied"):
        run((str(tmp_path / "text"),), folder=tmp_path, timeout=5)


def test_programs_are_found_in_the_given_folders_first(tmp_path: Path) -> None:
    own = tmp_path / "sh"
    own.touch(mode=0o755)
    assert find_program("sh", (str(tmp_path),)) == str(own)
    assert find_program("no-such-cc") is None


def test_what_runs_beside_us_does_not_outlive_us(tmp_path: Path) -> None:
    """Not even when we are killed and can end nothing."""
    program = f"""
from pathlib import Path
from uaccel.host.run import beside
with beside(("sh", "-c", "echo $$ > pids; exec sleep 300"), folder=Path({str(tmp_path)!r})) as it:
    it.wait(0, 60)
"""
    with subprocess.Popen((sys.executable, "-c", program)) as us:
        while not (tmp_path / "pids").exists() or not (tmp_path / "pids").read_text():
            time.sleep(0.05)
        us.kill()
    time.sleep(0.2)
    assert survivors(tmp_path) == []
