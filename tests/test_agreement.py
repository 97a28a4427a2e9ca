# SPDX-License-Identifier: GPL-2.0-only
"""What objtool and the rules say of one window is put side by side, and mistakes are dealt out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

from corpus.agreement import (
    STANDS,
    Agreement,
    Case,
    Ours,
    Row,
    Text,
    agree,
    choose,
    judged,
    of_case,
    of_text,
)
from corpus.balance import BALANCE
from corpus.mistakes import mutants
from corpus.objtool import judged as judged_right
from corpus.objtool import wrong
from tests.test_mutants import POINT
from uaccel.host.tree import open_tree
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Found
from uaccel.model.machine import Build
from uaccel.model.source import Source
from uaccel.read.reading import read_source

PATH = "drivers/toy.c"
LOOP = POINT.replace("\tif (!user_read", "\tfor (;;)\n\tif (!user_read")


def toy(text: str = POINT) -> Text:
    """Return a file of one function, as it stands."""
    made = text.encode()
    functions = read_source(Source(PurePosixPath(PATH), made)).functions
    return Text(PATH, STANDS, made, (), functions)


def built(*said: str) -> Build:
    """Return an object of which objtool says these words."""
    words = "".join(f"drivers/toy.o: warning: objtool: {one}\n" for one in said)
    return Build("x86_64", "gcc", "drivers/toy.o", "", words, "gcc", False)


def found(rule: str, level: Level = Level.ERROR, message: str = "line 7 is wrong") -> Found:
    """Return a finding in the toy's function."""
    return Found(rule, "toy_point", Place(PATH, 7, 1), level, message, "")


def case(name: str, text: Text) -> Case:
    """Return the first case of a mistake."""
    function = text.functions[0]
    made = mutants(POINT, BALANCE)
    return Case(text, function, next(one for one in made if one.mistake == name))


@pytest.mark.parametrize("mistake", [one.name for one in BALANCE])
def test_each_mistake_of_balance_changes_a_window(mistake: str) -> None:
    made = [one for one in mutants(LOOP, BALANCE) if one.mistake == mistake]
    if mistake == "fallen through to the fault's end":
        made = [one for one in mutants(FALLING, BALANCE) if one.mistake == mistake]
    assert made
    for one in made:
        assert one.text.count("{") == one.text.count("}")
        assert one.text.count("(") == one.text.count(")")


FALLING = """\
static int toy_put(struct point __user *p)
{
	if (!user_write_access_begin(p, sizeof(*p)))
		return -EFAULT;
	unsafe_put_user(1, &p->x, fault);
	unsafe_put_user(2, &p->y, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}
"""


@pytest.mark.parametrize(
    ("objtool", "findings", "expected"),
    [
        (True, (found("missing-end"),), Agreement.BOTH),
        (True, (found("wider-mode", Level.NOTE),), Agreement.OBJTOOL),
        (True, (), Agreement.OBJTOOL),
        (False, (found("missing-end", Level.WARNING),), Agreement.CHECK),
        (False, (found("wider-mode", Level.NOTE),), Agreement.NEITHER),
    ],
)
def test_a_note_is_no_word(objtool: bool, findings: Iterable[Found], expected: Agreement) -> None:
    assert agree(objtool, findings) is expected


def test_what_is_said_without_the_mistake_does_not_count() -> None:
    one = case("begin twice", toy())
    builds = (
        built("toy_point+0x10: call to f() with UACCESS enabled"),
        built("toy_point+0x22: call to f() with UACCESS enabled"),
    )
    ours = (
        Ours((found("a"),), ("x: toy_point: why",)),
        Ours((found("a", message="line 9 is wrong"),), ("x: toy_point: why",)),
    )
    row = of_case(one, builds, ours)
    assert (row.agreement, row.findings, row.doubts) == (Agreement.NEITHER, (), ())


