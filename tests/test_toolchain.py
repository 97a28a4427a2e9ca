# SPDX-License-Identifier: GPL-2.0-only
"""A compiler is found where the user named it, in PATH, or in the wheel; else it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from uaccel import arch as archs
from uaccel.catalog import catalog
from uaccel.host.store import Store
from uaccel.host.toolchain import find_toolchain
from uaccel.host.zig import wrappers
from uaccel.model.machine import Arch, Toolchain, Unbuilt

POWERPC = catalog(archs, Arch)["ppc8xx"]
ARM64 = catalog(archs, Arch)["arm64"]
X86 = catalog(archs, Arch)["x86_64"]

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return what puts a program that says one line into the only folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, line: str) -> Path:
        file = folder / name
        file.write_text(f"#!/bin/sh\necho '{line}'\n")
        file.chmod(0o755)
        return file

    return put


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ziglang wheel away."""
    monkeypatch.setattr("uaccel.host.zig.find_spec", lambda _name: None)


def test_the_distributions_cross_gcc_comes_first(program: Program) -> None:
    """Its version is the last number of the line: the first may be the package's."""
    program("powerpc-linux-gnu-gcc", "powerpc-linux-gnu-gcc (Debian 12.2.0-13) 12.2.1")
    found = find_toolchain(POWERPC, {})
    assert isinstance(found, Toolchain)
    assert (found.name, found.make) == ("gcc 12.2.1", ("CROSS_COMPILE=powerpc-linux-gnu-",))
    assert found.version.startswith("powerpc-linux-gnu-gcc (Debian 12.2.0-13) 12.2.1 ")


def test_the_hosts_gcc_serves_its_own_machine(program: Program) -> None:
    """This gcc answers every question with its machine; the version is unknown then."""
    program("gcc", "x86_64-linux-gnu")
    found = find_toolchain(X86, {}, prefer="gcc")
    assert isinstance(found, Toolchain)
    assert (found.name, found.make) == ("gcc of unknown version", ("CROSS_COMPILE=",))
    assert isinstance(find_toolchain(ARM64, {}, prefer="gcc"), Unbuilt)


def test_kbuilds_variables_are_honoured_for_their_own_architecture(
    program: Program, tmp_path: Path
) -> None:
    """ARCH= says which architecture CROSS_COMPILE= and LLVM= are meant for."""
    mine = program("mine-gcc", "mine-gcc (GCC) 14.1.0")
    prefix = str(mine).removesuffix("gcc")
    given = {"ARCH": "powerpc", "CROSS_COMPILE": prefix, "UACCEL_CACHE": str(tmp_path)}
    found = find_toolchain(POWERPC, given)
    assert isinstance(found, Toolchain)
    assert (found.name, found.make) == ("gcc 14.1.0", (f"CROSS_COMPILE={prefix}",))
    other = find_toolchain(ARM64, given, prefer="gcc")
    assert isinstance(other, Unbuilt)

    program("clang-15", "Debian clang version 15.0.6")
    llvm = find_toolchain(POWERPC, {"ARCH": "powerpc", "LLVM": "-15"})
    assert isinstance(llvm, Toolchain)
    assert (llvm.name, llvm.make) == ("clang 15.0.6", ("LLVM=-15",))


@pytest.mark.usefixtures("program")
def test_variables_that_name_no_compiler_are_not_passed_over() -> None:
    """A figure of another compiler than the one asked for would mislead."""
    found = find_toolchain(POWERPC, {"ARCH": "powerpc", "CROSS_COMPILE": "/opt/none/x-"})
    assert isinstance(found, Unbuilt)
    assert "CROSS_COMPILE=/opt/none/x-" in found.why


@pytest.mark.usefixtures("program", "no_wheel")
def test_without_any_compiler_it_says_what_is_missing() -> None:
    """The sentence names the program, its package, and the wheel."""
    found = find_toolchain(POWERPC, {})
    assert isinstance(found, Unbuilt)
    assert found.why.startswith("no compiler for ppc8xx: ")
    for word in ("powerpc-linux-gnu-gcc", POWERPC.package, "ziglang"):
        assert word in found.why


def test_the_wheels_clang_is_found_and_answers_to_its_names(tmp_path: Path) -> None:
    """Kbuild calls LLVM's tools by name, and a second look makes no second folder."""
    pytest.importorskip("ziglang")
    found = find_toolchain(ARM64, {"UACCEL_CACHE": str(tmp_path)}, prefer="clang")
    assert isinstance(found, Toolchain)
    assert found.name.startswith("clang ")
    assert "ziglang" in found.name
    assert found.make[0] == f"LLVM={found.path[0]}/"
    names = {file.name for file in Path(found.path[0]).iterdir()}
    assert {"clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy"} <= names
    assert find_toolchain(ARM64, {"UACCEL_CACHE": str(tmp_path)}, prefer="clang") == found


def test_another_wheel_gets_another_folder(tmp_path: Path) -> None:
    """The folder's name is part of every build's key, through LLVM=."""
    store = Store(tmp_path)
    assert wrappers(Path("/a/zig"), store) != wrappers(Path("/b/zig"), store)
