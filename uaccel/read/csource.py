# SPDX-License-Identifier: GPL-2.0-only
"""Parse kernel C with tree-sitter.

Kernel annotations are no part of C and leave error nodes in the tree.  They are
blanked or replaced at equal length before parsing: every byte keeps its offset,
so spans of the syntax tree are spans of the file.  Syntax nodes never leave `read/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter_c
from tree_sitter import Language, Node, Parser, Point, Range

from uaccel.model.source import Span

_C = Language(tree_sitter_c.language())
SPACES = bytes(10 if byte == 10 else 32 for byte in range(256))  # newlines stay
_NOWHERE = Point(0, 0)  # lines are counted from offsets, never by the parser

# include/linux/compiler_types.h, compiler_attributes.h, init.h, linkage.h: words without value.
_WORDS = (
    "__user __kernel __iomem __percpu __rcu __force __nocast __safe __bitwise __private "
    "__must_check __always_inline __maybe_unused __always_unused __used __unused noinline "
    "noinline_for_stack __cold __hot __pure __weak __init __exit __initdata __exitdata "
    "__ro_after_init __read_mostly __packed __aligned_u64 __refdata __ref __visible "
    "asmlinkage notrace noinstr __noreturn __sched __kprobes nokprobe_inline __latent_entropy "
    "__randomize_layout __no_sanitize_address __no_kasan_or_inline __cpuidle __net_init "
    "__net_exit __meminit __devinit __malloc __attribute_const__ __deprecated __noclone "
    "__no_kcsan __flatten __nonstring __restrict __extension__ fastcall __entry_text "
    "__no_sanitize_memory __nocfi __noendbr __no_stack_protector __initconst"
).split()
# The same with an argument: blanked up to the closing parenthesis.
_CALLS = (
    "__free __acquires __releases __must_hold __cond_acquires __cond_releases __aligned "
    "__counted_by __guarded_by __section __printf __scanf __alloc_size __assume_aligned "
    "__attribute__ __no_context_analysis __cleanup"
).split()

# Python searches for a fixed start quickly: what comes before it is looked at afterwards.
_ANNOTATION = re.compile(
    rb"__(?:" + "|".join(word[2:] for word in _WORDS if word[:2] == "__").encode() + rb")\b"
)
_PLAIN_WORD = re.compile(
    rb"\b(?:" + "|".join(word for word in _WORDS if word[:2] != "__").encode() + rb")\b"
)
_ANNOTATION_CALL = re.compile(
    rb"__(?:" + "|".join(word[2:] for word in _CALLS).encode() + rb")[ \t]*(?=\()"
)
_SCOPE = re.compile(rb"\b(?:scoped_(?:guard|cond_guard|user_\w+|ksimd)|class)(?=\s*\()")
_EACH = re.compile(rb"\b(?:\w+_)?for_each(?:_\w+)?(?=\s*\()")
_DO_EACH = re.compile(rb"\bdo_each_\w+\s*(?=\()")
_UNTIL = re.compile(rb"(?<=\})\s*\b(?:while|for)_each(?:_\w+)?(?=\s*\()")
_TYPE_ARGUMENT = re.compile(
    rb"\b(?:container_of|container_of_const|list_entry|list_first_entry|rb_entry|sizeof_field|"
    rb"offsetof|offsetofend|DECLARE_SOCKADDR|min_t|max_t|clamp_t|va_arg|typecheck|struct_size_t|"
    rb"field_sizeof)\s*(?=\()"
)
_TYPE_ARGUMENTS = (  # one of these is in each of them
    *(b"_of", b"entry", b"sizeof_", b"offsetof", b"DECLARE_S", b"_t(", b"_t (", b"va_arg"),
    *(b"typecheck", b"_sizeof"),
)
_TYPEOF = re.compile(rb"\b(?:__)?typeof(?:__)?\s*(?=\()")
_KEYWORD = re.compile(rb"\b(?:struct|union|enum|unsigned|signed|const|volatile)\b(?=\s+\w)")
_PRIMITIVE = re.compile(rb"\b(?:int|char|short|long|float|double|void|unsigned|signed)\b|\*")
_SYSCALL = re.compile(rb"^(?:COMPAT_)?SYSCALL(?:32)?_DEFINE[1-6x]\s*\(", re.MULTILINE)
_SYSCALL0 = re.compile(rb"^(?:COMPAT_)?SYSCALL(?:32)?_DEFINE0\((\w+)\)(?=\s*\{)", re.MULTILINE)
_ASSEMBLER = re.compile(rb"\b(?:asm|__asm__)\b(?:\s|volatile|__volatile__|goto|inline)*\(")
_RANGE = re.compile(rb"(?<=[\w)' ])\.\.\.(?=[\w(' ])")
# Possessive: of a comment or string that does not end nothing is tried twice.
_TOKEN = re.compile(
    rb"/(?:/[^\n]*+|\*(?:[^*]*+\*++(?:[^/*][^*]*+\*++)*+/|.*+))"
    rb"|\"[^\"\\\n]*+(?:\\.[^\"\\\n]*+)*+\"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'",
    re.DOTALL,
)


def parse(text: bytes) -> Node:
    """Return the root of the syntax tree of `text`, annotations blanked."""
    return Parser(_C).parse(blank(text)).root_node


def parse_within(plain: bytes, part: Span) -> Node:
    """Return the root of the syntax tree of one `part` of `plain`; offsets are those of `plain`."""
    here = Range(_NOWHERE, _NOWHERE, part.start, part.end)
    return Parser(_C, included_ranges=[here]).parse(plain).root_node


def blank(text: bytes) -> bytes:
    """Return `text` as plain C of equal length: what the parser is given."""
    return annotated(without_comments(text))


def annotated(clean: bytes) -> bytes:
    """Return `clean`, which has no comments, without the kernel's annotations."""
    plain = bytearray(clean)
    for found in list(_ANNOTATION_CALL.finditer(plain)):
        if _is_word(plain, found.start()):
            _fill(plain, found.start(), closing(plain, found.end()) + 1)
    for found in (*_ANNOTATION.finditer(plain), *_PLAIN_WORD.finditer(plain)):
        if _is_word(plain, found.start()) and not _directive(plain, found.start()):
            _fill(plain, found.start(), found.end())
    if b"each" in plain:
        _each(plain)
    if b"scoped_" in plain or b"class" in plain:
        for found in list(_SCOPE.finditer(plain)):
            _scope(plain, found, b"if")
    if any(part in plain for part in _TYPE_ARGUMENTS):
        for found in list(_TYPE_ARGUMENT.finditer(plain)):
            _blank_types(plain, found.end(), closing(plain, found.end()))
            if found[0].startswith(b"offsetof"):  # the grammar knows it, but no `member[0]` in it
                plain[found.start()] = ord("O")
    if b"typeof" in plain:
        for found in list(_TYPEOF.finditer(plain)):  # (typeof(*p))x is no cast to the parser
            _fill(plain, found.start(), closing(plain, found.end()) + 1)
            plain[found.start() : found.start() + 3] = b"int"
    if b"SYSCALL" in plain:
        _syscalls(plain)
    if b"asm" in plain:
        for found in list(_ASSEMBLER.finditer(plain)):
            _template(plain, found.end() - 1)
    if b"..." in plain:
        for found in list(_RANGE.finditer(plain)):
            plain[found.start() : found.end()] = b" + "
    return bytes(plain)


