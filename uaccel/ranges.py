# SPDX-License-Identifier: GPL-2.0-only
"""Say what a window's begin must cover, and what each access must check for itself.

`user_access_begin(p, n)` checks one range (include/linux/uaccess.h); an access through another
pointer needs an `access_ok()` of its own, before the window or, when its pointer is only known
within, inside of it (as io_uring/net.c has it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from uaccel.ctext import address, one_line
from uaccel.lengths import is_inside, varies
from uaccel.model.access import Access, Span
from uaccel.model.source import Function, Held, Layouts
from uaccel.model.steps import Piece, Step, Stretch

PAGE = 4096  # bytes
WORD = 8  # bytes: no scalar is larger
UNKNOWN = "no access is made on every path: which pointer is meant is not known before the window"

# What is behind the last `->` is the user's; what is before it was read from the kernel's memory.
_STRUCT = re.compile(r"&\(?(\w+(?:(?:->|\.)\w+)*)\)?->[\w.]+(?:\[\w+\][\w.]*)*")
_ARRAY = re.compile(r"&?\(?(\w+)->(\w+(?:\.\w+)*)(\[)?")
_MEMBER = re.compile(r"&(\w+\[\w+\])\.[\w.]+")
_ROOT = re.compile(r"(\w+)\+\+$|&(\w+)(?:->|\[)|(\w+) ?\+ ?(?=[\w(])|(\w+)$")
_VARIABLE_INDEX = re.compile(r"\[(?!\d+\]|[A-Z_][A-Z0-9_]*\])")
_INDEXED = re.compile(r"&(\w+)\[(\d{1,4})\]|(\w+) ?\+ ?(\d{1,4})|([A-Za-z_]\w*)")
_TYPE = re.compile(r"\(((?:(?:const|unsigned|struct|enum) )*\w+) (?:__user )?\*\) ?(?=[\w(&])")
_CAST = re.compile(r"\((?:[\w ]+?[ *])__user[ *]*\*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_ACCESS = re.compile(r"\w_user\s*\(")
_LOOP = re.compile(r"\b(?:for|while|do)\b|each")
_DECLARED = re.compile(r"(?<=\t)\{\n(?:[ \t]*(?:[\w*]+ )+\**\w+(?: = [\w>.&-]+)?;\n|\s*\n)+\s*\Z")
_PLAIN = re.compile(r"\s*\w+\s*=[^=(]*|\s*")


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes of user memory that one check covers."""

    pointer: str  # C
    size: str  # C, bytes

    def check(self) -> str:
        """Return the call of `access_ok()` for it."""
        return f"access_ok({self.pointer}, {self.size})"


@dataclass(frozen=True, slots=True)
class Ranges:
    """What one window checks."""

    begin: Range
    before: tuple[Range, ...]  # checked before the window opens
    within: tuple[tuple[Access, Range], ...]  # checked right before that access
    looped: bool  # `begin` is where a loop starts: nothing says that it makes a pass
    covered: tuple[tuple[Access, Range], ...] = ()  # accesses that need no check of their own
    kept: bool = False  # `begin` is that of a window which was unmade
    checked: bool = False  # and was checked there, on every machine
    begun: str = ""  # how it left when it failed, when that is not how a fault leaves
    block: int | None = None  # the bare block that a scope takes the place of begins here
    unasked: tuple[Range, ...] = ()  # checked though a way out may come before what they are for


