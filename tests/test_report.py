# SPDX-License-Identifier: GPL-2.0-only
"""What a person and a program are shown of a study."""

from __future__ import annotations

import json as standard
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import invented
from uaccel.host.run import run
from uaccel.model.dossier import Dossier, Tree
from uaccel.report import json, text
from uaccel.report.patch import diff

HOSTILE = "\x1b[31mred\x1b[0m [bold]x[/bold] \u202etxt \udce9\x07"


def shown(dossier: Dossier | None = None, width: int = 100, **rest: bool) -> str:
    """Return the report of the invented study."""
    return text.study(dossier or invented.dossier(), width=width, color=False, **rest)


def row(report: str, first: str, nth: int = 0) -> str:
    """Return the nth line of figures that starts with an architecture's name."""
    lines = [line for line in report.splitlines() if re.match(rf"{first}[\s⁰¹²³⁴-⁹]", line)]
    return re.sub(r"\s+", " ", lines[nth + 1])  # the first line is the list of architectures


def test_each_style_has_its_figures_and_its_change() -> None:
    report = shown()
    assert row(report, "first", 1) == "first gcc 1.2.3 70 18 20 2 -71 % 13"
    assert row(report, "first", 2) == "first gcc 1.2.3 70 18 45³ 10 -36 % 20 2 -71 % 13"


def test_what_is_not_known_has_a_footnote_and_a_lower_bound() -> None:
    report = shown()
    assert ">= 19²" in row(report, "fifth", 1)
    assert "  ²  an indirect call on the path" in report
    assert report.count("an indirect call on the path") == 1


def test_an_architecture_without_a_compiler_is_named_with_the_reason() -> None:
    report = shown()
    assert re.search(r"^ninth +none +unknown: no compiler for", report, re.MULTILINE)
    assert report.count("  unknown  ninth: no compiler for ninth\n") == 3  # under each table


def test_a_row_without_any_figure_is_told_in_one_line() -> None:
    known = invented.dossier()
    why = "this configuration does not compile the function"
    blank = tuple(
        replace(m, value=None, why=why, at_least=None)
        if m.arch in ("second", "fourth") and m.what != "floor_instructions"
        else m
        for m in known.measurements
    )
    report = shown(replace(known, measurements=blank))
    assert f"  unknown  second, fourth: {why}\n" in report
    assert len(re.findall("^second ", report, re.MULTILINE)) == 1  # in the list of architectures


def test_the_table_says_why_there_is_nothing_to_gain() -> None:
    assert f"  ¹  eighth: {invented.OWN}" in shown()


def test_the_whole_function_has_its_own_table() -> None:
    line = row(shown(), "second")
    assert line == "second gcc 1.2.3 350 14000 12 310 13840 12 270 13680 12"


def test_what_was_executed_has_a_table_of_its_own() -> None:
    known = invented.dossier()
    assert "executed by" not in shown()
    name = f"{known.subjects[0].file}:{known.subjects[0].function}"
    sample = next(m for m in known.measurements if m.what == "text_bytes")
    ran = tuple(
        replace(sample, cluster=name, style=style, what=what, value=value, unit=unit, why=why)
        for style, values, why in (("fieldwise", (280, 24), ""), ("window", (None, None), "stuck"))
        for what, value, unit in (
            ("executed_instructions", values[0], "instructions"),
            ("executed_toggles", values[1], "toggles"),
        )
    )
    report = shown(replace(known, measurements=(*known.measurements, *ran)))
    (line,) = (
        re.sub(r"\s+", " ", one)
        for one in report.partition("executed by")[2].partition("checks")[0].splitlines()
        if one.startswith(f"{sample.arch} ")
    )
    assert re.search(r" 280 24 \?\S* \?\S*$", line)
    assert "stuck" in report and "ran in an emulator" in report


def test_refusals_and_differences_are_told() -> None:
    report = shown()
    assert "  refused  structcopy: no two fields of it go together" in report
    assert "The range is wider." in report


