# SPDX-License-Identifier: GPL-2.0-only
"""PowerPC book3s/64, radix: the AMR blocks reads and writes apart."""

from dataclasses import replace

from uaccel.arch.ppc32 import SPELLING as KIN
from uaccel.model.machine import Arch
from uaccel.model.run import Emulation, FixupFormat, Furniture, Gate
from uaccel.model.source import Direction
from uaccel.tables import openings, roles

# arch/powerpc/include/asm/extable.h: nothing is done but to go on elsewhere.
FIXUPS = FixupFormat(size=8, relative=True)

# How GNU objdump writes it.
SPELLING = replace(
    KIN,
    rows=roles(
        r"""
        toggles  | mtspr (29\|13),.*\|mtu?amr .* | AMR: which directions are blocked
        calls    | bla? .*\|b(ct\|l)rl[+-]?\|bcl[+-]? .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    # The last instruction of those that make the constant.
    values=roles(
        r"""
        opens    | ori \w+,\w+,(21845\|43690) | one direction is blocked
        opens    | li \w+,0              | none is
        closes   | ori \w+,\w+,65535     | both are
        closes   | li \w+,-1             | both are
        """
    ),
    beside=r"isync",
    asks=r"(andi\.|rlwinm\.?) \w+,\w+,(512|0,22,22)",
)

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
        forks    | b\w+[+-]? .*    | conditional
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
    # arch/powerpc/include/asm/{uaccess.h,book3s/64/kup.h}: opened around them; the flush closes.
    # MMU_FTR_KUAP of arch/powerpc/include/asm/mmu.h, asked by set_kuap() of book3s/64/kup.h.
    asks=r"(?:andi\.|rlwinm\.?) (\w+), \w+, (?:0x200|0, 0x16, 0x16)",
    inside=r"do_uaccess_flush|__copy_tofrom_user|__arch_clear_user",
    begin_header=("arch/powerpc/include/asm/uaccess.h",),
    # allow_user_access(), which stands around every access of asm/uaccess.h.
    openings=openings(
        "arch/powerpc/include/asm/book3s/64/kup.h",
        r"""
        read  | 1 | if \(dir == KUAP_READ\) set_kuap\(
        write | 1 | if \(dir == KUAP_WRITE\) set_kuap\(
        """,
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_PPC", ("UC_MODE_PPC64", "UC_MODE_BIG_ENDIAN")),
        cpu="",
        registers="UC_PPC_REG_",
        numbered=tuple(f"{number}" for number in range(32)),
        counter="PC",
        stack="1",
        link="LR",
        result="3",
        arguments=tuple(f"{number}" for number in range(3, 11)),
        furniture=(
            Furniture("task_struct"),
            Furniture("paca_struct", "13", members=(("__current", "task_struct"),)),
            Furniture(
                "cpu_spec",
                symbols=("cur_cpu_spec",),
                # asm/mmu.h: TYPE_RADIX, KUAP, GTSE
                members=(("mmu_features", 0x1240),),
            ),
        ),
        settings=(("MSR", 0x8000000000000001),),
        text=0xC000000002000000,
        user_end=0x0010000000000000,  # TASK_SIZE_USER64
        returning="2000804e",
        nothing="00000060",
        calls=(10,),  # R_PPC64_REL24
        operand=r"mt(?:spr 0x(?:1d|d), |amr )r(\d+)",
        gates=(
            Gate(Direction.READ, 0x5455555555555555, 0),  # AMR_KUAP_BLOCK_READ
            Gate(Direction.WRITE, 0xA8AAAAAAAAAAAAAA, 0),  # AMR_KUAP_BLOCK_WRITE
        ),
        above=96,
        entry="12",
        links=(
            "arch/powerpc/lib/copyuser_64.o",
            "arch/powerpc/lib/memcpy_64.o",
            "arch/powerpc/lib/mem_64.o",
            "arch/powerpc/lib/string_64.o",
        ),
    ),
    spelling=SPELLING,
)