def ranges(
    function: Function,
    stretch: Stretch,
    layouts: tuple[Layouts, ...] = (),
    *,
    masked: bool = False,
    scoped: bool = False,
) -> Ranges | str:
    """Return the ranges of a window over `stretch`, or one sentence why they are not known.

    `layouts` say which arrays lie in their struct; without them none is believed to.

    A `masked` begin wants the first access near its pointer; one that is `scoped` may take the
    place of a block, declarations and all.
    """
    kept = _kept(function, stretch)
    far = kept is not None and masked and not _is_near(function, stretch, kept)
    block = _block(function, stretch, kept) if far and scoped and kept is not None else None
    if kept is not None and (not far or block is not None):
        begin = Range(kept.pointer, kept.size)
        begun = kept.begun if _stands_there(function, kept.begun) else ""
        made = ((step, piece) for step, piece in _pieces(stretch) if piece.access is not None)
        same = tuple(p.access for step, p in made if _is_known(begin, step, p, stretch))
        checked = kept.checked and _is_first(function, stretch, kept)
        return replace(_whole(begin, same), checked=checked, begun=begun, block=block)
    sure: dict[Range, int] = {}
    looped: dict[Range, int] = {}
    firm: dict[Range, int] = {}  # where the first access stands that each is checked for
    every: list[tuple[Access, Range, bool]] = []  # whether it can be checked before the window
    for step, piece in _pieces(stretch):
        if piece.access is None:
            continue
        here = _range(function, stretch, piece.access, layouts)
        known = _is_known(here, step, piece, stretch)
        every.append((piece.access, here, known))
        if known and _is_meant(here, step, piece):
            sure[here] = sure.get(here, 0) + 1
            firm.setdefault(here, piece.access.call.start)
            continue
        root = _root(function, piece, stretch) if step.always and not piece.test else None
        if root is not None:
            looped[root] = looped.get(root, 0) + 1
    if not sure and not looped:
        return UNKNOWN
    chosen = sure or looped
    begin = max(chosen, key=lambda one: chosen[one])
    before = tuple(one for one in sure if one != begin)
    covered = tuple((access, here) for access, here, known in every if known and here in sure)
    apart = (access for access, here, known in every if not (known and here in sure))
    within = tuple((access, _exact(function, access)) for access in apart)
    out = min((leave.at for leave in stretch.leaves), default=stretch.extent.end)
    unasked = tuple(one for one in (begin, *before) if firm.get(one, 0) > out)
    return Ranges(begin, before, within, not sure, covered, unasked=unasked)


def _whole(begin: Range, covered: tuple[Access | None, ...]) -> Ranges:
    every = tuple((one, begin) for one in covered if one is not None)
    return Ranges(begin, (), (), looped=False, covered=every, kept=True)


def rebased(pointer: str, old: str, new: str) -> str | None:
    """Return a user pointer that goes through `old` as it goes through `new`, None if not so."""
    pointer, old = _unwrapped(one_line(pointer)), _unwrapped(one_line(old))
    if pointer == old:
        return new
    cast = re.match(r"\([\w ]+ __user \*\)", pointer)
    if cast is not None and pointer[cast.end() :] in (old, f"({old})"):
        return f"{cast[0]}{new}"
    if old.isidentifier():
        made, times = re.subn(rf"(?<![\w.>]){old}(?!\w)", new, pointer)
        return made if times == 1 else None
    member = re.fullmatch(rf"&\(?{re.escape(old)}\)?->(.+)", pointer)
    if member is None and old.startswith("&"):  # `&p[i].field` goes through `&p[i]`
        member = re.fullmatch(rf"{re.escape(old)}\.(.+)", pointer)
    return f"&{new}->{member[1]}" if member is not None else None


def _kept(function: Function, stretch: Stretch) -> Held | None:
    # The window that `stretch` stood in, where its range is still what it was at its begin.
    for one in function.held:
        if one.pointer and one.span.covers(stretch.extent):
            text = function.source.quote(one.span)
            before = function.source.quote(Span(one.span.start, stretch.extent.start))
            within = text if _LOOP.search(before) else before
            words = set(_WORD.findall(f"{one.pointer} {one.size} {one.begun}"))
            reaches = "->" in one.pointer + one.size and _may_store(within)
            if not reaches and not any(_is_changed(word, within) for word in words):
                # What is left outside of it, before it, is made before the range is checked now.
                return replace(one, checked=one.checked and _ACCESS.search(before) is None)
    return None


def _stands_there(function: Function, leave: str) -> bool:
    found = re.fullmatch(r"(?:return\b[^;()]*|goto (\w+));", leave)
    if found is None or found[1] is None:
        return found is not None
    body = function.source.quote(function.body)
    return re.search(rf"^[ \t]*{found[1]}[ \t]*:", body, re.MULTILINE) is not None


def _is_first(function: Function, stretch: Stretch, kept: Held) -> bool:
    # Whether nothing that the window held is accessed before `stretch`, and so before the check.
    every = (access for cluster in function.clusters for access in cluster.accesses)
    inside = (one.call.start for one in every if kept.span.covers(one.call))
    return min(inside, default=0) == min(one.call.start for one in stretch.accesses)


