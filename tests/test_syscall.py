# SPDX-License-Identifier: GPL-2.0-only
"""A system call makes no symbol of its own name: its code is found by its lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uaccel.cli.__main__ import main


def test_a_system_call_is_counted_where_its_code_stands(
    tree_6_12: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SYSCALL_DEFINE2(utime, ...) becomes __se_sys_utime() and stubs on x86_64."""
    out = tmp_path / "out.json"
    words = ["--tree", str(tree_6_12), "--arch", "x86_64", "--json", str(out)]
    assert main(["study", *words, "--patches", str(tmp_path), "fs/utimes.c:utime"]) == 0
    assert "does not compile the function" not in capsys.readouterr().out
    found = {
        (row["style"], row["what"]): row["value"]
        for row in json.loads(out.read_text())["measurements"]
    }
    assert found["fieldwise", "path_toggles"] == 4
    assert found["window", "path_toggles"] == 2
    assert found["window", "path_instructions"] < found["fieldwise", "path_instructions"]
