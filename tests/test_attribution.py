# SPDX-License-Identifier: GPL-2.0-only
"""Percentages of annotated functions: the mail's own, and real objects with known accesses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests import replay
from tests.annotating import FUNCTION, Sample, annotated, objdump, sample, spread
from uaccel.attribution import OBJECT, attribute
from uaccel.errors import UserError
from uaccel.flow.attributed import attributed
from uaccel.host.files import content
from uaccel.model.annotation import Annotated, Annotation
from uaccel.model.attribution import Attribution, Windowed
from uaccel.read.perfannotate import read_annotations

HERE = Path(__file__).parent
ALL = tuple(replay.ARCHES.values())


def of(text: str) -> Attribution:
    """Return what is found in the only listing of `text`."""
    (one,) = read_annotations(text)
    return attribute(one, ALL)


def listing(rows: str, *, begins: bool = True, ends: bool = True) -> Annotation:
    """Return `PERCENT TEXT` rows as a listing of f(); `-` is no figure, `...` leaves some out."""
    made: list[Annotated] = []
    gap = False
    for number, row in enumerate(rows.strip().splitlines()):
        percent, _, text = row.strip().partition(" ")
        if percent != "...":
            figure = None if percent == "-" else float(percent)
            made.append(Annotated(figure, 0x1000 + 4 * number, b"", text, gap=gap))
        gap = percent == "..."
    return Annotation("f", "", "", "", "", tuple(made), begins, ends, 0, "")


@pytest.fixture(scope="module")
def mail() -> tuple[Attribution, ...]:
    """Return what is found in the listings of the mail: before, cut, and after."""
    text = (HERE / "samples" / "annotated" / "sync-ptr.txt").read_text()
    return tuple(attribute(one, ALL) for one in read_annotations(text))


def test_after_thirteen_instructions_hold_nine_accesses(mail: tuple[Attribution, ...]) -> None:
    _, after = mail
    assert after.arch == "ppc8xx"
    assert (after.instructions, after.accesses, len(after.windows)) == (13, 9, 1)
    assert round(after.percent, 2) == 15.18  # "only 15%"
    (window,) = after.windows
    assert window.closed
    assert {share.direction for share in window.shares} == {"write"}
    assert window.shares[0].what == "stw r19,4(r31)"
    assert "the listing begins later than the function" in after.unknown


def test_before_it_is_cut_and_says_what_is_not_known(mail: tuple[Attribution, ...]) -> None:
    before, _ = mail
    assert before.arch == "ppc8xx"
    assert (before.instructions, before.accesses, len(before.windows)) == (10, 1, 1)
    assert round(before.percent, 2) == 4.87
    told = "\n".join(before.unknown)
    assert "the listing is cut: how many more accesses the function has" in told
    assert "a total that a text beside it gives cannot be checked" in told
    assert "shows 4.87 % of the function's samples; where the other 95.13 % are" in told


def test_one_access_owns_its_window_range_check_and_all(mail: tuple[Attribution, ...]) -> None:
    before, _ = mail
    (window,) = before.windows
    (share,) = window.shares
    assert share.what == "stw r20,0(r10)"
    assert share.rows == window.rows == tuple(range(10))


NAMES = tuple(replay.ARCHES)
# The pattern finds each instruction that count_path() counts for the nine writes, by lines, and
# no other; only here it finds fewer: on ppc64le it leaves out what is asked behind a closing,
# whether caches are to be flushed, and on riscv64 what chooses the limit of an address where
# that is one of several choices in a row.
FEWER = {("ppc64le", "fieldwise"): (290, 328), ("ppc64le", "window"): (36, 39)}
FEWER[("riscv64", "fieldwise")] = (117, 124)
WINDOWS = {"arm64": 9, "arm": 9, "riscv64": 9, "s390x": 9}  # one each, whatever the style


def built(tree: Path, folder: Path, arch: str, style: str) -> Sample:
    """Return the function in a style, or skip where there is nothing to build or read it with."""
    made = sample(tree, folder, replay.ARCHES[arch], style)
    if made is None:
        pytest.skip(f"no compiler or no objdump for {arch}")
    if not re.search(r"gcc.* 12\.", made.compiler):
        pytest.skip(f"the figures are those of gcc 12, not of {made.compiler}")
    return made


def writing(found: Attribution) -> tuple[Windowed, ...]:
    """Return the windows that hold a write."""
    return tuple(
        one for one in found.windows if any(share.direction == "write" for share in one.shares)
    )


def places(found: Attribution, windows: tuple[Windowed, ...]) -> set[int]:
    """Return the addresses of the instructions of some windows."""
    return {found.annotation.rows[i].address for one in windows for i in one.rows}


@pytest.mark.parametrize("style", ["fieldwise", "window"])
@pytest.mark.parametrize("arch", NAMES)
def test_the_pattern_finds_what_is_counted_by_lines(
    tree_6_12: Path, tmp_path: Path, arch: str, style: str
) -> None:
    made = built(tree_6_12, tmp_path, arch, style)
    mine = made.writes.addresses
    shares = spread(made.lines, mine, 36.0)
    found = of(annotated(made.lines, shares))
    windows = writing(found)
    got = places(found, windows)
    assert found.arch == arch
    assert len(windows) == (9 if style == "fieldwise" else WINDOWS.get(arch, 1))
    assert sum(len(one.shares) for one in windows) == 9
    assert got <= set(mine)
    assert (len(got), len(mine)) == FEWER.get((arch, style), (len(mine), len(mine)))
    # The listing has two decimals: each row may be off by half of the last one.
    percent = sum(one.percent for one in windows)
    assert abs(percent - sum(shares[at] for at in got)) <= 0.005 * len(got) + 0.001


def test_mail_figures_when_the_whole_listing_is_there(tree_6_12: Path, tmp_path: Path) -> None:
    before = built(tree_6_12, tmp_path, "ppc8xx", "fieldwise")
    after = built(tree_6_12, tmp_path, "ppc8xx", "window")
    for made, percent, instructions in ((before, 36.0, 80), (after, 15.0, 13)):
        found = of(annotated(made.lines, spread(made.lines, made.writes.addresses, percent)))
        windows = writing(found)
        assert sum(len(one.rows) for one in windows) == instructions
        # 80 rows with two decimals each: 0.4 at the worst.
        assert abs(sum(one.percent for one in windows) - percent) <= 0.4
        assert all(one.closed for one in windows)
        assert sum(share.direction == "read" for one in found.windows for share in one.shares) == 3
    assert not [told for told in found.unknown if "cut" in told or "begins" in told]


@pytest.mark.parametrize("arch", NAMES)
def test_an_object_adds_what_stands_on_the_lines(
    tree_6_12: Path, tmp_path: Path, arch: str
) -> None:
    made = built(tree_6_12, tmp_path, arch, "fieldwise")
    mine = set(made.writes.addresses)
    (annotation,) = read_annotations(annotated(made.lines, spread(made.lines, tuple(mine), 36.0)))
    found = attribute(annotation, ALL, made.listing, made.file)
    got = places(found, writing(found))
    assert found.how.startswith("by line information, and by the instruction pattern of")
    assert got <= mine
    assert len(got) >= 0.99 * len(mine)  # all, but two of ppc64le's 328


def test_a_kernel_on_disk_has_padding_where_toggles_run(tree_6_12: Path, tmp_path: Path) -> None:
    made = built(tree_6_12, tmp_path, "x86_64", "window")
    unpatched = [
        one._replace(text="nop") if one.text in ("stac", "clac") else one for one in made.lines
    ]
    (annotation,) = read_annotations(annotated(unpatched, {}))
    alone = attribute(annotation, (made.listing.arch,))
    assert alone.windows == ()
    assert alone.unknown[0] == (
        "no opening, closing or user access was found in the listing; where toggles are patched in"
        " at boot, a file on disk has padding"
    )
    (window,) = writing(attribute(annotation, ALL, made.listing))
    assert len(window.shares) == 9


def test_another_object_is_not_believed(tree_6_12: Path, tmp_path: Path) -> None:
    before = built(tree_6_12, tmp_path, "ppc8xx", "fieldwise")
    after = built(tree_6_12, tmp_path, "ppc8xx", "window")
    (annotation,) = read_annotations(annotated(after.lines, {}))
    found = attribute(annotation, ALL, before.listing, before.file)
    assert found.how == "by the instruction pattern of PowerPC 8xx, KUAP"
    assert "the object that was given is not the one that was annotated" in found.unknown[0]
    (window,) = writing(found)
    assert len(window.rows) == 13


def test_intel_and_att_say_the_same(tree_6_12: Path, tmp_path: Path) -> None:
    made = built(tree_6_12, tmp_path, "x86_64", "window")
    other = objdump(made.listing.arch, made.path, ("-M", "intel"))[FUNCTION]
    one, two = of(annotated(made.lines, {})), of(annotated(other, {}))
    assert [window.rows for window in one.windows] == [window.rows for window in two.windows]
    assert one.accesses == two.accesses == 12
    assert {share.direction for share in two.windows[0].shares} == {"read"}


OPENED = """
0.50 lis r9,-9216
1.00 mtspr 794,r9
2.00 stw r5,0(r4)
0.50 lis r9,-8704
1.00 mtspr 794,r9
"""


def test_shares_that_are_missing_are_said() -> None:
    found = attribute(listing(OPENED.replace("2.00", "-")), ALL)
    assert found.percent == 3.0
    assert "1 of the 5 instructions that serve accesses have no percentage" in found.unknown


def test_a_window_that_is_not_closed_is_said() -> None:
    found = attribute(listing("\n".join(OPENED.split("\n")[:4]), ends=False), ALL)
    (window,) = found.windows
    assert not window.closed and len(window.shares) == 1
    assert "the closing of window 1 is not in the listing" in found.unknown


def test_a_gap_cuts_what_stands_before_it_off() -> None:
    rows = "1.00 lis r9,32767\n1.00 cmplw r4,r9\n1.00 bgt c0100000 <g>\n... x" + OPENED
    found = attribute(listing(rows), ALL)
    assert found.windows[0].rows == (3, 4, 5, 6, 7)
    assert found.unknown[0].startswith("the listing is cut")


def test_what_stands_right_behind_is_said_and_not_counted() -> None:
    found = attribute(listing(f"{OPENED}7.00 mr r3,r31\n88.00 blr"), ALL)
    assert found.percent == 5.0
    assert found.unknown == (
        "7.00 % stand at the instruction right behind window 1: samples may have skidded there,"
        " and are not counted",
    )


def test_the_value_decides_wherever_it_was_loaded() -> None:
    rows = """
        0.00 lis r8,-9216
        0.00 lis r10,-8704
        0.00 mtspr 794,r8
        1.00 lwz r5,0(r4)
        0.00 mtspr 794,r10
        0.00 addi r6,r4,8
        0.00 mtspr 794,r8
        1.00 lwz r7,0(r6)
        0.00 mtspr 794,r10
        98.00 blr
    """
    found = attribute(listing(rows), ALL)
    assert [window.rows for window in found.windows] == [(0, 2, 3, 4), (5, 6, 7, 8)]
    assert [one.shares[0].direction for one in found.windows] == ["read", "read"]


def test_kernel_data_and_the_stack_are_no_user_memory() -> None:
    rows = """
        0.00 lis r9,-9216
        0.00 mtspr 794,r9
        1.00 lwz r5,8(r1)
        1.00 lis r6,-16384
        1.00 lwz r6,40(r6)
        1.00 stw r5,0(r4)
        0.00 lis r9,-8704
        0.00 mtspr 794,r9
        96.00 blr
    """
    (window,) = attribute(listing(rows), ALL).windows
    assert [share.what for share in window.shares] == ["stw r5,0(r4)"]
    assert window.percent == 4.0  # they run with user memory open, so the window has them


def test_what_a_call_costs_is_in_another_symbol() -> None:
    rows = """
        1.00 lea 0x4(%rbx),%rcx
        1.00 mov %r12d,%eax
        1.00 call ffffffff81000000 <__put_user_4>
        1.00 test %ecx,%ecx
        1.00 jne 1040 <f+0x40>
        95.00 ret
    """
    found = attribute(listing(rows), ALL)
    assert (found.arch, found.instructions, found.percent) == ("x86_64", 5, 5.0)
    assert found.windows[0].shares[0].direction == "write"
    told = "\n".join(found.unknown)
    assert "what __put_user_4 cost is in other symbols" in told
    assert "no opening was found" in told


def test_powerpcs_differ_by_what_opens() -> None:
    toggles = {"ppc8xx": "mtspr 794,r9", "ppc32": "mtsrin r9,r3", "ppc64le": "mtspr 29,r9"}
    for name, toggle in toggles.items():
        rows = f"1.00 {toggle}\n1.00 stw r5,0(r4)\n1.00 {toggle}\n97.00 blr"
        found = attribute(listing(rows), ALL)
        assert found.arch == name
        assert (found.accesses, found.instructions) == (1, 3)


def test_a_call_alone_does_not_tell_which_powerpc_it_is() -> None:
    found = attribute(listing("10.00 mr r3,r30\n5.00 bl c0001000 <_copy_to_user>\n85.00 blr"), ALL)
    assert (found.arch, found.accesses, found.percent) == ("", 1, 15.0)
    assert found.unknown[0] == "which of ppc32, ppc64le, ppc8xx it is the text does not tell"


def test_what_fits_no_architecture_is_unknown() -> None:
    for rows in ("100.00 ld.w $a0, $a1, 0", "60.00 mr r3,r4\n40.00 blr"):
        found = attribute(listing(rows), ALL)
        assert (found.arch, found.how, found.windows) == ("", "", ())
        assert "so it is not known where user accesses are" in found.unknown[0]


def test_a_total_that_the_text_gives_is_compared() -> None:
    one = replace(listing(f"{OPENED}0.00 li r3,0\n95.00 blr"), title="which is 36% of the time:")
    assert attribute(one, ALL).unknown == (
        "the text says 36 %, which cannot be checked: 5.00 % are found here",
    )
    assert attribute(replace(one, title="only 5% of the time:"), ALL).unknown == ()


def test_an_object_that_was_given_tells_lines_and_accesses(tree_6_12: Path, tmp_path: Path) -> None:
    made = built(tree_6_12, tmp_path, "x86_64", "window")
    other = built(tree_6_12, tmp_path / "other", "ppc8xx", "window")
    mine = set(made.writes.addresses)
    shares = spread(made.lines, tuple(mine), 15.0)
    (annotation,) = read_annotations(annotated(made.lines, shares))
    objects = tuple((str(one.path), content(str(one.path))) for one in (other, made))
    found = attributed(annotation, ALL, objects)
    assert found.how.startswith("by line information") and OBJECT in found.how
    (window,) = writing(found)
    assert len(window.shares) == 9 and places(found, (window,)) == mine
    alone = attributed(annotation, ALL, objects[:1])  # of another architecture: the pattern tells
    assert OBJECT not in alone.how and len(writing(alone)[0].shares) == 9
    assert alone.unknown[-1] == f"no object that was given holds {FUNCTION}"
    with pytest.raises(UserError, match=r"a\.txt: this is no object file"):
        attributed(annotation, ALL, (("a.txt", b"no object"),))


def test_the_object_of_another_build_is_said_to_be_one(tree_6_12: Path, tmp_path: Path) -> None:
    after = built(tree_6_12, tmp_path, "ppc8xx", "window")
    before = built(tree_6_12, tmp_path / "before", "ppc8xx", "fieldwise")
    (annotation,) = read_annotations(annotated(after.lines, {}))
    found = attributed(annotation, ALL, (("before.o", content(str(before.path))),))
    assert "is not the one that was annotated" in found.unknown[-1]
