# SPDX-License-Identifier: GPL-2.0-only
"""What a file is judged beside: helpers of headers, and what the tree knows of windows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from uaccel.extents import tags_in
from uaccel.host.includes import included, text_of
from uaccel.host.vicinity import headers_with
from uaccel.model.dossier import Tree
from uaccel.model.flowgraph import Begin, Graph, Pointer, Touch
from uaccel.model.source import Layouts
from uaccel.read.calls import CALL, is_pure
from uaccel.read.conditions import MODELS
from uaccel.read.csource import cleaned
from uaccel.read.definitions import read_header
from uaccel.read.flowfile import Helpers, opened_by
from uaccel.read.opening import harm_of, is_quiet, is_word
from uaccel.read.pieces import INLINE, piece_at
from uaccel.read.structs import read_structs
from uaccel.read.writtenout import File

_WORD = b"user"
_WORDS = rb"access_(?:begin|end)|unsafe_(?:get|put|copy)|scoped_user_"
_UACCESS = "include/linux/uaccess.h"
_OBJTOOL = "tools/objtool/check.c"
_SAFE = re.compile(rb"uaccess_safe_builtin\[\] = \{(.*?)\n\};", re.DOTALL)
# The kernel's fixed-width types (include/uapi/asm-generic/int-ll64.h), where no header is read.
_COMMON = b"".join(
    b"typedef %s %s;\n" % (meaning, name)
    for bits, kind in ((8, b"char"), (16, b"short"), (32, b"int"), (64, b"long long"))
    for name, meaning in (
        (b"u%d" % bits, b"unsigned " + kind),
        (b"__u%d" % bits, b"unsigned " + kind),
        (b"uint%d_t" % bits, b"unsigned " + kind),
        (b"s%d" % bits, b"signed " + kind),
        (b"__s%d" % bits, b"signed " + kind),
        (b"int%d_t" % bits, b"signed " + kind),
        *((b"__%s%d" % (end, bits), b"unsigned " + kind) for end in (b"le", b"be") if bits > 8),
    )
)
_WORDS_OF = re.compile(r"[A-Za-z_]\w*")
_MOST_LOCAL = 80  # headers that a file's own ones include
_ASSEMBLER = ("asm", "__asm__", "volatile", "__volatile__")
_DEEP = 5  # inline functions that call others
_TRACES = re.compile(r"(?:trace|__trace)_\w+")


@dataclass(frozen=True, slots=True)
class Vicinity:
    """What stands around a file."""

    helpers: Helpers
    apart: bool  # as of `Unit`
    landed: bool
    directed: bool = True  # as of `Unit`


def vicinity(tree: Tree | None, file: File, given: Mapping[str, bytes]) -> Vicinity:
    """Return what `file` is judged beside; `given` are texts that replace files of `tree`."""
    if tree is None:
        return Vicinity(Helpers(), apart=True, landed=False)
    headers = _replaced(tree, given)
    arch = _arch(file.path)
    mine = tuple(one for one in headers if _arch(one.path) in ("", arch) or not arch)
    own = tuple(opened_by(path, text) for path, text in _beside(tree, file, given))
    uaccess = given.get(_UACCESS, text_of(tree, _UACCESS))
    return Vicinity(
        helpers=Helpers((*mine, *own)),
        apart=not arch or _opens_apart(tree, arch),
        landed=b"arch_unsafe_get_user" in uaccess,
        directed=b"masked_user_read_access_begin" in uaccess,
    )


def inlined(
    tree: Tree | None, file: File, names: Iterable[str], given: Mapping[str, bytes]
) -> dict[str, bool]:
    """Return which of the functions called `names` compile to no call at all.

    What the file defines is looked at first, and what it includes with quotes, then the headers
    of `tree`; without one, or where nothing defines a name, it is not in the answer.  `given` are
    texts that replace files of the tree.
    """
    allowed = _allowed(tree) if tree is not None else frozenset()
    changed = tuple(opened_by(path, text) for path, text in given.items() if path != file.path)
    local = _local(tree, file) if tree is not None else ()
    files = (file, *changed, *(one for one in local if one.path not in given))
    found: dict[str, bool] = {}
    for name in sorted(set(names) - {""}):
        known = True if name in allowed else _meant(tree, files, name, _DEEP)
        if known is not None:
            found[name] = known
    return found


def around_layouts(tree: Tree | None, file: File, graph: Graph) -> tuple[Layouts, ...]:
    """Return the structs that sizes, masked begins and copies of `graph` are about.

    () when nothing is asked of any; what is not known is not in them.
    """
    asked = frozenset(_asked_tags(graph))
    if not asked:
        return ()
    tags = asked - {""}
    names = {word for one in graph.steps for word in _sized(one.does)}
    names |= {kind for _, kind in graph.scalars}
    headers = [read_header(file.clean), read_header(_COMMON)]
    if tree is not None:
        headers += (read_header(text) for tag in sorted(tags) for text in _defining(tree, tag))
    return tuple(read_structs(headers, model, tags, names) for model in MODELS)


@lru_cache(maxsize=64)
def _defining(tree: Tree, tag: str) -> tuple[bytes, ...]:
    # What the struct holds may be defined elsewhere; then it is not known, and nobody guesses.
    word = tag.encode()
    found = headers_with(tree, word, rb"\b(?:struct|union)\s+" + word + rb"\s*\{")
    return tuple(text for _, text in found)


def _asked_tags(graph: Graph) -> Iterator[str]:
    # "" where only the types of scalars are asked for.
    structs = dict(graph.structs)
    own = any(isinstance(step.does, Begin) for step in graph.steps)
    for step in graph.steps:
        match step.does:
            case Begin(pointer=Pointer(base=base), size=size):
                yield from tags_in(graph, f"{size} {base}")
                yield from ("" for name, _ in graph.scalars if name == base)
            case Touch(pointer=pointer, kernel=Pointer(base=base), size=size):
                yield from tags_in(graph, size)
                yield from () if own else tags_in(graph, pointer.base)
                if base in graph.variables and size:
                    yield structs[base]


def _sized(does: object) -> tuple[str, ...]:
    return tuple(_WORDS_OF.findall(does.size)) if isinstance(does, Begin | Touch) else ()


def _meant(tree: Tree | None, files: tuple[File, ...], name: str, deep: int) -> bool | None:
    bodies = tuple(body for file in files for body in _bodies(file.clean, name))
    if not bodies and tree is not None:
        bodies = _in_headers(tree, name)
    if not bodies:
        return None
    return all(_is_quiet(tree, files, body, deep) for body in bodies)


def _is_quiet(tree: Tree | None, files: tuple[File, ...], body: bytes | None, deep: int) -> bool:
    # Whether a macro, or an inline function, calls nothing itself.
    if body is None or deep == 0:
        return False
    for found in CALL.finditer(body):
        if found[1] is None:
            if not found[0].startswith(b"asm"):
                return False
            continue
        name = found[1].decode()
        if is_pure(name) or is_quiet(name) or name in _ASSEMBLER:
            continue
        if harm_of(name) or is_word(name) or _TRACES.fullmatch(name):
            return False
        if _meant(tree, files, name, deep - 1) is not True:
            return False
    return True


def _bodies(clean: bytes, name: str) -> tuple[bytes | None, ...]:
    # Of each definition of `name`: a macro's text, an inline function's body, None out of line.
    word = re.escape(name.encode())
    macro = re.compile(
        rb"^[ \t]*#[ \t]*define[ \t]+" + word + rb"\b(\([^)\n]*\))?((?:[^\n\\]|\\\r?\n|\\[^\n])*)",
        re.MULTILINE,
    )
    found: list[bytes | None] = [one[2] for one in macro.finditer(clean)]
    for one in re.finditer(rb"(?<![\w.>])" + word + rb"\s*\([^;{}]*\)\s*\{", clean):
        piece = piece_at(clean, one.end())
        if piece is not None and piece.name == name:
            header = clean[piece.header.start : piece.header.end]
            body = clean[piece.body.start : piece.body.end]
            found.append(body if INLINE.search(header) else None)
    line = rb"(?m)^(static[\w\s*]*?)\b" + word + rb"\([^;{}\n]*\)\s*(\{.*\})\s*$"
    found += (o[2] if INLINE.search(o[1]) else None for o in re.finditer(line, clean))
    return tuple(found)


@lru_cache(maxsize=1 << 10)
def _in_headers(tree: Tree, name: str) -> tuple[bytes | None, ...]:
    word = name.encode()
    pattern = rb"(?m)^[ \t]*#[ \t]*define[ \t]+" + word + rb"\b|\b" + word + rb"\s*\([^;{}]*\)\s*\{"
    found = (_bodies(cleaned(text), name) for _, text in headers_with(tree, word, pattern))
    return tuple(body for bodies in found for body in bodies)


@lru_cache(maxsize=4)
def _allowed(tree: Tree) -> frozenset[str]:
    # What objtool lets be called with user memory open: it was written for that.
    found = _SAFE.search(text_of(tree, _OBJTOOL))
    return frozenset(re.findall(r'"(\w+)"', found[1].decode())) if found else frozenset()


@lru_cache(maxsize=8)
def _local(tree: Tree, file: File) -> tuple[File, ...]:
    # What the file includes with quotes, and what that does.
    seen: dict[str, File] = {}
    pending = [file]
    while pending and len(seen) < _MOST_LOCAL:
        one = pending.pop()
        for path in _included(tree, one):
            if path not in seen and path != file.path:
                seen[path] = opened_by(path, text_of(tree, path))
                pending.append(seen[path])
    return tuple(seen.values())


@lru_cache(maxsize=4)
def _opened(tree: Tree) -> tuple[File, ...]:
    return tuple(opened_by(path, text) for path, text in headers_with(tree, _WORD, _WORDS))


def _replaced(tree: Tree, given: Mapping[str, bytes]) -> tuple[File, ...]:
    kept = tuple(one for one in _opened(tree) if one.path not in given)
    new = (opened_by(path, text) for path, text in given.items() if path.endswith(".h"))
    return (*kept, *new)


def _beside(tree: Tree, file: File, given: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    # Headers that it includes with quotes, and that hold windows.
    found = []
    for path in _included(tree, file):
        text = given.get(path, text_of(tree, path))
        if _WORD in text and re.search(_WORDS, text) and not path.startswith("include/"):
            found.append((path, text))
    return found


def _included(tree: Tree, file: File) -> Iterator[str]:
    # A folder's Makefile may add the folders above it to what is searched.
    folder = file.path.rpartition("/")[0]
    above = (folder, folder.rpartition("/")[0], folder.rpartition("/")[0].rpartition("/")[0])
    for name in file.quoted:
        places = (included(tree, name, one, ()) for one in above if one)
        yield from next((found for found in places if found), ())


def _arch(path: str) -> str:
    parts = path.split("/")
    return parts[1] if parts[0] == "arch" and len(parts) > 2 else ""


def _opens_apart(tree: Tree, arch: str) -> bool:
    text = text_of(tree, f"arch/{arch}/include/asm/uaccess.h")
    return b"user_read_access_begin" in text
