# SPDX-License-Identifier: GPL-2.0-only
"""What went wrong on the way of the seed's patch is noticed; Ctrl-C leaves nothing behind.

The broken forms are made at test time, in copies of single files: the rest of the tree are links.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakelinux import overlay
from tests.test_study import COMPAT, ROOT, X32, Study, study, uaccel
from uaccel.host.run import run
from uaccel.model.command import Command

# The program reads no file through a link that leads out of the tree, so these are copies.
OWN = ("sound/core", "scripts", "arch/x86/include")
WINDOW = "\tif (!user_write_access_begin(src, sizeof(*src)))\n\t\t"


@dataclass(frozen=True, slots=True)
class Farm:
    """A tree in which one file may be broken, with a cache of its own."""

    tree: Path
    cache: Path
    pristine: str  # text of `file`
    windows: str  # of it with the x32 function's accesses in windows

    @property
    def file(self) -> Path:
        """Return the file that may be broken."""
        return self.tree / X32.partition(":")[0]

    def study(self, folder: Path, text: str, *words: str) -> Study:
        """Return the study of the x32 function when its file says `text`."""
        if self.file.read_text() != text:  # a newer file alone would be built again
            self.file.write_text(text)
        given = ("--arch", "x86_64", *words, X32)
        return study(self.tree, folder, *given, UACCEL_CACHE=str(self.cache))


@pytest.fixture(scope="module")
def farm(tree_6_12: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Return links to 6.12 with a file that may be broken; the tree itself is not touched."""
    folder = tmp_path_factory.mktemp("farm")
    tree = overlay(tree_6_12, folder / "linux", *OWN)
    file = X32.partition(":")[0]
    pristine = (tree / file).read_text()
    cache = str(folder / "cache")
    said = uaccel(folder, "convert", "--tree", tree, "--in-place", X32, UACCEL_CACHE=cache)
    assert said.status == 0, said.stderr
    yield Farm(tree, folder / "cache", pristine, (tree / file).read_text())
    assert (tree_6_12 / file).read_text() == pristine


def in_x32(text: str, old: str, new: str) -> str:
    """Return `text` with the first `old` in the x32 function, which must be there, as `new`."""
    head, name, body = text.partition(f"static int {X32.partition(':')[2]}(")
    assert old in body
    return head + name + body.replace(old, new, 1)


def test_the_stray_parenthesis_is_one_sentence_with_its_line(farm: Farm, tmp_path: Path) -> None:
    """It stood in the x32 branch, which the author never compiled; a robot saw it in three days."""
    old = "&src->c.control.avail_min))"
    text = in_x32(farm.pristine, old, f"{old})")
    line = text[: text.index(f"{old})")].count("\n") + 1
    done = farm.study(tmp_path, text)
    assert (done.status, done.shown) == (2, "")
    where = f"uaccel: error: {X32.partition(':')[0]}:{line}: "
    assert done.errors == f"{where}the C does not parse: `)` is not expected\n"
    assert not done.document
    assert not done.patches.exists()


def test_the_stray_parenthesis_in_a_window_fails_too(farm: Farm, tmp_path: Path) -> None:
    old = "unsafe_put_user(scontrol.avail_min, &src->c.control.avail_min,"
    done = farm.study(tmp_path, in_x32(farm.windows, old, f"{old[:-1]}),"))
    assert done.status in {1, 2}
    assert f"{X32.partition(':')[0]}:" in done.errors + done.shown


def test_an_end_after_a_begin_that_failed_is_seen_by_objtool(farm: Farm, tmp_path: Path) -> None:
    """On the author's powerpc it was invisible."""
    wrong = in_x32(farm.windows, f"{WINDOW}return -EFAULT;", f"{WINDOW}goto write_fault;")
    done = farm.study(tmp_path, wrong)
    # The window as it stands fails; other styles are written from it and may be right.
    (why,) = {why for outcome, why in done.outcomes("objtool") if outcome == "fail"}
    assert done.status == 1
    assert why.endswith("redundant UACCESS disable")
    assert {outcome for outcome, _ in done.outcomes("compiles")} == {"pass"}
    assert "FAIL     objtool: snd_pcm_ioctl_sync_ptr_x32" in done.shown
    (own,) = {why for outcome, why in done.outcomes("closed") if outcome == "fail"}
    assert own.endswith("it is closed where it is not open")


BY_HAND = (  # what is broken in the window that writes, what objtool says, what we say
    (
        "\tuser_write_access_end();\n\n\treturn 0;",
        "\treturn 0;",
        "return with UACCESS enabled",
        "it returns with user memory open",
    ),
    (
        "unsafe_put_user(scontrol.avail_min,",
        "unsafe_put_user(scontrol.avail_min + snd_pcm_hwsync(substream),",
        "call to snd_pcm_delay() with UACCESS enabled",
        "it calls snd_pcm_delay with user memory open",
    ),
    (
        "write_fault:\n\tuser_write_access_end();",
        "write_fault:",
        "return with UACCESS enabled",
        "it returns with user memory open",
    ),
    (
        WINDOW,
        f"\tif (!user_write_access_begin(src, sizeof(*src)))\n\t\treturn -EFAULT;\n{WINDOW}",
        "recursive UACCESS enable",
        "it is opened where it is open",
    ),
)


