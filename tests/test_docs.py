# SPDX-License-Identifier: GPL-2.0-only
"""The documents say what the program does: their examples are run, their commands are parsed."""

from __future__ import annotations

import doctest
import os
import re
import shlex
from pathlib import Path

import pytest

from uaccel.cli.__main__ import parser
from uaccel.cli.options import ARCHES
from uaccel.flow.ground import Ground
from uaccel.host.store import Store, cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import open_tree
from uaccel.model.machine import Unbuilt

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
COMMAND = re.compile(r"^\$ (?:\.venv/bin/)?uaccel (.*)$", re.MULTILINE)


def test_the_life_of_a_cluster_is_as_told(tree_6_12: Path) -> None:
    """Every stage gives what the page says, on the real tree, with the real compiler."""
    ppc8xx = find_toolchain(ARCHES["ppc8xx"], os.environ)
    if isinstance(ppc8xx, Unbuilt) or not ppc8xx.name.startswith("gcc 12"):
        pytest.skip(f"the page tells the figures of {ARCHES['ppc8xx'].package} 12")
    ground = Ground(
        tree=open_tree(tree_6_12),
        store=Store(cache_folder(os.environ)),
        environment=os.environ,
        arches=(ARCHES["ppc8xx"],),
        compiler=None,
        jobs=1,
        progress=lambda *_: None,
    )
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / "life-of-a-cluster.md"),
        module_relative=False,
        globs={"folder": str(tree_6_12), "ground": ground},
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert tried > 25
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_one(page: Path) -> None:
    """A command line that a page shows is one that the program takes."""
    for line in COMMAND.findall(page.read_text()):
        parser().parse_args(shlex.split(line.partition(" | ")[0].partition(" > ")[0]))


def test_every_command_and_option_is_told() -> None:
    """The README names each command."""
    told = (ROOT / "README.md").read_text()
    for name in ("study", "convert", "tree fetch", "tree list", "doctor"):
        assert f"uaccel {name}" in told
