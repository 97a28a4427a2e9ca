# SPDX-License-Identifier: GPL-2.0-only
"""Write targets in one style as patches, checked before anybody sees them."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.flow.drafts import Draft, draft, needs_layouts
from uaccel.flow.ground import Ground
from uaccel.flow.patches import judge, patch
from uaccel.flow.study import declined
from uaccel.flow.targets import Target, load
from uaccel.flow.trials import drafts, stands
from uaccel.model.dossier import Declined, Patch
from uaccel.model.judgement import Verdict


@dataclass(frozen=True, slots=True)
class Conversion:
    """One target in the style that was asked for."""

    target: str
    patch: Patch | None  # None when there is nothing to write
    text: bytes  # of the whole file, rewritten
    refusals: tuple[Declined, ...]
    verdicts: tuple[Verdict, ...]  # what git and checkpatch say of the patch


def convert(ground: Ground, named: tuple[str, ...], style: str) -> tuple[Conversion, ...]:
    """Return each target written in `style`; struct layouts are built for when it needs them."""
    targets = load(ground.tree, named)
    return tuple(_conversion(ground, _draft(ground, target, style)) for target in targets)


def _draft(ground: Ground, target: Target, style: str) -> Draft:
    if not needs_layouts(target, style):
        return draft(target, style, ())
    (stand,) = stands(ground, (target,))
    (made,) = drafts(stand, (style,))
    return made


def _conversion(ground: Ground, made: Draft) -> Conversion:
    written = patch(made) if made.rewrites else None
    opinions = judge(ground.tree, ground.store, made, written.text) if written else ()
    verdicts = tuple(
        Verdict(check, made.target.name, made.style, None, said.outcome, said.why)
        for check, said in opinions
    )
    return Conversion(made.target.name, written, made.text, tuple(declined(made)), verdicts)
