# SPDX-License-Identifier: GPL-2.0-only
"""What a page shows of a study: the C of each rewriting, its code tied to it, each fault met."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from tests import replay
from tests.runs import evidence
from tests.syncptr import FUNCTION, samples
from tests.test_helper import BOTH, target
from uaccel.flow.drafts import draft
from uaccel.flow.exhibits import code as code_of
from uaccel.flow.exhibits import passage
from uaccel.flow.ground import Ground
from uaccel.flow.matrix import DECLARED, DIFFERENT, SAME, Row, rows
from uaccel.flow.patches import CHECKS, patch
from uaccel.flow.study import Request, study
from uaccel.flow.targets import SEED
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.emulator import Emulator
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.dossier import Dossier
from uaccel.model.exhibit import Code, Exhibit, Met, Shown
from uaccel.model.judgement import Evidence, Outcome
from uaccel.model.run import Fault, Input
from uaccel.report import json
from uaccel.report.patch import diff

ARCHES = ("ppc8xx", "x86_64")
IN_A_WINDOW = ("window", "masked", "helper")
(COMPAT,) = (name for name in SEED if name.endswith("_compat"))
FRONT = """\
/* Not of it. */
int other;

/*
 * Tells the user.
 */
__cold
"""


def studied(tree: Path, folder: Path, target: str, arches: tuple[str, ...]) -> Dossier:
    """Return the study of one function with its exhibit."""
    ground = Ground(
        tree=find_tree(str(tree), None, os.environ),
        store=Store(cache_folder(os.environ)),
        environment=os.environ,
        arches=tuple(replay.ARCHES[name] for name in arches),
        compiler=None,
        jobs=2,
        progress=lambda _what, _done, _of: None,
    )
    request = Request((target,), ALL_STYLES, "uaccel study", str(folder), exhibit=True)
    return study(ground, request)


@pytest.fixture(scope="module")
def dossier(tree_6_12: Path, tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    """Return the study of one function of the seed on two architectures, with its exhibit."""
    return studied(tree_6_12, tmp_path_factory.mktemp("patches"), COMPAT, ARCHES)


@pytest.fixture(scope="module")
def exhibit(dossier: Dossier) -> Exhibit:
    """Return what is shown of that study."""
    assert dossier.exhibit is not None
    return dossier.exhibit


@pytest.fixture(scope="module")
def codes(exhibit: Exhibit) -> Mapping[tuple[str, str], Code]:
    """Return its code by style and architecture."""
    return {(one.style, one.arch): one for one in exhibit.codes}


def marked(text: str) -> Counter[str]:
    """Return the lines that a diff takes away and adds."""
    lines = (one for one in text.split("\n") if not one.startswith(("+++", "---")))
    return Counter(one for one in lines if one.startswith(("+", "-")))


def touching(code: Code) -> list[Shown]:
    """Return the instructions of a cluster that touch user memory."""
    return [one for one in code.insns if one.touches and one.cluster is not None]


def within(code: Code, cluster: int) -> set[int | None]:
    """Return the windows in which a cluster touches user memory."""
    return {one.window for one in touching(code) if one.cluster == cluster}


def test_every_style_is_there_on_every_architecture(exhibit: Exhibit) -> None:
    """`scoped` needs a newer tree, and fieldwise is how the function stands: no patch."""
    styles = {"fieldwise", "helper", "masked", "structcopy", "window"}
    assert {(one.style, one.arch) for one in exhibit.codes} == {
        (style, arch) for style in styles for arch in ARCHES
    }
    assert {one.style for one in exhibit.passages} == styles - {"fieldwise"}


def test_every_touch_is_tied_to_exactly_one_access(exhibit: Exhibit) -> None:
    for code in exhibit.codes:
        assert all(one.access is not None for one in touching(code))
        shown = {(one.cluster, one.access) for one in touching(code)}
        assert shown == {
            (cluster, access)
            for cluster, some in enumerate(code.accesses)
            for access in range(len(some))
        }


def test_what_is_tied_to_an_access_stands_on_its_line(
    exhibit: Exhibit, codes: Mapping[tuple[str, str], Code]
) -> None:
    """The line of each guarded store in the patched file holds the field that is named."""
    code, style = codes["window", "ppc8xx"], "window"
    (shown,) = (one for one in exhibit.passages if one.style == style)
    lines = shown.after.split("\n")
    for one in touching(code):
        assert one.cluster is not None and one.access is not None
        name = code.accesses[one.cluster][one.access].partition("(")[2].partition(",")[0]
        assert name in lines[one.line - shown.line]


def test_a_system_call_stands_on_the_lines_of_its_body(tree_6_12: Path, tmp_path: Path) -> None:
    """Its body is itself inlined, at the line of its name."""
    shown = studied(tree_6_12, tmp_path, "kernel/sys.c:getresuid", ARCHES[1:]).exhibit
    assert shown is not None
    (passage_,) = shown.passages
    for one in shown.codes:
        text = passage_.before if one.style == "fieldwise" else passage_.after
        lines = text.split("\n")
        found = [lines[insn.line - passage_.line] for insn in touching(one)]
        names = ("ruid, ruidp", "euid, euidp", "suid, suidp")
        assert all(name in line for name, line in zip(names, found, strict=True))


@pytest.mark.parametrize("style", IN_A_WINDOW)
def test_a_run_makes_the_accesses_that_its_instructions_are_tied_to(
    tree_6_12: Path, style: str
) -> None:
    """An oracle that knows no lines: executed, the accesses come one after the other."""
    wanted = [*((0, number) for number in range(3)), *((1, number) for number in range(9))]
    made_so = samples(tree_6_12, ARCHES, (style,))
    found = tuple(sample for sample in made_so if sample.style == style)
    for sample in found:
        run = Emulator(sample.image).execute(FUNCTION, sample.given)
        start, listing = sample.image.find(FUNCTION), sample.trial.listing
        assert start is not None and listing is not None
        shown = {one.address: one for one in code_of(sample.trial, listing).insns}
        made = [shown[access.place - start] for access in run.accesses]
        assert [(one.cluster, one.access) for one in made] == wanted
        assert len({one.window for one in made}) == run.openings == 2
    assert len(found) == len(ARCHES)


@pytest.mark.parametrize("arch", ARCHES)
def test_windows_are_counted_as_they_open(codes: Mapping[tuple[str, str], Code], arch: str) -> None:
    """One by one, 3 reads and 9 writes have a window each, also inside of what x86 calls."""
    apart = codes["fieldwise", arch]
    assert [len(within(apart, cluster)) for cluster in (0, 1)] == [3, 9]
    assert None not in within(apart, 0) | within(apart, 1)
    for style in IN_A_WINDOW:
        assert [within(codes[style, arch], cluster) for cluster in (0, 1)] == [{0}, {1}]


def test_openings_and_closings_stand_in_their_window(
    codes: Mapping[tuple[str, str], Code],
) -> None:
    """Of those that the success path counts: each window's first and last instruction toggles."""
    for style in ("fieldwise", *IN_A_WINDOW):
        code = codes[style, "ppc8xx"]
        path = [one for one in code.insns if one.counted and one.window is not None]
        for number in {one.window for one in path}:
            mine = [one for one in path if one.window == number]
            assert mine[0].role == mine[-1].role == "toggles"
            assert [one.role for one in mine].count("toggles") == 2


