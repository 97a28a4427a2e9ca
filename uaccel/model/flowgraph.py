# SPDX-License-Identifier: GPL-2.0-only
"""A function as the steps that matter to a window, and what may follow each of them.

Steps are numbered as they stand in `Graph.steps`; lines count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from uaccel.model.access import Direction


class Mode(Enum):
    """Which ways a begin opens, or an end closes."""

    READ = "read"
    WRITE = "write"
    BOTH = "read-write"

    def lets(self, way: Direction) -> bool:
        """Return whether an access that goes this `way` may stand in such a window."""
        return self is Mode.BOTH or self.value == way.value


class Opening(Enum):
    """How a window is opened."""

    CHECKED = "checked"  # user_access_begin(p, n) and its kin: FALSE when the range is bad
    MASKED = "masked"  # masked_user_access_begin(p): cannot fail, gives the pointer to use
    SCOPED = "scoped"  # scoped_user_read_access(p, label) { ... }
    BARE = "bare"  # __uaccess_begin() of x86: no range, cannot fail


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands."""

    file: str  # relative to the tree
    line: int
    column: int  # counted from 1


@dataclass(frozen=True, slots=True)
class Pointer:
    """The user side of an access, or the kernel's variable in a copy, as C and taken apart."""

    text: str  # without blanks
    base: str  # the name it is worked out from: `p` of `&p->field[i]`, `c->ptr` of `c->ptr + 1`
    path: str  # members and indexes behind it: "field[i]"; "" for the base itself
    plain: bool  # the base itself or an address in what it points to, no arithmetic


@dataclass(frozen=True, slots=True)
class Begin:
    """A window is opened: the first way on; the second is taken when the range is bad."""

    name: str  # as written
    mode: Mode
    opening: Opening
    pointer: Pointer | None  # None when it names none
    size: str  # C without blanks; "" when it names none
    ignored: bool  # nobody looks at what it returns
    target: str  # the variable that a masked begin's pointer is assigned to; "" for none
    label: str = ""  # of a scope: where it goes when the range is bad


@dataclass(frozen=True, slots=True)
class End:
    """A window is closed."""

    name: str  # "" where a scope ends
    mode: Mode
    scope: int | None  # the Begin of the scope that ends here


@dataclass(frozen=True, slots=True)
class Touch:
    """An access that needs a window: the second way on is its label's."""

    name: str
    way: Direction
    pointer: Pointer
    kernel: Pointer  # the kernel's variable or value
    size: str  # of a copy, else ""
    calls: tuple[str, ...]  # in its arguments; "" through a pointer
    changes: tuple[str, ...]  # variables that its arguments change
    label: str


@dataclass(frozen=True, slots=True)
class Ordinary:
    """An accessor that opens and closes by itself: get_user(), copy_to_user(), ..."""

    name: str
    way: Direction | None  # None when not known
    pointer: Pointer | None
    kernel: Pointer | None
    size: str = ""  # of a copy


@dataclass(frozen=True, slots=True)
class Call:
    """Anything else that is called."""

    name: str  # "" through a pointer
    arguments: tuple[Pointer | None, ...]
    harm: str  # what is known of it: "takes a lock", "may sleep", "prints"; "" for nothing


