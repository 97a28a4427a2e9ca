# SPDX-License-Identifier: GPL-2.0-only
"""What a person and a program are shown of a check.  Every finding in it is invented."""

from __future__ import annotations

import json as standard
from dataclasses import replace
from typing import Any

import pytest

from tests.test_sarif import VALIDATOR
from uaccel.model.checked import Checked, Looked, Unread
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Doubted, Found
from uaccel.report import check, checksarif, json

HOSTILE = "\x1b[31mred\x1b[0m\n [bold]x \u202etxt {0} \udce9\x07"
FILE = "drivers/odd name/\udcff%41:[x].c"
ONE = Found(
    rule="missing-end",
    function="invented_read",
    place=Place("drivers/invented/device.c", 40, 3),
    level=Level.ERROR,
    message="the window is still open here",
    text="return 0;",
)
CHECKED = Checked(
    tree=Tree("/invented/li nux", "6.12.0"),
    command="uaccel check --tree '/invented/li nux'",
    targets=(),
    patches=(),
    rules=(("missing-end", "every path closes"), ("wrong-mode", "an access goes the way")),
    findings=(ONE, replace(ONE, place=Place("drivers/invented/device.c", 50, 3))),
    known=2,
    gone=1,
    doubts=(Doubted("", "odd", Place("a.c", 1, 1), "it is odd"),),
    skipped=(Unread("b.c", "it is no regular file"),),
    looked=Looked(files=9, holding=2, functions=3, windows=4),
    names=(("drivers/invented/device.c", "./device.c"),),
    alone=frozenset(),
    notes=("a note",),
    seconds=1.25,
)
BAD = replace(
    CHECKED,
    tree=Tree(f"/{HOSTILE}", HOSTILE),
    command=HOSTILE,
    targets=(HOSTILE,),
    patches=(HOSTILE,),
    findings=(replace(ONE, function=HOSTILE, message=HOSTILE, place=Place(FILE, 1, 1)),),
    doubts=(Doubted("missing-end", HOSTILE, Place(FILE, 1, 1), HOSTILE),),
    skipped=(Unread(FILE, HOSTILE),),
)
ALONE = replace(
    CHECKED,
    tree=None,
    findings=(ONE, replace(ONE, place=Place("/own/x.c", 1, 1))),
    alone=frozenset(("/own/x.c", ONE.place.file)),
    names=(),
)
EVERY = pytest.mark.parametrize("checked", [CHECKED, BAD, ALONE])


def shown(checked: Checked, *, verbose: bool = False) -> str:
    """Return the report."""
    return check.text(checked, color=False, width=100, verbose=verbose)


def test_the_report_is_lines_then_sums() -> None:
    said = "error: the window is still open here [missing-end]"
    assert shown(CHECKED).splitlines() == [
        f"./device.c:40:3: {said}",
        f"./device.c:50:3: {said}",
        "",
        "Linux 6.12.0  /invented/li nux",
        "evidence  source (level 1): nothing built, no configuration asked",
        "  !  2 errors, 0 warnings, 0 notes",
        "  -  2 findings of the baseline not shown",
        "  -  1 finding of the baseline no longer there",
        "  !  1 place not judged; -v lists them",
        "  !  1 file not judged",
        "",
        "9 files looked at, 2 read: 3 functions, 4 windows, 1.2 s",
        "again  uaccel check --tree '/invented/li nux'",
    ]
    assert "a.c:1:1: note: not judged: it is odd\n" in shown(CHECKED, verbose=True)


def test_a_build_log_has_the_findings_alone() -> None:
    assert check.lines(CHECKED).splitlines() == [
        *shown(CHECKED).splitlines()[:2],
        "b.c: warning: not judged: it is no regular file",
    ]


@EVERY
def test_no_text_steers_a_terminal(checked: Checked) -> None:
    for said in (shown(checked, verbose=True), check.lines(checked)):
        assert said.isprintable() or not set(said) & {"\x1b", "\x07", "\u202e", "\udce9"}
        said.encode()


def log(checked: Checked) -> Any:
    """Return the SARIF log after the schema was asked about it."""
    text = checksarif.sarif(checked)
    assert text.isascii()
    document = standard.loads(text)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    return document["runs"][0]


@EVERY
def test_the_log_is_valid(checked: Checked) -> None:
    run = log(checked)
    assert len(run["results"]) == len(checked.findings)
    rules = run["tool"]["driver"]["rules"]
    assert [one["id"] for one in rules] == ["missing-end", "wrong-mode"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert [one["descriptor"]["id"] for one in told] == ["not-judged", "file-skipped"]


def test_a_result_has_its_place_and_its_level() -> None:
    run = log(CHECKED)
    first = run["results"][0]
    assert (first["level"], first["message"]["text"]) == ("error", ONE.message)
    (place,) = first["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "drivers/invented/device.c", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 40, "startColumn": 3},
    }
    assert place["logicalLocations"] == [{"name": "invented_read", "kind": "function"}]
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///invented/li%20nux/"


def test_what_lies_in_no_tree_is_relative_to_none() -> None:
    run = log(ALONE)
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [one["artifactLocation"] for one in places] == [
        {"uri": "drivers/invented/device.c"},
        {"uri": "file:///own/x.c"},
    ]
    assert "originalUriBaseIds" not in run


def test_a_fingerprint_stays_when_lines_move_and_is_each_ones_own() -> None:
    moved = tuple(
        replace(one, place=replace(one.place, line=one.place.line + 7)) for one in CHECKED.findings
    )
    before, after = (
        [mark for _, mark in checksarif.fingerprints(some)] for some in (CHECKED.findings, moved)
    )
    assert before == after
    assert len(set(before)) == 2


@EVERY
def test_the_document_holds_all(checked: Checked) -> None:
    document = standard.loads(json.check(checked))
    assert document["schema"] == {"name": "uaccel-check", "version": 1}
    assert set(document["findings"][0]) == {
        *("rule", "file", "line", "column", "level", "message", "function")
    }
    totals = document["totals"]
    assert totals["error"] == len(document["findings"])
    assert (totals["not_judged"], totals["skipped"]) == (1, 1)
    assert (totals["known"], totals["gone"]) == (2, 1)
    assert document["seconds"] == 1.25
    assert [one["rule"] for one in document["rules"]] == ["missing-end", "wrong-mode"]
    assert (document["tree"] is None) is (checked.tree is None)
