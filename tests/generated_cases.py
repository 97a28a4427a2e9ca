# SPDX-License-Identifier: GPL-2.0-only
"""Write generated functions in every style and back, run what was written, tell what differs.

    python -m tests.generated_cases --cases 10000 --seed 1

prints a table of shapes and styles, the refusals, and a story for each thing that is wrong; it
ends with 1 when there is one.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.generator import Case
from tests.run_generated import Outcome, Story, Trial, Variant, execute
from tests.windows import case
from uaccel.flow.drafts import STYLES, Draft, draft
from uaccel.flow.targets import Target
from uaccel.flow.transfers import is_same
from uaccel.model.dialect import COMMON, Dialect
from uaccel.model.source import Function, Source
from uaccel.read.reading import read_source

BATCH = 100  # cases in one C file
ALL = Dialect(True, True, True, True, True, (17, 0, 1), clamps=True)  # all there is
Row = tuple[str, str, str]  # shape, style, what came of it: "written" or why not


@dataclass(frozen=True, slots=True)
class Writing:
    """What the styles made of a case, before it is run."""

    trial: Trial
    rows: tuple[Row, ...]
    pairs: tuple[str, ...]  # styles there and back that were written
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of some cases."""

    rows: tuple[tuple[Row, int], ...]
    pairs: tuple[tuple[str, int], ...]
    outcome: Outcome
    variants: int
    seconds: tuple[float, float]  # writing, running


def write(one: Case) -> Writing:
    """Return `one` in every style that takes it, and from there in a style drawn, and back."""
    rng = random.Random(one.seed)
    source = Source(PurePosixPath("drivers/lamp/lamp.c"), one.text.encode())
    reading = read_source(source)
    stories = [
        Story(one.seed, "original", "the reader finds broken C", f"{line}: {why}\n{one.text}")
        for line, why in reading.broken
    ]
    found = [function for function in reading.functions if function.name == "lamp_ioctl"]
    if not found:
        row = (one.shape_at(0), "-", "no access was found in it")
        return Writing(Trial(one, ()), (row,), (), tuple(stories))
    target = Target(reading, (), found[0], rng.choice((COMMON, ALL, ALL)))
    rows: list[Row] = []
    variants: list[Variant] = []
    pairs: list[str] = []
    for style in STYLES:
        made = _attempt(one, target, style, style, stories)
        if made is None:
            continue
        rows += _rows(one, target.function, made)
        if not made.rewrites:
            continue
        variants.append(_variant(style, made, ()))
        back = _homes(target.function, style, rng)
        for home in back:
            name = f"{style}>{home}"
            again = _attempt(one, made.written, home, name, stories)
            if again is not None and again.rewrites:
                pairs.append(name)
                variants.append(_variant(name, again, made.rewrites))
                stories += _compared(one, name, made, again)
    return Writing(Trial(one, tuple(variants)), tuple(rows), tuple(pairs), tuple(stories))


def _attempt(
    one: Case, target: Target, style: str, name: str, stories: list[Story]
) -> Draft | None:
    try:
        return draft(target, style, one.layouts)
    except Exception as error:
        where = traceback.format_exc(limit=-2)
        text = f"{where}\n{target.reading.source.text.decode()}"
        stories.append(Story(one.seed, name, f"{type(error).__name__}: {error}", text))
        return None


def _homes(function: Function, style: str, rng: random.Random) -> tuple[str, ...]:
    # Back to a style in which it stood, or on to one that is drawn.
    stood = {cluster.form.value for cluster in function.clusters}
    others = [other for other in STYLES if other != style]
    homes = [other for other in others if other in stood]
    return (rng.choice(homes if homes and rng.random() < 0.6 else others),)


def _variant(name: str, made: Draft, before: Sequence[object]) -> Variant:
    said = [sentence for one in (*before, *made.rewrites) for sentence in one.differences]  # type: ignore[attr-defined]
    return Variant(name, made.text.decode(), tuple(dict.fromkeys(said)))


def _rows(one: Case, function: Function, made: Draft) -> Iterator[Row]:
    line = function.source.line
    for rewrite in made.rewrites:
        yield one.shape_at(line(rewrite.cluster.start)), made.style, "written"
    for refusal in made.refusals:
        yield one.shape_at(line(refusal.cluster.start)), made.style, refusal.why


def _compared(one: Case, name: str, there: Draft, back: Draft) -> Iterator[Story]:
    first, last = there.target.function, back.written.function
    if not is_same(first, last, (*first.clusters, *there.written.function.clusters)):
        text = f"{there.target.reading.source.text.decode()}\n{back.text.decode()}"
        yield Story(one.seed, name, "other clusters after the way back", text)


