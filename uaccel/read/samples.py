# SPDX-License-Identifier: GPL-2.0-only
"""Make a profile of samples that were counted one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uaccel.model.profile import Profile, Row, Stack, Symbol, Tool


def profile_of(
    tool: Tool,
    event: str,
    samples: str,
    weights: Mapping[tuple[Symbol, ...], float],
    unread: Sequence[str],
) -> Profile:
    """Return the profile of the stacks in `weights`, innermost symbol first; () is no symbol."""
    total = sum(weights.values())
    shares = {symbols: 100 * weight / total for symbols, weight in weights.items() if weight}
    own: dict[Symbol, float] = {}
    for symbols, percent in shares.items():
        if (leaf := _leaf(symbols)) is not None:
            own[leaf] = own.get(leaf, 0) + percent
    chains = any(_is_chain(symbols) for symbols in shares)
    stacks = [Stack(s, p, whole=True) for s, p in shares.items() if s] if chains else []
    heaviest = sorted(own.items(), key=lambda item: -item[1])
    return Profile(
        tool=tool,
        event=event,
        samples=samples,
        title="",
        rows=tuple(Row(leaf, percent, None, "") for leaf, percent in heaviest),
        stacks=tuple(sorted(stacks, key=lambda stack: -stack.percent)),
        unread=len(unread),
        first_unread=unread[0] if unread else "",
    )


def _leaf(symbols: tuple[Symbol, ...]) -> Symbol | None:
    # What is inlined is no symbol of the object: its samples fell on the first that is not.
    return next((one for one in symbols if not one.inlined), None)


def _is_chain(symbols: tuple[Symbol, ...]) -> bool:
    return len(symbols) > 1
