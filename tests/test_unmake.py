# SPDX-License-Identifier: GPL-2.0-only
"""Windows that stand are unmade: nothing of them is left, and every transfer is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from tests.cases import cases
from uaccel.ctext import address, one_line
from uaccel.edits import apply
from uaccel.host.run import run
from uaccel.host.tree import open_tree, read_file
from uaccel.model.dialect import COMMON
from uaccel.model.rewrite import Edit, Refusal, Rewrite
from uaccel.model.source import Function, Reading, Source
from uaccel.read.accesses import Scope, accesses
from uaccel.read.csource import cleaned, parse
from uaccel.read.reading import read_source
from uaccel.styles import fieldwise, window

STYLES = Path(fieldwise.__file__).parent
OPENS = ("grep", "-rlE", "--include=*.[ch]", r"_access_begin\s*\(|scoped_user_\w+\s*\(")
ASIDE = tuple(f"--exclude-dir={name}" for name in ("Documentation", "tools", "scripts"))
LEFT = re.compile(rb"\b(?:_*unsafe_|scoped_user_|(?:masked_)?user_(?:\w+_)?access_(?:begin|end))")
# How many stand in each tree, and how many of them are made of accesses that the file shows.
TREES = {"6_12": (71, 30), "6_1": (65, 26), "7_3": (86, 36)}

Transfer = tuple[str, str, str]  # direction, the kernel's side, the user's side


@dataclass(frozen=True, slots=True)
class Unmade:
    """One function whose windows were unmade."""

    before: Reading
    after: Reading
    function: Function  # as it stood
    written: Function


def plan(function: Function) -> tuple[Rewrite | Refusal, ...]:
    """Return what the style makes of the windows that stand in a function."""
    answers = fieldwise.plan(function, (), COMMON)
    return tuple(answer for answer in answers if answer.cluster.stands)


def unmade(reading: Reading, function: Function) -> Unmade | None:
    """Return `function` without its windows, None when they must stay."""
    edits = _edits(plan(function))
    if not edits:
        return None
    source = Source(reading.source.path, apply(reading.source.text, edits))
    after = read_source(source)
    (written,) = (one for one in after.functions if one.span.start == function.span.start)
    return Unmade(reading, after, function, written)


def _edits(answers: tuple[Rewrite | Refusal, ...]) -> tuple[Edit, ...]:
    return tuple(edit for one in answers if isinstance(one, Rewrite) for edit in one.edits)


def transfers(source: Source, function: Function) -> list[Transfer]:
    """Return all that a function moves, in the order of its text."""
    quote = source.quote
    return [
        (made.direction.value, one_line(quote(made.value)), address(quote(made.pointer)))
        for node, made in accesses(parse(source.text), Scope((), ()))
        if function.span.start <= node.start_byte < function.span.end
    ]


def standing(tree: Path) -> Iterator[tuple[Reading, Function]]:
    """Yield every function of a tree that holds a window, with its file."""
    opened = open_tree(tree)
    named = run((*OPENS, *ASIDE, "."), folder=tree, timeout=300).stdout.split()
    for path in sorted(name.removeprefix("./") for name in named):
        reading = read_source(read_file(opened, path))
        for function in reading.functions:
            if any(cluster.stands for cluster in function.clusters):
                yield reading, function


@pytest.fixture(scope="module", params=TREES)
def windows(request: pytest.FixtureRequest) -> tuple[str, list[Function], list[Unmade]]:
    """Return the functions of one tree that hold windows, and those that could be unmade."""
    tree = request.getfixturevalue(f"tree_{request.param}")
    found = list(standing(tree))
    made = (unmade(reading, function) for reading, function in found)
    return request.param, [function for _, function in found], [one for one in made if one]


Windows = tuple[str, list[Function], list[Unmade]]


def test_the_windows_of_plain_accesses_are_unmade(windows: Windows) -> None:
    name, functions, _ = windows
    answers = [answer for function in functions for answer in plan(function)]
    written = [answer for answer in answers if isinstance(answer, Rewrite)]
    stand, goal = TREES[name]
    assert len(answers) >= stand
    assert len(written) >= goal
    assert all(answer.why for answer in answers if isinstance(answer, Refusal))


def test_nothing_of_a_window_is_left_and_every_transfer_is(windows: Windows) -> None:
    for made in windows[2]:
        where = f"{made.before.source.path}:{made.function.name}"
        body = made.written.body
        text = cleaned(made.after.source.text)[body.start : body.end]
        assert not LEFT.search(text), where
        assert len(made.after.broken) <= len(made.before.broken), where
        old = transfers(made.before.source, made.function)
        new = transfers(made.after.source, made.written)
        # A macro that was written out shows what it transfers.
        assert [one for one in new if one in old] == old, where
        assert not plan(made.written), where


def test_what_stands_outside_of_the_function_stays(windows: Windows) -> None:
    for made in windows[2]:
        old, new = made.before.source.text, made.after.source.text
        assert new.startswith(old[: made.function.span.start])
        assert new.endswith(old[made.function.span.end :])


def windowed() -> Iterator[tuple[str, Reading, Function]]:
    """Yield what the style `window` makes of the files on its page."""
    for case in cases((STYLES / "window.md").read_text()):
        for given in case.of("c"):
            source = Source(PurePosixPath("case.c"), given.text.encode())
            answers = (window.plan(f, (), COMMON) for f in read_source(source).functions)
            edits = [edit for one in answers for edit in _edits(one)]
            reading = read_source(Source(source.path, apply(source.text, edits)))
            for function in reading.functions:
                if edits and any(cluster.stands for cluster in function.clusters):
                    yield case.title, reading, function


def test_every_window_that_the_style_writes_can_be_unmade() -> None:
    titles = []
    for title, reading, function in windowed():
        assert not [one.why for one in plan(function) if isinstance(one, Refusal)], title
        made = unmade(reading, function)
        assert made is not None, title
        before = transfers(reading.source, function)
        assert transfers(made.after.source, made.written) == before, title
        assert not made.after.broken, title
        titles.append(title)
    assert len(titles) > 10
