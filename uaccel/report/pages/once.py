# SPDX-License-Identifier: GPL-2.0-only
"""Things by number: what occurs a thousand times is told once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Thing = TypeVar("Thing", bound=Hashable)


class Once(Generic[Thing]):
    """Things by number, each told once."""

    __slots__ = ("_known",)

    def __init__(self, first: Iterable[Thing] = ()) -> None:
        self._known = {thing: at for at, thing in enumerate(dict.fromkeys(first))}

    def of(self, thing: Thing) -> int:
        """Return the number of `thing`."""
        return self._known.setdefault(thing, len(self._known))

    @property
    def told(self) -> list[Thing]:
        """Return all of them in the order of their numbers."""
        return list(self._known)
