# SPDX-License-Identifier: GPL-2.0-only
"""Profiles are read whoever wrote them, and what cannot be read is counted."""

from __future__ import annotations

import base64
import quopri
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uaccel.errors import UserError
from uaccel.model.profile import Profile, Tool
from uaccel.read.profile import read_profiles

PAGES = Path(__file__).parent / "samples" / "profiles"
TEXTS = {page.stem: page.read_text() for page in sorted(PAGES.glob("*.txt"))}
CALLERS = {
    ("_copy_to_user", "sk_getsockopt"): 4.25,
    ("_copy_from_user", "do_sock_getsockopt"): 2.23,
    ("_copy_from_user", "sk_getsockopt"): 1.83,
    ("__put_user_4", "pipe_ioctl"): 1.83,
}
# A recording is the same whichever way `perf report` draws it.
DRAWN = (
    *("report-callee", "report-caller", "report-children", "report-children-callee"),
    *("report-relative", "report-symbol-only", "report-folded", "report-flat"),
)


def sole(text: str) -> Profile:
    """Return the only profile of `text`."""
    (profile,) = read_profiles(text)
    return profile


def own(profile: Profile) -> dict[str, float]:
    """Return what each symbol has by itself, in percent."""
    return {row.symbol.name: row.percent for row in profile.rows}


def callers(profile: Profile) -> dict[tuple[str, str], float]:
    """Return what accessors have per caller, in percent."""
    found: dict[tuple[str, str], float] = {}
    for stack in profile.stacks:
        names = [one.name for one in stack.symbols]
        if names[0] in ("_copy_to_user", "_copy_from_user", "__put_user_4") and len(names) > 1:
            key = names[0], names[1]
            found[key] = found.get(key, 0) + stack.percent
    return found


def test_a_mail_with_three_listings_holds_three_profiles() -> None:
    found = read_profiles(TEXTS["mail"])
    assert [own(one)["snd_pcm_ioctl"] for one in found] == [12.86, 8.37, 4.92]
    assert [len(one.rows) for one in found] == [16, 19, 20]
    assert [one.tool for one in found] == [Tool.TOP] * 3
    assert not any(one.has_chains or one.unread for one in found)
    assert found[2].title == "With a window:"
    assert [own(found[1])[name] for name in ("__copy_tofrom_user", "_copy_to_user")] == [4.86, 1.53]


def test_a_quoted_mail_holds_the_same() -> None:
    quoted = "\n".join(f"> > {line}".rstrip() for line in TEXTS["mail"].splitlines())
    assert read_profiles(quoted) == read_profiles(TEXTS["mail"])


def test_rows_that_a_mail_program_wrapped_are_joined() -> None:
    text = (
        "Look:\n\n> 12.86%  test_perf  [kernel.kallsyms]  [k]\n> snd_pcm_ioctl\n"
        ">  5.15%  test_perf  [kernel.kallsyms]\n> [k] x\n>  4.15%  x [k] y\n"
    )
    assert own(sole(text)) == {"snd_pcm_ioctl": 12.86, "x": 5.15, "y": 4.15}


def test_prose_that_begins_with_a_share_is_no_row() -> None:
    text = "  2.00%  [kernel]  [k] f\n36% of the time is spent in f().\n  1.00%  [kernel]  [k] g\n"
    profile = sole(text)
    assert own(profile) == {"f": 2.0, "g": 1.0}
    assert profile.unread == 0


def test_compilers_suffixes_go_and_what_was_written_stays() -> None:
    rows = {row.symbol.written: row.symbol for row in read_profiles(TEXTS["mail"])[0].rows}
    assert rows["finish_task_switch.isra.0"].name == "finish_task_switch"
    assert rows["snd_pcm_group_unlock_irq.part.0"].name == "snd_pcm_group_unlock_irq"
    assert rows["__ioctl_time64"].kernel is False
    for written in ("f.cold", "f.cold.12", "f.constprop.0.isra.0", "f.llvm.123", ".f", "f.part.3"):
        assert own(sole(f" 1.00%  [kernel]  [k] {written}\n")) == {"f": 1.0}


@pytest.mark.parametrize("page", DRAWN)
def test_a_call_graph_gives_each_caller_its_share(page: str) -> None:
    profile = sole(TEXTS[page])
    assert callers(profile) == pytest.approx(CALLERS, abs=0.02)
    assert profile.unread == 0


@pytest.mark.parametrize("page", [page for page in TEXTS if page.startswith("report")])
def test_a_report_says_what_each_symbol_has_by_itself(page: str) -> None:
    profile = sole(TEXTS[page])
    assert profile.tool is Tool.REPORT
    assert (profile.event, profile.samples) == ("cpu-clock:pppH", "3K")
    shares = own(profile)
    assert [shares[name] for name in ("do_syscall_64", "_copy_to_user")] == [21.04, 4.25]
    assert {row.symbol.name for row in profile.rows if row.symbol.kernel is False} >= {"read"}
    assert profile.has_chains == (page not in ("report-plain", "report-separator"))


