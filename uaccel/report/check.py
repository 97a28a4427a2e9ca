# SPDX-License-Identifier: GPL-2.0-only
"""What a check found, to text: lines that an editor or a build log follows, then the sums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import StringIO

from rich.console import RenderableType
from rich.text import Text

from uaccel.model.checked import Checked
from uaccel.model.flowgraph import Level
from uaccel.model.judged import Doubted, Found
from uaccel.report.paper import WIDE, console, hanging, pointed, stripped
from uaccel.report.plain import line

_STYLES = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "cyan"}
_NARROW = 80  # columns


def text(checked: Checked, *, color: bool, width: int, verbose: bool = False) -> str:
    """Return the whole report; what was not judged one by one only when `verbose`."""
    written = StringIO()
    narrow = console(written, color, max(width, _NARROW))
    wide = console(written, color, WIDE)
    doubts = checked.doubts if verbose else ()
    shown: tuple[Found | Doubted, ...] = (*checked.findings, *doubts)
    for one in shown:
        wide.print(_pointed(checked, one), soft_wrap=True)  # one line each: editors read it
    wide.print(Text(f"\n{_subject(checked)}"), soft_wrap=True)
    for part in _summary(checked, verbose):
        narrow.print(part, soft_wrap=False)
    again = Text.assemble(("again  ", "dim"), line(checked.command))
    wide.print(again, soft_wrap=True)
    return stripped(written)


def lines(checked: Checked) -> str:
    """Return the findings alone, as a compiler says them; files that were not judged too."""
    said = [_pointed(checked, one).plain for one in checked.findings]
    said += (
        f"{line(checked.name(one.path))}: warning: not judged: {line(one.why)}"
        for one in checked.skipped
    )
    return "".join(f"{one}\n" for one in said)


def rules(known: Mapping[str, str]) -> str:
    """Return one line for each rule: its name and what it asks."""
    width = max(map(len, known), default=0)
    return "".join(f"{name:{width}}  {line(asks)}\n" for name, asks in known.items())


def _pointed(checked: Checked, one: Found | Doubted) -> Text:
    where = (checked.name(one.place.file), one.place.line, one.place.column)
    if isinstance(one, Found):
        return pointed(where, (one.level.value, _STYLES[one.level]), one.message, one.rule)
    return pointed(where, ("note", "dim"), f"not judged: {one.why}", one.rule)


def _summary(checked: Checked, verbose: bool) -> Iterator[RenderableType]:
    yield Text.assemble(
        ("evidence  ", "dim"),
        "source (level 1): nothing built, no configuration asked",
    )
    counts = (_many(checked.of(level), level.value) for level in Level)
    style = "red" if checked.findings else "dim"
    yield hanging("!" if checked.findings else "-", ", ".join(counts), style)
    if checked.known:
        yield hanging("-", f"{_many(checked.known, 'finding')} of the baseline not shown", "dim")
    if checked.gone:
        said = f"{_many(checked.gone, 'finding')} of the baseline no longer there"
        yield hanging("-", said, "dim")
    if checked.doubts:
        hint = "" if verbose else "; -v lists them"
        yield hanging("!", f"{_many(len(checked.doubts), 'place')} not judged{hint}", "yellow")
    if checked.skipped:
        yield hanging("!", f"{_many(len(checked.skipped), 'file')} not judged", "yellow")
    looked = checked.looked
    files = f"{_many(looked.files, 'file')} looked at, {looked.holding} read"
    judged = f"{_many(looked.functions, 'function')}, {_many(looked.windows, 'window')}"
    yield Text(f"\n{files}: {judged}, {checked.seconds:.1f} s")


def _subject(checked: Checked) -> str:
    parts = (f"Linux {checked.tree.version}", checked.tree.path) if checked.tree else ("no tree",)
    patches = (f"with {patch}" for patch in checked.patches)
    return line("  ".join((*parts, *checked.targets, *patches)))


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
