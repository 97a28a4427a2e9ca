# SPDX-License-Identifier: GPL-2.0-only
"""Pages for the tests, one of each kind, and what they consist of."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from tests import accounts, exhibits
from uaccel.model.dossier import Dossier
from uaccel.report.html import comparison_page, scan_page, study_page

PAGES = {
    (
        "checks",
        "compiles",
    ): "# compiles\n\nIt compiles. See [objtool](objtool.md#what).\n\n## One\n\nYes.\n",
    (
        "checks",
        "objtool",
    ): "# objtool\n\nIt *asks* objtool; [more](../docs/run.md), [web](https://x.test/).\n",
    ("styles", "window"): "# window\n\n<b>one</b> window\n\n![picture](picture.png)\n",
}


class Reader(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []  # tag, name, value
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Return the values of all attributes called `name`."""
        return [value for _, known, value in self.attributes if known == name]

    @property
    def text(self) -> str:
        """Return all text that is shown, blanks single."""
        return re.sub(r"\s+", " ", "".join(self.texts))


def study(dossier: Dossier | None = None) -> str:
    """Return the page of the invented study."""
    return study_page(dossier or exhibits.dossier(), PAGES)


def every_page() -> dict[str, str]:
    """Return one page of each kind."""
    return {
        "study": study(),
        "scan": scan_page(accounts.profiled()),
        "comparison": comparison_page(exhibits.comparison()),
    }


HOSTILE = (
    '</script><script>window.__hacked=1</script><!--<img src=x onerror="window.__hacked=1">'
    "'\"&lt;\u2028\u202e\x1b[31m\udce9`code` {{ 7*7 }}"
)


def hostile(value: Any) -> Any:
    """Return a record with HOSTILE in front of every text that a tree could have a word in."""
    if isinstance(value, str):
        return HOSTILE + value
    if isinstance(value, tuple):
        return tuple(hostile(one) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        names = [
            name
            for name in value.__dataclass_fields__
            if name not in ("direction", "role", "outcome", "config", "level")
        ]
        return replace(value, **{name: hostile(getattr(value, name)) for name in names})
    return value
