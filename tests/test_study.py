# SPDX-License-Identifier: GPL-2.0-only
"""The main job on real trees: the figures of the mail, ten architectures, and patches that hold.

The first run builds some fifty objects into the user's own store; a second one builds none.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser import browser, missing
from tests.fakelinux import machine_without
from uaccel.host.run import find_program, run
from uaccel.model.command import Command

ROOT = Path(__file__).parent.parent
NATIVE = "sound/core/pcm_native.c:snd_pcm_sync_ptr"
COMPAT = "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat"
X32 = "sound/core/pcm_compat.c:snd_pcm_ioctl_sync_ptr_x32"
POWER = ("ppc8xx", "ppc32", "ppc64le")
TEN = ("x86_64", "i386", *POWER, "arm64", "arm64-ttbr0", "arm", "riscv64", "s390x")
NO_GAIN = {"arm64", "arm", "riscv64", "s390x"}  # on 6.12; `gain` must say why
OF_OLD = ("x86_64", "ppc8xx", "ppc64le", "arm64-ttbr0")  # where a window opens something
MAIL = "powerpc-linux-gnu-gcc"  # the compiler of the mail's figures; 12.2 gives them exactly


@dataclass(frozen=True, slots=True)
class Study:
    """What one `uaccel study` printed and wrote."""

    status: int
    shown: str
    errors: str
    document: Mapping[str, Any]
    patches: Path

    def figures(self, cluster: str, arch: str, style: str) -> dict[str, int | None]:
        """Return value by `what` of the cluster whose id begins so; empty when there is no row."""
        return {
            row["what"]: row["value"]
            for row in self.document["measurements"]
            if row["cluster"].startswith(cluster) and (row["arch"], row["style"]) == (arch, style)
        }

    @property
    def page(self) -> Path:
        """Return where the page is, if one was asked for."""
        return self.patches.parent / "page" / "index.html"

    def outcomes(self, check: str) -> set[tuple[str, str]]:
        """Return every (outcome, why) of one check."""
        mine = (one for one in self.document["verdicts"] if one["check"] == check)
        return {(one["outcome"], one["why"]) for one in mine}


def uaccel(folder: Path, *words: str | Path, **own: str) -> Command:
    """Return what the program says in `folder`; `own` are variables of its environment."""
    argv = (sys.executable, "-m", "uaccel.cli.__main__", *(str(word) for word in words))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **own}
    said = run(argv, folder=folder, timeout=600, environment=environment)
    assert "Traceback" not in said.stderr, said.stderr
    return said


def study(tree: Path, folder: Path, *words: str, **own: str) -> Study:
    """Return what `uaccel study` makes of `tree`; `own` are variables of its environment."""
    place, patches = folder / "out.json", folder / "patches"
    given = ("--tree", tree, "--json", place, "--patches", patches)
    said = uaccel(folder, "study", *given, *words, **own)
    document = json.loads(place.read_text()) if place.exists() else {}
    return Study(said.status, said.stdout, said.stderr, document, patches)


def only(*arches: str) -> tuple[str, ...]:
    """Return the words that ask for these architectures."""
    return tuple(word for arch in arches for word in ("--arch", arch))


@pytest.fixture(scope="session")
def seed(tree_6_12: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the study of the seed's functions in every style on every architecture."""
    folder = tmp_path_factory.mktemp("seed")
    return study(tree_6_12, folder, "--html", str(folder / "page"))


