# SPDX-License-Identifier: GPL-2.0-only
"""Mutate files of a kernel tree and survey them; run by hand.

`python -m tests.fuzz_reader --tree DIR --minutes 10 --seed N`
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from uaccel.flow.survey import survey
from uaccel.model.source import Kind, Source
from uaccel.model.survey import Survey

# The pattern of the issue, line by line, as bytes.
CANDIDATE = re.compile(
    rb"\b(__)?(get|put)_user\s*\(|\b_*copy_(from|to)_user\s*\(|\b(__)?clear_user\s*\(|"
    rb"\bunsafe_(get|put)_user\s*\(|\bunsafe_copy_(from|to)_user\s*\("
)
SLOW = 10.0  # seconds of processor time for one file: what a scan allows
MOST = 400_000  # bytes of a mutant
NOT_READ = ("Documentation", "tools", "scripts")

# What is put somewhere into a file.
WORDS = tuple(
    word.encode("latin1")
    for word in (
        *("{", "}", "\n{\n", "\n}\n", "\n};\n", "(", ")", "[", "]", ";", ",", ":", "?", "#", "\\"),
        *("'", '"', '\\"', "/*", "*/", "//", "\\\n", "\\\r\n", "\r", "\r\n", "\n", "\f", "\0"),
        *("\xff", "\xc3\x28", "\xe2\x82", "\xef\xbb\xbf", " ", "\t", "...", "({", "})"),
        *("\n#if 1\n", "\n#if 0\n", "\n#ifdef A\n", "\n#elif B\n", "\n#else\n", "\n#endif\n"),
        *("\n#define X(a) \\\n", "\n#define Y get_user(x, p)\n", "\n#undef X\n", "\n# \n"),
        *("if (", "else ", "else if (a) ", "for (;;) ", "while (a) ", "do { ", "} while (0);"),
        *("switch (a) {", "case 1:", "default:", "break;", "continue;", "return 0;", "goto out;"),
        *("out:", "\nout:\n", "again: ", "asm(", "static ", "volatile ", "struct a ", "sizeof("),
        *("get_user(x, p)", "put_user(x, &p->a)", "copy_to_user(p, &x, sizeof(x))", "clear_user("),
        *("unsafe_put_user(x, p, out);", "__get_user", "_copy_from_user (", "get_user\n(x, p)"),
        *("if (!user_access_begin(p, 4)) return 1;\n", "user_access_end();\n", "foo();", "X(a);"),
        *(
            "user_write_access_begin(",
            "p = masked_user_access_begin(p);",
            "user_access_restore(f);",
        ),
        *("scoped_user_read_access(p, out) {", "scoped_guard(mutex, &l) ", "guard(mutex)(&l);"),
        *(
            "for_each_entry(a, b) ",
            "SYSCALL_DEFINE1(a, int, b)\n{\n",
            "container_of(a, struct b, c)",
        ),
        *("__attribute__((", "__user ", "EXPORT_SYMBOL(a);\n", "memset(&x, 0, sizeof(x));"),
    )
)
REPEATED = (
    *(b"{", b"(", b"if (a) {", b"else if (a) b();\n", b"[", b"!", b"\n{\n", b"\n#if A\n", b" "),
)


class Mutant(NamedTuple):
    """One file to survey."""

    path: str
    text: bytes
    how: str


class Slowest(NamedTuple):
    """How long a mutant took."""

    seconds: float
    path: str
    how: str
    size: int


def wanted(text: bytes) -> list[int]:
    """Return the candidate lines of `text`, as the issue's pattern finds them line by line."""
    if b"_user" not in text:
        return []
    return [n for n, line in enumerate(text.split(b"\n"), start=1) if CANDIDATE.search(line)]


def wrong(text: bytes, path: str = "fuzz.c") -> str:
    """Return what is wrong with the survey of `text`, "" when nothing is."""
    found = survey(Source(PurePosixPath(path), text))
    lines = [candidate.line for candidate in found.candidates]
    if lines != wanted(text):
        odd = sorted(set(lines) ^ set(wanted(text)))[:5]
        return f"candidate lines differ at {odd or 'the order of the lines'}"
    return _odd_candidate(found, text) or _odd_sighting(found, text) or _odd_pickle(found)


