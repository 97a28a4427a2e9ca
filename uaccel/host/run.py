# SPDX-License-Identifier: GPL-2.0-only
"""The one door to other programs: each runs in a group of its own, and none outlives us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from uaccel.errors import UserError
from uaccel.model.command import Command

_GRACE = 0.5  # seconds between asking a group to end and ending it
# What an outer make says to its own children; ours would wait for a job server that is not there.
_FROM_OUTER_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKE_TERMOUT", "MAKE_TERMERR")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Whoever cannot say goodbye, being killed, takes with him what runs beside him (util-linux).
_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")

_live: set[int] = set()  # process groups that run now
_stopping = threading.Event()  # set by kill_all(): nothing may start any more


def run(  # noqa: PLR0913
    argv: tuple[str, ...],
    *,
    folder: Path,
    timeout: float,  # seconds
    environment: Mapping[str, str] | None = None,
    stdin: bytes | BinaryIO | None = None,
    passed: tuple[int, ...] = (),  # open files that it inherits
) -> Command:
    """Return what `argv` said and its exit status; it has ended, with all that it started.

    `environment` is the whole environment of the program, our own when it is None;
    LC_ALL=C is added to both.
    """
    process = _start(argv, folder, _environment(environment), stdin, passed)
    try:
        _refuse_when_stopping(argv)
        fed = stdin if isinstance(stdin, bytes) else None
        out, err = process.communicate(fed, timeout)
        _refuse_when_stopping(argv)
    except subprocess.TimeoutExpired:
        raise UserError(f"{_short(argv)} did not end within {timeout:g} seconds") from None
    finally:
        _end(process)
    return Command(argv, str(folder), process.returncode, _text(out), _text(err))


class Running:
    """A program that runs beside us; what it says on stdout and stderr is gathered as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said = bytearray()
        self._more = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> bytes:
        """Return all that it has said so far."""
        with self._more:
            return bytes(self._said)

    def wait(self, length: int, seconds: float) -> bool:
        """Return whether it may say more than `length` bytes, or after so long."""
        with self._more:
            self._more.wait_for(lambda: self._over or len(self._said) > length, seconds)
            return not self._over

    def status(self, seconds: float) -> int | None:
        """Return its exit status, or None when it still runs after `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Return when it has ended, with all that it started."""
        _stop(self._process)
        self._reader.join(_GRACE)  # what it started elsewhere may hold its output open
        _close(self._process)

    def _read(self) -> None:
        stream = self._process.stdout
        with suppress(OSError, ValueError):  # closed under us
            while stream is not None and (some := os.read(stream.fileno(), 1 << 16)):
                with self._more:
                    self._said += some
                    self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()


@contextmanager
def beside(
    argv: tuple[str, ...], *, folder: Path, passed: tuple[int, ...] = ()
) -> Iterator[Running]:
    """Give `argv` as it runs, with the files `passed`; it has ended when the block ends."""
    if find_program(_WITH_US[0]) and find_program(argv[0]):
        argv = (*_WITH_US, *argv)
    running = Running(_start(argv, folder, _environment(None), None, passed, joined=True))
    try:
        _refuse_when_stopping(argv)
        yield running
    finally:
        running.close()


def find_program(name: str, path: tuple[str, ...] = ()) -> str | None:
    """Return where `name` is, in the folders of `path` or else in PATH; None when nowhere."""
    return shutil.which(name, path=os.pathsep.join((*path, os.environ.get("PATH", os.defpath))))


def kill_all() -> None:
    """Return when no program that we started runs any more; none can start until obey_signals()."""
    _stopping.set()
    groups = tuple(_live)
    for group in groups:
        _signal(group, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while any(_signal(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in groups:
        _signal(group, signal.SIGKILL)


def obey_signals() -> None:
    """Return with Ctrl-C and any other of `_ENDING` ending our programs, then KeyboardInterrupt."""
    _stopping.clear()
    for number in _ENDING:
        signal.signal(number, _interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and its kin back: one between a fork and our list would leave an orphan."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[int] = []
    previous = {int(number): signal.getsignal(number) for number in _ENDING}
    handled = {number: handler for number, handler in previous.items() if callable(handler)}
    for number in handled:
        signal.signal(number, lambda late, _frame: noted.append(late))
    try:
        yield
    finally:
        for number, handler in handled.items():
            signal.signal(number, handler)
    for number in noted[:1]:
        signal.raise_signal(number)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    kill_all()
    raise KeyboardInterrupt


def _start(  # noqa: PLR0913
    argv: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    stdin: bytes | BinaryIO | None,
    passed: tuple[int, ...],
    *,
    joined: bool = False,  # both outputs are one
) -> subprocess.Popen[bytes]:
    _refuse_when_stopping(argv)
    channel = subprocess.PIPE if isinstance(stdin, bytes) else stdin or subprocess.DEVNULL
    process = None
    try:
        with uninterrupted():
            process = subprocess.Popen(
                argv,
                cwd=folder,
                env=environment,
                stdin=channel,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT if joined else subprocess.PIPE,
                pass_fds=passed,
                start_new_session=True,
            )
            _live.add(process.pid)
    except OSError as error:
        raise UserError(_why_not(argv[0], folder, error)) from None
    except KeyboardInterrupt:
        if process is not None:
            _end(process)
        raise
    return process


def _why_not(program: str, folder: Path, error: OSError) -> str:
    if not folder.is_dir():
        return f"{folder} is no folder, so {program} cannot run there"
    if isinstance(error, FileNotFoundError):
        return f"the program {program} is not here; `uaccel doctor` says what to install"
    return f"{program} cannot be started: {error.strerror}"


def _end(process: subprocess.Popen[bytes]) -> None:
    _stop(process)
    _close(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    _signal(process.pid, signal.SIGKILL)
    process.wait()
    _live.discard(process.pid)


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _environment(given: Mapping[str, str] | None) -> dict[str, str]:
    if given is not None:
        return {**given, "LC_ALL": "C"}
    own = {name: value for name, value in os.environ.items() if name not in _FROM_OUTER_MAKE}
    return {**own, "LC_ALL": "C"}


def _refuse_when_stopping(argv: tuple[str, ...]) -> None:
    if _stopping.is_set():
        raise UserError(f"interrupted before {_short(argv)} ended")


def _short(argv: tuple[str, ...]) -> str:
    line = " ".join(argv)
    return line if len(line) <= 100 else f"{line[:97]}..."


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
