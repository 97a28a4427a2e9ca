# SPDX-License-Identifier: GPL-2.0-only
"""What was converted to a JSON document, for programs."""

from __future__ import annotations

from dataclasses import asdict

from uaccel.model.series import Delivery, Done
from uaccel.report.json import dump, head


def document(delivery: Delivery) -> str:
    """Return the `convert` document, ASCII only, with a newline at its end."""
    content = {
        **head("uaccel-convert", delivery.tree, delivery.command),
        "clusters": [
            asdict(one.subject) | {"gain": _gain(one), "left": one.left} for _, one in delivery.done
        ],
        "patches": [asdict(one) for one in delivery.patches],
        "differences": [
            {"cluster": one.subject.id, "style": style, "what": text}
            for style, one in delivery.done
            for text in one.differences
        ],
        "refusals": [asdict(one) for one in delivery.refusals],
        "verdicts": [asdict(one) | {"outcome": one.outcome.value} for one in delivery.verdicts],
        "measurements": [asdict(one) for one in delivery.measurements],
        "notes": list(delivery.notes),
    }
    return dump(content)


def _cluster(one: Done) -> dict[str, object]:
    return asdict(one.subject) | {"gain": _gain(one), "left": one.left}


def _gain(one: Done) -> dict[str, object]:
    return {
        gain.arch: {"openings": gain.saved, "at_least": gain.at_least, "why": gain.why}
        for gain in one.gains
    }
