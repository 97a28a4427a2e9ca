# SPDX-License-Identifier: GPL-2.0-only
"""Tell how far something is while another program does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def watched(tell: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call `tell` at once, and every so many seconds until the block ends."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(seconds):
            tell()

    tell()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