def test_what_is_counted_is_what_was_measured(dossier: Dossier, exhibit: Exhibit) -> None:
    """Without what helpers execute: none of the window's styles calls one."""
    measured = {
        (one.cluster, one.style, one.arch): one.value
        for one in dossier.measurements
        if one.what == "path_instructions"
    }
    compared = 0
    for code in exhibit.codes:
        calls = any(one.role == "calls" and one.touches for one in code.insns)
        for number, name in enumerate(code.clusters):
            counted = sum(one.counted for one in code.insns if one.cluster == number)
            value = measured[name, code.style, code.arch]
            if value is not None and not calls:
                assert counted == value
                compared += 1
            elif value is not None:
                assert 0 < counted < value
    assert compared == 2 * (len(IN_A_WINDOW) * len(ARCHES) + 1)  # and fieldwise on ppc8xx


def test_accesses_are_shown_as_they_are_written(codes: Mapping[tuple[str, str], Code]) -> None:
    shown = {style: codes[style, "ppc8xx"].accesses[1][0] for style, _ in codes}
    assert shown["fieldwise"] == "put_user(sstatus.state, &src->s.status.state)"
    assert shown["window"] == "unsafe_put_user(sstatus.state, &src->s.status.state, write_fault)"
    assert shown["helper"] == "unsafe_put_user(sstatus.state, &src->s.status.state)"
    assert shown["structcopy"] == "copy_to_user(&src->s.status, &sstatus, sizeof(sstatus))"


