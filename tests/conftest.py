# SPDX-License-Identifier: GPL-2.0-only
"""What many tests need: real kernel trees, fetched once; a small one; the program itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.asking import Said, Uaccel
from tests.fakelinux import grow, machine_without
from tests.viewer import Viewer, viewer
from uaccel.cli.__main__ import main
from uaccel.host.tree import fetch

# The same examples in every run; `--hypothesis-profile=default` looks for new ones.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")


def _tree(version: str) -> Path:
    return Path(fetch(version, _silent).path)


def _silent(what: str, share: float | None) -> None:
    pass


@pytest.fixture(scope="session")
def tree_6_12() -> Path:
    """Return the tree that holds the seed's functions as they were before."""
    return _tree("6.12")


@pytest.fixture(scope="session")
def tree_6_1() -> Path:
    """Return the tree with the older API."""
    return _tree("6.1")


@pytest.fixture(scope="session")
def tree_7_3() -> Path:
    """Return the tree that people work on today."""
    return _tree("7.3")


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    """Return a small tree of our own."""
    return grow(tmp_path / "linux")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a PATH in which no compiler is."""
    return machine_without(tmp_path_factory.mktemp("machine") / "bin", r".*-gcc(-\d+)?|gcc|cc")


@pytest.fixture
def uaccel(
    tmp_path: Path,
    path: str,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Uaccel]:
    """Give the program as a function of its words, with a cache of its own and no compiler."""
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("UACCEL_CACHE", str(tmp_path / "cache"))
    for name in ("KDIR", "ARCH", "CROSS_COMPILE", "LLVM", "CC", "O"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = [signal.getsignal(number) for number in numbers]

    def ask(*words: str | Path) -> Said:
        try:
            status = main([str(word) for word in words])
        except SystemExit as left:  # argparse's own way out
            status = int(left.code or 0)
        out, err = capsysbinary.readouterr()
        return Said(status, out.decode(), err.decode())

    yield ask
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def viewing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    """Give one Chromium to all tests of a module."""
    with viewer(tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture
def view(viewing: Viewer) -> Viewer:
    """Return a window that is about to show a page."""
    viewing.settle()
    return viewing
