# SPDX-License-Identifier: GPL-2.0-only
"""How functions of a kernel that boots are written before it is linked, and what is said of it.

Nothing is compiled or linked here: what would be is taken down.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from tests.replay import MACHINES
from tests.test_helper import FIRST, NAME, SECOND
from uaccel.flow.ground import Ground
from uaccel.flow.targets import load
from uaccel.flow.written import Base, Linked, Way, base, linked
from uaccel.host.kbuild import Prepared
from uaccel.host.kernels import Written
from uaccel.host.store import Store
from uaccel.host.tree import open_tree
from uaccel.model import executed
from uaccel.model.boot import Kernel
from uaccel.model.machine import Build, Toolchain, Unbuilt
from uaccel.read.elf import Elf, Symbol

TOY = "drivers/toy/toy.c"
GET, SET = f"{TOY}:toy_get_point", f"{TOY}:toy_set_point"
MACHINE = MACHINES["g3beige"]
GCC = Toolchain("gcc 1", "gcc 1", ("CROSS_COMPILE=",), ())
BUILD = Build(MACHINE.name, GCC.name, "toy.o", "", None, "", reused=False)
OBJECT = Elf("EM_PPC", True, 32, (), (Symbol("toy_open", 1, 0, 4, True),))
LINKED = executed.Linked("EM_PPC", True, 32, (("toy_open", 0, 4),), (), 0, 0, 0)


class Board:
    """What stands for make, the compiler and the linker."""

    def __init__(self) -> None:
        self.unmade: dict[str, str] = {}  # objects that cannot be made, and why
        self.notes: tuple[str, ...] = ()
        self.object = OBJECT
        self.kernel = LINKED
        self.texts: dict[PurePosixPath, bytes] = {}  # that were linked last

    def make(self, object: str) -> Prepared | Unbuilt:
        """Return the folder in which `object` was made."""
        if object in self.unmade:
            return Unbuilt(MACHINE.name, self.unmade[object])
        return Prepared(
            arch=MACHINE.name,
            toolchain=GCC.name,
            tree="",
            folder="",
            object=object,
            source=object.replace(".o", ".c"),
            compile=(),
            objtool=None,
            make=(),
            path=(),
            config="",
            identity="",
            notes=self.notes,
            seconds=0,
            reused=True,
        )

    def link(self, written: tuple[Written, ...], style: str) -> Kernel:
        """Return the kernel of what is written."""
        self.texts = {path: text for one in written for path, text in one.texts.items()}
        files = frozenset(PurePosixPath(one.prepared.source).name for one in written)
        self.kernel = replace(self.kernel, files=files)
        return Kernel(MACHINE.name, style, "vmlinux", "vmlinux", GCC.name, 0, reused=False)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    made = Board()
    here = "uaccel.flow.written"
    monkeypatch.setattr(f"{here}.kernel", lambda *given: made.make(given[3]))
    monkeypatch.setattr(f"{here}.relink", lambda *given: made.link(given[3], given[2]))
    monkeypatch.setattr(f"{here}.read_vmlinux", lambda _: made.kernel)
    monkeypatch.setattr(f"{here}.compile_variant", lambda *_: BUILD)
    monkeypatch.setattr(f"{here}.read_elf", lambda _: made.object)
    monkeypatch.setattr(f"{here}.content", lambda _: b"")
    monkeypatch.setattr(f"{here}._layouts", lambda *_: ())
    return made


@pytest.fixture
def ground(linux: Path, tmp_path: Path) -> Ground:
    tree, store = open_tree(linux), Store(tmp_path / "cache")
    return Ground(tree, store, {}, (), "gcc", 1, lambda *_: None)


def built(ground: Ground, *targets: str, ways: tuple[Way, ...] = ()) -> Base:
    """Return a kernel of which the files of `targets` are parts."""
    made = base(ground, MACHINE, GCC, load(ground.tree, targets), ways)
    assert isinstance(made, Base), made
    return made


@pytest.mark.parametrize("turn", [1, -1])
def test_two_functions_of_one_object_are_both_written(
    ground: Ground, board: Board, linux: Path, turn: int
) -> None:
    """The macro of the second one stands in the file of the first one, beside its rewriting."""
    toys = linux / "drivers/toy"
    (toys / "Makefile").write_text("obj-y += lamp.o\n")
    (toys / "lamp.c").write_text(f'{FIRST}#include "lamp_compat.c"\n')
    (toys / "lamp_compat.c").write_text(SECOND)
    names = ("drivers/toy/lamp.c:f", "drivers/toy/lamp_compat.c:f_x32")[::turn]
    made = linked(ground, built(ground, *names), Way("helper"), symbols=False)
    assert isinstance(made, Linked) and not made.notes
    whole, part = (
        board.texts[PurePosixPath("drivers/toy", name)].decode()
        for name in ("lamp.c", "lamp_compat.c")
    )
    assert whole.count(f"#define {NAME}(") == 1
    for text in whole, part:
        assert f"if ({NAME}(arg, lamp))" in text and "if (put_user(" not in text


def test_a_file_that_cannot_be_made_takes_no_style_away(ground: Ground, board: Board) -> None:
    """A patch may change files of several architectures: the styles need none of them."""
    text = {PurePosixPath(TOY): b"int toy;\n"}
    other = {PurePosixPath("drivers/toy/other.c"): b"int other;\n"}
    both, one = Way("both", {**text, **other}), Way("one", text)
    board.unmade["drivers/toy/other.o"] = "drivers/toy/other.o was not made: No rule"
    made = built(ground, GET, ways=(both, one))
    assert isinstance(linked(ground, made, Way("window")), Linked)
    assert isinstance(linked(ground, made, one), Linked)
    refused = linked(ground, made, both)
    assert isinstance(refused, Unbuilt)
    assert refused.why == "drivers/toy/other.o was not made: No rule"


def test_a_target_that_cannot_be_made_takes_all(ground: Ground, board: Board) -> None:
    board.unmade["drivers/toy/toy.o"] = "drivers/toy/toy.o was not made: No rule"
    refused = base(ground, MACHINE, GCC, load(ground.tree, (GET,)))
    assert isinstance(refused, Unbuilt) and refused.why.endswith("No rule")


def test_what_the_compiler_does_not_offer_is_said_once(ground: Ground, board: Board) -> None:
    """All objects of a folder have its notes; the styles that lack nothing have them too."""
    board.notes = ("no CONFIG_TOY=y on this tree with this compiler",)
    made = linked(ground, built(ground, GET, "drivers/toy/other.c:other_get_pair"), Way("window"))
    assert isinstance(made, Linked)
    assert made.notes == ("g3beige: no CONFIG_TOY=y on this tree with this compiler",)


MOVED = """\
static long toy_put(struct toy_point __user *from)
{
	return put_user(kept.x, &from->x) ? -EFAULT : 0;
}

