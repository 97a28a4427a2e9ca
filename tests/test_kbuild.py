# SPDX-License-Identifier: GPL-2.0-only
"""Kbuild's saved command is found, repeated on other text, and what it says is kept."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from elftools.elf.elffile import ELFFile

from uaccel import arch as archs
from uaccel.catalog import catalog
from uaccel.errors import UserError
from uaccel.host.kbuild import (
    Prepared,
    compile_tree_object,
    fragment_lines,
    object_of,
    prepare,
    survivors,
)
from uaccel.host.savedcommand import parse, redirect
from uaccel.host.store import Store, cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import open_tree
from uaccel.host.variant import compile_variant
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Build, Toolchain, Unbuilt

NATIVE = PurePosixPath("sound/core/pcm_native.c")
COMPAT = PurePosixPath("sound/core/pcm_compat.c")
ARCHS = catalog(archs, Arch)

COMPILE = """gcc -Wp,-MMD,a/.b.o.d -DNAME='"b"' -DX=$(pound)$$1 -c -o a/b.o /t/a/b.c"""
SAVED = f"""savedcmd_a/b.o := {COMPILE} ; ./objtool --uaccess a/b.o

source_a/b.o := /t/a/b.c

deps_a/b.o := \\
    $(wildcard include/config/SMP) \\
  /t/include/linux/kconfig.h \\
  include/generated/autoconf.h \\

a/b.o: $(deps_a/b.o)
"""


def test_a_saved_command_is_split_into_compiler_objtool_and_dependencies() -> None:
    """Make's escapes and the shell's quotes are gone; $(wildcard) lines are no files."""
    saved = parse(SAVED)
    assert saved is not None
    assert saved.compile[:4] == ("gcc", "-Wp,-MMD,a/.b.o.d", '-DNAME="b"', "-DX=#$1")
    assert saved.objtool == ("./objtool", "--uaccess", "a/b.o")
    assert saved.dependencies == ("/t/include/linux/kconfig.h", "include/generated/autoconf.h")


def test_the_older_spelling_is_read_and_a_file_without_a_command_is_not() -> None:
    """6.1 says cmd_, and has no objtool part where objtool does not look."""
    old = parse("cmd_a/b.o := gcc -c -o a/b.o /t/a/b.c\n")
    assert old is not None
    assert (old.compile[0], old.objtool, old.dependencies) == ("gcc", None, ())
    assert parse("source_a/b.o := /t/a/b.c\n") is None


def test_a_redirected_command_writes_one_file_elsewhere() -> None:
    """The dependency file would land in the output folder that others use."""
    argv = ("gcc", "-Wp,-MMD,a/.b.o.d", "-c", "-o", "a/b.o", "/t/a/b.c")
    there = redirect(argv, "/s/a/b.c", "/s/a/b.o", ("-g",))
    assert there == ("gcc", "-c", "-o", "/s/a/b.o", "-g", "/s/a/b.c")


def test_configuration_lines_may_have_two_names_or_be_optional() -> None:
    """`or` asks for one of two names, `if possible` turns a loss into a note."""
    wanted = ("CONFIG_A=y or CONFIG_B=y", "CONFIG_C=y if possible", "# CONFIG_D is not set")
    lines = ("CONFIG_A=y", "CONFIG_B=y", "CONFIG_C=y", "# CONFIG_D is not set")
    assert fragment_lines(wanted) == lines
    assert survivors(wanted, "CONFIG_B=y\nCONFIG_C=y\n") == ((), ())
    lost, notes = survivors(wanted, "# CONFIG_A is not set\nCONFIG_D=y\n")
    assert lost == ("CONFIG_A=y or CONFIG_B=y", "# CONFIG_D is not set")
    assert notes == ("no CONFIG_C=y on this tree with this compiler",)


@pytest.fixture
def small(tmp_path: Path) -> Tree:
    """Return a tree of four files in one folder."""
    folder = tmp_path / "sound" / "core"
    folder.mkdir(parents=True)
    (folder / "Makefile").write_text("snd-pcm-y := pcm.o pcm_native.o pcm_lib.o\n")
    (folder / "pcm_native.c").write_text('#include <x.h>\n #  include "pcm_compat.c"\n')
    (folder / "pcm_compat.c").write_text("int x;\n")
    (folder / "native.c").write_text('// "pcm_compat.c"\n')
    return Tree(str(tmp_path), "6.12")


def test_an_object_may_be_named_by_a_variable_of_make(small: Tree) -> None:
    # obj-y += signal_$(BITS).o: arch/sparc/kernel/Makefile.
    makefile = Path(small.path, "sound/core/Makefile")
    makefile.write_text("obj-y += $(ALL).o lamp_$(BITS).o\n")
    assert object_of(small, PurePosixPath("sound/core/lamp_32.c")) == "sound/core/lamp_32.o"
    with pytest.raises(UserError, match=r"other\.c is no object of its own"):
        object_of(small, PurePosixPath("sound/core/other.c"))


def test_an_included_file_belongs_to_the_object_of_its_includer(small: Tree) -> None:
    """pcm_compat.c has no object; a name that is part of a longer one does not count."""
    assert object_of(small, NATIVE) == "sound/core/pcm_native.o"
    assert object_of(small, COMPAT) == "sound/core/pcm_native.o"
    with pytest.raises(UserError, match=r"native\.c is no object of its own"):
        object_of(small, PurePosixPath("sound/core/native.c"))


# From here on with a real tree and a real compiler.


@pytest.fixture(scope="module")
def tree(request: pytest.FixtureRequest) -> Tree:
    """Return the 6.12 tree: the one that the environment names, else the cached one."""
    named = os.environ.get("UACCEL_TEST_TREE")
    return open_tree(Path(named) if named else request.getfixturevalue("tree_6_12"))


@pytest.fixture(scope="module")
def store() -> Store:
    """Return the user's own store, so that a second run of the tests builds nothing."""
    return Store(cache_folder(os.environ))


