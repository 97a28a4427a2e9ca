# SPDX-License-Identifier: GPL-2.0-only
"""Write clusters that move the same fields as one macro: a window that its users share.

sound/core/pcm_native.c has two of them since 6.17, for the functions of the SYNC_PTR ioctl.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from uaccel.changes import changes
from uaccel.ctext import call
from uaccel.drawing import branch, indented, replaced
from uaccel.model.dialect import Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Cluster, Companion, Function, Layouts, Span
from uaccel.model.steps import Stretch
from uaccel.orphans import orphans
from uaccel.outlines import Outline, outline
from uaccel.ranges import Range
from uaccel.sharing import Sharing, User, sharing
from uaccel.windows import WORDS, Ground, Window, window
from uaccel.writing import ALONE, STANDS

OTHERS = "no other function of the file moves the same fields"
BRANCHES = (
    "the other functions that move the same fields stand under other conditions of the preprocessor"
)
UNABLE = "the other functions that move the same fields cannot use a macro for it"
FIELDS = "it moves more than plain fields behind one pointer: a macro could not name them"
FAULTS = "its faults do not all leave, and leave alike: a macro knows one way to fail"
AMONG = "other statements, comments or tests stand among the accesses"
POINTER = "the pointer does not mean one object for all of the accesses"
PLACES = "what is read goes to a place that must be worked out"


def plan(
    function: Function, layouts: tuple[Layouts, ...], dialect: Dialect
) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its use of a macro or the reason against it."""
    return tuple(_answer(function, cluster, layouts, dialect) for cluster in function.clusters)


def _answer(
    function: Function, cluster: Cluster, layouts: tuple[Layouts, ...], dialect: Dialect
) -> Rewrite | Refusal:
    if cluster.stands:
        return Refusal(cluster, STANDS)
    if cluster.stretch is None:
        return Refusal(cluster, cluster.obstacle or ALONE)
    if len(cluster.accesses) < 2:
        return Refusal(cluster, ALONE)
    mine = outline(function, cluster)
    if mine is None:
        return Refusal(cluster, FIELDS)
    word = WORDS[cluster.direction]
    made = _window(function, cluster.stretch, word, layouts, dialect)
    if isinstance(made, str):
        return Refusal(cluster, made)
    every = tuple(_users(function, mine, layouts, dialect))
    users = _together(function, every)
    if _count(every) < 2:
        alone = not any(_moves(one, mine) for one in _beside(function))
        return Refusal(cluster, OTHERS if alone else UNABLE)
    if _count(users) < 2:
        return Refusal(cluster, BRANCHES)
    return _rewrite(function, cluster, made, sharing(users))


def _count(users: tuple[User, ...]) -> int:
    return len({id(user.companion) for user in users})


def _beside(function: Function) -> Iterator[Function]:
    every = (companion.function for companion in function.companions)
    return (one for one in every if not _is(one, function))


def _moves(function: Function, mine: Outline) -> bool:
    found = (outline(function, cluster) for cluster in function.clusters)
    return any(one is not None and one.key == mine.key for one in found)


def _window(
    function: Function, stretch: Stretch, word: str, layouts: tuple[Layouts, ...], dialect: Dialect
) -> Window | str:
    taken = frozenset(function.names)
    ground = Ground(function, stretch, layouts, dialect, taken)
    made = window(ground, word)
    return made if isinstance(made, str) else _reason_against(made) or made


def _reason_against(made: Window) -> str | None:
    stretch, here = made.stretch, made.ranges
    steps = stretch.steps
    if len({step.fault for step in steps}) > 1 or not steps[0].fault.leaves:
        return FAULTS
    tested = any(piece.test or piece.access is None for step in steps for piece in step.pieces)
    odd = any(step.opening or step.closing or step.looped or not step.always for step in steps)
    early = any(step.rest for step in steps[:-1])
    if tested or odd or early or stretch.leaves or not _is_in_a_row(made):
        return AMONG
    if here.before or here.within or here.begin != _whole(here.begin):
        return POINTER
    return PLACES if any(hoist.behind or hoist.pointer for hoist in made.hoists.every) else None