def _odd_candidate(found: Survey, text: bytes) -> str:
    lines = text.split(b"\n")
    for one in found.candidates:
        line = lines[one.line - 1]
        if not line.startswith(one.accessor.encode(), one.column - 1):
            return f"line {one.line}: {one.accessor} is not at column {one.column}"
        if bool(one.why) != (one.kind is Kind.NOT_UNDERSTOOD):
            return f"line {one.line}: {one.kind} with reason {one.why!r}"
    return ""


def _odd_sighting(found: Survey, text: bytes) -> str:
    last = text.count(b"\n") + 1
    for one in found.sightings:
        if not 1 <= one.line <= one.last_line <= last or one.column < 1:
            return f"sighting at {one.line}:{one.column}-{one.last_line} of {last} lines"
        if one.accesses < 0 or one.longest > one.accesses:
            return f"line {one.line}: {one.longest} of {one.accesses} accesses on one path"
        if one.pair is not None and not 1 <= one.pair <= last:
            return f"line {one.line}: its pair stands in line {one.pair}"
    return ""


def _odd_pickle(found: Survey) -> str:
    return "" if pickle.loads(pickle.dumps(found)) == found else "it does not survive pickle"


def files(tree: Path) -> tuple[Path, ...]:
    """Return the files of `tree` that hold candidates or windows, sorted."""
    found: list[Path] = []
    for folder, folders, names in os.walk(tree):
        if Path(folder) == tree:
            folders[:] = [name for name in folders if name not in NOT_READ]
        paths = (Path(folder) / name for name in names if name.endswith((".c", ".h")))
        found += [path for path in paths if not path.is_symlink() and _is_worth(path)]
    return tuple(sorted(found))


def _is_worth(path: Path) -> bool:
    text = path.read_bytes()
    return len(text) < MOST and (bool(wanted(text)) or b"user_access_" in text)


def mutants(tree: Path, chosen: tuple[Path, ...], dice: random.Random) -> Iterator[Mutant]:
    """Yield mutated files of `tree` without end."""
    while True:
        path = dice.choice(chosen)
        text = path.read_bytes()
        how: list[str] = []
        for _ in range(dice.choice((1, 1, 2, 3, 5, 10, 30))):
            change = dice.choice(CHANGES)
            text = change(text, dice)[:MOST]
            how.append(change.__name__.strip("_"))
        yield Mutant(str(path.relative_to(tree)), text, "+".join(how))


def _spot(text: bytes, dice: random.Random) -> int:
    # Mostly near an accessor: elsewhere a mutation changes nothing.
    near = [found.start() for found in re.finditer(rb"_user\b", text)]
    if not near or dice.random() < 0.3:
        return dice.randint(0, len(text))
    return min(max(dice.choice(near) + dice.randint(-120, 120), 0), len(text))


def _stretch(text: bytes, dice: random.Random) -> tuple[int, int]:
    start = _spot(text, dice)
    length = dice.choice((1, 1, 2, 5, 20, 100, 500, 3000))
    return start, min(start + length, len(text))


def _deleted(text: bytes, dice: random.Random) -> bytes:
    start, end = _stretch(text, dice)
    return text[:start] + text[end:]


def _doubled(text: bytes, dice: random.Random) -> bytes:
    start, end = _stretch(text, dice)
    return text[:end] + text[start:end] * dice.choice((1, 1, 2, 7)) + text[end:]


def _swapped(text: bytes, dice: random.Random) -> bytes:
    a, b, c, d = sorted((*_stretch(text, dice), *_stretch(text, dice)))
    return text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]


def _inserted(text: bytes, dice: random.Random) -> bytes:
    at = _spot(text, dice)
    return text[:at] + dice.choice(WORDS) + text[at:]


def _line_inserted(text: bytes, dice: random.Random) -> bytes:
    at = text.find(b"\n", _spot(text, dice)) + 1
    return text[:at] + dice.choice(WORDS) + b"\n" + text[at:]


def _line_deleted(text: bytes, dice: random.Random) -> bytes:
    at = text.find(b"\n", _spot(text, dice)) + 1
    end = text.find(b"\n", at) + 1
    return text[:at] + text[end:] if end else text


