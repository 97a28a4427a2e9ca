# SPDX-License-Identifier: GPL-2.0-only
"""Sheets of bars, drawn as SVG and PNG: the same bytes for the same figures, on every machine.

They are for mails: at most 1150 pixels wide, told apart by hatches where colours are not seen.
"""

from __future__ import annotations

import io
import textwrap
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uaccel.report.plain import line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Plot = tuple[str, bytes, bytes]  # name, SVG, PNG

# Okabe and Ito's colours, which colour-blind people tell apart; each with a hatch of its own.
_LOOKS = (
    ("#0072B2", ""),
    ("#E69F00", "////"),
    ("#009E73", "...."),
    ("#CC79A7", "\\\\\\\\"),
    ("#56B4E9", "xxxx"),
    ("#D55E00", "----"),
    ("#F0E442", "++++"),
    ("#999999", "oo"),
)
_INK, _QUIET = "#1b1f24", "#59636e"
_DPI = 100
_WIDEST, _NARROWEST = 11.5, 6.5  # inches, as all below
_LEFT, _RIGHT = 0.75, 0.15
_PANEL, _BETWEEN = 1.65, 0.75
_TITLE, _ROW, _NOTE = 0.35, 0.24, 0.17
_LETTERS = 14.5  # of a note, on an inch
_BOLD = 9.4  # of a title, likewise
_STYLE: Any = {
    "text.parse_math": False,  # a `$` in a name is a `$`
    "text.usetex": False,
    "svg.hashsalt": "uaccel",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],  # matplotlib brings it along
    "hatch.linewidth": 0.6,
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure."""

    series: int  # index into `Sheet.series`
    value: float | None  # None: it is not known
    told: str  # "80", ">= 19", "?"
    least: bool = False  # it is a lower bound
    low: float | None = None  # of several runs, the smallest and the largest
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that stand together."""

    label: str
    bars: tuple[Bar, ...]
    floor: float | None = None  # what none of them can be below; None: not known


