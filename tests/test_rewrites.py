# SPDX-License-Identifier: GPL-2.0-only
"""Whatever a window is written into: the same accesses, and every path closes it once."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings

from tests import replay
from tests.cases import Case, cases
from tests.csamples import Sample, functions
from tests.layouts import layouts
from uaccel.edits import apply, longest
from uaccel.fields import gap
from uaccel.flow.drafts import draft
from uaccel.flow.targets import Target
from uaccel.host.run import run
from uaccel.model.dialect import COMMON, Dialect
from uaccel.model.rewrite import Edit, Refusal, Rewrite
from uaccel.model.source import (
    Cluster,
    Form,
    Function,
    Layout,
    Layouts,
    Member,
    Reading,
    Source,
)
from uaccel.read.reading import read_source
from uaccel.report.patch import diff

ROOT = Path(__file__).parent.parent
SAMPLES = Path(__file__).parent / "samples"
WINDOW = replay.STYLES["window"]
GUARDED = replace(COMMON, clang=(17, 0, 1))  # some of the functions hold a guard()
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(relaxed, max_examples=25)


def read(text: bytes, path: str = "case.c") -> Reading:
    """Return what is read in `text`."""
    return read_source(Source(PurePosixPath(path), text))


def plan(text: bytes) -> tuple[Edit, ...]:
    """Return the edits that write every cluster of `text` as a window; none may be refused."""
    answers = [a for f in read(text).functions for a in WINDOW.plan(f, (), GUARDED)]
    assert all(isinstance(answer, Rewrite) for answer in answers)
    return tuple(e for answer in answers if isinstance(answer, Rewrite) for e in answer.edits)


def transfers(function: Function, cluster: Cluster) -> list[tuple[object, ...]]:
    """Return what a cluster moves, in order, however it is written."""
    quote = function.source.quote
    return [
        (a.direction, a.base, a.path, quote(a.value), quote(a.pointer)) for a in cluster.accesses
    ]


@relaxed
@given(functions())
def test_a_window_moves_what_the_chain_moved(sample: Sample) -> None:
    (before,) = read(sample.text).functions
    (after,) = read(apply(sample.text, plan(sample.text))).functions
    assert {cluster.form for cluster in after.clusters} == {Form.WINDOW}
    assert [transfers(before, cluster) for cluster in before.clusters] == [
        transfers(after, cluster) for cluster in after.clusters
    ]


@relaxed
@given(functions())
def test_a_second_run_changes_nothing(sample: Sample) -> None:
    (after,) = read(apply(sample.text, plan(sample.text))).functions
    again = WINDOW.plan(after, (), GUARDED)
    assert again and {a.why for a in again if isinstance(a, Refusal)} == {
        "it is one window already"
    }
    assert all(isinstance(answer, Refusal) for answer in again)


@relaxed
@given(functions())
def test_what_lies_outside_the_edits_stays(sample: Sample) -> None:
    edits = sorted(plan(sample.text))
    ends = [0, *(edit.span.end for edit in edits)]
    starts = [*(edit.span.start for edit in edits), len(sample.text)]
    kept = [sample.text[end:start] for end, start in zip(ends, starts, strict=True)]
    written = apply(sample.text, edits)
    assert written.startswith(kept[0]) and written.endswith(kept[-1])
    at = 0
    for piece in kept:
        at = written.index(piece, at) + len(piece)


@relaxed
@given(functions())
def test_every_window_is_opened_once_and_closed_on_both_ways_out(sample: Sample) -> None:
    written = apply(sample.text, plan(sample.text)).decode()
    for way, accessor in (("read", "get_user"), ("write", "put_user")):
        windows = sum(name == accessor for name, _ in sample.transfers)
        assert written.count(f"user_{way}_access_begin(") == windows
        assert written.count(f"user_{way}_access_end();") == 2 * windows
    labels = re.findall(r"^(\w+):$", written, re.MULTILINE)
    assert len(labels) == len(set(labels))
    assert set(re.findall(r"unsafe_.*?(\w+)\);", written, re.DOTALL)) <= set(labels)


@relaxed
@given(functions())
def test_what_is_written_is_laid_out_as_the_kernel_wants_it(sample: Sample) -> None:
    old = set(sample.text.decode().splitlines())
    lines = apply(sample.text, plan(sample.text)).decode().splitlines()
    for above, line in pairwise(lines):
        if line in old:
            continue
        assert line == line.rstrip()
        assert len(line.expandtabs(8)) <= 80
        assert not re.match(r"\t* {8}| +\t", line)
        assert not (line == "" == above)


@few
@given(sample=functions())
def test_both_texts_do_the_same_whatever_faults(
    sample: Sample, tmp_path_factory: pytest.TempPathFactory
) -> None:
    written = apply(sample.text, plan(sample.text))
    folder = tmp_path_factory.mktemp("both")
    assert compared(folder, sample.text, written) == "0 differences, 0 errors\n"


BROKEN = (
    (
        "unsafe_put_user(0, &arg->flags, write_fault)",
        "unsafe_put_user(1, &arg->flags, write_fault)",
    ),
    ("write_fault:\n\tuser_write_access_end();\n", "write_fault:\n"),
    ("\tuser_write_access_end();\n\treturn 0;", "\treturn 0;"),
    ("sizeof(*arg)))\n\t\treturn -EFAULT;", "sizeof(*arg)))\n\t\tgoto write_fault;"),
    ("user_write_access_begin(arg, sizeof(*arg))", "user_write_access_begin(arg, sizeof(arg))"),
    ("if (!user_write", "if (user_write"),
)


@pytest.mark.parametrize(("right", "wrong"), BROKEN)
def test_the_paper_machine_sees_a_window_that_is_wrong(
    right: str, wrong: str, tmp_path: Path
) -> None:
    text = (
        b"static int f(struct lamp *lamp, struct lamp_sync __user *arg)\n{\n"
        b"\tif (put_user(lamp->level, &arg->level) ||\n\t    put_user(0, &arg->flags))\n"
        b"\t\treturn -EFAULT;\n\treturn 0;\n}\n"
    )
    written = apply(text, plan(text)).decode()
    assert compared(tmp_path, text, written.encode()) == "0 differences, 0 errors\n"
    assert right in written
    mutant = written.replace(right, wrong).encode()
    assert compared(tmp_path, text, mutant) != "0 differences, 0 errors\n"


def compared(folder: Path, before: bytes, after: bytes) -> str:
    """Return what the paper machine says of two texts of the function `f`."""
    call = "name(lamp, &user)" if b"struct lamp *lamp" in before else "name(&user)"
    call = "name(3, &user)" if before.find(b"SYSCALL_DEFINE2") >= 0 else call
    (folder / "both.c").write_bytes(
        (SAMPLES / "machine.h").read_bytes()
        + b"#define f old_f\n%b\n#undef f\n#define f new_f\n%b\n#undef f\n" % (before, after)
        + f"#define CALL(name) {call}\n".encode()
        + (SAMPLES / "compare.c").read_bytes()
    )
    built = run(("gcc", "-w", "-O0", "-o", "both", "both.c"), folder=folder, timeout=60)
    assert built.status == 0, built.stderr
    return run(("./both",), folder=folder, timeout=60).stdout


PAGES = [
    pytest.param(name, case, id=f"{name}: {case.title}")
    for name in replay.STYLES
    for case in cases((ROOT / "uaccel" / "styles" / f"{name}.md").read_text())
    if case.of("diff")
]


@pytest.mark.parametrize(("name", "case"), PAGES)
def test_no_example_of_a_page_is_broken_or_changed_twice(name: str, case: Case) -> None:
    known = tuple(layouts(b.argument or "any", b.text) for b in case.of("layout"))
    dialect = replay.dialect(case)
    before = read(case.of("c")[0].text.encode())
    edits = [e for f in before.functions for e in edits_of(name, f, known, dialect)]
    after = read(apply(before.source.text, longest(edits)))
    assert edits
    assert len(after.broken) <= len(before.broken)
    assert not [e for f in after.functions for e in edits_of(name, f, known, dialect)]


def edits_of(
    style: str, function: Function, known: tuple[Layouts, ...], dialect: Dialect = COMMON
) -> list[Edit]:
    """Return what a style would change in a function."""
    answers = replay.STYLES[style].plan(function, known, dialect)
    return [e for answer in answers if isinstance(answer, Rewrite) for e in answer.edits]


SEED = (
    ("sound/core/pcm_native.c", "snd_pcm_ioctl_sync_ptr_compat"),
    ("sound/core/pcm_compat.c", "snd_pcm_ioctl_sync_ptr_x32"),
)


@pytest.mark.parametrize("version", ["tree_6_12", "tree_6_1"])
@pytest.mark.parametrize(("path", "name"), SEED)
def test_the_patch_of_the_seed_suits_the_tools_of_its_tree(
    path: str, name: str, version: str, request: pytest.FixtureRequest
) -> None:
    tree: Path = request.getfixturevalue(version)
    text = (tree / path).read_bytes()
    (function,) = (f for f in read(text, path).functions if f.name == name)
    answers = WINDOW.plan(function, (), COMMON)
    assert [type(answer) for answer in answers] == [Rewrite, Rewrite]
    written = apply(text, edits_of("window", function, ()))
    patch = diff(PurePosixPath(path), text, written).encode(errors="surrogateescape")
    checkpatch = ("perl", "scripts/checkpatch.pl", "--strict", "-")
    said = run(checkpatch, folder=tree, timeout=60, stdin=patch)
    assert re.search("^total: 0 errors, 0 warnings, 0 checks, [1-9]", said.stdout, re.MULTILINE)
    applied = run(("git", "apply", "--check", "-v", "-"), folder=tree, timeout=60, stdin=patch)
    assert applied.status == 0
    assert f"Checking patch {path}" in applied.stderr


CHAIN = (
    b"\tif (put_user(lamp->level, &arg->level) || put_user(0, &arg->flags))\n"
    b"\t\treturn -EFAULT;\n\treturn 0;\n}\n"
)


def test_functions_that_share_a_name_are_told_apart() -> None:
    head = b"SYSCALL_DEFINE1(lamp, struct lamp_sync __user *, arg)\n{\n"
    reading = read(head + CHAIN + b"COMPAT_" + head + CHAIN + CHAIN.replace(b"arg", b"more"))
    assert [function.name for function in reading.functions] == ["lamp", "lamp"]
    for function in reading.functions:
        made = draft(Target(reading, (), function), "window", ())
        assert [cluster.form for cluster in made.written.function.clusters] == [Form.WINDOW]
        assert made.text[: function.body.start] == reading.source.text[: function.body.start]


def test_a_file_keeps_its_line_ends() -> None:
    text = b"int f(struct lamp *lamp, struct lamp_sync __user *arg)\n{\n" + CHAIN
    reading = read(text.replace(b"\n", b"\r\n"))
    made = draft(Target(reading, (), reading.functions[0]), "window", ())
    assert made.rewrites
    assert made.text.count(b"\n") == made.text.count(b"\r\n") > text.count(b"\n")


ANOTHER_RANGE = b"""static int f(struct lamp *lamp, struct lamp_sync __user *arg)
{
	u32 size = 8;

	if (!user_write_access_begin(arg, size))
		return -EINVAL;
	if (lamp->on)
		size = lamp->level;
	unsafe_put_user(size, &arg->level, efault);
	unsafe_put_user(0, &arg->flags, efault);
	user_write_access_end();
	return 0;

efault:
	user_write_access_end();
	return -EFAULT;
}
"""


def test_a_window_that_is_made_anew_says_what_it_covers_now() -> None:
    reading = read(ANOTHER_RANGE)
    made = draft(
        Target(reading, (), reading.functions[0], replace(COMMON, scoped=True)), "scoped", ()
    )
    (rewrite,) = made.rewrites
    assert (
        rewrite.differences[-1]
        == "The range check now covers `arg, sizeof(*arg)`; it covered `arg, size`."
    )


def test_a_window_that_is_made_anew_keeps_its_range() -> None:
    reading = read(ANOTHER_RANGE.replace(b"	if (lamp->on)\n		size = lamp->level;\n", b""))
    made = draft(
        Target(reading, (), reading.functions[0], replace(COMMON, scoped=True)), "scoped", ()
    )
    (rewrite,) = made.rewrites
    assert b"scoped_user_write_access_size(arg, size, " in made.text
    assert not any(text.startswith("The range check") for text in rewrite.differences)


def test_a_union_without_a_name_is_said_to_have_none() -> None:
    layout = Layout("lamp", 4, (Member("", 0, 4, "union", None, ()),))
    assert gap(layout) == "a member without a name is a union"


COPIED = b"""\
static int lamp_set(struct lamp *lamp, u32 __user *first, u32 __user *fds, int at)
{
	u32 level, flags;

	if (get_user(level, first) || copy_from_user(&flags, &fds[at], sizeof(flags)))
		return -EFAULT;
	return lamp_apply(lamp, level, flags);
}
"""


def test_a_copy_that_is_one_value_goes_through_the_pointer_that_was_masked() -> None:
    reading = read(COPIED)
    dialect = replace(COMMON, scoped=True, clamps=True)
    known = (Layouts("any", (), (("u32", 4),)),)
    made = draft(Target(reading, (), reading.functions[0], dialect), "scoped", known)
    assert b"uptr = mask_user_address(uptr);" in made.text
    assert b"unsafe_get_user(flags, uptr, read_fault);" in made.text


BOTH_WAYS = b"""\
static int lamp_turn(struct lamp *lamp, struct lamp_sync __user *arg)
{
	struct lamp_level level;

	if (!user_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(lamp->mode, &arg->mode, fault);
	unsafe_put_user(lamp->on, &arg->on, fault);
	unsafe_put_user(lamp->off, &arg->off, fault);
	user_access_end();
	lamp_show(lamp);
	if (!user_read_access_begin(arg, sizeof(*arg)))
		return -EFAULT;
	unsafe_get_user(level.bright, &arg->now.bright, read_fault);
	unsafe_get_user(level.colour, &arg->now.colour, read_fault);
	user_read_access_end();
	return lamp_apply(lamp, level.bright, level.colour);
read_fault:
	user_read_access_end();
	return -EFAULT;
fault:
	user_access_end();
	return -EFAULT;
}
"""


def test_a_window_both_ways_is_two_clusters_beside_a_struct_copy() -> None:
    reading = read(BOTH_WAYS)
    fields = (
        Member("bright", 0, 4, "scalar", None, ()),
        Member("colour", 4, 4, "scalar", None, ()),
    )
    words = tuple(
        Member(n, 4 * at, 4, "scalar", None, ()) for at, n in enumerate(("mode", "on", "off"))
    )
    now = Member("now", 12, 8, "struct", "lamp_level", fields)
    layouts = Layouts(
        "host", (Layout("lamp_level", 8, fields), Layout("lamp_sync", 20, (*words, now)))
    )
    made = draft(Target(reading, (), reading.functions[0]), "structcopy", (layouts,))
    assert made.text == BOTH_WAYS
    assert len(made.refusals) == 2
