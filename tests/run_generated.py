# SPDX-License-Identifier: GPL-2.0-only
"""Build generated functions beside what was made of them, run all, and tell what differs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.generator import Case
from tests.permits import BYTES, KEEP, NOUGHT, Difference, knobs, names, permits, targets
from uaccel.host.run import run

SHIM = Path(__file__).parent / "shim"
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-Werror=implicit", f"-I{SHIM}")
WARNINGS = ("-Wall", "-Wno-unused-function")
# What a variable holds that nothing set is the same in every build of the first kind.
BUILDS = (
    ("-O0", "-DSHIM_MASKED=1", "-ftrivial-auto-var-init=pattern"),
    ("-O2", "-DSHIM_MASKED=0", "-DCONFIG_LAMP"),
)
_NAMES = ("lamp", "lamp_sync", "lamp_level", "lamp_ioctl")
# How many bytes go at once is no difference: what copies is compared byte by byte.
_COPY = re.compile(r"copy_(?:from|to)_user\(")
_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_SAID = re.compile(r"^(\d+)\.([\w>-]+):(\d+):\d+: (error|warning): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Variant:
    """What was made of a case."""

    name: str  # the styles it was written in, one behind the other: "window>fieldwise"
    text: str
    sentences: tuple[str, ...]  # what it declares to do otherwise


@dataclass(frozen=True, slots=True)
class Trial:
    """A case and what was made of it."""

    case: Case
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that is wrong, for a person to read."""

    seed: int
    variant: str
    what: str  # the kind of failure, for counting
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of some trials."""

    stories: tuple[Story, ...]
    runs: int
    skipped: int  # runs in which the original breaks the rules itself
    used: tuple[tuple[str, int], ...]  # permissions, and in how many runs each was needed


def execute(trials: Sequence[Trial], folder: Path) -> Outcome:
    """Return what differs between each case and its variants, at -O0 and at -O2."""
    stories = [story for trial in trials for story in _unknown(trial)]
    strange = {(story.seed, story.variant) for story in stories}
    trials = [_less(trial, strange) for trial in trials]
    used: Counter[str] = Counter()
    total = skipped = 0
    known = {trial.case.seed: trial for trial in trials}
    for build in BUILDS:
        said, rejected = _built(trials, folder, build)
        stories += (one for one in rejected if (one.seed, one.variant) not in strange)
        strange |= {(one.seed, one.variant) for one in rejected}
        for line in _run(folder):
            if line["what"] == "sum":
                total += line["runs"]
                skipped += line["skipped"]
                used.update({names(int(k)): n for k, n in line["permitted"].items()})
            else:
                trial = known[int(line["case"])]
                stories += _judged(trial, line, used, build[0])
        stories += _warned(known, said)
    return Outcome(tuple(stories), total, skipped, tuple(sorted(used.items())))


def _unknown(trial: Trial) -> Iterator[Story]:
    for one in trial.variants:
        for sentence in one.sentences:
            try:
                permits((sentence,))
            except KeyError:
                text = f"{sentence}\ntests/permits.py must say what it permits"
                yield Story(trial.case.seed, one.name, "an unknown sentence", text)


def _less(trial: Trial, without: set[tuple[int, str]]) -> Trial:
    kept = (one for one in trial.variants if (trial.case.seed, one.name) not in without)
    return replace(trial, variants=tuple(kept))


def _built(
    trials: Sequence[Trial], folder: Path, build: tuple[str, ...]
) -> tuple[str, tuple[Story, ...]]:
    # What does not compile is told and left out, the others are built again without it.
    known = {trial.case.seed: trial for trial in trials}
    rejected: dict[tuple[int, str], Story] = {}
    for _ in range(20):
        (folder / "batch.c").write_text(batch(trials, set(rejected)))
        argv = ("gcc", *FLAGS, *WARNINGS, *build, "-c", "batch.c", "-o", "batch.o")
        built = run(argv, folder=folder, timeout=300)
        if not built.status:
            return built.stderr, tuple(rejected.values())
        errors = [found for found in _SAID.finditer(built.stderr) if found[4] == "error"]
        for found in errors:
            seed, name = int(found[1]), found[2]
            text = f"line {found[3]}: {found[5]}\n{_both(known[seed], name)}"
            rejected.setdefault((seed, name), Story(seed, name, "does not compile", text))
        if not errors:
            raise AssertionError(built.stderr[:2000])
    raise AssertionError("it does not compile, whatever is left out")


@cache
def _machine() -> tuple[Path, TemporaryDirectory[str]]:
    # Built once for a process; the folder goes with it.
    folder = TemporaryDirectory(prefix="uaccel-machine-")
    argv = ("gcc", *FLAGS, "-O2", "-c", str(SHIM / "machine.c"), "-o", "machine.o")
    built = run(argv, folder=Path(folder.name), timeout=120)
    assert built.status == 0, built.stderr
    return Path(folder.name) / "machine.o", folder


def _run(folder: Path) -> list[Difference]:
    argv = ("gcc", "batch.o", str(_machine()[0]), "-o", "batch")
    linked = run(argv, folder=folder, timeout=120)
    assert linked.status == 0, linked.stderr
    ran = run(("./batch",), folder=folder, timeout=300)
    assert ran.status == 0, f"the machine ended with {ran.status}: {ran.stderr}"
    return [json.loads(line) for line in ran.stdout.splitlines()]


def batch(trials: Sequence[Trial], without: set[tuple[int, str]]) -> str:
    """Return one C file of all `trials`; those of (seed, variant) in `without` are left out."""
    pieces = ['#include "machine.h"\n']
    rows = []
    for trial in trials:
        seed = trial.case.seed
        if (seed, "original") in without:
            continue
        every = (Variant("original", trial.case.text, ()), *trial.variants)
        kept = [one for one in every if (seed, one.name) not in without]
        entries = []
        for at, one in enumerate(kept):
            pieces.append(_variant(seed, at, one))
            mask = knobs(permits(one.sentences)) | (BYTES if _COPY.search(trial.case.text) else 0)
            named = ", ".join(f'"{targets(one.sentences, knob)}"' for knob in (KEEP, NOUGHT))
            entries.append(f'{{ "{one.name}", call_{seed}_{at}, {mask}, {named} }}')
        table = f"variants_{seed}"
        pieces.append(
            f"static const struct shim_variant {table}[] = {{\n\t{', '.join(entries)}\n}};\n"
        )
        size = trial.case.size
        rows.append(f'{{ "{seed}", 2, {{ {size}, {size} }}, {len(kept)}, {table} }}')
    pieces.append(f"static const struct shim_case cases[] = {{\n\t{','.join(rows)}\n}};\n")
    pieces.append("int main(void)\n{\n\treturn shim_main(cases, (int)ARRAY_SIZE(cases));\n}\n")
    return "".join(pieces)


def _variant(seed: int, at: int, one: Variant) -> str:
    own = (*_NAMES, *dict.fromkeys(_DEFINED.findall(one.text)))
    renamed = "".join(f"#define {name} {name}_{seed}_{at}\n" for name in _NAMES)
    call = "lamp_ioctl(shim_kernel(0), shim_user(0), shim_user(1), shim_kernel(1), shim_number(0))"
    return (
        f'{renamed}#line 1 "{seed}.{one.name}"\n{one.text}#line 1 "batch.c"\n'
        f"static long call_{seed}_{at}(void)\n{{\n\treturn {call};\n}}\n"
        + "".join(f"#undef {name}\n" for name in own)
    )


def _judged(trial: Trial, line: Difference, used: Counter[str], build: str) -> Iterator[Story]:
    seed, name, what = trial.case.seed, line["variant"], line["what"]
    if what == "more":
        yield Story(seed, name, "too many differences to look at", _both(trial, name))
        return
    if what == "original":
        notes = "; ".join(line["before"]["notes"])
        yield Story(seed, name, f"the original itself: {notes}", trial.case.text)
        return
    variant = next(one for one in trial.variants if one.name == name)
    rows = permits(variant.sentences)
    also = [row.also for row in rows if row.also is not None]
    ways = [line, *({**line, **other} for other in line["others"])]
    if what == "difference" and any(permitted(way) for permitted in also for way in ways):
        used["looked at"] += 1
        return
    kind = what if what == "difference" else re.sub(r" \(at.*", "", line["after"]["notes"][0])
    story = (
        f"{build}, {line['kind']} at {line['at']}, object {line['object']}, data {line['data']}\n"
        f"declared: {' '.join(variant.sentences) or 'nothing'}\n{told(line)}\n{_both(trial, name)}"
    )
    yield Story(seed, name, kind, story)


def told(line: Difference) -> str:
    """Return what both runs did, in words."""
    rows = []
    for name in ("before", "after"):
        one = line[name]
        log = " ".join(_entry(entry) for entry in one["log"])
        rows.append(f"{name + ':':7} returns {one['result']}: {log or 'nothing'}")
        rows += [f"        {note}" for note in one["notes"]]
    for memory in ("user", "kernel"):
        one, two = (bytes.fromhex(line[name][memory]) for name in ("before", "after"))
        changed = [at for at in range(len(one)) if one[at] != two[at]]
        if changed:
            rows.append(f"{memory} memory differs at {changed}")
    return "\n".join(rows)


def _entry(entry: list[object]) -> str:
    kind, at, size, value, faulted = entry
    if kind == "c":
        return f"call{at}({value})"
    return f"{kind}{size}@{at}={'FAULT' if faulted else value}"


def _warned(known: dict[int, Trial], said: str) -> Iterator[Story]:
    found = Counter[tuple[int, str, str]]()
    for line in _SAID.finditer(said):
        called = re.search(r"\[-W[\w-]+", line[5])
        found[int(line[1]), line[2], called[0] if called else line[5]] += 1
    for (seed, name, flag), number in found.items():
        if number > found[seed, "original", flag]:
            words = "\n".join(
                f"line {line[3]}: {line[5]}"
                for line in _SAID.finditer(said)
                if (int(line[1]), line[2]) == (seed, name)
            )
            text = f"{words}\n{_both(known[seed], name)}"
            yield Story(seed, name, f"a new warning {flag}]", text)


def _both(trial: Trial, name: str) -> str:
    variant = next((one for one in trial.variants if one.name == name), None)
    before = trial.case.text
    if variant is None:
        return before
    changed = unified_diff(before.splitlines(), variant.text.splitlines(), n=3, lineterm="")
    start = before.index("\n\n", before.index("int lock;"))
    return f"{before[: before.index('struct lamp {')]}{before[start:]}\n" + "\n".join(changed)
