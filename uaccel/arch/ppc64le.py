# SPDX-License-Identifier: GPL-2.0-only
"""PowerPC book3s/64, radix: the AMR blocks reads and writes apart."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="ppc64le",
    title="PowerPC book3s/64 radix, KUAP",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc64le-linux-gnu",
    package="gcc-powerpc64le-linux-gnu",
    zig_target="powerpc64le-linux-gnu",
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
        "CONFIG_PPC64=y",
        "CONFIG_PPC_BOOK3S_64=y",
        "CONFIG_CPU_LITTLE_ENDIAN=y",
        "CONFIG_POWER9_CPU=y",
        "CONFIG_PPC_RADIX_MMU=y",
        "CONFIG_PPC_KUAP=y",
        "CONFIG_PPC_PSERIES=y",
    ),
    config_name="allnoconfig + ppc64le",
    capstone=("CS_ARCH_PPC", ("CS_MODE_64", "CS_MODE_LITTLE_ENDIAN")),
    rows=roles(
        r"""
        toggles  | mtspr (0x1d\|0xd), .*\|mtamr .* | AMR: which directions are blocked
        calls    | bla? .*\|b(ct\|l)rl\|bcl .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+ .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    # set_kuap() of arch/powerpc/include/asm/book3s/64/kup.h, twice: ISA v3.0B wants a context
    # synchronising instruction on both sides of the move; a value takes one instruction at least.
    shortest_window=(
        "li r9, 0",
        "isync",
        "mtamr r9",
        "isync",
        "li r9, -1",
        "isync",
        "mtamr r9",
        "isync",
    ),
    protection=("KUAP: mtspr 29 (AMR) + isync open and close, reads and writes apart"),
    features=(),
    helpers=("lib/usercopy.o",),
    begin_header=("arch/powerpc/include/asm/uaccess.h",),
    # allow_user_access(), which stands around every access of asm/uaccess.h.
    openings=openings(
        "arch/powerpc/include/asm/book3s/64/kup.h",
        r"""
        read  | 1 | if \(dir == KUAP_READ\) set_kuap\(
        write | 1 | if \(dir == KUAP_WRITE\) set_kuap\(
        """,
    ),
)
