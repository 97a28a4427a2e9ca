# SPDX-License-Identifier: GPL-2.0-only
"""Forms of listings as people have them in mails: short, side by side, old, drawn, hand-written.

The forms are those of public mails and reports; the names and figures are ours.
"""

from __future__ import annotations

import pytest

from tests import replay
from tests.test_profile import own, sole
from uaccel.attribution import attribute
from uaccel.errors import UserError
from uaccel.read.perfannotate import read_annotations
from uaccel.read.profile import read_profiles

SHORT = """\
Before:
      12.00%  [kernel]  [k] lamp_ioctl
       5.00%  [kernel]  [k] schedule
{between}
       4.00%  [kernel]  [k] lamp_ioctl
       5.20%  [kernel]  [k] schedule
"""


@pytest.mark.parametrize("between", ["", "After:", "and with the patch\n"])
def test_of_short_listings_the_second_begins_where_a_symbol_stands_again(between: str) -> None:
    before, after = read_profiles(SHORT.format(between=between))
    assert own(before) == {"lamp_ioctl": 12.0, "schedule": 5.0}
    assert own(after) == {"lamp_ioctl": 4.0, "schedule": 5.2}


def test_one_symbol_of_two_programs_is_no_second_listing() -> None:
    row = "  {:.2f}%  {}  [kernel]  [k] schedule\n"
    assert len(sole(f"{row.format(9, 'cat')}\n{row.format(7, 'dog')}").rows) == 2


@pytest.mark.parametrize("title", ["After:", "With the patch applied:", "*** patched ***"])
def test_a_row_alone_below_its_title_is_a_listing(title: str) -> None:
    row = "```\n  {:.2f}%  [kernel]  [k] {}\n```\n"
    text = f"Before:\n{row.format(9, 'lamp_ioctl')}\n{title}\n{row.format(3, 'lamp_inline')}"
    assert [own(one) for one in read_profiles(text)] == [{"lamp_ioctl": 9}, {"lamp_inline": 3}]


def test_a_remark_between_rows_begins_no_listing() -> None:
    row = "  {:.2f}%  [kernel]  [k] {}\n"
    text = f"{row.format(9, 'f')}With that it is fine, and\nnew to me.\n{row.format(3, 'g')}"
    assert own(sole(text)) == {"f": 9.0, "g": 3.0}


def test_a_report_of_branches_is_no_profile_of_functions() -> None:
    rows = "  52.00%  [.] main      [.] f1\n  24.00%  [k] f1   [k] f3\n"
    with pytest.raises(UserError, match="no profile was found"):
        read_profiles(rows)
    assert sole(f"  60.00%  [kernel]  [k] f\n{rows}").unread == 2


def test_a_listing_without_a_head_behind_a_report_is_another_one() -> None:
    head = "# Samples: 10K of event 'cycles'\n# Overhead  Shared Object  Symbol\n"
    report = f"{head}  40.00%  [kernel]  [k] f\n\n  10.00%  [kernel]  [k] g\n"
    both = read_profiles(f"> {report}>\n> And perf top:\n>  20.00%  [kernel]  [k] f\n")
    assert [own(one) for one in both] == [{"f": 40.0, "g": 10.0}, {"f": 20.0}]
    assert [one.samples for one in both] == ["10K", ""]


BESIDE = """\
{head}
  12.00%   4.00%  [kernel]  [k] lamp_ioctl
   6.00%   6.50%  [kernel]  [k] schedule
"""


def test_two_variants_in_one_row_are_two() -> None:
    """What a function has by itself is never more than with all that it called."""
    before, after = read_profiles(BESIDE.format(head="The two kernels:"))
    assert own(before) == {"lamp_ioctl": 12.0, "schedule": 6.0}
    assert own(after) == {"lamp_ioctl": 4.0, "schedule": 6.5}
    assert all(row.with_callees is None for row in (*before.rows, *after.rows))


@pytest.mark.parametrize(
    "head", ["  before   after", "  v6.8  patched  symbol", "    old      new"]
)
def test_two_columns_that_a_person_named_are_two(head: str) -> None:
    falling = BESIDE.format(head=head).replace("6.50%", "2.00%")
    before, after = read_profiles(falling)
    assert (own(before)["schedule"], own(after)["schedule"]) == (6.0, 2.0)
    assert [before.title, after.title] == [*head.split()[:2]]


def test_three_variants_in_one_row_are_three() -> None:
    found = read_profiles("  9.00%  5.00%  3.00%  [kernel]  [k] lamp_ioctl\n")
    assert [own(one)["lamp_ioctl"] for one in found] == [9.0, 5.0, 3.0]