def run_batch(seeds: Sequence[int], shape: str | None = None) -> Batch:
    """Return what comes of the cases of `seeds`."""
    start = time.monotonic()
    writings = [write(case(seed, shape)) for seed in seeds]
    middle = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="uaccel-generated-") as folder:
        made = execute([one.trial for one in writings], Path(folder))
    told = (*(story for one in writings for story in one.stories), *made.stories)
    end = time.monotonic()
    return Batch(
        tuple(Counter(row for one in writings for row in one.rows).items()),
        tuple(Counter(pair for one in writings for pair in one.pairs).items()),
        Outcome(told, made.runs, made.skipped, made.used),
        sum(len(one.trial.variants) for one in writings),
        (middle - start, end - middle),
    )


def main() -> int:
    """Return 1 when anything differs, else 0; the summary goes to stdout."""
    parser = argparse.ArgumentParser(prog="python -m tests.generated_cases")
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first case; others follow")
    parser.add_argument("--shape", help="make every case of this one shape")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stories", type=int, default=1, help="told in full for each kind")
    parser.add_argument("--refusals", action="store_true", help="every sentence with its shape")
    asked = parser.parse_args()
    start = time.monotonic()
    seeds = range(asked.seed, asked.seed + asked.cases)
    parts = [seeds[at : at + BATCH] for at in range(0, len(seeds), BATCH)]
    with ProcessPoolExecutor(asked.jobs) as pool:
        batches = list(pool.map(run_batch, parts, [asked.shape] * len(parts)))
    stories = [story for batch in batches for story in batch.outcome.stories]
    lines = [*_summary(batches, asked.refusals), *_stories(stories, asked.stories)]
    seconds = time.monotonic() - start
    differing = len({(story.seed, story.variant) for story in stories})
    lines.append(f"{asked.cases} cases, {differing} variants with a difference, {seconds:.0f} s")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if stories else 0


def _summary(batches: Sequence[Batch], every: bool) -> Iterator[str]:
    rows: Counter[Row] = Counter()
    pairs: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for batch in batches:
        rows.update(dict(batch.rows))
        pairs.update(dict(batch.pairs))
        used.update(dict(batch.outcome.used))
    yield from _table(rows)
    yield ""
    for (style, why), number in _sentences(rows, every):
        yield f"{number:7} {style:11} {why}"
    yield ""
    yield "there and back: " + ", ".join(f"{name} {n}" for name, n in sorted(pairs.items()))
    yield "permissions needed, in runs: " + ", ".join(f"{k} {n}" for k, n in used.most_common())
    runs = sum(batch.outcome.runs for batch in batches)
    skipped = sum(batch.outcome.skipped for batch in batches)
    yield f"{sum(batch.variants for batch in batches)} variants, {runs} runs,"
    yield f"{skipped} runs left out because the original breaks the rules there itself,"
    writing, running = (sum(batch.seconds[at] for batch in batches) for at in (0, 1))
    yield f"{writing:.0f} s of writing, {running:.0f} s of compiling and running"


def _table(rows: Counter[Row]) -> Iterator[str]:
    shapes = sorted({shape for shape, _, _ in rows})
    yield f"{'written/asked':18}" + "".join(f"{style:>14}" for style in STYLES)
    for shape in shapes:
        cells = []
        for style in STYLES:
            asked = sum(n for (s, t, _), n in rows.items() if (s, t) == (shape, style))
            cells.append(f"{rows[shape, style, 'written']}/{asked}")
        yield f"{shape:18}" + "".join(f"{cell:>14}" for cell in cells)


def _sentences(rows: Counter[Row], every: bool) -> list[tuple[tuple[str, str], int]]:
    said: Counter[tuple[str, str]] = Counter()
    for (shape, style, why), number in rows.items():
        if why != "written":
            plain = re.sub(r"`[^`]*`|\bon \w+, .*|lamp_\w+|\d+", "..", why)
            said[style, f"{shape}: {plain}" if every else plain] += number
    return said.most_common()


def _stories(stories: Sequence[Story], most: int) -> Iterator[str]:
    kinds: dict[tuple[str, str], list[Story]] = {}
    for story in stories:
        kinds.setdefault((story.variant, re.sub(r"\d+", "N", story.what)), []).append(story)
    for (variant, what), found in kinds.items():
        seeds = sorted({story.seed for story in found})
        yield f"\n=== {variant}: {what}: {len(seeds)} cases, seeds {seeds[:8]}"
        first = {story.seed: story for story in reversed(found)}
        shortest = sorted(first.values(), key=lambda story: len(story.text))
        for story in shortest[:most]:
            yield f"--- seed {story.seed}\n{story.text}"


if __name__ == "__main__":
    sys.exit(main())
