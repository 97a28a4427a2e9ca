# SPDX-License-Identifier: GPL-2.0-only
"""Write the macro that several clusters share, and what each of them gives to it.

A statement expression is the window: it is 0 when no access failed, -EFAULT else.  Its label is
its own (`__label__`), and every argument is evaluated once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from uaccel.ctext import TAB, call, columns, fresh, wrap
from uaccel.model.access import Direction
from uaccel.model.source import Companion
from uaccel.outlines import Outline
from uaccel.windows import UNSAFE, WORDS

NAMES = {Direction.READ: "get_user", Direction.WRITE: "put_user"}
_EDGE = 72  # column of the backslashes, where the lines leave room
_MEMBER = re.compile(r"(\w+)(\.|->)(\w+(?:\.\w+)*)")
_CONSTANT = re.compile(r"-?\d\w*|[A-Z][A-Z0-9_]*")
_WORD = re.compile(r"[A-Za-z_]\w*")
_SEVERAL = 2
_TELLING = 4  # letters that the functions' names must have in common to name a macro
_TAB = "\t"


@dataclass(frozen=True, slots=True)
class User:
    """A cluster that uses the macro."""

    companion: Companion
    outline: Outline
    apart: tuple[bool, ...]  # of each value: worked out before the window opens


@dataclass(frozen=True, slots=True)
class Argument:
    """One parameter of the macro, and what its users put there."""

    name: str
    declaration: str  # C, of the variable that copies it; "" when it is used as it is
    given: tuple[str, ...]  # C, one for each user


@dataclass(frozen=True, slots=True)
class Sharing:
    """A macro and its users."""

    name: str
    text: str  # C, with a newline at its end
    users: tuple[User, ...]
    arguments: tuple[Argument, ...]

    def given(self, number: int) -> tuple[str, ...]:
        """Return what the user of that number calls it with."""
        return tuple(one.given[number] for one in self.arguments)


def sharing(users: tuple[User, ...]) -> Sharing:
    """Return the macro for `users`, which move the same fields, in the order of the compiler."""
    first = users[0].outline
    names = _Names(users)
    pointer = names.parameter(first.base.strip("_") or "ptr")
    held = names.variable(pointer)
    every = [
        Argument(
            pointer,
            f"typeof({pointer}) {held} = ({pointer});",
            tuple(user.outline.base for user in users),
        )
    ]
    values = [""] * len(first.fields)
    roots = _roots(users)
    for at, path in enumerate(first.fields):
        if values[at]:
            continue
        column = tuple(user.outline.values[at] for user in users)
        mine = next((some for some in roots if at in some), ())
        if mine:
            made, its = _root(users, mine, names)
            every.append(made)
            for one in mine:
                values[one] = f"{its}->{_member(users[0], one)}"
        elif len(set(column)) == 1 and _CONSTANT.fullmatch(column[0]):
            values[at] = column[0]
        else:
            made, values[at] = _value(users, at, f"&{held}->{path}", names)
            every.append(made)
    error = names.variable("err")
    body = _body(first, held, error, tuple(values), tuple(one.declaration for one in every))
    name = _name(users)
    parameters = tuple(one.name for one in every)
    number, chosen = _SEVERAL, name
    while _is_taken(users, chosen, text := _written(chosen, parameters, body)):
        chosen, number = f"{name}{number}", number + 1
    return Sharing(chosen, text, users, tuple(every))


class _Names:
    # What a parameter or variable may be called: nothing that the body or an argument names.

    def __init__(self, users: tuple[User, ...]) -> None:
        values = (value for user in users for value in user.outline.values)
        fields = {word for path in users[0].outline.fields for word in path.split(".")}
        members = {word for value in values for word in _WORD.findall(value.partition(".")[2])}
        members |= {word for v in values for word in _WORD.findall(v.partition("->")[2])}
        self._inside = fields | members | {"failed", "typeof", "sizeof", "user"}
        self._outside = {name for user in users for name in user.companion.function.names}

    def is_free(self, name: str) -> bool:
        return name not in self._inside

    def parameter(self, name: str) -> str:
        made = fresh(name, self._inside)
        self._inside.add(made)
        return made

    def variable(self, name: str) -> str:
        made = fresh(f"__{name}", self._outside)
        self._outside.add(made)
        self._inside.add(made)
        return made


def _roots(users: tuple[User, ...]) -> tuple[tuple[int, ...], ...]:
    # Values that are members of one thing, the same of them for every user.
    found: dict[tuple[str, ...], list[int]] = {}
    for at in range(len(users[0].outline.fields)):
        members = [_MEMBER.fullmatch(user.outline.values[at]) for user in users]
        made = [one for one in members if one is not None]
        whole = len(made) == len(users) and len({one.group(2, 3) for one in made}) == 1
        moved = any(one[1] in user.outline.values for one, user in zip(made, users, strict=False))
        if whole and not moved and not any(user.apart[at] for user in users):
            found.setdefault((made[0][2], *(one[1] for one in made)), []).append(at)
    return tuple(tuple(some) for some in found.values() if len(some) >= _SEVERAL)


def _root(users: tuple[User, ...], mine: tuple[int, ...], names: _Names) -> tuple[Argument, str]:
    members = [_MEMBER.fullmatch(user.outline.values[mine[0]]) for user in users]
    given = tuple(one[1] for one in members if one is not None)
    whole = users[0].outline.values[mine[0]].partition(given[0])[2].startswith(".")
    name = names.parameter(given[0].strip("_") or "value")
    its = names.variable(name)
    copied = f"*{its} = &({name});" if whole else f"{its} = ({name});"
    return Argument(name, f"typeof({name}) {copied}", given), its


def _member(user: User, at: int) -> str:
    found = _MEMBER.fullmatch(user.outline.values[at])
    return found[3] if found is not None else ""


def _value(users: tuple[User, ...], at: int, pointer: str, names: _Names) -> tuple[Argument, str]:
    column = tuple(user.outline.values[at] for user in users)
    field = users[0].outline.fields[at].rpartition(".")[2]
    same = len(set(column)) == 1 and column[0].isidentifier() and names.is_free(column[0])
    name = names.parameter(column[0] if same else f"{field}_value")
    if not any(user.apart[at] for user in users):
        return Argument(name, "", column), name
    its = names.variable(name)
    return Argument(name, f"typeof({pointer.removeprefix('&')}) {its} = ({name});", column), its


def _body(
    first: Outline, held: str, error: str, values: tuple[str, ...], declared: tuple[str, ...]
) -> list[str]:
    word, unsafe = WORDS[first.direction], UNSAFE[first.direction]
    begin = f"\tif (user_{word}_access_begin({held}, sizeof(*{held}))) {{"
    end = f"user_{word}_access_end();"
    moved = (
        call("\t\t", unsafe, (value, f"&{held}->{path}", "failed"), width=_EDGE)
        for value, path in zip(values, first.fields, strict=True)
    )
    return [
        "\t__label__ failed;",
        f"\tint {error} = -EFAULT;",
        *(f"\t{one}" for one in declared if one),
        "",
        begin,
        *(line for text in moved for line in text.split("\n")),
        f"\t\t{end}",
        f"\t\t{error} = 0;",
        # An end of its own: one for both ways made gcc 12 keep and test the error behind it.
        "\t\tif (0) {",
        "failed:",
        f"\t\t\t{end}",
        "\t\t}",
        "\t}",
        f"\t{error};",
    ]


def _written(name: str, parameters: tuple[str, ...], body: list[str]) -> str:
    pieces = (*(f"{one}," for one in parameters[:-1]), parameters[-1])
    head = wrap(f"#define {name}(", pieces, ") ({", _EDGE).split("\n")
    lines = [*head, *body]
    longest = max(map(columns, lines))
    edge = max(_EDGE, (longest // TAB + 1) * TAB) // TAB
    padded = (f"{line}{_TAB * (edge - columns(line) // TAB)}\\\n" for line in lines)
    return "".join(padded) + "})\n"


def _name(users: tuple[User, ...]) -> str:
    parts = [user.companion.function.name.split("_") for user in users]
    stem = "_".join(_alike(parts)).strip("_")
    if len(stem) < _TELLING:
        stem = users[0].companion.function.name
    return f"{stem}_{NAMES[users[0].outline.direction]}"


def _alike(parts: list[list[str]]) -> Iterator[str]:
    for words in zip(*parts, strict=False):
        if len(set(words)) > 1:
            return
        yield words[0]


def _is_taken(users: tuple[User, ...], name: str, text: str) -> bool:
    word = re.compile(rb"\b%s\b" % name.encode())
    texts = {user.companion.function.source.text for user in users}
    unit = {one.text for user in users for one in user.companion.function.unit} | texts
    here = users[0].companion.function.source.text
    if text.encode(errors="surrogateescape") in here:
        return False
    return any(word.search(one) for one in unit)