@pytest.fixture(scope="session")
def older(tree_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the same of the older tree, as windows, on a few architectures."""
    return study(tree_6_1, tmp_path_factory.mktemp("older"), "--style", "window", *only(*OF_OLD))


@pytest.fixture(scope="session")
def newer(tree_7_3: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the same of the tree that has the merged macros."""
    return study(tree_7_3, tmp_path_factory.mktemp("newer"), *only("x86_64", "ppc8xx", "riscv64"))


def test_the_figures_of_the_mail_come_out(seed: Study) -> None:
    """80 instructions and 18 toggles to write 9 fields, 13 and 2 in a window, on an 8xx."""
    said = run((MAIL, "-dumpversion"), folder=ROOT, timeout=20) if find_program(MAIL) else None
    if said is None or not said.stdout.startswith("12"):
        pytest.skip("the figures are those of gcc 12: install gcc-powerpc-linux-gnu of Debian 12")
    before = seed.figures(f"{COMPAT}:write", "ppc8xx", "fieldwise")
    after = seed.figures(f"{COMPAT}:write", "ppc8xx", "window")
    assert (before["path_instructions"], before["path_toggles"]) == (80, 18)
    assert (after["path_instructions"], after["path_toggles"]) == (13, 2)
    assert before["floor_instructions"] == after["floor_instructions"] == 13
    assert before["extable_entries"] == after["extable_entries"] == 12
    row = next(line for line in seed.shown.splitlines() if re.match(r"ppc8xx .* 80 +18 ", line))
    assert re.search(r" 80 +18 .* 13 +2 +-84 % +13$", row)


def test_every_architecture_has_its_rows(seed: Study) -> None:
    assert seed.status == 0, seed.errors
    document = seed.document
    assert document["unbuilt"] == []
    assert {target["arch"] for target in document["targets"]} == set(TEN)
    for arch in TEN:
        for way in ("read", "write"):
            for style in ("fieldwise", "window"):
                figures = seed.figures(f"{COMPAT}:{way}", arch, style)
                assert None not in figures.values(), f"{arch}, {style}: {figures}"
            assert seed.figures(f"{COMPAT}:{way}", arch, "structcopy")
            assert seed.figures(f"{NATIVE}:{way}", arch, "structcopy")
            for style in ("fieldwise", "structcopy", "window"):
                assert bool(seed.figures(f"{X32}:{way}", arch, style)) == (arch == "x86_64") or (
                    style == "fieldwise"
                )


def test_nothing_is_below_its_floor_and_a_window_gains_where_it_should(seed: Study) -> None:
    gains = {target["arch"]: target["gain"] for target in seed.document["targets"]}
    assert {arch for arch, why in gains.items() if why} == NO_GAIN
    for row in seed.document["measurements"]:
        if row["what"] == "path_instructions" and row["value"] is not None:
            figures = seed.figures(row["cluster"], row["arch"], row["style"])
            assert row["value"] >= (figures["floor_instructions"] or 0), row
    for arch in TEN:
        for way in ("read", "write"):
            before = seed.figures(f"{COMPAT}:{way}", arch, "fieldwise")
            after = seed.figures(f"{COMPAT}:{way}", arch, "window")
            many, few = before["path_toggles"] or 0, after["path_toggles"] or 0
            long, short = before["path_instructions"] or 0, after["path_instructions"] or 0
            if gains[arch]:
                assert few == many, f"{arch}: it gains, but {gains[arch]}"
            else:
                assert few <= min(2, many), f"{arch}, {way}: {few} toggles"
                assert 0 < short <= 1.1 * long, f"{arch}, {way}: {long} became {short}"


def test_both_were_run_on_every_architecture(seed: Study) -> None:
    """Fieldwise beside each style: the same, but for what is declared, and where that occurs."""
    rows = [one for one in seed.document["verdicts"] if one["check"] == "same"]
    assert {row["outcome"] for row in rows} == {"pass"}
    held = {(row["cluster"], row["style"], row["arch"]) for row in rows}
    assert held >= {(COMPAT, style, arch) for style in RAN for arch in TEN}
    assert held >= {(NATIVE, "window", arch) for arch in TEN}
    assert held >= {(X32, style, "x86_64") for style in RAN}
    for row in rows:
        declared = re.search(r", (\d+) of them other as declared", row["why"])
        padded = row["style"] == "structcopy"
        assert bool(declared) == (padded or row["arch"] not in UNRANGED), row
        reach = row["coverage"]
        assert reach["reached"] == reach["entries"] or row["arch"] in ("s390x", "ppc64le"), row
        assert 0.6 * reach["ways"] < reach["taken"] <= reach["ways"], row
        assert len(reach["missed"]) <= reach["ways"] - reach["taken"]


def test_what_one_call_executes_stands_beside_it(seed: Study) -> None:
    for arch in TEN:
        figures = [seed.figures(COMPAT, arch, style) for style in ("fieldwise", "window")]
        executed = [one["executed_instructions"] or 0 for one in figures]
        toggles = [one["executed_toggles"] for one in figures]
        assert min(executed) > 0
        # On arm each unsafe_*() opens and closes still, and a begin comes on top.
        assert (executed[0] < executed[1]) == (arch == "arm")
        assert toggles[0] in (0, 18, 24)
        assert (toggles[1] in (2, 4)) == (arch not in NO_GAIN)
    assert "executed by  sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat" in seed.shown
    assert "run (level 3)" in " ".join(seed.shown.split())


def test_the_table_says_why_there_is_less_to_gain(seed: Study) -> None:
    for target in seed.document["targets"]:
        if target["gain"]:
            told = " ".join(seed.shown.split())
            assert " ".join(target["gain"].split()) in told


KEYS = {
    "clusters": {"id", "file", "function", "line", "direction", "accesses"},
    "measurements": {"cluster", "style", "arch", "compiler", "what", "value", "unit"},
    "verdicts": {"check", "cluster", "style", "arch", "outcome", "why"},
    "refusals": {"cluster", "style", "why"},
    "patches": {"style", "path"},
}
WHATS = {
    "path_instructions": "instructions",
    "path_toggles": "toggles",
    "function_instructions": "instructions",
    "text_bytes": "bytes",
    "extable_entries": "entries",
    "floor_instructions": "instructions",
    "executed_instructions": "instructions",
    "executed_toggles": "toggles",
}
UNRANGED = ("x86_64", "s390x")  # where no range is checked to the byte
RAN = ("window", "structcopy", "masked", "helper")


def test_the_document_has_the_keys_that_programs_rely_on(seed: Study) -> None:
    document = seed.document
    assert document["schema"] == {"name": "uaccel-study", "version": 1}
    assert document["tool"]["name"] == "uaccel"
    assert document["tree"]["version"].startswith("6.12")
    assert document["command"].startswith("uaccel study --tree ")
    for name, keys in KEYS.items():
        assert document[name]
        assert all(keys <= row.keys() for row in document[name])
    for row in document["measurements"]:
        assert WHATS[row["what"]] == row["unit"]
        assert isinstance(row["value"], int) or row["why"], row
    assert {row["outcome"] for row in document["verdicts"]} <= {"pass", "fail", "unknown"}
    assert {row["direction"] for row in document["clusters"]} == {"read", "write"}
    assert all(Path(row["path"]).is_file() for row in document["patches"])


@pytest.mark.parametrize("made", ["seed", "older"])
def test_windows_of_all_three_hold(made: str, request: pytest.FixtureRequest) -> None:
    """They apply to the pristine tree, checkpatch and objtool are silent, every object is made."""
    done: Study = request.getfixturevalue(made)
    tree = Path(done.document["tree"]["path"])
    assert (done.status, done.document["unbuilt"]) == (0, [])
    assert {outcome for outcome, _ in done.outcomes("compiles")} == {"pass"}
    assert done.outcomes("objtool") == {("pass", "objtool has nothing to say")}
    for check in ("applies", "checkpatch", "branch_compiled"):
        assert {outcome for outcome, _ in done.outcomes(check)} == {"pass"}
    for target in (COMPAT, X32, NATIVE):
        name = f"{target.replace('/', '-').replace('.c:', '-')}-window.patch"
        text = (done.patches / name).read_bytes()
        assert b"unsafe_get_user(" in text
        assert (b"+\tunsafe_put_user(" in text) == (target != NATIVE)
        assert (b"+#ifndef unsafe_copy_from_user" in text) == (target == NATIVE)
        tried = run(("git", "apply", "--check", "-"), folder=tree, timeout=60, stdin=text)
        assert (tried.status, tried.stderr) == (0, "")
        argv = ("perl", "scripts/checkpatch.pl", "--strict", "--no-signoff", "-")
        said = run(argv, folder=tree, timeout=120, stdin=text)
        assert "total: 0 errors, 0 warnings, 0 checks," in said.stdout, said.stdout
    held = {
        (row["cluster"], row["arch"])
        for row in done.document["verdicts"]
        if (row["check"], row["style"]) == ("compiles", "window")
    }
    arches = TEN if made == "seed" else OF_OLD
    everywhere = ((name, arch) for name in (COMPAT, NATIVE) for arch in arches)
    assert held == {*everywhere, (X32, "x86_64")}


@pytest.mark.parametrize("made", ["seed", "older"])
def test_the_native_function_is_written_or_refused_with_a_reason(
    made: str, request: pytest.FixtureRequest
) -> None:
    done: Study = request.getfixturevalue(made)
    refused = {
        row["cluster"]: row["why"]
        for row in done.document["refusals"]
        if row["cluster"].startswith(f"{NATIVE}:") and row["style"] == "window"
    }
    written = (done.patches / "sound-core-pcm_native-snd_pcm_sync_ptr-window.patch").exists()
    assert written or len(refused) == 2
    assert all(why.count(" ") > 3 for why in refused.values())


def test_a_second_study_builds_nothing(seed: Study, tree_6_12: Path, tmp_path: Path) -> None:
    again = study(tree_6_12, tmp_path)
    assert again.document["builds"]["compiled"] == 0
    assert again.document["builds"]["reused"] > 0
    assert again.document["measurements"] == seed.document["measurements"]
    assert again.document["verdicts"] == seed.document["verdicts"]


@pytest.mark.usefixtures("seed")
def test_a_missing_compiler_is_one_unknown_row(tree_6_12: Path, tmp_path: Path) -> None:
    path = machine_without(tmp_path / "bin", r"s390x-linux-gnu-.*")
    words = ("--compiler", "gcc", *only("x86_64", "s390x"), COMPAT)
    done = study(tree_6_12, tmp_path, *words, PATH=path)
    assert (done.status, done.errors) == (0, "")
    (unbuilt,) = done.document["unbuilt"]
    assert unbuilt["arch"] == "s390x"
    assert unbuilt["why"].startswith("no compiler for s390x: s390x-linux-gnu-gcc is not in PATH")
    assert re.search(r"^s390x +none +unknown: no compiler for s390x", done.shown, re.MULTILINE)
    assert done.figures(f"{COMPAT}:write", "x86_64", "window")["path_toggles"] == 2


def test_the_merged_form_is_recognised(newer: Study) -> None:
    """7.3 has the windows in two macros: that is said, and all of it builds."""
    assert (newer.status, newer.errors) == (1, "")
    assert newer.document["unbuilt"] == []
    failed = [one for one in newer.document["verdicts"] if one["outcome"] == "fail"]
    # There get_user() of 32 bits into an `unsigned long` extends the sign (__get_user_asm() loads
    # into the variable's own type), and unsafe_get_user() does not (arch_unsafe_get_user()).
    told = {(one["check"], one["style"], one["arch"]) for one in failed}
    assert told == {("same", "fieldwise", "riscv64")}
    assert all("0xffffffff" in one["why"] for one in failed)
    assert {row["form"] for row in newer.document["clusters"]} == {"window"}
    assert {outcome for outcome, _ in newer.outcomes("compiles")} == {"pass"}
    assert newer.outcomes("objtool") == {("pass", "objtool has nothing to say")}
    for name in (NATIVE, COMPAT, X32):
        note = f"{name}: every cluster is one window already; nothing to convert"
        (told,) = (one for one in newer.document["notes"] if one.startswith(note))
        assert "stand in the macro snd_pcm_sync_ptr_put_user" in told
        assert not list(newer.patches.glob("*-window.patch"))
    for arch in ("x86_64", "ppc8xx", "riscv64"):
        assert newer.figures(f"{COMPAT}:write", arch, "window")["path_toggles"] == 2


@pytest.mark.skipif(bool(missing()), reason=f"{missing()} is not installed")
@pytest.mark.parametrize("width", [360, 1600])
def test_a_real_browser_shows_the_page_of_the_study(
    seed: Study, width: int, tmp_path: Path
) -> None:
    """It fetches nothing, fits, and ties the instructions of the real objects to their accesses."""
    assert 1e6 < seed.page.stat().st_size < 6e6
    with browser(tmp_path) as chromium:
        chromium.resize(width)
        chromium.open(seed.page)
        took = "return performance.getEntriesByType('navigation')[0].domComplete"
        print(f"{seed.page.stat().st_size} bytes, loaded after {chromium.run(took):.0f} ms")
        assert chromium.run("return document.documentElement.scrollWidth") <= width
        chromium.run(
            "const s = document.getElementById('code-function');"
            "s.value = [...s.options].find((o) => o.text === arguments[0]).value;"
            "s.dispatchEvent(new Event('change'))",
            COMPAT.partition(":")[2],
        )
        status = "return document.getElementById('code-status').textContent"
        chromium.point("#assembly tr.touch")
        assert chromium.run(status).startswith("read 1 of 3: get_user(sflags, &src->flags)")
        chromium.point("#assembly tr.touch", click=True)
        assert chromium.run(status).startswith("Pinned: read 1 of 3")
        lit = (
            "return [...document.querySelectorAll('#source .lit')].map((e) => e.textContent.trim())"
        )
        (before, after) = chromium.run(lit)
        assert before == "if (get_user(sflags, &src->flags) ||"
        assert after == "unsafe_get_user(sflags, &src->flags, read_fault);"
        chromium.press("Escape")
        assert chromium.run(status) == "Nothing is pinned."
        assert (chromium.console(), chromium.requests()) == ([], [])
