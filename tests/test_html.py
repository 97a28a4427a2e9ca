# SPDX-License-Identifier: GPL-2.0-only
"""The pages as text: nothing of a tree gets out of its place, nothing is fetched, all is said."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import accounts, exhibits, invented
from uaccel.cli.__main__ import main
from uaccel.host.shipped import catalogue_pages
from uaccel.model.dossier import Dossier
from uaccel.model.judgement import Outcome, Verdict
from uaccel.report.html import comparison_page, scan_page, study_page
from uaccel.report.pages.catalogue import sections
from uaccel.report.pages.code import exhibited
from uaccel.report.pages.summary import summaries
from uaccel.report.pages.tokens import Lines, rows

TEMPLATES = Path(__file__).parent.parent / "uaccel" / "report" / "templates"
PAGES = {
    (
        "checks",
        "compiles",
    ): "# compiles\n\nIt compiles. See [objtool](objtool.md#what).\n\n## One\n\nYes.\n",
    (
        "checks",
        "objtool",
    ): "# objtool\n\nIt *asks* objtool; [more](../docs/run.md), [web](https://x.test/).\n",
    ("styles", "window"): "# window\n\n<b>one</b> window\n\n![picture](picture.png)\n",
}


class Reader(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []  # tag, name, value
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Return the values of all attributes called `name`."""
        return [value for _, known, value in self.attributes if known == name]

    @property
    def text(self) -> str:
        """Return all text that is shown, blanks single."""
        return re.sub(r"\s+", " ", "".join(self.texts))


def study(dossier: Dossier | None = None) -> str:
    """Return the page of the invented study."""
    return study_page(dossier or exhibits.dossier(), PAGES)


def every_page() -> dict[str, str]:
    """Return one page of each kind."""
    return {
        "study": study(),
        "scan": scan_page(accounts.profiled()),
        "comparison": comparison_page(exhibits.comparison()),
    }


@pytest.mark.parametrize("kind", ["study", "scan", "comparison"])
def test_a_page_stands_alone(kind: str) -> None:
    page = every_page()[kind]
    read = Reader(page)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & set(read.tags) - {
        "form"
    }
    assert not read.values("src") and not read.values("style") and not read.values("action")
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert all(href.startswith(("#", "https://x.test/")) for href in read.values("href"))


