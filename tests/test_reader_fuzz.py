# SPDX-License-Identifier: GPL-2.0-only
"""Whatever a file holds, its candidate lines are those of the issue, each with one class."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz_reader import CHANGES, WORDS, files, mutants, wanted, wrong
from uaccel.flow.survey import survey
from uaccel.model.source import Form, Kind, Source
from uaccel.model.survey import Survey

SAMPLES = Path(__file__).parent / "samples"
HEAD = b"static int f(struct a __user *p, struct b __user *q)\n{\n"
PIECES = st.sampled_from(WORDS) | st.binary(max_size=6)

CALLS = (
    *("get_user(x, &p->a)", "put_user(y, &p->b)", "__get_user(z, &q->c)", "put_user(x, q)"),
    *("copy_from_user(&x, p, sizeof(x))", "copy_to_user(q, &x, len)", "clear_user(p, 4)"),
    *("0", "x > 3", "foo(x)", "(*ops[1])(x)", "helper(x, p)", "X(a)"),
)
EXPRESSIONS = st.recursive(
    st.sampled_from(CALLS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("||", "&&", "|", ",", "?:")), inner).map(" ".join),
        st.tuples(inner, inner, inner).map(lambda three: "({} ? {} : {})".format(*three)),
        inner.map("!({})".format),
        inner.map("({{ int e = {}; e; }})".format),
        inner.map("unlikely({})".format),
    ),
    max_leaves=6,
)
LEAVES = st.sampled_from(
    ("return -EFAULT;", "goto out;", "break;", "continue;", "foo();", "x = 1;")
)
PLAIN = st.one_of(
    EXPRESSIONS.map("err |= {};".format),
    EXPRESSIONS.map("int e = {};".format),
    EXPRESSIONS.map("return {};".format),
    st.tuples(EXPRESSIONS, LEAVES).map(lambda two: "if ({})\n{}".format(*two)),
    LEAVES,
    st.sampled_from(("again:", "guard(mutex)(&l);", 'asm volatile("nop");', "/* get_user( */")),
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    block = st.lists(inner, max_size=4).map(lambda some: "{\n" + "\n".join(some) + "\n}")
    head = st.builds(
        str.format,
        st.sampled_from(
            (
                *(
                    "if ({})",
                    "while ({})",
                    "for (; {}; )",
                    "switch ({})",
                    "scoped_guard(mutex, {})",
                ),
                *(
                    "scoped_user_read_access(p, out)",
                    "list_for_each_entry(a, b, c)",
                    "do_each_x({})",
                ),
                *("#ifdef A\n{}\n#else\n{}\n#endif\n", "do", "if (a) x = 1; else", "case 1: {};"),
            )
        ),
        EXPRESSIONS,
        EXPRESSIONS,
    )
    return st.one_of(
        st.tuples(head, block).map("\n".join),
        st.tuples(head, inner).map("\n".join),
        block.map("do {} while (0);".format),
        block.map("if (!user_access_begin(p, 4)) return 1;\n{}\nuser_access_end();".format),
        st.tuples(block, block).map(lambda two: "if (a) {} else {}".format(*two)),
    )


STATEMENTS = st.recursive(PLAIN, _blocks, max_leaves=12)
FUNCTIONS = st.lists(STATEMENTS, max_size=6).map(lambda some: "\n".join(some).encode())


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=60), st.booleans())
def test_any_words_are_accounted_for(pieces: list[bytes], within: bool) -> None:
    text = b" ".join(pieces)
    assert wrong(HEAD + text + b"\n}\n" if within else text) == ""


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(FUNCTIONS)
def test_any_function_is_accounted_for(body: bytes) -> None:
    assert wrong(HEAD + body + b"\nout:\n\treturn 0;\n}\n") == ""


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.lists(STATEMENTS, max_size=3), st.lists(STATEMENTS, max_size=3))
def test_any_helper_and_macro_is_accounted_for(helper: list[str], user: list[str]) -> None:
    macro = "#define X(a) " + " ".join(helper).replace("\n", " \\\n") + "\n"
    text = macro + "static int helper(int x, int __user *p)\n{\n" + "\n".join(helper) + "\n}\n"
    assert wrong(text.encode() + HEAD + "\n".join(user).encode() + b"\n}\n") == ""


@pytest.mark.parametrize("seed", range(3))
def test_mutated_samples_are_accounted_for(seed: int) -> None:
    made = mutants(SAMPLES, files(SAMPLES), random.Random(seed))
    for mutant, _ in zip(made, range(100), strict=False):
        assert wrong(mutant.text, mutant.path) == "", mutant.how


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_can_be_mutated(change: object) -> None:
    assert callable(change)
    for seed in range(20):
        assert wrong(change(b"", random.Random(seed))) == ""


def test_the_pattern_is_the_issues() -> None:
    assert wanted(b"get_user (x)\n__put_user\t(\nxget_user(\nget_user\n(\n____copy_to_user(\n") == [
        *(1, 2, 6)
    ]


# What was found wrong once, and mended.


def _read(text: str) -> Survey:
    return survey(Source(PurePosixPath("a.c"), text.encode()))


def _in_function(body: str) -> Survey:
    return _read(f"static int f(struct a __user *p, struct b __user *q)\n{{\n{body}}}\n")


def _kinds(found: Survey) -> list[Kind]:
    return [candidate.kind for candidate in found.candidates]


def _get(field: str, pointer: str = "p") -> str:
    return f"\tif (get_user(x, &{pointer}->{field}))\n\t\treturn -EFAULT;\n"


CHAIN = "if (get_user(x, &p->a) || get_user(y, &p->b))\n\t\t\treturn -EFAULT;\n"
WINDOW = (
    "\tif (!user_read_access_begin(p, sizeof(*p)))\n\t\treturn -EFAULT;\n"
    "\tunsafe_get_user(x, &p->a, fault);\n\tuser_read_access_end();\n"
)
FAULT = "\treturn 0;\nfault:\n\tuser_read_access_end();\n\treturn -EFAULT;\n"


@pytest.mark.parametrize(
    "head", ["if (a)", "if (a)\n\t\tx = 1;\n\telse", "scoped_guard(mutex, &l)"]
)
def test_a_branch_without_braces_holds_one_statement(head: str) -> None:
    (only,) = _in_function(f"\t{head}\n\t\t{CHAIN}\treturn 0;\n").sightings
    # The branch gets braces; what scoped_guard() cleans up is in scope there.
    assert only.convertible is not head.startswith("scoped_guard")


def test_what_stands_between_the_end_and_the_fault_label_is_in_no_window() -> None:
    found = _in_function(WINDOW + _get("a", "q") + _get("b", "q") + FAULT)
    assert _kinds(found) == [Kind.WINDOW, Kind.CLUSTER, Kind.CLUSTER]
    assert [one.accesses for one in found.sightings] == [1, 2]


def test_a_scoped_guard_takes_and_drops_a_lock() -> None:
    body = _get("a") + "\tscoped_guard(mutex, &l) {\n" + _get("b") + "\t}\n" + _get("c")
    assert _in_function(body).sightings == ()


@pytest.mark.parametrize("head", ["for_each_online_cpu(cpu)", "interval_tree_for_each_span(a, b)"])
def test_an_iterator_that_calls_is_no_loop_for_a_window(head: str) -> None:
    assert _in_function(f"\t{head} {{\n{_get('a')}\t}}\n\treturn 0;\n").sightings == ()


@pytest.mark.parametrize(
    "above",
    [
        "#define X(a) do { \\\n\tfoo(a); \\\n} while (0)\n\n",
        "#define X(a) { \\\n\tfoo(a); \\\n}\nVFIO_IORDWR(8)\n",
        "EXPORT_SYMBOL(foo)\n\n",
        "module_param(a, int, 0)\n",
    ],
)
def test_the_name_of_a_function_is_its_own(above: str) -> None:
    (only,) = _read(f"{above}static int f(struct a __user *p)\n{{\n\t{CHAIN}}}\n").sightings
    assert only.function == "f"


def test_a_macro_in_the_body_may_close_a_brace_in_the_first_column() -> None:
    macro = "#define X(a) do { \\\n\tif (get_user(a, p)) return 1; \\\n} while (0)\n"
    (only,) = _in_function(f"{macro}\tX(a);\n\tX(b);\n\treturn 0;\n").sightings
    assert only.longest == 2


@pytest.mark.parametrize("call", ["fn[i](x)", "(**fn)(x)", "(*ops[i])(x)", "(ops->fn)(x)"])
def test_a_call_through_any_expression_ends_a_cluster(call: str) -> None:
    assert _in_function(f"{_get('a')}\t{call};\n{_get('b')}\treturn 0;\n").sightings == ()


@pytest.mark.parametrize("arm", ["get_user(x, &p->x)", "(d ? get_user(x, &p->x) : 0)"])
def test_nested_conditions_make_one_of_their_accesses(arm: str) -> None:
    text = f"\treturn a ? {arm} : b ? get_user(y, &p->y) : get_user(z, &p->z);\n"
    assert _in_function(text).sightings == ()


def test_no_arm_of_a_long_switch_is_forgotten() -> None:
    arms = "".join(
        f"\tcase {n}:\n\t\tif (" + " || ".join(["get_user(x, p++)"] * n) + ")\n\t\t\treturn 1;\n"
        "\t\tbreak;\n"
        for n in range(2, 14)
    )
    found = _in_function(f"\tswitch (c) {{\n{arms}\t}}\n\treturn 0;\n")
    assert [one.longest for one in found.sightings] == list(range(2, 14))


@pytest.mark.parametrize("size", ["4096UL", "8 * 512", "0x1000", "SZ_4K"])
def test_a_large_constant_is_no_handful_of_fields(size: str) -> None:
    found = _in_function(f"\tif (copy_from_user(x, p, {size}))\n\t\treturn 1;\n" + _get("a"))
    assert found.sightings == ()


@pytest.mark.parametrize("member", ["ops->get_user(x, p)", "ops.copy_to_user(p, x, 4)"])
@pytest.mark.parametrize("more", ["", "\tfoo();\n"])
def test_a_member_called_like_an_accessor_is_no_access(member: str, more: str) -> None:
    (only,) = _in_function(f"\tret = {member};\n{more}\treturn ret;\n").candidates
    assert only.kind is Kind.OTHER or (only.kind, "nested" in only.why) == (
        Kind.NOT_UNDERSTOOD,
        False,
    )


def test_no_more_accesses_on_a_path_than_there_are() -> None:
    found = _in_function(_get("a") + _get("b") + "\tif (get_user(x))\n\t\treturn 1;\n")
    assert [(one.accesses, one.longest) for one in found.sightings] == [(2, 2)]


def test_windows_keep_their_forms() -> None:
    assert [one.form for one in _in_function(WINDOW + FAULT).sightings] == [Form.WINDOW]