def test_passes_are_counted_failures_and_unknowns_are_told() -> None:
    report = shown()
    assert re.search(r"compiles +24 pass", report)
    assert re.search(r"FAIL +objtool: invented_ioctl_compat, window, first: ", report)
    assert "redundant UACCESS disable" in re.sub(r"\s+", " ", report)
    assert re.search(
        r"UNKNOWN +objtool: objtool does not run on this architecture \(7 times", report
    )


def test_the_kind_of_evidence_stands_beside_the_figures() -> None:
    report = re.sub(r"\s+", " ", shown())
    assert "evidence object (level 2)" in report
    assert "nothing was executed" in report
    assert "24 objects built, 3 from the store, 12.3 s" in report


def test_patches_are_shown_only_when_asked_for() -> None:
    assert "+\tif (!user_write_access_begin(p, sizeof(*p)))" not in shown()
    assert invented.PATCH in shown(patches=True)


@pytest.mark.parametrize("width", [1, 40, 80, 100, 200])
def test_no_figure_is_cut_whatever_the_width(width: int) -> None:
    report = shown(width=width)
    assert row(report, "first", 2).endswith("-71 % 13")
    assert "\x1b" not in report


def test_three_styles_fit_in_a_hundred_columns() -> None:
    assert max(map(len, shown().splitlines())) <= 100


