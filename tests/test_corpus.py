# SPDX-License-Identifier: GPL-2.0-only
"""What the programs of the corpus write into tables, and what they end with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus import cited, tables
from uaccel.model.dossier import Dossier, Tree
from uaccel.model.machine import Unbuilt

WHY = "drivers/pair.o was not made: {}/drivers/pair.c:7:1: error: invented"


def studied(tree: Tree, _args: object) -> Dossier:
    """Return a study in which nothing could be built, said as a compiler says it."""
    none = Unbuilt("toy", WHY.format(tree.path))
    return Dossier(tree, "", (), (), (none,), (), (), (), (), (), 0, 0, 0.0)


@pytest.mark.parametrize("named", ["linux", "linux/", "link", "link/../linux"])
def test_no_path_of_a_machine_is_in_a_table(
    linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """However the tree was named: relative, by a link, by a way around."""
    (tmp_path / "link").symlink_to(linux)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cited, "_studied", studied)
    monkeypatch.setattr(tables, "obey_signals", lambda: None)
    monkeypatch.setattr("sys.argv", ["cited.py", "--tree", named, "--out", "cited.tsv"])
    assert cited.main() == 0
    text = Path("cited.tsv").read_text()
    assert "unknown: drivers/pair.o was not made: drivers/pair.c:7:1: error: invented" in text
    assert os.fspath(tmp_path) not in text