def _flipped(text: bytes, dice: random.Random) -> bytes:
    plain = bytearray(text)
    for _ in range(dice.choice((1, 3, 20))):
        if plain:
            plain[min(_spot(text, dice), len(plain) - 1)] = dice.randrange(256)
    return bytes(plain)


def _cut(text: bytes, dice: random.Random) -> bytes:
    at = _spot(text, dice)
    return dice.choice((text[:at], text[at:]))


def _crlf(text: bytes, dice: random.Random) -> bytes:
    return text.replace(b"\n", dice.choice((b"\r\n", b"\r", b"\n\r")), dice.choice((-1, 50)))


def _one_line(text: bytes, dice: random.Random) -> bytes:
    start = _spot(text, dice)
    end = min(start + dice.choice((200, 2000, 100_000)), len(text))
    return text[:start] + text[start:end].replace(b"\n", b" ") + text[end:]


def _deep(text: bytes, dice: random.Random) -> bytes:
    at = _spot(text, dice)
    return text[:at] + dice.choice(REPEATED) * dice.choice((10, 200, 2000)) + text[at:]


def _continued(text: bytes, dice: random.Random) -> bytes:
    start, end = _stretch(text, dice)
    return text[:start] + text[start:end].replace(b"\n", b"\\\n") + text[end:]


def _unindented(text: bytes, dice: random.Random) -> bytes:
    start, end = _stretch(text, dice)
    return text[:start] + re.sub(rb"\n[ \t]+", b"\n", text[start:end]) + text[end:]


CHANGES = (
    *(_deleted, _doubled, _swapped, _inserted, _inserted, _inserted, _line_inserted),
    *(_line_inserted, _line_deleted, _flipped, _cut, _crlf, _one_line, _deep, _continued),
    _unindented,
)


def fuzz(tree: Path, seconds: float, seed: int, keep: Path | None) -> tuple[int, Counter[str]]:
    """Return how many mutants were read in `seconds`, and what went wrong how often."""
    dice = random.Random(seed)
    chosen = files(tree)
    print(f"{len(chosen)} files of {tree}, seed {seed}")
    count, complaints = 0, Counter[str]()
    slowest: list[Slowest] = []
    until = time.monotonic() + seconds
    for mutant in mutants(tree, chosen, dice):
        started = time.process_time()
        why = _judged(mutant)
        took = time.process_time() - started
        count += 1
        slowest = sorted((Slowest(took, mutant.path, mutant.how, len(mutant.text)), *slowest))[-5:]
        if took > SLOW:
            why = why or f"it took more than {SLOW:.0f} s"
        if why:
            kind = re.sub(r"\d+", "N", why)
            complaints[kind] += 1
            if complaints[kind] < 4:
                _show(mutant, why, count, keep)
        if time.monotonic() > until:
            break
    for one in reversed(slowest):
        print(f"slowest: {one.seconds:.2f} s, {one.size} bytes, {one.path}: {one.how[:200]}")
    return count, complaints


def _judged(mutant: Mutant) -> str:
    try:
        return wrong(mutant.text, mutant.path)
    except Exception as error:  # whatever it is: that is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        return f"{type(error).__name__} in {Path(frames[-1].filename).name}:{frames[-1].name}"


def _show(mutant: Mutant, why: str, number: int, keep: Path | None) -> None:
    print(f"{why}\n    {mutant.path}, {len(mutant.text)} bytes: {mutant.how[:200]}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{number}.c").write_bytes(mutant.text)


def main() -> int:
    """Return 1 when something went wrong."""
    words = argparse.ArgumentParser(prog="python -m tests.fuzz_reader")
    words.add_argument("--tree", type=Path, required=True, help="an unpacked kernel")
    words.add_argument("--minutes", type=float, default=10)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--keep", type=Path, help="where mutants that fail are written")
    given = words.parse_args()
    count, complaints = fuzz(given.tree, given.minutes * 60, given.seed, given.keep)
    print(f"{count} mutants, {sum(complaints.values())} of them wrong")
    for why, often in complaints.most_common():
        print(f"{often:6} {why}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