@dataclass(frozen=True, slots=True)
class Panel:
    """One kind of figure."""

    title: str
    unit: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is drawn into one picture."""

    name: str  # of its files, without a suffix
    title: str
    series: tuple[str, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    room: float = 1.1  # inches for a group, as far as the widest sheet has them


def draw(sheet: Sheet) -> Plot:
    """Return the name of `sheet`, its picture as SVG, and as PNG."""
    import matplotlib as mpl  # noqa: PLC0415 - a second that only those wait for who want plots
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box
        mpl.rcdefaults()  # whatever a matplotlibrc of the user's says
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(_width(sheet), _height(sheet)), dpi=_DPI, facecolor="white")
        _compose(figure, sheet)
        title = plain(sheet.title)
        svg = _saved(figure, "svg", {"Date": None, "Creator": "uaccel", "Title": title})
        png = _saved(figure, "png", {"Software": None, "Title": title})
    return sheet.name, svg, png


def plain(text: str) -> str:
    """Return `text` on one line, in letters that every font has."""
    return line(text).encode("ascii", "backslashreplace").decode()


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format=kind, dpi=_DPI, metadata=metadata)
    return written.getvalue()


def _notes(sheet: Sheet) -> list[str]:
    return [
        row
        for note in sheet.notes
        for row in textwrap.wrap(
            plain(note), int(_LETTERS * (_width(sheet) - _LEFT)), subsequent_indent="    "
        )
    ]


def _head(sheet: Sheet) -> float:
    return _TITLE + _ROW * _legend_rows(sheet) + 0.15


def _legend_rows(sheet: Sheet) -> int:
    entries = len(_drawn(sheet)) + _has_floors(sheet) + _has_bounds(sheet)
    return -(-entries // _columns(sheet))


def _has_floors(sheet: Sheet) -> bool:
    return any(group.floor is not None for panel in sheet.panels for group in panel.groups)


def _has_bounds(sheet: Sheet) -> bool:
    groups = (group for panel in sheet.panels for group in panel.groups)
    return any(bar.least for group in groups for bar in group.bars)


def _columns(sheet: Sheet) -> int:
    # What names of this length leave room for.
    longest = max((len(_named(sheet.series[at])) for at in _drawn(sheet)), default=0)
    return max(1, min(8, int(_width(sheet) / (0.75 + 0.085 * max(longest, 16)))))


def _drawn(sheet: Sheet) -> tuple[int, ...]:
    bars = (bar for panel in sheet.panels for group in panel.groups for bar in group.bars)
    return tuple(sorted({bar.series for bar in bars}))


def _named(series: str) -> str:
    return textwrap.shorten(plain(series), 60, placeholder="...")


def _width(sheet: Sheet) -> float:
    groups = max((len(panel.groups) for panel in sheet.panels), default=0)
    return min(_WIDEST, max(_NARROWEST, 1 + sheet.room * groups))


def _height(sheet: Sheet) -> float:
    panels = len(sheet.panels) * (_PANEL + _BETWEEN)
    return _head(sheet) + panels + _NOTE * len(_notes(sheet)) + 0.15


def _compose(figure: Figure, sheet: Sheet) -> None:
    width, height = _width(sheet), _height(sheet)
    title, most = plain(sheet.title), int(_BOLD * (width - _LEFT))
    if len(title) > most:  # its end tells more than its beginning: the function
        title = f"...{title[3 - most :]}"
    left = _LEFT / width
    figure.text(left, 1 - 0.22 / height, title, size=12, weight="bold", color=_INK, va="center")
    _legend(figure, sheet, height)
    top = height - _head(sheet)
    for panel in sheet.panels:
        bottom = top - 0.3 - _PANEL
        place = (left, bottom / height, 1 - (_LEFT + _RIGHT) / width, _PANEL / height)
        _panel(figure.add_axes(place), panel, width - _LEFT - _RIGHT)
        top -= _PANEL + _BETWEEN
    for at, note in enumerate(_notes(sheet)):
        y = (top - _NOTE * (at + 0.5)) / height
        figure.text(left, y, note, size=8, color=_QUIET, va="center")


def _legend(figure: Figure, sheet: Sheet, height: float) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    handles: list[Any] = [
        Patch(label=_named(sheet.series[at]), **_look(at)) for at in _drawn(sheet)
    ]
    if _has_floors(sheet):
        handles.append(Line2D([], [], color=_INK, linewidth=2, label="floor: the least possible"))
    if _has_bounds(sheet):
        handles.append(Patch(label=">= at least", **_look(None)))
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(_LEFT / _width(sheet), 1 - (_TITLE + 0.02) / height),
        ncols=_columns(sheet),
        frameon=False,
        fontsize=9,
        borderpad=0,
        borderaxespad=0,
        handlelength=2.2,
        handleheight=1.1,
    )


def _look(series: int | None, *, least: bool = False) -> dict[str, Any]:
    if series is None:
        return {"facecolor": "white", "edgecolor": _INK, "linestyle": "--", "linewidth": 0.8}
    colour, hatch = _LOOKS[series % len(_LOOKS)]
    if least:
        faint = f"{colour}40"
        return {"facecolor": faint, "edgecolor": _INK, "linestyle": "--", "linewidth": 0.8}
    return {"facecolor": colour, "edgecolor": "white", "hatch": hatch, "linewidth": 0.0}


def _panel(axes: Axes, panel: Panel, inches: float) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    most = max((top for group in panel.groups for top in _tops(group)), default=0) or 1
    series = max((1, *(len(group.bars) for group in panel.groups)))
    width = min(0.84 / series, 0.24)
    room = max(len(panel.groups), 1)
    crowded = inches / room * (width if series > 1 else 0.84) < 0.4  # inches for a figure
    for at, group in enumerate(panel.groups):
        start = at - width * (len(group.bars) - 1) / 2
        for number, bar in enumerate(group.bars):
            _bar(axes, bar, start + width * number, width, (most, crowded))
        if group.floor is not None:
            half = width * len(group.bars) / 2
            axes.hlines(group.floor, at - half, at + half, colors="white", linewidth=3.4, zorder=3)
            axes.hlines(group.floor, at - half, at + half, colors=_INK, linewidth=1.6, zorder=4)
    axes.set_xlim(-0.5, room - 0.5)
    axes.set_ylim(0, most / (1 - _above(panel, crowded) / _PANEL))
    axes.set_title(plain(panel.title), loc="left", size=10, color=_INK, pad=5)
    axes.set_ylabel(plain(panel.unit), size=9, color=_QUIET)
    labels = [_label(group.label, inches / room) for group in panel.groups]
    axes.set_xticks(range(len(labels)), labels, size=9, color=_INK)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
    axes.tick_params(axis="y", labelsize=8, colors=_QUIET, length=2)
    axes.tick_params(axis="x", length=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9aa4ae")
    axes.grid(axis="y", color="#e3e7eb", linewidth=0.7)
    axes.set_axisbelow(True)


def _above(panel: Panel, crowded: bool) -> float:
    # Inches that the figure on the highest bar may need.
    longest = max((len(bar.told) for group in panel.groups for bar in group.bars), default=0)
    return min(0.16 + 0.065 * longest, 0.5 * _PANEL) if crowded else 0.25


def _label(text: str, inches: float) -> str:
    rows = textwrap.wrap(plain(text), max(8, int(12 * inches)))[:3]
    return "\n".join(rows)


def _tops(group: Group) -> list[float]:
    values = [one for bar in group.bars for one in (bar.value, bar.high)]
    return [one for one in (*values, group.floor) if one is not None]


def _bar(axes: Axes, bar: Bar, at: float, width: float, scale: tuple[float, bool]) -> None:
    most, crowded = scale
    top = bar.value or 0.0
    if bar.value is not None:
        axes.bar(at, bar.value, width * 0.94, zorder=2, **_look(bar.series, least=bar.least))
    if bar.low is not None and bar.high is not None and bar.value is not None:
        reach = [[bar.value - bar.low], [bar.high - bar.value]]
        axes.errorbar(at, bar.value, reach, color=_INK, linewidth=1, capsize=2, zorder=5)
        top = bar.high
    axes.text(
        at,
        top + most * 0.025,
        plain(bar.told),
        size=7 if crowded else 8.5,
        rotation=90 if crowded and bar.value is not None else 0,
        ha="center",
        va="bottom",
        color=_INK,
        weight="bold" if bar.value is None else "normal",
        zorder=6,
    )
