# SPDX-License-Identifier: GPL-2.0-only
"""Read the functions and macros of a file that hold windows, or what needs one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from uaccel.model.flowgraph import Doubt, Graph
from uaccel.read.choices import choices
from uaccel.read.csource import cleaned
from uaccel.read.declared import parameters, scalars, structs
from uaccel.read.flowgraph import Steps, read_steps
from uaccel.read.flowsteps import Odd
from uaccel.read.opening import OPENS, WORDS, is_own, is_word
from uaccel.read.pieces import INLINE, Piece, declares, directive_at, ended_line, piece_at
from uaccel.read.writtenout import File, Macro, Text, is_whole, macros_of, of_macro, written_out

_QUOTED = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', re.MULTILINE)
_CALLS = re.compile(rb"\b([A-Za-z_]\w*)\s*\(")
_NAME = re.compile(r"[A-Za-z_]\w*")
_LEAVES = re.compile(r"\b(?:return|goto|break|continue)\b")
_STATIC = re.compile(rb"\bstatic\b")
_WITHIN = re.compile(r"_*(?:arch_)?unsafe_\w+")
_DEEP = 8  # helpers that call helpers


@dataclass(frozen=True, slots=True)
class FileFlow:
    """What one file holds."""

    graphs: tuple[Graph, ...]  # of its own functions and macros first, then of its headers'
    own: int  # how many of them are its own
    doubts: tuple[Doubt, ...]
    functions: tuple[str, ...]  # of `doubts`, "" when it is not known


@dataclass(frozen=True, slots=True)
class Helpers:
    """What headers define that opens, closes or needs a window."""

    files: tuple[File, ...] = ()


def opened_by(path: str, text: bytes) -> File:
    """Return the file at `path`, whose bytes are `text`, ready to be read."""
    quoted = tuple(one[1].decode(errors="replace") for one in _QUOTED.finditer(text))
    return File(path, cleaned(text), quoted)


def read_flow(file: File, helpers: Helpers = Helpers()) -> FileFlow:
    """Return the functions and macros of `file` that hold windows, as steps."""
    others = tuple(one for one in helpers.files if one.path != file.path)
    table = _Table(file, others)
    graphs: list[Graph] = []
    doubts: list[tuple[str, Doubt]] = []
    for piece in table.pieces:
        _read_piece(table, file, piece, graphs, doubts)
    for macro in table.lonely():
        _read_macro(table, macro, graphs, doubts)
    own = len(graphs)
    for other, piece in table.foreign:
        _read_piece(table, other, piece, graphs, [])
    doubts += (("", one) for one in table.lost)
    names = tuple(name for name, _ in doubts)
    return FileFlow(tuple(graphs), own, tuple(one for _, one in doubts), names)


class _Table:
    """The macros and helper functions that a file may use."""

    def __init__(self, file: File, others: tuple[File, ...]) -> None:
        self.file = file
        headers = [macro for other in others for macro in macros_of(other)]
        mine = macros_of(file)
        self._mine = tuple(one for one in mine if not is_word(one.name))
        bodies = {one.name: _words(one) for one in (*headers, *mine)}
        aware = _aware(bodies)
        chosen: dict[str, Macro] = {}
        for one in headers:
            known = chosen.get(one.name)
            # Of several definitions, one is often empty: what a configuration lacks.
            longer = known is None or len(one.body) > len(known.body)
            if one.name in aware and not is_word(one.name) and longer:
                chosen[one.name] = one
        self.headers = chosen
        self.aware = aware
        self.lost: list[Doubt] = []
        self.pieces = tuple(self._pieces(file))
        named = frozenset(_CALLS.findall(file.clean))
        self.foreign = tuple(
            (other, piece)
            for other in others
            for piece in self._pieces(other)
            if piece.name.encode() in named and not self._mine_has(piece.name)
        )
        own = {piece.name for piece in self.pieces}
        self.helpers = frozenset(own | {piece.name for _, piece in self.foreign})
        self.used: set[str] = set()

    def _mine_has(self, name: str) -> bool:
        return any(piece.name == name for piece in self.pieces)

    def macros(self, piece: Piece | None) -> Mapping[str, Macro]:
        """Return the macros in force in `piece`: its file's own, then those of headers."""
        end = piece.body.end if piece is not None else len(self.file.clean)
        mine = {one.name: one for one in self._mine if one.start < end and _worth(one, self.aware)}
        return {**self.headers, **mine}

    def lonely(self) -> Iterator[Macro]:
        """Yield the macros of the file that open a window, and that no function of it uses."""
        for one in self._mine:
            body = b"".join(t.text.encode("latin1") for t in one.body)
            if one.name in self.used or not OPENS.search(body) or one.parameters is None:
                continue
            if is_whole(one):
                yield one
            else:
                place = one.file.place(one.start)
                self.lost.append(
                    Doubt(place, f"nothing here uses {one.name}(), a part of a window")
                )

    def _pieces(self, file: File) -> Iterator[Piece]:
        seen: list[Piece] = []
        names = [name.encode() for name in self.aware if not is_word(name)]
        more = (
            re.compile(rb"\b(?:" + b"|".join(map(re.escape, names)) + rb")\s*\(") if names else None
        )
        found = {match.start() for match in WORDS.finditer(file.clean)}
        if more is not None:
            found |= {match.start() for match in more.finditer(file.clean)}
        for at in sorted(found):
            if seen and seen[-1].header.start <= at < seen[-1].body.end:
                continue
            if directive_at(file.clean, at) is not None:
                continue
            piece = piece_at(file.clean, at) or ended_line(file.clean, at)
            if piece is None:
                if not declares(file.clean, at):
                    place = file.place(at)
                    self.lost.append(Doubt(place, "it stands in no function that could be found"))
                continue
            seen.append(piece)
        every = [*seen, *_callers(file, seen)]
        yield from (one for one in every if not is_own(one.name))