def _template(plain: bytearray, opening: int) -> None:
    # asm("..." _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %0) : ...): `%0` is no C.
    end = closing(plain, opening)
    left = opening + 1
    for found in [*_TOKEN.finditer(plain, left, end), None]:
        right = found.start() if found is not None else end
        operands = plain.find(b":", left, right)
        if operands >= 0:
            right = operands
        if b"(" in plain[left:right]:
            _fill(plain, left, right)
        if found is None or operands >= 0:
            return
        left = found.end()


def _each(plain: bytearray) -> None:
    for found in list(_DO_EACH.finditer(plain)):
        _do(plain, found)
    for found in list(_UNTIL.finditer(plain)):
        at = found.end() - len(found[0].lstrip())
        plain[at : found.end()] = b"while".ljust(found.end() - at)
    for found in list(_EACH.finditer(plain)):
        _scope(plain, found, b"while")


def _syscalls(plain: bytearray) -> None:
    for found in list(_SYSCALL.finditer(plain)):
        _define(plain, found)
    for found in list(_SYSCALL0.finditer(plain)):
        head = b"long " + found[1] + b"()"
        plain[found.start() : found.end()] = head.ljust(found.end() - found.start())


def _is_word(text: bytearray, at: int) -> bool:
    # A member may be called `__unused`: behind a dot or an arrow such a word is a name.
    before = text[at - 1 : at]
    return not before or not (before.isalnum() or before in b"_.>")


def without_comments(text: bytes) -> bytes:
    """Return `text` with comments as spaces; strings, lines and offsets stay."""

    def spaces(found: re.Match[bytes]) -> bytes:
        return found[0] if found[0][:1] in b"\"'" else found[0].translate(SPACES)

    return _TOKEN.sub(spaces, text)


