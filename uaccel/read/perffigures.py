# SPDX-License-Identifier: GPL-2.0-only
"""Figures as perf prints them in several languages: 1,234.5 and 1.234,5 and 1 234,5."""

from __future__ import annotations

import re

_GROUP = 3  # digits between separators of thousands


def number(text: str, decimal: bool = False) -> float | None:
    """Return the figure that `text` is, None when it is none.

    One separator before three digits parts thousands, unless the figure is known to be `decimal`:
    perf prints counts without a fraction, and never with three digits of one.
    """
    bare = text.strip().replace(" ", "").replace("'", "").rstrip(".,")
    if not re.fullmatch(r"\d+(?:[.,]\d+)*", bare):
        return None
    marks = re.findall(r"[.,]", bare)
    if not marks:
        return float(bare)
    last = marks[-1]
    behind = len(bare) - bare.rindex(last) - 1
    if marks.count(last) > 1 or (len(set(marks)) == 1 and behind == _GROUP and not decimal):
        return float(re.sub(r"[.,]", "", bare))
    whole, _, fraction = bare.rpartition(last)
    return float(f"{re.sub('[.,]', '', whole)}.{fraction}")
