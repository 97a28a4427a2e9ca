# SPDX-License-Identifier: GPL-2.0-only
"""Judge the windows of one file by every rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import uaccel.rules
from uaccel.catalog import catalog
from uaccel.flow.vicinity import Vicinity, around_layouts, inlined, vicinity
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Begin, Call, Doubt, Finding, Graph, Place, Touch, Walked
from uaccel.model.judged import Doubted, Found, Judged, Rule, Unit
from uaccel.read.flowfile import FileFlow, opened_by, read_flow
from uaccel.read.writtenout import File
from uaccel.walking import needing, walk

RULES: Mapping[str, Rule] = {
    name.replace("_", "-"): rule for name, rule in catalog(uaccel.rules, Rule).items()
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a file is judged with: its tree, when it stands in one."""

    tree: Tree | None
    given: Mapping[str, bytes] = field(default_factory=dict)  # texts that replace files of it
    rules: tuple[str, ...] = tuple(RULES)  # that are asked


def prepare(ground: Ground) -> None:
    """Return when what all files are judged with is at hand: before others are forked off."""
    judge_file(ground, "", b"")


def judge_file(ground: Ground, path: str, text: bytes) -> Judged:
    """Return what the rules find in the file at `path` of the tree, whose bytes are `text`."""
    around = vicinity(ground.tree, opened_by(path, text), ground.given)
    return judge_beside(ground, path, text, around)


def judge_beside(ground: Ground, path: str, text: bytes, around: Vicinity) -> Judged:
    """Return what the rules find in a file, whose bytes are `text`, that stands in `around`."""
    file = opened_by(path, text)
    flow = read_flow(file, around.helpers)
    walked = walk(flow.graphs)
    lines = _Lines((file, *around.helpers.files))
    findings: dict[tuple[str, Place], Found] = {}
    doubts = [
        Doubted("", name, one.place, one.why)
        for name, one in zip(flow.functions, flow.doubts, strict=True)
    ]
    for unit in _units(ground, file, around, flow, walked):
        name = unit.walked.graph.function
        for rule, one in _asked(ground, unit):
            if isinstance(one, Doubt):
                doubts.append(Doubted(rule, name, one.place, one.why))
                continue
            text_ = lines.text(one.place)
            found = Found(rule, name, one.place, one.level, one.message, text_)
            findings.setdefault((rule, one.place), found)
    own = walked[: flow.own]
    return Judged(
        path=path,
        functions=len({one.graph.place for one in own}),
        windows=len({place for one in own for place in _begins(one.graph)}),
        findings=tuple(sorted(findings.values(), key=lambda one: (one.place, one.rule))),
        doubts=tuple(dict.fromkeys(doubts)),
    )


def _asked(ground: Ground, unit: Unit) -> Iterator[tuple[str, Finding | Doubt]]:
    for name in ground.rules:
        yield from ((name, one) for one in RULES[name].ask(unit))


def _units(
    ground: Ground, file: File, around: Vicinity, flow: FileFlow, walked: tuple[Walked, ...]
) -> Iterator[Unit]:
    others = {one.graph.key: one for one in walked}
    needy = needing(walked)
    own = {one.graph.function for one in walked}
    named = {name for one in walked[: flow.own] for name in _called_inside(one)}
    known = inlined(ground.tree, file, named - own, ground.given)
    for one in walked[: flow.own]:
        layouts = around_layouts(ground.tree, file, one.graph)
        yield Unit(
            *(one, others, layouts, known, needy),
            directed=around.directed,
            apart=around.apart,
            landed=around.landed,
        )


def _called_inside(walked: Walked) -> Iterator[str]:
    for step, states in zip(walked.graph.steps, walked.states, strict=True):
        if not any(state.open for state in states):
            continue
        if isinstance(step.does, Call):
            yield step.does.name
        elif isinstance(step.does, Touch):
            yield from step.does.calls


def _begins(graph: Graph) -> Iterator[Place]:
    return (step.place for step in graph.steps if isinstance(step.does, Begin))


class _Lines:
    """The lines of some files."""

    def __init__(self, files: tuple[File, ...]) -> None:
        self._files = {one.path: one for one in files}
        self._lines: dict[str, list[bytes]] = {}

    def text(self, place: Place) -> str:
        """Return the line at `place`, without comments and without blanks around it."""
        file = self._files.get(place.file)
        if file is None:
            return ""
        lines = self._lines.setdefault(place.file, file.clean.split(b"\n"))
        line = lines[place.line - 1] if place.line <= len(lines) else b""
        return line.decode(errors="replace").strip()