def _is_near(function: Function, stretch: Stretch, kept: Held) -> bool:
    # A masked begin gives its pointer another value: what goes by another name, as `_p = p` does,
    # is reached as it was, unless an access by that pointer has faulted before.
    first = stretch.steps[0]
    sure = first.always and not first.looped and not first.pieces[0].test
    asked = stretch.accesses[:1] if sure else stretch.accesses
    pointer = re.escape(kept.pointer)
    by = re.compile(rf"{pointer}(?:\+\+)?|&\(?{pointer}->[\w.]+\)?")
    return all(by.fullmatch(one_line(function.source.quote(one.pointer))) for one in asked)


def _block(function: Function, stretch: Stretch, kept: Held) -> int | None:
    # Where the block begins that a scope stood for, when all that stands in it besides the stretch
    # declares variables, and the accesses go by one of those that is given the scope's pointer.
    source, extent = function.source, stretch.extent
    above = source.quote(Span(function.body.start, extent.start))
    found = _DECLARED.search(above)
    below = source.text[extent.end :].lstrip()
    if found is None or not below.startswith(b"}") or stretch.header is not None:
        return None
    names = re.findall(rf"\*(\w+) = {re.escape(kept.pointer)};", found[0])
    by = re.compile(rf"(?:{'|'.join(names)})(?:\+\+)?|&(?:{'|'.join(names)})->[\w.]+")
    pieces = [piece for _, piece in _pieces(stretch)]
    plain = all(not one.value and one.pointer in ("", "changes") for one in pieces)
    leaves = all(step.fault.leaves and not step.opening + step.closing for step in stretch.steps)
    near = all(by.fullmatch(one_line(source.quote(one.pointer))) for one in stretch.accesses)
    if not (names and plain and leaves and near):
        return None
    begins = function.body.start + len(above[: found.start()].encode())
    return begins if kept.span.start == begins + 1 else None


def _may_store(text: str) -> bool:
    # Whether a statement does more than give a variable a value: it may change what `p->q` is.
    return not all(_PLAIN.fullmatch(one) for one in text.split(";"))


def _is_changed(name: str, text: str) -> bool:
    word = rf"(?<![\w.>]){re.escape(name)}\b"
    changes = rf"{word}\s*(?:[-+*/%&|^]|<<|>>)?=(?!=)|{word}\s*(?:\+\+|--)|(?:\+\+|--)\s*{word}"
    return re.search(rf"{changes}|&\s*{word}(?!\s*(?:->|\[))", text) is not None


def is_far(here: Range) -> bool:
    """Return whether a range is known to be larger than the smallest page."""
    found = re.match(r"(\d+) \* sizeof", here.size)
    return found is not None and int(found[1]) * WORD > PAGE


def _pieces(stretch: Stretch) -> Iterator[tuple[Step, Piece]]:
    return ((step, piece) for step in stretch.steps for piece in step.pieces)


def _is_meant(here: Range, step: Step, piece: Piece) -> bool:
    # A pointer that is tested may be NULL, which every range check lets pass, or else is meant.
    if step.looped:
        return False
    tests = [*step.guards, *([piece.test] if piece.test else [])]
    if step.always and not tests:
        return True
    return bool(tests) and all(_says(test, here.pointer) for test in tests)


def _says(test: str, pointer: str) -> bool:
    return "".join(test.split()) in (pointer, f"{pointer}!=NULL", f"NULL!={pointer}")


def _exact(function: Function, access: Access) -> Range:
    text = _unwrapped(one_line(function.source.quote(access.pointer)))
    pointer = address(text).removesuffix("++")
    if access.size is not None:
        return Range(pointer, one_line(function.source.quote(access.size)))
    return Range(pointer, f"sizeof({pointee(pointer)})")


def _root(function: Function, piece: Piece, stretch: Stretch) -> Range | None:
    # What `p++`, `&p[i]`, `p + i` and `&p->member[i]` go through in a loop, before it starts.
    text = one_line(function.source.quote(piece.its_access.pointer))
    found = _ROOT.match(text)
    if found is None or (piece.pointer and not text.endswith("++")):
        return None
    name = next(group for group in found.groups() if group)
    changed = stretch.changed_before(stretch.extent.end)
    if name in changed and text != f"{name}++":
        return None
    return Range(name, f"sizeof(*{name})")