def test_two_shares_without_a_head_are_those_of_a_report_with_children() -> None:
    (row,) = sole("As of now.  See:\n  9.00%  5.00%  [kernel]  [k] lamp_ioctl\n").rows
    assert (row.with_callees, row.percent) == (9.0, 5.0)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("v8::internal::Foo<int, char [4]>::Bar(unsigned long, int)", "."),
        ("operator new(unsigned long)", "."),
        ("<rust_binder::Process as kernel::file::Operations>::ioctl", "k"),
        ("<alloc::vec::Vec<T, A> as core::ops::Drop>::drop", "."),
    ],
)
def test_names_of_cpp_and_rust_stay_whole(name: str, mark: str) -> None:
    (row,) = sole(f"  9.00%  prog  some.so  [{mark}] {name}\n").rows
    assert row.symbol.written == name


def test_separated_columns_end_a_name() -> None:
    rows = sole("33.33%,cat,[kernel.kallsyms],[k] schedule\n 22.00%,cat,cat,[.] main,17\n").rows
    assert [row.symbol.name for row in rows] == ["schedule", "main"]


def test_the_scroll_bar_of_the_browser_is_no_part_of_a_line() -> None:
    drawn = (
        "  Overhead  Command  Shared Object  Symbol\n"
        "-   60.00%  cat      [kernel]       [k] lamp_ioctl              ◆\n"
        "     lamp_ioctl                                                 ▒\n"
        "+    9.00%  cat      prog           [.] f(int, char)            ▒\n"
    )
    assert [row.symbol.written for row in sole(drawn).rows] == ["lamp_ioctl", "f(int, char)"]


@pytest.mark.parametrize(
    ("head", "samples", "event"),
    [("# Samples: 24878", "24878", ""), ("# Events: 24K cycles", "24K", "cycles")],
)
def test_old_heads_say_how_many_samples_there_are(head: str, samples: str, event: str) -> None:
    rows = "#\n# Overhead  Command  Shared Object  Symbol\n    14.99%  perf  [kernel]  [k] .f\n"
    for lead in ("", " "):
        profile = sole("\n".join(lead + line for line in f"{head}\n{rows}".split("\n")))
        assert (profile.samples, profile.event, profile.title) == (samples, event, "")


def test_rows_of_perf_diff_without_their_head_are_two_recordings() -> None:
    text = (
        "$ perf diff | head -3\n"
        "     9.00%     +1.00%     find  libc-2.10.1.so  [.] vfprintf\n"
        "     2.50%     -1.00%     find  [kernel]        [k] __kmalloc\n"
        "     2.40%                find  [kernel]        [k] half_md4\n"
    )
    before, after = read_profiles(text)
    assert own(before) == {"vfprintf": 9.0, "__kmalloc": 2.5, "half_md4": 2.4}
    assert own(after) == {"vfprintf": 10.0, "__kmalloc": 1.5}
    assert before.unread == after.unread == 0


def test_shares_with_a_comma_are_shares() -> None:
    assert own(sole("  12,25%  [kernel]  [k] lamp_ioctl\n")) == {"lamp_ioctl": 12.25}


@pytest.mark.parametrize(
    "row",
    [
        *("  !!   9.00%  [kernel]  [k] f", "  >>>  9.00%  [kernel]  [k] f"),
        *("  ===> 9.00%  [kernel]  [k] f", "  9.00%  [kernel]  [k] f    <<<<< this one"),
    ],
)
def test_other_marks_of_a_person(row: str) -> None:
    profile = sole(f"  10.00%  [kernel]  [k] e\n{row}\n   5.00%  [kernel]  [k] g\n")
    assert [one.symbol.name for one in profile.rows if one.marked] == ["f"]
    assert profile.unread == 0


def test_a_row_behind_something_unknown_is_counted() -> None:
    profile = sole("  10.00%  [kernel]  [k] e\n  (&)  9.00%  [kernel]  [k] f\n")
    assert (len(profile.rows), profile.unread) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "     12.10 ±  3%      +5.1       17.20 ±  4%  perf-profile.self.cycles-pp.lamp_ioctl\n",
        "| Before | After | Function |\n|--------|-------|----|\n| 12.00% | 4.00% | lamp_ioctl |\n",
        "function     v6.8   patched\nlamp_ioctl  12.0%      4.0%\n",
        "      0      0x602180     0  103900     7937    60.35%     3695     3695        0\n",
    ],
)
def test_other_tables_are_refused_and_not_guessed_at(text: str) -> None:
    with pytest.raises(UserError, match="no profile was found"):
        read_profiles(text)


def test_of_two_architectures_the_one_that_reads_all_rows_is_it() -> None:
    """Nothing but one register says that it is the one of 64 bits."""
    drawn = (
        "copy_some  [kernel.kallsyms]\nPercent│\n"
        "  0.50 │      stac\n  1.50 │      cmp    $0x40,%edx\n"
        "       │    ↓ jb     30\n 96.00 │      mov    %edx,%ecx\n  0.50 │      xor    %eax,%eax\n"
        "       │      rep    movsb %ds:(%rsi),%es:(%rdi)\n  1.00 │      clac\n       │    ← ret\n"
    )
    (annotation,) = read_annotations(drawn)
    both = tuple(one for one in replay.ARCHES.values() if one.srcarch == "x86")
    assert {attribute(annotation, some).arch for some in (both, both[::-1])} == {"x86_64"}
