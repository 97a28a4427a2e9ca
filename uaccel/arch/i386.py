# SPDX-License-Identifier: GPL-2.0-only
"""i386: EFLAGS.AC suspends SMAP."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="i386",
    title="i386, SMAP",
    kernel="i386",
    srcarch="x86",
    triplet="x86_64-linux-gnu",
    package="gcc-x86-64-linux-gnu",
    zig_target="x86-linux-gnu",
    defconfig="allnoconfig",
    config=(
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + i386",
    capstone=("CS_ARCH_X86", ("CS_MODE_32",)),
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | call .*    | direct or indirect
        returns  | ret.*      | near return
        branches | (notrack )?jmp .* | always taken
        forks    | j\w+ .*   | conditional
        nop      | nop.*      | padding of alternatives
        nop      | lea (e[sd]i), \[\1\] | the assembler's padding: it changes nothing
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
    begin_header=("arch/x86/include/asm/uaccess.h", "arch/x86/include/asm/uaccess_32.h"),
    # get_user() and put_user() call what these files hold.
    openings=(
        *openings("arch/x86/lib/getuser.S", r"read | 1 | \bASM_STAC\b"),
        *openings("arch/x86/lib/putuser.S", r"write | 1 | \bASM_STAC\b"),
    ),
)
