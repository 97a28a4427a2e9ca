# SPDX-License-Identifier: GPL-2.0-only
"""Say which windows can hold a stretch of statements: what the styles with a window share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from uaccel.ctext import fresh
from uaccel.elements import freed
from uaccel.fields import Scalar, Whole, scalars
from uaccel.hoists import Hoists, hoists
from uaccel.lengths import reason_against
from uaccel.model.access import Access, Direction, Span
from uaccel.model.dialect import Dialect
from uaccel.model.source import Function, Layouts
from uaccel.model.steps import Fault, Stretch
from uaccel.ranges import Ranges, ranges, rebased

WORDS = {Direction.READ: "read", Direction.WRITE: "write"}
UNSAFE = {Direction.READ: "unsafe_get_user", Direction.WRITE: "unsafe_put_user"}
COPY = {Direction.READ: "unsafe_copy_from_user", Direction.WRITE: "unsafe_copy_to_user"}
FEW = "one access alone is left when those are taken away that no window can hold"
NO_COPY = "an architecture of this tree has no `{copy}()`, and {why}"
CLEANUP = (
    "a variable with a clean-up is in scope, and the oldest clang that compiles this tree "
    "refuses asm goto there"
)
_FIXED_CLANG = (17,)  # include/linux/compiler-clang.h of 7.3 asks for it; before, no asm goto there


@dataclass(frozen=True, slots=True)
class Ground:
    """What a window is written from."""

    function: Function
    stretch: Stretch
    layouts: tuple[Layouts, ...]
    dialect: Dialect
    taken: frozenset[str]  # names that no new label or variable may have
    landed: frozenset[str] = frozenset()  # labels that another window's landing falls into
    masked: bool = False  # it opens without a range check where the machine can
    scoped: bool = False  # it may take the place of a block


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch that a window can hold, with all that is decided about it."""

    ground: Ground
    direction: Direction
    ranges: Ranges
    hoists: Hoists
    scalars: tuple[tuple[Access, tuple[Scalar, ...]], ...]  # a copy may be several
    labels: tuple[tuple[Fault, str], ...]
    failed: str  # label for when the window did not open, and the fault goes on; "" for none
    masked: tuple[str, ...] = ()  # other pointers that are masked before it opens
    unnamed: Ranges | None = None  # the ranges as the source has them, where names were given

    @property
    def stretch(self) -> Stretch:
        """Return the statements that it holds."""
        return self.ground.stretch

    @property
    def names(self) -> frozenset[str]:
        """Return the names that it introduces."""
        return frozenset((*self.hoists.names, self.failed, *(name for _, name in self.labels)))

    @property
    def fenced(self) -> bool:
        """Return whether a speculation barrier stands behind each range check within.

        What is read by get_user() is behind one or masked: 74e19ef0ff80 of the kernel.  The one of
        the begin stands before those checks.
        """
        within = self.direction is Direction.READ and bool(self.ranges.within)
        return within and self.ground.dialect.fences

    @property
    def begun(self) -> str:
        """Return what is done when it does not open."""
        first = self.stretch.steps[0].fault
        return self.ranges.begun or (first.text if first.leaves else f"goto {self.failed};")

    def label(self, fault: Fault) -> str:
        """Return the label that a fault jumps to."""
        return dict(self.labels)[fault]

    def pointer(self, access: Access, text: str) -> str:
        """Return how `access` reaches the user's `text` within: through a name that holds it."""
        covered = any(one == access for one, _ in self.ranges.covered)
        for hoist in self.hoists.every:
            mine = hoist.access == access or (hoist.access is None and covered)
            through = rebased(text, hoist.holds, hoist.pointer) if hoist.pointer and mine else None
            if through is not None:
                return through
        return text

    def transfers(self, access: Access) -> tuple[Scalar, ...]:
        """Return the scalars that stand for an access; none for a copy that stays one."""
        return next((made for one, made in self.scalars if one == access), ())


def windows(
    ground: Ground, word: str, bound: Callable[[Window], Window | str]
) -> tuple[Window, ...] | str:
    """Return the windows over a stretch: one over all of it, else over those parts that can be.

    One sentence when there is none; only what makes two accesses or more is worth a window.
    `bound` returns a window as the style draws it, or one sentence why it cannot.
    """
    whole = window(ground, word)
    if isinstance(whole, Window):
        whole = bound(whole) if _is_worth(whole) else FEW
    if isinstance(whole, Window):
        return (whole,)
    found: list[Window] = []
    taken = set(ground.taken)
    for part in ground.stretch.parts:
        narrower = replace(ground, stretch=part, taken=frozenset(taken))
        made = windows(narrower, word, bound)
        if isinstance(made, str):
            continue
        for one in made:
            if not any(_overlap(one.stretch.extent, other.stretch.extent) for other in found):
                found.append(one)
                taken |= one.names
    return tuple(found) if found else whole


def _is_worth(made: Window) -> bool:
    # A copy that is taken apart makes several accesses.
    transfers = sum(max(len(parts), 1) for _, parts in made.scalars)
    return transfers > 1 or any(step.looped for step in made.stretch.steps)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def window(ground: Ground, word: str) -> Window | str:
    """Return what a window over a stretch needs, or one sentence why it cannot be.

    `word` starts the names of its labels.
    """
    if ground.stretch.why is not None:
        return ground.stretch.why
    stretch = freed(ground.function, ground.stretch, ground.dialect)
    if isinstance(stretch, str):
        return stretch
    ground = replace(ground, stretch=stretch)
    if stretch.cleanup and ground.dialect.clang < _FIXED_CLANG:
        return CLEANUP
    parts: list[tuple[Access, tuple[Scalar, ...]]] = []
    for access in stretch.accesses:
        made = _transfers(ground, access)
        if isinstance(made, str):
            return made
        parts.append((access, made))
    covered = ranges(
        *(ground.function, stretch, ground.layouts), masked=ground.masked, scoped=ground.scoped
    )
    if isinstance(covered, str):
        return covered
    why = None if covered.kept else reason_against(ground.function, stretch)
    if why is not None:
        return why
    moved = hoists(ground.function, stretch, ground.taken)
    if isinstance(moved, str):
        return moved
    taken = set(ground.taken) | set(moved.names)
    labels: list[tuple[Fault, str]] = []
    for step in stretch.steps:
        if step.fault not in dict(labels):
            name = fresh(f"{word}_fault", taken)
            taken.add(name)
            labels.append((step.fault, name))
    falls = any(not fault.leaves for fault, _ in labels)
    failed = fresh(f"{word}_failed", taken) if falls else ""
    direction = stretch.accesses[0].direction
    return Window(ground, direction, covered, moved, tuple(parts), tuple(labels), failed)


def _transfers(ground: Ground, access: Access) -> tuple[Scalar, ...] | str:
    made = scalars(ground.function, access, ground.layouts)
    if not isinstance(made, Whole):
        return made
    read = access.direction is Direction.READ
    copies = ground.dialect.copies_from if read else ground.dialect.copies_to
    if copies and not access.accessor.endswith("_inatomic"):
        return ()
    return NO_COPY.format(copy=COPY[access.direction], why=made.why) if not copies else made.why
