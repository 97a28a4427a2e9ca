# SPDX-License-Identifier: GPL-2.0-only
"""Progress on stderr: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Bar:
    """One bar with a sentence beside it; use it as a context manager."""

    def __init__(self, title: str, *, quiet: bool = False, verbose: bool = False) -> None:
        self._verbose = verbose
        self._quiet = quiet
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet or verbose or not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, what: str) -> None:
        """Return with `what` on a line of its own on stderr, also where there is no bar."""
        if not self._quiet:
            self._progress.console.print(what, markup=False, highlight=False, soft_wrap=True)

    def share(self, what: str, share: float | None) -> None:
        """Return with `what` shown beside a bar that is full by `share` (0 to 1, None unknown)."""
        total = None if share is None else 1.0
        self._progress.update(self._task, description=what, completed=share or 0.0, total=total)

    def step(self, what: str, done: int, total: int) -> None:
        """Return with `what` beside a bar at `done` of `total`; a total of 0 leaves the bar."""
        if self._verbose:
            print(f"{done}/{total} {what}" if total else what, file=sys.stderr)
        if total:
            self._progress.update(self._task, description=what, completed=done, total=total)
        else:
            self._progress.update(self._task, description=what)
