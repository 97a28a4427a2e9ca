# SPDX-License-Identifier: GPL-2.0-only
"""What a style decides: edits, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from uaccel.model.dialect import Dialect
from uaccel.model.source import Cluster, Function, Layouts, Span


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes of `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A cluster written in another style."""

    cluster: Cluster
    edits: tuple[Edit, ...]
    differences: tuple[str, ...]  # one sentence each: what a user program could notice
    outside: tuple[tuple[PurePosixPath, Edit], ...] = ()  # of other files compiled with this one


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a style leaves a cluster alone: one sentence, shown in the report."""

    cluster: Cluster
    why: str


@dataclass(frozen=True, slots=True)
class Style:
    """A way to write a cluster.  Named after its module."""

    summary: str
    needs_layouts: bool  # plan() asks how structs are laid out even for scalar accesses
    plan: Callable[[Function, tuple[Layouts, ...], Dialect], tuple[Rewrite | Refusal, ...]]
    # one answer per cluster, in their order; the edits of all rewrites are applied together
