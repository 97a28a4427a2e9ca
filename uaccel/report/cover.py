# SPDX-License-Identifier: GPL-2.0-only
"""The cover letter of a series: what it converts, what it leaves and why, file by file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from uaccel.model.dossier import Declined, Tree
from uaccel.model.series import Done, Letter
from uaccel.report.letter import SUBJECT, counted, does, wrapped
from uaccel.report.mail import stat

_COLUMNS = ("functions", "clusters", "accesses", "saved")


def subject(prefix: str, style: str) -> str:
    """Return the subject of the whole series."""
    what = does(style)
    text = f"{prefix}: {what}" if prefix else what[:1].upper() + what[1:]
    return text if len(text) <= SUBJECT else what


def body(
    tree: Tree, letters: tuple[Letter, ...], refusals: tuple[Declined, ...], clean: bool
) -> str:
    """Return what the cover letter says, with the diffstat of all at its end.

    `clean` is whether every patch applies upon those before it and checkpatch is silent.
    """
    done = tuple(one for letter in letters for one in letter.done)
    changes = tuple(change for letter in letters for change in letter.changes)
    style = letters[0].style
    parts = [
        wrapped(
            f"This series writes {counted(len(done), 'cluster')} of user accesses in the style "
            f'"{style}". It was made on Linux {tree.version} by uaccel, which rewrites the source '
            f"and reads the result again."
        ),
        "\n".join(_table(done)),
        *_saved(done),
        *_refused(refusals),
        "\n\n".join(_state(letters, clean)),
        stat(changes).rstrip("\n"),
    ]
    return "\n\n".join(parts)


def _table(done: tuple[Done, ...]) -> Iterator[str]:
    files: dict[str, list[Done]] = defaultdict(list)
    for one in done:
        files[one.subject.file].append(one)
    yield f"  {'':<32}" + "".join(f"{name:>10}" for name in _COLUMNS)
    for file, mine in files.items():
        yield from _row(file, tuple(mine))
    if len(files) > 1:
        yield from _row("in all", done)


def _row(name: str, done: tuple[Done, ...]) -> Iterator[str]:
    functions = len({(one.subject.file, one.subject.function) for one in done})
    accesses = sum(one.subject.accesses for one in done)
    best = max((total for total in _totals(done).values() if total is not None), default=None)
    cells = (functions, len(done), accesses, "?" if best is None else best)
    if len(name) > 32:
        yield f"  {name}"
        name = ""
    yield f"  {name:<32}" + "".join(f"{cell:>10}" for cell in cells)


def _saved(done: tuple[Done, ...]) -> Iterator[str]:
    totals = _totals(done)
    if not totals:
        yield wrapped("How many openings are saved the source does not tell for this style.")
        return
    groups: dict[int | None, list[str]] = defaultdict(list)
    for arch, total in totals.items():
        groups[total].append(arch)
    ordered = sorted(groups.items(), key=lambda item: -1 if item[0] is None else item[0])
    said = (
        f"{'not known' if total is None else total} on {', '.join(arches)}"
        for total, arches in reversed(ordered)
    )
    yield wrapped(
        f"saved: openings of user memory that one pass through the clusters saves, counted in the "
        f"source, on the architecture that gains most: {'; '.join(said)}."
    )


def _totals(done: tuple[Done, ...]) -> dict[str, int | None]:
    totals: dict[str, int | None] = {}
    for one in done:
        for gain in one.gains:
            known = totals.get(gain.arch, 0)
            totals[gain.arch] = None if known is None or gain.saved is None else known + gain.saved
    return totals


def _refused(refusals: tuple[Declined, ...]) -> Iterator[str]:
    if not refusals:
        yield "No cluster was refused."
        return
    yield wrapped(f"Left as they stand: {counted(len(refusals), 'cluster')}, and why:")
    reasons = Counter(one.why for one in refusals)
    lines = (
        wrapped(why.replace("`", ""), f"  {times:>4}  ", " " * 8)
        for why, times in reasons.most_common()
    )
    yield "\n".join(lines)


def _state(letters: tuple[Letter, ...], clean: bool) -> Iterator[str]:
    if clean:
        yield wrapped(
            "Each patch applies upon those before it, and checkpatch.pl --strict has nothing to "
            "say."
        )
    if any(letter.counted for letter in letters):
        yield wrapped("The figures stand in the patches; they were counted in objects, not run.")
    else:
        yield wrapped("Nothing was built and nothing was measured.")
