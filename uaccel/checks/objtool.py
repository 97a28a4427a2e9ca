# SPDX-License-Identifier: GPL-2.0-only
"""objtool, which follows every path of an x86 object, must have nothing to say."""

from __future__ import annotations

from uaccel.model.judgement import Check, Evidence, Judgement, Outcome


def judge(evidence: Evidence) -> Judgement:
    """Return PASS when objtool ran and was silent, FAIL with its first line when it was not."""
    build = evidence.build
    if build is None:
        return Judgement(Outcome.UNKNOWN, "nothing was built")
    if build.path is None:
        return Judgement(Outcome.UNKNOWN, "there is no object that objtool could look at")
    if build.objtool is None:
        return Judgement(Outcome.UNKNOWN, "objtool does not run on this architecture")
    if build.objtool.strip():
        return Judgement(Outcome.FAIL, _first_line(build.objtool))
    return Judgement(Outcome.PASS, "objtool has nothing to say")


def _first_line(said: str) -> str:
    # "sound/core/pcm_native.o: warning: objtool: ..." names the object, which is known here.
    line = next(line.strip() for line in said.splitlines() if line.strip())
    return line.partition("objtool: ")[2] or line


CHECK = Check(summary="objtool finds no window that is left open or closed twice", judge=judge)
