# SPDX-License-Identifier: GPL-2.0-only
"""Pages of the catalogues, Markdown to HTML, as sections of one page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from uaccel.report.plain import block

_DEEPER = 2  # levels that a page's headings go down: it is a section of a section


@dataclass(frozen=True, slots=True)
class Section:
    """One page of a catalogue."""

    kind: str  # "checks", "styles", "arch"
    name: str
    anchor: str  # id of its section
    html: Markup


def sections(
    pages: Mapping[tuple[str, str], str], named: Iterable[tuple[str, str]]
) -> list[Section]:
    """Return the pages that are `named` and known: (kind, name) each, in that order."""
    wanted = [one for one in dict.fromkeys(named) if one in pages]
    anchors = {one: anchor(*one) for one in wanted}
    return [
        Section(kind, name, anchors[kind, name], _html(pages[kind, name], anchors))
        for kind, name in wanted
    ]


def anchor(kind: str, name: str) -> str:
    """Return the id of the section of a page."""
    return f"page-{kind}-{re.sub('[^a-z0-9_-]', '-', name.lower())}"


def _html(page: str, anchors: Mapping[tuple[str, str], str]) -> Markup:
    # "js-default" lets no HTML through; what is ours is still read as if it were not.
    reader = MarkdownIt("js-default", {"html": False, "linkify": False})
    body = block(page).partition("\n")[2]  # without its title: the section has one
    tokens = reader.parse(body)
    for token in tokens:
        if token.tag in ("h1", "h2", "h3"):
            token.tag = f"h{min(int(token.tag[1]) + _DEEPER, 6)}"
        token.children = _linked(token.children or [], anchors) if token.children else None
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def _linked(tokens: list[Token], anchors: Mapping[tuple[str, str], str]) -> list[Token]:
    # A file that is no section here leads nowhere from a page that stands alone: text is left.
    kept = []
    dropping = False
    for token in tokens:
        if token.type == "image":
            token.type, token.tag, token.children = "text", "", None
        if token.type == "link_open":
            target = _target(str(token.attrGet("href") or ""), anchors)
            dropping = target is None
            if target is not None:
                token.attrSet("href", target)
                token.attrSet("rel", "noreferrer")
        if not (dropping and token.type in ("link_open", "link_close")):
            kept.append(token)
        if token.type == "link_close":
            dropping = False
    return kept


def _target(href: str, anchors: Mapping[tuple[str, str], str]) -> str | None:
    if href.startswith("https://"):
        return href
    path = PurePosixPath(href.partition("#")[0])
    same = (name for (_, page), name in anchors.items() if page == path.stem)
    return next((f"#{name}" for name in same), None) if path.suffix == ".md" else None
