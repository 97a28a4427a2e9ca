# SPDX-License-Identifier: GPL-2.0-only
"""A dossier to a JSON document, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from uaccel import __version__
from uaccel.model.dossier import Dossier
from uaccel.report.plain import encodable

SCHEMA_VERSION = 1  # raised when a key changes its meaning or goes


def document(dossier: Dossier, schema: str = "uaccel-study") -> str:
    """Return the `study` document, ASCII only, with a newline at its end."""
    content = {
        "schema": {"name": schema, "version": SCHEMA_VERSION},
        "tool": {"name": "uaccel", "version": __version__},
        "tree": asdict(dossier.tree),
        "command": dossier.command,
        "clusters": [asdict(subject) for subject in dossier.subjects],
        "measurements": [asdict(measurement) for measurement in dossier.measurements],
        "verdicts": [
            {**asdict(verdict), "outcome": verdict.outcome.value} for verdict in dossier.verdicts
        ],
        "refusals": [asdict(refusal) for refusal in dossier.refusals],
        "patches": [_without(asdict(patch), "text") for patch in dossier.patches],
        "targets": [asdict(target) for target in dossier.targets],
        "unbuilt": [asdict(unbuilt) for unbuilt in dossier.unbuilt],
        "notes": list(dossier.notes),
        "builds": {"compiled": dossier.built, "reused": dossier.reused},
        "seconds": round(dossier.seconds, 3),
    }
    return json.dumps(_readable(content), indent=2) + "\n"


def _without(record: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in record.items() if name != key}


def _readable(value: object) -> object:
    # A lone surrogate is no text: readers of JSON refuse it, so its byte is spelled out.
    match value:
        case str():
            return encodable(value)
        case dict():
            return {key: _readable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_readable(inner) for inner in value]
    return value
