# SPDX-License-Identifier: GPL-2.0-only
"""arm64 with CONFIG_ARM64_SW_TTBR0_PAN: user tables are out of reach while TTBR0 is empty."""

from dataclasses import replace

from uaccel.arch.arm64 import SPELLING as KIN
from uaccel.model.machine import Arch
from uaccel.model.run import Emulation, FixupFormat, Furniture, Gate
from uaccel.model.source import Direction
from uaccel.tables import fixup_fields, fixup_rows, openings, roles

# arch/arm64/mm/extable.c; register 31 is the one that always holds zero.
FIXUPS = FixupFormat(
    size=12,
    relative=True,
    header="arch/arm64/include/asm/asm-extable.h",
    fields=fixup_fields("type:0:16 err:16:5 zero:21:5"),
    rows=fixup_rows(
        """
        EX_TYPE_UACCESS_ERR_ZERO | err := -14; zero := 0
        EX_TYPE_KACCESS_ERR_ZERO | err := -14; zero := 0
        """
    ),
    ignored=31,
)

# How GNU objdump writes it.
SPELLING = replace(
    KIN,
    rows=roles(
        r"""
        toggles  | msr ttbr0_el1, .* | the user's tables come or go
        calls    | blr? .*      | link register written
        returns  | ret.*        | to x30
        branches | b [^.]*\|br .* | always taken
        forks    | (b\.\w+\|cbn?z\|tbn?z) .* | conditional
        nop      | nop          | patched alternatives
        """
    ),
    values=roles(
        r"""
        opens    | ldr x\d+, \[.*   | the thread's tables
        closes   | sub x\d+, x\d+, #0x\w+(, lsl #12)? | the empty ones
        """
    ),
    beside=r"msr (daif|daifset|ttbr1_el1), .*|mrs x\d+, (daif|ttbr1_el1)|isb",
)

ARCH = Arch(
    name="arm64-ttbr0",
    title="arm64, software PAN through TTBR0",
    kernel="arm64",
    srcarch="arm64",
    triplet="aarch64-linux-gnu",
    package="gcc-aarch64-linux-gnu",
    zig_target="aarch64-linux-gnu",
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
        "CONFIG_ARM64_SW_TTBR0_PAN=y",
    ),
    config_name="allnoconfig + arm64-ttbr0",
    capstone=("CS_ARCH_ARM64", ("CS_MODE_LITTLE_ENDIAN",)),
    rows=roles(
        r"""
        toggles  | msr ttbr0_el1, .* | the user's tables come or go
        calls    | blr? .*      | link register written
        returns  | ret.*        | to x30
        branches | b [^.]*\|br .* | always taken
        forks    | (b\.\w+\|cbn?z\|tbn?z) .* | conditional
        nop      | nop          | patched alternatives
        """
    ),
    # __uaccess_ttbr0_enable() and __uaccess_ttbr0_disable() of arch/arm64/include/asm/uaccess.h.
    shortest_window=(
        "mrs x1, daif",
        "msr daifset, #3",
        "ldr x0, [x0, #8]",
        "mrs x6, ttbr1_el1",
        "bfxil x5, x6, #0, #0x30",
        "msr ttbr1_el1, x5",
        "msr ttbr0_el1, x0",
        "isb",
        "msr daif, x1",
        "mrs x1, daif",
        "msr daifset, #3",
        "mrs x0, ttbr1_el1",
        "and x0, x0, #0xffffffffffff",
        "sub x2, x0, #1, lsl #12",
        "msr ttbr0_el1, x2",
        "msr ttbr1_el1, x0",
        "isb",
        "msr daif, x1",
    ),
    protection=(
        "software PAN: msr ttbr0_el1 + isb, with interrupts off, open and close,"
        " for reads and writes alike"
    ),
    features=(),
    helpers=("lib/usercopy.o",),
    # arch/arm64/include/asm/uaccess.h: raw_copy_from_user() opens around it.
    inside=r"__arch_(?:copy_(?:from|to)|clear)_user",
    begin_header=("arch/arm64/include/asm/uaccess.h",),
    # __raw_get_user() and __raw_put_user() open before each ldtr and sttr.
    openings=openings(
        "arch/arm64/include/asm/uaccess.h",
        r"""
        read  | 1 | \buaccess_ttbr0_enable\(\); __raw_get_mem\("ldtr"
        write | 1 | \buaccess_ttbr0_enable\(\); __raw_put_mem\("sttr"
        """,
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_ARM64", ("UC_MODE_ARM",)),
        cpu="UC_CPU_ARM64_MAX",
        registers="UC_ARM64_REG_",
        numbered=(*(f"X{number}" for number in range(31)), "XZR"),
        counter="PC",
        stack="SP",
        link="X30",
        result="X0",
        arguments=tuple(f"X{number}" for number in range(8)),
        furniture=(
            Furniture("task_struct", "SP_EL0", members=(("thread_info.ttbr0", 0x12345000),)),
        ),
        settings=(("TTBR1_EL1", 0x23456000),),
        text=0xFFFFFFC082000000,
        user_end=1 << 39,  # CONFIG_ARM64_VA_BITS
        clocks=r"mrs (x\d+), cntvct(?:ss)?_el0",
        returning="c0035fd6",
        nothing="1f2003d5",
        calls=(282, 283),  # R_AARCH64_JUMP26, R_AARCH64_CALL26
        operand=r"msr ttbr0_el1, (\w+)",
        gates=(
            Gate(Direction.READ, 0xFFFFFFFFF000, 0x12345000),
            Gate(Direction.WRITE, 0xFFFFFFFFF000, 0x12345000),
        ),
        links=(
            "arch/arm64/lib/copy_from_user.o",
            "arch/arm64/lib/copy_to_user.o",
            "arch/arm64/lib/clear_user.o",
            "arch/arm64/lib/memcpy.o",
            "arch/arm64/lib/memset.o",
        ),
    ),
    spelling=SPELLING,
)
