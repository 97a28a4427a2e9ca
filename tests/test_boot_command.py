# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel boot`: what is refused before any work, and what is shown of what was booted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.asking import Uaccel
from tests.replay import MACHINES
from uaccel.errors import UserError
from uaccel.flow.boot import room
from uaccel.flow.clients import chosen
from uaccel.flow.counting import usual
from uaccel.flow.measured import differing
from uaccel.host.store import Store
from uaccel.model.boot import Booted, BootRun, Call, SymbolShare
from uaccel.model.dossier import Tree
from uaccel.model.executed import Executed, Stretch
from uaccel.model.machine import Unbuilt
from uaccel.read.clientlog import Called
from uaccel.report.boot import text
from uaccel.report.bootjson import document
from uaccel.report.bootmail import text as mail

MACHINE = next(iter(MACHINES))
RUN = BootRun(
    style="window",
    machine=MACHINE,
    client="ours",
    way="both",
    calls=(Call("plain", 0, 511, 2, "", 1), Call("unmapped", -14, 1477, 0, "", 1)),
    symbols=(SymbolShare("toy_ioctl", "[kernel.kallsyms]", 511, 100.0),),
    instructions_per_call=511,
    toggles_per_call=2,
    why="",
    userland="small",
    toolchain="gcc 12",
    instructions=511,
    reached=(("toy_ioctl", 1), ("toy_other", 0)),
    profile="/there/window.txt",
)
BOOTED = Booted(Tree("/tree", "6.12"), "uaccel boot --quiet", (RUN,), (), (), 1.5)


def shown(booted: Booted) -> str:
    """Return the report without colours."""
    return text(booted, color=False, width=100)


def test_a_figure_stands_beside_its_openings_and_its_compiler() -> None:
    row = next(line for line in shown(BOOTED).splitlines() if "511" in line and "gcc 12" in line)
    assert row.split() == [
        *(MACHINE, "ours", "(small)", "window", "gcc", "12", "511", "2", "toy_ioctl", "1")
    ]


def test_a_share_stands_where_a_whole_program_was_counted_and_says_of_what() -> None:
    run = replace(RUN, calls=(), share=13.136, holders=("toy_common_ioctl",))
    said = shown(replace(BOOTED, runs=(run, replace(run, style="masked", share=8.4))))
    assert "13.14 %" in said and "8.40 %" in said
    meaning = f"share on {MACHINE}: toy_common_ioctl with accessors and copy routines"
    assert said.count(meaning) == 1
    assert "share on" not in shown(BOOTED)


def test_what_the_client_saw_is_shown_and_in_the_document() -> None:
    booted = replace(BOOTED, alike=("board: window is not like fieldwise: all is lost",))
    assert "window is not like fieldwise: all is lost" in shown(booted)
    assert json.loads(document(booted))["alike"] == list(booted.alike)


def test_a_commit_message_has_the_figures_in_72_columns() -> None:
    played = replace(RUN, calls=(), share=8.386, holders=("toy_common_ioctl",))
    lost = replace(played, style="mine", share=None, toggles_per_call=None, why="it hung\nlong ago")
    alike = ("board: window returns what fieldwise does and leaves the same bytes, in 2 kinds",)
    said = mail(replace(BOOTED, runs=(played, lost), alike=alike))
    rows = [row.split() for row in said.splitlines()]
    assert ["window", "511", "2", "8.39", "%"] in rows
    assert ["mine", "511", "unknown", "unknown"] in rows
    assert f"* {MACHINE}, mine: it hung" in said
    assert "toy_common_ioctl with accessors" in said and "the same bytes" in said.replace("\n ", "")
    assert max(map(len, said.splitlines())) <= 72 and said.isascii()
    assert "share" not in mail(BOOTED)


def test_lines_that_compare_are_shown() -> None:
    line = "uaccel compare --function toy_ioctl window=/there/window.txt"
    assert line in shown(replace(BOOTED, comparisons=(line,)))


def test_what_is_not_known_is_said_to_be_unknown_with_why() -> None:
    run = replace(RUN, instructions_per_call=None, toggles_per_call=None, why="two ways differ")
    said = shown(replace(BOOTED, runs=(run,)))
    assert said.count("unknown") == 2
    hung = replace(run, calls=(), symbols=(), reached=())
    row = next(row for row in shown(replace(BOOTED, runs=(hung,))).splitlines() if "gcc 12" in row)
    assert row.split()[-3:] == ["unknown", "unknown", "unknown"]
    assert "two ways differ" in said
    unbuilt = (("scoped", Unbuilt(MACHINE, "the tree has no scopes")),)
    assert f"{MACHINE}, scoped: the tree has no scopes" in shown(replace(BOOTED, unbuilt=unbuilt))


