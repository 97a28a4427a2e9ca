# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees for tests that need the real thing: the distribution's packages, fetched once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

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
