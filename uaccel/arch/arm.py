# SPDX-License-Identifier: GPL-2.0-only
"""arm with CONFIG_CPU_SW_DOMAIN_PAN: the domain access register keeps the kernel out."""

from uaccel.model.machine import Arch
from uaccel.tables import roles

ARCH = Arch(
    name="arm",
    title="arm, domains",
    kernel="arm",
    srcarch="arm",
    triplet="arm-linux-gnueabihf",
    package="gcc-arm-linux-gnueabihf",
    zig_target="arm-linux-gnueabihf",
    defconfig="allnoconfig",
    config=(
        "CONFIG_MMU=y",
        "CONFIG_ARCH_MULTIPLATFORM=y",
        "CONFIG_ARCH_MULTI_V7=y",
        "CONFIG_ARCH_VIRT=y",
        "CONFIG_ARM_PAN=y",
        "CONFIG_AEABI=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + arm",
    capstone=("CS_ARCH_ARM", ("CS_MODE_ARM",)),
    rows=roles(
        r"""
        toggles  | mcr p15, #?0, \w+, c3, c0, #?0 | DACR
        calls    | blx? .*      | link register written
        returns  | bx lr\|pop .*pc.*\|ldm\w* .*pc.* | to lr or from the stack
        branches | b [^.]*      | always taken
        forks    | b(eq\|ne\|cs\|hs\|cc\|lo\|mi\|pl\|vs\|vc\|hi\|ls\|ge\|lt\|gt\|le) .* | conditional
        nop      | nop          | padding
        """
    ),
    shortest_window=(
        "mcr p15, #0, r3, c3, c0, #0",
        "mcr p15, #0, r3, c3, c0, #0",
    ),
    protection=(
        "domains: mcr p15,0,rX,c3,c0,0 (DACR) opens and closes, for reads and writes alike"
    ),
    features=(),
    helpers=("lib/usercopy.o", "arch/arm/lib/getuser.o", "arch/arm/lib/putuser.o"),
    begin_header=("arch/arm/include/asm/uaccess.h",),
)
