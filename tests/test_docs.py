# SPDX-License-Identifier: GPL-2.0-only
"""The documents say what the program does: their examples are run, their commands are parsed."""

from __future__ import annotations

import csv
import doctest
import os
import re
import shlex
from pathlib import Path

import pytest

from tests.asking import Uaccel
from tests.test_generated import TABLES
from tests.windows import SHAPES
from uaccel.cli.__main__ import _COMMANDS, parser
from uaccel.cli.options import ARCHES
from uaccel.flow.drafts import STYLES
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


def test_every_command_is_told() -> None:
    """The README names each command and links the page of each style."""
    told = (ROOT / "README.md").read_text()
    for name in _COMMANDS:
        assert f"uaccel {name}" in told
    for name in STYLES:
        assert f"(uaccel/styles/{name}.md)" in told


def test_the_scan_that_is_shown_is_the_one_of_the_corpus() -> None:
    """The README's lines of each class are the sums of corpus/v6.12.tsv."""
    told = (ROOT / "README.md").read_text()
    with (ROOT / "corpus" / "v6.12.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for name in ("cluster", "single", "window", "macro", "comment", "other", "not_understood"):
        lines = sum(int(row[name]) for row in rows)
        assert re.search(rf"^ +{lines}  {name.replace('_', ' ')} ", told, re.MULTILINE), name
    assert f"{sum(int(row['clusters']) for row in rows)} clusters, " in told


def test_what_is_generated_is_counted_in_its_page() -> None:
    """docs/generated.md tells how many shapes and mutants there are."""
    told = (ROOT / "docs" / "generated.md").read_text()
    assert f" {len(SHAPES)} shapes" in told
    assert f"{sum(len(table) for _, _, table, _ in TABLES)} mutants" in told


@pytest.mark.parametrize("page", ["README.md", "docs/check.md"])
def test_the_findings_that_are_shown_are_found(
    page: str, tree_6_12: Path, uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of findings on a page are those of Linux 6.12, and of their files all are there."""
    told = (ROOT / page).read_text()
    shown = re.findall(r"^\S+\.[ch]:\d+:\d+: (?:error|warning|note): .+ \[[a-z-]+\]$", told, re.M)
    shown = [line for line in shown if not line.endswith(" [cluster]")]
    monkeypatch.chdir(tree_6_12)
    files = {line.partition(":")[0] for line in shown}
    found = uaccel("check", *files).stdout.splitlines()
    assert files
    assert set(shown) == {line for line in found if line.partition(":")[0] in files}
