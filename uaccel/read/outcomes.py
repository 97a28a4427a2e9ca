# SPDX-License-Identifier: GPL-2.0-only
"""Work out what a fault comes to when the statement behind it looks at the error."""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from uaccel.model.source import Span
from uaccel.model.steps import Fault, Step, Stretch
from uaccel.read.csource import plain, span, text_of
from uaccel.read.errors import is_changed, is_read, is_zero, kept
from uaccel.read.operands import Reader, unwrapped
from uaccel.read.steps import FAILED, block_text, ends_by_leaving

_SETS = re.compile(r"^\w+ \|?= (?:-EFAULT|1);", re.MULTILINE)
_BEHIND = re.compile(r"[ \t]*(/\*(?:(?!\*/)[^\n])*\*/|//[^\n]*)?\s*")  # one comment on its line


def folded(reader: Reader, made: Step, following: Node | None, node: Node) -> tuple[Step, int]:
    """Return the step with the statement behind it that only tests its error, and its end.

    `err = get_user(...); if (err) return err;` is one step.
    """
    if not made.sets or made.closing or following is None or made.fault.leaves:
        return made, node.end_byte
    value = _value((made,))
    text = _when_set(reader, following, (made,)) if value else None
    if text is None:
        return made, node.end_byte
    comment = _comment(reader, made, following, text)
    if comment is None:
        return made, node.end_byte
    fault = Fault(True, _left(made.variable, value, text))
    here = Span(made.span.start, following.end_byte)
    done = replace(made, span=here, fault=fault, falls=False, comment=comment)
    return done, following.end_byte


def _comment(reader: Reader, made: Step, following: Node, kept: str) -> str | None:
    # The comment on the line of a step that takes the statement behind with it, of which only
    # `kept` stays; None when a comment would be lost.
    quote = reader.source.quote
    text = quote(span(following))
    found = _BEHIND.fullmatch(quote(Span(made.span.end, following.start_byte)))
    if found is None or text.count("/*") + text.count("//") > kept.count("/*") + kept.count("//"):
        return None
    return found[1] or ""


def _value(steps: tuple[Step, ...]) -> str:
    # What the variable is set to when one of them fails; "" where that differs.
    said = {re.fullmatch(r"\w+ = (-?\w+);", one.fault.text) for one in steps}
    values = {one[1] if one is not None else "" for one in said}
    return values.pop() if len(values) == 1 else ""


def _when_set(reader: Reader, statement: Node, steps: tuple[Step, ...]) -> str | None:
    # What `if (err) ...` does, when that is to leave.
    variable = steps[0].variable
    condition = statement.child_by_field_name("condition")
    consequence = statement.child_by_field_name("consequence")
    if statement.type != "if_statement" or condition is None or consequence is None:
        return None
    if statement.child_by_field_name("alternative") is not None or not ends_by_leaving(consequence):
        return None
    said = reader.text(unwrapped(condition)).replace(" ", "")
    if said not in (variable, f"{variable}!=0", f"{variable}<0") or reader.has(statement):
        return None
    # A copy leaves a number of bytes, a condition 1.
    if "<" in said and any(one.counts or "-" not in one.fault.text for one in steps):
        return None
    return block_text(reader.source, consequence)


def _left(variable: str, value: str, text: str) -> str:
    if text == f"return {variable};":
        return f"return {value};"
    if re.match(rf"{re.escape(variable)} = (?:-?\w+);", text):
        return text
    return text if _is_plain(variable, text) else f"{variable} = {value};\n{text}"


def settled(
    reader: Reader, root: Node, made: Stretch, following: Node | None, behind: int | None
) -> Stretch:
    """Return the stretch with what its faults come to, when the statement behind tests them.

    `behind` is where the statement ends that the function's last `return` follows.
    """
    done = replace(made, steps=_unified(reader, made))
    if following is not None:
        done = _resolved(reader, root, done, following)
    if done.extent.end > made.extent.end and following is not None:
        following = following.next_named_sibling
        done = replace(done, before_return=done.extent.end == behind)
    done = kept(reader, root, done, following)
    for name in {one.variable for one in done.steps if one.variable.isidentifier()}:
        if not is_read(reader, root, done.extent, name) and not _is_named(reader, done, name):
            done = _without(done, name)
    return done


