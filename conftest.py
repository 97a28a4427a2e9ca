# SPDX-License-Identifier: GPL-2.0-only
"""Collect the pages beside the code: `uaccel/styles/window.md` tests `uaccel/styles/window.py`.

This file must stay in the root: pytest asks a conftest only about its own folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import replay
from tests.cases import Case, cases, replace

PACKAGE = Path(__file__).parent / "uaccel"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes what the code says into the pages."""
    parser.addoption("--accept", action="store_true", help="write the actual output into the page")


def pytest_collect_file(parent: pytest.Collector, file_path: Path) -> Page | None:
    """Return the page at `file_path`, None when it is no page of a catalogue."""
    folder = file_path.parent
    if file_path.suffix == ".md" and folder.parent == PACKAGE and folder.name in replay.BY_FOLDER:
        return Page.from_parent(parent, path=file_path)
    return None


class Page(pytest.File):
    """One Markdown page: the documentation and the tests of the module beside it."""

    def collect(self) -> Iterator[Example]:
        """Yield the sections that have fences; the others are prose."""
        for case in cases(self.path.read_text()):
            if case.blocks:
                yield Example.from_parent(self, name=case.title, case=case)


class Example(pytest.Item):
    """One `##` section of a page."""

    def __init__(self, *, case: Case, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.case = case

    def runtest(self) -> None:
        """Compare what the section expects with what the code says."""
        said = replay.BY_FOLDER[self.path.parent.name](self.path.stem, self.case)
        expected = {b.kind: b.text for b in self.case.blocks if b.kind not in replay.GIVEN}
        wanted = {k: text for k, text in said.items() if k in expected or k not in replay.OPTIONAL}
        if expected == wanted:
            return
        if not self.config.getoption("accept") or expected.keys() != wanted.keys():
            raise Mismatch(
                f"{_blocks(expected)}\nis expected, but the code says\n{_blocks(wanted)}"
            )
        for kind, text in wanted.items():
            page = replace(self.path.read_text(), self.case.title, kind, text)
            self.path.write_text(page)
        pytest.skip("accepted")

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: object = None,  # noqa: ARG002 - pytest's signature
    ) -> str:
        """Return both sides of a mismatch, or pytest's own words for anything else."""
        if isinstance(excinfo.value, Mismatch):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the page and the section, as pytest names them."""
        return self.path, 0, f"{self.path.stem}: {self.name}"


class Mismatch(Exception):
    """The page and the code disagree."""


def _blocks(blocks: dict[str, str]) -> str:
    return "".join(f"```{kind}\n{text}```\n" for kind, text in sorted(blocks.items()))
