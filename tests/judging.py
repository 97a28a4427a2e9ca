# SPDX-License-Identifier: GPL-2.0-only
"""C that says itself what is found in it, and a judge that believes it: for all but the rules."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from uaccel.flow.judge import Ground
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Doubted, Found, Judged

_SAYS = re.compile(r"/\* (error|warning|note|doubt) (\S+) \*/")
_FUNCTION = re.compile(r"^\w.*?(\w+)\(")

OPEN = """\
// SPDX-License-Identifier: GPL-2.0-only
static long toy_leaves(int __user *to)
{
	if (!user_write_access_begin(to, 4)) /* error missing-end */
		return -EFAULT;
	unsafe_put_user(1, to, fault); /* warning wrong-mode */
fault:
	return -EFAULT; /* doubt wrong-mode */
}

static long toy_notes(int __user *to)
{
	user_write_access_end(); /* note missing-end */
}
"""
SHUT = "int user_access_begin(void);\n"


def judge_file(ground: Ground, path: str, text: bytes) -> Judged:
    """Return what the comments of `text` say; some make a judge hang, die or fall too deep."""
    _suffer(text)
    findings, doubts = [], []
    for place, function, line in _lines(path, text.decode(errors="surrogateescape")):
        for word, rule in _SAYS.findall(line):
            if rule not in ground.rules:
                continue
            if word == "doubt":
                doubts.append(Doubted(rule, function, place, "it is odd"))
            else:
                said = f"{function}() is {word}"
                findings.append(Found(rule, function, place, Level(word), said, line.strip()))
    return Judged(path, len(findings), 1, tuple(findings), tuple(doubts))


def grow(tree: Path) -> Path:
    """Return the file in `tree` that has findings, beside those that have none."""
    (tree / "drivers/toy/shut.c").write_text(SHUT)
    place = tree / "drivers/toy/open.c"
    place.write_text(OPEN)
    return place


def _lines(path: str, text: str) -> Iterator[tuple[Place, str, str]]:
    function = ""
    for number, line in enumerate(text.split("\n"), start=1):
        match = _FUNCTION.match(line)
        function = match[1] if match else function
        yield Place(path, number, len(line) - len(line.lstrip()) + 1), function, line


def _suffer(text: bytes) -> None:
    if b"/* hangs */" in text:
        time.sleep(60)
    if b"/* spins */" in text:
        while True:
            pass
    if b"/* dies */" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"/* deep */" in text:
        raise RecursionError("maximum recursion depth exceeded")
