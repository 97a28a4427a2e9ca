# SPDX-License-Identifier: GPL-2.0-only
"""A module that times a shape: written, built by the kernel's own build, and run as a program."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.asking import POINT, TOY, Uaccel
from tests.fakelinux import contents
from uaccel.cli.options import ARCHES
from uaccel.errors import UserError
from uaccel.flow.shapes import shapes
from uaccel.flow.targets import load
from uaccel.host.kbuild import Prepared, environment_for, prepare
from uaccel.host.run import find_program, run
from uaccel.host.store import Store, cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import open_tree
from uaccel.model.benched import BenchRun, Plan, Shape, Transfer
from uaccel.model.machine import Toolchain, Unbuilt
from uaccel.model.source import Direction
from uaccel.read.benchlog import bench_runs
from uaccel.report.benchmodule import NAMES, module

COMPAT = "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat"
KERNEL = Path(__file__).parent / "samples" / "benchkernel.h"
STYLES = ("empty", "fieldwise", "unchecked", "window", "masked", "scoped", "structcopy")
# u32 flags; u64 time;  -- and on 32-bit machines an unsigned long of 4 bytes in its place
WIDE = (Transfer(0, 4), Transfer(8, 8))
NARROW = (Transfer(0, 4), Transfer(4, 4))
ODD = (Transfer(9, 8), Transfer(0, 8), Transfer(17, 1))


def shape(way: Direction = Direction.WRITE, *plans: Plan) -> Shape:
    """Return an invented shape."""
    return Shape(f"a/b.c:f:{way.value}@1", way, plans or (Plan(("64-bit",), WIDE),), ())


def source(*found: Shape) -> str:
    """Return the C of a module."""
    return dict(module(found, "uaccel bench-module"))[NAMES[0]]


# ---- shapes ----


def test_the_shape_of_the_seed_is_that_of_its_struct(tree_6_12: Path) -> None:
    tree = open_tree(tree_6_12)
    (target,) = load(tree, (COMPAT,))
    read, write = shapes(tree, target, None)
    assert (read.direction, write.direction) == (Direction.READ, Direction.WRITE)
    assert [one.offset for one in read.plans[0].transfers] == [0, 68, 72]
    ((plan,),) = (write.plans,)  # the same under every data model
    assert [one.offset for one in plan.transfers] == [4, 12, 16, 20, 24, 28, 32, 68, 72]
    assert {one.width for one in plan.transfers} == {4}
    assert (read.notes, write.notes) == ((), ())
    assert shapes(tree, target, 2) == (write,)


def test_what_the_headers_do_not_tell_is_asked_for_or_said_to_be_assumed(tree_6_12: Path) -> None:
    tree = open_tree(tree_6_12)
    (target,) = load(tree, ("sound/core/pcm_native.c:snd_pcm_sync_ptr",))
    read, _ = shapes(tree, target, None, 16)
    assert [one.width for one in read.plans[0].transfers] == [4, 8, 8]
    assert any("taken as 16 bytes" in note for note in read.notes)
    assert any("one behind the other" in note for note in read.notes)
    (zone,) = load(tree, ("kernel/time/time.c:settimeofday",))
    (mixed,) = shapes(tree, zone, None)
    assert (
        "Some widths are not known: 4 bytes are assumed for those. "
        "(64-bit, 64-bit with compat u64 at 4 bytes)"
    ) in mixed.notes


def test_a_cluster_without_a_known_access_is_left_out_and_said(tree_6_12: Path) -> None:
    """A window around calls of helpers alone, and one that copies what no header tells."""
    tree = open_tree(tree_6_12)
    (target,) = load(tree, ("arch/powerpc/kernel/signal_64.c:swapcontext",))
    (only,) = shapes(tree, target, None)
    told = "\n".join(only.notes)
    assert "read@720 is left out: what it accesses is not known" in told
    assert re.search(r"write@686 is left out: how many bytes unsafe_copy_to_user\(.*\) moves", told)
    with pytest.raises(UserError, match="what it accesses is not known"):
        shapes(tree, target, 3)


# ---- the command ----


def test_three_files_are_written_and_replaced(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    place = tmp_path / "bench"
    before = contents(linux)
    said = uaccel("bench-module", POINT, "--tree", linux, "--out", place)
    assert said.status == 0
    assert said.stdout.splitlines() == [str(place / name) for name in NAMES]
    assert "toy_get_point:write@29: bytes at offset: 4 at 0, 4 at 4, 4 at 8" in said.stderr
    first = contents(place)
    assert set(first) == set(NAMES)
    assert b"put_user(k->f2, &u->f2)" in first[NAMES[0]]
    (place / "uaccel_bench.ko").write_text("built")
    target = f"{TOY}:toy_set_point"
    assert uaccel("bench-module", target, "--tree", linux, "--out", place).status == 0
    assert b"get_user(k->f2, &u->f2)" in contents(place)[NAMES[0]]
    assert contents(place)["uaccel_bench.ko"] == b"built"
    assert contents(linux) == before


@pytest.mark.parametrize("name", [*NAMES, "Kbuild", "GNUmakefile"])
def test_a_folder_of_others_is_left_alone(
    uaccel: Uaccel, linux: Path, tmp_path: Path, name: str
) -> None:
    place = tmp_path / "driver"
    place.mkdir()
    (place / name).write_text("obj-m := mine.o\n")
    error = uaccel("bench-module", POINT, "--tree", linux, "--out", place).error
    assert f"{place / name} is there and not ours; name another folder" in error
    assert contents(place) == {name: b"obj-m := mine.o\n"}


def test_a_link_is_not_written_through(uaccel: Uaccel, linux: Path, tmp_path: Path) -> None:
    place = tmp_path / "driver"
    place.mkdir()
    (tmp_path / "precious").write_text("mine")
    (place / "README").symlink_to(tmp_path / "precious")
    assert "not ours" in uaccel("bench-module", POINT, "--tree", linux, "--out", place).error
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((f"{TOY}:toy_is_flat",), "toy_is_flat makes no user access"),
        ((TOY,), f"{TOY} is no function; name one as FILE:FUNCTION"),
        ((POINT, "--cluster", "2"), "toy_get_point has 1 cluster, so no cluster 2"),
        ((POINT, "--cluster", "0"), "toy_get_point has 1 cluster, so no cluster 0"),
        ((POINT, "--bytes", "9999"), "a copy of 9999 bytes cannot be timed; it must be 1 to 4096"),
        ((POINT, "--json", "x.json"), "--json holds what a log says; --read FILE names one"),
        (("--read", "log"), "--read shows what was measured; --out has no meaning there"),
    ],
)
def test_bad_input_is_one_sentence(
    uaccel: Uaccel, linux: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    place = tmp_path / "bench"
    assert sentence in uaccel("bench-module", *words, "--tree", linux, "--out", place).error
    assert not place.exists()


def test_a_function_and_a_folder_are_asked_for(uaccel: Uaccel, linux: Path) -> None:
    assert "--out" in uaccel("bench-module", POINT, "--tree", linux).error
    assert "FILE:FUNCTION" in uaccel("bench-module", "--out", "x").error


def test_a_hostile_name_ends_neither_comment_nor_string_nor_line(tmp_path: Path) -> None:
    """It comes from a tree; C, make and a log are made of it."""
    odd = replace(shape(), of='a/*/b".c:%s\n#include "x"\\:f:write@1', notes=("a\x1b[31m\nb",))
    for text in dict(module((odd,), "uaccel \x1b x")).values():
        assert "\x1b" not in text
        assert "%s\n#" not in text
    (one,) = ran(tmp_path, source(odd), "-DCOUNTS=1")
    assert one.clusters[0].of == "a/_/b_.c:_s__include__x__:f:write@1"


# ---- the C, as a program on a toy kernel ----


def ran(folder: Path, text: str, *defines: str) -> tuple[BenchRun, ...]:
    """Return what `text` said when it ran as a program, after it compiled without a warning."""
    if find_program("gcc") is None:
        pytest.skip("no gcc is here")
    for header in re.findall(r"<(linux/[\w/]+\.h)>", text):
        (folder / header).parent.mkdir(parents=True, exist_ok=True)
        (folder / header).write_text("")
    (folder / "bench.c").write_text(text)
    options = ("-O2", "-Wall", "-Werror", "-I.", "-include", str(KERNEL), *defines)
    built = run(("gcc", *options, "bench.c", "-o", "bench"), folder=folder, timeout=60)
    assert built.status == 0, built.stderr
    said = run((str(folder / "bench"),), folder=folder, timeout=60)
    assert said.status == 0, said.stdout
    return bench_runs("log", said.stdout)


def checks(one: BenchRun, cluster: int = 0) -> dict[str, str]:
    """Return what came of the check of each style."""
    return {timed.style: timed.check for timed in one.clusters[cluster].timed}


@pytest.mark.parametrize("way", Direction)
@pytest.mark.parametrize("transfers", [WIDE, ODD, (Transfer(0, 1),)], ids=["wide", "odd", "one"])
def test_every_style_moves_the_same_bytes_and_notices_bad_pointers(
    tmp_path: Path, way: Direction, transfers: tuple[Transfer, ...]
) -> None:
    (one,) = ran(tmp_path, source(shape(way, Plan(("64-bit",), transfers))), "-DCOUNTS=1")
    assert one.notes == ()
    assert (one.machine, one.release, one.slowed) == ("toy", "6.12.0-toy", False)
    (cluster,) = one.clusters
    assert (cluster.direction, cluster.accesses) == (way.value, len(transfers))
    absent = dict.fromkeys(("masked", "scoped"), "absent")
    assert checks(one) == {**dict.fromkeys(STYLES, "pass"), "empty": "floor", **absent}
    for timed in cluster.timed:
        if timed.check == "absent":
            assert (timed.ns, timed.cycles) == (None, None)
        else:
            assert timed.ns is not None and timed.least_ns is not None and timed.ns > 0
            assert timed.least_ns <= timed.ns


def test_a_style_that_forgets_a_field_is_not_timed(tmp_path: Path) -> None:
    text = source(shape())
    broken = text.replace("\tunsafe_put_user(k->f1, &u->f1, efault);\n", "", 1)
    assert broken != text
    (one,) = ran(tmp_path, broken, "-DCOUNTS=1")
    assert checks(one)["window"] == "differs"
    assert checks(one)["fieldwise"] == "pass"
    assert next(t for t in one.clusters[0].timed if t.style == "window").ns is None


def test_a_bad_pointer_that_goes_unnoticed_is_told(tmp_path: Path) -> None:
    (one,) = ran(tmp_path, source(shape()), "-DCOUNTS=1", "-DFAULTS=0")
    assert {checks(one)[style] for style in ("fieldwise", "window")} == {"no-fault"}


def test_a_counter_that_stands_still_is_told(tmp_path: Path) -> None:
    (one,) = ran(tmp_path, source(shape()), "-DCOUNTS=0")
    assert one.notes == ("get_cycles() stands still on that machine.",)
    assert all(timed.cycles is None for timed in one.clusters[0].timed)
    assert all(timed.ns for timed in one.clusters[0].timed if timed.check == "pass")


def test_several_clusters_and_data_models_are_one_module(tmp_path: Path) -> None:
    """The 32-bit layout of the second is under an #else that this program does not compile."""
    plans = (
        Plan(("64-bit", "64-bit with compat u64 at 4 bytes"), WIDE),
        Plan(("32-bit", "32-bit with u64 at 4 bytes"), NARROW),
    )
    text = source(shape(Direction.READ), shape(Direction.WRITE, *plans))
    for option, size in (("-DCONFIG_64BIT", 16), ("-DCONFIG_X86_32", 8)):
        (one,) = ran(tmp_path, text, "-DCOUNTS=1", option)
        assert [cluster.bytes for cluster in one.clusters] == [16, size]
        assert checks(one, 1)["window"] == "pass"


