# SPDX-License-Identifier: GPL-2.0-only
"""What a person and a program are shown of a scan."""

from __future__ import annotations

import json as standard
import re
from dataclasses import replace

import pytest

from tests import accounts
from uaccel.errors import BrokenInvariant
from uaccel.model.account import Account
from uaccel.model.scan import Filters, Place, Totals
from uaccel.model.support import Gain
from uaccel.model.survey import Kind
from uaccel.report import json, scan

HOSTILE = "\x1b[31mred\x1b[0m\n [bold]x \u202etxt \udce9\x07"
LINE = re.compile(
    r"(?P<file>.+):(\d+):(\d+): (note|warning): .+ \[(cluster|window|not-understood)\]"
)


def shown(account: Account | None = None, width: int = 100, *, verbose: bool = False) -> str:
    """Return the report of the invented account."""
    return scan.text(account or accounts.account(), width=width, color=False, verbose=verbose)


def test_a_cluster_is_one_line_that_an_editor_follows() -> None:
    first = shown(width=40).splitlines()[0]
    assert first == (
        f"{accounts.FILE}:40:2: note: 9 writes of `src` in invented_ioctl_compat: fieldwise, "
        "saves 8 openings on 2 of 3 architectures, its reads at line 20 [cluster]"
    )
    assert len([row for row in shown().splitlines() if LINE.fullmatch(row)]) == 4 + 3


def test_the_heaviest_comes_first_and_only_the_top_is_shown() -> None:
    known = accounts.account()
    top = replace(known.scan, filters=replace(known.scan.filters, top=2))
    report = shown(replace(known, scan=top))
    assert report.count("[cluster]") == 2
    assert "4 pass the filters, 2 of them are listed above" in report
    assert [c["line"] for c in standard.loads(json.scan(replace(known, scan=top)))["clusters"]] == [
        40,
        40,
    ]


def test_a_lower_bound_is_said_to_be_one() -> None:
    line = next(row for row in shown().splitlines() if "invented_fill" in row)
    assert "4 writes, 2 on the longest path, in a loop, of `a`, `arg->ptr`, `b` and 1 more" in line
    assert "saves >= 1 opening on 2 of 3 architectures" in line
    assert "no style writes it: a fault does more than return -EFAULT" in line


def test_one_access_in_a_loop_saves_with_each_turn() -> None:
    known = accounts.account()
    place = Place(accounts.FILE, replace(accounts.LOOP, accesses=1, longest=1))
    one = replace(known.findings[0], place=place, gains=(Gain("first", 0, True, ""),))
    told = "saves an opening for each turn of its loop but one on first"
    assert told in shown(replace(known, findings=(one,)))


def test_why_nothing_is_gained_where_one_architecture_was_asked_for() -> None:
    known = accounts.account()
    only = replace(known.findings[0], gains=(Gain("second", 0, False, accounts.NONE),))
    assert f"saves no opening ({accounts.NONE})" in shown(replace(known, findings=(only,)))
    unknown = replace(known.findings[0], gains=(Gain("fourth", None, False, "not known"),))
    assert "what it saves is not known" in shown(replace(known, findings=(unknown,)))


def test_the_classes_add_up_to_the_lines() -> None:
    report = shown()
    counts = [int(row) for row in re.findall(r"^ +(\d+)  (?!in all)[a-z]", report, re.MULTILINE)]
    assert len(counts) == len(Kind)
    assert re.search(rf"^ +{sum(counts)}  in all, without 1 file not read$", report, re.MULTILINE)


def test_a_sum_that_is_wrong_is_our_bug() -> None:
    known = accounts.account()
    wrong = replace(known.scan.totals, lines=known.scan.totals.lines + 1)
    with pytest.raises(BrokenInvariant, match="do not add up"):
        shown(replace(known, scan=replace(known.scan, totals=wrong)))


def test_what_was_not_understood_is_listed_when_short_or_asked_for() -> None:
    assert shown().count("[not-understood]") == 3
    known = accounts.account()
    many = tuple(accounts.candidate(row, Kind.NOT_UNDERSTOOD, accounts.WHY) for row in range(1, 31))
    surveys = (replace(known.scan.surveys[0], candidates=many),)
    found = replace(known.scan, surveys=surveys, totals=accounts.totals(*surveys))
    long = replace(known, scan=found)
    assert "[not-understood]" not in shown(long)
    assert "30 of 30 lines were not understood (100.00 %); -v lists them" in shown(long)
    assert shown(long, verbose=True).count("[not-understood]") == 30


def test_skipped_files_and_notes_are_told() -> None:
    assert "drivers/link.c: a link that leaves the tree" in shown()
    assert "drivers/none holds no cluster" in shown()


def test_windows_that_stand_are_counted_by_form() -> None:
    assert "4 clusters, 25 accesses: 3 a style can write" in shown()
    assert "1 window that stands already, in 1 file: 1 scoped" in shown()
    known = accounts.account()
    gains = (Gain("first", 0, False, "it is one window already"),)
    place = Place(accounts.FILE, accounts.STANDS)
    window = replace(known.findings[0], place=place, gains=gains)
    first = shown(replace(known, findings=(window,))).splitlines()[0]
    assert first.endswith("scoped, saves no opening (it is one window already) [window]")