def test_a_passage_and_what_is_beside_it_are_the_patch(dossier: Dossier, exhibit: Exhibit) -> None:
    texts = {one.style: one.text for one in dossier.patches}
    assert texts.keys() == {one.style for one in exhibit.passages}
    for one in exhibit.passages:
        path = PurePosixPath("a.c")
        own = diff(path, one.before.encode(), one.after.encode())
        assert marked(own) + marked(one.also) == marked(texts[one.style])
        assert bool(one.also) == (one.style == "helper")
        assert one.before.startswith("static int snd_pcm_ioctl_sync_ptr_compat(")


def test_each_guarded_step_is_met_by_a_fault(exhibit: Exhibit) -> None:
    """Once and for good, where both make the same accesses: not where a struct is copied."""
    for style in IN_A_WINDOW:
        for arch in ARCHES:
            mine = [one for one in exhibit.met if (one.style, one.arch) == (style, arch)]
            assert mine[0].what == "nothing faults" and mine[0].reached == (12, 12)
            faults = [(one.step, one.sticky) for one in mine if one.step is not None]
            assert len(set(faults)) == len(faults) == 24
            reached = [one.reached for one in mine if one.sticky]
            assert reached == [(number, number) for number in range(12)]
            assert {one.results for one in mine if one.sticky} == {(-14, -14)}
    copied = [one for one in exhibit.met if one.style == "structcopy"]
    assert copied and {one.step for one in copied} == {None}


def test_bad_pointers_are_among_the_runs(exhibit: Exhibit) -> None:
    told = {(one.style, one.arch) for one in exhibit.met if one.what.startswith("the pointer is 0")}
    assert told == {(one.style, one.arch) for one in exhibit.met}
    assert all(one.closed for one in exhibit.met)


def test_nothing_differs_exactly_where_the_verdict_passes(
    dossier: Dossier, exhibit: Exhibit
) -> None:
    verdicts = {
        (one.style, one.arch): one.outcome for one in dossier.verdicts if one.check == "same"
    }
    for key, outcome in verdicts.items():
        mine = {one.outcome for one in exhibit.met if (one.style, one.arch) == key}
        assert mine <= {SAME, DECLARED, DIFFERENT} and SAME in mine
        assert (DIFFERENT not in mine) == (outcome is Outcome.PASS)
    assert len(verdicts) == 4 * len(ARCHES)
    assert all(bool(one.why) == (one.outcome != SAME) for one in exhibit.met)


def test_the_rows_of_a_proof_are_few(exhibit: Exhibit) -> None:
    proofs = Counter((one.style, one.arch) for one in exhibit.met)
    assert max(proofs.values()) <= 200
    assert sum(one.alike for one in exhibit.met) > 4 * len(exhibit.met)


def test_the_document_is_the_same_with_an_exhibit(dossier: Dossier) -> None:
    assert json.document(replace(dossier, exhibit=None)) == json.document(dossier)


def test_a_comment_and_an_attribute_belong_to_their_function() -> None:
    made = draft(target(FRONT + BOTH, "f"), "window", ())
    shown = passage(made)
    assert shown.line == 4
    assert shown.before.startswith("/*\n * Tells the user.\n */\n__cold\nstatic int f(")
    assert shown.after.startswith("/*\n * Tells the user.\n */\n__cold\nstatic int f(")
    assert shown.before.endswith("}") and "f_x32" not in shown.before
    assert "user_write_access_begin" in shown.after and not shown.also


