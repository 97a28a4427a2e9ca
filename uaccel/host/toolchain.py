# SPDX-License-Identifier: GPL-2.0-only
"""Find a compiler for an architecture: the user's choice, a cross gcc, or clang out of a wheel."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from uaccel.host.run import find_program, run
from uaccel.host.store import Store, cache_folder
from uaccel.host.zig import wheel, wrappers
from uaccel.model.machine import Arch, Recipe, Toolchain, Unbuilt

_TIMEOUT = 60  # seconds; the wheel's compiler is read from disk once


def find_toolchain(
    arch: Arch | Recipe,
    environment: Mapping[str, str],
    prefer: Literal["gcc", "clang"] | None = None,
) -> Toolchain | Unbuilt:
    """Return a compiler for `arch`: the one Kbuild's variables name, else gcc, else clang."""
    if prefer is None and (named := _named(arch, environment)):
        return named
    if prefer != "clang" and (gcc := _gcc(arch)):
        return gcc
    if prefer != "gcc" and (clang := _wheel(Store(cache_folder(environment)))):
        return clang
    return Unbuilt(arch.name, f"no compiler for {arch.name}: {_missing(arch, prefer)}")


def _missing(arch: Arch | Recipe, prefer: str | None) -> str:
    gcc = f"{arch.triplet}-gcc is not in PATH (package {arch.package})"
    clang = "the ziglang wheel is not installed (pip install ziglang)"
    return {"gcc": gcc, "clang": clang}.get(prefer or "", f"{gcc} and {clang}")


def _named(arch: Arch | Recipe, environment: Mapping[str, str]) -> Toolchain | Unbuilt | None:
    if environment.get("ARCH") not in (arch.kernel, arch.srcarch, arch.name):
        return None
    chosen = {
        name: value
        for name in ("CROSS_COMPILE", "LLVM", "LLVM_IAS", "CC")
        if (value := environment.get(name))
    }
    if not chosen:
        return None
    program = chosen.get("CC") or _kbuild_compiler(chosen)
    toolchain = _described(program, tuple(f"{name}={value}" for name, value in chosen.items()), ())
    said = " ".join(f"{name}={value}" for name, value in chosen.items())
    return toolchain or Unbuilt(arch.name, f"no compiler for {arch.name}: {said} names no compiler")


def _kbuild_compiler(chosen: Mapping[str, str]) -> str:
    # As the kernel's Makefile does it: LLVM=/folder/ is a prefix, LLVM=-15 is a suffix.
    llvm = chosen.get("LLVM")
    if llvm is None:
        return f"{chosen.get('CROSS_COMPILE', '')}gcc"
    if llvm.endswith("/"):
        return f"{llvm}clang"
    return f"clang{llvm}" if llvm.startswith("-") else "clang"


def _gcc(arch: Arch | Recipe) -> Toolchain | None:
    if cross := _described(f"{arch.triplet}-gcc", (f"CROSS_COMPILE={arch.triplet}-",), ()):
        return cross
    machine = _first_line(("gcc", "-dumpmachine"))
    return _described("gcc", ("CROSS_COMPILE=",), ()) if machine == arch.triplet else None


def _wheel(store: Store) -> Toolchain | None:
    zig = wheel()
    if zig is None:
        return None
    folder = wrappers(zig, store)
    variables = (f"LLVM={folder}/", "HOSTCC=gcc", "HOSTCXX=g++", "HOSTLD=ld", "HOSTAR=ar")
    clang = _described(str(folder / "clang"), variables, (str(folder),))
    if clang is None:
        return None
    release = _first_line((str(zig), "version")) or "of unknown version"
    return Toolchain(
        f"{clang.name} (ziglang {release})", f"{clang.version} {release}", clang.make, clang.path
    )


def _described(program: str, variables: tuple[str, ...], path: tuple[str, ...]) -> Toolchain | None:
    line = _first_line((*program.split(), "--version"))
    if line is None:
        return None
    kind = "clang" if "clang" in line else "gcc"
    numbers = re.findall(r"\d+\.\d+\.\d+", line)
    version = (numbers[0] if kind == "clang" else numbers[-1]) if numbers else "of unknown version"
    return Toolchain(f"{kind} {version}", f"{line} {_fingerprint(program)}", variables, path)


def _fingerprint(program: str) -> str:
    # Two builds of one version say the same first line.
    found = find_program(program.split(maxsplit=1)[0])
    if found is None:
        return program
    place = Path(found).resolve()
    stat = place.stat()
    return f"{place} {stat.st_size} {stat.st_mtime_ns}"


def _first_line(argv: tuple[str, ...]) -> str | None:
    if find_program(argv[0]) is None:
        return None
    said = run(argv, folder=Path(sys.prefix), timeout=_TIMEOUT)
    lines = said.stdout.splitlines()
    return lines[0].strip() if said.status == 0 and lines else None
