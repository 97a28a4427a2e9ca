# SPDX-License-Identifier: GPL-2.0-only
"""Whole kernel trees: every access accounted for, every window seen, the sample as judged."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from corpus.check import judged, key, standing
from corpus.tables import version
from tests.drawn import NUMBER, draw
from uaccel.flow.scan import Request, scan
from uaccel.host.tree import open_tree, read_file
from uaccel.model.scan import Filters, Scan
from uaccel.model.source import Direction, Form, Source
from uaccel.model.survey import Kind, Sighting
from uaccel.read.csource import cleaned
from uaccel.read.reading import read_source
from uaccel.report.corpus import corpus

SAMPLE = Path(__file__).parent.parent / "corpus" / "sample-v6.12.tsv"
CORPUS = SAMPLE.with_name("v6.12.tsv")
BEGIN = re.compile(rb"\b(?:masked_user_|user_)(?:read_|write_|rw_)?access_begin\s*\(")
SCOPED = re.compile(rb"\bscoped_user_(?:read|write|rw)_access(?:_size)?\s*\(")
# Where the kernel defines what opens a window: nothing is opened there.
DEFINED = re.compile(r"arch/\w+/include/asm/uaccess(?:_64|_32)?\.h|include/linux/uaccess\.h")
TREES = ("6_12", "6_1", "7_3")


@pytest.fixture(scope="module")
def scans(request: pytest.FixtureRequest) -> dict[str, Scan]:
    """Return a scan of each tree, nothing recalled."""
    asked = Request(Filters((), (), None, None, 0, None), 2, 60, "uaccel scan", None)
    trees = {name: request.getfixturevalue(f"tree_{name}") for name in TREES}
    return {name: scan(open_tree(t), None, asked, lambda *_: None) for name, t in trees.items()}


def sightings(found: Scan) -> list[tuple[str, Sighting]]:
    """Return every cluster and window with its file."""
    return [(survey.path, seen) for survey in found.surveys for seen in survey.sightings]


@pytest.mark.parametrize("name", TREES)
def test_the_classes_add_up_and_nearly_all_is_understood(scans: dict[str, Scan], name: str) -> None:
    totals = scans[name].totals
    assert sum(count for _, count in totals.kinds) == totals.lines > 10_000
    assert totals.of(Kind.NOT_UNDERSTOOD) <= 0.005 * totals.lines
    assert not scans[name].skipped


@pytest.mark.parametrize("name", TREES)
def test_a_survey_knows_the_classes_that_a_full_reading_knows(
    scans: dict[str, Scan], name: str
) -> None:
    # A scan does not parse what one look at the text decides; what it says must be the same.
    tree = scans[name].tree
    paths = ("sound/core", "kernel", "fs", "net/socket.c", "drivers/tty", "arch/mips/kernel")
    chosen = [one for one in scans[name].surveys if one.path.startswith(paths)]
    assert len(chosen) > 100
    for one in chosen:
        assert read_source(read_file(tree, one.path)).candidates == one.candidates, one.path


def test_all_accesses_of_the_seed_are_found(scans: dict[str, Scan]) -> None:
    found = Counter(
        (seen.function, seen.direction)
        for path, seen in sightings(scans["6_12"])
        for _ in range(seen.accesses)
        if path.startswith("sound/core/pcm_") and seen.form is Form.FIELDWISE
    )
    for name in ("snd_pcm_ioctl_sync_ptr_compat", "snd_pcm_ioctl_sync_ptr_x32"):
        assert found[name, Direction.READ] == 3
        assert found[name, Direction.WRITE] == 9


def test_accesses_in_compat_system_calls_are_found(scans: dict[str, Scan]) -> None:
    found = scans["6_12"]
    understood = 0
    for survey in found.surveys:
        text = cleaned(read_file(found.tree, survey.path).text)
        lines = text.split(b"\n")
        classes = {one.line: one.kind for one in survey.candidates}
        for match in re.finditer(rb"^COMPAT_SYSCALL_DEFINE\d\(.*?^\}", text, re.M | re.S):
            first = text.count(b"\n", 0, match.start()) + 1
            for number in range(first, first + match[0].count(b"\n") + 1):
                if number in classes and b"_user" in lines[number - 1]:
                    assert classes[number] in (Kind.CLUSTER, Kind.SINGLE, Kind.WINDOW)
                    understood += 1
    assert understood > 40


@pytest.mark.parametrize("name", TREES)
def test_every_begin_and_every_scope_is_a_window(scans: dict[str, Scan], name: str) -> None:
    found = scans[name]
    windows = [(path, seen) for path, seen in sightings(found) if seen.form in WINDOWS]
    begins = 0
    for survey in found.surveys:
        if DEFINED.fullmatch(survey.path):
            continue
        text = _without_macros(cleaned(read_file(found.tree, survey.path).text))
        for match in (*BEGIN.finditer(text), *SCOPED.finditer(text)):
            line = text.count(b"\n", 0, match.start()) + 1
            inside = [s for p, s in windows if p == survey.path and s.line <= line <= s.last_line]
            assert inside, f"{survey.path}:{line} opens a window that was not seen"
            begins += 1
    # One window may have two begins, a masked one and one that checks; the uses of a macro that
    # opens one are windows too.
    assert len(windows) >= begins - 5
    if name == "6_12":
        assert len(windows) >= 66
    if name == "7_3":
        assert sum(seen.form is Form.SCOPED for _, seen in windows) >= 28


WINDOWS = (Form.WINDOW, Form.MASKED, Form.SCOPED)


def _without_macros(text: bytes) -> bytes:
    define = re.compile(rb"^[ \t]*#(?:[^\n\\]|\\\n|\\[^\n])*", re.M)
    return define.sub(lambda found: b"\n" * found[0].count(b"\n"), text)


def test_the_sample_is_what_people_judged(scans: dict[str, Scan]) -> None:
    found = scans["6_12"]
    head, *rows = SAMPLE.read_text().splitlines()
    judged = [tuple(row.split("\t")) for row in rows]
    for kind in ("cluster", "single"):
        right = [row for row in judged if row[0] == kind and row[3] == "right"]
        assert len(right) >= 58
        assert len([row for row in judged if row[0] == kind]) == NUMBER
    assert all(len(row) == 5 and row[4].endswith(".") for row in judged)
    if head != f"# Linux {found.tree.version}":
        pytest.skip(f"the sample was drawn from {head[2:]}, this is {found.tree.version}")
    drawn = [(kind, path, str(line)) for kind, path, line in draw(found.surveys)]
    assert sorted(row[:3] for row in judged) == sorted(drawn)


def test_the_corpus_is_what_a_scan_says(scans: dict[str, Scan]) -> None:
    found = scans["6_12"]
    if SAMPLE.read_text().partition("\n")[0] != f"# Linux {found.tree.version}":
        pytest.skip(f"the corpus is of another version than {found.tree.version}")
    assert CORPUS.read_text() == corpus(found), "run `make corpus`, and read what changed"


def test_a_file_is_read_alike_wherever_it_lies(tree_6_12: Path) -> None:
    text = (tree_6_12 / "kernel/compat.c").read_bytes()
    one, other = (read_source(Source(PurePosixPath(name), text)) for name in ("a.c", "b.c"))
    assert one.candidates == other.candidates


@pytest.mark.parametrize("name", TREES)
def test_every_finding_in_a_window_that_stands_was_judged_by_a_person(
    request: pytest.FixtureRequest, name: str
) -> None:
    tree = open_tree(request.getfixturevalue(f"tree_{name}"))
    mine = version(tree)
    known = {place[1:]: said for place, (said, _) in judged().items() if place[0] == mine}
    found = standing(tree, 2)
    assert {key(one) for one in found} == known.keys() != set()  # none unread, none lost
    assert set(known.values()) <= {"true", "false"}
    assert [known[key(one)] for one in found].count("false") <= 2


def test_the_windows_that_are_known_to_be_wrong_are_found() -> None:
    # The reference of the project names them: opened for one way and closed by the generic end,
    # opened for both and used for one, masked for both and closed for reading.
    told = {(one[1], one[3]) for one, (said, _) in judged().items() if said == "true"}
    assert ("arch/x86/kernel/sys_ia32.c", "wrong-end") in told
    assert ("lib/iov_iter.c", "wider-mode") in told
    assert ("drivers/gpu/drm/i915/gem/i915_gem_execbuffer.c", "wider-mode") in told
    assert ("fs/select.c", "wrong-end") in told
