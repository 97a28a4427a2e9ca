# SPDX-License-Identifier: GPL-2.0-only
"""An account of a tree to SARIF 2.1.0, for what shows the findings of many tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import sha256
from urllib.parse import quote

from uaccel import __version__
from uaccel.model.account import Account, Finding
from uaccel.model.dossier import Tree
from uaccel.model.scan import Place, Scan
from uaccel.model.support import STANDING, Support
from uaccel.model.survey import Kind, Sighting, Survey
from uaccel.report.json import dump
from uaccel.report.plain import line
from uaccel.report.worth import message, share

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT = "SRCROOT"
_FINGERPRINT = "uaccelCluster/v1"
_RULES = (
    {
        "id": "cluster",
        "name": "ClusterOfUserAccesses",
        "shortDescription": {"text": "User accesses that could share one window"},
        "fullDescription": {
            "text": "These accesses open and close user memory one by one; nothing between them"
            " forbids one window around them all."
        },
        "help": {
            "text": "On architectures that protect user memory every get_user(), put_user() and"
            " copy opens it and closes it again. user_access_begin() and unsafe_get_user() or"
            " unsafe_put_user() open once for all of them. It is worth it on a hot path, where"
            " the architecture has a begin of its own; properties.gain says how many openings"
            " are saved on the longest path. `uaccel study FILE:FUNCTION` builds and counts."
        },
        "defaultConfiguration": {"level": "note"},
    },
    {
        "id": "window",
        "name": "WindowThatStands",
        "shortDescription": {"text": "A window that stands already"},
        "fullDescription": {"text": "These accesses share one window: nothing is to be gained."},
        "help": {
            "text": "The accesses stand between a begin and an end, in a masked window or in a"
            " scope. `uaccel study FILE:FUNCTION` builds it and counts what it takes."
        },
        "defaultConfiguration": {"level": "none"},
    },
)
_NOTICES = (
    {
        "id": "not-understood",
        "name": "AccessNotUnderstood",
        "shortDescription": {"text": "A line that names an accessor and was not understood"},
        "fullDescription": {
            "text": "It is counted, and no cluster holds it; the message says why."
        },
    },
    {
        "id": "file-skipped",
        "name": "FileSkipped",
        "shortDescription": {"text": "A file that was not read, or not to its end"},
        "fullDescription": {
            "text": "Its candidate lines are not understood or not counted; the message says why."
        },
    },
)


def sarif(account: Account) -> str:
    """Return the SARIF log, ASCII only, with a newline at its end."""
    return log(_run(account))


def log(run: dict[str, object]) -> str:
    """Return the log that holds `run`, ASCII only, with a newline at its end."""
    return dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def bases(tree: Tree) -> dict[str, object]:
    """Return what paths of `tree` are relative to."""
    return {ROOT: {"uri": f"file://{uri(tree.path).rstrip('/')}/"}}


def uri(path: str) -> str:
    """Return `path`, whatever its bytes, as a URI relative to the tree."""
    return quote(path.encode(errors="surrogateescape"), safe="/")


def literal(text: str) -> str:
    """Return `text` as a message that holds no placeholder."""
    return text.replace("{", "{{").replace("}", "}}")  # a brace would start one


def fingerprints(scan: Scan) -> Mapping[Place, str]:
    """Return what stays the same of each cluster when lines move above it."""
    return dict(mark for survey in scan.surveys for mark in _marks(survey))


def _marks(survey: Survey) -> Iterator[tuple[Place, str]]:
    # Clusters that are alike are told apart by their order, whatever the filters leave of them.
    before: Counter[tuple[str, ...]] = Counter()
    for seen in survey.sightings:
        alike = (survey.path, seen.function, seen.direction.value, *seen.pointers)
        words = (*alike, str(before[alike]))
        before[alike] += 1
        digest = sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()
        yield Place(survey.path, seen), digest


def _run(account: Account) -> dict[str, object]:
    scan = account.scan
    marks = fingerprints(scan)
    driver = {"name": "uaccel", "version": __version__, "rules": _RULES, "notifications": _NOTICES}
    return {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": True,
                "commandLine": scan.command,
                "toolExecutionNotifications": [
                    *_not_understood(scan),
                    *_skipped(scan),
                    *_notes(scan),
                ],
            }
        ],
        "originalUriBaseIds": bases(scan.tree),
        "columnKind": "unicodeCodePoints",
        "defaultSourceLanguage": "c",
        "results": [_result(finding, marks) for finding in account.shown],
        "properties": {
            "kernelVersion": scan.tree.version,
            "candidates": {
                "lines": scan.totals.lines,
                **{kind.value: scan.totals.of(kind) for kind in Kind},
            },
            "architectures": {one.arch: _offered(one) for one in account.supports},
        },
    }


def _result(finding: Finding, marks: Mapping[Place, str]) -> dict[str, object]:
    place, seen = finding.place, finding.place.sighting
    at = int(seen.form in STANDING)
    mark = marks.get(place)
    return {
        "ruleId": _RULES[at]["id"],
        "ruleIndex": at,
        "level": ("note", "none")[at],
        "kind": ("fail", "informational")[at],
        "message": {"text": literal(message(finding) + share(finding))},
        "locations": [
            _location(place.file, seen.line, seen.column, seen.last_line)
            | {"logicalLocations": [{"name": line(seen.function), "kind": "function"}]}
        ],
        **({"partialFingerprints": {_FINGERPRINT: mark}} if mark else {}),
        **_related(place, seen),
        **({"rank": round(min(finding.weight, 100.0), 4)} if finding.unit == "percent" else {}),
        "properties": {
            "direction": seen.direction.value,
            "form": seen.form.value,
            "accesses": seen.accesses,
            "longest": seen.longest,
            "looped": seen.looped,
            "convertible": seen.convertible,
            "weight": round(finding.weight, 6),
            "weightUnit": finding.unit,
            "gain": {one.arch: one.saved for one in finding.gains},
            "gainAtLeast": any(one.at_least for one in finding.gains),
        },
    }


def _related(place: Place, seen: Sighting) -> dict[str, object]:
    if seen.pair is None:
        return {}
    said = {"text": "the accesses of the same object that go the other way"}
    return {"relatedLocations": [_location(place.file, seen.pair) | {"id": 1, "message": said}]}


def _location(path: str, row: int, column: int = 0, last: int = 0) -> dict[str, object]:
    region = {"startLine": row}
    if column:
        region["startColumn"] = column
    if last > row:
        region["endLine"] = last
    place = {"uri": uri(path), "uriBaseId": ROOT}
    return {"physicalLocation": {"artifactLocation": place, "region": region}}


def _not_understood(scan: Scan) -> Iterator[dict[str, object]]:
    for survey in scan.surveys:
        for one in survey.candidates:
            if one.kind is Kind.NOT_UNDERSTOOD:
                said = f"{line(one.accessor)}() was not understood: {line(one.why)}"
                yield _notice(0, said, _location(survey.path, one.line, one.column))


def _skipped(scan: Scan) -> Iterator[dict[str, object]]:
    for one in scan.skipped:
        said = f"{line(one.path)}: {line(one.why)} ({one.candidates} candidate lines)"
        whole = {"artifactLocation": {"uri": uri(one.path), "uriBaseId": ROOT}}
        yield _notice(1, said, {"physicalLocation": whole})


def _notes(scan: Scan) -> Iterator[dict[str, object]]:
    for note in scan.notes:
        yield {"level": "note", "message": {"text": literal(line(note))}}


def _notice(at: int, said: str, location: dict[str, object]) -> dict[str, object]:
    return {
        "descriptor": {"id": _NOTICES[at]["id"], "index": at},
        "level": "warning",
        "message": {"text": literal(said)},
        "locations": [location],
    }


def _offered(support: Support) -> dict[str, object]:
    return {"begin": support.begin, "opens": support.opens, "why": support.why}
