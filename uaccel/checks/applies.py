# SPDX-License-Identifier: GPL-2.0-only
"""The patch must apply to the tree as it is: `git apply --check`."""

from __future__ import annotations

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when git takes the patch, FAIL with git's first error when it does not."""
    command = evidence.command
    if command is None:
        return Judgement(Outcome.UNKNOWN, "the patch was not tried on the tree")
    if "Skipped patch" in command.stderr:
        return Judgement(Outcome.UNKNOWN, "git skipped the file: another repository is around it")
    if command.status == 0:
        return Judgement(Outcome.PASS, "git apply --check takes it")
    lines = [line.strip() for line in command.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    if errors:
        return Judgement(Outcome.FAIL, errors[0].removeprefix("error: "))
    said = lines[0] if lines else "nothing"
    return Judgement(Outcome.UNKNOWN, f"git ended with status {command.status} and said: {said}")


CHECK = Check(summary="git apply --check takes the patch", judge=judge)