@dataclass(frozen=True, slots=True)
class Ranged:
    """access_ok(p, n): the first way on when it holds; whether n is enough is not asked."""

    pointer: Pointer


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable gets a value."""

    name: str
    value: int | None  # when it is a number
    origin: Pointer | None  # when it is worked out from a pointer
    same: bool = False  # p++, p += n: it stays in what it points to
    called: bool = False  # it is what the call before it returned


@dataclass(frozen=True, slots=True)
class Test:
    """A condition: the first way on when it holds, else the second."""

    text: str  # without blanks
    names: frozenset[str]  # in it
    local: bool  # nothing but variables, numbers and operators: it says the same twice


@dataclass(frozen=True, slots=True)
class Jump:
    """goto, break, continue: one way on."""

    word: str
    label: str  # of a goto
    scope: int | None  # the Begin of the scope that a break or continue binds to
    looped: bool  # that scope stands in a loop or switch of the same function


@dataclass(frozen=True, slots=True)
class Leave:
    """The function ends."""

    word: str  # "return", or "" at its closing brace
    value: int | None  # what is returned, when it is a number
    name: str  # the variable that is returned; "" for none


@dataclass(frozen=True, slots=True)
class Mark:
    """A label."""

    name: str
    scope: int | None  # the Begin of the scope that it stands in


@dataclass(frozen=True, slots=True)
class Nothing:
    """A step that does nothing: where ways meet."""


Does = (
    Begin | End | Touch | Ordinary | Call | Ranged | Assign | Test | Jump | Leave | Mark | Nothing
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a function."""

    does: Does
    place: Place
    next: tuple[int, ...]  # numbers of what may follow; () behind a Leave
    guarded: tuple[str, ...] = ()  # variables with a clean-up that are left by the label of a Touch


@dataclass(frozen=True, slots=True)
class Graph:
    """One function, or one macro that stands for itself, as steps."""

    function: str
    place: Place  # of its name
    parameters: tuple[str, ...]
    steps: tuple[Step, ...]
    entry: int
    structs: tuple[tuple[str, str], ...]  # pointers and variables of struct type: name and tag
    variables: tuple[str, ...]  # of those, the variables that are no pointers
    scalars: tuple[tuple[str, str], ...]  # pointers to user memory of another type, and that
    within: bool  # by its name it is called in somebody's window
    static: bool  # nobody outside of the file, or of its header, calls it
    inline: bool = False  # by its declaration
    variant: int = 0  # one per choice among the branches of #if

    @property
    def key(self) -> str:
        """Return what tells it from the other graphs of its file."""
        return f"{self.function}:{self.place.line}#{self.variant}"


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is open."""

    begin: int | None  # the step; None when the caller opened it
    graph: str  # the key of the graph whose step that is
    roots: frozenset[str]  # origins of the pointers that lie in its range


@dataclass(frozen=True, slots=True)
class State:
    """What is known where a step is reached, on one kind of path."""

    open: tuple[Window, ...] = ()  # the innermost last
    failed: tuple[int, ...] = ()  # Begin steps that failed on the way
    closed: tuple[int, ...] = ()  # End steps that closed one on the way; the last only
    jump: int | None = None  # the last goto, break or continue out of an open window
    fault: int | None = None  # the Touch whose label led here
    facts: frozenset[tuple[str, bool]] = frozenset()  # conditions, and how they came out
    values: frozenset[tuple[str, int]] = frozenset()  # variables that hold a number
    origins: frozenset[tuple[str, str]] = frozenset()  # pointers, and where they come from
    inner: frozenset[str] = frozenset()  # pointers that lead somewhere into their origin
    moved: frozenset[str] = frozenset()  # pointers that went on since the window was opened
    checked: frozenset[str] = frozenset()  # origins that access_ok() holds for
    returned: int | None = None  # by the call before, when it is a number
    kernel: bool = False  # it was asked whether the address is the kernel's, and it is
    called: bool = False  # by another function that was read: what is open may stay so
    fetched: frozenset[tuple[str, str, int]] = frozenset()  # origin and path read, and the step
    tested: frozenset[int] = frozenset()  # of these, the steps whose value a condition looked at

    def origin(self, name: str) -> str:
        """Return where the pointer `name` comes from: itself, until it is assigned to."""
        return dict(self.origins).get(name, name)


class Level(Enum):
    """How sure a finding is, and how bad."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found; named after the rule by who asks it."""

    place: Place
    level: Level
    message: str  # one sentence


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a rule could not judge."""

    place: Place
    why: str  # one sentence


@dataclass(frozen=True, slots=True)
class Walked:
    """A function with all states in which each of its steps is reached."""

    graph: Graph
    states: tuple[tuple[State, ...], ...]  # by the number of the step
    cut: bool  # there were too many: what is only known on some paths was given up