def test_what_is_said_once_more_counts() -> None:
    one = case("begin twice", toy())
    builds = built(), built("toy_point+0x22: redundant UACCESS disable", "toy_point+0x40: other")
    ours = Ours((found("a"),), ()), Ours((found("a"), found("b"), found("a")), ("y: f: why",))
    row = of_case(one, builds, ours)
    assert row.agreement is Agreement.BOTH
    assert row.said == "toy_point+N: redundant UACCESS disable"
    assert [f.rule for f in row.findings] == ["b", "a"]
    assert (row.line, row.doubts) == (one.function.source.line(0) + one.mutant.line, ("y: f: why",))


def test_what_does_not_compile_or_breaks_has_its_sentence() -> None:
    one = case("begin twice", toy())
    row = of_case(one, (built(), "drivers/toy.c:3: error: no"), (Ours((), ()), Ours((), ())))
    assert (row.agreement, row.said) == (Agreement.UNKNOWN, "drivers/toy.c:3: error: no")
    broken = of_case(one, (built(), built("f+0x1: x")), (Ours((), ()), Ours((), (), "Broken: b")))
    assert list(wrong(broken, frozenset())) == ["broken: Broken: b"]
    (row,) = of_text(one.text, built(), Ours((), (), "Broken: b"))
    assert (row.agreement, row.broken) == (Agreement.UNKNOWN, "Broken: b")


def test_a_text_has_a_row_for_each_function_that_is_spoken_of() -> None:
    said = built("__do_sys_other.isra.0+0x5: return with UACCESS enabled")
    rows = of_text(toy(), said, Ours((found("a"), found("b", Level.NOTE)), ()))
    assert [(row.function, row.agreement) for row in rows] == [
        ("other", Agreement.OBJTOOL),
        ("toy_point", Agreement.CHECK),
    ]
    (row,) = of_text(toy(), built(), Ours((found("b", Level.NOTE),), ()))
    assert (row.function, row.agreement) == ("-", Agreement.NEITHER)


def test_mistakes_are_dealt_out_evenly_and_the_same_each_time() -> None:
    texts = toy(), toy(FALLING)
    cases = choose(texts, 24)
    assert cases == choose(texts, 24) and len(cases) == 24
    assert max(Counter(one.mutant.mistake for one in cases).values()) <= 2
    assert Counter(one.function.name for one in cases) == {"toy_point": 12, "toy_put": 12}
    for one in cases:
        assert one.bytes != one.text.text
        changed = one.bytes.split(b"\n")[one.line - 1]
        assert changed != one.text.text.split(b"\n")[one.line - 1]


def test_what_only_the_check_says_must_be_judged_with_its_rules() -> None:
    row = Row(PATH, "f", STANDS, "-", 0, Agreement.CHECK, "", (found("wrong-end"),))
    assert list(wrong(row, frozenset())) == ["check only: 7: error: line 7 is wrong [wrong-end]"]
    head = "file\tfunction\ttext\tmistake\tline\trules\tjudged\twhy\n"
    line = f"{PATH}\tf\tstands\t-\t-\t{{}}\t{{}}\tbecause\n"
    assert not list(wrong(row, judged_right(head + line.format("wrong-end", "right"))))
    assert list(wrong(row, judged_right(head + line.format("wrong-end", "wrong"))))
    assert list(wrong(row, judged_right(head + line.format("no-window", "right"))))


def test_where_objtool_speaks_a_mistake_is_found_by_a_rule(linux: Path) -> None:
    """Of the toy's function every mistake of balance that can be reached is an error."""
    text = toy(FALLING)
    before = judged(open_tree(linux), text, text.text)
    assert not before.failed and not before.findings
    for mutant in mutants(FALLING, BALANCE):
        one = Case(text, text.functions[0], mutant)
        after = judged(open_tree(linux), text, one.bytes)
        assert not after.failed
        assert agree(True, after.findings) is Agreement.BOTH, mutant.text
