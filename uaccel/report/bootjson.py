# SPDX-License-Identifier: GPL-2.0-only
"""What was booted as a JSON document, for programs."""

from __future__ import annotations

from dataclasses import asdict

from uaccel.model.boot import Booted, BootRun
from uaccel.report.json import dump, head


def document(booted: Booted) -> str:
    """Return the `boot` document, ASCII only, with a newline at its end."""
    content = {
        **head("uaccel-boot", booted.tree, booted.command),
        "runs": [_run(one) for one in booted.runs],
        "unbuilt": [
            {"style": style, "machine": one.arch, "why": one.why} for style, one in booted.unbuilt
        ],
        "notes": list(booted.notes),
        "comparisons": list(booted.comparisons),
        "alike": list(booted.alike),
        "seconds": round(booted.seconds, 3),
    }
    return dump(content)


def _run(one: BootRun) -> dict[str, object]:
    return {
        "style": one.style,
        "machine": one.machine,
        "client": one.client,
        "userland": one.userland,
        "compiler": one.toolchain,
        "way": one.way,
        "instructions_per_call": one.instructions_per_call,
        "toggles_per_call": one.toggles_per_call,
        "why": one.why,
        "share": None if one.share is None else round(one.share, 4),
        "share_of": list(one.holders),
        "instructions": one.instructions,
        "symbols": [
            {"name": share.symbol, "object": share.object, "percent": round(share.percent, 4)}
            | {"instructions": share.instructions}
            for share in one.symbols
        ],
        "calls": [asdict(call) for call in one.calls],
        "reached": [{"function": name, "times": times} for name, times in one.reached],
        "chains": [list(chain) for chain in one.chains],
        "profile": one.profile,
        "notes": list(one.notes),
        "console": one.console,
    }
