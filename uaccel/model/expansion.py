# SPDX-License-Identifier: GPL-2.0-only
"""A cluster whose accesses stand in macros, and the C that stands there without them."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.rewrite import Edit
from uaccel.model.source import Cluster, Span


@dataclass(frozen=True, slots=True)
class Expansion:
    """What takes the place of the macro calls of one cluster."""

    cluster: Cluster
    calls: tuple[Span, ...]  # of macros, in the order of the text
    edits: tuple[Edit, ...]