def test_the_table_says_what_is_gained_and_why_not() -> None:
    rows = {row.split()[0]: " ".join(row.split()) for row in shown().splitlines() if row}
    assert rows["first"] == "first n - 1 n - 1 own rw yes no"
    assert rows["second"] == "second 0 0 own rw yes no"
    assert "  -  first, third: each access opens 1: a register\n" in shown()
    assert f"  -  second: {accounts.NONE}\n" in shown()
    report = shown(replace(accounts.account(), supports=(accounts.UNKNOWN,)))
    assert re.search(r"^fourth +\? +\? +\? +\? +\? +no$", report, re.MULTILINE)
    assert "fourth: not known: its header cannot be read in this tree" in report
    assert "this tree may have scoped_user_*_access()" in report
    assert "alpha: no user_access_begin() of their own" in report
    assert "vax: not known: no header of theirs could be read" in report


def test_what_the_profile_left_over_is_told() -> None:
    report = shown(accounts.profiled())
    assert "its function has up to 14.29 % of the profile (with its accessors) [cluster]" in report
    assert "3.50 % could be given to no cluster:" in report
    assert "__put_user_4: the profile has no call chains" in report
    assert "of the profile" not in shown()


def test_the_listing_has_every_line_once() -> None:
    known = accounts.account().scan
    rows = scan.listing(known).splitlines()
    assert len(rows) == known.totals.lines
    assert rows[0] == f"{accounts.FILE}:100:6: note: put_user() [cluster]"


@pytest.mark.parametrize("width", [1, 80, 200])
def test_colour_changes_nothing_else(width: int) -> None:
    colored = scan.text(accounts.profiled(), width=width, color=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert "\x1b[" in colored
    assert [row.rstrip() for row in plain.splitlines()] == [
        row.rstrip() for row in shown(accounts.profiled(), width).splitlines()
    ]


def hostile() -> Account:
    """Return an account in which every word out of the tree would steer a terminal."""
    known = accounts.profiled()
    assert known.profile
    evil = replace(
        accounts.WRITES, function=HOSTILE, pointers=(HOSTILE,), why=HOSTILE, convertible=None
    )
    odd = replace(known.scan.surveys[0].candidates[-1], accessor=HOSTILE, why=HOSTILE)
    surveys = (replace(known.scan.surveys[0], path=HOSTILE, candidates=(odd,), sightings=(evil,)),)
    skipped = tuple(replace(one, path=HOSTILE, why=HOSTILE) for one in known.scan.skipped)
    tree = replace(known.scan.tree, path=f"/{HOSTILE}", version=HOSTILE)
    found = replace(
        known.scan,
        tree=tree,
        command=HOSTILE,
        surveys=surveys,
        skipped=skipped,
        totals=accounts.totals(*surveys),
        notes=(HOSTILE,),
    )
    first = replace(known.findings[0], place=Place(HOSTILE, evil), why=HOSTILE)
    left = tuple(replace(one, symbol=HOSTILE) for one in known.profile.unattributed)
    profile = replace(known.profile, name=HOSTILE, unattributed=left, notes=(HOSTILE,))
    return replace(known, scan=found, findings=(first,), profile=profile)


def test_nothing_out_of_a_tree_steers_the_terminal() -> None:
    for text in (shown(hostile()), scan.listing(hostile().scan)):
        assert re.sub(r"\n", "", text).isprintable()
        assert "\\x1b[31mred" in text
    assert "\n" not in scan.listing(hostile().scan).removesuffix("\n")


def test_the_document_has_the_keys_that_programs_rely_on() -> None:
    document = standard.loads(json.scan(accounts.profiled()))
    assert document["schema"] == {"name": "uaccel-scan", "version": 1}
    assert set(document) >= {"tool", "tree", "command", "candidates", "clusters", "seconds"}
    counts = dict(document["candidates"])
    lines = counts.pop("lines")
    assert sum(counts.values()) == lines == 16
    assert set(counts) == {
        *("cluster", "single", "window", "macro", "comment", "other", "not_understood")
    }
    first = document["clusters"][0]
    assert set(first) >= {
        *("id", "file", "function", "line", "direction", "accesses", "form", "convertible"),
        *("gain", "weight"),
    }
    assert first["id"] == f"{accounts.FILE}:invented_ioctl_compat:write@40"
    assert first["gain"]["first"] == {"openings": 8, "at_least": False, "why": ""}
    assert (first["weight"], first["weight_unit"]) == (14.29, "percent")
    assert document["not_understood"][0] == {
        **{"file": accounts.FILE, "line": 112, "column": 6},
        **{"accessor": "put_user", "why": accounts.WHY},
    }
    assert document["windows"] == {"window": 0, "masked": 0, "scoped": 1}
    openings = document["architectures"][0]["openings"]
    assert openings["read"] == {"access": 1, "begin": 1, "inside": 0}
    assert document["profile"]["unattributed"][0]["symbol"] == "__put_user_4"


def test_the_document_is_readable_whatever_the_tree_holds() -> None:
    text = json.scan(hostile())
    assert text.isascii()
    assert "\\ud" not in text
    assert standard.loads(text)["clusters"][0]["file"].endswith("txt \\xe9\x07")


def test_a_tree_without_candidates_is_reported() -> None:
    filters = Filters((), (), None, None, 2, 5)
    nothing = Totals(0, tuple((kind, 0) for kind in Kind))
    empty = accounts.account(surveys=(), totals=nothing, places=(), filters=filters)
    report = shown(replace(empty, findings=(), supports=(), folders=()))
    assert re.search(r"^ +0  in all", report, re.MULTILINE)
    assert "no clusters" in report
    assert standard.loads(json.scan(replace(empty, findings=())))["clusters"] == []
