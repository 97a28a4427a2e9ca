# SPDX-License-Identifier: GPL-2.0-only
"""Search for inputs that lead all variants of a function everywhere they can go."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from uaccel.checks.same import unfit
from uaccel.flow.calling import answered, arguments, by_reference
from uaccel.flow.layers import Layer, Layers, Patch, statics
from uaccel.flow.naming import Callee, told
from uaccel.flow.places import PAGE, Place
from uaccel.flow.wishes import Named, Wishes
from uaccel.flow.world import World
from uaccel.host.emulator import Emulator
from uaccel.model.kinds import Kind, Prototype, Shape
from uaccel.model.run import Input, Run
from uaccel.model.source import Direction
from uaccel.read.prototypes import Prototypes

_ROUNDS = 60  # runs until all that one input asks for is there
_ANSWERS = 4  # calls of one callee that are answered; then 0
_LARGEST = 512  # bytes that a callee leaves, or finds, on the stack
_KEPT = 12  # inputs that are handed on
_FRESH = 0.08  # of tries that start from nothing known
_SPENT = 4_000_000  # instructions of one search
_LAID = 20  # instructions that are run while one object is laid, about
_FINE = 0.8  # of tries that build upon what ended as it should
_PATIENCE = 150  # tries in a row that lead nowhere new
Way = tuple[int, int, int]  # of which variant, from behind which instruction, to which one


@dataclass(frozen=True, slots=True)
class Found:
    """An input, what every variant makes of it, and where that led."""

    layers: Layers
    given: Input
    runs: tuple[Run, ...]  # of the function as it stood first

    @property
    def ways(self) -> frozenset[Way]:
        """Return each way that any variant went."""
        return frozenset((n, *way) for n, run in enumerate(self.runs) for way in run.passed)

    @property
    def places(self) -> frozenset[tuple[int, int]]:
        """Return each instruction of any variant that reached user memory: which, and where."""
        return frozenset((n, a.place) for n, run in enumerate(self.runs) for a in run.accesses)


class Explorer:
    """Calls a function with what its types ask for."""

    __slots__ = (
        *("_called", "_callees", "_demanded", "_ends", "_extents", "_function", "_image", "_led"),
        *("_prototype", "_sized", "_spent", "_types", "_variants", "_wanted", "_wished_for"),
        *("_wishes", "pointed", "why", "world"),
    )

    def __init__(
        self,
        variants: tuple[Emulator, ...],
        world: World,
        types: Prototypes,
        prototype: Prototype,
        callees: Iterable[Callee],
    ) -> None:
        self._function = prototype.name
        self._variants = variants
        self._image = variants[0].image
        self.world = world
        self._types = types
        self._prototype = prototype
        self._callees = tuple(callees)
        self.pointed: dict[str, Callee] = {}  # what pointers of one type lead to; it grows
        self._sized: set[tuple[str, int]] = set()
        self._led = tuple(self._leading(self._callees))
        self._wishes = Wishes(self._image, world, prototype.name)
        self._called: set[str] = set()  # callees that are answered: those that a run came to
        self._demanded: dict[int, Place] = {}
        self._extents: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._spent = 0  # instructions of this search
        self._wanted: deque[Layers] = deque()
        self._wished_for: set[Patch] = set()
        self.why = ""  # what keeps it from being called

    def explore(self, tries: int, seed: int, known: Iterable[Found] = ()) -> Iterator[Found]:
        """Yield what each of so many inputs did; those that lead further are built upon.

        So are those of `known`.  It ends early when many in a row lead nowhere new.
        """
        choose = random.Random(seed)
        kept: list[Found] = []
        reached: set[Way] = set()
        for one in known:
            kept += (one,) if one.ways - reached else ()
            reached |= one.ways
        last, self._spent = 0, 0
        for number in range(tries):
            layers = self._wish(number) or self._chosen(
                choose, kept, Layer(seed, 1.0) if number else None
            )
            found = self.settled(layers)
            if found is None:
                return
            yield found
            ways = found.ways
            if ways - reached:
                reached |= ways
                kept.append(found)
                last = number
                self._wanted += self._wished(found, reached)
            elif number - last > _PATIENCE and not self._wanted:
                return
            if self._spent > _SPENT:
                return

    def _wish(self, number: int) -> Layers | None:
        # The last ones lead on from where it has just come, the first ones elsewhere.
        if not self._wanted:
            return None
        return self._wanted.pop() if number % 2 else self._wanted.popleft()

    def _chosen(self, choose: random.Random, kept: list[Found], whole: Layer | None) -> Layers:
        first = not kept or choose.random() < _FRESH
        rate = 1.0 if first else choose.choice((0.05, 0.15, 0.4))
        layer = Layer(choose.getrandbits(48), rate)
        if not first:
            # What did not end seldom leads on.
            fine = [one for one in kept if not one.runs[0].ended]
            some = fine if fine and choose.random() < _FINE else kept
            return (*choose.choice(some).layers, layer)
        return (whole, layer) if whole is not None else (layer,)

    def _wished(self, found: Found, reached: set[Way]) -> Iterator[Layers]:
        # What is read there decides where it goes: that alone is worth changing.
        looked = self._wishes.look(found.given)
        for address, _, _ in looked.reads:
            place = self.world.find(address)
            if place is not None:
                self.world.note(place, address - place.address)
        gone = Counter(behind for number, behind, _ in reached if number == 0)
        numbers = tuple(self._numbers(found.layers))
        wishes = [*self._wishes.of(looked, numbers, lambda behind: gone[behind] < 2)]
        wishes += self._wishes.lists(looked)
        if found.runs[0].faults or found.runs[0].ended:
            wishes += self._wishes.pointers(looked)
        for patch in wishes:
            if patch not in self._wished_for:
                self._wished_for.add(patch)
                yield (*found.layers, patch)

    def _numbers(self, layers: Layers) -> Iterator[Named]:
        order: Literal["big", "little"] = "big" if self._image.big else "little"
        for (name, _), (kind, content) in zip(
            self._prototype.parameters, self._values(layers), strict=True
        ):
            if kind.shape is Shape.NUMBER:
                yield name, kind.size, int.from_bytes(content, order)
        for name, result in self._answering():
            kind = self._types.kind(result)
            answers = kind.shape in (Shape.NUMBER, Shape.POINTER) and kind.size
            if name in self._called and answers:
                made = self.world.result(f"{name}()", result, layers, 1)
                yield f"{name}()", kind.size, int.from_bytes(made[: kind.size], order)

    def settled(self, layers: Layers) -> Found | None:
        """Return what all do once all that they look for is there; None when `why` says."""
        given = self._given(layers)
        if given is None:
            return None
        runs = self._run(given)
        for _ in range(_ROUNDS):
            grown = [self._grows(run) for run in runs]
            if not any(grown) or self._spent > _SPENT:
                break
            given = self._given(layers) or given
            runs = self._run(given)
        return Found(layers, given, runs)

    def trimmed(self, found: Found) -> Input:
        """Return its input with no more user memory than is looked at, at the end of its page."""
        ends: dict[int, int] = {}
        for run in found.runs:
            for access in run.accesses:
                place = self.world.find(access.address)
                if place is not None and place.user:
                    end = access.address + access.size - place.address
                    ends[place.address] = max(end, ends.get(place.address, 1))
        given = self._given(found.layers) or found.given
        user = tuple((at, data[: ends.get(at, self.size(at) or 1)]) for at, data in given.user)
        return replace(given, user=user)

    def extent(self, address: int) -> int:
        """Return how many bytes of the object at `address` any run has reached."""
        return self._ends.get(address, 0)

    def size(self, address: int) -> int:
        """Return how many bytes the type of the object at `address` has; 0 when nothing tells.

        So it is of a struct that ends with an array without a length.
        """
        place = self.world.find(address)
        kind = self._types.kind(place.kind) if place else None
        last = self._types.kind(kind.parts[-1].kind) if kind is not None and kind.parts else None
        open_ended = last is not None and last.shape is Shape.ARRAY and not last.size
        return kind.size if kind is not None and not open_ended else 0

    def demands(self, run: Run) -> bool:
        """Return whether `run` ended at memory of the kernel that the next input will have."""
        place = self.world.find(run.missing) if run.missing else None
        return place is not None and not place.user and self._demands(place)

    def _run(self, given: Input) -> tuple[Run, ...]:
        runs = tuple(one.execute(self._function, given) for one in self._variants)
        for one in (access for run in runs for access in run.accesses):
            place = self.world.find(one.address)
            if place is not None and place.user:
                end = one.address + one.size - place.address
                self._ends[place.address] = max(end, self._ends.get(place.address, 0))
        # What must be laid takes its time as well.
        self._spent += _LAID * len(self._demanded) + sum(run.instructions for run in runs)
        return runs

    def _given(self, layers: Layers) -> Input | None:
        values = tuple(self._values(layers))
        words = arguments(self._image, values)
        if isinstance(words, str):
            self.why = words
            return None
        numbers = (one for kind, one in values if kind.shape is Shape.NUMBER)
        self.world.use(numbers)
        kernel = [*self.world.task(layers)]
        user: list[tuple[int, bytes]] = []
        for at, place in tuple(self._demanded.items()):
            if place.user:
                user.append((at, self.world.user(place, layers, self._extents[at])))
            else:
                kernel.append(self.world.laid(place, layers))
        return Input(
            words,
            tuple(kernel),
            tuple(user),
            tuple(self._results(layers)),
            tuple(self._fills(layers)),
            tuple(self._looks()),
            tuple(sorted(self._sized)),
            wide=frozenset(self._wide()),
            counting=frozenset(self._counting()),
            statics=tuple(statics(layers)),
        )

    def _values(self, layers: Layers) -> Iterator[tuple[Kind, bytes]]:
        image = self._image
        for number, (given, kind) in enumerate(self._prototype.parameters):
            name = given or f"argument {number}"
            known = self._types.kind(kind)
            if by_reference(image, known):
                yield self._reference(name, kind)
            else:
                yield known, self.world.argument(name, kind, layers)

    def _reference(self, name: str, kind: int | None) -> tuple[Kind, bytes]:
        image = self._image
        at = self.world.place(name, kind, user=False)
        word = image.bits // 8
        return Kind(Shape.POINTER, word), at.to_bytes(word, "big" if image.big else "little")

    def _results(self, layers: Layers) -> Iterator[tuple[str, tuple[int, ...]]]:
        image = self._image
        for name, result in self._answering():
            if name not in self._called:
                continue
            kind = self._types.kind(result)
            if kind.size:
                made = self.world.result(f"{name}()", result, layers, _ANSWERS)
                step = kind.size
                cut = (made[at : at + step] for at in range(0, len(made), step))
                yield name, tuple(answered(image, kind, one) for one in cut)

    def _answering(self) -> tuple[tuple[str, int | None], ...]:
        named = tuple((one.name, one.result) for one in self._callees)
        return (*named, *self.world.slots())

    def _wide(self) -> Iterator[str]:
        word = self._image.bits // 8
        for name, result in self._answering():
            kind = self._types.kind(result)
            if self._image.emulation.wide and kind.size == 2 * word:
                yield name

    def _counting(self) -> Iterator[str]:
        sized = {name for name, _ in self._sized}
        for name, result in self._answering():
            if name in sized and self._types.kind(result).name == "size_t":  # no error
                yield name

    def _fills(self, layers: Layers) -> Iterator[tuple[str, int, bytes]]:
        for callee, at, to in self._led:
            if callee.name in self._called and not self._types.kind(to).constant:
                path = f"{callee.name}().{at}"
                if (callee.name, at) in self._sized:
                    content = self.world.anything(path, layers, _LARGEST)
                else:
                    content = self.world.content(path, to, layers)
                yield callee.name, at, content

    def _looks(self) -> Iterator[tuple[str, int, int]]:
        known = dict(self.world.codes())
        for name in self.pointed.keys() - known.keys():
            del self.pointed[name]
        for name in known.keys() - self.pointed.keys():
            prototype = self._types.code(known[name])
            self.pointed[name] = told(self._image, self._types, name, prototype)
        led = (*self._led, *self._leading(self.pointed[name] for name in sorted(known)))
        return ((one.name, at, self._finds(one.name, at, to)) for one, at, to in led)

    def _finds(self, name: str, at: int, to: int | None) -> int:
        return _LARGEST if (name, at) in self._sized else self._types.kind(to).size

    def _leading(self, callees: Iterable[Callee]) -> Iterator[tuple[Callee, int, int | None]]:
        # Each argument that may lead to a variable of the caller, and the type that lies there.
        for callee in callees:
            for number, (at, kind, _) in enumerate(callee.given):
                behind = [kind.name for _, kind, _ in callee.given[number + 1 : number + 2]]
                size = self._types.kind(kind.to).size
                if kind.shape is not Shape.POINTER:
                    continue
                if size <= 1 and behind == ["size_t"]:
                    self._sized.add((callee.name, at.start))
                    yield callee, at.start, kind.to
                elif kind.to is not None and 0 < size <= _LARGEST:
                    yield callee, at.start, kind.to

    def _grows(self, run: Run) -> bool:
        place = self.world.find(run.missing) if run.missing else None
        called = {one.name for one in run.calls} - self._called
        self._called |= called
        grown = bool(called)
        if place is not None:
            grown = self._extends(place, run.missing) if place.user else self._demands(place)
        for fault in run.faults:
            place = self.world.find(fault.address)
            if place is not None and place.user:
                grown |= self._extends(place, fault.address)
            elif place is not None:
                grown |= self._demands(place)
        return grown

    def _demands(self, place: Place) -> bool:
        known = place.address in self._demanded
        self._demanded[place.address] = place
        return not known

    def _extends(self, place: Place, address: int) -> bool:
        known = self._extents.get(place.address, 0)
        inside = address - place.address
        if not known <= inside < place.size:
            return False
        self._demanded[place.address] = place
        self._extents[place.address] = inside // PAGE * PAGE + PAGE
        return True


def chosen(found: Iterable[Found], guarded: tuple[Direction, ...]) -> tuple[Found, ...]:
    """Return few of `found` that together made most accesses, and went most ways, that any did.

    `guarded` are the directions that need an opening.
    """
    left = [one for one in found if not unfit(one.runs[0], guarded)]
    made = {id(one): one.places for one in left}
    went = {id(one): one.ways for one in left}
    missing = frozenset[Way]().union(*went.values())
    unmade = frozenset[tuple[int, int]]().union(*made.values())
    kept: list[Found] = []
    while (missing or unmade) and len(kept) < _KEPT:
        best = max(
            left, key=lambda one: (len(made[id(one)] & unmade), len(went[id(one)] & missing))
        )
        kept.append(best)
        missing -= went[id(best)]
        unmade -= made[id(best)]
    return tuple(kept)