def made(name: str, tree: Tree, store: Store) -> Prepared:
    """Return the seed's object on one architecture, or skip when no gcc is here."""
    toolchain = find_toolchain(ARCHS[name], {}, prefer="gcc")
    if isinstance(toolchain, Unbuilt):
        pytest.skip(toolchain.why)
    assert isinstance(toolchain, Toolchain)
    prepared = prepare(tree, ARCHS[name], toolchain, object_of(tree, NATIVE), store, lambda _: None)
    assert isinstance(prepared, Prepared), prepared
    return prepared


@pytest.fixture(scope="module")
def x86(tree: Tree, store: Store) -> Prepared:
    """Return the seed's object on x86-64."""
    return made("x86_64", tree, store)


def opened(build: Build) -> tuple[set[str], set[str]]:
    """Return the source files and the functions that the object's DWARF and symbols name."""
    assert build.path is not None, build.log
    files: set[str] = set()
    functions: set[str] = set()
    with Path(build.path).open("rb") as stream:
        dwarf = ELFFile(stream).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            assert program is not None
            folders = [name.decode() for name in program["include_directory"]]
            for entry in program["file_entry"]:
                files.add(os.path.normpath(Path(folders[entry.dir_index], entry.name.decode())))
            for die in unit.iter_DIEs():
                if die.tag == "DW_TAG_subprogram" and "DW_AT_name" in die.attributes:
                    functions.add(die.attributes["DW_AT_name"].value.decode())
    return files, functions


def test_an_8xx_object_is_kept_and_names_no_folder_of_ours(tree: Tree, store: Store) -> None:
    """A second time no program runs, neither make nor a compiler."""
    prepared = made("ppc8xx", tree, store)
    text = Path(tree.path, NATIVE).read_bytes()
    first = compile_variant(prepared, tree, {NATIVE: text}, store)
    second = compile_variant(prepared, tree, {NATIVE: text}, store)
    assert (second.reused, second.path) == (True, first.path)
    assert first.objtool is None
    assert first.path is not None
    content = Path(first.path).read_bytes()
    assert b"snd_pcm_ioctl_sync_ptr_compat" in content
    assert not any(place.encode() in content for place in (str(store.root), tree.path))
    again = made("ppc8xx", tree, store)
    assert (again.reused, again.identity) == (True, prepared.identity)


def test_an_object_does_not_depend_on_where_it_was_compiled(
    tree: Tree, store: Store, tmp_path: Path
) -> None:
    """Two stores give the same bytes, so a figure can be repeated."""
    prepared = made("ppc8xx", tree, store)
    text = Path(tree.path, NATIVE).read_bytes()
    here, there = (
        compile_variant(prepared, tree, {NATIVE: text}, place) for place in (store, Store(tmp_path))
    )
    assert here.path is not None
    assert there.path is not None
    assert here.path != there.path
    assert Path(here.path).read_bytes() == Path(there.path).read_bytes()