def cleaned(text: bytes) -> bytes:
    """Return `text` with comments, and what stands between quotes, as spaces."""

    def spaces(found: re.Match[bytes]) -> bytes:
        token = found[0]
        if token[:1] in b"\"'" and b"\n" not in token:
            return token[:1] + b" " * (len(token) - 2) + token[-1:]
        return token.translate(SPACES)

    return _TOKEN.sub(spaces, text)


def closing(text: bytes | bytearray, opening: int) -> int:
    """Return the offset of the parenthesis that closes the one at `opening`, or `opening`."""
    depth = 0
    for found in re.compile(rb"[()]").finditer(text, opening):
        depth += 1 if found[0] == b"(" else -1
        if depth == 0:
            return found.start()
    return opening


def functions(root: Node) -> Iterator[Node]:
    """Yield every function definition below `root`, within #ifdef and error nodes too."""
    pending = list(reversed(root.named_children))
    while pending:
        node = pending.pop()
        if node.type == "function_definition":
            yield node
        elif node.type.startswith("preproc") or node.type in ("ERROR", "declaration_list"):
            pending.extend(reversed(node.named_children))


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, in the order of the text."""
    pending = [node]
    while pending:
        found = pending.pop()
        yield found
        pending.extend(reversed(found.children))


def function_name(function: Node) -> str | None:
    """Return the name that a function definition defines, or None when it is odd."""
    declarator = function.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "identifier":
        declarator = declarator.child_by_field_name("declarator") or next(
            (c for c in declarator.named_children if c.type.endswith("declarator")), None
        )
    return text_of(declarator) if declarator is not None else None


def text_of(node: Node) -> str:
    """Return the text of `node` as the parser saw it."""
    return (node.text or b"").decode(errors="surrogateescape")


def span(node: Node) -> Span:
    """Return where `node` stands in the file."""
    return Span(node.start_byte, node.end_byte)


def plain(node: Node) -> Node:
    """Return what is inside parentheses, or `node` itself."""
    while node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    return node


def _fill(text: bytearray, start: int, end: int) -> None:
    text[start:end] = text[start:end].translate(SPACES)


def _directive(text: bytearray, at: int) -> bool:
    # `#define __user` without its name would not parse; what a macro expands to never does.
    return text[text.rfind(b"\n", 0, at) + 1 : at].lstrip().startswith(b"#")


def _do(text: bytearray, found: re.Match[bytes]) -> None:
    # do_each_pid_task(pgrp, type, p) { ... } while_each_pid_task(pgrp, type, p);
    end = closing(text, found.end()) + 1
    if text[end : end + 200].lstrip()[:1] == b"{":
        _fill(text, found.start(), end)
        text[found.start() : found.start() + 2] = b"do"


def _scope(text: bytearray, found: re.Match[bytes], word: bytes) -> None:
    end = closing(text, found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip()))
    after = text[end + 1 : end + 200].lstrip()[:1]
    if bytes(after) not in (b"", b";", b",", b")", b"(", b"="):
        text[found.start() : found.end()] = word.ljust(found.end() - found.start())


def _blank_types(text: bytearray, start: int, end: int) -> None:
    for found in list(_KEYWORD.finditer(text, start, end)):
        _fill(text, found.start(), found.end())
    arguments = text[start:end]
    for found in list(re.finditer(rb"(?<=[(,])[^,()]*(?=[,)]|\Z)", arguments)):
        if not re.fullmatch(rb"(?:\s|\*|\b(?:int|char|short|long|void|\w+)\b)*", found[0]):
            continue
        for word in _PRIMITIVE.finditer(arguments, found.start(), found.end()):
            at = slice(start + word.start(), start + word.end())
            text[at] = b" " if word[0] == b"*" else b"_" * len(word[0])


def _define(text: bytearray, found: re.Match[bytes]) -> None:
    # SYSCALL_DEFINE2(name, int, fd, char *, p) becomes long  name( int  fd, char *  p)
    end = closing(text, found.end() - 1)
    commas = _outer_commas(text, found.end(), end)
    if len(commas) % 2 or not commas or text[end + 1 : end + 200].lstrip()[:1] != b"{":
        return
    text[found.start() : found.end()] = b"long".ljust(found.end() - found.start())
    text[commas[0]] = ord("(")
    for comma in commas[1::2]:
        text[comma] = ord(" ")


def _outer_commas(text: bytearray, start: int, end: int) -> tuple[int, ...]:
    depth = 0
    commas = []
    for at in range(start, end):
        depth += (text[at] == ord("(")) - (text[at] == ord(")"))
        if depth == 0 and text[at] == ord(","):
            commas.append(at)
    return tuple(commas)
