# SPDX-License-Identifier: GPL-2.0-only
"""A part that hangs, dies or raises is named; all others are answered, and nobody is left."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import active_children
from pathlib import Path

import pytest

from tests.test_run import lives, python
from uaccel.host.pool import Broken, Pool

ENDLESS = re.compile(rb"(a+)+b")


def doubled(number: int) -> int:
    return 2 * number


def answers(
    work: Callable[[int], int], *batches: Iterable[int], jobs: int = 2, seconds: float = 5.0
) -> dict[int, int | Broken]:
    with Pool(work, jobs, seconds) as pool:
        for batch in batches:
            pool.put(*batch)
        said = list(pool.answers())
    assert active_children() == []
    assert len(said) == len(dict(said)), "each part is answered once"
    return dict(said)


def odd_one(bad: Callable[[], object]) -> Callable[[int], int]:
    """Return work that answers all numbers but 3, where it does something `bad`."""

    def work(number: int) -> int:
        if number == 3:
            bad()
        return doubled(number)

    return work


def why(bad: Callable[[], object], seconds: float = 5.0) -> str:
    """Return why 3 was not answered, alone and among others, when the others were."""
    whys = set()
    for batches in ([range(8)], [[number] for number in range(8)]):
        said = answers(odd_one(bad), *batches, seconds=seconds)
        broken = said.pop(3)
        assert isinstance(broken, Broken)
        whys.add(broken.why)
        assert said == {number: doubled(number) for number in range(8) if number != 3}
    assert len(whys) == 1
    return whys.pop()


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_part_has_its_answer(jobs: int) -> None:
    batches = [range(start, start + 7) for start in range(0, 700, 7)]
    said = answers(doubled, *batches, jobs=jobs)
    assert said == {number: doubled(number) for number in range(700)}


def test_nothing_to_do_starts_nobody() -> None:
    assert answers(doubled) == {}
    assert answers(doubled, ()) == {}


def test_parts_may_be_put_while_answers_are_read() -> None:
    said = []
    with Pool(doubled, 2, 5) as pool:
        pool.put(1)
        for part, answer in pool.answers():
            said.append(answer)
            if part < 100:
                pool.put(part * 2, part * 2 + 1)
    assert len(said) == 199


def test_work_may_be_a_closure_and_see_what_we_know() -> None:
    known = {number: number**2 for number in range(5)}
    assert answers(lambda number: known[number], known) == known


def test_an_exception_is_named() -> None:
    assert why(lambda: os.environ["NO SUCH"]) == "reading it ended in KeyError: 'NO SUCH'"
    assert why(lambda: sys.setrecursionlimit(1)).startswith("reading it ended in RecursionError")


def test_an_endless_recursion_is_named() -> None:
    def deeper(level: int) -> int:
        return deeper(level + 1) + 1

    assert why(lambda: deeper(0)).startswith("reading it ended in RecursionError: maximum")


def test_memory_is_bounded() -> None:
    assert why(lambda: bytearray(500_000_000)) == "reading it ended in MemoryError"


def test_an_answer_that_cannot_be_told_ends_only_its_part() -> None:
    said = answers(lambda number: doubled if number != 3 else lambda: 0, range(6))  # type: ignore
    assert isinstance(said.pop(3), Broken)
    assert set(said) == {0, 1, 2, 4, 5}


def test_a_loop_in_python_is_ended() -> None:
    def forever() -> None:
        while True:
            pass

    assert why(forever, 0.2) == "it took more than 0.2 seconds of processor time"


def test_a_loop_in_c_is_ended() -> None:
    def forever() -> None:
        ENDLESS.match(b"a" * 60)

    assert why(forever, 0.2) == "it took more than 0.2 seconds of processor time"


def test_a_loop_that_catches_everything_is_ended() -> None:
    def forever() -> None:
        while True:
            with suppress(BaseException):
                sum(range(100))

    assert why(forever, 0.2) == "it took more than 0.2 seconds of processor time"


def test_one_that_sleeps_is_ended() -> None:
    assert why(lambda: time.sleep(600), 0.05) == "it did not end within 0.3 seconds"


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT", "SIGTERM"])
def test_a_death_is_named(name: str) -> None:
    said = why(lambda: os.kill(os.getpid(), getattr(signal, name)))
    assert said == f"the process that read it died ({name})"


def test_an_exit_is_named() -> None:
    assert why(lambda: os._exit(3)) == "the process that read it died (exit status 3)"
    assert why(lambda: os._exit(0)) == "the process that read it died (exit status 0)"
    assert why(lambda: sys.exit(4)) == "the process that read it died (exit status 1)"


def test_all_parts_may_die() -> None:
    said = answers(lambda _: os._exit(1), range(9))
    assert all(isinstance(answer, Broken) for answer in said.values())
    assert len(said) == 9


def test_a_death_of_an_idle_worker_is_nobodys_loss() -> None:
    with Pool(doubled, 1, 5) as pool:
        pool.put(1)
        said = dict(pool.answers())
        (worker,) = active_children()
        worker.kill()
        worker.join()
        pool.put(2)
        assert said | dict(pool.answers()) == {1: 2, 2: 4}


def test_a_worker_that_was_slain_once_is_replaced(tmp_path: Path) -> None:
    def once() -> None:
        if not (tmp_path / "slain").exists():
            (tmp_path / "slain").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    assert answers(odd_one(once), [3]) == {3: 6}


def test_what_c_code_says_before_it_aborts_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    why(lambda: (os.write(2, b"abort"), os.abort()))
    assert capfd.readouterr() == ("", "")


SCRIPT = """
import os, time
from pathlib import Path
from uaccel.host.pool import Pool
from uaccel.host.run import obey_signals
def work(number):
    Path(f"pid{number}").write_text(str(os.getpid()))
    time.sleep(600)
obey_signals()
HOW
try:
    with Pool(work, 3, 60) as pool:
        for number in range(5):
            pool.put(number)
        list(pool.answers())
except KeyboardInterrupt:
    print("interrupted")
"""
GROUP = "threading.Timer(0.6, os.killpg, (os.getpid(), signal.SIGINT)).start()"
ALONE = "threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGTERM)).start()"
SLAIN = "threading.Timer(0.6, os.kill, (os.getpid(), signal.SIGKILL)).start()"


@pytest.mark.parametrize("how", [GROUP, ALONE])
def test_an_interrupt_leaves_nobody(tmp_path: Path, how: str) -> None:
    said = python(SCRIPT.replace("HOW", f"import signal, threading; {how}"), tmp_path)
    assert said == "interrupted\n"
    assert remaining(tmp_path) == []


def test_workers_that_wait_go_when_we_are_slain(tmp_path: Path) -> None:
    script = SCRIPT.replace("HOW", f"import signal, threading; {SLAIN}").replace("600", "1.5")
    assert python(script, tmp_path) == ""
    assert remaining(tmp_path, 4) == []


def remaining(folder: Path, seconds: float = 1.0, least: int = 3) -> list[int]:
    """Name the workers that still run, after the time that their end may take."""
    pids = [int(file.read_text()) for file in folder.glob("pid*")]
    assert len(pids) >= least
    deadline = time.monotonic() + seconds
    while any(map(lives, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in pids if lives(pid)]