@pytest.mark.parametrize(("old", "new", "objtool", "closed"), BY_HAND)
def test_what_objtool_sees_is_seen_in_the_listing(  # noqa: PLR0913, PLR0917
    farm: Farm, tmp_path: Path, old: str, new: str, objtool: str, closed: str
) -> None:
    done = farm.study(tmp_path, in_x32(farm.windows, old, new), "--style", "window")
    assert done.status == 1
    assert _failing(done, "objtool").endswith(objtool)
    assert _failing(done, "closed").endswith(closed)


def _failing(done: Study, check: str) -> str:
    (why,) = {why for outcome, why in done.outcomes(check) if outcome == "fail"}
    return why


def test_an_accessor_that_x86_does_not_have_does_not_compile(farm: Farm, tmp_path: Path) -> None:
    """unsafe_copy_from_user() was missing on x86 and arm64; a robot saw it."""
    old = "unsafe_get_user(sflags, &src->flags, "
    new = "unsafe_copy_from_user(&sflags, &src->flags, sizeof(sflags), "
    text = in_x32(farm.windows, old, new)
    line = text[: text.index(new)].count("\n") + 1
    done = farm.study(tmp_path, text)
    why = next(why for outcome, why in done.outcomes("compiles") if outcome == "fail")
    assert done.status == 1
    assert why.startswith(f"{X32.partition(':')[0]}:{line}:")
    assert "implicit declaration of function 'unsafe_copy_from_user'" in why


STRIKE = """
import os, signal, sys, threading, time
from pathlib import Path
from uaccel.cli.__main__ import main

def strike():
    while not list(Path(sys.argv[1]).glob(sys.argv[2])):
        time.sleep(0.02)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=strike, daemon=True).start()
sys.exit(main(sys.argv[3:]))
"""


def interrupted(cache: Path, when: str, *words: str | Path) -> Command:
    """Return what the program says that gets a Ctrl-C soon after a file `when` is in its cache."""
    argv = (sys.executable, "-c", STRIKE, str(cache), when, *(str(word) for word in words))
    own = {"PYTHONPATH": str(ROOT), "UACCEL_CACHE": str(cache)}
    return run(argv, folder=cache, timeout=120, environment={**os.environ, **own})


def lingering(cache: Path) -> list[str]:
    """Name what still runs for the program with that cache, after the time a signal may take."""
    mark = f"UACCEL_CACHE={cache}\0".encode()
    left: list[str] = []
    for _ in range(40):
        left = list(running(mark))
        if not left:
            break
        time.sleep(0.05)
    return left


def running(mark: bytes) -> Iterator[str]:
    """Yield the command line of every process that has `mark` in its environment."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes():
                yield (place / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended, or is another user's
            continue


def test_ctrl_c_while_kbuild_runs_leaves_nothing(tree_6_12: Path, tmp_path: Path) -> None:
    words = ("study", "--tree", tree_6_12, "--arch", "x86_64", "--json", tmp_path / "out.json")
    said = interrupted(tmp_path, "kbuild/*/.config", *words, "--compiler", "gcc", COMPAT)
    assert (said.status, said.stdout) == (130, "")
    assert said.stderr == "uaccel: error: interrupted; nothing half-done was kept\n"
    assert lingering(tmp_path) == []
    assert not (tmp_path / "out.json").exists()
    assert list(tmp_path.glob("build/*")) == []
    assert list(tmp_path.glob("kbuild/*/uaccel.json")) == []  # so it is begun anew
    assert [entry.name for entry in tmp_path.glob(".filling/*")] in ([], [".lock"])


def test_ctrl_c_while_a_variant_is_compiled_leaves_nothing(farm: Farm, tmp_path: Path) -> None:
    assert farm.study(tmp_path, farm.pristine, "--style", "fieldwise").status == 0
    built = set(farm.cache.glob("build/*"))
    words = ("study", "--tree", farm.tree, "--arch", "x86_64", "--style", "window", X32)
    said = interrupted(farm.cache, ".filling/*/sound", *words)
    assert (said.status, said.stdout) == (130, "")
    assert lingering(farm.cache) == []
    assert set(farm.cache.glob("build/*")) == built
    assert [entry.name for entry in farm.cache.glob(".filling/*")] == [".lock"]
    done = farm.study(tmp_path, farm.pristine, "--style", "window")
    assert (done.status, done.document["builds"]) == (0, {"compiled": 1, "reused": 1})