@pytest.mark.parametrize("kind", ["study", "scan", "comparison"])
def test_the_policy_lets_through_what_stands_there_and_nothing_else(kind: str) -> None:
    page = every_page()[kind]
    (policy,) = (v for v in Reader(page).values("content") if v.startswith("default-src"))
    for element in ("style", "script"):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        found = b64encode(sha256(inside.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{found}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize("kind", ["study", "scan", "comparison"])
def test_every_link_leads_somewhere_and_no_name_is_given_twice(kind: str) -> None:
    read = Reader(every_page()[kind])
    names = Counter(read.values("id"))
    assert max(names.values()) == 1
    wanted = {href[1:] for href in read.values("href") if href.startswith("#")}
    assert wanted and wanted <= set(names)


@pytest.mark.parametrize("kind", ["study", "scan", "comparison"])
def test_the_same_records_give_the_same_page(kind: str) -> None:
    assert every_page()[kind] == every_page()[kind]


def test_how_long_it_took_and_what_was_in_the_store_change_nothing() -> None:
    other = replace(exhibits.dossier(), seconds=99.9, built=1, reused=77)
    assert study(other) == study()


@pytest.mark.parametrize("script", sorted(TEMPLATES.glob("*.js")), ids=lambda path: path.name)
def test_no_script_reads_text_as_html(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("// SPDX-License-Identifier: GPL-2.0-only\n")
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert sink not in text
    assert not re.search(r"fetch\(|XMLHttp|import\(|WebSocket|sendBeacon|<script|</", text)


def test_no_template_turns_escaping_off() -> None:
    for template in TEMPLATES.glob("*.html"):
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", template.read_text())


# ---- a tree that means harm ----------------------------------------------------

HOSTILE = (
    '</script><script>window.__hacked=1</script><!--<img src=x onerror="window.__hacked=1">'
    "'\"&lt;\u2028\u202e\x1b[31m\udce9`code` {{ 7*7 }}"
)


def hostile(value: Any) -> Any:
    """Return a record with HOSTILE in front of every text that a tree could have a word in."""
    if isinstance(value, str):
        return HOSTILE + value
    if isinstance(value, tuple):
        return tuple(hostile(one) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        names = [
            name
            for name in value.__dataclass_fields__
            if name not in ("direction", "role", "outcome", "config", "level")
        ]
        return replace(value, **{name: hostile(getattr(value, name)) for name in names})
    return value


@pytest.mark.parametrize("kind", ["study", "scan", "comparison"])
def test_what_a_tree_says_stays_text(kind: str) -> None:
    page = {
        "study": lambda: study(hostile(exhibits.dossier())),
        "scan": lambda: scan_page(hostile(accounts.profiled())),
        "comparison": lambda: comparison_page(hostile(exhibits.comparison())),
    }[kind]()
    page.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u2028\u202e\ud800-\udfff]", page)
    read = Reader(page)
    assert read.tags["script"] == 2 and not read.tags["img"]
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    assert "<script>window.__hacked=1</script><!--<img" in read.text  # it is shown
    assert "{{ 7*7 }}" in read.text and r"\u202e\x1b[31m\xe9" in read.text
    island = page.partition('id="content">')[2].partition("</script>")[0]
    assert not set("<>&") & set(island)
    json.loads(island)


# ---- what it says ---------------------------------------------------------------


def test_the_verdict_comes_first() -> None:
    read = Reader(study(invented.dossier()))
    shown = read.text.partition("Verdict")[2]
    sentence = "invented_ioctl_compat: window needs the fewest instructions on 6 of 8 machines"
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


def test_a_build_that_does_not_hold_the_function_is_told_apart() -> None:
    known = invented.dossier()
    told = tuple(
        replace(m, value=None, at_least=None, absent=True, why="not compiled there")
        if m.arch == "second" and m.what != "floor_instructions"
        else m
        for m in known.measurements
    )
    (one,) = summaries(replace(known, measurements=told))
    assert "1 of 8 builds do not hold it" in one.best
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


# ---- what scripts draw from -----------------------------------------------------

C_LINES = st.sampled_from(
    ["", "\tif (a)", "{", "}", "/* a", " b */", '\tx = "s";', "#define A \\", "\t1", "out:", "é\f"]
)
TEXTS = st.lists(C_LINES, max_size=12).map("\n".join)


@settings(deadline=None, max_examples=100)
@given(before=TEXTS, after=TEXTS)
def test_a_diff_has_every_line_of_both_sides_in_order(before: str, after: str) -> None:
    lines = Lines()
    old, new = lines.number(before), lines.number(after)
    for text, numbers in ((before, old), (after, new)):
        shown = ["".join(lines.told[number][1::2]) for number in numbers]
        assert shown == text.removesuffix("\n").split("\n")
    made = rows(old, new)
    assert [a for _, a, _ in made if a >= 0] == list(range(len(old)))
    assert [b for _, _, b in made if b >= 0] == list(range(len(new)))
    assert all((kind == 0) == (a >= 0 and b >= 0 and old[a] == new[b]) for kind, a, b in made)


def test_code_is_told_column_by_column() -> None:
    exhibit = exhibits.exhibit()
    told: Any = exhibited(exhibit, {})
    assert len(told["codes"]) == len(exhibit.codes) and len(told["met"]) == len(exhibit.met)
    for code, made in zip(exhibit.codes, told["codes"], strict=True):
        assert told["styles"][made["s"]] == code.style
        assert [told["texts"][at] for at in made["text"]] == [row.text for row in code.insns]
        assert sum(made["steps"]) == code.insns[-1].address
        columns = ("steps", "text", "role", "cluster", "access", "window", "flags", "line")
        assert {len(made[column]) for column in columns} == {len(code.insns)}
        assert [at if at >= 0 else None for at in made["access"]] == [r.access for r in code.insns]


# ---- the commands -----------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "there" / "index.html").mkdir(parents=True)
    for command in (["study"], ["scan"], ["compare", "x"]):
        for folder in (tmp_path / "file" / "below", tmp_path / "there"):
            assert main([*command, "--tree", str(tmp_path / "none"), "--html", str(folder)]) == 2
        assert main([*command, "--html", "-"]) == 2
        assert "--html takes a folder" in capsys.readouterr().err


def test_profiles_need_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--perf", str(tmp_path / "perf.txt")]) == 2
    assert "--html DIR" in capsys.readouterr().err


def test_compare_writes_its_page(tmp_path: Path) -> None:
    for name, share in (("a", 12.5), ("b", 4.25)):
        (tmp_path / f"{name}.txt").write_text(
            f"{share:6.2f}%  [kernel]  [k] lamp_ioctl\n 10.00%  [kernel]  [k] lamp_other\n"
        )
    files = [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert main(["compare", *files, "--html", str(tmp_path / "page")]) == 0
    text = Reader((tmp_path / "page" / "index.html").read_text()).text
    assert "lamp_ioctl" in text and "12.50 %" in text and "4.25 %" in text
