# SPDX-License-Identifier: GPL-2.0-only
"""`make C=2 CHECK="uaccel check --kbuild"`: as Kbuild calls it, once for each object."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import judging
from tests.asking import Uaccel
from tests.test_check_command import OPEN, found
from tests.test_run import python
from uaccel.flow.judge import Ground
from uaccel.model.flowgraph import Level, Place
from uaccel.model.judged import Found, Judged
from uaccel.read.opening import WORDS
from uaccel.sites import may_hold_window

ROOT = Path(__file__).parent.parent
# What Kbuild of 6.12 gives for a module of x86_64, shortened where words are of one kind.
OPTIONS = shlex.split(
    "-D__linux__ -Dlinux -D__STDC__ -Dunix -D__unix__ -Wbitwise -Wno-return-void "
    "-Wno-unknown-attribute --arch=x86 -mlittle-endian -m64 -Wp,-MMD,sound/core/.pcm_lib.o.d "
    "-nostdinc -I./arch/x86/include -I ./arch/x86/include/generated -isystem /usr/include "
    "-include ./include/linux/compiler-version.h -include ./include/linux/kconfig.h -D__KERNEL__ "
    "-fmacro-prefix-map=./= -std=gnu11 -fshort-wchar -fno-strict-aliasing -mno-sse -mcmodel=kernel "
    "-Wno-sign --param=allow-store-data-races=0 -Wframe-larger-than=2048 -v -q -j2 -O2 -x c "
    "-DMODULE '-DKBUILD_MODFILE=\"sound/core/snd-pcm\"' '-DKBUILD_BASENAME=\"pcm_lib\"' "
    "-D__KBUILD_MODNAME=kmod_snd_pcm -include x.c -"
)


@pytest.fixture(autouse=True)
def open_file(linux: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of the tree that has findings, for a judge that believes what it says."""
    monkeypatch.setattr("uaccel.flow.check.judge_file", judging.judge_file)
    for name in ("srctree", "KDIR"):
        monkeypatch.delenv(name, raising=False)
    return judging.grow(linux)


def test_findings_go_to_stderr_and_the_build_goes_on(
    uaccel: Uaccel, linux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linux)
    for named in (OPEN, f"{linux}/{OPEN}", f"./{OPEN}"):
        said = uaccel("check", "--kbuild", *OPTIONS, named)
        assert (said.status, said.stdout, said.stderr.splitlines()) == (0, "", found(named))
    (linux / "build").mkdir()
    monkeypatch.chdir(linux / "build")
    said = uaccel("check", "--kbuild", *OPTIONS, f"../{OPEN}")
    assert (said.status, said.stderr.splitlines()) == (0, found(f"../{OPEN}"))


def test_our_own_options_come_first(
    uaccel: Uaccel, linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linux)
    own = ("--rules", "missing-end", "--level=error")
    said = uaccel("check", *own, "--kbuild", *OPTIONS, OPEN)
    assert said.stderr.splitlines() == found(OPEN, 0)
    uaccel("check", "--write-baseline", tmp_path / "known", f"{OPEN}:toy_leaves")
    said = uaccel("check", "--kbuild", "--baseline", tmp_path / "known", *OPTIONS, OPEN)
    assert (said.status, said.stderr.splitlines()) == (0, found(OPEN, 2))
    assert uaccel("check", "--kbuild", "--rules", "x", *OPTIONS, OPEN).status == 2


def test_the_probe_of_the_kernels_own_makefile_is_taken(uaccel: Uaccel, tmp_path: Path) -> None:
    # scripts/checker-valid.sh of 7.3: C=2 is turned off unless the checker takes a file of
    # its own, which has no suffix, and says nothing with "error" in it.
    probe = tmp_path / "tmp.aBcDeF"
    probe.write_text("static inline int u(const int *q)\n{\n\treturn *q;\n}\n")
    said = uaccel("check", "--kbuild", "-D__linux__", "--arch=x86", "-m64", probe)
    assert (said.status, said.stdout, said.stderr) == (0, "", "")
    assert uaccel("check", "--kbuild", "-m64", tmp_path / "nothing").status == 2


def test_what_is_built_beside_a_tree_is_judged_with_it(
    uaccel: Uaccel, linux: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.c").write_text(judging.OPEN)

    def judge(ground: Ground, path: str, _text: bytes) -> Judged:
        said = ground.tree.path if ground.tree else "no tree"
        one = Found("missing-end", "f", Place(path, 1, 1), Level.ERROR, said, "x")
        return Judged(path, 1, 1, (one,), ())

    monkeypatch.setattr("uaccel.flow.check.judge_file", judge)
    said = uaccel("check", "--kbuild", *OPTIONS, "mine.c")
    assert said.stderr == "mine.c:1:1: error: no tree [missing-end]\n"
    monkeypatch.setenv("srctree", str(linux))
    said = uaccel("check", "--kbuild", *OPTIONS, "mine.c")
    assert said.stderr == f"mine.c:1:1: error: {linux} [missing-end]\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--json", "x"), "--json does not go with --kbuild, which runs once for each object"),
        (("--write-baseline=x",), "--write-baseline does not go with --kbuild"),
        ((), "--kbuild is for Kbuild, which ends its words with a .c file; there is none"),
        (("nowhere.c",), "nowhere.c cannot be read: No such file or directory"),
        (("linux.c",), "linux.c cannot be judged: it is no regular file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    uaccel: Uaccel, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "linux.c").mkdir()
    assert uaccel("check", "--kbuild", *words).error.startswith(sentence)


def test_what_happens_in_a_file_is_said_and_the_build_goes_on(
    uaccel: Uaccel, open_file: Path
) -> None:
    open_file.write_text(f"{judging.OPEN}/* deep */\n")
    said = uaccel("check", "--kbuild", *OPTIONS, open_file)
    assert (said.status, said.stdout) == (0, "")
    why = "judging it ended in RecursionError: maximum recursion depth exceeded"
    assert said.stderr == f"{open_file}: warning: not judged: {why}\n"


DISMISSED = """
import sys
from uaccel.cli.__main__ import main
sys.argv[1:] = ["check", "--kbuild", "-DX", "linux/sound/core/pcm_native.c"]
assert main() == 0
print(*sys.modules)
"""


@pytest.mark.usefixtures("linux")
def test_a_file_without_windows_loads_nothing_that_takes_long(tmp_path: Path) -> None:
    words = python(DISMISSED, tmp_path).split()
    heavy = ("tree_sitter", "rich", "email", "multiprocessing", "capstone", "elftools")
    assert not {*heavy, "uaccel.rules", "uaccel.flow", "uaccel.report.json"} & set(words)
    began = time.monotonic()
    for _ in range(3):
        python(DISMISSED, tmp_path)
    assert time.monotonic() - began < 3 * 1.0  # 0.1 s where nobody else works


@given(st.from_regex(WORDS))
def test_no_file_with_a_word_of_windows_is_dismissed(text: bytes) -> None:
    assert may_hold_window(text, len(text))
