# SPDX-License-Identifier: GPL-2.0-only
"""Look through the folders of a tree side by side, for the files that hold what is looked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from uaccel.host.pool import Broken, Pool
from uaccel.host.walk import Look, Seen, Walker

_SECONDS = 600.0  # of processor time for some folders: nothing is parsed
_FOLDERS = 64  # at most, that a worker looks at before it tells


def look_through(
    walker: Walker, looks: Iterable[Look], jobs: int
) -> Iterator[tuple[Look, Seen | Broken]]:
    """Yield what `looks` and everything below them showed, as it comes."""
    waiting = list(looks)
    with Pool(walker.look, jobs, _SECONDS) as pool:
        _hand_out(pool, waiting, jobs)
        for look, seen in pool.answers():
            if isinstance(seen, Broken):
                yield look, Broken(f"{seen.why}; what lies below it was not looked at")
                continue
            waiting += (Look(folder) for folder in seen.folders)
            _hand_out(pool, waiting, jobs)
            yield look, seen


def _hand_out(pool: Pool[Look, Seen], waiting: list[Look], jobs: int) -> None:
    # Few at once while there are few, so that nobody is idle; many later, which costs less.
    while waiting and pool.waiting < jobs:
        share = max(1, min(_FOLDERS, len(waiting) // (2 * jobs)))
        pool.put(*waiting[-share:])
        del waiting[-share:]