def _is_in_a_row(made: Window) -> bool:
    text, steps = made.ground.function.source.text, made.stretch.steps
    return not any(text[one.span.end : other.span.start].strip() for one, other in pairwise(steps))


def _whole(begin: Range) -> Range:
    return Range(begin.pointer, f"sizeof(*{begin.pointer})")


def _users(
    function: Function, mine: Outline, layouts: tuple[Layouts, ...], dialect: Dialect
) -> Iterator[User]:
    for companion in function.companions:
        one = companion.function
        for cluster in one.clusters:
            found = outline(one, cluster)
            if found is None or found.key != mine.key:
                continue
            if cluster.stretch is None:  # it stands as a window, in a macro or not
                yield User(companion, found, tuple("(" in value for value in found.values))
                continue
            word = WORDS[cluster.direction]
            made = _window(one, cluster.stretch, word, layouts, dialect)
            if not isinstance(made, str):
                names = (made.hoists.name(access) for access in cluster.accesses)
                yield User(companion, found, tuple(bool(name) for name in names))


def _together(function: Function, every: tuple[User, ...]) -> tuple[User, ...]:
    # What one definition reaches: it stands above the first of them.
    groups: list[list[User]] = []
    for user in every:
        branches = user.companion.branches
        reached = (some for some in groups if _is_within(branches, some[0].companion.branches))
        found = next(reached, None)
        if found is None:
            groups.append([user])
        else:
            found.append(user)
    return next(
        (
            tuple(some)
            for some in groups
            if any(_is(one.companion.function, function) for one in some)
        ),
        (),
    )


def _is_within(inner: tuple[tuple[str, int], ...], outer: tuple[tuple[str, int], ...]) -> bool:
    return inner[: len(outer)] == outer


def _is(one: Function, function: Function) -> bool:
    return one.span == function.span and one.source.path == function.source.path


def _rewrite(function: Function, cluster: Cluster, made: Window, shared: Sharing) -> Rewrite:
    mine = outline(function, cluster)
    number = next(
        number
        for number, user in enumerate(shared.users)
        if _is(user.companion.function, function) and user.outline == mine
    )
    stretch = made.stretch
    first, last = stretch.steps[0], stretch.steps[-1]
    lines = _call(stretch.indent, shared.name, shared.given(number), first.fault.text)
    reset = dict.fromkeys(f"{one.variable} = 0;" for one in stretch.steps if one.resets)
    lines += [f"{stretch.indent}{one}" for one in (*reset, stretch.zero) if one]
    lines += indented(last.rest, stretch.indent) if last.rest else []
    extent = Span(first.span.start, last.span.end)
    edits = replaced(function.source, replace(last, span=extent, header=stretch.header), lines)
    edits += orphans(function, edits, (made,))
    place = shared.users[0].companion
    source = place.function.source
    stands = shared.text.encode(errors="surrogateescape") in source.text
    defined = () if stands else (_definition(place, shared.text),)
    here = source.path == function.source.path
    outside = () if here else tuple((source.path, edit) for edit in defined)
    own = (*edits, *(defined if here else ()))
    return Rewrite(cluster, own, changes(made, masked=False), outside)


def _call(indent: str, name: str, given: tuple[str, ...], fault: str) -> list[str]:
    head, *below = branch(indent, "", fault)
    brace = " {" if head.endswith("{") else ""
    return [*call(f"{indent}if (", name, given, f"){brace}").split("\n"), *below]


def _definition(place: Companion, text: str) -> Edit:
    return Edit(Span(place.above, place.above), f"{text}\n")


STYLE = Style(
    summary="one macro that holds the window, for functions that move the same fields",
    needs_layouts=False,
    plan=plan,
)