def test_layouts_that_no_single_option_tells_apart_are_told_apart(tmp_path: Path) -> None:
    plans = (
        Plan(("64-bit", "32-bit"), WIDE),
        Plan(("64-bit with compat u64 at 4 bytes", "32-bit with u64 at 4 bytes"), NARROW),
    )
    text = source(shape(Direction.WRITE, *plans))
    compat = ("-DCONFIG_64BIT", "-DCONFIG_COMPAT_FOR_U64_ALIGNMENT")
    for options, size in (
        (("-DCONFIG_64BIT",), 16),
        (compat, 8),
        ((), 16),
        (("-DCONFIG_X86_32",), 8),
    ):
        (one,) = ran(tmp_path, text, "-DCOUNTS=1", *options)
        assert one.clusters[0].bytes == size


# ---- the C, in real kernels ----


def kernel(tree: Path, name: str) -> Prepared:
    """Return a kernel of `tree` that modules can be built for, or skip without a compiler."""
    arch = ARCHES[name]
    config = (*(c for c in arch.config if "SND" not in c and "SOUND" not in c), "CONFIG_MODULES=y")
    lean = replace(arch, config=config, helpers=())
    toolchain = find_toolchain(lean, {}, prefer="gcc")
    if isinstance(toolchain, Unbuilt):
        pytest.skip(toolchain.why)
    assert isinstance(toolchain, Toolchain)
    store = Store(cache_folder(os.environ))
    found = prepare(open_tree(tree), lean, toolchain, "lib/sort.o", store, lambda _: None)
    assert isinstance(found, Prepared), found
    # A 32-bit powerpc links this into every module; a kernel that was built has it.
    saved = "arch/powerpc/lib/crtsavres.o"
    more = (saved,) if arch.srcarch == "powerpc" else ()
    made(found, "modules_prepare", *more)
    return found