def test_a_report_of_children_keeps_both_shares() -> None:
    row = next(r for r in sole(TEXTS["report-children"]).rows if r.symbol.name == "sk_getsockopt")
    assert (row.percent, row.with_callees) == (1.42, 7.76)


def test_a_graph_in_counts_is_not_guessed_at() -> None:
    profile = sole(TEXTS["report-counts"])
    assert profile.first_unread.strip() == "---do_syscall_64"
    assert ("_copy_from_user", "do_sock_getsockopt") not in callers(profile)
    assert callers(profile)["_copy_to_user", "sk_getsockopt"] == 4.25


def test_what_a_graph_leaves_out_has_no_caller() -> None:
    found = callers(sole(TEXTS["report-address"]))
    assert found["_copy_to_user", "sk_getsockopt"] == pytest.approx(2.74, abs=0.01)


BROWSED = """\
Samples: 13K of event 'cycles:P', Event count (approx.): 123
  Overhead  Shared Object  Symbol
-    8.10%  [kernel]       [k] __put_user_4
   - __put_user_4
      - 6.00% pipe_ioctl
           do_vfs_ioctl
         - __x64_sys_ioctl
      + 2.10% do_tty_ioctl
+    5.00%  [kernel]       [k] mutex_lock
"""


def test_the_browsers_own_drawing_is_read() -> None:
    profile = sole(BROWSED)
    assert (profile.tool, profile.event, profile.samples) == (Tool.TOP, "cycles:P", "13K")
    assert callers(profile)["__put_user_4", "pipe_ioctl"] == pytest.approx(6.0)
    assert callers(profile)["__put_user_4", "do_tty_ioctl"] == pytest.approx(2.1)


def test_every_screen_of_perf_top_is_a_profile() -> None:
    screen = (
        "\x1b[H\x1b[2J\n   PerfTop:    8586 irqs/sec  kernel:59.4%  exact:  0.0% lost: 0/0 "
        "[4000Hz cycles],  (all, 2 CPUs)\n---------\n\n"
        "    15.27%  [kernel]       [k] _copy_to_iter\n     3.00%  libc.so.6      [.] read\n"
    )
    first, second = read_profiles(screen + screen.replace("15.27", "14.00"))
    assert own(first)["_copy_to_iter"] == 15.27 and own(second)["_copy_to_iter"] == 14.0
    assert second.event == "cycles"


def test_a_hierarchy_is_one_listing() -> None:
    text = (
        "#    Overhead  Command / Shared Object / Symbol\n"
        "    60.00%        calls\n       50.00%        [kernel.kallsyms]\n"
        "          21.04%        [k] f\n\n"
        "    40.00%        other\n       40.00%        [kernel.kallsyms]\n"
        "          39.00%        [k] g\n"
    )
    assert own(sole(text)) == {"f": 21.04, "g": 39.0}
    assert {row.symbol.object for row in sole(text).rows} == {"[kernel.kallsyms]"}
    assert sole(text).title == ""


def test_samples_with_chains_are_counted() -> None:
    profile = sole(TEXTS["script-chains"])
    assert profile.tool is Tool.SCRIPT
    assert (profile.event, profile.samples) == ("cpu-clock:pppH", "13")
    assert own(profile)["_copy_to_user"] == pytest.approx(300 / 13)
    assert callers(profile)["__put_user_4", "pipe_ioctl"] == pytest.approx(200 / 13)
    stack = next(s for s in profile.stacks if s.symbols[0].name == "__put_user_4")
    assert [one.kernel for one in stack.symbols] == [True] * 6 + [False] * 2
    assert sum(stack.percent for stack in profile.stacks) == pytest.approx(100)


def test_samples_without_chains_are_counted() -> None:
    profile = sole(TEXTS["script"])
    assert not profile.has_chains
    assert profile.samples == "13"
    assert own(profile)["_copy_to_user"] == pytest.approx(300 / 13)
    objects = {row.symbol.object for row in profile.rows}
    assert objects == {"[kernel.kallsyms]", "/usr/lib/libc.so.6"}