def _callers(file: File, pieces: list[Piece]) -> Iterator[Piece]:
    # Functions of the file that call one that opens without closing, or needs a window.
    pending = [one for one in pieces if _leaks(file, one)]
    have = {one.body.start for one in pieces}
    for _ in range(_DEEP):
        names = b"|".join(re.escape(one.name.encode()) for one in pending)
        pending = []
        for found in re.finditer(rb"\b(?:" + names + rb")\s*\(", file.clean) if names else ():
            at = found.start()
            piece = piece_at(file.clean, at) or ended_line(file.clean, at)
            if piece is None or piece.body.start in have or found.start() < piece.body.start:
                continue
            have.add(piece.body.start)
            yield piece
            if _leaks(file, piece):
                pending.append(piece)


def _leaks(file: File, piece: Piece) -> bool:
    body = file.clean[piece.body.start : piece.body.end]
    opened = len(re.findall(rb"access_begin\s*\(|__uaccess_begin", body))
    closed = len(re.findall(rb"access_end\s*\(|__uaccess_end", body))
    scoped = b"scoped_" in body
    return (
        not scoped
        and not (opened and closed)
        and _STATIC.search(file.clean, piece.header.start, piece.header.end) is not None
    )


def _words(macro: Macro) -> frozenset[str]:
    return frozenset(token.text for token in macro.body if _NAME.match(token.text))


def _aware(bodies: Mapping[str, frozenset[str]]) -> frozenset[str]:
    # Macros that name, themselves or through others, one of the kernel's words for windows.
    found = {name for name, words in bodies.items() if any(map(_is_window_word, words))}
    while True:
        more = {name for name, words in bodies.items() if name not in found and words & found}
        if not more:
            return frozenset(found)
        found |= more


def _is_window_word(word: str) -> bool:
    return WORDS.fullmatch(f"{word}(".encode("latin1")) is not None


def _worth(macro: Macro, aware: frozenset[str]) -> bool:
    # Plain names stay: a number reads better by its name.
    if macro.parameters is not None or macro.name in aware:
        return True
    text = "".join(token.text for token in macro.body)
    return "(" in text and (_LEAVES.search(text) is not None or "_user" in text)


def _read_piece(
    table: _Table,
    file: File,
    piece: Piece,
    graphs: list[Graph],
    doubts: list[tuple[str, Doubt]],
) -> None:
    header = file.clean[piece.header.start : piece.header.end].decode("latin1")
    body = file.clean[piece.body.start : piece.body.end]
    at = header.find(piece.name)
    place = file.place(piece.header.start + max(at, 0))
    for variant, branch in enumerate(choices(body)):
        text = written_out(file, piece.body.start, branch, table.macros(piece))
        table.used |= text.used
        made = _steps(table, text, piece.name, doubts)
        if made is None:
            return
        words = header + text.text.decode("latin1")
        tags, variables = structs(words)
        graph = Graph(
            *(piece.name, place, parameters(header), made.steps, made.entry),
            *(tags, variables, scalars(words)),
            within=_WITHIN.fullmatch(piece.name) is not None,
            static=_STATIC.search(file.clean, piece.header.start, piece.header.end) is not None,
            inline=INLINE.search(file.clean, piece.header.start, piece.header.end) is not None,
            variant=variant,
        )
        graphs.append(graph)


def _read_macro(
    table: _Table, macro: Macro, graphs: list[Graph], doubts: list[tuple[str, Doubt]]
) -> None:
    text = of_macro(macro, table.macros(None))
    names = tuple(one.removesuffix("...") for one in macro.parameters or ())
    made = _steps(table, _with_labels(text, names), macro.name, doubts)
    if made is not None:
        tags, variables = structs(text.text.decode("latin1"))
        graphs.append(
            Graph(
                *(macro.name, macro.file.place(macro.start), names, made.steps, made.entry),
                *(tags, variables, ()),
                within=_WITHIN.fullmatch(macro.name) is not None,
                static=False,
            )
        )


def _with_labels(text: Text, names: tuple[str, ...]) -> Text:
    # A label that a macro is given stands behind it, wherever it is used.
    given = text.text.decode("latin1")
    jumps = [n for n in names if re.search(rf"\bgoto {n}\b|,\s*{n}\s*\)", given)]
    tail = "".join(f"return 0;{name}:return 1;" for name in jumps)
    if not tail:
        return text
    made = given.rstrip()[:-1] + tail + "}"
    return replace(text, text=made.encode("latin1"))


def _steps(table: _Table, text: Text, name: str, doubts: list[tuple[str, Doubt]]) -> Steps | None:
    try:
        return read_steps(text.text, text.place, table.helpers - {name})
    except Odd as odd:
        doubts.append((name, Doubt(text.place(odd.at), odd.why)))
    except RecursionError:  # blocks within blocks, hundreds of them: no kernel code, but C
        doubts.append((name, Doubt(text.place(0), "its blocks are nested too deeply")))
    return None
