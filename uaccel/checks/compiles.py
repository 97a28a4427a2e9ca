# SPDX-License-Identifier: GPL-2.0-only
"""The compiler must make an object of the source."""

from __future__ import annotations

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome

_ERRORS = (": error: ", ": fatal error: ")


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when there is an object, else FAIL with the compiler's first error."""
    build = evidence.build
    if build is None:
        return Judgement(Outcome.UNKNOWN, "nothing was built")
    if build.path is None:
        return Judgement(Outcome.FAIL, _first_error(build.log))
    return Judgement(Outcome.PASS, "the compiler made an object of it")


def _first_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = (line for line in lines if any(word in line for word in _ERRORS))
    return next(errors, lines[0] if lines else "the compiler made no object and said nothing")


CHECK = Check(summary="the compiler makes an object of it", judge=judge)
