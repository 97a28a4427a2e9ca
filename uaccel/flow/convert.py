# SPDX-License-Identifier: GPL-2.0-only
"""Write targets in one style as patches, checked before anybody sees them."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.edits import apply
from uaccel.flow.drafts import Draft, draft, needs_layouts
from uaccel.flow.ground import Ground
from uaccel.flow.patches import judge, patch
from uaccel.flow.study import declined
from uaccel.flow.targets import load
from uaccel.flow.trials import drafts, stands
from uaccel.model.dossier import Declined, Patch
from uaccel.model.judgement import Verdict
from uaccel.model.rewrite import Edit
from uaccel.model.source import Source


@dataclass(frozen=True, slots=True)
class Conversion:
    """One target in the style that was asked for."""

    target: str
    patch: Patch | None  # None when there is nothing to write
    source: Source  # the file as it stands
    edits: tuple[Edit, ...]  # what the style changes in it
    refusals: tuple[Declined, ...]
    verdicts: tuple[Verdict, ...]  # what git and checkpatch say of the patch


def convert(ground: Ground, named: tuple[str, ...], style: str) -> tuple[Conversion, ...]:
    """Return each target written in `style`; struct layouts are built for when it needs them."""
    targets = load(ground.tree, named)
    needy = tuple(target for target in targets if needs_layouts(target, style))
    standing = {stand.target.name: stand for stand in stands(ground, needy)} if needy else {}
    made: list[Draft] = []
    for target in targets:
        stand = standing.get(target.name)
        made += drafts(stand, (style,)) if stand is not None else (draft(target, style, ()),)
    return tuple(_conversion(ground, one) for one in made)


def rewritten(made: tuple[Conversion, ...]) -> tuple[tuple[str, bytes], ...]:
    """Return each file that changes with its whole new text, all its conversions applied."""
    sources = {str(one.source.path): one.source for one in made if one.edits}
    return tuple(
        (path, apply(source.text, _edits_of(made, path))) for path, source in sources.items()
    )


def _edits_of(made: tuple[Conversion, ...], path: str) -> tuple[Edit, ...]:
    return tuple(edit for one in made if str(one.source.path) == path for edit in one.edits)


def _conversion(ground: Ground, made: Draft) -> Conversion:
    written = patch(made) if made.rewrites else None
    opinions = judge(ground.tree, ground.store, made, written.text) if written else ()
    verdicts = tuple(
        Verdict(check, made.target.name, made.style, None, said.outcome, said.why)
        for check, said in opinions
    )
    edits = tuple(edit for rewrite in made.rewrites for edit in rewrite.edits)
    source = made.target.reading.source
    refusals = tuple(declined(made))
    return Conversion(made.target.name, written, source, edits, refusals, verdicts)
