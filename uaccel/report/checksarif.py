# SPDX-License-Identifier: GPL-2.0-only
"""What a check found to SARIF 2.1.0, for what shows the findings of many tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from uaccel import __version__
from uaccel.model.checked import Checked
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Found
from uaccel.report.plain import line
from uaccel.report.sarif import ROOT, bases, literal, log, uri

_FINGERPRINT = "uaccelFinding/v1"
_NOTICES = (
    {
        "id": "not-judged",
        "name": "PlaceNotJudged",
        "shortDescription": {"text": "A place that a rule could not judge; the message says why"},
    },
    {
        "id": "file-skipped",
        "name": "FileSkipped",
        "shortDescription": {"text": "A file that was not judged; the message says why"},
    },
)


def sarif(checked: Checked) -> str:
    """Return the SARIF log, ASCII only, with a newline at its end."""
    driver = {
        "name": "uaccel",
        "version": __version__,
        "rules": [_rule(*one) for one in checked.rules],
        "notifications": _NOTICES,
    }
    told = [*_not_judged(checked), *_skipped(checked)]
    run: dict[str, object] = {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": True,
                "commandLine": checked.command,
                "toolExecutionNotifications": told,
            }
        ],
        "columnKind": "unicodeCodePoints",
        "defaultSourceLanguage": "c",
        "results": list(_results(checked)),
        "properties": {
            "kernelVersion": checked.tree.version if checked.tree else None,
            "knownFindings": checked.known,
        },
    }
    return log(run | ({"originalUriBaseIds": bases(checked.tree)} if checked.tree else {}))


def fingerprints(findings: Iterable[Found]) -> Iterator[tuple[Found, str]]:
    """Yield each of `findings` with what stays the same of it when lines move above it."""
    # Findings that are alike are told apart by their order.
    before: Counter[tuple[str, ...]] = Counter()
    for one in findings:
        alike = (one.rule, one.place.file, one.function, one.text)
        words = (*alike, str(before[alike]))
        before[alike] += 1
        yield one, sha256("\0".join(words).encode(errors="surrogateescape")).hexdigest()


def _rule(name: str, asks: str) -> dict[str, object]:
    words = "".join(word.capitalize() for word in name.split("-"))
    said = line(f"{asks[:1].upper()}{asks[1:]}")
    return {"id": name, "name": words, "shortDescription": {"text": said}}


def _results(checked: Checked) -> Iterator[dict[str, object]]:
    known = [name for name, _ in checked.rules]
    for one, mark in fingerprints(checked.findings):
        yield {
            "ruleId": one.rule,
            **({"ruleIndex": known.index(one.rule)} if one.rule in known else {}),
            "level": one.level.value,
            "kind": "fail",
            "message": {"text": literal(line(one.message))},
            "locations": [_location(checked, one.place, one.function)],
            "partialFingerprints": {_FINGERPRINT: mark},
        }


def _location(checked: Checked, place: Place, function: str = "") -> dict[str, object]:
    region = {"startLine": place.line, "startColumn": place.column}
    within = [{"name": line(function), "kind": "function"}] if function else []
    return {
        "physicalLocation": {"artifactLocation": _file(checked, place.file), "region": region},
        **({"logicalLocations": within} if within else {}),
    }


def _file(checked: Checked, path: str) -> dict[str, object]:
    if path.startswith("/"):
        return {"uri": f"file://{uri(path)}"}
    if checked.tree is None or path in checked.alone:
        return {"uri": uri(path)}
    return {"uri": uri(path), "uriBaseId": ROOT}


def _not_judged(checked: Checked) -> Iterator[dict[str, object]]:
    for one in checked.doubts:
        said = f"{one.rule}: {one.why}" if one.rule else one.why
        yield _notice(0, said, _location(checked, one.place, one.function))


def _skipped(checked: Checked) -> Iterator[dict[str, object]]:
    for one in checked.skipped:
        place = {"artifactLocation": _file(checked, one.path)}
        yield _notice(1, f"{one.path}: {one.why}", {"physicalLocation": place})


def _notice(at: int, said: str, location: dict[str, object]) -> dict[str, object]:
    return {
        "descriptor": {"id": _NOTICES[at]["id"], "index": at},
        "level": Level.WARNING.value,
        "message": {"text": literal(line(said))},
        "locations": [location],
    }