FIELDS = {
    "ip,sym": " ffffffff821faabd f\n     558a74906060 read\n ffffffff81b73c15 _copy_to_user\n",
    "comm,ip,sym,dso": (
        "           calls  ffffffff821faabd f ([kernel.kallsyms])\n"
        "           calls      558a74906060 read@plt (/srv/calls)\n"
        "           calls  ffffffff821fc68d _copy_to_user ([kernel.kallsyms])\n"
    ),
    "ip,sym with chains": (
        "\n\n\tffffffff81b73c15 f\n\tffffffff81e39336 g\n\t          10a8ba __getsockopt\n"
        "\n\n\t           fdd84 read\n\t       500000003 [unknown]\n"
        "\n\n\tffffffff81b6ab30 _copy_to_user\n\tffffffff81b6b903 f\n\n"
    ),
    "comm,cpu,event,ip,sym,symoff,dso with chains": (
        "Web Content [001] cycles:ppp: \n\tffffffff81b73c15 f+0x1f ([kernel.kallsyms])\n\n"
        "calls [000] cycles:ppp: \n\t           fdd84 read+0x1 (/usr/lib/my lib (deleted))\n\n"
        "calls [000] cycles:ppp: \n\tffffffff81b6ab30 _copy_to_user+0x2 ([vmlinux])\n"
        "\tffffffff81b6ab30 f+0x2 ([snd_pcm])\n\n"
    ),
}


@pytest.mark.parametrize("fields", FIELDS)
def test_other_fields_of_perf_script_are_read(fields: str) -> None:
    profile = sole(FIELDS[fields])
    assert (profile.samples, profile.unread) == ("3", 0)
    assert profile.has_chains == ("chains" in fields)
    kernel = {row.symbol.name for row in profile.rows if row.symbol.kernel}
    assert kernel == {"f", "_copy_to_user"}


def test_each_event_of_a_recording_is_a_profile() -> None:
    line = "calls 42/42 [001] 11823.85:      {} {}:u:  ffffffff821faabd {} ([kernel.kallsyms])\n"
    text = line.format(10, "cycles", "f") + line.format(1, "faults", "f")
    first, second = read_profiles(text + line.format(30, "cycles", "g"))
    assert (first.event, first.samples, own(first)) == ("cycles:u", "2", {"g": 75.0, "f": 25.0})
    assert (second.event, own(second)) == ("faults:u", {"f": 100.0})


INLINED = """\
calls 42 11823.85:     250000 cycles:
\tffffffff81b73c15 raw_copy_to_user+0x25 (inlined)
\tffffffff81b73c15 put_it+0x25 (inlined)
\tffffffff81b73c15 get_it.isra.0+0x25 ([kernel.kallsyms])
\tffffffff81b73c99 [unknown] ([kernel.kallsyms])

"""


def test_what_is_inlined_is_no_symbol_of_the_object() -> None:
    profile = sole(INLINED)
    assert own(profile) == {"get_it": 100.0}
    inlined = [one for one in profile.stacks[0].symbols if one.inlined]
    assert [one.name for one in inlined] == ["raw_copy_to_user", "put_it"]
    assert all(one.kernel and one.object == "[kernel.kallsyms]" for one in inlined)


def test_folded_stacks_are_read() -> None:
    text = "calls;main;read;entry_SYSCALL_64_after_hwframe;vfs_read;_copy_to_user 3\ncalls;main 1\n"
    profile = sole(text)
    assert (profile.tool, profile.samples) == (Tool.FOLDED, "4")
    assert own(profile) == {"_copy_to_user": 75.0, "main": 25.0}
    kernel = {one.name for stack in profile.stacks for one in stack.symbols if one.kernel}
    assert kernel == {"entry_SYSCALL_64_after_hwframe", "vfs_read", "_copy_to_user"}


def test_marks_of_folded_stacks_say_whose_they_are() -> None:
    profile = sole("calls;main;read;vfs_read_[k];_copy_to_user.isra.0_[k] 3\n")
    assert [one.kernel for one in profile.stacks[0].symbols] == [True, True, False, False, False]
    assert own(profile) == {"_copy_to_user": 100.0}


def marked(text: str) -> set[str]:
    """Return the symbols of `text` that a person marked."""
    return {
        row.symbol.name for profile in read_profiles(text) for row in profile.rows if row.marked
    }


def test_an_arrow_or_a_star_beside_a_row_marks_it() -> None:
    assert marked(TEXTS["mail"]) == {
        *("snd_pcm_ioctl", "__copy_tofrom_user", "_copy_from_user", "_copy_to_user"),
    }
    rows = "  3.00%  [kernel]  [k] f\n{}\n  1.00%  libc.so.6  [.] h\n"
    for arrow in ("==>", "-->", "->", "=>", "*", "**", "→", "⇒"):
        for row in (f"{arrow} 2.00%  [kernel]  [k] g", f"  {arrow}2.00% x [k] g"):
            assert marked(rows.format(row)) == {"g"}, row
    for arrow in ("<==", "<--", "<- here", "<=== that one", "←"):
        for row in ("  2.00%  [kernel]  [k] g", "  2.00%  libc.so.6  [.] g"):
            assert marked(rows.format(f"{row}  {arrow}")) == {"g"}, arrow


