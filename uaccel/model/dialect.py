# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel tree knows of user access: asked of the tree, never of its version."""

from __future__ import annotations

from dataclasses import dataclass, replace

from uaccel.model.series import Change


@dataclass(frozen=True, slots=True)
class Dialect:
    """What may be written in one file of a tree, on every architecture that compiles it."""

    copies_from: bool  # unsafe_copy_from_user()
    copies_to: bool  # unsafe_copy_to_user()
    scoped: bool  # scoped_user_read_access() and its kin
    masked: bool  # masked_user_access_begin(), can_do_masked_user_access()
    directed: bool  # masked_user_read_access_begin() and masked_user_write_access_begin()
    clang: tuple[int, ...]  # the oldest clang that compiles the tree: (13, 0, 1); () unknown
    masks: bool = True  # a begin of a scope may mask its pointer there: no speculation barrier
    clamps: bool = False  # mask_user_address(), on every architecture
    fences: bool = True  # barrier_nospec(), on every architecture
    lent: Change | None = None  # a change to the tree that would bring unsafe_copy_from_user()
    opens: bool = True  # user_access_begin() is an architecture's own: no call may run behind it
    # Struct and path of members that are pointers, or arrays without a size: no index is checked.
    unbound: frozenset[tuple[str, str]] = frozenset()

    @property
    def extended(self) -> Dialect:
        """Return the dialect behind the change that can be lent; itself where there is none."""
        return self if self.lent is None else replace(self, copies_from=True)


@dataclass(frozen=True, slots=True)
class Dialects:
    """The dialects of one tree: that of the files every architecture compiles, and others."""

    everywhere: Dialect
    apart: tuple[tuple[str, Dialect], ...]  # by the folder below arch/

    def of(self, path: str) -> Dialect:
        """Return the dialect for the file at `path` of the tree."""
        parts = path.split("/")
        folder = parts[1] if parts[0] == "arch" and len(parts) > 2 else ""
        return dict(self.apart).get(folder, self.everywhere)


# What every tree with windows has, where none is at hand to be asked.
COMMON = Dialect(
    copies_from=False, copies_to=True, scoped=False, masked=False, directed=False, clang=(13, 0, 1)
)
