# SPDX-License-Identifier: GPL-2.0-only
"""Pictures for a mail: what is on them, the same each time, and nothing in them but shapes."""

from __future__ import annotations

import re
import struct
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests import invented
from uaccel.host.run import run
from uaccel.model.comparison import Comparison, Counted, Difference, Stands, Variant
from uaccel.model.comparison import Group as Cause
from uaccel.model.dossier import Dossier, Subject
from uaccel.report.panels import Bar, Group, Panel, Plot, Sheet, draw
from uaccel.report.plots import comparison_plots, comparison_sheets, plots, study_sheets

MARKUP = {"script", "image", "a", "foreignObject", "text"}


def written(svg: bytes) -> list[str]:
    """Return the words of a picture: letters are paths, and what they spell is said beside them."""
    said = re.findall(r"<!--(.*?)-->", svg.decode(), re.DOTALL)
    return [unescape(text).strip() for text in said]


def size(png: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG, in pixels."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def clean(plot: Plot) -> None:
    """Return after a picture was found to hold nothing but shapes."""
    name, svg, png = plot
    assert re.fullmatch(r"[\w-]+", name, re.ASCII)
    root = ElementTree.fromstring(svg)
    tags = {str(element.tag).rpartition("}")[2] for element in root.iter()}
    assert not tags & MARKUP
    links = {v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")}
    assert all(link.startswith("#") for link in links)
    assert not re.search(rb"<dc:date>|Software|matplotlib\.org", svg + png)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae", svg)
    assert size(png)[0] <= 1200


@pytest.fixture(scope="module")
def drawn() -> tuple[Plot, ...]:
    """Return the pictures of the invented study."""
    return plots(invented.dossier())


def test_a_function_is_one_picture_of_paths_openings_and_bytes(drawn: tuple[Plot, ...]) -> None:
    ((name, svg, png),) = drawn
    clean(drawn[0])
    assert name == invented.FUNCTION
    words = written(svg)
    for title in (
        "Success path of 3 reads at line 20",
        "Openings and closings on it, 9 writes at line 40",
        "Code of the whole function",
        *invented.STYLES,
        *(arch for arch in invented.ARCHES if "-" not in arch),  # a long one stands on two lines
        "floor: the least possible",
    ):
        assert title in words
    assert size(png)[0] == 980  # eight machines


def test_what_is_not_known_is_a_question_mark_or_a_lower_bound(drawn: tuple[Plot, ...]) -> None:
    (sheet,) = study_sheets(invented.dossier())
    read = next(panel for panel in sheet.panels if panel.title.startswith("Success path of 3"))
    fifth = next(group for group in read.groups if group.label == "fifth")
    bars = {sheet.series[bar.series]: bar for bar in fifth.bars}
    assert (bars["window"].value, bars["window"].told, bars["window"].least) == (19, ">= 19", True)
    assert (bars["fieldwise"].told, bars["fieldwise"].least, fifth.floor) == ("74", False, 13)
    words = written(drawn[0][1])
    assert ">= 19" in words
    assert ">= at least" in words
    assert any("fifth: an indirect call on the path" in word for word in words)
    assert any("ninth: no compiler for ninth" in word for word in words)
    unknown = tuple(
        replace(m, value=None, why="nobody knows") if m.what == "text_bytes" else m
        for m in invented.dossier().measurements
    )
    (other,) = study_sheets(replace(invented.dossier(), measurements=unknown))
    code = next(panel for panel in other.panels if panel.title.startswith("Code of"))
    assert {(bar.value, bar.told) for group in code.groups for bar in group.bars} == {(None, "?")}
    assert "?" in written(draw(other)[1])


def test_the_same_figures_are_the_same_bytes_whatever_the_users_settings(
    drawn: tuple[Plot, ...], tmp_path: Path
) -> None:
    """A matplotlibrc that asks for other letters, colours and sizes, in another process."""
    (tmp_path / "matplotlibrc").write_text(
        "text.usetex: True\nsvg.fonttype: none\nfont.size: 30\nsavefig.dpi: 300\n"
        "savefig.bbox: tight\naxes.facecolor: red\n"
    )
    program = (
        "import hashlib, matplotlib\n"
        "assert matplotlib.rcParams['font.size'] == 30\n"
        "from tests import invented\n"
        "from uaccel.report.plots import plots\n"
        "for plot in plots(invented.dossier()):\n"
        "    print(*(hashlib.sha256(one).hexdigest() for one in plot[1:]))\n"
        "assert matplotlib.rcParams['font.size'] == 30\n"
    )
    environment = {"PATH": "", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    said = run(
        (sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r})\n{program}"),
        folder=tmp_path,
        timeout=120,
        environment={**environment, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    here = run(
        (sys.executable, "-c", program.replace("assert", "#")),
        folder=Path(__file__).parent.parent,
        timeout=120,
        environment=environment,
    )
    assert said.status == here.status == 0, said.stderr + here.stderr
    assert said.stdout == here.stdout != ""
    assert plots(invented.dossier()) == drawn


def test_no_second_is_lost_when_nothing_is_drawn() -> None:
    program = "import sys, uaccel.report.plots; print('matplotlib' in sys.modules)"
    folder = Path(__file__).parent.parent
    assert run((sys.executable, "-c", program), folder=folder, timeout=60).stdout == "False\n"


def hostile(name: str) -> Dossier:
    """Return the invented study with another name of its function."""
    known = invented.dossier()
    subjects = tuple(
        replace(s, function=name, id=s.id.replace("invented_ioctl_compat", name))
        for s in known.subjects
    )
    measurements = tuple(
        replace(m, cluster=m.cluster.replace("invented_ioctl_compat", name))
        for m in known.measurements
    )
    return replace(known, subjects=subjects, measurements=measurements)


@pytest.mark.parametrize(
    "name",
    [
        "$\\frac{1}{2}$",
        "<script>alert(1)</script>--><b>",
        "\x1b[31m\u202e../../x",
        "f\udce9 \u4e16",
        "x" * 400,
        "",
    ],
)
def test_a_hostile_name_is_only_text(name: str) -> None:
    made = plots(hostile(name))
    assert len(made) == 1
    clean(made[0])
    assert len(made[0][0]) <= 80
    if "$" in name:
        assert f"{invented.FILE}:{name}" in written(made[0][1])  # no mathematics


def test_names_of_pictures_differ_and_many_clusters_are_several_pictures() -> None:
    known = invented.dossier()
    many = tuple(
        Subject(f"f{at}", invented.FILE, "Point" if at < 9 else "point", at, "read", "fieldwise", 2)
        for at in range(12)
    )
    measured = tuple(
        replace(m, cluster=subject.id)
        for subject in many
        for m in known.measurements
        if m.cluster == invented.READ
    )
    sheets = study_sheets(replace(known, subjects=many, measurements=measured))
    assert [sheet.name for sheet in sheets] == ["Point", "Point-2", "Point-3", "point-4"]
    assert [len(sheet.panels) for sheet in sheets] == [8, 8, 2, 6]


def test_a_study_without_figures_has_no_picture() -> None:
    assert plots(replace(invented.dossier(), measurements=())) == ()


# ---- comparisons ----


def cause(name: str, *percents: float) -> Cause:
    """Return a group of an invented variant."""
    return Cause(name, sorted(percents)[len(percents) // 2], percents, ())


def counted(event: str, *values: float) -> Counted:
    """Return a count of an invented variant."""
    return Counted(event, "", sorted(values)[len(values) // 2], values)


def compared() -> Comparison:
    """Return an invented comparison of two variants with three runs each."""
    runs = ("a.data", "b.data", "c.data")
    before = Variant(
        "before $x$",
        runs,
        ("", "", ""),
        (cause("toy_ioctl", 12.0, 13.0, 12.5), cause("elsewhere", 50, 51, 52)),
        90.0,
        (counted("instructions", 2e9, 2.1e9, 2.2e9), counted("cycles", 3e6, 3e6, 3e6)),
        (),
    )
    after = replace(
        before,
        name="after",
        groups=(cause("toy_ioctl", 5.0, 4.0, 6.0),),
        counts=(counted("instructions", 1e9, 1.05e9, 1.1e9),),
    )
    told = (
        Difference("after", "toy_ioctl", 12.5, 5.0, "percent", Stands.YES, "it does"),
        Difference("after", "instructions", 2.1e9, 1.05e9, "", Stands.NO, "it does not"),
    )
    return Comparison("uaccel compare", (before, after), "It was named.", told, (), ())


def test_a_comparison_has_bars_per_group_and_variant_with_their_runs() -> None:
    shares, counts = comparison_sheets(compared())
    assert (shares.name, counts.name) == ("comparison", "comparison-counts")
    ioctl, elsewhere = shares.panels[0].groups
    assert [bar.told for bar in ioctl.bars] == ["12.50", "5.00 *"]
    assert [(bar.low, bar.high) for bar in ioctl.bars] == [(12, 13), (4, 6)]
    assert [bar.told for bar in elsewhere.bars] == ["51.00", "?"]
    instructions, cycles = counts.panels[0].groups
    assert [bar.told for bar in instructions.bars] == ["2.1 G", "1.05 G ~"]
    assert instructions.bars[1].value == pytest.approx(50)
    assert [bar.told for bar in cycles.bars] == ["3 M", "?"]


def test_the_pictures_of_a_comparison_say_what_their_marks_mean() -> None:
    shares, counts = comparison_plots(compared())
    for plot in (shares, counts):
        clean(plot)
    words = written(shares[1])
    assert "5.00 *" in words
    assert "* the difference to before $x$ stands out of the noise" in words
    assert "? what was given of that variant does not show it" in words
    assert "~ the difference to before $x$ does not stand out of the noise" in written(counts[1])


def test_a_single_listing_without_counts_is_one_picture() -> None:
    only = replace(compared().variants[0], counts=(), sources=("mail.txt",))
    found = comparison_plots(replace(compared(), variants=(only,), differences=()))
    assert [name for name, _, _ in found] == ["comparison"]


def test_zeros_and_nothing_can_be_drawn() -> None:
    bars = (Bar(0, 0.0, "0"), Bar(1, None, "?"))
    panels = (Panel("p", "u", (Group("g", bars),)), Panel("q", "u", (Group("", ()),)))
    clean(draw(Sheet("x", "t", ("a", "b"), panels, ())))
    clean(draw(Sheet("x", "t", (), (), ())))