def test_color_is_the_only_difference() -> None:
    colored = text.study(invented.dossier(), width=100, color=True, patches=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert "\x1b[" in colored
    assert [line.rstrip() for line in plain.splitlines()] == [
        line.rstrip() for line in shown(patches=True).splitlines()
    ]


def test_nothing_out_of_a_tree_steers_the_terminal() -> None:
    known = invented.dossier()
    hostile = replace(
        known,
        tree=Tree(HOSTILE, HOSTILE),
        command=HOSTILE,
        subjects=tuple(replace(s, function=HOSTILE, file=HOSTILE) for s in known.subjects),
        notes=(HOSTILE,),
        patches=tuple(replace(p, text=HOSTILE, path=HOSTILE) for p in known.patches),
        verdicts=tuple(replace(v, why=HOSTILE) for v in known.verdicts),
        refusals=tuple(replace(r, why=HOSTILE) for r in known.refusals),
    )
    report = shown(hostile, patches=True)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", report.replace("\t", ""))
    assert r"\x1b[31mred\x1b[0m [bold]x[/bold] \u202etxt \xe9\x07" in report
    report.encode()
    standard.loads(json.document(hostile).encode())


def test_an_empty_study_is_a_report_too() -> None:
    known = invented.dossier()
    empty = Dossier(known.tree, "uaccel study", (), (), (), (), (), (), (), (), 0, 0, 0.0)
    assert "0 objects built" in shown(empty)
    bare = replace(empty, subjects=known.subjects, unbuilt=known.unbuilt)
    assert "unknown  ninth: no compiler for ninth" in shown(bare)
    assert "nothing was measured" in shown(bare)
    assert standard.loads(json.document(bare))["measurements"] == []


def test_the_document_has_the_keys_that_programs_rely_on() -> None:
    document = standard.loads(json.document(invented.dossier()))
    assert document["schema"] == {"name": "uaccel-study", "version": 1}
    assert document["tool"]["name"] == "uaccel"
    assert document["tree"] == {"path": "/invented/linux", "version": "0.1.2"}
    assert document["command"] == "uaccel study"
    assert set(document["clusters"][0]) == {
        *("id", "file", "function", "line", "direction", "form", "accesses")
    }
    assert set(document["measurements"][0]) >= {
        *("cluster", "style", "arch", "compiler", "config", "what", "value", "unit"),
        *("why", "at_least"),
    }
    assert set(document["verdicts"][0]) == {
        *("check", "cluster", "style", "arch", "outcome", "why", "story", "coverage")
    }
    assert {verdict["outcome"] for verdict in document["verdicts"]} == {"pass", "fail", "unknown"}
    assert set(document["refusals"][0]) == {"cluster", "style", "why"}
    assert set(document["patches"][0]) == {"style", "function", "file", "path", "differences"}
    assert set(document["targets"][0]) == {
        *("arch", "title", "compiler", "config", "protection", "gain")
    }
    assert document["unbuilt"] == [{"arch": "ninth", "why": "no compiler for ninth"}]
    assert document["builds"] == {"compiled": 24, "reused": 3}
    unknown = [m for m in document["measurements"] if m["value"] is None]
    assert unknown and all(m["why"] and m["at_least"] == 19 for m in unknown)


# ---- patches ------------------------------------------------------------------

LINES = st.sampled_from(
    [b"", b"a", b"b", b"}", b"\treturn 0;", b"cr\r", b"ff\x0c", b"\xe9", b"int f(void)", b"out:"]
)
FILES = st.tuples(st.lists(LINES, min_size=1, max_size=30), st.booleans()).map(
    lambda file: b"\n".join(file[0]) + (b"\n" if file[1] else b"")
)
NAMES = st.sampled_from(["f.c", "a/b.c", "a b/c.c", 'q"x.c'])


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(before=FILES.filter(len), after=FILES.filter(len), name=NAMES)
def test_git_and_patch_take_every_patch(
    before: bytes, after: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = diff(PurePosixPath(name), before, after).encode(errors="surrogateescape")
    assert (made == b"") is (before == after)
    if before == after:
        return
    for argv in (("git", "apply", "--whitespace=nowarn", "-"), ("patch", "-p1", "--binary")):
        folder = tmp_path_factory.mktemp("patched")
        assert patched(folder, name, before, made, argv) == after


def patched(folder: Path, name: str, before: bytes, made: bytes, argv: tuple[str, ...]) -> bytes:
    """Return what a program makes of the file `name` in `folder` with the patch `made`."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before)
    said = run(argv, folder=folder, timeout=60, stdin=made)
    assert said.status == 0, said
    return file.read_bytes()


def test_what_both_texts_end_with_ends_a_hunk(tmp_path: Path) -> None:
    # The end of one function stood in what is added too: a hunk that ended in it would be looked
    # for at the end of the file, io_uring/rsrc.c of Linux 6.12.
    end = b"}\nr\n}\nz0\nz1\nz2\nz3\n"
    before, after = b"1\n2\n3\n" + end, b"1\n2\n3\na\n}\nr\n" + end
    made = diff(PurePosixPath("f.c"), before, after).encode()
    assert made.endswith(b"\n }\n r\n }\n")
    argv = ("git", "apply", "--whitespace=nowarn", "-")
    assert patched(tmp_path, "f.c", before, made, argv) == after


def test_a_patch_names_the_function_and_no_label() -> None:
    before = b"int f(void)\n{\nout:\n\ta;\n\tb;\n\tc;\n\td;\n\te;\n}\n"
    made = diff(PurePosixPath("f.c"), before, before.replace(b"\te;\n", b"\tE;\n"))
    assert "@@ -5,5 +5,5 @@ int f(void)\n" in made


def test_checkpatch_takes_a_patch_for_a_patch(tree_6_12: Path) -> None:
    # Without git's first line it takes "---" for a commit message without a Signed-off-by.
    path = PurePosixPath("sound/core/pcm_native.c")
    before = (tree_6_12 / path).read_bytes()
    after = before.replace(b"Digital Audio (PCM)", b"Digital audio (PCM)", 1)
    made = diff(path, before, after).encode(errors="surrogateescape")
    argv = ("perl", "scripts/checkpatch.pl", "--strict", "-")
    said = run(argv, folder=tree_6_12, timeout=60, stdin=made)
    assert "total: 0 errors, 0 warnings, 0 checks" in said.stdout