def _range(
    function: Function, stretch: Stretch, access: Access, layouts: tuple[Layouts, ...]
) -> Range:
    if varies(function, access):
        return _exact(function, access)
    text = _unwrapped(one_line(function.source.quote(access.pointer)))
    size = one_line(function.source.quote(access.size)) if access.size is not None else ""
    if _may_lie_behind(function, stretch, text, size, layouts):
        return _exact(function, access)
    whole = access.copies and access.path == "" and access.base in dict(function.pointers)
    if access.base is not None and (access.path or whole):
        return Range(access.base, f"sizeof(*{access.base})")
    member = _STRUCT.fullmatch(text)
    if member is not None and not _VARIABLE_INDEX.search(text):
        return Range(member[1], f"sizeof(*{member[1]})")
    element = _MEMBER.fullmatch(text)
    if element is not None:
        return Range(f"&{element[1]}", f"sizeof({element[1]})")
    decayed = re.fullmatch(r"(\w+)->[\w.]+(?: ?\+ ?\d+)?", _bare(text))
    if decayed is not None and decayed[1] in dict(function.pointers):
        return Range(decayed[1], f"sizeof(*{decayed[1]})")
    if not size and (name := _element(text)[0]):
        others = (one_line(function.source.quote(one.pointer)) for one in stretch.accesses)
        most = max(index for its, index in map(_element, others) if its == name)
        return Range(name, f"{most + 1} * sizeof(*{name})" if most else f"sizeof(*{name})")
    return _exact(function, access)


def _may_lie_behind(
    function: Function, stretch: Stretch, text: str, size: str, layouts: tuple[Layouts, ...]
) -> bool:
    # An array without a length of its own lies behind its struct: of what is copied from or to one,
    # and of its elements, the struct's size says nothing.
    bare = _bare(text)
    found = _ARRAY.match(bare)
    tag = dict(function.pointers).get(found[1]) if found is not None else None
    if found is None or tag is None or size == f"sizeof({bare})":
        return False
    if not size and not any(known.find(tag) is not None for known in layouts):
        return _is_first_alone(function, stretch, bare)
    is_array = found[3] or (size and not bare.startswith("&"))
    return bool(is_array) and not is_inside(layouts, tag, found[2])


def _is_first_alone(function: Function, stretch: Stretch, element: str) -> bool:
    # Where no layout is known: of an array that has a second element the length is known as well.
    if not element.endswith("[0]"):
        return False
    others = (one_line(function.source.quote(one.pointer)) for one in stretch.accesses)
    return not any(element[:-2] in one and not one.endswith("[0]") for one in others)


def _unwrapped(text: str) -> str:
    # `&(p->table[3])` without its parentheses.
    found = re.fullmatch(r"&\(([^()]*)\)", text)
    return f"&{found[1]}" if found is not None else text


def _element(text: str) -> tuple[str, int]:
    # `&p[2]`, `p + 2`, `p`: elements of one array; ("", 0) for anything else.
    found = _INDEXED.fullmatch(text)
    if found is None:
        return "", 0
    return found[1] or found[3] or found[5], int(found[2] or found[4] or 0)


def _bare(text: str) -> str:
    # Without a cast in front and the parentheses behind it.
    found = _CAST.match(text)
    rest = text[found.end() :].strip() if found is not None else text
    return rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest


def pointee(pointer: str) -> str:
    """Return what `sizeof` and `typeof` may be asked of: what a pointer expression points to."""
    field = re.fullmatch(r"&([\w.>\-\[\] +*]+)", pointer)
    if field is not None:
        return field[1]
    cast = _TYPE.match(pointer)
    if cast is not None:
        return cast[1].strip()
    plain = re.fullmatch(r"\w+|\([^()]*\)", pointer)
    return f"*{pointer}" if plain else f"*({pointer})"


def _is_known(here: Range, step: Step, piece: Piece, stretch: Stretch) -> bool:
    # Whether it can be worked out before the window opens.  A loop comes back to what it changes.
    until = stretch.extent.end if step.looped else piece.its_access.call.start
    words = set(_WORD.findall(here.pointer)) | set(_WORD.findall(here.size))
    changed = stretch.changed_before(until)
    if words & changed or any(_is_named(place, here.pointer) for place in changed):
        return False
    return piece.pointer in ("", "element") or here.pointer.isidentifier()


def _is_named(place: str, pointer: str) -> bool:
    # `msg->msg_name` is none of `&umsg->msg_namelen`.
    return "->" in place and re.search(rf"(?<![\w.>]){re.escape(place)}(?!\w)", pointer) is not None
