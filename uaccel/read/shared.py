# SPDX-License-Identifier: GPL-2.0-only
"""Read a macro that holds a whole window: a statement expression, 0 when no access failed.

sound/core/pcm_native.c of 7.3 has two.  What a call of it does can be written in its place, as
long as every access is named by parameters and by variables that only copy them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from uaccel.ctext import Call, address, arguments, one_line
from uaccel.model.source import Direction

_DECLARED = r"(?:[^;{}]+; ?)*?"
_WINDOW = re.compile(
    rf"\(\{{ ?__label__ (?P<labels>[\w, ]+); ?(?P<declared>{_DECLARED})"
    r"if \((?P<inverted>!?)user_(?P<word>read|write)_access_begin\((?P<range>[^;{}]*?)\)\) ?"
    r"(?:goto (?P<begun>\w+);|\{) ?"
    r"(?P<accesses>(?:unsafe_\w+ ?\([^;{}]*\); ?)+)"
    r"(?P<ended>user_(?P=word)_access_end\(\); ?)?(?P<error>\w+) = 0; ?(?P<apart>if \(0\) \{ ?)?"
    r"(?P<failed>\w+) ?: ?user_(?P=word)_access_end\(\); ?(?(apart)\} ?)"
    r"(?:(?P<landed>\w+) ?: ?|\} ?)(?P=error); ?\}\)"
)
_ERROR = re.compile(r"int (\w+) = -EFAULT")
_COPIED = re.compile(r"typeof\(.+?\)+ (?:__user )?(\*? ?)(\w+) = (&?)\((\w+)\)")
_MADE = re.compile(r"(unsafe_(?:get|put)_user) ?\((.*)\)")
_PLACE = re.compile(r"\w+(?:(?:->|\.)\w+)*")
_NAME = re.compile(
    r"(?<![\w.>])(?:\((?P<held>[A-Za-z_]\w*)\)(?=->|\.|$)|(?P<name>[A-Za-z_]\w*))(?P<arrow>->)?"
)
_WORD = re.compile(r"\w+")
_UNSAFE = {"read": "unsafe_get_user", "write": "unsafe_put_user"}


@dataclass(frozen=True, slots=True)
class Shared:
    """A macro whose whole text is one window."""

    parameters: tuple[str, ...]
    direction: Direction
    copies: tuple[tuple[str, str, str], ...]  # a variable, "&" or "", and the parameter it copies
    begin: tuple[str, str]  # pointer and size
    accesses: tuple[tuple[str, tuple[str, str]], ...]  # checked accessor, value and pointer

    def calls(self, given: tuple[str, ...]) -> tuple[Call, ...] | None:
        """Return the checked accesses of a call; None when it must stay whole."""
        if len(given) != len(self.parameters):
            return None
        known = dict(zip(self.parameters, given, strict=True))
        repeated = (known[of] for name, _, of in self.copies if self._times(name) > 1)
        if not all(_PLACE.fullmatch(one) for one in repeated):
            return None
        return tuple(
            (name, tuple(address(self._written(one, known)) for one in both))
            for name, both in self.accesses
        )

    def covers(self, given: tuple[str, ...]) -> str:
        """Return the arguments of its begin, as a call gives them."""
        known = dict(zip(self.parameters, given, strict=True))
        return ", ".join(self._written(one, known) for one in self.begin)

    def _times(self, name: str) -> int:
        words = (word for _, both in self.accesses for one in both for word in _WORD.findall(one))
        return sum(word == name for word in words)

    def _written(self, text: str, known: Mapping[str, str]) -> str:
        # A copied address is what it was made of: `__s->x` is `s.x` where __s is &(s).
        copies = {name: (sign, known[of]) for name, sign, of in self.copies}

        def put(found: re.Match[str]) -> str:
            name, arrow = found["held"] or found["name"], found["arrow"] or ""
            sign, value = copies.get(name, ("", known.get(name, "")))
            if not value:
                return found[0]
            if sign and not arrow:
                return f"&{value}"
            arrow = "." if sign else arrow
            bare = value if _PLACE.fullmatch(value) or found[0] == text else f"({value})"
            return f"{bare}{arrow}"

        return _NAME.sub(put, text)


def shared(parameters: str, body: str) -> Shared | None:
    """Return the window that a macro is, None when it is anything else."""
    names = tuple(one.strip() for one in parameters.split(","))
    found = _WINDOW.fullmatch(one_line(re.sub(r"\\\r?\n", " ", body)))
    if found is None or not all(name.isidentifier() for name in names) or not _is_sound(found):
        return None
    copies = _copies(found, names)
    accesses = tuple(_accesses(found))
    begin = tuple(arguments(found["range"]))
    if copies is None or not accesses or len(begin) != 2:
        return None
    direction = Direction.READ if found["word"] == "read" else Direction.WRITE
    return Shared(names, direction, copies, (begin[0], begin[1]), accesses)


def _is_sound(found: re.Match[str]) -> bool:
    # What a begin that failed skips is the end as well; on no way it is closed twice or not at all.
    labels = {one.strip() for one in found["labels"].split(",")}
    begun = found["begun"] or ""
    apart = begun != found["failed"] and begun == (found["landed"] or "")
    jumps = bool(begun) == bool(found["inverted"])
    ends = (found["ended"] is None) == (found["apart"] is None)
    return apart and jumps and ends and labels == {found["failed"], begun} - {""}


def _copies(
    found: re.Match[str], names: tuple[str, ...]
) -> tuple[tuple[str, str, str], ...] | None:
    copies: list[tuple[str, str, str]] = []
    errors: list[str] = []
    for statement in (one.strip() for one in found["declared"].split(";") if one.strip()):
        error, copied = _ERROR.fullmatch(statement), _COPIED.fullmatch(statement)
        if error is not None:
            errors.append(error[1])
        elif copied is not None and copied[4] in names:
            copies.append((copied[2], copied[3], copied[4]))
        else:
            return None
    return tuple(copies) if errors == [found["error"]] else None


def _accesses(found: re.Match[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    # None at all when one of them is not as the window wants it.
    statements = [one.strip() for one in found["accesses"].split(";") if one.strip()]
    made = [_MADE.fullmatch(one) for one in statements]
    given = [tuple(arguments(one[2])) if one is not None else () for one in made]
    good = all(one is not None and one[1] == _UNSAFE[found["word"]] for one in made)
    if good and all(len(one) == 3 and one[2] == found["failed"] for one in given):
        name = _UNSAFE[found["word"]].removeprefix("unsafe_")
        yield from ((name, (one[0], one[1])) for one in given)
