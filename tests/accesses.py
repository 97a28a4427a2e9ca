# SPDX-License-Identifier: GPL-2.0-only
"""Compile tests/samples/accesses.c for a machine and make it ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests import replay
from uaccel.host.emulator import Emulator
from uaccel.host.lld import link
from uaccel.host.run import find_program, run
from uaccel.host.store import Store
from uaccel.model.run import Image
from uaccel.read.image import Boot, emulation_of, externals, read_image

SAMPLES = Path(__file__).parent / "samples"
SOURCE = SAMPLES / "accesses.c"
COMMON = (
    *("-O2", "-g", "-ffreestanding", "-fno-pic", "-fno-stack-protector", "-Wall", "-Werror"),
    *("-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns", "-fno-unroll-loops"),
)
# As the kernel has them: no floating point, and arguments where it wants them.
OWN: Mapping[str, tuple[str, ...]] = {
    "x86_64": ("-mcmodel=kernel", "-mno-red-zone", "-mno-sse", "-fcf-protection=none"),
    "i386": ("-m32", "-mregparm=3", "-mno-sse", "-fcf-protection=none"),
    "arm64": ("-mgeneral-regs-only",),
    "arm64-ttbr0": ("-mgeneral-regs-only", "-DSOFTWARE"),
    "ppc8xx": ("-msoft-float",),
    "ppc32": ("-msoft-float", "-DSEGMENTS"),
    "ppc64le": ("-msoft-float",),
    "riscv64": ("-mcmodel=medany",),
    "s390x": ("-msoft-float",),
    "arm": ("-marm", "-mgeneral-regs-only"),
}
# What the numbers in the exception tables of the source mean.
KINDS: Mapping[str, Mapping[int, str]] = {
    "x86_64": {17: "EX_TYPE_IMM_REG"},
    "i386": {17: "EX_TYPE_IMM_REG"},
    "arm64": {2: "EX_TYPE_UACCESS_ERR_ZERO"},
    "arm64-ttbr0": {2: "EX_TYPE_UACCESS_ERR_ZERO"},
    "riscv64": {3: "EX_TYPE_UACCESS_ERR_ZERO"},
    "s390x": {3: "EX_TYPE_UA_STORE", 4: "EX_TYPE_UA_LOAD_MEM", 11: "EX_TYPE_UA_MVCOS_TO"},
}


@cache
def built(name: str) -> Image:
    """Return the sample as an image of one architecture; skip where no compiler is."""
    return linked(name, KINDS.get(name, {}))


@cache
def emulator(name: str) -> Emulator:
    """Return a machine that holds the sample."""
    return Emulator(built(name))


def linked(name: str, kinds: Mapping[int, str]) -> Image:
    """Return the sample for one architecture, its types of entries called as `kinds` says."""
    return imaged(name, compiled(name, SOURCE), kinds)


def compiled(name: str, source: Path, *more: str) -> bytes:
    """Return the object of `source` for one architecture; skip where no compiler is."""
    compiler = f"{replay.ARCHES[name].triplet}-gcc"
    if find_program(compiler) is None:
        pytest.skip(f"{compiler} is not here")
    with TemporaryDirectory() as folder:
        place = Path(folder, "made.o")
        argv = (compiler, *COMMON, *OWN[name], *more, "-c", str(source), "-o", str(place))
        said = run(argv, folder=Path(folder), timeout=60)
        assert said.status == 0, said.stderr
        return place.read_bytes()


def imaged(name: str, data: bytes, kinds: Mapping[int, str] | None = None) -> Image:
    """Return an object as an image, its types of entries called as `kinds` says."""
    arch = replay.ARCHES[name]
    known = KINDS.get(name, {}) if kinds is None else kinds
    with TemporaryDirectory() as folder:
        place = Path(folder, "made.o")
        place.write_bytes(data)
        lacking = externals(arch, (data,))
        symbols = tuple((one.name, one.address) for one in lacking)
        store = Store(Path(folder, "store"))
        program = link((str(place),), emulation_of(arch).text, symbols, store)
    return read_image(program, arch, lacking, Boot({}, known), data)
