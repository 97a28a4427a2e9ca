# SPDX-License-Identifier: GPL-2.0-only
"""What a page says: the verdict, the figures with their evidence, all that failed or is unknown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests import exhibits, invented
from tests.invented import READ
from tests.pages import PAGES, Reader, study
from uaccel.host.shipped import catalogue_pages
from uaccel.model.dossier import Dossier
from uaccel.model.judgement import Outcome, Verdict
from uaccel.report.html import comparison_page
from uaccel.report.pages.catalogue import sections
from uaccel.report.pages.summary import summaries


def test_the_verdict_comes_first() -> None:
    read = Reader(study(invented.dossier()))
    shown = read.text.partition("Verdict")[2]
    sentence = "invented_ioctl_compat: window has the shortest success paths on 6 of 8 machines"
    assert sentence in read.text
    assert read.text.index(sentence) < read.text.index("Figures", read.text.index(sentence))
    assert "1 check fails" in shown and "8 answers" in shown
    assert "a user program could notice 1 difference" in shown


def test_a_style_that_fails_a_check_is_not_the_best() -> None:
    (one,) = summaries(invented.dossier())
    first = next(place for place in one.places if place.machine[0] == "first")
    assert first.failed == ("window",)
    assert [cost.style for cost in first.best] == ["structcopy"]


def test_what_is_not_known_may_be_the_best() -> None:
    (one,) = summaries(invented.dossier())
    fifth = next(place for place in one.places if place.machine[0] == "fifth")
    assert not fifth.best and fifth.why == "what window costs is not known"
    assert "on fifth it is not decided" in one.best


def test_what_was_executed_decides_where_all_of_it_ran() -> None:
    known = invented.dossier()
    sample = known.measurements[0]
    ran = tuple(
        replace(sample, cluster=exhibits.FUNCTION, style=style, what=what, value=value)
        for style, count in (("fieldwise", 300), ("structcopy", 100), ("window", 200))
        for what, value in (("executed_instructions", count), ("executed_toggles", 4))
    )
    (one,) = summaries(replace(known, measurements=(*known.measurements, *ran), verdicts=()))
    place = one.places[0]
    assert place.ran and [cost.style for cost in place.best] == ["structcopy"]
    assert place.before is not None and place.before.least == 300
    said = "structcopy executes the fewest instructions in one call on first ("
    assert one.best.startswith(said)
    assert "; window has the shortest success paths on 6 of 8 machines (" in one.best


def test_what_all_styles_lack_is_said() -> None:
    known = invented.dossier()
    bad = tuple(
        Verdict("closed", READ, style, "first", Outcome.FAIL, "it stays open")
        for style in invented.STYLES
    )
    (one,) = summaries(replace(known, verdicts=bad))
    assert one.places[0].why == "every style that has a figure fails a check"
    bounds = tuple(
        replace(m, value=None, at_least=m.value or 1, why="a copy") for m in known.measurements
    )
    (one,) = summaries(replace(known, measurements=bounds, verdicts=()))
    assert one.places[0].why == "no style has more than a lower bound there"
    nothing = tuple(
        replace(m, value=None, at_least=None, why="no build") for m in known.measurements
    )
    (one,) = summaries(replace(known, measurements=nothing))
    assert {place.why for place in one.places} == {"no style has a figure there"}
    assert "Nothing was checked" in Reader(study(replace(known, verdicts=()))).text


def test_what_stands_as_a_window_is_told_against_that_too() -> None:
    known = invented.dossier()
    subjects = tuple(replace(one, form="helper") for one in known.subjects)
    helper = tuple(
        replace(m, style="helper", value=m.value // 2)
        for m in known.measurements
        if m.style == "fieldwise" and m.value
    )
    measured = (*known.measurements, *helper)
    (one,) = summaries(replace(known, subjects=subjects, verdicts=(), measurements=measured))
    where = "on 7 of 8 machines"
    assert one.best.startswith(f"window has the shortest success paths {where} (")
    assert " against fieldwise; " in one.best and " against helper, as it stands)" in one.best
    subjects = tuple(replace(one, form="window") for one in known.subjects)
    (one,) = summaries(replace(known, subjects=subjects, verdicts=()))
    said = f"{where} no style has shorter success paths than window, as it stands"
    assert one.best.startswith(said)


def test_what_stands_alone_is_not_called_undecided() -> None:
    known = invented.dossier()
    alone = tuple(m for m in known.measurements if m.style in ("fieldwise", "floor", ""))
    (one,) = summaries(replace(known, measurements=alone))
    assert one.best == "nothing but how it stands was measured"


def test_a_build_that_does_not_hold_the_function_is_told_apart() -> None:
    known = invented.dossier()
    told = tuple(
        replace(m, value=None, at_least=None, absent=True, why="not compiled there")
        if m.arch == "second" and m.what != "floor_instructions"
        else m
        for m in known.measurements
    )
    (one,) = summaries(replace(known, measurements=told))
    assert "; the build of second does not hold it" in one.best
    assert "not compiled there" in Reader(study(replace(known, measurements=told))).text


def test_each_table_says_what_stands_behind_it() -> None:
    page = study()
    titles = re.findall(r"<h4>(?:(?!</h4>).)*</h4>\s*<div class=\"scroll\"", page, re.DOTALL)
    assert len(titles) >= 3 and all('class="level' in title for title in titles)
    charts = re.findall(r"<figcaption>.*?</figcaption>", page, re.DOTALL)
    assert len(charts) >= 4 and all('class="level' in chart for chart in charts)


def test_every_verdict_is_told_and_leads_to_its_page() -> None:
    dossier = exhibits.dossier()
    table = study(dossier).partition('class="verdicts"')[2].partition("</table>")[0]
    told = table.partition("<tbody>")[2].split("<tr>")[1:]
    assert len(told) == len(dossier.verdicts)
    for row, verdict in zip(told, dossier.verdicts, strict=True):
        known = ("checks", verdict.check) in PAGES
        assert (f'href="#page-checks-{verdict.check}"' in row) is known
        assert f">{verdict.outcome.value}</span>" in row


def test_failures_refusals_notes_and_unknowns_are_told() -> None:
    text = Reader(study()).text
    assert "redundant UACCESS disable" in text
    assert "structcopy: no two fields of it go together" in text
    assert "clear_user: not read as an access yet" in text
    assert "objtool does not run on this architecture" in text and "7 times" in text
    assert "Unknown: ninth: no compiler for ninth" in text
    assert "The range is wider." in text


def test_what_stands_in_backticks_is_code_and_nothing_more() -> None:
    verdict = Verdict("same", exhibits.FUNCTION, "window", "first", Outcome.FAIL, "`a<b>` & `c`")
    page = study(replace(invented.dossier(), verdicts=(verdict,)))
    assert "<p><code>a&lt;b&gt;</code> &amp; <code>c</code></p>" in page


def test_the_story_of_a_failure_is_told() -> None:
    verdict = Verdict(
        "same", exhibits.FUNCTION, "window", "first", Outcome.FAIL, "it differs", ("a = 1", "b = 2")
    )
    text = Reader(study(replace(invented.dossier(), verdicts=(verdict,)))).text
    assert "it differs" in text and "a = 1" in text and "b = 2" in text


def test_a_bar_stands_for_its_figure_and_the_floor_for_the_least() -> None:
    page = study()
    chart = page.partition("Path: write")[2].partition("</figure>")[0]
    assert 'aria-label="first: fieldwise 70, structcopy 45, window 20, floor 13"' in chart
    widths = [float(one) for one in re.findall(r'<rect class="s\d"[^>]* width="([\d.]+)%"', chart)]
    assert widths[0] / widths[2] == pytest.approx(70 / 20, rel=0.01)
    assert "≥ 19" in chart and 'class="s2 least"' in chart


def test_a_study_of_nothing_is_a_page_too() -> None:
    known = invented.dossier()
    empty = Dossier(known.tree, "uaccel study", (), (), (), (), (), (), (), (), 0, 0, 0.0)
    assert "Nothing was found to judge" in study(empty)
    bare = replace(empty, subjects=known.subjects, unbuilt=known.unbuilt)
    assert "nothing was measured" in Reader(study(bare)).text


def test_pages_of_the_catalogues_become_sections() -> None:
    named = [("styles", "window"), ("checks", "objtool"), ("checks", "compiles"), ("checks", "no")]
    window, objtool, compiles = sections(PAGES, named)
    assert "&lt;b&gt;one&lt;/b&gt; window" in window.html and "<img" not in window.html
    assert '<a href="#page-checks-objtool" rel="noreferrer">' in compiles.html
    assert ">more<" not in objtool.html and " more, " in objtool.html
    assert 'href="https://x.test/"' in objtool.html
    assert "<h4>One</h4>" in compiles.html


def test_every_page_of_the_catalogues_is_shipped_and_has_no_dead_link() -> None:
    pages = catalogue_pages()
    assert {("checks", "same"), ("styles", "window")} <= set(pages)
    made = sections(pages, pages)
    ids = {one.anchor for one in made}
    assert len(ids) == len(pages)
    for one in made:
        links = Reader(one.html).values("href")
        assert all(link[1:] in ids or link.startswith("https://") for link in links)


def test_an_annotated_listing_says_what_each_instruction_serves() -> None:
    page = comparison_page(exhibits.comparison())
    text = Reader(page).text
    said = "11.50 % of its samples are in 4 instructions of 2 accesses in 1 window, by the pattern"
    assert said in text and "Unknown: where the rest of its samples are" in text
    table = page.partition('class="listing"')[2].partition("</table>")[0]
    lines = [re.sub(r"\s+", " ", "".join(Reader(row).texts)) for row in table.split("<tr")[2:]]
    assert [re.sub(r"^[^>]*> ?", "", line).strip() for line in lines] == [
        "1.00 c0000100 mr r3,r4",
        "2.00 c0000104 mtspr 794,r9 window 1",
        "4.00 c0000108 stw r8,0(r10) access 1",
        "3.00 c000010c stw r7,4(r10) access 2",
        "2.50 c0000110 mtspr 794,r9 window 1",
        "something was left out here",
        "? c0000114 blr",
    ]
    widths = [float(one) for one in re.findall(r'<rect class="heat"[^>]* width="([\d.]+)%"', table)]
    assert widths == [25.0, 50.0, 100.0, 75.0, 62.5, 0.0]


def test_a_comparison_says_first_what_changed_and_whether_it_stands() -> None:
    text = Reader(comparison_page(exhibits.comparison())).text
    said = (
        "after: invented_ioctl has 4.92 % of all samples instead of 15.96 % in before, "
        "\u221269 %. That stands: no runs overlap"
    )
    assert said in text
    assert "123,456,789" in text and "not listed" not in text
