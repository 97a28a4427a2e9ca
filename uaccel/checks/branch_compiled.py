# SPDX-License-Identifier: GPL-2.0-only
"""Some build at hand must compile the lines that a patch touches."""

from __future__ import annotations

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when an object holds code of the cluster's lines, UNKNOWN when none does."""
    if evidence.compiled_on is None:
        return Judgement(Outcome.UNKNOWN, "nothing was built")
    if not evidence.compiled_on:
        return Judgement(Outcome.UNKNOWN, "no configuration at hand compiles these lines")
    return Judgement(Outcome.PASS, f"compiled on {', '.join(evidence.compiled_on)}")


CHECK = Check(summary="the lines that a patch touches are compiled somewhere", judge=judge)
