# SPDX-License-Identifier: GPL-2.0-only
"""What every stage of one run shares, and how its jobs run side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal, TypeVar

from uaccel.host.store import Store
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch

Answer = TypeVar("Answer")
Progress = Callable[[str, int, int], None]  # what, done, of how many (0 when not known)
Job = tuple[str, Callable[[], Answer]]  # a sentence that says what it does, and how


@dataclass(frozen=True, slots=True)
class Ground:
    """The tree, the store, and what the user chose."""

    tree: Tree
    store: Store
    environment: Mapping[str, str]
    arches: tuple[Arch, ...]
    compiler: Literal["gcc", "clang"] | None
    jobs: int  # at once
    progress: Progress


def at_once(ground: Ground, jobs: tuple[Job[Answer], ...]) -> tuple[Answer, ...]:
    """Return what the `jobs` returned, in their order, some of them run side by side."""
    pool = ThreadPoolExecutor(ground.jobs)
    try:
        futures = {pool.submit(work): what for what, work in jobs}
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()  # the first error ends the run
            ground.progress(futures[future], done, len(futures))
        return tuple(future.result() for future in futures)
    finally:
        pool.shutdown(cancel_futures=True)
