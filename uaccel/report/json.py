# SPDX-License-Identifier: GPL-2.0-only
"""A dossier, an account of a tree, a check or a comparison to a JSON document, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from uaccel import __version__
from uaccel.model.account import Account, Finding
from uaccel.model.attribution import Attribution
from uaccel.model.checked import Checked
from uaccel.model.comparison import Comparison, Variant
from uaccel.model.dossier import Dossier, Tree
from uaccel.model.flowgraph import Level
from uaccel.model.judged import Doubted, Found
from uaccel.model.source import Direction
from uaccel.model.support import STANDING, Openings, Support
from uaccel.model.survey import Kind
from uaccel.report.plain import encodable

SCHEMA_VERSION = 1  # raised when a key changes its meaning or goes


def document(dossier: Dossier, schema: str = "uaccel-study") -> str:
    """Return the `study` document, ASCII only, with a newline at its end."""
    content = {
        **head(schema, dossier.tree, dossier.command),
        "clusters": [asdict(subject) for subject in dossier.subjects],
        "measurements": [asdict(measurement) for measurement in dossier.measurements],
        "verdicts": [
            {**asdict(verdict), "outcome": verdict.outcome.value} for verdict in dossier.verdicts
        ],
        "refusals": [asdict(refusal) for refusal in dossier.refusals],
        "patches": [_without(asdict(patch), "text") for patch in dossier.patches],
        "targets": [asdict(target) for target in dossier.targets],
        "unbuilt": [asdict(unbuilt) for unbuilt in dossier.unbuilt],
        "notes": list(dossier.notes),
        "builds": {"compiled": dossier.built, "reused": dossier.reused},
        "seconds": round(dossier.seconds, 3),
    }
    return dump(content)


def scan(account: Account) -> str:
    """Return the `scan` document, ASCII only, with a newline at its end."""
    found = account.scan
    content = {
        **head("uaccel-scan", found.tree, found.command),
        "candidates": {
            "lines": found.totals.lines,
            **{kind.value: found.totals.of(kind) for kind in Kind},
        },
        "clusters": [_cluster(finding) for finding in (*account.shown, *_standing(account))],
        "filters": _filters(account),
        "windows": _windows(account),
        "not_understood": [
            {"file": survey.path, "line": one.line, "column": one.column}
            | {"accessor": one.accessor, "why": one.why}
            for survey in found.surveys
            for one in survey.candidates
            if one.kind is Kind.NOT_UNDERSTOOD
        ],
        "skipped": [
            {"file": one.path, "why": one.why, "candidates": one.candidates}
            for one in found.skipped
        ],
        "architectures": [_architecture(one) for one in account.supports],
        "other_architectures": [asdict(one) for one in account.folders],
        "profile": None if account.profile is None else asdict(account.profile),
        "notes": list(found.notes),
        "files": {
            "looked_at": found.walked,
            "with_candidates": sum(bool(one.candidates) for one in found.surveys),
            "known_from_before": found.reused,
        },
        "seconds": round(found.seconds, 3),
    }
    return dump(content)


def check(checked: Checked) -> str:
    """Return the `check` document, ASCII only, with a newline at its end."""
    looked = checked.looked
    content = {
        **head("uaccel-check", checked.tree, checked.command),
        "findings": [
            {**_standing_at(one), "level": one.level.value, "message": one.message}
            for one in checked.findings
        ],
        "not_judged": [{**_standing_at(one), "why": one.why} for one in checked.doubts],
        "skipped": [{"file": one.path, "why": one.why} for one in checked.skipped],
        "totals": {
            **{level.value: checked.of(level) for level in Level},
            "known": checked.known,
            "gone": checked.gone,
            "not_judged": len(checked.doubts),
            "skipped": len(checked.skipped),
            "files": looked.files,
            "files_judged": looked.holding,
            "functions": looked.functions,
            "windows": looked.windows,
        },
        "rules": [{"rule": name, "asks": asks} for name, asks in checked.rules],
        "targets": list(checked.targets),
        "patches": list(checked.patches),
        "notes": list(checked.notes),
        "seconds": round(checked.seconds, 3),
    }
    return dump(content)


def compare(comparison: Comparison) -> str:
    """Return the `compare` document, ASCII only, with a newline at its end."""
    content = {
        **head("uaccel-compare", None, comparison.command),
        "variants": [_variant(one) for one in comparison.variants],
        "chosen": comparison.chosen,
        "differences": [
            {**asdict(one), "stands": one.stands.value, "change": one.change}
            for one in comparison.differences
        ],
        "moved": [asdict(one) for one in comparison.moved],
        "attributions": [_attribution(one) for one in comparison.attributions],
        "notes": list(comparison.notes),
    }
    return dump(content)


def dump(content: object) -> str:
    """Return `content` as JSON, ASCII only; bytes that were no UTF-8 are spelled out."""
    return json.dumps(_readable(content), indent=2) + "\n"


def head(schema: str, tree: Tree | None, command: str) -> dict[str, object]:
    """Return the keys that every document begins with; no tree is a null."""
    return {
        "schema": {"name": schema, "version": SCHEMA_VERSION},
        "tool": {"name": "uaccel", "version": __version__},
        "tree": asdict(tree) if tree else None,
        "command": command,
    }


def _variant(one: Variant) -> dict[str, object]:
    attributions = [_attribution(each) for each in one.attributions]
    return {**asdict(replace(one, attributions=())), "attributions": attributions}


def _attribution(one: Attribution) -> dict[str, object]:
    return {
        "symbol": one.annotation.symbol,
        "title": one.annotation.title,
        "event": one.annotation.event,
        "arch": one.arch,
        "how": one.how,
        "percent": one.percent,
        "instructions": one.instructions,
        "accesses": one.accesses,
        "windows": [asdict(window) for window in one.windows],
        "rows": [
            {"address": row.address, "percent": row.percent, "text": row.text}
            for row in one.annotation.rows
        ],
        "unknown": list(one.unknown),
    }


def _standing_at(one: Found | Doubted) -> dict[str, object]:
    return {
        "rule": one.rule,
        "file": one.place.file,
        "line": one.place.line,
        "column": one.place.column,
        "function": one.function,
    }


def _cluster(finding: Finding) -> dict[str, object]:
    place, seen = finding.place, finding.place.sighting
    return {
        "id": place.id,
        "file": place.file,
        "function": seen.function,
        "line": seen.line,
        "column": seen.column,
        "last_line": seen.last_line,
        "direction": seen.direction.value,
        "form": seen.form.value,
        "accesses": seen.accesses,
        "longest": seen.longest,
        "looped": seen.looped,
        "pointers": list(seen.pointers),
        "pair": seen.pair,
        "joined": seen.joined,
        "convertible": seen.convertible,
        "why": seen.why,
        "gain": {
            one.arch: {"openings": one.saved, "at_least": one.at_least, "why": one.why}
            for one in finding.gains
        },
        "weight": round(finding.weight, 6),
        "weight_unit": finding.unit,
        "weight_why": finding.why,
    }


def _filters(account: Account) -> dict[str, object]:
    chosen = account.scan.filters
    return {
        "targets": list(chosen.targets),
        "arches": list(chosen.arches),
        "direction": chosen.direction.value if chosen.direction else None,
        "form": chosen.form.value if chosen.form else None,
        "min_accesses": chosen.min_accesses,
        "top": chosen.top,
        "passed": len(account.findings),
    }


def _standing(account: Account) -> tuple[Finding, ...]:
    # Windows that stand are clusters too; who asks for the first N does not ask for them.
    return account.standing if account.scan.filters.top is None else ()


def _windows(account: Account) -> dict[str, int]:
    seen = [one.form for survey in account.scan.surveys for one in survey.sightings]
    return {form.value: seen.count(form) for form in STANDING}


def _architecture(support: Support) -> dict[str, object]:
    facts = _without(_without(asdict(support), "reads"), "writes")
    ways = ((way, support.openings(way)) for way in Direction)
    return {**facts, "openings": {way.value: _openings(found) for way, found in ways}}


def _openings(found: Openings | None) -> dict[str, object] | None:
    return None if found is None else asdict(found)


def _without(record: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in record.items() if name != key}


def _readable(value: object) -> object:
    # A lone surrogate is no text: readers of JSON refuse it, so its byte is spelled out.
    match value:
        case str():
            return encodable(value)
        case dict():
            return {key: _readable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_readable(inner) for inner in value]
    return value