def test_what_changes_outside_of_the_function_is_told_beside_it() -> None:
    made = draft(target(FRONT + BOTH, "f"), "helper", ())
    shown = passage(made)
    assert shown.after.startswith("/*\n * Tells the user.\n") and "#define" not in shown.after
    assert "+#define f_put_user(" in shown.also and "if (" not in shown.before.partition("{")[0]
    own = diff(PurePosixPath("lamp.c"), shown.before.encode(), shown.after.encode())
    assert marked(own) + marked(shown.also) == marked(patch(made).text)


PLAIN = "pair nothing faults\nbefore write=1000:01\nafter write=1000:01\n"
ENDED = "".join(
    f"fault user memory ends behind byte {number} of 8\nbefore returns=-14\nafter returns=-14\n"
    for number in range(3)
)
WRONG = "fault the pointer is 0\nbefore returns=-14\nafter returns=0\n"
EARLY = """\
declares The range check now covers all of `*arg`: it fails before the first access.
outside the pointer stands 1 bytes before the end of user space
before write=1000:01 returns=0
after returns=-14
"""


def told(text: str, more: str = "") -> tuple[Row, ...]:
    """Return the rows of the pairs of `text`, where those of `more` were made as well."""
    main, every = evidence(text), evidence(text + more)
    said = CHECKS["same"].judge(every)
    assert main.pairs is not None and every.pairs is not None
    return rows(main.pairs, every.pairs, every.declared, said)


def kinds(found: tuple[Row, ...]) -> Iterator[tuple[str, str, int]]:
    """Yield what each row says, in short."""
    return ((one.what, one.outcome, one.alike) for one in found)


def test_runs_that_differ_in_numbers_alone_are_one_row() -> None:
    assert list(kinds(told(PLAIN + ENDED))) == [
        ("nothing faults", SAME, 1),
        ("user memory ends behind byte 0 of 8", SAME, 3),
    ]


def test_what_differs_is_told_with_its_sentence() -> None:
    found = told(PLAIN + WRONG)
    assert list(kinds(found))[1:] == [("the pointer is 0", DIFFERENT, 1)]
    assert found[1].why == "it returns 0, not -14" and found[1].results == (-14, 0)


def test_a_difference_of_another_input_has_its_row_too() -> None:
    """Else all would look fine that is not."""
    assert [one.outcome for one in told(PLAIN + ENDED, WRONG)] == [SAME, SAME, DIFFERENT]
    assert [one.outcome for one in told("", WRONG)] == [DIFFERENT]


def test_what_is_declared_is_no_difference_and_says_by_which_sentence() -> None:
    found = told(PLAIN + EARLY)
    assert [one.outcome for one in found] == [SAME, DECLARED]
    assert found[1].why == (
        "it returns -14, not 0, as declared: The range check now covers all of `*arg`: "
        "it fails before the first access."
    )
    other = "declares Every pointer is checked before the first access: all at once.\n"
    assert told(PLAIN + EARLY + other)[1].why == "it returns -14, not 0"


def test_a_run_that_cannot_be_made_as_it_stood_has_no_row() -> None:
    assert told("pair nothing faults\nbefore ended=nowhere\nafter returns=0\n") == ()


def test_accesses_of_one_instruction_are_one_row() -> None:
    pairs = evidence(ENDED).pairs
    assert pairs is not None
    given = (Input((), fault=Fault(step, sticky=True)) for step in (0, 0, 1))
    faulty = tuple(replace(one, given=two) for one, two in zip(pairs, given, strict=True))
    found = rows(faulty, faulty, (), CHECKS["same"].judge(Evidence(pairs=faulty)))
    assert [(one.step, one.sticky, one.alike) for one in found] == [(0, True, 2), (1, True, 1)]


def test_rows_have_the_fields_of_what_is_met() -> None:
    own = set(Row.__dataclass_fields__)
    assert set(Met.__dataclass_fields__) - own == {"function", "style", "arch"}
