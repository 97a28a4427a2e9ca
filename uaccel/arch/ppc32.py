# SPDX-License-Identifier: GPL-2.0-only
"""PowerPC book3s/32 (603, 750, 74xx): the Ks bit of a segment guards writes."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="ppc32",
    title="PowerPC book3s/32, KUAP",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc-linux-gnu",
    package="gcc-powerpc-linux-gnu",
    zig_target="powerpc-linux-gnueabi",
    defconfig="allnoconfig",
    config=(
        "CONFIG_PPC_BOOK3S_32=y",
        "CONFIG_PPC_PMAC=y",
        "CONFIG_PPC_OF_BOOT_TRAMPOLINE=y",
        "CONFIG_PPC_KUAP=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + ppc32",
    capstone=("CS_ARCH_PPC", ("CS_MODE_32", "CS_MODE_BIG_ENDIAN")),
    rows=roles(
        r"""
        toggles  | mtsr(in)? .* | Ks of one 256 MB segment
        calls    | bla? .*\|b(ct\|l)rl\|bcl .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+ .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    # uaccess_begin_32s() and uaccess_end_32s() of arch/powerpc/include/asm/book3s/32/kup.h; what
    # the thread remembers between them comes on top.
    shortest_window=(
        "mfsrin r9, r3",
        "rlwinm r9, r9, 0, 2, 0",
        "mtsrin r9, r3",
        "isync",
        "mfsrin r9, r3",
        "oris r9, r9, 0x4000",
        "mtsrin r9, r3",
        "isync",
    ),
    protection=("KUAP: mtsrin + isync open and close one segment, for writes only"),
    features=(),
    helpers=("lib/usercopy.o",),
    begin_header=("arch/powerpc/include/asm/uaccess.h",),
    # allow_user_access(), around every access of asm/uaccess.h, returns unless it writes.
    openings=openings(
        "arch/powerpc/include/asm/book3s/32/kup.h",
        r"""
        read  | 0 | if \(!\(dir & KUAP_WRITE\)\) return; current->thread\.kuap = [^;]*; \w+\(
        write | 1 | return; current->thread\.kuap = [^;]*; (kuap_unlock_one\|uaccess_begin_32s)\(
        """,
    ),
    guards_reads=False,
)