def test_the_last_words_of_a_hang_are_shown_and_steer_no_terminal() -> None:
    run = replace(RUN, why="it hung", console="Kernel panic\n\x1b[31mred")
    said = shown(replace(BOOTED, runs=(run,)))
    assert "Kernel panic" in said
    assert "\x1b" not in said and "\\x1b[31mred" in said


def test_no_time_is_shown() -> None:
    assert "second" not in shown(BOOTED) and "1.5" not in shown(BOOTED)


def test_the_document_has_what_was_promised() -> None:
    said = json.loads(document(BOOTED))
    assert said["schema"]["name"] == "uaccel-boot"
    (run,) = said["runs"]
    assert {key: run[key] for key in ("style", "machine", "client")} == {
        "style": "window",
        "machine": MACHINE,
        "client": "ours",
    }
    assert (run["instructions_per_call"], run["toggles_per_call"]) == (511, 2)
    assert run["symbols"][0] == {
        "name": "toy_ioctl",
        "object": "[kernel.kallsyms]",
        "percent": 100.0,
        "instructions": 511,
    }


def test_a_machine_that_is_not_known_is_refused_with_those_that_are(
    uaccel: Uaccel, linux: Path
) -> None:
    said = uaccel("boot", "--tree", linux, "--machine", "toaster")
    assert said.error == f"no machine is called toaster; there are {', '.join(MACHINES)}"


def test_an_architecture_that_a_machine_is_not_of_is_refused(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("boot", "--tree", linux, "--machine", MACHINE, "ARCH=um")
    assert said.error == f"ARCH=um is not the architecture of {MACHINE}"
    assert uaccel("boot", "--tree", linux, "ARCH=um").error.startswith("ARCH=um is not")


def test_a_function_among_the_assignments_is_refused(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("boot", "--tree", linux, "drivers/toy/toy.c:toy_get_point")
    assert "functions are named with --target" in said.error


@pytest.mark.parametrize("name", ["window", "tree", "mine"])
def test_two_ways_of_writing_have_two_names(name: str, uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("boot", "--tree", linux, "--patch", f"{name}=a.patch", "--patch", "b/mine.diff")
    assert said.error == f"{name} names two ways of writing: --patch NAME=FILE names another"


def test_a_patch_that_is_not_there_is_said(uaccel: Uaccel, linux: Path) -> None:
    said = uaccel("boot", "--tree", linux, "--patch", "nowhere.patch")
    assert "nowhere.patch" in said.error


def test_disk_and_time_are_said_in_advance() -> None:
    machine = MACHINES[MACHINE]
    said = room((machine, machine))
    assert f"{2 * machine.megabytes} MB" in said
    assert "minutes" in said and MACHINE in said


def test_a_userland_that_a_machine_does_not_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{MACHINE} runs no vax programs; it runs "):
        chosen(MACHINES[MACHINE], "ours", "vax", Store(tmp_path), lambda *_: None)


def test_the_usual_count_is_the_one_most_often_seen() -> None:
    """A call that holds a tick of the timer stands out."""
    assert usual((3685, 646, 646, 727)) == 646
    assert usual((700, 646)) == 646
    assert usual(()) is None


def seen(instructions: int, result: int = 0) -> tuple[Called, Stretch]:
    row = Executed(0xC0000000, b"", instructions)
    return Called("plain", result, ""), Stretch(instructions, (row,))


def test_two_ways_agree_when_the_plugin_sees_a_call_without_ticks() -> None:
    steps = {"plain": (seen(646), seen(646))}
    assert list(differing(steps, {"plain": (seen(3685), seen(646), seen(727))})) == []
    (said,) = differing(steps, {"plain": (seen(647),)})
    assert said == ("plain", "stepping counts 646 instructions of plain, the plugin 647")
    other = {"plain": (seen(647, -14),)}
    (said,) = differing(steps, other)
    assert said[1].startswith("stepping counts 646 ") and said[1].endswith(" return the same")
    (said,) = differing(steps, {})
    assert said == ("plain", "stepping counts 646 instructions of plain, the plugin 0")


def test_calls_of_one_kind_that_return_different_things_are_no_evidence() -> None:
    steps, plugin = {"plain": (seen(646),)}, {"plain": (seen(646, -14),)}
    (said,) = differing(steps, plugin)
    assert said == ("plain", "the plain calls do not all return the same")
