# SPDX-License-Identifier: GPL-2.0-only
"""What a function may look at: objects of the types that its pointers lead to.

Every pointer has a place reserved before anything is known to lie there; what a run looks for is
laid, and the run is made again.  Contents come from layers: a seed lays everything, each further
one changes some of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Literal

from uaccel.flow.hints import Hints
from uaccel.flow.layers import STATIC, Layer, Layers, Patch, patched
from uaccel.flow.leaves import Leaf, Leaves, distinct, number
from uaccel.flow.places import AWAY, BETWEEN, MARGIN, PAGE, Place, Places
from uaccel.model.kinds import Kind, Shape
from uaccel.model.run import Image, bare

_ROOM = 16 * PAGE  # of a user's object
_ALIKE = 0.15  # how often a number becomes equal to one that the function is given
_FAILS = 0.5  # how often a callee fails that might change what it returns
_GOES_WELL = 0.5  # how often it returns 0, where it returns a number
_ERRORS = (0, -1, -4, -11, -12, -14, -22)  # NULL, EPERM, EINTR, EAGAIN, ENOMEM, EFAULT, EINVAL
_SAVED = "regs"  # what asm/syscall_wrapper.h calls the registers of who calls
_PASSED = 0.6  # how often one of them leads to the user's memory
_OFTEN = 0.3  # how often a number that the function is given changes
_DEEP = 3  # of pointers of which nothing is known
_CURRENT = "current"  # the task
_CALLED = "current.stack"
_STEP = 64  # bytes that a frame of the user's may begin before its stack pointer
_STACK = 0x10000  # bytes, the largest THREAD_SIZE
_MIDDLE = 0x80  # bytes into an object of which nothing is known
_WORDS = 64  # of an object of which nothing is known


class World:
    """Objects by path; an address, once given, is that object's for good."""

    __slots__ = (
        *("_hints", "_image", "_kinds", "_made", "_order", "_places", "_pool", "_read"),
        *("_shared", "_slots", "_task", "_word", "compared", "constants", "leaves"),
        "statics",
    )

    def __init__(
        self, image: Image, leaves: Leaves, hints: Hints, guesses: tuple[int, ...]
    ) -> None:
        self._image = image
        self.leaves = leaves
        self._hints = hints
        self._kinds = guesses  # what a `void *` may lead to
        self._word = image.bits // 8
        self._order: Literal["big", "little"] = "big" if image.big else "little"
        self._places = Places(image.emulation.text + AWAY, image.bits)
        self._made: dict[tuple[str, int, Layers], bytes] = {}
        self._slots: dict[int, int | None] = {}
        self._shared: set[int] = set()  # slots that pointers of several types name
        self._read: dict[str, set[int]] = {}
        self._pool: tuple[int, ...] = ()
        self._task: tuple[tuple[int, bytes], ...] | None = None
        self.statics: frozenset[str] = frozenset()  # variables that every variant has, and one
        self.constants: tuple[int, ...] = ()  # of the code
        self.compared: tuple[int, ...] = ()  # of those, what it compares with

    def place(self, path: str, kind: int | None, *, user: bool, room: int = 0) -> int:
        """Return the address of the object that `path` leads to, `room` bytes at least."""
        size = self.leaves.types.kind(kind).size or _WORDS * self._word
        return self._places.reserve(path, kind, max(_ROOM if user else size, room), user=user)

    def find(self, address: int) -> Place | None:
        """Return the object that is, or would be, at `address` or close to it."""
        return self._places.find(address)

    def origin(self, address: int) -> tuple[str, int] | None:
        """Return (path of the object, bytes into it) of what lies at `address`, where known."""
        _, start, held = self._image.furnished[0]
        if start <= address < start + len(held):
            # What it is furnished with is so at every call.
            first = (address - start) & -self._word
            fixed = any(held[first : first + self._word])
            return None if fixed else (_CURRENT, address - start)
        for name, at, size in self._image.data:
            if at <= address < at + size:
                known = bare(name) in self.statics
                return (f"{STATIC}{bare(name)}", address - at) if known else None
        place = self.find(address)
        known = place is not None and place.address <= address < place.address + place.size
        return (place.path, address - place.address) if place is not None and known else None

    def is_kernel(self, address: int) -> bool:
        """Return whether an object of the kernel's may lie there."""
        return address >= self._image.emulation.text

    def is_own(self, address: int) -> bool:
        """Return whether it is the object's own, which lies elsewhere in another variant."""
        text = self._image.emulation.text
        return text <= address < text + AWAY

    def entry(self, path: str, offset: int) -> int:
        """Return the address of what a list that begins at `offset` of `path` may hold."""
        # What has a list in it seldom begins with it.
        return self.place(f"entry of {path}+{offset:#x}", None, user=False) + _MIDDLE

    def note(self, place: Place, offset: int) -> None:
        """Return when it is known that the function read `offset` bytes into `place`."""
        self._read.setdefault(place.path, set()).add(offset)

    def use(self, numbers: Iterable[bytes]) -> None:
        """Return when other numbers become equal to `numbers` now and then."""
        self._pool = tuple(int.from_bytes(one, self._order) for one in numbers)

    def laid(self, place: Place, layers: Layers) -> tuple[int, bytes]:
        """Return where an object of the kernel lies, with what is around it, and its content."""
        inner = self.content(place.path, place.kind, layers, at=place.address)
        if place.path == _CALLED:
            led = self.place(f"{_CALLED}.regs", None, user=True) + _STEP
            inner += led.to_bytes(self._word, self._order) * (
                (place.size - len(inner)) // self._word
            )
        around = self._astray(place.path).to_bytes(self._word, self._order)
        count = MARGIN // self._word
        rest = -(len(inner) + 2 * MARGIN) % PAGE // self._word
        fill = around * (count + rest) + bytes(-len(inner) % self._word)
        return place.address - MARGIN, around * count + inner + fill

    def user(self, place: Place, layers: Layers, size: int) -> bytes:
        """Return `size` bytes of a user's object."""
        inner = self.content(place.path, place.kind, layers, at=place.address, user=True)
        return (inner * (size // len(inner) + 1))[:size] if inner else bytes(size)

    def content(  # noqa: PLR0913 - what names a value, and how it is made
        self,
        path: str,
        kind: int | None,
        layers: Layers,
        *,
        at: int = 0,
        user: bool = False,
        count: int = 1,
        often: bool = False,
    ) -> bytes:
        """Return `count` values of a type as the layers make them; `at` is where they lie.

        With `often` they change in many layers: all else may depend on them.
        """
        known = self._made.get((path, at, layers))
        if known is not None:
            return known
        last = layers[-1]
        before = b""
        if len(layers) > 1:
            before = self.content(
                path, kind, layers[:-1], at=at, user=user, count=count, often=often
            )
        if isinstance(last, Patch):
            return patched(before, last, count) if last.path == path else before
        choose = random.Random(f"{last.seed} {path}")
        if len(layers) == 1:
            # What lies between the members of a user's struct is anything but what is expected.
            made = bytearray((BETWEEN if user else b"\0") * self._size(kind, user=user) * count)
            for leaf in self._all(kind, user=user, count=count):
                self._put(made, leaf, self._first(choose, path, leaf, at, user=user))
        else:
            if choose.random() >= max(last.rate, _OFTEN if often else 0):
                return before
            made = bytearray(before)
            leaves = self._told(path, self._all(kind, user=user, count=count))
            many = min(len(leaves), choose.choice((1, 1, 2, 4, len(leaves))))
            for leaf in choose.sample(leaves, many):
                self._put(made, leaf, self._other(choose, path, leaf, at, user=user))
        self._made[path, at, layers] = bytes(made)
        return bytes(made)

    def anything(self, path: str, layers: Layers, size: int) -> bytes:
        """Return `size` bytes of which nothing else is known; a layer changes all or none."""
        for layer in reversed(layers):
            if isinstance(layer, Patch):
                continue
            choose = random.Random(f"{layer.seed} {path}")
            if choose.random() < layer.rate:
                return choose.randbytes(size)
        return bytes(size)

    def pointer(self, path: str, kind: Kind, *, member: bool = True, user: bool = False) -> int:
        """Return what a pointer that `path` names leads to."""
        path = f"{path}*" if path.endswith("()") else path  # the answer itself is called so
        name = path.rpartition(".")[2].partition("[")[0]
        if user or self._hints.leads(name, kind.name, member=member):
            return self.place(path, kind.to, user=True)
        to = self.leaves.types.kind(kind.to)
        if to.shape is Shape.CODE:
            choose = random.Random(path)
            slot = choose.randrange(len(self._image.slots))
            if self._slots.setdefault(slot, kind.to) != kind.to:
                self._shared.add(slot)
            return self._image.slots[slot]
        if to.shape is Shape.NOTHING or not to.size:
            return self._unknown(path)
        return self.place(path, kind.to, user=False)

    def argument(self, name: str, kind: int | None, layers: Layers) -> bytes:
        """Return the value of a parameter; an integer may lead to the user."""
        known = self.leaves.types.kind(kind)
        led = self._hints.leads(name, known.name, member=False)
        if known.shape is Shape.POINTER or (led and known.size >= 4):
            return self._led(name, known, layers, user=led)
        return self.content(name, kind, layers, often=True)

    def _led(self, name: str, kind: Kind, layers: Layers, *, user: bool) -> bytes:
        tag = dict(self._hints.tags).get(name)
        to = kind.to
        if user and tag is not None and not self.leaves.types.kind(to).size:
            to = self.leaves.types.tagged(tag)
        at = self.place(name, to, user=True) if user else self.pointer(name, kind, member=False)
        seeds = [one for one in layers if isinstance(one, Layer)]
        last = seeds[-1]
        if len(seeds) > 1 and random.Random(f"{last.seed} {name}").random() < last.rate / 6:
            at = 0
        return at.to_bytes(kind.size, self._order)

    def result(self, path: str, kind: int | None, layers: Layers, count: int) -> bytes:
        """Return what `count` calls of a callee return: success and something, at first."""
        seeds = tuple(one for one in layers if isinstance(one, Layer))
        made = self._result(path, kind, seeds, count)
        for one in layers:
            if isinstance(one, Patch) and one.path == path:
                made = patched(made, one, count)
        return made

    def _result(self, path: str, kind: int | None, seeds: tuple[Layer, ...], count: int) -> bytes:
        known = self.leaves.types.kind(kind)
        if len(seeds) == 1 and known.shape is Shape.NUMBER:
            return bytes(known.size * count)
        choose = random.Random(f"{seeds[-1].seed} {path} fails")
        if len(seeds) > 1 and choose.random() < _FAILS * seeds[-1].rate:
            return self._error(choose, known) * count
        if known.shape is Shape.NUMBER and choose.random() < _GOES_WELL:
            return bytes(known.size * count)
        return self.content(path, kind, seeds, count=count)

    def _error(self, choose: random.Random, kind: Kind) -> bytes:
        error = choose.choice(_ERRORS) & ((1 << 8 * kind.size) - 1)
        return error.to_bytes(kind.size, self._order)

    def slots(self) -> tuple[tuple[str, int | None], ...]:
        """Return (name, type that it returns) of each function that only pointers name."""
        types = self.leaves.types
        return tuple((f"slot {n}", types.kind(kind).to) for n, kind in sorted(self._slots.items()))

    def codes(self) -> tuple[tuple[str, int], ...]:
        """Return (name, its own type) of those that pointers of one type alone name."""
        some = (one for one in sorted(self._slots.items()) if one[0] not in self._shared)
        return tuple((f"slot {slot}", kind) for slot, kind in some if kind is not None)

    def task(self, layers: Layers) -> tuple[tuple[int, bytes], ...]:
        """Return the current task, what its pointers lead to reserved."""
        at, content = self._tasked()
        for one in layers:
            if isinstance(one, Patch) and one.path == _CURRENT:
                content = patched(content, one, 1)
        return ((at, content),)

    def _tasked(self) -> tuple[int, bytes]:
        if self._task is None:
            tag, at, content = self._image.furnished[0]
            made = bytearray(content)
            kind = self.leaves.types.tagged(tag)
            for leaf in self.leaves.of(kind) if kind is not None else ():
                end = leaf.offset + leaf.kind.size
                if leaf.path == ".stack":  # its end holds the registers of who calls
                    place = self.place(_CALLED, None, user=False, room=_STACK)
                    self._put(made, leaf, place)
                elif leaf.kind.shape is Shape.POINTER and not any(made[leaf.offset : end]):
                    self._put(made, leaf, self._leads(_CURRENT, leaf, at, user=False))
            self._task = ((at, bytes(made)),)
        return self._task[0]

    def _unknown(self, path: str) -> int:
        # What leads to anything leads to what the function names, or to more of its like.
        choose = random.Random(path)
        if self._kinds and choose.random() < 0.7 and path.count("?") == 0:
            return self.place(path, choose.choice(self._kinds), user=False)
        return self._astray(path)

    def _astray(self, path: str) -> int:
        # The last one leads to itself: a list without an end is followed no further.
        return self.place("?" if path.count("?") >= _DEEP else f"{path}?", None, user=False)

    def _size(self, kind: int | None, *, user: bool) -> int:
        found = self.leaves.types.kind(kind).size
        return found or (4 if user else self._word) * _WORDS

    def _all(self, kind: int | None, *, user: bool, count: int) -> tuple[Leaf, ...]:
        one = self.leaves.types.kind(kind)
        if not one.size:
            bare = Kind(Shape.NUMBER, 4) if user else Kind(Shape.POINTER, self._word)
            return tuple(Leaf(f".?{n}", n * bare.size, bare) for n in range(_WORDS))
        leaves = self.leaves.of(kind)
        return tuple(
            Leaf(f"{leaf.path}#{n}" if n else leaf.path, leaf.offset + n * one.size, leaf.kind)
            for n in range(count)
            for leaf in leaves
        )

    def _told(self, path: str, leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
        # Those that the function is known to read, else all.
        read = self._read.get(path)
        if not read:
            return leaves
        return tuple(leaf for leaf in leaves if leaf.offset in read) or leaves

    def _number(self, choose: random.Random, kind: Kind) -> int:
        if self._pool and choose.random() < _ALIKE:
            return choose.choice(self._pool)
        return number(choose, kind, self.constants, self.compared)

    def _first(self, choose: random.Random, path: str, leaf: Leaf, at: int, *, user: bool) -> int:
        if leaf.kind.shape is Shape.POINTER:
            return self._leads(path, leaf, at, user=user)
        if self._is_saved(path, leaf) and choose.random() < _PASSED:
            return self.place(path + leaf.path, None, user=True)
        wide = leaf.kind.size == self._word or (user and leaf.kind.size >= 4)
        if wide and self._hints.leads(leaf.name, leaf.kind.name, member=True):
            return self.place(path + leaf.path, None, user=True)
        return distinct(choose, leaf.kind)

    def _other(self, choose: random.Random, path: str, leaf: Leaf, at: int, *, user: bool) -> int:
        kind = leaf.kind
        if kind.shape is Shape.POINTER:
            way = choose.random()
            if way < 0.3:
                return 0
            if way < 0.35 and not user and self._is_bare(kind):
                return self.place(path + leaf.path, kind.to, user=True)
            if way < 0.5 and leaf.path.startswith(".?"):
                return self._number(choose, kind)
            if way < 0.8 and self._kinds and self.leaves.types.kind(kind.to).shape is Shape.NOTHING:
                return self.place(path + leaf.path, choose.choice(self._kinds), user=user)
            return self._leads(path, leaf, at, user=user)
        often = _PASSED if self._is_saved(path, leaf) else 0.1
        if kind.size >= min(8, self._word) and choose.random() < often:
            return self.place(path + leaf.path, None, user=True)
        return self._number(choose, kind)

    def _is_saved(self, path: str, leaf: Leaf) -> bool:
        # A register of the user's as a system call finds it: what it is called with.
        return path == _SAVED and leaf.kind.size == self._word

    def _is_bare(self, kind: Kind) -> bool:
        # A `void *` or `char *` may be a user's, whatever the debug information leaves out.
        return self.leaves.types.kind(kind.to).shape in (Shape.NOTHING, Shape.NUMBER)

    def _leads(self, path: str, leaf: Leaf, at: int, *, user: bool) -> int:
        to = self.leaves.types.kind(leaf.kind.to)
        if to.name == "list_head" and not user:
            whole = leaf.offset - (self._word if leaf.name == "prev" else 0)
            return at + whole if leaf.name in ("next", "prev") else self._astray(path + leaf.path)
        user = user or (not leaf.path and path in self._hints.doubles)
        return self.pointer(path + leaf.path, leaf.kind, user=user)

    def _put(self, content: bytearray, leaf: Leaf, value: int) -> None:
        size = leaf.kind.size
        if leaf.offset + size <= len(content):
            word = (value & ((1 << 8 * size) - 1)).to_bytes(size, self._order)
            content[leaf.offset : leaf.offset + size] = word
