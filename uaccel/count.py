# SPDX-License-Identifier: GPL-2.0-only
"""Count what a cluster costs when nothing faults: instructions, openings and closings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from uaccel.model.machine import Arch, Insn, Listing, Role
from uaccel.model.source import Direction
from uaccel.paths import Leaving, edges_of, leaving_edges

UNPAIRED = "an opening without its closing, or the other way round: one of them was not found"
_TOGGLES = (Role.OPENS, Role.CLOSES, Role.TOGGLES)
_JUMPS = (Role.BRANCHES, Role.FORKS, Role.RETURNS, Role.CALLS)
_ACCESSOR = re.compile(
    r"\w*(get|put)_user\w*|\w*copy(_to|_from|_tofrom|_in)?_user\w*|\w*clear_user\w*"
)
_MEMORY = re.compile(r".*[(\[].*|[^,]+,[^,]+,[^,]+")  # the latter: powerpc's indexed forms


# Where a return is mitigated against speculation, it is a jump to one of these.
_THUNK = re.compile(r"\w*(return_thunk|indirect_jump_r14)")


@dataclass(frozen=True, slots=True)
class PathCount:
    """The success path of one cluster through one function."""

    instructions: int | None  # with those of the helpers; None when it is not known
    toggles: int | None  # openings and closings, with those of the helpers
    at_least: int  # the function's own instructions and those of the helpers that are known
    accesses: int  # instructions on the path that touch user memory, or call what does
    uncounted: tuple[str, ...]  # callees whose instructions are not in `at_least`, in order
    addresses: tuple[int, ...]  # of the function's own counted instructions, in order of execution
    why: str  # of an unknown figure, "" when all is known


def floor(arch: Arch, accesses: int, direction: Direction = Direction.WRITE) -> int:
    """Return the least instructions possible: one per access, and one opening and closing."""
    guarded = direction is Direction.WRITE or arch.guards_reads
    return accesses + (len(arch.shortest_window) if guarded else 0)


def count_path(  # noqa: PLR0913, PLR0917
    listing: Listing,
    file: str,
    lines: tuple[int, ...],
    accesses: int,
    helpers: tuple[Listing, ...] = (),
    leaving: Leaving | None = None,
) -> PathCount:
    """Return what the success path of the cluster at `lines` of `file` costs.

    An instruction belongs to the cluster when any level of its inline stack stands on one of
    its lines; so does one without a line between two of those.  `file` may be the end of the
    path that the compiler was given.

    The path is one from the function's entry to where it is left, along the edges that the
    instructions themselves have (a fault is none), each loop run once.  Of all paths it is the
    one with the most accesses of the cluster, for a fault or a failed begin skips some; then
    with the most openings and closings, for a path that leaves early closes no more than the
    one that goes on; then the shortest.

    Counted are the cluster's instructions on that path up to the last one that is an access, a
    toggle, a call, a jump, or part of an inlined closing (an `isync` behind a toggle); so the
    restores of an epilogue, which compilers attribute to the cluster's last line, are not.
    Where that leaves a window open, its closing was merged with another one, and the path goes
    on to there.

    A callee among `helpers` is counted along its own path if that has no loop and calls
    nothing unknown.

    With `leaving`, no jump is followed that only a fault takes, or what leaves the window early.
    """
    helpers = (*helpers, *listing.callees)
    own = frozenset(i for i, insn in enumerate(listing.insns) if stands(insn, file, lines))
    graph = _Graph.of(listing)
    touches = frozenset(i for i in own if touches_user(listing, i, helpers))
    if not touches:
        return _unknown(f"no access of the cluster was found in {listing.symbol}")
    if leaving is not None:
        tests, landed = (
            frozenset(i for i in range(len(listing.insns)) if _is_on(listing, i, file, some))
            for some in (leaving.tests, leaving.landed)
        )
        graph = graph.without(leaving_edges(tuple(edges_of(listing)), own, tests, landed))
    path = graph.best_path(touches, own & graph.toggles)
    counted = _counted(listing, path, own, touches, file)
    found = sum(i in touches for i in counted)
    if found < accesses and not _copies(listing, counted):
        return _unknown(f"only {found} of its {accesses} accesses lie on one path", found)
    return _sum(listing, counted, found, helpers)


def _unknown(why: str, found: int = 0) -> PathCount:
    return PathCount(None, None, 0, found, (), (), why)


def stands(insn: Insn, file: str, lines: tuple[int, ...]) -> bool:
    """Return whether any level of the inline stack of `insn` is on one of the `lines` of `file`."""
    return any(line in lines and _in(file, path) for path, line in insn.lines)


def _is_on(listing: Listing, index: int, file: str, lines: frozenset[int]) -> bool:
    return stands(listing.insns[index], file, tuple(lines))


def touches_user(listing: Listing, index: int, helpers: tuple[Listing, ...]) -> bool:
    """Return whether an instruction touches user memory, or calls what does."""
    insn = listing.insns[index]
    role = listing.arch.role(insn)
    if _calls(listing, index):
        callee = _find(helpers, insn.target)
        known = callee is not None and any(one.access for one in callee.insns)
        return known or bool(_ACCESSOR.fullmatch(str(insn.target)))
    # s390 guards the branch behind an access too, because the fault may be reported there,
    # and the instruction that follows it.
    memory = insn.mnemonic == "unknown" or _MEMORY.fullmatch(insn.operands)
    return insn.access and role not in _JUMPS and bool(memory)


def _calls(listing: Listing, index: int) -> bool:
    insn = listing.insns[index]
    role = listing.arch.role(insn)
    # A jump to another function is a call whose return is this function's own.
    tail = isinstance(insn.target, str) and not _THUNK.fullmatch(insn.target)
    return role is Role.CALLS or (role is Role.BRANCHES and tail)


def _copies(listing: Listing, counted: tuple[int, ...]) -> bool:
    # One call of a copy may stand for any number of the cluster's accesses.
    return any("copy_" in str(listing.insns[i].target) for i in counted)


def _find(helpers: tuple[Listing, ...], symbol: str | int | None) -> Listing | None:
    return next((one for one in helpers if one.symbol == symbol), None)


def _counted(
    listing: Listing, path: tuple[int, ...], own: frozenset[int], touches: frozenset[int], file: str
) -> tuple[int, ...]:
    mine = list(_with_homeless(listing, path, own))
    while mine and mine[-1] not in touches and _plain(listing, mine[-1], file):
        mine.pop()
    return (*mine, *_shared_closing(listing, path, tuple(mine)))


def _with_homeless(listing: Listing, path: tuple[int, ...], own: frozenset[int]) -> Iterator[int]:
    # clang gives no line (or line 0) to constants and spills that it made up: those between two
    # instructions of the cluster serve it.
    waiting: list[int] | None = None  # None: what stood last is not the cluster's
    for i in path:
        if i in own:
            yield from (*(waiting or ()), i)
            waiting = []
        elif any(line for _, line in listing.insns[i].lines):
            waiting = None
        elif waiting is not None:
            waiting.append(i)


def _shared_closing(
    listing: Listing, path: tuple[int, ...], mine: tuple[int, ...]
) -> tuple[int, ...]:
    # Compilers merge equal tails: then the closing stands on the lines of another cluster.
    toggles = [i for i in path if listing.arch.role(listing.insns[i]) in _TOGGLES]
    if len([i for i in toggles if i in mine]) % 2 == 0:
        return ()
    rest = path[path.index(mine[-1]) + 1 :]
    closing = next((i for i in rest if i in toggles), None)
    return rest[: rest.index(closing) + 1] if closing is not None else ()


def _plain(listing: Listing, index: int, file: str) -> bool:
    insn = listing.insns[index]
    if listing.arch.role(insn) in (*_TOGGLES, Role.CALLS, Role.FORKS):
        return False
    # What an accessor still does behind its last toggle: a barrier, interrupts on again.
    window = {text.split()[0] for text in listing.arch.shortest_window}
    inlined = not _in(file, insn.lines[0][0])
    return not (inlined and insn.mnemonic in window and "[" not in insn.operands)


def _in(file: str, path: str) -> bool:
    return path == file or path.endswith("/" + file)


def _sum(
    listing: Listing, counted: tuple[int, ...], found: int, helpers: tuple[Listing, ...]
) -> PathCount:
    costs, toggles = _walk(listing, counted, helpers, 4)
    uncounted = tuple(one.name for one in costs if one.instructions is None)
    at_least = len(counted) + sum(one.instructions or 0 for one in costs)
    # What is opened is closed: an odd number means that one of them was not found.
    odd = toggles is not None and toggles % 2 == 1
    return PathCount(
        instructions=None if uncounted or odd else at_least,
        toggles=None if odd else toggles,
        at_least=at_least,
        accesses=found,
        uncounted=uncounted,
        addresses=tuple(listing.insns[i].address for i in counted),
        why=_callees(uncounted) or (UNPAIRED if odd else ""),
    )


def _callees(uncounted: tuple[str, ...]) -> str:
    if not uncounted:
        return ""
    called = Counter(uncounted)
    names = [f"{name} ({times} times)" if times > 1 else name for name, times in called.items()]
    return f"and what {' and '.join(names)} executes, which is not known before it runs"


@dataclass(frozen=True, slots=True)
class _Cost:
    name: str
    instructions: int | None
    toggles: int | None


def _walk(
    listing: Listing, path: tuple[int, ...], helpers: tuple[Listing, ...], depth: int
) -> tuple[list[_Cost], int | None]:
    costs: list[_Cost] = []
    toggles = 0
    known = True
    for i in path:
        if listing.arch.role(listing.insns[i]) in _TOGGLES:
            toggles += 1
        elif _calls(listing, i):
            costs.append(_cost(listing.insns[i].target, helpers, depth))
            called = _toggles(listing.arch, costs[-1])
            # A window must not be opened inside a window: what is called there opens nothing.
            known = known and (called is not None or toggles % 2 == 1)
            toggles += called or 0
    return costs, toggles if known else None


# Callees that touch no user memory, so that they open nothing.
_KERNEL_ONLY = re.compile(
    r"_*mem(set|cpy|move|cmp)\w*|_*might_(fault|sleep|resched)\w*|should_fail_usercopy"
    r"|__check_object_size|__(tsan|asan|kasan|kcsan|kmsan|sanitizer)_\w+"
)


def _toggles(arch: Arch, cost: _Cost) -> int | None:
    unguarded = not arch.guards_reads and "from_user" in cost.name
    if not arch.shortest_window or unguarded or _KERNEL_ONLY.fullmatch(cost.name):
        return cost.toggles or 0
    return cost.toggles


def _cost(callee: str | int | None, helpers: tuple[Listing, ...], depth: int) -> _Cost:
    name = str(callee) if callee is not None else "an indirect call"
    listing = _find(helpers, callee)
    if listing is None or not depth:
        return _Cost(name, None, None)
    graph = _Graph.of(listing)
    touches = frozenset(i for i in range(len(listing.insns)) if touches_user(listing, i, helpers))
    if not touches and not graph.toggles and _ACCESSOR.fullmatch(name):
        return _Cost(name, None, None)
    path = graph.best_path(touches, graph.toggles)
    costs, toggles = _walk(listing, path, helpers, depth - 1)
    inside = [one.instructions for one in costs]
    if not graph.loops and graph.returns(path) and None not in inside:
        return _Cost(name, len(path) + sum(one or 0 for one in inside), toggles)
    again = any(graph.repeats(i) for i in graph.toggles)
    return _Cost(name, None, None if again else toggles)


@dataclass(frozen=True, slots=True)
class _Graph:
    listing: Listing
    edges: tuple[tuple[int, ...], ...]  # successors by index, without those that go back
    order: tuple[int, ...]  # indices in topological order, from the entry
    toggles: frozenset[int]
    back: frozenset[tuple[int, int]]  # the edges that go back
    loops: bool
    again: Mapping[int, int] = field(default_factory=dict)  # what is left there is this jump back

    @classmethod
    def of(cls, listing: Listing) -> _Graph:
        """Return the edges between the instructions of `listing`."""
        edges = tuple(edges_of(listing))
        order, back = _sort(edges, _roots(listing, edges))
        kept = tuple(
            tuple(to for to in targets if (i, to) not in back) for i, targets in enumerate(edges)
        )
        toggles = frozenset(
            i for i, insn in enumerate(listing.insns) if listing.arch.role(insn) in _TOGGLES
        )
        repeats = any(one.mnemonic.startswith("rep") for one in listing.insns)
        return cls(listing, kept, order, toggles, frozenset(back), bool(back) or repeats)

    def without(self, edges: frozenset[tuple[int, int]]) -> _Graph:
        """Return the graph without some of its edges.

        Where only a jump back is left, the path goes on from there, past the accesses.
        """
        kept = tuple(
            tuple(to for to in targets if (i, to) not in edges)
            for i, targets in enumerate(self.edges)
        )
        again = {i: to for i, to in self.back if self.edges[i] and not kept[i]}
        return replace(self, edges=kept, again=again)

    def best_path(self, touches: frozenset[int], toggles: frozenset[int]) -> tuple[int, ...]:
        """Return the path with the most of `touches`, then of `toggles`, then the shortest."""
        return self._best(touches, toggles, _entries(self.order, self.edges))[1]

    def _best(
        self, touches: frozenset[int], toggles: frozenset[int], entries: tuple[int, ...]
    ) -> tuple[tuple[int, int, int], tuple[int, ...]]:
        best: dict[int, tuple[int, int, int]] = {}
        following: dict[int, tuple[int, ...]] = {}  # one, or all of another pass of a loop
        for i in reversed(self.order):
            step = max(self.edges[i], key=lambda to: best[to], default=None)
            rest, following[i] = ((0, 0, 0), ()) if step is None else (best[step], (step,))
            if i in self.again:
                edges = tuple(tuple(to for to in one if to != i) for one in self.edges)
                plain = replace(self, edges=edges, again={})
                rest, following[i] = plain._best(frozenset(), toggles, (self.again[i],))
            best[i] = (rest[0] + (i in touches), rest[1] + (i in toggles), rest[2] - 1)
        path = [max(entries, key=lambda i: best[i])]
        while len(after := following[path[-1]]) == 1:
            path += after
        return best[path[0]], (*path, *after)

    def repeats(self, index: int) -> bool:
        """Return whether a loop goes over the instruction."""
        return any(to <= index <= start for start, to in self.back)

    def returns(self, path: tuple[int, ...]) -> bool:
        """Return whether the path ends where the function returns."""
        last = self.listing.insns[path[-1]]
        away = isinstance(last.target, str)  # a tail call, or a mitigated return
        return away or self.listing.arch.role(last) is Role.RETURNS


def _entries(order: tuple[int, ...], edges: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    reached = {to for i in order for to in edges[i]}
    return tuple(i for i in order if i not in reached)


def _roots(listing: Listing, edges: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    # Where a switch jumps through a table is not known: then all that nothing leads to may be
    # reached (the blocks behind faults too, but those lead to fewer accesses).
    roles = (
        insn.target is None and listing.arch.role(insn) is Role.BRANCHES for insn in listing.insns
    )
    if not any(roles):
        return (0,)
    reached = {to for targets in edges for to in targets}
    return (0, *(i for i in range(1, len(edges)) if i not in reached))


def _sort(
    edges: tuple[tuple[int, ...], ...], roots: tuple[int, ...]
) -> tuple[tuple[int, ...], set[tuple[int, int]]]:
    done: list[int] = []
    back: set[tuple[int, int]] = set()
    state = dict.fromkeys(range(len(edges)), 0)  # 0 not seen, 1 on the way, 2 done
    for root in roots:
        stack = [(root, iter(edges[root]))] if state[root] == 0 else []
        state[root] = max(state[root], 1)
        while stack:
            at, rest = stack[-1]
            to = next(rest, None)
            if to is None:
                state[at] = 2
                done.append(at)
                stack.pop()
            elif state[to] == 1:
                back.add((at, to))
            elif state[to] == 0:
                state[to] = 1
                stack.append((to, iter(edges[to])))
    return tuple(reversed(done)), back
