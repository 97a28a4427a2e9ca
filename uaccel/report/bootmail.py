# SPDX-License-Identifier: GPL-2.0-only
"""What was booted as a part of a commit message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uaccel.model.boot import Booted, BootRun
from uaccel.report.boot import known, meanings, percent, unknown
from uaccel.report.message import ascii_only, cut, joined, wrapped

_HEAD = ("way of writing", "instructions", "open/close", "share")
_LEFT = 24  # columns of the first one


def text(booted: Booted) -> str:
    """Return what was counted for a commit message; what is not known stands as unknown."""
    return joined(_parts(booted))


def _parts(booted: Booted) -> Iterator[list[str]]:
    version = booted.tree.version
    functions = dict.fromkeys(name for run in booted.runs for name, times in run.reached if times)
    whose = f" that reaches {' or '.join(functions)}" if functions else ""
    yield wrapped(
        f"Instructions of the kernel in a system call{whose}, and how often it opens or closes "
        f"user access, in Linux {version} under QEMU:"
    )
    groups: dict[tuple[str, str], list[BootRun]] = {}
    for run in booted.runs:
        groups.setdefault((run.machine, run.client), []).append(run)
    for group in groups.values():
        yield list(_table(group))
    yield [row for sentence in _sentences(booted) for row in wrapped(f"* {sentence}", "  ")]


def _table(group: Sequence[BootRun]) -> Iterator[str]:
    one = group[0]
    shared = any(run.share is not None for run in group)
    yield from wrapped(f"{one.machine}, {one.client} ({one.userland}), {one.toolchain}:")
    yield _row(_HEAD if shared else _HEAD[:-1])
    for run in group:
        figures = [known(run.instructions_per_call), known(run.toggles_per_call)]
        share = [percent(run.share)] if shared else []
        yield _row((ascii_only(run.style or "as it stands"), *figures, *share))


def _row(cells: Sequence[str]) -> str:
    return f"  {cut(cells[0], _LEFT):<{_LEFT}}" + "".join(f"{cell:>14}" for cell in cells[1:])


def _sentences(booted: Booted) -> Iterator[str]:
    yield from meanings(booted)
    yield from booted.alike
    yield from booted.notes
    yield from unknown(booted)