HEADER
{
	return toy_put(from);
}
"""


def moved(header: str) -> Way:
    """Return a patch that moves the accesses of a function out of it, beside its `header`."""
    return Way("moved", {PurePosixPath(TOY): MOVED.replace("HEADER", header).encode()})


@pytest.mark.parametrize(
    "header",
    [
        "static long toy_get_point(struct toy_point __user *from)",
        "static long\ntoy_get_point(struct toy_point __user *from)",
    ],
)
def test_a_function_that_lost_its_accesses_is_kept_as_a_symbol(
    ground: Ground, board: Board, header: str
) -> None:
    """Its calls are counted by its symbol, whoever makes the accesses now."""
    made = linked(ground, built(ground, GET), moved(header))
    assert isinstance(made, Linked) and not made.notes
    text = board.texts[PurePosixPath(TOY)].decode()
    assert text == MOVED.replace("HEADER", f"noinline {header}")


def test_what_cannot_be_kept_as_a_symbol_is_said_where_it_is_none(
    ground: Ground, board: Board
) -> None:
    way = moved("static inline long toy_get_point(struct toy_point __user *from)")
    base = built(ground, GET)
    made = linked(ground, base, way)
    assert isinstance(made, Linked)
    assert made.notes == (
        "g3beige: toy_get_point is no symbol in moved: the compiler inlined it, or its "
        "configuration leaves it out",
    )
    assert b"noinline" not in board.texts[PurePosixPath(TOY)]
    board.kernel = replace(board.kernel, symbols=(*LINKED.symbols, ("toy_get_point", 4, 4)))
    made = linked(ground, base, way)
    assert isinstance(made, Linked) and not made.notes


def test_what_a_configuration_leaves_out_needs_no_word(ground: Ground, board: Board) -> None:
    """A compat function is no part of a kernel of 32 bits, and was marked all the same."""
    made = linked(ground, built(ground, GET), Way(""))
    assert isinstance(made, Linked) and not made.notes
    assert b"noinline long toy_get_point" in board.texts[PurePosixPath(TOY)]


def test_a_file_of_another_folder_with_the_same_name_is_not_taken_for_ours(
    ground: Ground, board: Board
) -> None:
    """The names of the files that a kernel is linked of have no folders."""
    made = built(ground, GET)
    assert isinstance(linked(ground, made, Way("window")), Linked)
    board.kernel = replace(LINKED, symbols=(("other_open", 0, 4),))
    refused = linked(ground, made, Way("window"))
    assert isinstance(refused, Unbuilt)
    assert refused.why == f"its kernel is built without {TOY}"


def test_an_object_without_functions_is_known_by_its_file(ground: Ground, board: Board) -> None:
    board.object = replace(OBJECT, symbols=())
    assert isinstance(linked(ground, built(ground, GET), Way("window")), Linked)
