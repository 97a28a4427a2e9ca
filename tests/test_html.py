# SPDX-License-Identifier: GPL-2.0-only
"""The pages as text: nothing of a tree gets out of its place, nothing is fetched, all is said."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import accounts, exhibits
from tests.pages import Reader, every_page, hostile, study
from uaccel.cli.__main__ import main
from uaccel.report.html import comparison_page, scan_page
from uaccel.report.pages.code import exhibited
from uaccel.report.pages.tokens import Lines, rows

TEMPLATES = Path(__file__).parent.parent / "uaccel" / "report" / "templates"


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
