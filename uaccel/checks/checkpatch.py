# SPDX-License-Identifier: GPL-2.0-only
"""The tree's own scripts/checkpatch.pl --strict must find nothing in the patch."""

from __future__ import annotations

import re

from uaccel.model.command import Command
from uaccel.model.judgement import Check, Evidence, Judgement, Outcome

# The last lines of process() in scripts/checkpatch.pl; "checks" only with --strict.
_TOTAL = re.compile(
    r"^total: (\d+) errors, (\d+) warnings, (?:(\d+) checks, )?(\d+) lines checked$", re.MULTILINE
)
_FINDING = re.compile(r"^(?:ERROR|WARNING|CHECK): .*$", re.MULTILINE)


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when checkpatch read the patch and found nothing, FAIL with its first finding."""
    command = evidence.command
    if command is None:
        return Judgement(Outcome.UNKNOWN, "checkpatch was not asked")
    total = _TOTAL.search(command.stdout)
    if total is None:
        return Judgement(Outcome.UNKNOWN, f"checkpatch gave no summary: {_said(command)}")
    errors, warnings, checks, lines = (int(number or 0) for number in total.groups())
    if lines == 0:
        return Judgement(Outcome.UNKNOWN, "checkpatch found no line to check")
    if errors or warnings or checks:
        first = _FINDING.search(command.stdout)
        counts = f"{errors} errors, {warnings} warnings, {checks} checks"
        return Judgement(Outcome.FAIL, f"{counts}: {first[0]}" if first else counts)
    return Judgement(Outcome.PASS, f"no error, no warning, no check in {lines} lines")


def _said(command: Command) -> str:
    lines = [line.strip() for line in command.stderr.splitlines() if line.strip()]
    return lines[0] if lines else f"it ended with status {command.status}"


CHECK = Check(summary="checkpatch.pl --strict finds nothing in the patch", judge=judge)
