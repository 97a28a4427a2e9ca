# SPDX-License-Identifier: GPL-2.0-only
"""What lies beside our own code: the pages of the catalogues."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

_CATALOGUES = ("checks", "styles", "arch")


def catalogue_pages() -> Mapping[tuple[str, str], str]:
    """Return the page of every entry of the catalogues, as Markdown, by (catalogue, name)."""
    return {
        (kind, page.name.removesuffix(".md")): page.read_text(encoding="utf-8")
        for kind in _CATALOGUES
        for page in sorted(files(f"uaccel.{kind}").iterdir(), key=lambda one: one.name)
        if page.name.endswith(".md")
    }
