# SPDX-License-Identifier: GPL-2.0-only
"""What a window would gain, read from the tree: three real ones, and headers of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import uaccel.arch
from tests import accounts
from uaccel.catalog import catalog
from uaccel.errors import BrokenInvariant
from uaccel.flow.account import account
from uaccel.flow.support import folders, supports
from uaccel.gain import LINUX, folder, gain, support, wanted
from uaccel.host.headers import accessor_headers, architectures, headers
from uaccel.host.tree import open_tree
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch
from uaccel.model.scan import Place
from uaccel.model.source import Direction, Form
from uaccel.model.support import Gain, Header, Openings, Support
from uaccel.tables import openings

ARCHES = catalog(uaccel.arch, Arch)
POWER = ("ppc8xx", "ppc32", "ppc64le")
X86 = ("x86_64", "i386")
GENERIC = Header(
    LINUX, "#ifndef user_access_begin\n#define unsafe_copy_from_user(d, s, l, e)\n#endif"
)


def offered(path: Path) -> dict[str, Support]:
    """Return what the tree at `path` offers, by architecture."""
    found = supports(open_tree(path), tuple(ARCHES.values()))
    return {one.arch: one for one in found}


def those(found: Mapping[str, Support], fact: str) -> set[str]:
    """Return the architectures of which `fact` is true."""
    return {name for name, one in found.items() if getattr(one, fact)}


# ---- the trees: each claim was read in their headers ---------------------------


def test_6_1(tree_6_1: Path) -> None:
    found = offered(tree_6_1)
    assert those(found, "begin") == {*X86, *POWER}  # arm64 has none yet
    assert those(found, "apart") == set(POWER)
    assert those(found, "masked") == those(found, "scoped") == set()
    assert those(found, "asm_goto_output") == {*X86, *POWER}
    assert those(found, "why") == set(ARCHES) - {*X86, *POWER}


def test_6_12(tree_6_12: Path) -> None:
    found = offered(tree_6_12)
    assert those(found, "begin") == {*X86, *POWER, "arm64", "arm64-ttbr0"}
    assert those(found, "apart") == set(POWER)
    assert {name: one.masked for name, one in found.items() if one.masked} == {"x86_64": ("rw",)}
    assert those(found, "scoped") == set()
    assert those(found, "asm_goto_output") == {*X86, *POWER, "arm64", "arm64-ttbr0"}
    assert those(found, "why") == {"arm64", "arm", "riscv64", "s390x"}


def test_7_3(tree_7_3: Path) -> None:
    found = offered(tree_7_3)
    assert those(found, "begin") == {*X86, *POWER, "arm64", "arm64-ttbr0", "riscv64"}
    assert those(found, "apart") == set(POWER)
    assert those(found, "masked") == {"x86_64", *POWER}
    assert {found[name].masked for name in ("x86_64", *POWER)} == {("read", "write", "rw")}
    assert those(found, "scoped") == set(ARCHES)
    assert those(found, "asm_goto_output") == set(ARCHES) - {"arm"}
    assert those(found, "why") == {"arm64", "arm", "s390x"}


@pytest.mark.parametrize("version", ["6_1", "6_12", "7_3"])
def test_what_no_version_changes(version: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(f"tree_{version}")
    found = offered(path)
    for name, one in found.items():
        opens = 0 if name in ("arm64", "s390x") else 1
        assert one.writes is not None and one.writes.access == opens
        assert one.reads is not None and one.reads.access == (0 if name == "ppc32" else opens)
        assert set(one.headers) <= set(wanted(ARCHES[name]))
        assert LINUX in one.headers and set(ARCHES[name].begin_header) <= set(one.headers)
        assert all((path / header).is_file() for header in one.headers)
        # Without an own begin the plain copy serves; of those with one, x86 and arm64 lack it.
        assert one.copies is not (one.begin and name not in (*POWER, "riscv64"))
    others = folders(open_tree(path), tuple(ARCHES.values()))
    assert {"alpha", "loongarch", "m68k", "mips", "parisc", "sparc"} <= {o.name for o in others}
    assert {one.begin for one in others} == {False}


# ---- headers of our own --------------------------------------------------------


def said(name: str, **texts: str | None) -> Support:
    """Return what an architecture offers whose own header, and others, say that."""
    arch = ARCHES[name]
    paths = {"own": arch.begin_header[0], "kup": arch.openings[0].file, "linux": LINUX}
    given = {paths[key]: text for key, text in texts.items()}
    return support(arch, tuple(Header(path, text) for path, text in given.items()))


RISCV = (
    "#define __get_user(x, p) ({ \\\n\t__enable_user_access(); \\\n\t__get_user_nocheck(x, p); })\n"
    "#define __put_user(x, p) ({ \\\n\t__enable_user_access(); \\\n\t__put_user_nocheck(x, p); })\n"
)
BEGIN = "#define user_access_begin user_access_begin\n"


def test_a_begin_is_tested_for_and_no_version() -> None:
    assert said("riscv64", own=RISCV, linux=GENERIC.text).begin is False
    own = said("riscv64", own=RISCV + BEGIN, linux=GENERIC.text)
    assert own.begin is True
    assert own.why is None
    assert own.reads == own.writes == Openings(1, 1, 0)


@pytest.mark.parametrize(
    "text",
    [
        "/* #define user_access_begin(a, b) */\n",
        "// #define user_access_begin(a, b)\n",
        "#define user_access_begin_not(a)\n",
        "#define user_write_access_begin(a, b)\n",  # include/linux/uaccess.h asks for the other
        '#define SAYS "\\\n#define user_access_begin"\n',
        "bool user_access_begin(const void __user *ptr, size_t len);\n",
    ],
)
def test_what_only_looks_like_a_begin_is_none(text: str) -> None:
    assert said("riscv64", own=RISCV + text, linux=GENERIC.text).begin is False


def test_without_a_begin_each_access_of_a_window_opens_by_itself() -> None:
    found = said("riscv64", own=RISCV, linux=GENERIC.text)
    assert found.reads == Openings(1, 0, 1)
    assert found.why is not None and "defines no user_access_begin() in this tree" in found.why
    assert found.copies is True  # the plain copy


def test_what_cannot_be_read_is_unknown() -> None:
    nothing = support(ARCHES["riscv64"], ())
    unreadable = said("riscv64", own=None, linux=GENERIC.text)
    for found in (nothing, unreadable):
        assert (found.begin, found.apart, found.masked) == (None, None, None)
        assert (found.reads, found.writes, found.asm_goto_output) == (None, None, None)
        assert found.why is not None and found.why.startswith("not known")
    assert nothing.scoped is None
    assert unreadable.scoped is False
    strange = said("riscv64", own=BEGIN, linux=GENERIC.text)
    assert strange.begin is True
    assert strange.reads is None
    assert strange.why is not None and "not as this workbench knows it" in strange.why


def test_a_header_that_is_gone_is_no_header_that_cannot_be_read() -> None:
    own, *rest = ARCHES["x86_64"].begin_header
    text = "#define user_access_begin(a,b)\tuser_access_begin(a,b)\n"
    gone = support(ARCHES["x86_64"], (GENERIC, Header(own, text)))
    assert (gone.begin, gone.masked) == (True, ())
    locked = support(ARCHES["x86_64"], (GENERIC, Header(own, text), Header(rest[0], None)))
    assert (locked.begin, locked.masked) == (None, None)


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("#ifdef CONFIG_CC_HAS_ASM_GOTO_OUTPUT\n#endif\n", True),
        ("asm_goto_output(ldr : x : y : : l);\n", True),
        ('asm goto("1: ld %0, %1\\n" _EX(1b) \\\n : [v] "=r" (v) : "m" (p) : : l);\n', True),
        ('asm volatile goto("1: ld\\n" : "+r" (v) : : : l);\n', True),
        ('asm goto("1: st\\n" : : "r" (v) : : l);\n', False),
        ("/* CONFIG_CC_HAS_ASM_GOTO_OUTPUT */\n", False),
        ("\n", False),
    ],
)
def test_asm_goto_with_outputs_is_looked_for(text: str, outputs: bool) -> None:
    assert said("riscv64", own=RISCV + text, linux="").asm_goto_output is outputs


def test_masked_begins_are_those_that_may_be_used() -> None:
    own = BEGIN + "#define masked_user_access_begin(p) p\n"
    linux = "# define masked_user_read_access_begin masked_user_access_begin\n"
    assert said("riscv64", own=own, linux="").masked == ("rw",)
    assert said("riscv64", own=own, linux=linux).masked == ("read", "rw")
    assert said("riscv64", own=BEGIN, linux=linux).masked == ()  # NULL there


def test_reading_is_free_only_where_the_tree_says_so() -> None:
    text = "#define user_access_begin user_access_begin\n"
    body = (
        "if (!(dir & KUAP_WRITE))\n\t\treturn;\n\t"
        "current->thread.kuap = to;\n\tkuap_unlock_one(to);"
    )
    found = said("ppc32", own=text, kup=body, linux="")
    assert (found.reads, found.writes) == (Openings(0, 0, 0), Openings(1, 1, 0))
    assert found.opens.startswith("a read opens nothing, a write once")
    assert said("ppc32", own=text, kup="", linux="").reads is None


def test_a_table_of_openings_is_read_or_refused() -> None:
    one, two = openings("a.h", r"both | 1 | a\|b")
    assert (one.direction, two.direction) == (Direction.READ, Direction.WRITE)
    assert (one.times, one.file, one.pattern) == (1, "a.h", "a|b")
    for odd in ("sideways | 1 | x", "read | many | x", "read | 1"):
        with pytest.raises(BrokenInvariant):
            openings("a.h", odd)


def test_other_architectures_are_read_by_their_file_names(tmp_path: Path) -> None:
    asm = tmp_path / "arch" / "vax" / "include" / "asm"
    (asm / "sub").mkdir(parents=True)
    (tmp_path / "arch" / "Kconfig").write_text("")
    (asm / "uaccess.h").write_text('#include "sub/uaccess-real.h"\n')
    (asm / "sub" / "uaccess-real.h").write_text(BEGIN)
    (tmp_path / "arch" / "pdp" / "include" / "asm").mkdir(parents=True)
    tree = Tree(str(tmp_path), "1")
    assert architectures(tree) == ("pdp", "vax")
    vax, pdp = (folder(name, accessor_headers(tree, name)) for name in ("vax", "pdp"))
    assert (vax.begin, pdp.begin) == (True, None)
    assert vax.headers == (
        "arch/vax/include/asm/sub/uaccess-real.h",
        "arch/vax/include/asm/uaccess.h",
    )
    assert architectures(Tree(str(tmp_path / "gone"), "1")) == ()


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.h"
    outside.write_text(BEGIN)
    root = tmp_path / "tree"
    root.mkdir()
    (root / "in.h").symlink_to(outside)
    (root / "loop.h").symlink_to("loop.h")
    (root / "folder.h").mkdir()
    found = headers(Tree(str(root), "1"), ("in.h", "loop.h", "folder.h", "none.h"))
    assert [one.text for one in found if one.path == "in.h"] == [None]
    assert all(one.text is None for one in found)
    assert "none.h" not in {one.path for one in found}


# ---- what a cluster gains ------------------------------------------------------


@given(st.integers(1, 500), st.integers(0, 3), st.booleans())
def test_a_window_saves_all_openings_but_one(longest: int, times: int, begin: bool) -> None:
    offer = accounts.support("first", times, begin=begin)
    seen = replace(accounts.WRITES, longest=longest, accesses=longest)
    assert gain(accounts.FILE, seen, offer).saved == ((longest - 1) * times if begin else 0)


def test_the_longest_path_counts_and_not_the_text() -> None:
    assert gain(accounts.FILE, replace(accounts.WRITES, longest=4), accounts.SUPPORTS[0]).saved == 3


def test_a_loop_saves_at_least_that() -> None:
    looped = replace(accounts.WRITES, looped=True)
    assert gain(accounts.FILE, looped, accounts.SUPPORTS[0]).at_least
    assert not gain(
        accounts.FILE, looped, accounts.SUPPORTS[1]
    ).at_least  # nothing is nothing, however often
    single = replace(looped, longest=1)
    assert gain(accounts.FILE, single, accounts.SUPPORTS[0]) == Gain("first", 1, True, "")


def test_of_a_pair_that_shares_a_window_the_second_half_saves_one_more() -> None:
    first = replace(accounts.READS, longest=1, accesses=1, joined=True)
    second = replace(accounts.WRITES, longest=1, accesses=1, joined=True)
    offer = accounts.SUPPORTS[0]
    assert [gain(accounts.FILE, one, offer).saved for one in (first, second)] == [0, 1]
    writes_only = replace(offer, reads=Openings(0, 0, 0))
    assert gain(accounts.FILE, second, writes_only).saved == 0


def test_what_one_architecture_alone_compiles_gains_nothing_on_the_others() -> None:
    there, elsewhere = accounts.SUPPORTS[0], accounts.SUPPORTS[2]
    assert gain("arch/first/kernel/signal.c", accounts.WRITES, there).saved == 8
    found = gain("arch/first/kernel/signal.c", accounts.WRITES, elsewhere)
    assert (found.saved, found.why) == (0, "arch/first is not compiled for it")


def test_nothing_comes_with_its_reason() -> None:
    assert gain(accounts.FILE, accounts.WRITES, accounts.SUPPORTS[1]).why == accounts.NONE
    unknown = gain(accounts.FILE, accounts.WRITES, accounts.UNKNOWN)
    assert (unknown.saved, unknown.why) == (None, accounts.UNKNOWN.why)
    for form in (Form.WINDOW, Form.MASKED, Form.SCOPED):
        stands = gain(accounts.FILE, replace(accounts.WRITES, form=form), accounts.SUPPORTS[0])
        assert (stands.saved, stands.why) == (0, "it is one window already")


def test_reads_gain_nothing_where_only_writes_are_guarded() -> None:
    offer = replace(accounts.SUPPORTS[0], reads=Openings(0, 0, 0))
    assert gain(accounts.FILE, accounts.WRITES, offer).saved == 8
    reads = gain(accounts.FILE, accounts.READS, offer)
    assert (reads.saved, reads.why) == (0, f"reading opens nothing here: {offer.opens}")


def test_clusters_are_ranked_by_the_openings_saved(linux: Path) -> None:
    found = accounts.account().scan
    places = tuple(Place(accounts.FILE, one) for one in (accounts.READS, accounts.WRITES))
    tree = open_tree(linux)
    ranked = account(replace(found, tree=tree, places=places), tuple(ARCHES.values()), ())
    assert [one.place for one in ranked.findings] == [places[1], places[0]]
    stands = (*places, Place(accounts.FILE, accounts.STANDS))
    known = replace(found, tree=tree, places=stands)
    assert len(account(known, (), ()).findings) == 2  # a window that stands is no cluster
    scoped = replace(known, filters=replace(known.filters, form=Form.SCOPED), places=stands[2:])
    assert len(account(scoped, (), ()).findings) == 1
    assert ranked.supports[0].why is not None  # this small tree has no headers to read
    assert {one.unit for one in ranked.findings} == {"openings"}
