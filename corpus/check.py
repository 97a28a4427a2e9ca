# SPDX-License-Identifier: GPL-2.0-only
"""What `uaccel check` finds in a tree, beside what a person judged; and in what a style writes.

    python -m corpus.check [--tree DIR] [--write] [--style NAME ...] [--files GLOB] [--jobs N]

Without --style: every finding of the tree must stand in corpus/check-judged.tsv, judged true or
false, and every row be found; --write adds what is not there with `?`, to be read by a person.
With --style: whatever the style writes must be clean, but for what the file had before.  Exit
status 1 when one is not so.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from corpus.tables import answered, table, version
from uaccel.cli.progress import Bar
from uaccel.flow.check import Request, check
from uaccel.flow.coverage import Covered, coverage, files
from uaccel.flow.drafts import STYLES
from uaccel.flow.judge import RULES, Ground, judge_file, prepare
from uaccel.flow.wanted import wanted
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Tree
from uaccel.model.judged import Found

JUDGED = Path(__file__).parent / "check-judged.tsv"
COLUMNS = ("tree", "file", "function", "rule", "level", "text", "finding", "judged", "why")
_UNREAD = "?"
_SECONDS = 60.0  # for one file
Key = tuple[str, str, str, str, str]  # all that stays when lines move


def main() -> int:
    """Print what is not as it should be, and the sums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--write", action="store_true", help="add what was not judged yet")
    parser.add_argument("--style", action="append", choices=tuple(STYLES))
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    tree = find_tree(args.tree, None)
    if args.style:
        return max(_written(tree, style, args.files, args.jobs) for style in args.style)
    found = standing(tree, args.jobs)
    known = judged()
    new = [one for one in found if (version(tree), *key(one)) not in known]
    for one in new:
        print(f"not judged: {one.place.file}:{one.place.line}: {one.message} [{one.rule}]")
    places = {(version(tree), *key(one)) for one in found}
    lost = sorted(one for one in known if one[0] == version(tree) and one not in places)
    for _, file, function, rule, _, text in lost:
        print(f"no longer found: {file}: {function}: {text} [{rule}]")
    if args.write:
        put(str(JUDGED.parent), JUDGED.name, _table(tree, found, known))
    words = Counter(known.get((version(tree), *key(one)), (_UNREAD, ""))[0] for one in found)
    print(f"{len(found)} findings: {words['true']} true, {words['false']} false, {len(new)} unread")
    return 1 if new or lost else 0


def standing(tree: Tree, jobs: int) -> tuple[Found, ...]:
    """Return every finding in the windows that stand in `tree`."""
    with Bar("judging", verbose=not sys.stderr.isatty()) as bar:
        request = Request(tuple(RULES), jobs, _SECONDS, "")
        return check(tree, wanted(tree, (), None), request, bar.step).findings


def key(one: Found) -> Key:
    """Return what stays the same of a finding when lines move above it."""
    return one.place.file, one.function, one.rule, one.level.value, one.text


def judged() -> dict[tuple[str, ...], tuple[str, str]]:
    """Return the findings that a person read: by tree and key, what he said and why."""
    rows = [line.split("\t") for line in JUDGED.read_text().splitlines()[1:]]
    return {tuple(row[:6]): (row[7], row[8]) for row in rows}


def _table(
    tree: Tree, found: tuple[Found, ...], known: dict[tuple[str, ...], tuple[str, str]]
) -> str:
    mine = version(tree)
    old = [line.split("\t") for line in JUDGED.read_text().splitlines()[1:]]
    rows = {tuple(row[:6]): tuple(row) for row in old if row[0] != mine}
    for one in found:
        place = (mine, *key(one))
        rows[place] = (*place, one.message, *known.get(place, (_UNREAD, "")))
    return table((COLUMNS, *(rows[place] for place in sorted(rows))))


def _written(tree: Tree, style: str, pattern: str, jobs: int) -> int:
    ground = Ground(tree)
    prepare(ground)
    with Bar("writing", verbose=not sys.stderr.isatty()) as bar:
        store = Store(cache_folder(os.environ))
        paths = files(tree, store, pattern, jobs, bar.step)
        made = coverage(tree, style, paths, jobs, bar.step)
    changed = [one for one in made if one.before != one.after]
    new = [found for one in changed for found in _new(ground, one)]
    for found in new:
        place = f"{found.place.file}:{found.place.line}"
        print(f"{style}: {place}: {found.level.value}: {found.message} [{found.rule}]")
    doubts = sum(len(judge_file(ground, one.path, one.after).doubts) for one in changed)
    functions = sum(len(one.functions) for one in changed)
    print(f"{style}: {functions} functions in {len(changed)} files written: {len(new)} findings")
    print(f"{style}: {doubts} places not judged")
    return 1 if new else 0


def _new(ground: Ground, one: Covered) -> Iterator[Found]:
    given = Ground(ground.tree, {change.path: change.after for change in one.others})
    before = Counter(key(found) for found in judge_file(ground, one.path, one.before).findings)
    for found in judge_file(given, one.path, one.after).findings:
        if before[key(found)]:
            before[key(found)] -= 1
        else:
            yield found


if __name__ == "__main__":
    sys.exit(main())
