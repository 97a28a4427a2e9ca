# SPDX-License-Identifier: GPL-2.0-only
"""What people got wrong with windows is found where it stands, and what repairs it is clean.

Each line of `tests/samples/windows` that a rule must find says so: `/* FINDS: rule, rule */`.
docs/windows-history.md tells where each case comes from.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import uaccel.rules
from uaccel.catalog import catalog
from uaccel.flow.judge import Ground, judge_file
from uaccel.host.run import run
from uaccel.model.judged import Rule

HERE = Path(__file__).parent
ROOT = HERE.parent
FILES = sorted((HERE / "samples" / "windows").glob("*.c"))
HISTORY = ROOT / "docs" / "windows-history.md"
RULES = [name.replace("_", "-") for name in catalog(uaccel.rules, Rule)]
MARK = re.compile(r"/\* FINDS: ([a-z-]+(?:, [a-z-]+)*) \*/")
CONFIGURED = re.compile(r"^#\s*if.*\b(CONFIG_\w+)", re.MULTILINE)
COMPILER = (
    *("gcc", "-std=gnu11", "-ffreestanding", "-fsyntax-only"),
    *("-Wall", "-Werror", "-Wno-unused", "-include", str(HERE / "shim" / "kernel.h")),
)

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def marks(text: str) -> set[tuple[int, str]]:
    """Return what a sample says must be found: lines, and rules."""
    return {
        (number, rule)
        for number, line in enumerate(text.splitlines(), start=1)
        for match in MARK.finditer(line)
        for rule in match[1].split(", ")
    }


@every_file
def test_what_is_marked_is_found_and_nothing_else(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    judged = judge_file(Ground(tree=None), path.name, text.encode())
    assert not judged.skipped
    found = {(finding.place.line, finding.rule) for finding in judged.findings}
    wanted = marks(text)

    def told(places: set[tuple[int, str]]) -> str:
        return "".join(f"\n  {n}: {rule}: {lines[n - 1].strip()}" for n, rule in sorted(places))

    assert found == wanted, f"missed:{told(wanted - found)}\ntoo much:{told(found - wanted)}"


def test_every_mark_is_read() -> None:
    for path in FILES:
        text = path.read_text()
        assert text.count("FINDS") == len(MARK.findall(text)), path.name


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_something(rule: str) -> None:
    assert any(rule in {name for _, name in marks(path.read_text())} for path in FILES)


def test_no_mark_names_a_rule_that_is_none() -> None:
    named = {rule for path in FILES for _, rule in marks(path.read_text())}
    assert named <= set(RULES)


@every_file
def test_each_sample_is_c(path: Path) -> None:
    """A compiler takes it, with none of its options and with each alone."""
    options = sorted(set(CONFIGURED.findall(path.read_text())))
    for option in ((), *((f"-D{name}",) for name in options)):
        built = run((*COMPILER, *option, str(path)), folder=ROOT, timeout=60)
        assert built.status == 0, built.stderr


@every_file
def test_each_sample_is_told(path: Path) -> None:
    assert f"`{path.name}`" in HISTORY.read_text()
