# SPDX-License-Identifier: GPL-2.0-only
"""A person in front of a page, for the tests in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests import accounts, exhibits
from tests.browser import Browser, browser
from tests.pages import hostile
from uaccel.host.shipped import catalogue_pages
from uaccel.model.account import Account
from uaccel.model.source import Direction
from uaccel.report.html import comparison_page, scan_page, study_page

CLUSTERS = 5000


def many() -> Account:
    """Return an account of CLUSTERS clusters, no two alike."""
    made = tuple(
        accounts.finding(
            replace(
                accounts.WRITES,
                function=f"invented_{at * 7919 % CLUSTERS:04}",
                line=at + 1,
                accesses=at % 13 + 2,
                longest=at % 13 + 2,
                direction=(Direction.READ, Direction.WRITE)[at % 3 == 0],
            ),
            at % 11,
            f"drivers/part{at % 40}/file{at % 700}.c",
        )
        for at in range(CLUSTERS)
    )
    return replace(accounts.account(), findings=made)


PAGES: Mapping[str, Callable[[], str]] = {
    "study": lambda: study_page(exhibits.dossier(), catalogue_pages()),
    "scan": lambda: scan_page(accounts.profiled()),
    "many": lambda: scan_page(many()),
    "comparison": lambda: comparison_page(exhibits.comparison()),
    "hostile-study": lambda: study_page(hostile(exhibits.dossier()), catalogue_pages()),
    "hostile-scan": lambda: scan_page(hostile(accounts.profiled())),
    "hostile-comparison": lambda: comparison_page(hostile(exhibits.comparison())),
}


class Viewer:
    """A person in front of a page."""

    def __init__(self, chromium: Browser, folder: Path) -> None:
        self.chromium = chromium
        self.folder = folder

    def settle(self) -> None:
        """Return with a window of usual size, whatever was done to it before."""
        self.chromium.resize(1280)
        self.chromium.prefer(color_scheme="light", reduced_motion="reduce")

    def open(self, name: str) -> None:
        """Show a page of PAGES; a choice of colours is forgotten."""
        page = self.folder / f"{name}.html"
        if not page.exists():
            page.write_text(PAGES[name]())
        self.chromium.open(page)
        self.run("localStorage.clear()")

    def run(self, script: str, *arguments: object) -> Any:
        """Return what `script` returns in the page."""
        return self.chromium.run(script, *arguments)

    def texts(self, selector: str) -> list[str]:
        """Return the text of every element that `selector` finds."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return [str(text) for text in self.run(script, selector)]

    def point(self, selector: str, at: int = 0, *, click: bool = False) -> None:
        """Move the mouse onto an element, and click there if asked."""
        self.chromium.point(selector, at, click=click)

    def choose(self, selector: str, text: str) -> None:
        """Choose an option of a select by its text, as a person does."""
        self.run(
            "const s = document.querySelector(arguments[0]);"
            "s.value = [...s.options].find((o) => o.text === arguments[1]).value;"
            "s.dispatchEvent(new Event('input', {bubbles: true}));"
            "s.dispatchEvent(new Event('change', {bubbles: true}))",
            selector,
            text,
        )


@contextmanager
def viewer(folder: Path) -> Iterator[Viewer]:
    """Give somebody with a browser and the pages, which are written into `folder`."""
    with browser(folder / "profile") as chromium:
        yield Viewer(chromium, folder)
