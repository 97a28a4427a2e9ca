# SPDX-License-Identifier: GPL-2.0-only
"""A kernel is built once, linked anew per style, and its folder is never left in another style."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from tests.replay import MACHINES
from uaccel.host.kbuild import Prepared, locked
from uaccel.host.kernels import Written, kernel, relink
from uaccel.host.store import Store
from uaccel.model.boot import Kernel
from uaccel.model.dossier import Tree
from uaccel.model.machine import Toolchain, Unbuilt

# What Kbuild does, in small: objects beside the commands that made them, linked by time stamps.
MAKEFILE = """\
OBJECTS := core/one.o core/two.o
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
core/one.o core/two.o core/apart.o: %.o: $(O)/%.o ;
$(O)/%.o: %.c
\tmkdir -p $(dir $@)
\ttest ! -e stop-at-$(notdir $*)
\tcd $(O) && gcc -c -o $*.o $(CURDIR)/$<
\techo 'savedcmd_$*.o := gcc -c -o $*.o $(CURDIR)/$<' > $(dir $@).$(notdir $@).cmd
\techo $* >> log
vmlinux: $(O)/vmlinux ;
$(O)/vmlinux: $(addprefix $(O)/,$(OBJECTS))
\tld -r -o $@ $^
\techo '$(MAKEFLAGS)' >> flags
\techo vmlinux >> log
"""
ONE = PurePosixPath("core/one.c")
MACHINE = replace(MACHINES["g3beige"], name="toy", config=("CONFIG_TOY=y",), objects=2)
GCC = Toolchain("gcc 1", "gcc 1", ("CROSS_COMPILE=",), ())

Build = Callable[..., Prepared | Unbuilt]
Link = Callable[..., Kernel | Unbuilt]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "linux"
    (folder / "core").mkdir(parents=True)
    (folder / "Makefile").write_text(MAKEFILE)
    for name in ("one", "two", "apart"):
        (folder / f"core/{name}.c").write_text(f'const char {name}[] = "{name} as it stands";\n')
    return Tree(str(folder), "6.12.1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def build(tree: Tree, store: Store) -> Build:
    def built(object: str = "core/one.o") -> Prepared | Unbuilt:
        return kernel(tree, MACHINE, GCC, object, store, 3, lambda *_: None)

    return built


@pytest.fixture
def link(tree: Tree, store: Store) -> Link:
    def linked(prepared: Prepared, text: str, style: str = "") -> Kernel | Unbuilt:
        written = Written(prepared, {PurePosixPath(prepared.source): text.encode()})
        return relink(tree, MACHINE, style, (written,), store, 3, lambda *_: None)

    return linked


def log(tree: Tree) -> list[str]:
    """Return what was made so far, in order."""
    return Path(tree.path, "log").read_text().split()


def holds(made: Kernel | Unbuilt, words: str) -> bool:
    """Return whether the kernel holds `words`."""
    assert isinstance(made, Kernel), made
    return words.encode() in Path(made.vmlinux).read_bytes()


def test_a_kernel_is_built_once(tree: Tree, build: Build) -> None:
    first, again = build(), build()
    assert isinstance(first, Prepared) and isinstance(again, Prepared)
    assert again.folder == first.folder
    assert log(tree) == ["core/one", "core/two", "vmlinux"]


def test_make_runs_as_many_jobs_as_the_user_said(tree: Tree, build: Build, link: Link) -> None:
    prepared = build()
    assert isinstance(prepared, Prepared)
    link(prepared, 'const char one[] = "in a window";', "window")
    flags = Path(tree.path, "flags").read_text().splitlines()
    assert len(flags) == 2 and all("-j3" in one.split() for one in flags), flags


def test_a_build_that_was_stopped_goes_on(tree: Tree, build: Build) -> None:
    stop = Path(tree.path, "stop-at-two")
    stop.touch()
    refused = build()
    assert isinstance(refused, Unbuilt) and "its kernel was not built" in refused.why
    stop.unlink()
    assert isinstance(build(), Prepared)
    assert log(tree) == ["core/one", "core/two", "vmlinux"]


def test_the_compiler_of_the_wheel_builds_no_kernel(tree: Tree, store: Store) -> None:
    wheel = replace(GCC, name="clang 22 (ziglang 0)", path=("/some/folder",))
    refused = kernel(tree, MACHINE, wheel, "core/one.o", store, 3, lambda *_: None)
    assert isinstance(refused, Unbuilt)
    assert refused.why.endswith("it has no objcopy (install gcc-powerpc-linux-gnu)")


def test_what_is_built_and_how_long_it_takes_is_said_before(tree: Tree, store: Store) -> None:
    said: list[tuple[str, int, int]] = []
    kernel(tree, MACHINE, GCC, "core/one.o", store, 3, lambda *step: said.append(step))
    (begun,) = [step for step in said if "building a kernel" in step[0]]
    assert f"{MACHINE.megabytes} MB" in begun[0] and f"{MACHINE.seconds} s" in begun[0]
    assert begun[1:] == (1, 2)  # the object that was asked for is made first


def test_each_style_has_its_kernel_and_the_folder_keeps_its_own(
    tree: Tree, build: Build, link: Link
) -> None:
    prepared = build()
    assert isinstance(prepared, Prepared)
    made = Path(prepared.folder, "core/one.o")
    before = made.read_bytes()
    window = link(prepared, 'const char one[] = "in a window";', "window")
    assert holds(window, "in a window") and not holds(window, "one as it stands")
    assert holds(window, "two as it stands")
    assert made.read_bytes() == before
    copied = link(prepared, 'const char one[] = "copied";', "structcopy")
    assert holds(copied, "copied") and not holds(copied, "in a window")
    assert log(tree) == ["core/one", "core/two", *["vmlinux"] * 3]


def test_a_kernel_that_is_there_is_not_linked_again(tree: Tree, build: Build, link: Link) -> None:
    prepared = build()
    assert isinstance(prepared, Prepared)
    text = Path(tree.path, ONE).read_text()
    first, again = link(prepared, text), link(prepared, text, "fieldwise")
    assert isinstance(first, Kernel) and isinstance(again, Kernel)
    assert (first.reused, again.reused) == (False, True)
    assert (again.vmlinux, again.style) == (first.vmlinux, "fieldwise")


def test_an_edit_elsewhere_in_the_tree_is_in_every_style(
    tree: Tree, build: Build, link: Link
) -> None:
    """A kernel of the store is of the tree as it was: it is no kernel of this one."""
    prepared, text = build(), Path(tree.path, ONE).read_text()
    assert isinstance(prepared, Prepared)
    assert holds(link(prepared, text, "fieldwise"), "two as it stands")
    Path(tree.path, "core/two.c").write_text('const char two[] = "two after an edit";\n')
    prepared = build()
    assert isinstance(prepared, Prepared)
    assert holds(link(prepared, text, "fieldwise"), "two after an edit")
    assert holds(link(prepared, 'const char one[] = "windowed";', "window"), "two after an edit")
    again = link(prepared, text, "fieldwise")
    assert isinstance(again, Kernel) and again.reused


def test_an_edit_of_any_folders_makefile_is_linked(tree: Tree, build: Build, link: Link) -> None:
    """It may name further objects."""
    prepared, text = build(), Path(tree.path, ONE).read_text()
    assert isinstance(prepared, Prepared)
    for root in (tree.path, prepared.folder):
        Path(root, "far").mkdir()
    Path(prepared.folder, "far/.built-in.a.cmd").touch()
    link(prepared, text)
    Path(tree.path, "far/Makefile").write_text("obj-y += far.o\n")
    again = link(prepared, text)
    assert isinstance(again, Kernel) and not again.reused


def test_a_folder_that_was_left_in_another_style_is_put_right(build: Build, link: Link) -> None:
    """As after SIGKILL: the original waits beside, the other one stands in its place."""
    prepared = build()
    assert isinstance(prepared, Prepared)
    made, kept = (
        Path(prepared.folder, at) for at in ("core/one.o", ".uaccel-originals/core/one.o")
    )
    before = made.read_bytes()
    kept.parent.mkdir(parents=True)
    shutil.copy2(made, kept)
    made.write_bytes(b"of another style")
    assert isinstance(build(), Prepared)
    assert made.read_bytes() == before and not kept.exists()
    assert holds(link(prepared, 'const char one[] = "afterwards";'), "afterwards")


def test_an_interruption_puts_the_object_back(
    build: Build, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = build()
    assert isinstance(prepared, Prepared)
    made = Path(prepared.folder, "core/one.o")
    before = made.read_bytes()

    def interrupted(*_: object) -> None:
        assert made.read_bytes() != before
        raise KeyboardInterrupt

    monkeypatch.setattr("uaccel.host.kernels._make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        link(prepared, 'const char one[] = "never";')
    assert made.read_bytes() == before


def test_an_object_that_make_makes_anew_is_not_linked_for_a_style(
    tree: Tree, build: Build, link: Link
) -> None:
    """Something that it depends on is made anew, so make compiles the tree's own text once more."""
    prepared = build()
    assert isinstance(prepared, Prepared)
    with Path(tree.path, "Makefile").open("a") as file:
        file.write("$(O)/core/one.o: $(O)/new.h\n$(O)/new.h:\n\ttouch $@\n")
    assert holds(link(prepared, 'const char one[] = "in a window";', "window"), "in a window")


