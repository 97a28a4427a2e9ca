# SPDX-License-Identifier: GPL-2.0-only
"""perf diff gives a profile for the first recording, and one for each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import perf, program, recorded
from uaccel.errors import UserError
from uaccel.host.perf import profile_text
from uaccel.model.profile import Profile, Tool
from uaccel.read.profile import read_profiles

TWO = """\
# Event 'cycles'
#
# Baseline  Delta Abs  Shared Object        Symbol
# ........  .........  ...................  ................................
#
    12.86%     -7.94%  [kernel.vmlinux]     [k] snd_pcm_ioctl
    14.20%     +3.26%  test_perf            [.] engine_main
               +2.43%  [kernel.vmlinux]     [k] __rseq_handle_notify_resume
     1.85%             libasound.so.2.0.0   [.] snd_pcm_unlock
"""
THREE = """\
# Event 'cycles'
#
# Data files:
#  [0] fieldwise.data (Baseline)
#  [1] structcopy.data
#  [2] window.data
#
# Baseline/0  Delta Abs/1  Delta Abs/2  Command    Shared Object      Symbol
# ..........  ...........  ...........  .........  .................  ......................
#
      12.86%       -4.49%       -7.94%  test_perf  [kernel.vmlinux]   [k] snd_pcm_ioctl.isra.0
                   +4.86%               test_perf  [kernel.vmlinux]   [k] __copy_tofrom_user
       1.85%                    -0.25%  test_perf  libasound.so.2     [.] snd_pcm_unlock
"""


def own(profile: Profile) -> dict[str, float]:
    """Return what each symbol has by itself, in percent."""
    return {row.symbol.name: row.percent for row in profile.rows}


def test_two_recordings_are_two_profiles() -> None:
    before, after = read_profiles(f"As it is, and with it:\n\n{TWO}")
    assert own(before) == {"engine_main": 14.2, "snd_pcm_ioctl": 12.86, "snd_pcm_unlock": 1.85}
    assert own(after) == {
        "engine_main": 17.46,
        "snd_pcm_ioctl": 4.92,
        "__rseq_handle_notify_resume": 2.43,
    }
    assert {one.tool for one in (before, after)} == {Tool.DIFF}
    assert (before.event, before.title, after.title) == ("cycles", "As it is, and with it:", "")
    assert not before.unread and not after.unread
    kernel = {row.symbol.name for row in after.rows if row.symbol.kernel}
    assert kernel == {"snd_pcm_ioctl", "__rseq_handle_notify_resume"}


def test_three_recordings_are_three_profiles_with_their_names() -> None:
    found = read_profiles(THREE)
    assert [one.title for one in found] == ["fieldwise.data", "structcopy.data", "window.data"]
    assert [own(one) for one in found] == [
        {"snd_pcm_ioctl": 12.86, "snd_pcm_unlock": 1.85},
        {"snd_pcm_ioctl": 8.37, "__copy_tofrom_user": 4.86},
        {"snd_pcm_ioctl": 4.92, "snd_pcm_unlock": 1.6},
    ]
    assert {row.command for one in found for row in one.rows} == {"test_perf"}
    assert {row.symbol.object for one in found for row in one.rows} == {
        *("[kernel.vmlinux]", "libasound.so.2"),
    }


def test_a_quoted_diff_is_the_same() -> None:
    quoted = "\n".join(f"> > {line}".rstrip() for line in THREE.splitlines())
    assert read_profiles(quoted) == read_profiles(THREE)


def squeezed(text: str) -> str:
    """Return `text` as a web archive shows a mail: one blank for many."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_blanks_that_a_mail_lost_change_nothing_of_two() -> None:
    assert read_profiles(squeezed(TWO)) == read_profiles(TWO)


def test_of_three_a_row_that_no_longer_says_whose_change_it_is_is_not_guessed_at() -> None:
    first, second, third = read_profiles(squeezed(THREE))
    assert first.unread == 2 and "__copy_tofrom_user" in first.first_unread
    assert [own(one) for one in (first, second, third)] == [
        *({"snd_pcm_ioctl": 12.86}, {"snd_pcm_ioctl": 8.37}, {"snd_pcm_ioctl": 4.92}),
    ]


def test_separated_fields_are_read() -> None:
    text = (
        "# Baseline,Delta Abs,Shared Object       ,Symbol\n"
        "98.00   ,+0.58%   ,hot                 ,[.] store\n"
        "0.40    ,         ,[kernel.kallsyms]   ,[k] do_group_exit\n"
    )
    before, after = read_profiles(text)
    assert own(before) == {"store": 98, "do_group_exit": 0.4} and own(after) == {"store": 98.58}


def test_ratios_leave_the_first_recording_and_say_so() -> None:
    text = (
        "# Baseline           Ratio  Shared Object  Symbol\n"
        "# ........  ..............  .............  ......\n"
        "    98.00%        0.567347  hot            [.] store\n"
    )
    (profile,) = read_profiles(text)
    assert own(profile) == {"store": 98} and profile.unread == 1
    assert "0.567347" in profile.first_unread


def test_what_stands_beside_a_diff_is_read_in_its_order() -> None:
    top = "  5.00%  [kernel]  [k] f\n  4.00%  [kernel]  [k] g\n"
    found = read_profiles(f"{top}\nThen:\n{TWO}\nAnd then:\n{top}")
    assert [one.tool for one in found] == [Tool.TOP, Tool.DIFF, Tool.DIFF, Tool.TOP]


def test_each_event_has_its_pair() -> None:
    found = read_profiles(f"{TWO}\n\n{TWO.replace('cycles', 'faults')}")
    assert [one.event for one in found] == ["cycles", "cycles", "faults", "faults"]


def test_a_head_without_rows_is_no_profile() -> None:
    with pytest.raises(UserError, match="no profile was found"):
        read_profiles("\n".join(TWO.splitlines()[:5]))


PIECES = (" ", "\n", "%", "+", "-", "[k] ", "101.00%", "\t", "> ", "#", "Symbol", "Delta", "\x00")


@given(st.sampled_from([TWO, THREE]), st.data())
def test_no_mutated_text_is_a_crash(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 60)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    try:
        found = read_profiles(text)
    except UserError:
        return
    for profile in found:
        assert profile.rows
        assert all(0 <= row.percent <= 100.001 for row in profile.rows)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Return recordings of one program that stores more and more."""
    built = program(tmp_path_factory.mktemp("diff"))
    return tuple(recorded(built, stores) for stores in (2, 6, 12))


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("options", ["", "-s comm,dso,sym", "-p", "-c delta", "-t ;"])
def test_what_perf_compares_is_what_it_recorded(
    recordings: tuple[Path, ...], count: int, options: str
) -> None:
    paths = [str(path) for path in recordings[:count]]
    text = perf("diff", *options.split(), *paths, folder=recordings[0].parent)
    found = read_profiles(text)
    assert len(found) == count
    for profile, path in zip(found, paths, strict=True):
        (itself,) = read_profiles(profile_text(path))
        for name in ("store", "divide"):
            # Each share is rounded, and the change too.
            assert own(profile)[name] == pytest.approx(own(itself)[name], abs=0.02)
        assert sum(own(profile).values()) == pytest.approx(100, abs=1)
    assert own(found[1])["store"] > own(found[0])["store"]
