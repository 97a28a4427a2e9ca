# SPDX-License-Identifier: GPL-2.0-only
"""What perf stat counted is read from its table and from its lines for programs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import SECONDS, program
from uaccel.errors import UserError
from uaccel.host.run import run
from uaccel.model.stat import Event, Stat
from uaccel.read.perffigures import number
from uaccel.read.perfstat import read_stats
from uaccel.read.profile import read_profiles

PAGES = Path(__file__).parent / "samples" / "profiles"
TABLE, LINES, JSON, FRENCH = (
    (PAGES / f"stat-{name}.txt").read_text() for name in ("table", "lines", "json", "french")
)


def sole(text: str) -> Stat:
    """Return the only block of `text`."""
    (found,) = read_stats(text)
    return found


def values(stat: Stat) -> dict[str, float | None]:
    """Return the value of each event."""
    return {event.name: event.value for event in stat.events}


def test_a_table_is_read() -> None:
    found = sole(f"With the patch:\n\n{TABLE}")
    assert (found.command, found.title, found.runs) == ("./test_perf 100", "With the patch:", 5)
    assert found.events == (
        Event("task-clock", 183.2, "msec", 0.25, None),
        Event("context-switches", 3, "", 29.4, None),
        Event("cycles", 418955116, "", 0.31, 49.77),
        Event("instructions", 1113933476, "", 0.01, None),
        Event("branches", None, "", None, None),
        Event("branch-misses", None, "", None, 0),
        Event("power/energy-pkg/", 1.25, "Joules", None, None),
        Event("time elapsed", 0.18352, "seconds", 0.28, None),
    )
    assert not found.unread


def test_two_tables_in_a_mail_are_two() -> None:
    text = f"Before:\n{TABLE}After:\n{TABLE.replace('3      context', '7      context')}"
    for mail in (text, "\n".join(f"> > {line}" for line in text.splitlines())):
        first, second = read_stats(mail)
        assert (first.title, second.title) == ("Before:", "After:")
        assert values(first)["context-switches"] == 3
        assert values(second)["context-switches"] == 7


def test_a_mail_that_left_one_blank_of_many_is_read() -> None:
    squeezed = "\n".join(" ".join(line.split()) for line in TABLE.splitlines())
    assert sole(squeezed).events == sole(TABLE).events


def test_a_head_that_was_wrapped_is_joined() -> None:
    text = TABLE.replace("./test_perf 100' (5 runs):", "./test_perf\n100'\n(5 runs):")
    assert (sole(text).command, sole(text).runs) == ("./test_perf 100", 5)


def test_figures_of_other_languages_are_read() -> None:
    found = sole(FRENCH)
    assert found.events[0] == Event("task-clock", 26.554473, "msec", None, None)
    assert values(found)["cycles"] == 77375671 and values(found)["instructions"] == 121540390
    assert values(found)["time elapsed"] == 0.027527123
    assert sole(FRENCH.replace("77 375 671", "77\u202f375\u202f671")) == found
    assert "\xa0" not in found.command and found.runs == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1,234", 1234), ("1.234", 1234), ("12.34", 12.34), ("26,554473", 26.554473)),
        *(("1,234.56", 1234.56), ("1.234,56", 1234.56), ("1'234'567", 1234567), ("7", 7)),
        *(("1.234.567", 1234567), ("1,234,567", 1234567), ("", None), (".", None), ("1..2", None)),
    ],
)
def test_separators_of_thousands_are_told_from_fractions(text: str, value: float | None) -> None:
    assert number(text) == value


def test_a_fraction_of_three_digits_is_one_where_nothing_else_can_be() -> None:
    assert number("1.234", decimal=True) == 1.234
    assert values(sole(TABLE.replace("0.18352", "12.345")))["time elapsed"] == 12.345


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
def test_lines_for_a_program_are_read(separator: str) -> None:
    found = sole(LINES.replace(",", separator))
    assert found.events == (
        Event("task-clock", 183.2, "msec", 0.25, 100),
        Event("cycles", 418955116, "", 0.31, 49.77),
        Event("branches", None, "", 0, 100),
    )
    assert found.runs == 0, "how many runs it is of, these lines do not say"


def test_lines_of_json_are_read() -> None:
    found = sole(JSON)
    assert found.events == (
        Event("task-clock", 183.2, "msec", None, 100),
        Event("cycles", None, "", None, 0),
    )
    assert found.runs == 1


def test_lines_that_repeat_an_event_are_another_run() -> None:
    assert len(read_stats(LINES + LINES)) == 2
    assert len(read_stats(f"{LINES}\n\nand with it:\n{LINES}")) == 2


def test_cpus_and_intervals_are_summed() -> None:
    table = (
        " Performance counter stats for 'system wide':\n\n"
        "CPU0            1,000      cycles     #    1.0 GHz\n"
        "CPU1            2,000      cycles     #    1.0 GHz\n"
        "CPU0    <not counted>      faults\n\n   0.011800281 seconds time elapsed\n"
    )
    assert values(sole(table)) == {"cycles": 3000, "faults": None, "time elapsed": 0.011800281}
    lines = "     1.000186360;10;;faults;11;100.00;;\n     2.000286360;32;;faults;11;100.00;;\n"
    assert values(sole(lines)) == {"faults": 42}
    intervals = (
        "#           time             counts unit events\n"
        "     1.000186360               9.79 msec task-clock      #    0.979 CPUs utilized\n"
        "     2.000286360               0.21 msec task-clock      #    0.979 CPUs utilized\n"
    )
    assert values(sole(intervals)) == {"task-clock": pytest.approx(10)}


def test_a_row_that_cannot_be_read_is_counted() -> None:
    found = sole(TABLE.replace("418,955,116      cycles", "418,,955,116      cycles"))
    assert found.unread == 1 and "418,,955" in found.first_unread
    assert "cycles" not in values(found)


def test_prose_around_a_table_is_no_event() -> None:
    found = sole(f"13 instructions are left.\n{TABLE}36 percent of the time is spent in f().\n")
    assert found.events == sole(TABLE).events
    assert not read_stats("13 instructions\n1,2,3,4,5,6\n{}\n")


def test_a_table_is_no_profile() -> None:
    for text in (TABLE, LINES, JSON, FRENCH):
        with pytest.raises(UserError):
            read_profiles(text)


PIECES = (
    " ",
    "\n",
    ",",
    "%",
    "#",
    "( +- ",
    "<not counted>",
    "{",
    '"',
    "1",
    "seconds",
    "> ",
    "\x00",
)


@given(st.sampled_from([TABLE, LINES, JSON, FRENCH]), st.data())
def test_no_mutated_text_is_a_crash(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 60)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    expect_sound(text)


@given(st.text(max_size=400))
def test_no_text_is_a_crash(text: str) -> None:
    expect_sound(text)
    expect_sound(f" Performance counter stats for 'x':\n{text}")


def expect_sound(text: str) -> None:
    """Read `text`; a block has events, and each of them a name."""
    for found in read_stats(text):
        assert found.events
        assert all(event.name for event in found.events)


@pytest.mark.parametrize(
    "piece", [" ", "1 ", "1,", "<not counted>", "( +- ", '{"counter-value":', "1;"]
)
def test_a_very_long_line_takes_no_time(piece: str) -> None:
    began = time.process_time()
    head = " Performance counter stats for 'x':\n"
    expect_sound(head + f"{piece * 300_000}\n    1   {piece * 900}\n{piece * 1300}\n" * 3)
    assert time.process_time() - began < 5  # seconds; what backtracks takes hours


FORMS = ((), ("-r", "3"), ("-x", ","), ("-x", ";", "-r", "2"), ("-a",), ("-A", "-a"), ("-j",))


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_what_perf_counts_here_is_read(
    tmp_path_factory: pytest.TempPathFactory, form: tuple[str, ...]
) -> None:
    built = program(tmp_path_factory.mktemp("stat"))
    argv = ("perf", "stat", "-e", "cpu-clock,page-faults,cs", *form, str(built), "1")
    said = run(argv, folder=built.parent, timeout=SECONDS)
    if said.status != 0:
        pytest.skip(f"perf cannot count here: {said.stderr.strip()[:200]}")
    found = sole(said.stderr)
    first, faults, _, *times = found.events
    assert (first.name, first.unit, faults.name) == ("cpu-clock", "msec", "page-faults")
    assert (first.value or 0) > 1 and (faults.value or 0) > 10
    assert not found.unread
    if not {"-x", "-j"} & set(form):
        assert [one.name for one in times][:1] == ["time elapsed"]
        assert 0 < (times[0].value or 0) < SECONDS
        assert found.runs == (3 if "-r" in form else 1)
