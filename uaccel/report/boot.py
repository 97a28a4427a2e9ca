# SPDX-License-Identifier: GPL-2.0-only
"""What was booted to text, for a person at a terminal or in a mail."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from uaccel.model.boot import Booted, BootRun
from uaccel.report.paper import WIDE, console, hanging, stripped, table, title
from uaccel.report.plain import block, line

_ROWS = 16  # of a run's symbols, unless all are asked for
_EVIDENCE = (
    "boot (level 4): real kernels in an emulator; instructions, not time, and no price of an "
    "opening or a closing: they are counted beside"
)


def text(booted: Booted, *, color: bool, width: int, verbose: bool = False) -> str:
    """Return the whole report; every symbol only when `verbose`."""
    written = StringIO()
    narrow = console(written, color, max(width, 40))
    wide = console(written, color, WIDE)
    for part in _parts(booted, verbose):
        (wide if isinstance(part, Table) else narrow).print(part, soft_wrap=False)
    for again in (*booted.comparisons, booted.command):
        wide.print(Text.assemble(("again  ", "dim"), line(again)), soft_wrap=True)
    return stripped(written)


def _parts(booted: Booted, verbose: bool) -> Iterator[RenderableType]:
    head = f"Linux {line(booted.tree.version)}"
    yield Text.assemble((head, "bold"), f"  {line(booted.tree.path)}")
    yield Text.assemble(("evidence  ", "dim"), _EVIDENCE)
    for run in booted.runs:
        yield from _symbols(run, verbose)
    for run in booted.runs:
        if run.chains:
            yield title("reached by", f"{run.client} on {run.machine}, {run.style or 'as it is'}")
            yield from (hanging("", " > ".join(chain), "dim") for chain in run.chains)
    for run in booted.runs:
        if len(run.calls) > 1:
            yield title(f"calls in {run.style or 'the tree as it stands'}", run.machine)
            yield _calls(run)
    if booted.notes:
        yield title("notes")
        yield from (hanging("-", note, "dim") for note in booted.notes)
    for run in booted.runs:
        if run.console:
            yield title(f"the console of {run.machine} with {run.style} ended with")
            yield Text(block(run.console))
    if booted.alike:
        yield title("what the client saw")
        yield from (hanging("-", sentence, "") for sentence in booted.alike)
    yield title("per call")
    yield _figures(booted)
    yield from (hanging("", sentence, "dim") for sentence in meanings(booted))
    yield from (hanging("?", why, "yellow") for why in unknown(booted))


def _symbols(run: BootRun, verbose: bool) -> Iterator[RenderableType]:
    if not run.symbols:
        return
    named = f"{run.instructions:,} instructions executed"
    yield title(f"{run.style or 'the tree as it stands'}, {run.client}", run.machine, named)
    shown = table("share", "instructions", "where", "symbol", whole=("symbol",))
    rows = run.symbols if verbose else run.symbols[:_ROWS]
    for one in rows:
        cells = (f"{one.percent:.2f} %", f"{one.instructions:,}", one.object, one.symbol)
        shown.add_row(*(Text(line(cell)) for cell in cells))
    yield shown


def _calls(run: BootRun) -> Table:
    shown = table("call", "returns", "instructions", "of them user's", "openings and closings")
    for one in run.calls:
        figures = (one.result, known(one.instructions), one.user_instructions, one.toggles)
        shown.add_row(Text(line(one.what)), *(Text(str(figure)) for figure in figures))
    return shown


def _figures(booted: Booted) -> Table:
    columns = ("machine", "client", "style", "compiler", "instructions", "openings and closings")
    shared = any(run.share is not None for run in booted.runs)
    shown = table(*columns, *(("share",) if shared else ()), "calls of the functions")
    for run in booted.runs:
        reached = ", ".join(f"{name} {times}" for name, times in run.reached if times)
        cells = (
            run.machine,
            f"{run.client} ({run.userland})",
            run.style or "as it stands",
            run.toolchain,
            known(run.instructions_per_call),
            known(run.toggles_per_call),
            *((percent(run.share),) if shared else ()),
            reached or ("none" if run.reached else "unknown"),
        )
        shown.add_row(*(Text(line(cell)) for cell in cells))
    return shown


def meanings(booted: Booted) -> Iterator[str]:
    """Yield what the shares of each machine are of: a sentence."""
    # A style may be inlined where another one is not: all symbols count in each.
    found: dict[str, list[BootRun]] = {}
    for run in booted.runs:
        if run.share is not None:
            found.setdefault(run.machine, []).append(run)
    for machine, runs in found.items():
        names = dict.fromkeys(name for run in runs for name in run.holders)
        whose = "its" if len(names) == 1 else "the function's"
        how = ", each repetition counted" if any(run.repetitions for run in runs) else ""
        yield (
            f"share on {machine}: {' and '.join(names)} with accessors and copy routines, of all "
            f"instructions{how} from {whose} first call to the end"
        )


def known(figure: int | None) -> str:
    """Return a figure as it is shown."""
    return "unknown" if figure is None else str(figure)


def percent(share: float | None) -> str:
    """Return a share, in percent, as it is shown."""
    return "unknown" if share is None else f"{share:.2f} %"


def unknown(booted: Booted) -> Iterator[str]:
    """Yield what was not built or is not known, and why: a sentence."""
    for style, unbuilt in booted.unbuilt:
        yield f"{unbuilt.arch}, {style or 'every style'}: {unbuilt.why}"
    for run in booted.runs:
        if run.why:
            yield f"{run.machine}, {run.style or 'as it stands'}: {run.why.splitlines()[0]}"
