# SPDX-License-Identifier: GPL-2.0-only
"""Write a cluster as one window: `user_read_access_begin()` to `user_read_access_end()`.

include/linux/uaccess.h defines the four calls for every architecture; where one has no begin of
its own, `unsafe_get_user()` is `__get_user()` and nothing is lost but nothing gained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from uaccel.ctext import address, call
from uaccel.fields import Scalar, Whole, scalars
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.source import Access, Cluster, Direction, Form, Function, Layouts, Span

_WORDS = {
    Direction.READ: ("read", "unsafe_get_user"),
    Direction.WRITE: ("write", "unsafe_put_user"),
}
_COMMENT = re.compile(rb"[ \t]*(?://.*|/\*(?:(?!\*/).)*\*/[ \t]*)")
WHOLE_RANGE = (
    "The range check now covers all of `*{base}`: a pointer whose object lies only in part within "
    "user space fails before the first access."
)
IMPURE = (
    "an argument calls, assigns, reads a volatile or an element by a variable index: "
    "it would run inside the window"
)
KEPT = "After a fault `{value}` may keep what it held; `{accessor}()` sets it to 0."
CHECKED = "The accesses get a range check that `{accessor}()` did not make."


def plan(function: Function, layouts: tuple[Layouts, ...]) -> tuple[Rewrite | Refusal, ...]:
    """Return, for each cluster of `function`, its window or the reason against it."""
    taken = set(function.names)
    answers: list[Rewrite | Refusal] = []
    for cluster in function.clusters:
        label = _label(cluster, taken)
        answer = _window(function, cluster, layouts, label)
        if isinstance(answer, Rewrite):
            taken.add(label)
        answers.append(answer)
    return tuple(answers)


def _window(
    function: Function, cluster: Cluster, layouts: tuple[Layouts, ...], label: str
) -> Rewrite | Refusal:
    why = _reason_against(function, cluster)
    if why is not None:
        return Refusal(cluster, why)
    parts = [scalars(function, access, layouts) for access in cluster.accesses]
    for part in parts:
        if isinstance(part, Whole):
            return Refusal(cluster, part.why)
    transfers = tuple(scalar for part in parts if not isinstance(part, Whole) for scalar in part)
    if len(transfers) < 2:
        return Refusal(cluster, "one access alone opens and closes once in any style")
    edits = _edits(function, cluster, transfers, label)
    return Rewrite(cluster, edits, _differences(function, cluster, transfers))


def _reason_against(function: Function, cluster: Cluster) -> str | None:
    if cluster.form is Form.WINDOW:
        return "it is one window already"
    if cluster.obstacle is not None:
        return cluster.obstacle
    if not cluster.fault:
        return "a fault does something else than just return or goto"
    if any(access.impure for access in cluster.accesses):
        return IMPURE
    bases = {access.base for access in cluster.accesses if access.path is not None}
    if len(bases) != 1 or any(access.path is None for access in cluster.accesses):
        return "the accesses do not reach plain fields of one object"
    (base,) = bases
    overwritten = {function.source.quote(a.value) for a in cluster.accesses if not a.copies}
    if cluster.direction is Direction.READ and base in overwritten:
        return f"an access overwrites `{base}`, which the others go through"
    # `&arg->level` says that `arg` points to a struct or union, whatever its type is called.
    if base not in dict(function.pointers) and not all(access.path for access in cluster.accesses):
        return f"`{base}` is no `struct T __user *`: how much `begin` must cover is not known"
    if not cluster.indent:
        return "the first statement does not start its line"
    return None


def _label(cluster: Cluster, taken: set[str]) -> str:
    word = _WORDS[cluster.direction][0]
    label = f"{word}_fault"
    number = 2
    while label in taken:
        label = f"{word}_fault{number}"
        number += 1
    return label


def _edits(
    function: Function, cluster: Cluster, transfers: tuple[Scalar, ...], label: str
) -> tuple[Edit, ...]:
    word, accessor = _WORDS[cluster.direction]
    tab = cluster.indent
    base = cluster.accesses[0].base
    end = f"user_{word}_access_end();"
    begin = call(f"{tab}if (!", f"user_{word}_access_begin", (f"{base}", f"sizeof(*{base})"), ")")
    lines = [begin.removeprefix(tab), f"{tab}\t{cluster.fault}"]
    lines += [call(tab, accessor, (part.value, address(part.pointer), label)) for part in transfers]
    lines.append(f"{tab}{end}")
    if cluster.before_return and function.returns_last is not None:
        landing = f"\n\n{label}:\n{tab}{end}\n{tab}{cluster.fault}"
        at = _behind(function, function.returns_last)
        return Edit(cluster.extent, "\n".join(lines)), Edit(Span(at, at), landing)
    lines += [
        f"{tab}if (0) {{",
        f"{label}:",
        f"{tab}\t{end}",
        f"{tab}\t{cluster.fault}",
        f"{tab}}}",
    ]
    return (Edit(cluster.extent, "\n".join(lines)),)


def _behind(function: Function, statement: Span) -> int:
    # A comment that ends the line of a statement belongs to it.
    rest = function.source.text[statement.end :].partition(b"\n")[0].rstrip(b"\r")
    return statement.end + (len(rest) if _COMMENT.fullmatch(rest) else 0)


def _differences(
    function: Function, cluster: Cluster, transfers: tuple[Scalar, ...]
) -> tuple[str, ...]:
    base = cluster.accesses[0].base
    said = [WHOLE_RANGE.format(base=base)]
    unchecked = _first_unchecked(cluster.accesses)
    if unchecked is not None and not all(part.checked for part in transfers):
        said.append(CHECKED.format(accessor=unchecked.accessor))
    if cluster.direction is Direction.READ:
        said += [
            KEPT.format(value=value, accessor=name) for value, name in _lasting(function, cluster)
        ]
    return tuple(said)


def _lasting(function: Function, cluster: Cluster) -> Iterator[tuple[str, str]]:
    # What a local holds after a `return` is lost with it; what others see, or a `goto`, is not.
    stays = cluster.fault.startswith("goto")
    for access in cluster.accesses:
        value = function.source.quote(access.value)
        shared = "->" in value or "*" in value or "[" in value
        if not access.copies and (stays or shared or not _is_own(function, cluster, value)):
            yield value, access.accessor


def _is_own(function: Function, cluster: Cluster, value: str) -> bool:
    name = value.partition(".")[0].strip("( ")
    above = function.source.quote(Span(function.span.start, cluster.extent.start))
    declared = rf"[\w*,]\s*\b{re.escape(name)}\b\s*(?:\[[^\]]*\]\s*)?[;,=)]"
    return re.search(declared, above) is not None


def _first_unchecked(accesses: tuple[Access, ...]) -> Access | None:
    return next((access for access in accesses if access.accessor.startswith("__")), None)


STYLE = Style(
    summary="one window: begin, unsafe accesses, end",
    needs_layouts=False,
    plan=plan,
)
