# SPDX-License-Identifier: GPL-2.0-only
"""C as it was read: files, user accesses, and the clusters that could share a window.

Offsets are byte offsets into `Source.text`; intervals are half-open; lines count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from uaccel.model.access import Access, Direction, Form, Source, Span
from uaccel.model.scaffold import Held, Scaffold
from uaccel.model.steps import Stretch

__all__ = [
    "Access",
    "Candidate",
    "Cluster",
    "Companion",
    "Direction",
    "Does",
    "Form",
    "Function",
    "Held",
    "Kind",
    "Layout",
    "Layouts",
    "Local",
    "Member",
    "NotUnderstood",
    "Reading",
    "Source",
    "Span",
    "Use",
]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Transfers of one function that could share, or do share, one window."""

    direction: Direction
    form: Form
    accesses: tuple[Access, ...]
    extent: Span  # from the first byte of the first statement to the last of the last one
    fault: str  # the statement that leaves when an access failed: "return -EFAULT;"; "" if odd
    indent: str  # white space before the first statement
    before_return: bool  # the function's last `return` follows at once
    lines: tuple[int, ...]  # where its code stands: conditions, accesses, begin, end; not `fault`
    obstacle: str | None  # one sentence: why no style may touch it; None when all is plain
    longest: int  # accesses on one path, loops counted once
    looped: bool  # one of them stands in a loop that the window could hold
    pair: int | None  # offset of the other direction's cluster on the same object
    joined: bool  # that one's accesses could stand in this one's window
    stretch: Stretch | None  # its statements, taken apart; None for what stands or is wrapped
    scaffold: Scaffold | None  # how its window can be unmade; None where none stands

    @property
    def stands(self) -> bool:
        """Return whether it is one window already."""
        return self.form in (Form.WINDOW, Form.MASKED, Form.SCOPED, Form.HELPER)

    @property
    def reported(self) -> Form:
        """Return its form as reports name it: a macro that holds a window is one."""
        return Form.WINDOW if self.form is Form.HELPER else self.form

    def stands_as(self, style: str) -> bool:
        """Return whether there is nothing to write for it in `style`."""
        return style in (self.form.value, self.reported.value)

    @property
    def shares(self) -> bool:
        """Return whether it is more than one access that is made once."""
        return self.stands or self.longest > 1 or self.looped or self.joined

    @property
    def start(self) -> int:
        """Return where it begins: its window's begin, else its first access."""
        if self.stands:
            return self.extent.start
        return min(access.call.start for access in self.accesses)


class Does(Enum):
    """What an expression does to a local variable."""

    ASSIGNS = "assigns"  # a member, or the whole, is on the left of `=`
    READS = "reads"  # the value of a member is handed on: an argument, or assigned to something
    COMPUTES = "computes"  # the value of a member is an operand
    ACCESSES = "accesses"  # it is the kernel side of a user access
    OTHER = "other"  # address taken, whole struct used, compound assignment, sizeof, ...


@dataclass(frozen=True, slots=True)
class Use:
    """One place where a local variable is named."""

    does: Does
    path: str  # members behind the name: "tstamp.tv_sec"; "" for the variable itself
    span: Span  # the whole expression `sstatus.tstamp.tv_sec`
    statement: Span  # the expression statement around it; equal to `span` when there is none
    value: Span | None  # of ASSIGNS: the right hand side
    in_loop: bool


@dataclass(frozen=True, slots=True)
class Local:
    """A variable of struct type that a function declares for itself."""

    name: str
    struct: str  # tag of its struct: "snd_pcm_mmap_status"
    tag: Span  # of that tag in the declaration
    alone: bool  # nothing else is declared by the same declaration, and it has no initialiser
    uses: tuple[Use, ...]
    first: Span  # the statement of the function's own block that holds the first use


@dataclass(frozen=True, slots=True)
class Function:
    """One function definition, with all that a style may need to know of it."""

    source: Source
    name: str
    span: Span
    body: Span  # from { to }, braces included
    noinline: int | None  # offset where `noinline` may be put; None where it would not fit
    clusters: tuple[Cluster, ...]
    pointers: tuple[tuple[str, str], ...]  # name, struct tag: of every `struct T __user *name`
    names: tuple[str, ...]  # every identifier that occurs in it, labels too; sorted
    locals: tuple[Local, ...]
    callers: tuple[str, ...]  # functions of the file it may be inlined into, nearest first
    companions: tuple[Companion, ...] = ()  # as the compiler meets them, itself among them
    unit: tuple[Source, ...] = ()  # files that are compiled together; () without companions
    held: tuple[Held, ...] = ()  # windows that stood in it before they were unmade
    ending: int | None = None  # where its last statement ends; None when control comes to its end
    entries: tuple[tuple[str, int], ...] = ()  # labels that only jumps reach; where the lines start


@dataclass(frozen=True, slots=True)
class Companion:
    """A function of one compilation that moves the same fields as another one of it."""

    function: Function  # without companions of its own
    branches: tuple[tuple[str, int], ...]  # of #if that it stands in: file and offset
    above: int  # where a macro for it can stand: above its comment


class Kind(Enum):
    """What a candidate line is: exactly one of these."""

    CLUSTER = "cluster"  # it holds an access of a cluster
    SINGLE = "single"  # an access that can share a window with no other
    WINDOW = "window"  # an access in a window that is there already
    MACRO = "macro"  # in the body of a macro
    COMMENT = "comment"  # in a comment or a string
    OTHER = "other"  # the definition or declaration of the accessor itself
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line that names an accessor and an opening parenthesis."""

    line: int
    column: int  # of the accessor's first byte, counted from 1
    accessor: str
    kind: Kind
    why: str  # of NOT_UNDERSTOOD: one sentence; else ""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """An access that was seen and could not be placed: counted and listed, never dropped."""

    line: int
    accessor: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read in one file."""

    source: Source
    functions: tuple[Function, ...]  # those that hold accesses
    names: tuple[str, ...]  # of all functions that the file defines
    candidates: tuple[Candidate, ...]  # in the order of the lines, each line once
    not_understood: tuple[NotUnderstood, ...]
    broken: tuple[tuple[int, str], ...]  # line and reason: where the C does not parse


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a struct or union, as the compiler laid it out."""

    name: str  # "" for an anonymous struct or union
    offset: int  # bytes from the start of the struct
    size: int  # bytes
    kind: str  # "scalar", "struct", "union", "array", "bitfield"
    struct: str | None  # tag, when it is a struct or union that has one
    members: tuple[Member, ...]  # of a struct or union
    integer: bool = field(default=False, compare=False)  # known to be one; no object tells


@dataclass(frozen=True, slots=True)
class Layout:
    """A struct as one architecture's compiler laid it out (from DWARF)."""

    struct: str  # tag
    size: int  # bytes
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Layouts:
    """The structs of one object file of one architecture."""

    arch: str
    structs: tuple[Layout, ...]  # sorted by tag
    integers: tuple[tuple[str, int], ...] = ()  # types by their name, and bytes; () from an object

    def find(self, tag: str) -> Layout | None:
        """Return the struct called `tag`, or None when the object does not describe it."""
        return next((layout for layout in self.structs if layout.struct == tag), None)