def made(prepared: Prepared, *words: str) -> str:
    """Return what make said for `words`, after it ended well."""
    said = run(
        (*prepared.make, *words),
        folder=Path("/"),
        timeout=300,
        environment=environment_for(prepared.path),
    )
    assert said.status == 0, f"{said.stdout}{said.stderr}"
    return f"{said.stdout}{said.stderr}"


@pytest.mark.parametrize(
    ("version", "name", "there"),
    [
        ("6.12", "x86_64", ("masked",)),
        ("6.12", "ppc8xx", ()),
        ("7.3", "x86_64", ("masked", "scoped")),
        ("7.3", "arm64", ("scoped",)),
        ("6.1", "ppc32", ()),
    ],
)
def test_kbuild_has_nothing_against_it(
    request: pytest.FixtureRequest, tmp_path: Path, version: str, name: str, there: tuple[str, ...]
) -> None:
    """The seed's three reads and nine writes, under W=1; checkpatch --strict is content too."""
    seed = open_tree(request.getfixturevalue("tree_6_12"))
    tree = request.getfixturevalue(f"tree_{version.replace('.', '_')}")
    (target,) = load(seed, (COMPAT,))
    for file, text in module(shapes(seed, target, None), "uaccel bench-module"):
        (tmp_path / file).write_text(text)
    perl = ("perl", "scripts/checkpatch.pl", "--no-tree", "--strict", "-f")
    said = run((*perl, str(tmp_path / NAMES[0])), folder=tree, timeout=60)
    assert "total: 0 errors, 0 warnings, 0 checks" in said.stdout, said.stdout
    prepared = kernel(tree, name)
    # No kernel was linked, so no symbol is known to modpost: it may only warn.
    told = made(prepared, f"M={tmp_path}", "KBUILD_MODPOST_WARN=1", "W=1", "modules")
    assert not [line for line in told.splitlines() if "uaccel_bench.c" in line], told
    assert (tmp_path / "uaccel_bench.ko").is_file()
    symbols = run(("nm", "uaccel_bench.o"), folder=tmp_path, timeout=60).stdout
    always = ("fieldwise", "unchecked", "window", "structcopy")
    for style in (*always, *there):
        assert f" c2_{style}\n" in symbols, style
    assert (" c2_scoped\n" in symbols) == ("scoped" in there)
