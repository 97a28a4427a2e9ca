# SPDX-License-Identifier: GPL-2.0-only
"""x86-64: EFLAGS.AC suspends SMAP."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="x86_64",
    title="x86-64, SMAP",
    kernel="x86_64",
    srcarch="x86",
    triplet="x86_64-linux-gnu",
    package="gcc-x86-64-linux-gnu",
    zig_target="x86_64-linux-gnu",
    defconfig="allnoconfig",
    config=(
        "CONFIG_MMU=y",
        "CONFIG_64BIT=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_COMPAT=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_HAS_IOMEM=y",
        "CONFIG_NO_HZ_IDLE=y",
        "CONFIG_SMP=y",
        "CONFIG_BUG=y",
        "CONFIG_IA32_EMULATION=y",
        "CONFIG_X86_X32_ABI=y",
    ),
    config_name="allnoconfig + x86_64",
    capstone=("CS_ARCH_X86", ("CS_MODE_64",)),
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | call .*    | direct or indirect
        returns  | ret.*      | near return
        branches | (notrack )?jmp .* | always taken
        forks    | j\w+ .*   | conditional
        nop      | nop.*      | padding of alternatives
        """
    ),
    # stac() and clac() of arch/x86/include/asm/smap.h.
    shortest_window=(
        "stac",
        "clac",
    ),
    protection=("SMAP: stac opens, clac closes (patched in at boot), for reads and writes alike"),
    features=("SMAP", "LFENCE_RDTSC"),
    helpers=("arch/x86/lib/getuser.o", "arch/x86/lib/putuser.o", "lib/usercopy.o"),
    begin_header=("arch/x86/include/asm/uaccess.h", "arch/x86/include/asm/uaccess_64.h"),
    # get_user() and put_user() call what these files hold.
    openings=(
        *openings("arch/x86/lib/getuser.S", r"read | 1 | \bASM_STAC\b"),
        *openings("arch/x86/lib/putuser.S", r"write | 1 | \bASM_STAC\b"),
    ),
)