def test_what_the_browser_and_mail_programs_draw_is_no_mark() -> None:
    assert not marked(BROWSED)
    for row in ("+  2.00%  [kernel]  [k] g", "-  2.00% x [k] g", "> > 2.00% x [k] g"):
        assert not marked(f"  3.00%  [kernel]  [k] f\n{row}\n")
    assert not any(marked(TEXTS[page]) for page in DRAWN)


def test_a_mark_changes_nothing_else() -> None:
    arrows = TEXTS["mail"].replace("==> ", "")
    for with_marks, without in zip(
        read_profiles(TEXTS["mail"]), read_profiles(arrows), strict=True
    ):
        plain = tuple(replace(row, marked=False) for row in with_marks.rows)
        assert plain == without.rows


def test_a_text_that_is_quoted_with_bars_holds_the_same() -> None:
    barred = "\n".join(f"| {line}".rstrip() for line in TEXTS["mail"].splitlines())
    assert read_profiles(barred) == read_profiles(TEXTS["mail"])
    both = "\n".join(f"> | > {line}".rstrip() for line in TEXTS["report-callee"].splitlines())
    assert read_profiles(both) == read_profiles(TEXTS["report-callee"])


def test_a_mail_as_it_travels_holds_the_same() -> None:
    content = TEXTS["mail"].encode()
    quoted = quopri.encodestring(content).decode()
    encoded = base64.encodebytes(content).decode()
    for how, body in (("quoted-printable", quoted), ("base64", encoded)):
        mail = (
            "From: Somebody <somebody@example.org>\nContent-Type: text/plain; charset=utf-8\n"
            f"Content-Transfer-Encoding: {how}\n\n{body}"
        )
        assert read_profiles(mail) == read_profiles(TEXTS["mail"])


def test_what_is_no_object_is_not_taken_for_one() -> None:
    text = "# Overhead  Pid:Command  Symbol\n    20.00%  4242:calls  [k] f\n"
    (row,) = sole(text).rows
    assert (row.symbol.object, row.command) == ("", "4242:calls")


@pytest.mark.parametrize(
    "text", ["", "int f(void)\n{\n\treturn 1;\n}\n", "12.5 % of it; see page 12\n", "\x00\xff" * 99]
)
def test_a_text_without_a_profile_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match="no profile was found: expected is what perf script"):
        read_profiles(text)


def test_rows_that_cannot_be_read_are_counted() -> None:
    profile = sole("  2.00%  [kernel]  [k] f\n  1.90%  [kernel]  [?] g  [k]\n  1.00%  x [k] h\n")
    assert (profile.unread, profile.first_unread.split()[-2:]) == (1, ["g", "[k]"])


@pytest.mark.parametrize("piece", [" ", "[k] ", "1: ", "ab12 ", "12.5% ", ";a", "> ", "(", "|--"])
def test_a_very_long_line_takes_no_time(piece: str) -> None:
    began = time.process_time()
    for text in (piece * 300_000, f"  2.00%  [kernel]  [k] f\n 1.00% {piece * 300_000}\n"):
        expect_sound(text)
    assert time.process_time() - began < 5  # seconds; what backtracks takes hours


PIECES = (" ", "\n", "%", "|", "--", "---", "[k] ", "12.50%", ";", "(", ")", "\t", "> ", ":", "f")


@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_no_mutated_text_is_a_crash(page: str, data: st.DataObject) -> None:
    text = TEXTS[page]
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 200)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    expect_sound(text)


@given(st.text(max_size=400))
def test_no_text_is_a_crash(text: str) -> None:
    expect_sound(text)


def expect_sound(text: str) -> None:
    """Read `text`; no share may be more than all, and none below nothing."""
    try:
        found = read_profiles(text)
    except UserError:
        return
    for profile in found:
        assert profile.rows or profile.tool is Tool.SCRIPT
        assert all(0 <= row.percent <= 100.001 for row in profile.rows)
        assert all(0 < stack.percent <= 100.001 for stack in profile.stacks)


@pytest.mark.parametrize(
    "text",
    (
        "note: 2104 places of three trees\n  closed: added to the list of what is known\n",
        "    3 lines, faced with 10: a style writes\n\ncluster:     dead code, nobody calls\n",
        "f.c:7: error: too few\n 3155 |         unsafe_copy_from_user(&flags, at, 4, fault);\n",
    ),
)
def test_prose_and_tables_are_no_samples(text: str) -> None:
    with pytest.raises(UserError, match="no profile was found"):
        read_profiles(text)
