# SPDX-License-Identifier: GPL-2.0-only
"""Follow the variable that holds the error: what sets it among the accesses, and who looks at it.

An access within a window sets nothing: where none fails, the window's code must leave in the
variable what the statements left there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tree_sitter import Node

from uaccel.model.source import Span
from uaccel.model.steps import Leave, Step, Stretch
from uaccel.read.csource import span
from uaccel.read.operands import Reader

CHANGED = "a statement among the accesses changes `{variable}`, which holds the error"
LOOKED = "a statement among the accesses looks at `{variable}`, which may hold an error there"
COUNTED = "`{variable}` is how many bytes a copy left, and is reckoned with"
DECLARES = "what a fault does declares a variable, which no landing can"
UNUSED = "a label would stand unused where an #if leaves out the only access that jumps to it"
_DECLARED = re.compile(
    r"^(?!(?:return|goto|else|case)\b)(?:(?:const|unsigned|struct|enum) )*[A-Za-z_]\w* \**"
    r"[A-Za-z_]\w*(?:\[\w*\])?(?: = [^;]+)?(?:, [^;]+)?;",
    re.MULTILINE,
)
_OPENS, _CLOSES = (re.compile(rf"^[ \t]*#[ \t]*{word}", re.M) for word in ("if", "endif"))
_LOOPS = ("for_statement", "while_statement", "do_statement")
_GOTO = re.compile(r"\bgoto (\w+);")
_CATCHES = re.compile(r"\b(?:break|continue);")


def kept(reader: Reader, root: Node, made: Stretch, following: Node | None) -> Stretch:
    """Return the stretch with where its errors become 0, as they do when nothing failed."""
    seen = [one for one in made.steps if one.sets and not made.loses(one.variable, one.span)]
    live = {
        one.variable
        for one in seen
        if not _is_dead(reader, root, made.extent, one.variable, following)
    }
    last = seen[-1] if seen else None
    alone = last is not None and last.variable in live and _is_settled(reader, made, last)
    zero = last.variable if last is not None and alone else ""
    steps = tuple(
        replace(one, resets=one.sets and _resets(reader, root, made, one, live - {zero}))
        for one in made.steps
    )
    # What is set to 0 where it stands needs no second time.
    if any(one.span == last.span and one.resets for one in steps if last is not None):
        zero = ""
    return replace(made, steps=steps, zero=f"{zero} = 0;" if zero else "")


def _is_settled(reader: Reader, made: Stretch, last: Step) -> bool:
    # Whether it can wait for the end of the stretch: the step is reached, and nothing follows.
    if not last.always or last.looped:
        return False
    return not any(_changed(reader, made, last.variable, last.span.start))


def _resets(reader: Reader, root: Node, made: Stretch, step: Step, live: set[str]) -> bool:
    name = step.variable
    if name in live or _is_looked_at(reader, made, name):
        return True
    looped = any(one.looped for one in made.steps)
    leaves = (one for one in made.leaves if looped or one.at > step.span.start)
    return any(_leaves_with(reader, root, made.extent, one, name) for one in leaves)


def _is_looked_at(reader: Reader, made: Stretch, name: str) -> bool:
    # Whether anything of the stretch does more than set it by an access.
    quote = reader.source.quote
    texts = [quote(one) for one in made.among]
    for access in made.accesses:
        texts += [quote(access.value), quote(access.pointer)]
    texts += [piece.test for step in made.steps for piece in step.pieces]
    alone = re.compile(rf"^{re.escape(name)} = -?\w+;", re.MULTILINE)
    texts += [alone.sub("", step.fault.text) for step in made.steps]
    last = len(made.steps) - 1
    texts += [one.rest for at, one in enumerate(made.steps) if at < last or one.looped]
    return any(_names(text, name) for text in texts)


def _leaves_with(reader: Reader, root: Node, extent: Span, leave: Leave, name: str) -> bool:
    # Whether what is reached from a way out of the stretch may look at the error.
    quote = reader.source.quote
    text = quote(Span(leave.at, leave.end))
    if _names(text, name):
        return True
    labels = _GOTO.findall(text)
    body = quote(span(root))
    for label in labels:
        _, found, rest = body.partition(f"\n{label}:")
        if not found or _names(rest, name) or _GOTO.search(rest):
            return True
    return _CATCHES.search(text) is not None and is_read(reader, root, extent, name)


def reason_against(reader: Reader, made: Stretch) -> str | None:
    """Return why the errors cannot be kept through the stretch; None when they can."""
    for step in made.steps:
        if _DECLARED.search(step.fault.text):
            return DECLARES
        if step.counts and _is_reckoned(step):
            return COUNTED.format(variable=step.variable)
        if not step.variable or (step.fault.leaves and not step.falls):
            continue
        if step.falls and any(_changed(reader, made, step.variable, step.span.start)):
            return CHANGED.format(variable=step.variable)
        if _is_asked(reader, made, step):
            return LOOKED.format(variable=step.variable)
    return UNUSED if _is_under_if(reader, made) else None


def _is_reckoned(step: Step) -> bool:
    # Behind a fault it is -EFAULT, which is no number of bytes.
    name = re.escape(step.variable)
    plain = rf"\b{name} \|?= -\w+;|\breturn {name};"
    return _names(re.sub(plain, "", step.fault.text), name)


def _is_asked(reader: Reader, made: Stretch, step: Step) -> bool:
    # What is done unless there is an error is not done behind a fault, before or now.
    name = re.escape(step.variable)
    looped = any(one.looped for one in made.steps)
    text = _beside_steps(reader, made, made.extent.start if looped else step.span.end)
    if _names(text, name) and re.search(r"\belse\b|\?", text):
        return True
    fine = re.compile(rf"!\s*{name}\b|\b{name} == 0\b")
    return _names(fine.sub("", text), name)


def _beside_steps(reader: Reader, made: Stretch, start: int) -> str:
    # The text of the stretch from `start` on, without what a style replaces.
    pieces, at = [], start
    for here in sorted(one.span for one in made.steps):
        if here.start >= at:
            pieces.append(reader.source.quote(Span(at, here.start)))
        at = max(at, here.end)
    return ";".join((*pieces, reader.source.quote(Span(at, max(at, made.extent.end)))))


def _is_under_if(reader: Reader, made: Stretch) -> bool:
    faults = {one.fault for one in made.steps}
    under = {one.fault: True for one in made.steps}
    for one in made.steps:
        above = reader.source.quote(Span(made.extent.start, one.span.start))
        depth = len(_OPENS.findall(above)) - len(_CLOSES.findall(above))
        under[one.fault] = under[one.fault] and depth > 0
    return len(faults) > 1 and any(under.values())


def is_lost(reader: Reader, root: Node, made: Stretch) -> bool:
    """Return whether a local would have no value behind a fault that jumps over what sets it."""
    first = min(one.span.start for one in made.steps if not one.fault.leaves)
    above = reader.source.quote(Span(root.start_byte, made.extent.start))
    behind = reader.source.quote(Span(made.extent.end, root.end_byte))
    for at, name in made.changed:
        jumped = at > first and any(one.start <= at < one.end for one in made.among)
        if not jumped or not name.isidentifier() or not _names(behind, name):
            continue
        if _names(above, name) and not re.search(rf"\b{name}\s*(?:[-+*/%&|^]?=(?!=)|\[)", above):
            return True
    return False


def is_changed(reader: Reader, made: Stretch, name: str, start: int, end: int) -> bool:
    """Return whether a statement between two places does more than set the error by an access."""
    return any(_changed(reader, made, name, start, end))


def _changed(
    reader: Reader, made: Stretch, name: str, start: int, end: int | None = None
) -> Iterator[str]:
    # The text of what changes it behind `start`; in a loop what stands before comes behind too.
    looped = any(one.looped for one in made.steps)
    pattern = re.compile(
        rf"(?:\+\+|--)\s*{name}\b|(?<!&)&{name}\b|"
        rf"\b{name}\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))"
    )
    for at, text in _texts(reader, made):
        if looped or (at > start and (end is None or at < end)):
            yield from (text[found.start() :] for found in pattern.finditer(text))


def _texts(reader: Reader, made: Stretch) -> Iterator[tuple[int, str]]:
    quote = reader.source.quote
    yield from ((one.start, quote(one)) for one in made.among)
    for access in made.accesses:
        yield access.call.start + 1, f"{quote(access.value)}, {quote(access.pointer)}"
    for step in made.steps[:-1]:
        yield step.span.start + 1, step.rest
    if made.steps and (made.steps[-1].looped or not made.steps[-1].always):
        yield made.steps[-1].span.start + 1, made.steps[-1].rest


def is_zero(reader: Reader, root: Node, made: Stretch, name: str) -> bool:
    """Return whether the error is known to be 0 before the first access, and until one fails."""
    quote = reader.source.quote
    declared = rf"^[ \t]+(?:\w+[ \t]+)+(?:[\w \t=-]+,[ \t]*)*{name}[ \t]*[;,=]"
    above = quote(Span(root.start_byte, made.extent.start))
    if not re.search(declared, above, re.MULTILINE) or re.search(rf"\bstatic\b.*\b{name}\b", above):
        return False
    around = [above, *(text for _, text in _texts(reader, made))]
    if _may_come_again(reader, root, made.extent):
        around.append(quote(Span(made.extent.end, root.end_byte)))
    nought = re.compile(rf"\b{name}[ \t]*=[ \t]*0(?=[;,])")
    bare = re.compile(rf"(?<=[\w,])[ \t]+{name}(?=[ \t]*[;,])")
    return not any(_names(bare.sub("", nought.sub("", text)), name) for text in around)


def _may_come_again(reader: Reader, root: Node, extent: Span) -> bool:
    node = root.descendant_for_byte_range(extent.start, extent.start)
    while node is not None:
        if node.type in _LOOPS:
            return True
        node = node.parent
    return re.search(r"^\w+:", reader.source.quote(span(root)), re.MULTILINE) is not None


def _is_dead(
    reader: Reader, root: Node, extent: Span, variable: str, following: Node | None
) -> bool:
    # Whether nothing reads it before it is assigned again.
    if following is not None and following.start_byte >= extent.end:
        text = reader.source.quote(span(following))
        assigned = re.match(rf"{re.escape(variable)} = ([^;]*);", text)
        if assigned is not None and not _names(assigned[1], variable):
            return True
    node = root.descendant_for_byte_range(extent.start, extent.start)
    while node is not None:
        if node.type in _LOOPS:
            return False
        node = node.parent
    if not is_read(reader, root, extent, variable):
        return True
    rest = reader.source.quote(Span(extent.end, root.end_byte))
    labels = re.search(r"^\w+:", reader.source.quote(span(root)), re.MULTILINE)
    return not _names(rest, variable) and not labels


def is_read(reader: Reader, root: Node, extent: Span, variable: str) -> bool:
    """Return whether a statement outside of the stretch does more than set it to a constant."""
    quote = reader.source.quote
    around = (Span(root.start_byte, extent.start), Span(extent.end, root.end_byte))
    text = "\n".join(map(quote, around))
    name = re.escape(variable)
    plain = rf"^[ \t]*(?:\w+[ \t]+)*?{name}(?:[ \t]*=[ \t]*-?\w+)?;"
    left = re.sub(plain, "", text, flags=re.MULTILINE)
    left = re.sub(rf"(?<=[,\t ]){name}(?:[ \t]*=[ \t]*-?\w+)?(?=,)|(?<=, ){name}(?=;)", "", left)
    return re.search(rf"\b{name}\b", left) is not None or f"return {variable};" in text


def _names(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None