def test_the_included_file_is_compiled_through_its_includer(
    tree: Tree, store: Store, x86: Prepared
) -> None:
    """x86-64 compiles the x32 branch, objtool has nothing to say of the tree's own text."""
    build = compile_variant(x86, tree, {COMPAT: Path(tree.path, COMPAT).read_bytes()}, store)
    files, functions = opened(build)
    assert {str(NATIVE), str(COMPAT)} <= files  # as the tree names them
    assert not any(name.startswith("/") for name in files)
    assert "snd_pcm_ioctl_sync_ptr_x32" in functions
    assert build.objtool == ""
    assert compile_tree_object(x86, "arch/x86/lib/getuser.o") is not None
    assert compile_tree_object(x86, "arch/arm/lib/nosuch.o") is None


def test_a_stray_parenthesis_in_the_x32_branch_is_noticed(
    tree: Tree, store: Store, x86: Prepared
) -> None:
    """The seed's patch had one, and nobody's configuration compiled that branch."""
    last = b"put_user(scontrol.avail_min, &src->c.control.avail_min))\n\t\treturn -EFAULT;"
    text = Path(tree.path, COMPAT).read_bytes()
    x32 = text.index(b"snd_pcm_ioctl_sync_ptr_x32(struct")
    at = text.index(last, x32)
    broken = text[:at] + last.replace(b"avail_min))", b"avail_min)))") + text[at + len(last) :]
    build = compile_variant(x86, tree, {COMPAT: broken}, store)
    line = text.count(b"\n", 0, at) + 1
    assert build.path is None
    assert build.objtool is None
    assert f"{COMPAT}:{line}:" in build.log
    assert "error:" in build.log
    again = compile_variant(x86, tree, {COMPAT: broken}, store)
    assert (again.reused, again.log) == (True, build.log)


READ = b"""\tif (get_user(sflags, &src->flags) ||
\t    get_user(scontrol.appl_ptr, &src->c.control.appl_ptr) ||
\t    get_user(scontrol.avail_min, &src->c.control.avail_min))
\t\treturn -EFAULT;
"""
WINDOW = b"""\tif (!user_read_access_begin(src, sizeof(*src)))
\t\tgoto efault;
\tunsafe_get_user(sflags, &src->flags, efault);
\tunsafe_get_user(scontrol.appl_ptr, &src->c.control.appl_ptr, efault);
\tunsafe_get_user(scontrol.avail_min, &src->c.control.avail_min, efault);
\tuser_read_access_end();
\tif (0) {
efault:
\t\tuser_read_access_end();
\t\treturn -EFAULT;
\t}
"""
COPY = b"""\tif (!user_read_access_begin(src, sizeof(*src)))
\t\treturn -EFAULT;
\tunsafe_copy_from_user(&scontrol, &src->c.control, sizeof(scontrol), efault);
efault:
\tuser_read_access_end();
"""


def test_an_end_after_a_begin_that_failed_is_noticed_by_objtool(
    tree: Tree, store: Store, x86: Prepared
) -> None:
    """It compiles, and on the author's powerpc nothing shows it."""
    build = in_x32(x86, tree, store, WINDOW)
    assert build.path is not None, build.log
    assert build.objtool is not None
    assert "redundant UACCESS disable" in build.objtool
    assert str(store.root) not in build.objtool
    right = in_x32(x86, tree, store, WINDOW.replace(b"goto efault;", b"return -EFAULT;"))
    assert right.objtool == ""


def test_an_accessor_that_an_architecture_lacks_does_not_compile(
    tree: Tree, store: Store, x86: Prepared
) -> None:
    """x86 has no unsafe_copy_from_user()."""
    build = in_x32(x86, tree, store, COPY)
    assert build.path is None
    assert "unsafe_copy_from_user" in build.log


def in_x32(prepared: Prepared, tree: Tree, store: Store, reads: bytes) -> Build:
    """Return what is made of the x32 function with `reads` in place of its three get_user()."""
    text = Path(tree.path, COMPAT).read_bytes()
    at = text.index(READ, text.index(b"snd_pcm_ioctl_sync_ptr_x32(struct"))
    broken = text[:at] + reads + text[at + len(READ) :]
    return compile_variant(prepared, tree, {COMPAT: broken}, store)