def _resolved(reader: Reader, root: Node, made: Stretch, following: Node) -> Stretch:
    falling = tuple(one for one in made.steps if not one.fault.leaves)
    names = {one.variable for one in falling}
    variable = names.pop() if len(names) == 1 else ""
    if not variable or not _is_failed(made.steps, variable):
        return made
    sets, last = all(one.sets for one in falling[:1]), made.steps[-1]
    # Where nothing failed the statement behind is known to do nothing.
    closes = sets and last.always and not last.looped and not last.closing and not last.rest
    text, fine = _when_set(reader, following, falling), ""
    if text is None:
        values = _returned(reader, following, variable)
        if values is None:
            return made
        text, fine = f"return {values[0]};", values[1]
        closes = closes and not re.search(rf"\b{variable}\b", fine)
    value = _value(falling)
    if not value and not sets and fine and is_zero(reader, root, made, variable):
        value = FAILED
    if not value and (sets or "= 1;" in falling[0].fault.text) and not _is_plain(variable, text):
        return made
    fault = Fault(True, _left(variable, value, text) if value else _joined(variable, text))
    comment = _comment(reader, last, following, "" if fine else text) if closes else None
    if comment is None:
        return _failing(made, fault)
    rest = f"return {fine};" if fine else ""
    asked = _is_named(reader, made, variable)
    return _extended(made, fault, following, rest, comment, asked=asked)


def _failing(made: Stretch, fault: Fault) -> Stretch:
    return replace(made, steps=_with_fault(made.steps, fault))


def _extended(  # noqa: PLR0913
    made: Stretch, fault: Fault, following: Node, rest: str, comment: str, *, asked: bool
) -> Stretch:
    # The last step takes the statement behind with it; what holds the error may be `asked` before.
    *others, last = _with_fault(made.steps, fault)
    end = following.end_byte
    here = Span(last.span.start, end)
    last = replace(last, span=here, rest=rest, returns=bool(rest), comment=comment)
    if rest:
        last = replace(last, sets=False)
        if not asked:
            others = [replace(one, sets=False) for one in others]
    return replace(made, steps=(*others, last), extent=Span(made.extent.start, end))


def _is_named(reader: Reader, made: Stretch, name: str) -> bool:
    # Whether a statement of the stretch that stays does more than set it.
    texts = [reader.source.quote(one) for one in made.among]
    texts += [reader.source.quote(access.value) for access in made.accesses]
    texts += [step.rest for step in made.steps]
    texts += [_SETS.sub("", step.fault.text) for step in made.steps]
    texts += [piece.test for step in made.steps for piece in step.pieces]
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(text) for text in texts)


def _without(made: Stretch, name: str) -> Stretch:
    # Nobody looks at the error: it need not be kept.
    alone = re.compile(rf"^{re.escape(name)} \|?= (?:-EFAULT|1);\n?", re.MULTILINE)
    steps = tuple(
        replace(
            one,
            fault=Fault(one.fault.leaves, alone.sub("", one.fault.text)),
            sets=one.sets and one.variable != name,
        )
        for one in made.steps
    )
    return replace(made, steps=steps, zero="" if made.zero == f"{name} = 0;" else made.zero)


def _unified(reader: Reader, made: Stretch) -> tuple[Step, ...]:
    # Behind `err = A` a later `err |= B` finds 0 there when nothing failed.
    known: dict[str, int] = {}
    unified = []
    for one in made.steps:
        name, start = one.variable, one.span.start
        if one.sets and one.always:
            known[name] = start
        joins = name in known and one.fault.text == f"{name} |= {FAILED};"
        if joins and not is_changed(reader, made, name, known[name], start):
            unified.append(one.with_fault(Fault(False, f"{name} = {FAILED};")))
        else:
            unified.append(one)
    return tuple(unified)


def _is_failed(steps: tuple[Step, ...], variable: str) -> bool:
    said = {one.fault.text for one in steps if not one.fault.leaves}
    return said <= {f"{variable} = -EFAULT;", f"{variable} |= -EFAULT;", f"{variable} = 1;"}


def _joined(variable: str, text: str) -> str:
    return text if _is_plain(variable, text) else f"{variable} |= {FAILED};\n{text}"


def _is_plain(variable: str, text: str) -> bool:
    # It leaves, and does not look at the error.
    alone = re.fullmatch(r"return [^;]*;", text)
    return alone is not None and not re.search(rf"\b{variable}\b", text)


def _with_fault(steps: tuple[Step, ...], fault: Fault) -> tuple[Step, ...]:
    return tuple(one if one.fault.leaves else one.with_fault(fault) for one in steps)


def _returned(reader: Reader, statement: Node, variable: str) -> tuple[str, str] | None:
    # return err;  return err ? -EFAULT : 0;
    if statement.type != "return_statement" or not statement.named_child_count:
        return None
    value = plain(statement.named_children[0])
    if value.type == "identifier" and text_of(value) == variable:
        return variable, "0"
    if value.type != "conditional_expression":
        return None
    parts = [value.child_by_field_name(n) for n in ("condition", "consequence", "alternative")]
    said = [reader.text(plain(part)) if part is not None else "" for part in parts]
    if said[0] != variable:
        return None
    # `err ?: 0` is err where that is not 0.
    return said[1] or variable, "0" if said[2] == variable else said[2]