def test_a_link_that_was_stopped_is_made_anew(build: Build, link: Link) -> None:
    """Make takes away what it was about to replace."""
    prepared = build()
    assert isinstance(prepared, Prepared)
    Path(prepared.folder, "vmlinux").unlink()
    assert holds(link(prepared, 'const char one[] = "in a window";', "window"), "in a window")


def test_an_object_that_the_kernel_has_no_part_of_is_told(build: Build, link: Link) -> None:
    prepared = build("core/apart.o")
    assert isinstance(prepared, Prepared)
    refused = link(prepared, "int apart;", "window")
    assert isinstance(refused, Unbuilt)
    assert refused.why == "its kernel has no part of core/apart.o: another machine may have"


def test_what_does_not_compile_is_told_in_the_compilers_words(build: Build, link: Link) -> None:
    prepared = build()
    assert isinstance(prepared, Prepared)
    refused = link(prepared, "int one = ;", "window")
    assert isinstance(refused, Unbuilt)
    assert "core/one.o was not compiled: core/one.c:1:11: error: " in refused.why


def test_make_keeps_others_out_when_we_are_killed(tmp_path: Path) -> None:
    """It goes on in the folder: who comes next waits until it has ended."""
    lock, begun, end = (tmp_path / name for name in ("lock", "begun", "end"))
    wait = f"touch {begun}; while ! test -e {end}; do sleep 0.05; done"
    program = f"""
from pathlib import Path
from uaccel.host.kbuild import locked
from uaccel.host.run import run
with locked(Path({str(lock)!r})) as held:
    run(("sh", "-c", {wait!r}), folder=Path("/"), timeout=60, passed=(held,))
"""
    with subprocess.Popen((sys.executable, "-c", program)) as us:
        while not begun.exists():
            time.sleep(0.05)
        us.kill()
    with lock.open() as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        end.touch()
        with locked(lock):
            pass
