# SPDX-License-Identifier: GPL-2.0-only
"""arm with CONFIG_CPU_SW_DOMAIN_PAN: the domain access register keeps the kernel out."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

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
        "CONFIG_ARM_PAN=y or CONFIG_CPU_SW_DOMAIN_PAN=y",
        "CONFIG_CPU_SW_DOMAIN_PAN=y",
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
        calls    | bl(x\|eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et])? .* | link register written
        returns  | bx lr\|pop .*pc.*\|ldm\w* .*pc.* | to lr or from the stack
        branches | b [^.]*      | always taken
        forks    | b(eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et]) .* | conditional
        nop      | nop          | padding
        """
    ),
    # uaccess_save_and_enable() and uaccess_restore() of arch/arm/include/asm/uaccess.h;
    # set_domain() of arch/arm/include/asm/domain.h ends with an isb.
    shortest_window=(
        "mrc p15, #0, r7, c3, c0, #0",
        "bic r3, r7, #0xc",
        "orr r3, r3, #4",
        "mcr p15, #0, r3, c3, c0, #0",
        "isb sy",
        "mcr p15, #0, r7, c3, c0, #0",
        "isb sy",
    ),
    protection=(
        "domains: mcr p15,0,rX,c3,c0,0 (DACR) opens and closes, for reads and writes alike"
    ),
    features=(),
    helpers=("lib/usercopy.o", "arch/arm/lib/getuser.o", "arch/arm/lib/putuser.o"),
    begin_header=("arch/arm/include/asm/uaccess.h",),
    # get_user() and put_user() open within these two.
    openings=openings(
        "arch/arm/include/asm/uaccess.h",
        r"""
        read  | 1 | __get_user_check\(x, ?p\) .{,400}= uaccess_save_and_enable\(\)
        write | 1 | __put_user_switch\(x, ?ptr, [^)]*\) .{,400}= uaccess_save_and_enable\(\)
        """,
    ),
)
