# SPDX-License-Identifier: GPL-2.0-only
"""Follow every path of a function, and of the helpers it calls: what is open at each step.

A helper that was read too is followed with what is open where it is called, and goes on with what
it left open and what it returned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from uaccel.model.flowgraph import (
    Assign,
    Begin,
    Call,
    End,
    Graph,
    Jump,
    Leave,
    Mark,
    Ordinary,
    Pointer,
    Ranged,
    State,
    Test,
    Touch,
    Walked,
    Window,
)
from uaccel.tracking import NAME, NOWHERE, answer, concerns, origin, place_of

_MOST = 400  # states of one step: of more, what is only known on some paths is given up
_DEEP = 6  # helpers within helpers
_KERNEL = "is_kernel_addr"  # asm/uaccess.h of powerpc: no window is needed there
_MOST_LINKS = 3  # pointers behind pointers that are told apart
_SOME = -1  # access or another
_ELSEWHERE = -1  # an end in another function
_ASSUMED = "its caller"


def walk(graphs: tuple[Graph, ...]) -> tuple[Walked, ...]:
    """Return `graphs` with the states in which their steps are reached.

    A helper that needs a window and is called by others of them is only followed from there.
    """
    known: dict[str, tuple[Graph, ...]] = {}
    for graph in graphs:
        known[graph.function] = (*known.get(graph.function, ()), graph)
    walker = _Walker(known)
    called = {
        step.does.name for graph in graphs for step in graph.steps if isinstance(step.does, Call)
    }
    for graph in graphs:
        if not (graph.static and graph.function in called and leaks(graph)):
            walker.start(graph)
    for graph in graphs:
        if not walker.reached(graph):
            walker.start(graph)
    return tuple(walker.walked(graph) for graph in graphs)


def needing(walked: tuple[Walked, ...]) -> frozenset[str]:
    """Return the helpers that access user memory in the window of who calls them.

    One that nobody calls in a window is none: it lacks its own.
    """
    found = set()
    for one in walked:
        pairs = tuple(zip(one.graph.steps, one.states, strict=True))
        begins = any(isinstance(step.does, Begin) for step, _ in pairs)
        touches = [states for step, states in pairs if isinstance(step.does, Touch)]
        if not begins and any(state.open for states in touches for state in states):
            found.add(one.graph.function)
    return frozenset(found)


def leaks(graph: Graph) -> bool:
    """Return whether a function needs somebody's window, or leaves one open."""
    begins = any(isinstance(step.does, Begin) for step in graph.steps)
    ends = any(isinstance(step.does, End) for step in graph.steps)
    needs = any(isinstance(step.does, Touch | End | Begin) for step in graph.steps)
    return needs and not (begins and ends)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What of a graph is worth to be remembered on a path."""

    tests: frozenset[str]  # conditions that are asked more than once
    variables: frozenset[str]  # that a condition or a return names
    paths: frozenset[str]  # what more than one access goes to, whatever the pointer is called
    known: frozenset[str]  # variables that it is given, or that get a value in it


@dataclass(slots=True)
class _Walker:
    graphs: Mapping[str, tuple[Graph, ...]]  # of each function, by its name
    states: dict[int, list[dict[State, None]]] = field(default_factory=dict)  # by id of the graph
    exits: dict[tuple[int, State], tuple[State, ...]] = field(default_factory=dict)
    facts: dict[int, _Facts] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    stack: list[str] = field(default_factory=list)

    def start(self, graph: Graph) -> None:
        """Follow `graph` as somebody outside would call it."""
        assumed = Window(None, _ASSUMED, frozenset())
        self.run(graph, State(open=(assumed,)) if graph.within else State())

    def reached(self, graph: Graph) -> bool:
        """Return whether `graph` was followed at all."""
        return id(graph) in self.states

    def walked(self, graph: Graph) -> Walked:
        """Return what is known of `graph`."""
        found = self.states.get(id(graph), [{} for _ in graph.steps])
        return Walked(graph, tuple(tuple(one) for one in found), id(graph) in self.cut)

    def run(self, graph: Graph, first: State) -> tuple[State, ...]:
        """Return the states in which `graph` is left when it is entered in `first`."""
        key = id(graph), first
        if key in self.exits:
            return self.exits[key]
        self.stack.append(graph.function)
        seen = self.states.setdefault(id(graph), [{} for _ in graph.steps])
        mine: list[dict[State, None]] = [{} for _ in graph.steps]
        left: dict[State, None] = {}
        pending = [(graph.entry, first)]
        while pending:
            at, state = pending.pop()
            if len(mine[at]) >= _MOST:
                self.cut.add(id(graph))
                state = _plain(state)
            if state.fault is not None and isinstance(graph.steps[at].does, Mark):
                told = replace(state, fault=_SOME)  # which access led here is told once
                if told in mine[at]:
                    continue
                mine[at][told] = None
            if state in mine[at]:
                continue
            mine[at][state] = None
            seen[at][state] = None
            if isinstance(graph.steps[at].does, Leave):
                left[_left(graph, at, state)] = None
            pending += self._after(graph, at, state)
        self.stack.pop()
        self.exits[key] = tuple(left)
        return self.exits[key]

    def _after(self, graph: Graph, at: int, state: State) -> Iterator[tuple[int, State]]:
        step = graph.steps[at]
        match step.does:
            case Begin():
                yield from self._begun(graph, at, step.does, state)
            case End():
                yield step.next[0], _ended(graph, at, step.does.scope, state)
            case Touch():
                yield from self._touched(graph, at, step.does, state)
            case Ordinary():
                yield step.next[0], self._read(graph, at, step.does, state)
            case Ranged():
                good = state.checked | {origin(state, step.does.pointer)}
                yield step.next[0], replace(state, checked=good)
                if step.next[1] != step.next[0]:
                    yield step.next[1], state
            case Assign():
                yield step.next[0], self._assigned(graph, step.does, state)
            case Test():
                yield from self._tested(graph, step.does, step.next, state)
            case Call():
                yield from ((step.next[0], one) for one in self._called(step.does, state))
            case Jump():
                out = step.does.scope is None and state.open
                yield step.next[0], replace(state, jump=at) if out else state
            case _:
                yield from ((one, state) for one in step.next)

    def _begun(
        self, graph: Graph, at: int, begin: Begin, state: State
    ) -> Iterator[tuple[int, State]]:
        following = graph.steps[at].next
        roots = frozenset((origin(state, begin.pointer),)) if begin.pointer else frozenset()
        window = Window(at, graph.key, roots)
        around = tuple(one for one in state.open if (one.begin, one.graph) != (at, graph.key))
        opened = replace(state, open=(*around, window), closed=(), jump=None, fault=None)
        opened = replace(opened, moved=frozenset())
        failed = tuple(one for one in state.failed if one != at)
        yield following[0], replace(opened, failed=failed)
        if len(following) > 1 and not (begin.ignored and following[1] == following[0]):
            yield following[1], replace(state, failed=(*failed, at))

    def _touched(
        self, graph: Graph, at: int, touch: Touch, state: State
    ) -> Iterator[tuple[int, State]]:
        following = graph.steps[at].next
        yield following[0], self._read(graph, at, touch, state)
        yield following[1], replace(state, fault=at)

    def _read(self, graph: Graph, at: int, access: Touch | Ordinary, state: State) -> State:
        place = access.pointer
        if place is None or access.way is None or access.way.value != "read":
            return state
        if place.path not in self._facts(graph).paths:
            return state
        known = (place_of(state, place), place.path, at)
        return replace(state, fetched=state.fetched | {known})

    def _assigned(self, graph: Graph, does: Assign, state: State) -> State:
        facts = self._facts(graph)
        name = does.name
        state = replace(
            state,
            facts=frozenset(f for f in state.facts if not concerns(f[0], name)),
            values=frozenset(v for v in state.values if v[0] != name),
        )
        value = state.returned if does.called else does.value
        if value is not None and name in facts.variables:
            state = replace(state, values=state.values | {(name, value)})
        if does.same:  # it has gone on: what it led to before is another place
            gone = dict(state.origins).get(name, name)
            moved = state.moved | ({name} if state.open else frozenset())
            return replace(state, fetched=_without(state.fetched, gone), moved=moved)
        origins = frozenset(o for o in state.origins if o[0] != name)
        state = replace(state, inner=_leading_in(state, does))
        if does.origin is not None:
            found = origin(state, does.origin)
            if not does.origin.plain and does.origin.base != name:  # another place behind it
                state = replace(state, fetched=_without(state.fetched, found))
            first = NAME.match(does.origin.base)
            given = self._facts(graph).known
            known = found != does.origin.base or (first is not None and first[0] in given)
            if found.count("->") > _MOST_LINKS:  # p = p->next in a loop: it never ends
                found, known = name, False
            origins |= {(name, found if known or "(" in found else f"({found})")}
        else:  # a new value: it is not what it was
            origins |= {(name, NOWHERE if does.value == 0 else f"{name}'")}
        return replace(state, origins=origins)

    def _tested(
        self, graph: Graph, test: Test, following: tuple[int, ...], state: State
    ) -> Iterator[tuple[int, State]]:
        known = answer(test.text, state) if test.local else None
        for number, outcome in zip(following, (True, False), strict=False):
            if known is not None and known is not outcome:
                continue
            learnt = self._learnt(graph, test, outcome, state)
            kernel = outcome and test.text.startswith(_KERNEL)
            learnt = replace(learnt, tested=learnt.tested | _looked_at(graph, test, learnt))
            if not outcome and any(name == test.text for name, _ in learnt.origins):
                learnt = replace(learnt, origins=_moved(learnt, test.text, NOWHERE))
            yield number, replace(learnt, kernel=True) if kernel else learnt

    def _learnt(self, graph: Graph, test: Test, outcome: bool, state: State) -> State:
        if not test.local or test.text not in self._facts(graph).tests:
            return state
        return replace(state, facts=state.facts | {(test.text, outcome)})

    def _called(self, call: Call, state: State) -> Iterator[State]:
        graphs = self.graphs.get(call.name, ())
        if not graphs or call.name in self.stack or len(self.stack) > _DEEP:
            yield replace(state, returned=None)
            return
        left = dict.fromkeys(end for graph in graphs for end in self._through(graph, call, state))
        for end in left:
            yield replace(
                state,
                open=end.open,
                closed=(_ELSEWHERE,) if end.closed and end.open != state.open else state.closed,
                returned=end.returned,
                checked=end.checked,
            )

    def _through(self, graph: Graph, call: Call, state: State) -> tuple[State, ...]:
        given = zip(graph.parameters, call.arguments, strict=False)
        origins = frozenset((name, origin(state, one)) for name, one in given if one is not None)
        inside = State(
            *(state.open, (), (), None, None),
            origins=origins,
            checked=state.checked,
            kernel=state.kernel,
            called=True,
        )
        return self.run(graph, inside)

    def _facts(self, graph: Graph) -> _Facts:
        if id(graph) not in self.facts:
            self.facts[id(graph)] = _facts(graph)
        return self.facts[id(graph)]


def _facts(graph: Graph) -> _Facts:
    tests: dict[str, int] = {}
    variables: set[str] = set()
    paths: dict[str, int] = {}
    assigned = {s.does.name for s in graph.steps if isinstance(s.does, Assign) and not s.does.same}
    for step in graph.steps:
        match step.does:
            case Test(text=text, names=names, local=True):
                tests[text] = tests.get(text, 0) + 1
                variables |= names
            case Leave(name=name):
                variables.add(name)
            case Touch(pointer=Pointer(path=path)) | Ordinary(pointer=Pointer(path=path)):
                paths[path] = paths.get(path, 0) + 1
    return _Facts(
        frozenset(text for text, times in tests.items() if times > 1),
        frozenset(variables),
        frozenset(path for path, times in paths.items() if times > 1 or not path),
        frozenset(graph.parameters) | assigned,
    )


def _without(
    fetched: frozenset[tuple[str, str, int]], origin: str
) -> frozenset[tuple[str, str, int]]:
    return frozenset(one for one in fetched if one[0].partition("@")[0] != origin)


def _looked_at(graph: Graph, test: Test, state: State) -> frozenset[int]:
    found = set()
    for _, _, at in state.fetched:
        does = graph.steps[at].does
        kept = does.kernel if isinstance(does, Touch | Ordinary) else None
        if kept is None:
            continue
        if (not kept.path and kept.base in test.names) or kept.text in test.text:
            found.add(at)
    return frozenset(found)


def _moved(state: State, name: str, to: str) -> frozenset[tuple[str, str]]:
    return frozenset(one for one in state.origins if one[0] != name) | {(name, to)}


def _plain(state: State) -> State:
    # What is only known on some paths is forgotten.
    return State(
        state.open,
        state.failed,
        state.closed,
        state.jump,
        state.fault,
        checked=state.checked,
        kernel=state.kernel,
        called=state.called,
    )


def _ended(graph: Graph, at: int, scope: int | None, state: State) -> State:
    left = state.open[:-1]
    if scope is not None:  # the clean-up of a scope ends it, whatever was opened in it
        left = tuple(o for o in state.open if (o.begin, o.graph) != (scope, graph.key))
        if left == state.open:
            return state
    return replace(state, open=left, closed=(at,), jump=None, fault=None)


def _left(graph: Graph, at: int, state: State) -> State:
    does = graph.steps[at].does
    if not isinstance(does, Leave):
        return state
    value = does.value if does.value is not None else dict(state.values).get(does.name)
    if value is None and does.name:
        known = next((outcome for text, outcome in state.facts if text == does.name), None)
        value = None if known is None else int(known)
    return State(open=state.open, closed=state.closed, returned=value, checked=state.checked)


def _leading_in(state: State, does: Assign) -> frozenset[str]:
    source = does.origin
    into = source is not None and (source.path or not source.plain or source.base in state.inner)
    return (state.inner | {does.name}) if into else (state.inner - {does.name})
