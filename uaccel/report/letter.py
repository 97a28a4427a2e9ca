# SPDX-License-Identifier: GPL-2.0-only
"""What a mail says of its patch: subject and body, no line of the body over 75 columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from uaccel.lending import COPY
from uaccel.model.judgement import Measurement
from uaccel.model.series import Done, Letter
from uaccel.report.plain import line

WIDTH = 74  # columns; checkpatch speaks up at 76
SUBJECT = 75  # columns of a subject without its "[PATCH n/m]"

# What a patch does, in the imperative; a style that is not named here is named by itself.
_DOES = {
    "fieldwise": "access user memory field by field",
    "window": "use user access windows",
    "scoped": "use scoped user access",
    "masked": "use masked user access windows",
    "structcopy": "copy user structs as a whole",
    "helper": "share user access macros",
}
_COUNTED = (("path_instructions", "instructions"), ("path_toggles", "openings + closings"))


def does(style: str) -> str:
    """Return what writing a cluster in `style` is called, in the imperative."""
    return _DOES.get(style, f"write user accesses as {style}")


def subject(prefix: str, capital: bool, style: str, done: tuple[Done, ...]) -> str:
    """Return the subject: what is done and, where that fits into 75 columns, in what."""
    what = does(style)
    what = what[:1].upper() + what[1:] if capital or not prefix else what
    start = f"{prefix}: " if prefix else ""
    functions = tuple(dict.fromkeys(one.subject.function for one in done))
    files = tuple(dict.fromkeys(one.subject.file for one in done))
    places = [f" in {' and '.join(f'{name}()' for name in functions)}"] * (len(functions) <= 2)
    names = [file.rpartition("/")[2] for file in files]
    told = any(prefix.endswith(f": {name.rpartition('.')[0]}") for name in names)
    places += [f" in {names[0]}"] * (len(files) == 1 and not told)
    fitting = (f"{start}{what}{place}" for place in (*places, ""))
    return next(text for text in fitting if len(text) <= SUBJECT or text.endswith(what))


def lending(prefix: str, capital: bool) -> str:
    """Return the subject of the patch that brings what later ones use."""
    what = "Provide" if capital or not prefix else "provide"
    return f"{prefix}{': ' if prefix else ''}{what} {COPY}() for every architecture"


def body(letter: Letter) -> str:
    """Return the text below the subject, without a newline at its end."""
    if letter.lacking:
        return "\n\n".join(_lending(letter.lacking))
    parts = (
        _intro(letter),
        "\n".join(_functions(letter.done)),
        *_differences(letter.done),
        *(_figures(letter) if letter.counted else (_NOT_MEASURED,)),
    )
    return "\n\n".join(parts)


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    """Return `text` in lines of a mail."""
    return fill(
        line(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def counted(number: int, what: str) -> str:
    """Return `number` of `what`, in the plural where it takes one."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"


def _lending(lacking: tuple[str, ...]) -> Iterator[str]:
    names = " and ".join(lacking)
    yield wrapped(
        f"Code for all architectures cannot copy from user memory within a window: {names} "
        f"{'opens' if len(lacking) == 1 else 'open'} windows with user_access_begin() and "
        f"{'has' if len(lacking) == 1 else 'have'} no {COPY}()."
    )
    yield wrapped(
        "Build it of unsafe_get_user() where an architecture has none of its own, as "
        "unsafe_copy_to_user() is built of unsafe_put_user() there. Architectures that have their "
        "own, and those that open no windows, keep what they have."
    )
    yield wrapped(
        "Nothing uses it there until the patches behind this one. They need it for each small "
        "copy that stands among single accesses."
    )


_NOT_MEASURED = "Nothing was measured for this patch: it was neither built nor run."


def _intro(letter: Letter) -> str:
    done = letter.done
    forms = " and ".join(f'"{form}"' for form in sorted({one.subject.form for one in done}))
    accesses = counted(sum(one.subject.accesses for one in done), "user access")
    clusters = counted(len(done), "cluster")
    return wrapped(
        f'Write {accesses} in {clusters} in the style "{letter.style}"; until now they stand as '
        f"{forms}:"
    )


def _functions(done: tuple[Done, ...]) -> Iterator[str]:
    several = len({one.subject.file for one in done}) > 1
    for (file, function), group in groupby(done, lambda d: (d.subject.file, d.subject.function)):
        ways = Counter[str]()
        left = 0
        for one in group:
            ways[one.subject.direction] += one.subject.accesses
            left += one.left
        said = ", ".join(counted(number, way) for way, number in ways.items())
        said += f", {left} of them left outside" if left else ""
        place = f" in {file}" if several else ""
        yield wrapped(f"{function}(){place}: {said}", "  ", "    ")


def _differences(done: tuple[Done, ...]) -> Iterator[str]:
    said = tuple(dict.fromkeys(text for one in done for text in one.differences))
    if not said:
        yield "Nothing changes that a user program could notice."
        return
    listed = (wrapped(_plain(text), "* ", "  ") for text in said)
    yield "\n".join(("What a user program could notice:", "", *listed))


def _figures(letter: Letter) -> Iterator[str]:
    benches = dict.fromkeys((m.arch, m.compiler, m.config) for m in letter.measurements)
    if not benches:
        yield wrapped("Figures were asked for, and nothing could be built to count them in.")
        return
    units = ", in brackets ".join(unit for _, unit in _COUNTED)
    yield wrapped(
        f"What the path without a fault executes, counted in the objects that Kbuild made: "
        f"{units}.  Nothing was run."
    )
    yield "\n".join(row for one in letter.done for row in _rows(letter, one, tuple(benches)))
    yield "\n".join(
        wrapped(f"{arch}: {compiler}, {config}", "  ", "    ") for arch, compiler, config in benches
    )


def _rows(letter: Letter, one: Done, benches: tuple[tuple[str, str, str], ...]) -> Iterator[str]:
    figures = {(m.cluster, m.style, m.arch, m.what): m for m in letter.measurements}
    seen = one.subject
    yield wrapped(f"{seen.function}(), {counted(seen.accesses, seen.direction)}:", "  ", "    ")
    absent = {m.arch for m in letter.measurements if m.cluster == seen.id and m.absent}
    if absent:
        yield wrapped(f"not compiled on {', '.join(sorted(absent))}", "    ")
    for arch, _, _ in (bench for bench in benches if bench[0] not in absent):
        (before, opened), (after, opens) = (
            [_value(figures.get((seen.id, style, arch, what))) for what, _ in _COUNTED]
            for style in (seen.form, letter.style)
        )
        yield f"    {arch:<12} {before:>6} ({opened}) -> {after} ({opens})"


def _value(figure: Measurement | None) -> str:
    if figure is None or (figure.value is None and figure.at_least is None):
        return "?"
    return str(figure.value) if figure.value is not None else f">= {figure.at_least}"


def _plain(text: str) -> str:
    # A commit message is no Markdown.
    return re.sub(r"`([^`]*)`", r"\1", text)
