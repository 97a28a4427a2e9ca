# SPDX-License-Identifier: GPL-2.0-only
"""The frame of a page: one file that fetches nothing and runs nothing but what stands here."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from uaccel.report.plain import block

_STYLES = ("page.css",)
_COMMON = "common.js"


def page(template: str, scripts: tuple[str, ...], content: object, **facts: object) -> str:
    """Return a page: `template` filled with `facts`, `content` as JSON for `scripts` to show."""
    style = _joined(_STYLES)
    script = _joined((_COMMON, *scripts))
    # By hash: even a script that slipped through all escaping would not run.
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        f"base-uri 'none'; form-action 'none'"
    )
    return _ENVIRONMENT.get_template(template).render(
        policy=policy,
        style=Markup(style),
        script=Markup(script),
        content=island(content),
        **facts,
    )


def island(content: object) -> Markup:
    """Return `content` as JSON that may stand in a script element, ASCII only."""
    text = json.dumps(_plain(content), separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def ticked(text: str) -> Markup:
    """Return a sentence of ours with what stands in backticks as code."""
    # As plain text: what joins markup would escape our own elements too.
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(block(text)))))


def figure(value: float) -> str:
    """Return a count or a time as a person reads it: "123,456,789", "0.0342"."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1e6 else f"{value:,.6g}"


def _plain(value: object) -> object:
    match value:
        case str():
            return block(value)
        case dict():
            return {block(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    return value


def _shown(value: object) -> object:
    # Of every expression of a template, before it is escaped; what is markup is our own.
    return block(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _joined(names: tuple[str, ...]) -> str:
    return "\n" + "\n".join(_LOADER.get_source(_ENVIRONMENT, name)[0] for name in names)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


_LOADER: BaseLoader = PackageLoader("uaccel.report")
_ENVIRONMENT = Environment(
    loader=_LOADER,
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"ticked": ticked, "figure": figure}
