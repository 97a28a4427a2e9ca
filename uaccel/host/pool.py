# SPDX-License-Identifier: GPL-2.0-only
"""Work side by side in processes that may hang or die: it is said what of, and the rest goes on.

Each worker is a fork of this process, so that `work` may be any function and sees what we know.
The kernel ends a worker whose time is up, also in C code that never comes back to Python.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Generic, TypeVar

from uaccel.host.run import uninterrupted

Part = TypeVar("Part")
Answer = TypeVar("Answer")

_FORK = get_context("fork")
_PATIENCE = 6  # wall seconds for each second of processor time: others use the machine too


@dataclass(frozen=True, slots=True)
class Task:
    """What workers do with a part, in words, and what they need for it."""

    doing: str
    did: str
    memory: int  # bytes of its own that a worker may have


READING = Task("reading", "read", 400_000_000)


@dataclass(frozen=True, slots=True)
class Broken:
    """Why there is no answer for one part."""

    why: str  # one sentence


@dataclass(slots=True)
class _Worker(Generic[Part]):
    process: ForkProcess
    pipe: Connection
    batch: tuple[Part, ...]  # what it is at; () when idle


class Pool(Generic[Part, Answer]):
    """Workers that answer batches of parts; use it as a context manager.

    A batch whose worker ends is tried again part by part, each alone; a part whose worker ends
    again is Broken.
    """

    def __init__(
        self,
        work: Callable[[Part], Answer],
        jobs: int,
        seconds: float,
        task: Task = READING,
    ) -> None:
        self._work = work
        self._task = task
        self._jobs = jobs
        self._seconds = seconds  # of processor time for one part
        self._waiting: deque[tuple[Part, ...]] = deque()
        self._again: list[Part] = []  # tried alone already
        self._workers: list[_Worker[Part]] = []

    def __enter__(self) -> Pool[Part, Answer]:
        return self

    def __exit__(self, *_error: object) -> None:
        with uninterrupted():
            for worker in self._workers:
                worker.process.kill()
            for worker in self._workers:
                worker.process.join()
                worker.pipe.close()
            self._workers.clear()

    @property
    def waiting(self) -> int:
        """Return how many batches nobody has begun."""
        return len(self._waiting)

    def put(self, *batch: Part) -> None:
        """Return with `batch` waiting for a worker; allowed while answers are read."""
        if batch:
            self._waiting.append(batch)

    def answers(self) -> Iterator[tuple[Part, Answer | Broken]]:
        """Yield every part with its answer, as they come, until none is waiting."""
        while self._hand_out():
            busy = {worker.pipe: worker for worker in self._workers if worker.batch}
            for pipe in wait(list(busy)):
                yield from self._receive(busy[pipe])  # type: ignore[index]

    def _hand_out(self) -> bool:
        while self._waiting:
            worker = next((one for one in self._workers if not one.batch), None)
            if worker is None and len(self._workers) == self._jobs:
                break
            worker = worker or self._hire()
            batch = self._waiting.popleft()
            try:
                worker.pipe.send(batch)
            except OSError:  # it ended while it was idle
                self._dismiss(worker)
                self._waiting.appendleft(batch)
                continue
            worker.batch = batch
        return any(worker.batch for worker in self._workers)

    def _receive(self, worker: _Worker[Part]) -> Iterator[tuple[Part, Answer | Broken]]:
        batch, worker.batch = worker.batch, ()
        try:
            answers: tuple[Answer | Broken, ...] = worker.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(worker, batch)
            return
        yield from zip(batch, answers, strict=True)

    def _bury(
        self, worker: _Worker[Part], batch: tuple[Part, ...]
    ) -> Iterator[tuple[Part, Answer | Broken]]:
        status = self._dismiss(worker)
        timed_out = status == -signal.SIGPROF
        if len(batch) == 1 and (timed_out or batch[0] in self._again):
            yield batch[0], Broken(self._why(status))
            return
        self._again += batch if len(batch) == 1 else ()
        self._waiting.extendleft((part,) for part in reversed(batch))

    def _why(self, status: int) -> str:
        if status == -signal.SIGPROF:
            return f"it took more than {self._seconds:g} seconds of processor time"
        if status == -signal.SIGALRM:
            return f"it did not end within {self._seconds * _PATIENCE:g} seconds"
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return f"the process that {self._task.did} it died ({how})"

    def _hire(self) -> _Worker[Part]:
        ours, its = _FORK.Pipe()
        others = [worker.pipe for worker in self._workers]
        with uninterrupted():
            process = _FORK.Process(
                target=_serve,
                args=(self._work, its, self._seconds, self._task, (ours, *others)),
                daemon=True,
            )
            process.start()
            worker: _Worker[Part] = _Worker(process, ours, ())
            self._workers.append(worker)
        its.close()
        return worker

    def _dismiss(self, worker: _Worker[Part]) -> int:
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        return worker.process.exitcode or 0


def _serve(
    work: Callable[[Part], Answer],
    pipe: Connection,
    seconds: float,
    task: Task,
    others: tuple[Connection, ...],
) -> None:
    status = 1
    try:
        _settle(task.memory)
        for other in others:  # else our end of a pipe would hide that its worker is gone
            other.close()
        with suppress(EOFError, OSError):  # whoever asked is gone
            while True:
                pipe.send(tuple(_tried(work, part, seconds, task.doing) for part in pipe.recv()))
        status = 0
    finally:
        os._exit(status)


def _settle(memory: int) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # whoever asked decides
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = memory + _inherited()
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()  # whoever asked says what died
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # and not C code before it aborts


def _inherited() -> int:
    # Bytes that whoever forked us had already: an emulator in it has a gigabyte of its own.
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    return 0


def _tried(
    work: Callable[[Part], Answer], part: Part, seconds: float, doing: str
) -> Answer | Broken:
    _set_timers(seconds)
    try:
        return work(part)
    except Exception as error:
        said = f": {error}" if str(error) else ""
        return Broken(f"{doing} it ended in {type(error).__name__}{said}")
    finally:
        _set_timers(0)


def _set_timers(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * _PATIENCE)
